"""A sample book that does not drift, trained on until half a year before its end, and changes planted after that."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from tests.books import TINY, plain_model
from tests.conftest import at

from walkaway.asof.history import History, known
from walkaway.asof.snapshots import moments, open_snapshots
from walkaway.book.effort import SECONDS_PER_HOUR, effort_seconds
from walkaway.book.schema import Book
from walkaway.config import CheckSettings, Levels
from walkaway.errors import DataError, UsageError
from walkaway.features import known_words, plan_features
from walkaway.models.model import Model, read_rows
from walkaway.models.reference_profile import reference_of
from walkaway.monitoring import check
from walkaway.monitoring.finding import Finding, cannot_tell, level_of, listed, named, worst
from walkaway.monitoring.outcomes import age_finding, outcome_findings, told_gap
from walkaway.sample import make_sample
from walkaway.training.train import train

SETTINGS = CheckSettings(draws=200)
WEEK = pd.Timedelta(days=7)
UNTIL = at("2025-06-23")


@pytest.fixture(scope="module")
def stationary() -> Book:
    return make_sample(3000, seed=3, stationary=True).book


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
def pictured(stationary) -> Model:
    """A model without boosters that has seen all deals: the picture of training takes far less time than training."""
    book = known(stationary, UNTIL)
    plan = plan_features(book)
    snapshots = open_snapshots(book, moments(UNTIL - 90 * WEEK, UNTIL, 7))
    X = read_rows(History(book), snapshots, plan).X
    reference = reference_of(History(book), plan, known_words(book, plan), snapshots, X, pd.DataFrame(), UNTIL)
    reference = reference.model_copy(update={"every_days": 7.0, "history_days": 1267.0})
    facts = {"currency": "EUR", "known_until": UNTIL.isoformat()}
    return plain_model(plan=plan, reference=reference, facts=facts, signal=False)


def found_by(
    model: Model, book: Book, weeks: int | None = None, settings: CheckSettings = SETTINGS
) -> dict[str, Finding]:
    """Findings by code of a check of a book at its end, or so many weeks after the training."""
    found = check(book, model, settings, None if weeks is None else UNTIL + weeks * WEEK)
    return {finding.code: finding for finding in found.findings}


def of_open_deals(
    model: Model, book: Book, weeks: int | None = None, settings: CheckSettings = SETTINGS
) -> dict[str, Finding]:
    """The same without hours and age, of which a model without boosters knows nothing."""
    return {code: found for code, found in found_by(model, book, weeks, settings).items() if code in ("D1", "D2", "D3")}


@pytest.fixture(scope="module")
def looked(pictured):
    """What a check of open deals finds."""
    return partial(of_open_deals, pictured)


@pytest.fixture(scope="module")
def checked(model):
    """What a check by a trained model finds."""
    return partial(found_by, model)


def alarms(findings: dict[str, Finding]) -> dict[str, str]:
    return {code: one.level for code, one in sorted(findings.items()) if one.level in ("watch", "act")}


def deals_since(book: Book, **columns) -> Book:
    """The book, with these columns of deals created since the training made from what they were."""
    fresh = book.deals["created_at"] > UNTIL
    made = {name: book.deals[name].mask(fresh, change(book.deals[name])) for name, change in columns.items()}
    return book.with_tables(deals=book.deals.assign(**made))


def changes_since(book: Book, field: str, change) -> Book:
    """The book, with new values of a field recorded since made from what they were."""
    rows = (book.changes["recorded_at"] > UNTIL) & (book.changes["field"] == field)
    values = book.changes["new_value"].copy()
    values[rows] = change(values[rows])
    return book.with_tables(changes=book.changes.assign(new_value=values))


# A world that stays as it was


@pytest.mark.parametrize("weeks", [4, 13, 26])
def test_open_deals_of_a_stationary_book_raise_no_alarm_in_its_next_months(looked, stationary, weeks):
    assert alarms(looked(stationary, weeks)) == {}


@pytest.mark.parametrize("weeks", [13, 26])
def test_nor_does_what_became_of_them(checked, half, weeks):
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


# A world that changes


def test_a_new_stage_is_named_with_the_share_of_open_deals_that_stand_at_it(looked, stationary):
    found = looked(changes_since(stationary, "stage", lambda old: old.replace("proposal", "pilot")))

    assert found["D2"].level == "act"
    told = found["D2"].figures["vocabularies"]["stage"]
    assert list(told["words"]) == ["pilot"]
    assert told["words"]["pilot"] == told["share"] > 0.1
    assert f"stage 'pilot' ({told['share']:.0%} of open deals)" in found["D2"].sentence


def test_a_share_that_doubles_is_a_change_of_its_column(looked, stationary):
    rng = np.random.default_rng(0)  # starter goes from three deals in ten to six
    moved = deals_since(stationary, product=lambda old: old.where(rng.random(len(old)) > 0.43, "starter"))
    found = looked(moved)

    assert found["D1"].level in ("watch", "act")
    assert next(iter(found["D1"].figures["columns"])) == "attribute[product]"
    assert "attribute[product] (starter 32%, now 5" in found["D1"].sentence
    assert (found["D2"].level, found["D3"].level) == ("ok", "ok")


def test_an_attribute_that_goes_missing_is_named(looked, stationary):
    found = looked(deals_since(stationary, industry=lambda old: None))

    assert found["D3"].level == "act"
    told = found["D3"].figures["columns"]["attribute[industry]"]
    assert (told["training"], told["level"]) == (0.0, "act")
    assert f"attribute[industry] in {told['share']:.0%} of open deals (0% in training)" in found["D3"].sentence
    assert found["D2"].level == "ok"


def test_amounts_three_times_as_high_change_their_column(looked, stationary):
    found = looked(changes_since(stationary, "amount", lambda old: (old.astype(float) * 3).astype(str)))

    assert found["D1"].figures["columns"]["amount"]["level"] == "act"
    assert "amount (median" in found["D1"].sentence


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


# What cannot be told


def test_too_few_open_deals_are_no_alarm(checked, half):
    strict = SETTINGS.model_copy(update={"least_deals": 500})
    found = checked(changes_since(half, "stage", lambda old: "pilot"), settings=strict)

    assert [(code, found[code].level) for code in ("D1", "D2", "D3", "D4", "D5", "D6")] == [
        (f"D{n}", "cannot_tell") for n in range(1, 7)
    ]
    assert "deals are open, and a comparison needs 500." in found["D1"].sentence


def test_at_the_moment_of_training_nothing_has_been_settled(checked, half):
    found = checked(half, 0)

    assert found["D5"].sentence == "Cannot tell: 0 deals were settled since the model learned, and 30 are needed."
    assert (found["D5"].level, found["D6"].level, found["D1"].level) == ("cannot_tell", "cannot_tell", "ok")


def test_a_model_without_signal_cannot_be_wrong_about_wins(model, half):
    found = {f.code: f.level for f in check(half, replace(model, signal=False), SETTINGS).findings}

    assert (found["D5"], found["D6"]) == ("cannot_tell", "ok")


def test_a_moment_before_the_model_learned_is_refused(model, half):
    with pytest.raises(
        UsageError, match=r"--as-of 2025-06-16T00:00Z lies before 2025-06-23T00:00Z, until when the model"
    ):
        check(half, model, SETTINGS, UNTIL - WEEK)


def test_a_book_that_does_not_fit_is_refused(stationary):
    other = plain_model(facts={"currency": "USD", "known_until": UNTIL.isoformat()})

    with pytest.raises(DataError, match="the book's money is in EUR, and the model learned in USD"):
        check(stationary, other, SETTINGS)


# The arithmetic


def test_the_gap_counts_outcomes_and_what_is_still_expected():
    looks = pd.DataFrame(
        {
            "settled": [True, True, False],
            "won": [1.0, 0.0, np.nan],
            "win_then": [0.5, 0.5, 0.25],
            "win_now": [np.nan, np.nan, 0.5],
            "hours_then": [2.0, 2.0, 4.0],
            "hours_booked": [3.0, 1.0, 2.0],
            "hours_now": [np.nan, np.nan, 6.0],
        }
    )
    wins, hours = outcome_findings(looks, True, {}, CheckSettings(least_deals=2))

    assert (wins.figures["expected"], wins.figures["came"], wins.figures["gap"]) == (1.25, 1.5, pytest.approx(0.2))
    assert (hours.figures["expected"], hours.figures["came"]) == (8.0, 12.0)
    assert (wins.figures["settled_only"]["expected"], wins.figures["settled_only"]["came"]) == (1.0, 1.0)
    assert wins.sentence.startswith("Of 3 deals 1.2 were expected to be won; 1 are won and 0.5 more expected: 20% more")


def test_the_level_is_decided_on_the_nearer_end_of_the_interval():
    rng = np.random.default_rng(0)
    few, many = rng.random(20) < 0.35, rng.random(2000) < 0.35

    assert told_gap(np.full(20, 0.5), few.astype(float), 200)["surely"] < 0.05
    surely = told_gap(np.full(2000, 0.5), many.astype(float), 200)
    assert surely["surely"] == -surely["high"] > 0.2


def test_quick_endings_that_are_mostly_lost_are_no_gap():
    """Deals that will be lost close at once, those that will be won stay open, and the model knows it by then."""
    then, won = np.full(100, 0.4), np.r_[np.zeros(60), np.full(40, np.nan)]
    looks = pd.DataFrame({"settled": ~np.isnan(won), "won": won, "win_then": then, "win_now": 1.0})
    looks = looks.assign(hours_then=1.0, hours_booked=1.0, hours_now=0.0)
    wins = outcome_findings(looks, True, {}, SETTINGS)[0]

    assert (wins.level, wins.figures["gap"]) == ("ok", pytest.approx(0.0))
    assert wins.figures["settled_only"]["gap"] == -1.0


@pytest.mark.parametrize(("age", "level"), [(24.9, "ok"), (25.1, "watch"), (50.1, "act")])
def test_age_is_told_by_the_share_of_the_history_learned_from(age, level):
    assert age_finding(age, 100.0, 7.0, 5, SETTINGS).level == level


def test_a_value_at_its_threshold_is_not_beyond_it():
    assert [level_of(v, Levels(watch=0.1, act=0.2)) for v in (0.1, 0.11, 0.2, 0.21)] == ["ok", "watch", "watch", "act"]


def test_the_worst_level_comes_first_and_nothing_told_is_worse_than_ok():
    assert worst(["ok", "cannot_tell"]) == "cannot_tell"
    assert worst([]) == "ok"


def test_more_than_three_names_are_counted():
    assert (named(["a"]), named(["a", "b", "c", "d"])) == ("a", "a, b, c and 1 more")


def test_a_list_of_columns_over_words_is_left_out_for_readers_who_know_no_columns():
    names = ["age_days", "b", "c", "touches_in[7]"]

    assert listed("4 of 9 columns of deals moved", names[:1], ["age_days (now 4)"]) == (
        "4 of 9 columns of deals moved: age_days (now 4).",
        "4 of 9 signs of deals moved: age days (now 4).",
    )
    assert listed("Moved", names[2:], names[2:]) == ("Moved: c, touches_in[7].", "Moved.")
    assert listed("Moved", names, names)[1] == "Moved: age days, b, c and 1 more."  # the fourth is not named


def test_a_finding_is_told_with_its_remedy_and_plainly_without_its_level():
    old = Finding("D7", "act", "2 columns are old.", remedy="Train again.", plain="2 signs are old.")
    unknown = cannot_tell("D1", "too few.")

    assert (old.sentence, old.plain_found) == ("2 columns are old. Train again.", "2 signs are old.")
    assert old.plain_advice == "2 signs are old. Train again."
    assert (unknown.sentence, unknown.plain_advice) == ("Cannot tell: too few.", "too few.")


def test_an_old_model_is_to_be_trained_again_and_a_young_one_is_not():
    old, young = (age_finding(age, 100.0, 7.0, 5, SETTINGS) for age in (26.0, 25.0))

    assert (old.level, old.remedy, old.found.endswith("settled since.")) == ("watch", "Train again.", True)
    assert (young.level, young.remedy, young.found.endswith("It is young.")) == ("ok", "", True)


def test_what_cannot_be_told_says_why_with_its_figures():
    assert cannot_tell("D1", "too few.", deals=3).as_json() == {
        "code": "D1",
        "name": "columns",
        "level": "cannot_tell",
        "sentence": "Cannot tell: too few.",
        "note": "",
        "figures": {"deals": 3},
    }


def test_a_check_is_json_without_anything_that_is_no_number(model, half):
    told = check(half, model, SETTINGS).as_json()

    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["level"], told["looked_at"]) == ("ok", "2025-12-22T00:00:00+00:00")
