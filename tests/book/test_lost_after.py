import pandas as pd
import pytest

from walkaway.asof import known
from walkaway.book import Book, Manifest, counted_lost, read_book, with_lost_after, write_book
from walkaway.errors import UsageError

DEALS = pd.DataFrame(
    [
        ("won in time", "2026-01-01", "2026-01-05", "won", 100.0),
        ("won on the day", "2026-01-01", "2026-01-11", "won", 100.0),
        ("won later", "2026-01-01", "2026-01-20", "won", 100.0),
        ("lost later", "2026-01-01", "2026-01-21", "lost", 100.0),
        ("never closed", "2026-01-02", None, None, 100.0),
        ("young", "2026-01-15", None, None, 100.0),
    ],
    columns=["deal_id", "created_at", "closed_at", "outcome", "amount"],
)


def book(**manifest) -> Book:
    return Book.of(Manifest(**manifest), deals=DEALS.assign(loss_reason=[None, None, None, "price", None, None]))


def outcomes(counted: Book) -> dict[str, str]:
    return dict(zip(counted.deals["deal_id"], counted.deals["outcome"].fillna("open"), strict=True))


def test_a_deal_still_open_after_so_many_days_is_lost_on_that_day():
    counted = with_lost_after(book(), 10)

    assert outcomes(counted) == {
        "won in time": "won",
        "won on the day": "won",
        "won later": "lost",
        "lost later": "lost",
        "never closed": "lost",
        "young": "open",
    }
    closed = counted.deals.set_index("deal_id")["closed_at"].dt.strftime("%m-%d").dropna().to_dict()
    assert closed == {
        "won in time": "01-05",
        "won on the day": "01-11",
        "won later": "01-11",
        "lost later": "01-11",
        "never closed": "01-12",
    }


def test_as_of_any_earlier_moment_the_deals_are_those_that_were_recorded(moment):
    for day in ("2026-01-03", "2026-01-10T23:59"):
        then = known(with_lost_after(book(), 10), moment(day)).deals
        pd.testing.assert_frame_equal(then, known(book(), moment(day)).deals)


def test_what_was_recorded_after_that_day_is_left_out():
    counted = with_lost_after(book(), 10).deals.set_index("deal_id")

    assert counted["loss_reason"].isna().all()
    assert counted["amount"].dropna().index.tolist() == ["won in time", "won on the day", "young"]


def test_an_amount_fixed_at_creation_stays():
    assert with_lost_after(book(fixed_at_creation=("amount",)), 10).deals["amount"].notna().all()


def test_deals_that_count_as_lost_are_told_from_those_that_were_lost():
    counted = with_lost_after(book(), 19.5)

    assert counted.deals.loc[counted_lost(counted), "deal_id"].tolist() == ["lost later"]
    assert not counted_lost(book()).any()


def test_the_newest_record_decides_what_is_still_open():
    assert outcomes(with_lost_after(book(), 18))["never closed"] == "lost"
    assert outcomes(with_lost_after(book(), 19.5))["never closed"] == "open"


def test_counting_twice_changes_nothing():
    once = with_lost_after(book(), 10)

    pd.testing.assert_frame_equal(with_lost_after(once).deals, once.deals)


def test_a_book_on_disk_keeps_what_was_recorded_and_is_read_as_it_counts(tmp_path):
    write_book(book(lost_after_days=10), tmp_path / "book")

    assert outcomes(read_book(tmp_path / "book"))["never closed"] == "lost"
    assert outcomes(read_book(tmp_path / "book", 19.5))["never closed"] == "open"
    assert read_book(tmp_path / "book", 19.5).manifest.lost_after_days == 19.5


def test_a_book_without_dates_cannot_count_days():
    with pytest.raises(UsageError, match=r"lost_after_days: needs the dates .* found 10. Leave it out"):
        with_lost_after(Book.of(Manifest(timeless=True), deals=DEALS.assign(created_at=pd.NaT)), 10)


def test_the_frame_is_not_changed():
    recorded = book()
    before = recorded.deals.copy()
    with_lost_after(recorded, 10)

    pd.testing.assert_frame_equal(recorded.deals, before)
