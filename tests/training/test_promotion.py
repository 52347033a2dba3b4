import importlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.books import END_DAY, TINY, UNTIL, book_with_signal, day, plain_model

from walkaway.asof.history import History
from walkaway.config import BoosterSettings
from walkaway.heads import HoursHead, WinHead
from walkaway.models.model import make_calls, read_rows
from walkaway.training import recipe
from walkaway.training.backtest import no_step
from walkaway.training.promotion import (
    GAINS,
    Comparison,
    Promotion,
    _by_age,
    _calls_since,
    _enough,
    _verdict,
    decide_promotion,
    promoted_without_comparison,
    trained_at,
)
from walkaway.training.train import train

pytest_plugins = ("tests.books",)

NOW = day(END_DAY)


@pytest.fixture(scope="module")
def challenger(book):
    return train(book, NOW, TINY)


def champion_of(trained, **changed):
    return replace(trained.model, version="champion", **changed)


def asked(book, challenger, *champions, settings=TINY) -> Promotion:
    return decide_promotion(book, NOW, challenger, champions, settings)


def other_facts(trained, **facts):
    return trained.model.facts.model_copy(update=facts)


def coin(trained, **facts):
    """A champion of that training's time that knows nothing: a coin, and two hours for each deal."""
    told = trained.model.facts.model_copy(update=facts)
    return plain_model(win=WinHead(0.5), hours=HoursHead(2.0), plan=trained.model.plan, version="coin", facts=told)


def test_a_champion_without_signal_is_replaced(book, challenger, trained):
    found = asked(book, challenger, coin(trained))

    assert found.promoted
    assert found.reason == "better than coin at 90% confidence, on deals called since that model was trained"
    [one] = found.comparisons
    assert (one.against, one.by, one.since) == ("coin", "bundle", f"{UNTIL + pd.Timedelta(days=7):%Y-%m-%d}")
    assert 0 < one.log_loss_gain_low < one.log_loss_gain < one.log_loss_gain_high
    assert one.settled_deals <= one.deals


def test_the_same_recipe_is_better_where_it_knows_more(book, challenger, trained):
    """Ten weeks more of a book of thirty weeks: the calls that could differ do better."""
    found = asked(book, challenger, champion_of(trained))

    assert found.promoted
    assert found.reason == "better than champion at 90% confidence, on deals called since that model was trained"


@pytest.mark.parametrize("another", [False, True], ids=["same recipe", "another recipe"])
def test_what_only_a_model_in_use_needs_is_not_made_to_compare(book, challenger, trained, monkeypatch, another):
    """Neither calls at the pace of use nor by older models, nor what a model remembers, nor baselines."""
    fits, fit = [], recipe.fit_and_backtest

    def counted(*given, baselines):
        fits.append(baselines)
        return fit(*given, baselines=baselines)

    for name in ("backtest._looks", "backtest._older", "train.with_base_rates", "train._tables", "train._reference"):
        refuse = lambda *given, name=name: pytest.fail(f"{name} is asked for")  # noqa: E731
        module, what = name.split(".")
        monkeypatch.setattr(importlib.import_module(f"walkaway.training.{module}"), what, refuse)
    monkeypatch.setattr("walkaway.training.promotion.fit_and_backtest", counted)
    settings = TINY.model_copy(update={"calls_every_days": 3.5}) if another else TINY
    asked(book, challenger, champion_of(trained), settings=settings)

    assert fits == [{}] * (3 if another else 2)


def test_only_calls_after_the_champion_was_trained_are_compared(book, challenger, trained):
    """It has seen how earlier ones ended."""
    [one] = asked(book, challenger, champion_of(trained)).comparisons
    later = challenger.calls[challenger.calls["as_of"] > UNTIL]

    assert (one.calls, one.deals) == (len(later), later["deal_id"].nunique())


def test_a_challenger_that_is_worse_is_held(book, challenger, trained):
    """A recipe that learns next to nothing, on the same deals."""
    stump = BoosterSettings(trees=1, learning_rate=0.01, leaves=2, least_rows_in_leaf=150)
    poor = TINY.model_copy(update={"heads": TINY.heads.model_copy(update={"win": stump})})
    found = asked(book, train(book, NOW, poor), champion_of(trained), settings=poor)

    assert not found.promoted
    assert found.reason == "worse than champion at 90% confidence, on deals called since that model was trained"


def test_the_recipe_trained_when_the_champion_was_is_the_champion_to_the_byte(book, challenger, trained):
    """Only later stretches, by models that knew more, can differ."""
    later = challenger.calls.loc[challenger.calls["as_of"] > UNTIL, ["deal_id", "as_of"]].reset_index(drop=True)
    mine = _calls_since(History(book), UNTIL, later, TINY, no_step)
    theirs = make_calls(trained.model, read_rows(History(book), later, trained.model.plan), 0.0).table
    same = (mine["win_probability"] == theirs["win_probability"]).groupby(mine["as_of"]).all()

    assert same.iloc[: len(same) // 2].all()
    assert not same.iloc[len(same) // 2 :].any()


def test_the_best_of_all_champions_is_the_one_to_beat(book, challenger, trained):
    """The coin is in use, a good model before it: it is not enough to beat the coin."""
    found = asked(book, challenger, coin(trained), champion_of(trained))

    assert [one.against for one in found.comparisons] == ["champion", "coin"]
    assert found.comparisons[1].log_loss_gain > found.comparisons[0].log_loss_gain + 0.02
    assert found.reason.startswith("better than champion")


def test_a_champion_that_cannot_read_the_book_is_not_replaced_unasked(book, challenger, trained):
    found = asked(book, challenger, champion_of(trained, facts=other_facts(trained, currency="USD")))

    assert not found.promoted
    assert found.reason.startswith("the model in use cannot read this book, so the two cannot be compared")


def test_an_earlier_champion_that_cannot_read_the_book_is_passed_over(book, challenger, trained):
    foreign = champion_of(trained, facts=other_facts(trained, currency="USD"))

    assert [one.against for one in asked(book, challenger, coin(trained), foreign).comparisons] == ["coin"]


def test_the_same_recipe_on_the_same_data_says_nothing_new(book, challenger):
    found = asked(book, challenger, champion_of(challenger))

    assert found == Promotion(False, f"too few deals have closed since {NOW:%Y-%m-%d} to tell whether it is better")


def test_another_recipe_on_the_same_data_is_compared_over_all_folds(book, challenger):
    """The champion's settings allow one leaf more than none: a stump that learns next to nothing."""
    stump = BoosterSettings(trees=1, learning_rate=0.01, leaves=2, least_rows_in_leaf=150)
    poor = TINY.model_copy(update={"heads": TINY.heads.model_copy(update={"win": stump})})
    facts = other_facts(challenger, settings=poor.model_dump(mode="json"))
    found = asked(book, challenger, champion_of(challenger, facts=facts))

    assert found.reason == "better than champion at 90% confidence, over all folds, each with its own settings"
    [one] = found.comparisons
    assert (one.by, one.calls) == ("recipe", len(challenger.calls))


def test_a_recipe_that_names_what_the_book_no_longer_has_cannot_be_fitted(book, challenger):
    gone = challenger.model.facts.settings | {"features": {"denied": ["days_since_stage[gone]"]}}
    found = asked(book, challenger, champion_of(challenger, facts=other_facts(challenger, settings=gone)))

    assert (found.promoted, found.comparisons) == (False, ())


def test_a_better_recipe_does_not_outweigh_a_bundle_that_is_ahead():
    used = plain_model(version="used")
    ahead = replace(comparison((-0.004, -0.009, 0.001), (0.0, -0.1, 0.1)), by="bundle")
    recipe = replace(comparison((0.003, 0.0002, 0.006), (0.0, -0.1, 0.1)), by="recipe")

    refused = _verdict([ahead, recipe], used)
    assert not refused.promoted
    assert refused.reason.startswith("better than ")
    assert refused.reason.endswith(", but with a higher log loss on deals called since that model was trained")
    assert _verdict([replace(ahead, log_loss_gain=0.001), recipe], used).promoted


def test_what_age_costs_over_all_folds_outweighs_few_calls_in_doubt():
    used = plain_model(version="used")
    doubtful = comparison((-0.004, -0.012, 0.004), (0.0, -0.1, 0.1))
    age = replace(comparison((0.010, 0.002, 0.018), (0.0, -0.1, 0.1)), by="age")

    assert (
        _verdict([doubtful, age], used).reason
        == "better than x at 90% confidence, judged by models of its age over all folds"
    )
    assert not _verdict([replace(doubtful, log_loss_gain_high=-0.001), age], used).promoted


def test_that_age_costs_nothing_does_not_outweigh_a_gain_over_the_champion():
    gain = comparison((0.010, 0.002, 0.018), (0.0, -0.1, 0.1))
    older_is_better = replace(comparison((-0.004, -0.010, -0.001), (0.0, -0.1, 0.1)), by="age")

    assert not _verdict([older_is_better], plain_model(version="used")).promoted
    assert _verdict([gain, older_is_better], plain_model(version="used")).promoted


def aged(challenger, *days_older: float):
    """The challenger with a staleness table: the longer ago a model was trained, the more it loses."""
    rows = {n: [days, 90, 40, 30, n / 100, 0.001, 0.02, 0.0, -0.1, 0.1] for n, days in enumerate(days_older, 1)}
    names = ["days_older", "calls", "deals", "settled_deals", *(name.replace("_gain", "_lost") for name in GAINS)]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names)
    return replace(challenger, tables=challenger.tables | {"staleness": table})


@pytest.mark.parametrize(("days_older", "gains"), [((80,), []), ((30, 60), [0.02]), ((60, 80), [0.01])])
def test_age_is_judged_by_models_no_older_than_the_champion(challenger, trained, days_older, gains):
    """The champion is 70 days old."""
    found = [*_by_age(aged(challenger, *days_older), champion_of(trained), NOW)]

    assert [one.log_loss_gain for one in found] == gains
    assert {one.by for one in found} <= {"age"}


def test_age_says_nothing_of_a_model_without_signal(challenger, trained):
    silent = replace(challenger, model=replace(challenger.model, signal=False))

    assert [*_by_age(aged(silent, 30), champion_of(trained), NOW)] == []


def test_wins_without_any_amount_count_alike(trained):
    """Without amounts there is still a skill to compare."""
    bare = book_with_signal()
    bare = bare.with_tables(
        deals=bare.deals.assign(amount=float("nan")), changes=bare.changes.query("field == 'stage'")
    )
    challenger = train(bare, NOW, TINY)
    earlier = replace(train(bare, UNTIL, TINY).model, version="earlier")
    [one] = decide_promotion(bare, NOW, challenger, [earlier], TINY).comparisons

    assert abs(one.skill_gain) < 1


def test_settings_that_only_judge_are_no_other_recipe(book, challenger):
    settings = challenger.model.facts.settings | {"bootstrap": 77, "folds": 9}
    facts = other_facts(challenger, settings=settings)

    assert asked(book, challenger, champion_of(challenger, facts=facts)).comparisons == ()


def test_a_challenger_without_calls_is_held(book, challenger, trained):
    found = asked(book, replace(challenger, calls=challenger.calls.iloc[:0]), champion_of(trained))

    assert found.reason == "the new model has no out-of-time calls: the book's history is too short to judge it"


def test_too_few_settled_deals_say_nothing(book, challenger, trained):
    late = champion_of(trained, facts=other_facts(trained, known_until=NOW - pd.Timedelta(days=8)))

    assert asked(book, challenger, late).comparisons == ()


def comparison(loss=(0.0, -1.0, 1.0), skill=(0.0, -1.0, 1.0)) -> Comparison:
    return Comparison("x", "bundle", "2026-01-01", 9, 9, 9, *loss, *skill)


@pytest.mark.parametrize(
    ("loss", "skill", "better", "worse"),
    [
        ((0.1, 0.01, 0.2), (0.0, -0.1, 0.1), True, False),
        ((0.0, -0.1, 0.1), (0.1, 0.01, 0.2), True, False),
        ((0.1, -0.01, 0.2), (0.1, -0.01, 0.2), False, False),
        ((0.1, 0.01, 0.2), (-0.1, -0.2, -0.01), False, True),
        ((-0.1, -0.2, -0.01), (0.1, 0.01, 0.2), False, True),
    ],
)
def test_better_is_better_at_90_percent_in_one_measure_and_worse_in_neither(loss, skill, better, worse):
    found = comparison(loss, skill)

    assert (found.better, found.worse) == (better, worse)


def test_a_promotion_without_comparison_names_its_reason_and_compares_nothing():
    assert promoted_without_comparison("a person decided").as_json() == {
        "promoted": True,
        "reason": "a person decided",
        "comparisons": [],
    }


def test_a_gain_that_is_no_number_is_null_in_json():
    """Where nothing was won there is no skill."""
    told = Promotion(False, "x", (comparison(skill=(float("nan"),) * 3),)).as_json()

    assert told["comparisons"][0]["skill_gain"] is None
    assert told["comparisons"][0]["log_loss_gain"] == 0.0


def test_a_model_knows_until_when_it_knew(trained):
    assert trained_at(trained.model) == UNTIL
    assert trained_at(plain_model()) is None


def test_without_signal_only_the_first_model_is_promoted():
    book = book_with_signal(signal=False)
    first, second = train(book, UNTIL, TINY), train(book, NOW, TINY)

    assert not asked(book, second, champion_of(first)).promoted


@pytest.mark.parametrize(("deals", "enough"), [(29, False), (30, True)])
def test_a_comparison_needs_thirty_settled_deals_of_both_kinds(deals, enough):
    deal = np.arange(deals)

    assert _enough(deal, (deal % 2).astype(float)) is enough
    assert _enough(deal, np.ones(deals)) is False
