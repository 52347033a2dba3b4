"""The whole check, by a model trained half a year before the end of a book that does not drift."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from tests.books import TINY, plain_model
from tests.conftest import at
from tests.monitoring.conftest import SETTINGS, UNTIL, WEEK, alarms, changes_since, deals_since, found_by

from walkaway.book.effort import SECONDS_PER_HOUR, effort_seconds
from walkaway.book.schema import Book
from walkaway.config import Levels
from walkaway.errors import DataError, UsageError
from walkaway.models.facts import Facts
from walkaway.models.model import Model
from walkaway.monitoring import check
from walkaway.training.train import train


@pytest.fixture(scope="module")
def half(stationary) -> Book:
    """Every other deal: enough to train on in a few seconds, and to ask whether its wins and hours come true."""
    deals = stationary.deals.iloc[1::2]
    events = {name: getattr(stationary, name) for name in ("changes", "activities", "contacts")}
    return stationary.with_tables(
        deals=deals, **{name: rows[rows["deal_id"].isin(deals["deal_id"])] for name, rows in events.items()}
    )


@pytest.fixture(scope="module")
def model(half) -> Model:
    return train(half, UNTIL, TINY).model


@pytest.fixture(scope="module")
def checked(model):
    """What a check by a trained model finds."""
    return partial(found_by, model)


@pytest.mark.parametrize("weeks", [13, 26])
def test_what_became_of_deals_of_a_stationary_book_raises_no_alarm(checked, half, weeks):
    assert alarms(checked(half, weeks)) == {}


def test_every_finding_was_made_and_says_so_in_one_sentence(checked, half):
    found = checked(half)

    assert [(code, one.level) for code, one in sorted(found.items())] == [(f"D{n}", "ok") for n in range(1, 8)]
    assert [one.sentence for one in found.values() if not one.sentence.endswith(".") or "\n" in one.sentence] == []


def test_a_check_looks_at_the_newest_moment_of_the_training_grid(model, half):
    found = check(half, model, SETTINGS, at("2025-08-09T17:00"))

    assert (found.looked_at, found.known_until) == (at("2025-08-04"), UNTIL)


def test_what_is_recorded_after_as_of_changes_nothing(model, half):
    later = changes_since(deals_since(half, industry=lambda old: "space"), "stage", lambda old: "pilot")

    assert check(later, model, SETTINGS, UNTIL).as_json() == check(half, model, SETTINGS, UNTIL).as_json()


def test_half_the_wins_gone_since_is_told_by_wins_alone(checked, half):
    won = (half.deals["outcome"] == "won") & (half.deals["closed_at"] > UNTIL)
    gone = won & (np.arange(len(won)) % 2 == 0)
    found = checked(half.with_tables(deals=half.deals.assign(outcome=lambda d: d["outcome"].mask(gone, "lost"))))

    assert alarms({code: one for code, one in found.items() if code in ("D5", "D6")}) == {"D5": "act"}
    assert found["D5"].figures["surely"] == -found["D5"].figures["high"] > 0.2
    assert "fewer than expected" in found["D5"].sentence


def test_twice_the_hours_since_is_told_by_hours(checked, half):
    rows = half.activities
    hours = pd.Series(effort_seconds(rows, half.manifest.assumed_hours) / SECONDS_PER_HOUR, index=rows.index)
    doubled = rows["hours"].mask(rows["recorded_at"] > UNTIL, 2 * hours)
    found = checked(half.with_tables(activities=rows.assign(hours=doubled)))

    assert alarms(found) == {"D6": "act"}
    assert "more than expected" in found["D6"].sentence


def test_an_old_model_is_told_by_its_age(checked, half):
    found = checked(half, settings=SETTINGS.model_copy(update={"age": Levels(watch=0.10, act=0.20)}))

    assert alarms(found) == {"D7": "watch"}
    assert found["D7"].figures["share"] == pytest.approx(found["D7"].figures["age_days"] / 1267, abs=1e-3)


def test_too_few_open_deals_are_no_alarm(checked, half):
    strict = SETTINGS.model_copy(update={"least_deals": 500})
    found = checked(changes_since(half, "stage", lambda old: "pilot"), settings=strict)

    assert [(code, found[code].level) for code in ("D1", "D2", "D3", "D4", "D5", "D6")] == [
        (f"D{n}", "cannot_tell") for n in range(1, 7)
    ]
    assert "deals are open, and a comparison needs 500." in found["D1"].sentence


def test_at_the_moment_of_training_nothing_has_been_settled(checked, half):
    found = checked(half, 0)

    assert found["D5"].sentence == "Cannot tell: 0 deals have been settled since the model was trained; 30 are needed."
    assert (found["D5"].level, found["D6"].level, found["D1"].level) == ("cannot_tell", "cannot_tell", "ok")


def test_a_model_without_signal_cannot_be_wrong_about_wins(model, half):
    told = check(half, replace(model, signal=False), SETTINGS, half.last_recorded_at())
    found = {f.code: f.level for f in told.findings}

    assert (found["D5"], found["D6"]) == ("cannot_tell", "ok")


def test_a_moment_before_the_model_learned_is_refused(model, half):
    with pytest.raises(
        UsageError, match=r"--as-of 2025-06-16T00:00Z is before 2025-06-23T00:00Z, the moment until which the model"
    ):
        check(half, model, SETTINGS, UNTIL - WEEK)


def test_a_check_is_json_without_anything_that_is_no_number(model, half):
    told = check(half, model, SETTINGS, half.last_recorded_at()).as_json()

    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["level"], told["looked_at"]) == ("ok", "2025-12-22T00:00:00+00:00")


def test_a_book_that_does_not_fit_is_refused(stationary):
    other = plain_model(facts=Facts(currency="USD", known_until=UNTIL))

    with pytest.raises(DataError, match="the book's amounts are in EUR, and the model was trained on amounts in USD"):
        check(stationary, other, SETTINGS, UNTIL)
