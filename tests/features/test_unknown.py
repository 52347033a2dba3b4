import pytest

from walkaway.asof.history import History
from walkaway.features.unknown import unknown_words

DEALS = "deal_id | created_at | product\na | 2026-01-01 | old\nb | 2026-01-01 | new\nc | 2026-01-01 | -"
CHANGES = """deal_id | field | recorded_at | new_value
    a | stage | 2026-01-01 | lead
    a | stage | 2026-01-03 | pilot
    b | stage | 2026-01-05 | pilot"""
ACTIVITIES = """activity_id | deal_id | kind | occurred_at | recorded_at | direction
    1 | a | call | 2026-01-02 | 2026-01-02 | outbound
    2 | a | chat | 2026-01-02 | 2026-01-03 | -
    3 | b | chat | 2026-01-02 | 2026-01-05 | sideways"""
ASKED = ("a 2026-01-02", "a 2026-01-04", "b 2026-01-04", "c 2026-01-04")


@pytest.fixture
def told(make_book, snapshots):
    book = make_book(
        fixed=("product",), deals=DEALS, changes=CHANGES, activities=ACTIVITIES.replace("sideways", "inbound")
    )
    view = History(book).at(snapshots(*ASKED))

    def ask(vocabulary, *known):
        found = unknown_words(view, {vocabulary: known})[vocabulary]
        return found.any.tolist(), found.counts.to_dict()

    return ask


def test_a_stage_is_unknown_where_the_deal_stands_at_it(told):
    assert told("stage", "lead") == ([False, True, False, False], {"pilot": 1})


def test_an_attribute_value_is_unknown_and_a_missing_one_is_not(told):
    assert told("attribute[product]", "old") == ([False, False, True, False], {"new": 1})


def test_a_step_is_unknown_from_its_recording_on(told):
    assert told("step", "call / done") == ([False, True, False, False], {"chat / done": 1})


def test_every_unknown_word_counts_the_snapshots_that_show_it(told):
    assert told("step") == ([True, True, False, False], {"call / done": 2, "chat / done": 1})


def test_a_missing_direction_is_no_word(told):
    assert told("direction", "outbound") == ([False] * 4, {})
