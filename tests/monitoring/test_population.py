"""Changes planted in the deals of a book that does not drift, and what a check of open deals says of them."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from tests.books import plain_model
from tests.monitoring.conftest import SETTINGS, UNTIL, WEEK, alarms, changes_since, deals_since, found_by

from walkaway.asof.history import History, known
from walkaway.asof.snapshots import moments, open_snapshots
from walkaway.book.schema import Book
from walkaway.config import CheckSettings
from walkaway.features import known_words, plan_features
from walkaway.models.facts import Facts
from walkaway.models.model import Model, read_rows
from walkaway.models.reference_profile import learn_reference_profile
from walkaway.monitoring.finding import Finding


@pytest.fixture(scope="module")
def pictured(stationary) -> Model:
    """A model without boosters that has seen all deals: the picture of training takes far less time than training."""
    book = known(stationary, UNTIL)
    plan = plan_features(book)
    snapshots = open_snapshots(book, moments(UNTIL - 90 * WEEK, UNTIL, 7))
    X = read_rows(History(book), snapshots, plan).X
    reference = learn_reference_profile(
        History(book), plan, known_words(book, plan), snapshots, X, pd.DataFrame(), UNTIL
    )
    reference = reference.model_copy(update={"every_days": 7.0, "history_days": 1267.0})
    facts = Facts(currency="EUR", known_until=UNTIL)
    return plain_model(plan=plan, reference=reference, facts=facts, signal=False)


def of_open_deals(
    model: Model, book: Book, weeks: int | None = None, settings: CheckSettings = SETTINGS
) -> dict[str, Finding]:
    """The same without hours and age, of which a model without boosters knows nothing."""
    return {code: found for code, found in found_by(model, book, weeks, settings).items() if code in ("D1", "D2", "D3")}


@pytest.fixture(scope="module")
def looked(pictured):
    """What a check of open deals finds."""
    return partial(of_open_deals, pictured)


@pytest.mark.parametrize("weeks", [4, 13, 26])
def test_open_deals_of_a_stationary_book_raise_no_alarm_in_its_next_months(looked, stationary, weeks):
    assert alarms(looked(stationary, weeks)) == {}


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
