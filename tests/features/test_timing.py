import pytest

from walkaway.features import plan_features

CHANGES = """deal_id | field | recorded_at | new_value
    d1 | expected_close_date | 2026-01-02 | 2026-02-01
    d1 | expected_close_date | 2026-01-05 | 2026-03-01
    d1 | expected_close_date | 2026-01-07 | 2026-01-31"""


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(deals="deal_id | created_at\nd1 | 2026-01-01", changes=CHANGES)


def test_age_days_run_from_the_creation(book, ask):
    assert ask(book, "age_days", "d1 2026-01-01", "d1 2026-01-03T12:00") == [0, 2.5]


def test_weekday_is_that_of_as_of_from_monday_on(book, ask):
    assert ask(book, "weekday", "d1 2026-01-05", "d1 2026-01-11T23:59:59.999999", "d1 2026-01-12") == [0, 6, 0]


def test_days_to_month_end_are_whole_days(book, ask):
    assert ask(book, "days_to_month_end", "d1 2026-01-31T06:00", "d1 2026-01-30T06:00", "d1 2026-02-01") == [0, 1, 27]


def test_days_to_quarter_end_are_whole_days(book, ask):
    assert ask(book, "days_to_quarter_end", "d1 2026-03-31T06:00", "d1 2026-04-01") == [0, 90]


def test_days_to_year_end_are_whole_days(book, ask):
    assert ask(book, "days_to_year_end", "d1 2026-12-31T06:00", "d1 2026-01-01") == [0, 364]


def test_days_to_expected_close_use_the_date_then_expected(book, ask):
    assert ask(book, "days_to_expected_close", "d1 2026-01-01", "d1 2026-01-02", "d1 2026-01-05") == [None, 30, 55]


def test_days_to_an_overdue_close_are_negative(book, ask):
    assert ask(book, "days_to_expected_close", "d1 2026-02-02T12:00") == [-2.5]


def test_close_date_changes_count_what_was_recorded_after_the_first(book, ask):
    assert ask(book, "close_date_changes", "d1 2026-01-01", "d1 2026-01-02", "d1 2026-01-05") == [0, 0, 1]


def test_close_date_pushed_days_are_between_the_first_and_the_newest_date(book, ask):
    assert ask(book, "close_date_pushed_days", "d1 2026-01-01", "d1 2026-01-02", "d1 2026-01-05", "d1 2026-01-07") == [
        None,
        0,
        28,
        -1,
    ]


@pytest.mark.parametrize(
    ("last", "planned"),
    [
        ("2026-01-28", ["age_days"]),
        ("2026-01-29", ["age_days", "weekday"]),
        ("2026-04-01", ["age_days", "weekday", "days_to_month_end"]),
        ("2027-01-01", ["age_days", "weekday", "days_to_month_end", "days_to_quarter_end"]),
    ],
)
def test_a_place_in_the_calendar_is_a_feature_once_the_book_has_seen_it_come_round(make_book, last, planned):
    book = make_book(deals=f"deal_id | created_at | closed_at | outcome\nd1 | 2026-01-01 | {last} | won")

    assert plan_features(book).columns == planned
