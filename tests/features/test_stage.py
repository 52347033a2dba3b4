import pytest

CHANGES = """deal_id | field | recorded_at | new_value
    d1 | stage | 2026-01-02 | new
    d1 | stage | 2026-01-04 | offer
    d1 | amount | 2026-01-05 | 100
    d1 | stage | 2026-01-07 | new
    d1 | stage | 2026-01-09 | signed"""


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(deals="deal_id | created_at\nd1 | 2026-01-01", changes=CHANGES)


def test_the_stage_is_a_code_into_the_planned_categories(book, ask):
    assert ask(book, "stage", "d1 2026-01-01", "d1 2026-01-05", "d1 2026-01-07", of=("new", "offer")) == [None, 1, 0]


def test_a_stage_never_seen_in_training_is_missing(book, ask):
    assert ask(book, "stage", "d1 2026-01-09", of=("new", "offer")) == [None]


def test_days_in_stage_run_from_the_newest_stage_and_no_other_field(book, ask):
    assert ask(book, "days_in_stage", "d1 2026-01-01", "d1 2026-01-06", "d1 2026-01-07T06:00") == [None, 2, 0.25]


def test_stage_moves_counts_each_entry(book, ask):
    assert ask(book, "stage_moves", "d1 2026-01-01", "d1 2026-01-05", "d1 2026-01-09") == [0, 2, 4]


def test_stage_regressions_counts_returns_to_a_stage_it_had_been_in(book, ask):
    assert ask(book, "stage_regressions", "d1 2026-01-06", "d1 2026-01-07", "d1 2026-01-09") == [0, 1, 1]


def test_days_since_stage_run_from_the_newest_entry_into_it(book, ask):
    assert ask(book, "days_since_stage", "d1 2026-01-01", "d1 2026-01-06", "d1 2026-01-08", word="new") == [None, 4, 1]


def test_a_stage_of_the_name_of_an_amount_is_not_mixed_up(book, ask):
    assert ask(book, "days_since_stage", "d1 2026-01-09", word="100") == [None]
