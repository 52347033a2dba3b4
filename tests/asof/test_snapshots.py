import numpy as np
import pandas as pd
import pytest

from walkaway.asof.snapshots import (
    cadence_days,
    check_dated,
    check_moments,
    check_not_far_ahead,
    moments,
    open_snapshots,
    snapshot_weights,
)
from walkaway.book.schema import Book, Manifest
from walkaway.errors import UsageError

DEALS = "deal_id | created_at | closed_at | outcome"


@pytest.fixture
def opened(make_book, moment):
    """ "deal day" of each snapshot of these deals, looked at daily from January 1 to 5."""

    def look(*deals):
        book = make_book(deals="\n".join((DEALS, *deals)))
        found = open_snapshots(book, pd.date_range(moment("2026-01-01"), periods=5))
        return [f"{row.deal_id} {row.as_of.day}" for row in found.itertuples()]

    return look


def test_a_deal_is_open_at_its_creation(opened):
    assert opened("d1 | 2026-01-04 | - | -") == ["d1 4", "d1 5"]


def test_a_deal_is_not_open_before_its_creation(opened):
    assert opened("d1 | 2026-01-04T00:00:00.000001 | - | -") == ["d1 5"]


def test_a_closed_deal_is_not_open_at_its_close(opened):
    assert opened("d1 | 2026-01-02 | 2026-01-04 | won") == ["d1 2", "d1 3"]


def test_a_deal_is_open_a_microsecond_before_its_close(opened):
    assert opened("d1 | 2026-01-02 | 2026-01-04T00:00:00.000001 | won") == ["d1 2", "d1 3", "d1 4"]


def test_a_deal_that_lived_between_two_moments_has_no_snapshot(opened):
    assert opened("d1 | 2026-01-02T06:00 | 2026-01-02T18:00 | lost") == []


def test_a_deal_closed_at_its_creation_has_no_snapshot(opened):
    assert opened("d1 | 2026-01-02 | 2026-01-02 | lost") == []


def test_snapshots_are_sorted_by_deal_and_moment_whatever_the_row_order(opened):
    assert opened("d2 | 2026-01-04 | - | -", "d1 | 2026-01-04 | - | -") == ["d1 4", "d1 5", "d2 4", "d2 5"]


def test_snapshots_are_sorted_though_the_moments_are_not(make_book, moment):
    book = make_book(deals=f"{DEALS}\nd1 | 2026-01-01 | - | -")
    found = open_snapshots(book, pd.DatetimeIndex([moment("2026-01-03"), moment("2026-01-02")]))

    assert found["as_of"].tolist() == [moment("2026-01-02"), moment("2026-01-03")]


def test_without_moments_there_are_no_snapshots(make_book):
    book = make_book(deals=f"{DEALS}\nd1 | 2026-01-01 | - | -")

    assert open_snapshots(book, pd.DatetimeIndex([], tz="UTC")).to_numpy().tolist() == []


def test_moments_include_both_ends_where_the_step_meets_them(moment):
    assert moments(moment("2026-01-01"), moment("2026-01-02"), 0.5).tolist() == [
        moment("2026-01-01"),
        moment("2026-01-01T12:00"),
        moment("2026-01-02"),
    ]


def test_moments_stop_before_the_end_where_the_step_passes_it(moment):
    assert moments(moment("2026-01-01"), moment("2026-01-10"), 7).tolist() == [
        moment("2026-01-01"),
        moment("2026-01-08"),
    ]


@pytest.mark.parametrize(("closed", "days"), [("2026-01-11", 1.0), ("2026-04-01", 7.0)])
def test_fast_sales_are_looked_at_daily_and_slow_ones_weekly(make_book, closed, days):
    assert cadence_days(make_book(deals=f"{DEALS}\nd1 | 2026-01-01 | {closed} | won\nd2 | 2026-01-01 | - | -")) == days


@pytest.mark.parametrize(("closed", "days"), [("2026-02-14T23:59:59", 1.0), ("2026-02-15", 7.0)])
def test_sales_of_45_days_are_slow_and_of_a_second_less_fast(make_book, closed, days):
    assert cadence_days(make_book(deals=f"{DEALS}\nd1 | 2026-01-01 | {closed} | won")) == days


def test_a_book_without_a_closed_deal_is_looked_at_weekly(make_book):
    assert cadence_days(make_book(deals=f"{DEALS}\nd1 | 2026-01-01 | - | -")) == 7.0


def test_nine_of_ten_deals_must_close_fast_for_daily_looks(make_book):
    fast = [f"f{n} | 2026-01-01 | 2026-01-11 | won" for n in range(6)]
    slow = [f"s{n} | 2026-01-01 | 2026-06-01 | lost" for n in range(3)]

    assert cadence_days(make_book(deals="\n".join((DEALS, *fast, *slow)))) == 7.0


def test_the_calls_due_on_the_shared_log_are_those_the_judge_counts(bpic2012, moment):
    last = bpic2012.book.last_recorded_at() - pd.Timedelta(days=30)
    found = open_snapshots(bpic2012.book, moments(moment("2011-11-21T06:00"), last, 1))

    assert len(found) == 17_827


def test_deals_are_looked_at_weekly_where_two_of_ten_take_long(make_book):
    """Nine in ten must close quickly: eight in ten would already do for the 80% quantile."""
    quick = [f"q{i} | 2026-01-01 | 2026-01-11 | won" for i in range(8)]
    slow = [f"s{i} | 2026-01-01 | 2026-04-11 | lost" for i in range(2)]

    assert cadence_days(make_book(deals="\n".join((DEALS, *quick, *slow)))) == 7.0
    assert cadence_days(make_book(deals="\n".join((DEALS, *quick)))) == 1.0


def test_the_kth_snapshot_of_a_deal_weighs_one_over_the_root_of_k():
    assert snapshot_weights(np.array([0.0, 6.9, 7.0, 21.0]), 7.0).tolist() == [1.0, 1.0, 1 / np.sqrt(2), 0.5]


@pytest.fixture
def young(make_book):
    """A book whose first and newest record is of January 1."""
    return make_book(deals=f"{DEALS}\nd1 | 2026-01-01 | - | -")


def test_a_moment_may_lie_366_days_after_the_newest_record_and_no_further(young, moment):
    check_not_far_ahead(young, moment("2027-01-02"), "--as-of")

    with pytest.raises(UsageError) as refused:
        check_not_far_ahead(young, moment("2027-01-02T00:00:00.000001"), "--as-of")
    assert str(refused.value) == (
        "--as-of 2027-01-02 lies more than a year after the book's newest record (2026-01-01). "
        "Import a newer export, or use an earlier moment."
    )


def test_moments_lie_between_the_first_deal_and_a_year_after_the_newest_record(young, moment):
    check_moments(young, pd.DatetimeIndex([moment("2027-01-02"), moment("2026-01-01")]))

    with pytest.raises(UsageError) as early:
        check_moments(young, pd.DatetimeIndex([moment("2026-01-05"), moment("2025-12-31T23:59:59")]))
    assert str(early.value) == (
        "as_of 2025-12-31T23:59:59Z lies before the book's first deal (2026-01-01T00:00:00Z): "
        "nothing was known then. Use a later moment."
    )
    with pytest.raises(UsageError, match=r"^as_of 2027-01-03 lies more than a year after"):
        check_moments(young, pd.DatetimeIndex([moment("2026-01-05"), moment("2027-01-03")]))


def test_only_a_book_with_dates_can_be_called_as_of_a_moment(young):
    check_dated(young)

    with pytest.raises(UsageError, match=r"^this book has no dates, so no deal can be scored as of a moment\. Run "):
        check_dated(Book(**young.tables(), manifest=Manifest(timeless=True)))
