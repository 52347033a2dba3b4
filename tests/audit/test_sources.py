import numpy as np
import pytest

from walkaway.asof import History, moments
from walkaway.audit import sources
from walkaway.audit.sources import Deals, Looks, sources_of
from walkaway.features import plan_features

DEALS = """deal_id | created_at | closed_at | outcome
    d1 | 2026-01-01 | 2026-01-20 | won
    d2 | 2026-01-02 | - | -"""
CHANGES = """deal_id | field | recorded_at | old_value | new_value
    d1 | score | 2026-01-02 | - | 3
    d1 | score | 2026-01-05 | - | 4
    d1 | score | 2026-01-06 | - | 5
    d1 | expected_close_date | 2026-01-02 | - | 1970-01-03
    d1 | expected_close_date | 2026-01-04 | - | 1970-01-04
    d1 | stage | 2026-01-05 | - | lead
    d1 | stage | 2026-01-13 | - | offer
    d2 | score | 2026-01-09 | - | 6"""
ACTIVITIES = """activity_id | deal_id | kind | occurred_at | recorded_at
    a1 | d1 | call | 2026-01-02 | 2026-01-12
    a2 | d2 | call | 2026-01-03 | 2026-01-14
    a3 | d2 | mail | 2026-01-03 | 2026-01-12"""


@pytest.fixture
def found(make_book, moment, monkeypatch):
    """The sources, looked at on the 5th and the 12th; a word of one deal is common enough."""
    monkeypatch.setattr(sources, "LEAST_TO_SUSPECT", 1)
    book = make_book(deals=DEALS, changes=CHANGES, activities=ACTIVITIES)
    looks = Looks.of(book, moments(moment("2026-01-05"), moment("2026-01-12"), 7))
    return {source.name: source for source in sources_of(Deals(History(book), plan_features(book)), looks)}


def test_a_field_has_the_newest_value_known_at_the_first_look(found):
    np.testing.assert_array_equal(found["changes.score"].value, [4.0, np.nan])


def test_of_an_expected_close_date_the_first_promise_is_asked_for(found):
    np.testing.assert_array_equal(found["changes.expected_close_date"].value, [2.0, np.nan])


def test_a_value_of_a_field_is_seen_where_it_was_recorded_by_the_last_look(found):
    assert found["changes.stage=lead"].seen.tolist() == [True, False]
    assert found["changes.stage=offer"].seen.tolist() == [False, False]


def test_a_kind_is_seen_where_it_was_recorded_by_the_last_look(found):
    assert found["activities.call"].seen.tolist() == [True, False]
    assert found["activities.mail"].seen.tolist() == [False, True]


def test_the_last_recording_is_found_however_late(found):
    np.testing.assert_array_equal(found["changes.score"].recorded, [20_459.0, 20_462.0])
    np.testing.assert_array_equal(found["activities.call"].recorded, [20_465.0, 20_467.0])
    np.testing.assert_array_equal(found["activities.mail"].recorded, [np.nan, 20_465.0])
