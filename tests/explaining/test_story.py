import json
from math import prod

import pandas as pd
import pytest
from tests.books import START, plain_model, rows_of

from walkaway.asof.history import History
from walkaway.explaining import deal_stories
from walkaway.models.facts import Facts
from walkaway.models.model import make_calls, read_rows

pytest_plugins = ("tests.books",)


def test_a_story_is_its_call_with_the_model_behind_it():
    model = plain_model(version="v3", facts=Facts(currency="EUR"))
    [story] = deal_stories(model, make_calls(model, rows_of([2000.0], [0.5]), 150.0), 0.125)

    assert (story.deal_id, story.as_of, story.verdict, story.bar) == ("d0", START, "pursue", 150.0)
    assert (story.model_version, story.currency) == ("v3", "EUR")
    numbers = (story.win_probability, story.value_if_won, story.remaining_hours, story.value_per_hour)
    assert [round(number, 9) for number in numbers] == [0.5, 1000.0, 2.0, 200.0]
    assert (round(story.typical_value_per_hour, 9), [round(f.factor, 9) for f in story.factors]) == (
        200.0,
        [1, 2, 0.5, 1],
    )


def test_typical_times_every_factor_is_the_value_per_hour_of_each_story(trained, book):
    rows = read_rows(History(book), trained.calls[["deal_id", "as_of"]].iloc[::9], trained.model.plan)
    stories = deal_stories(trained.model, make_calls(trained.model, rows, 50.0), 0.125)
    gainful = [story for story in stories if story.factors]

    assert len(gainful) > 50
    for story in gainful:
        product = story.typical_value_per_hour * prod(f.factor for f in story.factors)
        assert product == pytest.approx(story.value_per_hour, rel=1e-9)


def test_a_deal_to_stop_is_checked_first_if_deals_like_it_earned_more_than_the_bar(trained, book):
    rows = read_rows(History(book), trained.calls[["deal_id", "as_of"]].iloc[::9], trained.model.plan)
    bar = float(trained.calls["value_per_hour"].median())
    stories = deal_stories(trained.model, make_calls(trained.model, rows, bar), 0.125)
    twice = {s.deal_id for s in stories if s.look_twice}
    above = [s for s in stories if s.similar_deals and s.similar_deals.value_per_hour > s.bar]

    assert twice
    assert {s.deal_id for s in above if s.verdict in ("walk_away", "nurture")} == twice
    assert [s for s in stories if s.look_twice and s.verdict in ("pursue", "unsure")] == []


def test_a_deal_sold_at_a_loss_has_no_factors():
    [story] = deal_stories(plain_model(), make_calls(plain_model(), rows_of([100.0], [-0.5]), 0.0), 0.125)

    assert (story.factors, story.verdict) == ((), "walk_away")


def test_a_story_as_json_is_plain_and_says_all():
    [story] = deal_stories(plain_model(), make_calls(plain_model(), rows_of([100.0, float("nan")]), 5.0), 0.125)[:1]
    read = json.loads(json.dumps(story.as_json(), allow_nan=False))

    assert read["as_of"] == "2025-01-06T00:00:00+00:00"
    assert read["factors"][0] == {
        "theme": "timing",
        "feature": "age_days",
        "factor": 1.0,
        "sentence": "open for 1 day",
        "agreed": True,
    }
    assert {name: read[name] for name in ("deal_id", "verdict", "bar")} == {
        "deal_id": "d0",
        "verdict": "pursue",
        "bar": 5.0,
    }


def test_stories_are_told_in_the_order_of_the_calls():
    rows = rows_of([10.0, 30.0, 20.0])
    stories = deal_stories(plain_model(), make_calls(plain_model(), rows, 5.0), 0.125)

    assert pd.Series([story.deal_id for story in stories]).tolist() == ["d0", "d1", "d2"]
