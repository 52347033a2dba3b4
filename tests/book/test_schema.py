import pandas as pd
import pytest

from walkaway.book.schema import MOMENT, SOURCE_ROW, TABLES, Book, Manifest, conform, empty_table
from walkaway.errors import BookError, UsageError

DEALS = "deal_id | created_at | closed_at | outcome"


def test_the_five_tables_have_the_keys_of_the_method():
    assert {name: table.key for name, table in TABLES.items()} == {
        "deals": ("deal_id",),
        "changes": ("deal_id", "field", "recorded_at"),
        "activities": ("activity_id",),
        "contacts": ("deal_id", "contact_id"),
        "accounts": ("account_id",),
    }


def test_an_absent_optional_column_becomes_empty():
    deals = conform("deals", pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]}))

    assert deals.drop(columns=["deal_id", "created_at"]).isna().all(axis=None)
    assert deals.columns.tolist() == TABLES["deals"].names


def test_an_absent_required_column_is_named_with_the_columns_found():
    with pytest.raises(BookError, match=r"table deals: column created_at is required, .* only \['born', 'deal_id'\]"):
        conform("deals", pd.DataFrame({"deal_id": ["d1"], "born": ["2026-01-05"]}))


def test_a_value_that_is_no_number_is_named_with_its_table_and_column():
    rows = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"], "amount": ["a lot"]})

    with pytest.raises(BookError, match=r"table deals, column amount: every value must be a number; .*'a lot'"):
        conform("deals", rows)


def test_a_value_that_is_no_moment_is_named_with_its_table_and_column():
    with pytest.raises(BookError, match=r"table deals, column created_at: every value must be a moment; .*soon"):
        conform("deals", pd.DataFrame({"deal_id": ["d1"], "created_at": ["soon"]}))


def test_moments_of_different_offsets_become_one_utc():
    rows = pd.DataFrame({"deal_id": ["d1", "d2"], "created_at": ["2026-01-05T09:00+01:00", "2026-01-05T10:00+02:00"]})

    assert conform("deals", rows)["created_at"].tolist() == [pd.Timestamp("2026-01-05T08:00Z")] * 2


def test_moments_written_with_and_without_a_time_are_both_read():
    rows = pd.DataFrame({"deal_id": ["d1", "d2"], "created_at": ["2026-01-05", "2026-01-05T09:00:00Z"]})

    assert conform("deals", rows)["created_at"].dt.hour.tolist() == [0, 9]


def test_moments_written_with_and_without_fractions_of_a_second_are_both_read():
    rows = pd.DataFrame({"deal_id": ["d1", "d2"], "created_at": ["2026-01-05T09:00:00.5Z", "2026-01-05T09:00:00Z"]})

    assert conform("deals", rows)["created_at"].dt.microsecond.tolist() == [500_000, 0]


def test_a_number_written_as_text_is_read():
    rows = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"], "amount": ["1250.5"]})

    assert conform("deals", rows)["amount"].tolist() == [1250.5]


def test_a_missing_text_stays_missing_rather_than_the_word_none():
    rows = pd.DataFrame({"account_id": ["a1", "a2"], "name": ["Acme", None]})

    assert conform("accounts", rows)["name"].isna().tolist() == [False, True]


def test_an_undeclared_column_is_left_out_and_a_declared_attribute_kept():
    rows = pd.DataFrame({"account_id": ["a1"], "region": ["north"], "logo": ["x.png"], SOURCE_ROW: ["line 2"]})

    assert conform("accounts", rows, extra=("region",)).iloc[0].dropna().to_dict() == {
        "account_id": "a1",
        "region": "north",
        SOURCE_ROW: "line 2",
    }


def test_conforming_leaves_the_frame_it_was_given_alone():
    rows = pd.DataFrame({"account_id": [7], "name": ["Acme"]})
    conform("accounts", rows)

    assert rows.to_dict("list") == {"account_id": [7], "name": ["Acme"]}


def test_conforming_twice_changes_nothing(table):
    once = conform("deals", table(f"{DEALS}\nd1 | 2026-01-05 | - | -"))

    pd.testing.assert_frame_equal(conform("deals", once), once)


def test_an_empty_table_has_the_types_a_filled_one_has(table):
    filled = conform("contacts", table("deal_id | contact_id | role | recorded_at\nd1 | c1 | buyer | 2026-01-05"))

    assert empty_table("contacts").dtypes.tolist() == filled.dtypes.tolist()
    assert str(filled["recorded_at"].dtype) == MOMENT


def test_a_book_keeps_the_attributes_its_manifest_declares_fixed():
    rows = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"], "region": ["north"], "mood": ["good"]})
    book = Book.of(Manifest(fixed_at_creation=("region",)), deals=rows)

    assert book.deals["region"].tolist() == ["north"]
    assert "mood" not in book.deals


def test_with_tables_replaces_one_table_and_leaves_the_first_book_alone(make_book):
    book = make_book(deals=f"{DEALS}\nd1 | 2026-01-05 | - | -\nd2 | 2026-01-06 | - | -")
    less = book.with_tables(deals=book.deals.iloc[:1])

    assert (less.deals["deal_id"].tolist(), book.deals["deal_id"].tolist()) == (["d1"], ["d1", "d2"])


def test_the_last_recording_of_any_table_is_what_the_book_knows_up_to(make_book, moment):
    book = make_book(
        deals=f"{DEALS}\nd1 | 2026-01-05 | 2026-01-07 | won",
        contacts="deal_id | contact_id | role | recorded_at\nd1 | c1 | buyer | 2026-01-09",
    )

    assert book.last_recorded_at() == moment("2026-01-09")


def test_a_book_of_only_an_open_deal_knows_up_to_its_creation(make_book, moment):
    assert make_book(deals=f"{DEALS}\nd1 | 2026-01-05 | - | -").last_recorded_at() == moment("2026-01-05")


def test_a_book_without_deals_knows_nothing():
    with pytest.raises(BookError, match="table deals: must have at least one deal, found none"):
        Book(deals=empty_table("deals")).last_recorded_at()


def test_the_fingerprint_changes_with_a_checksum_and_not_with_their_order():
    one, other = Manifest(files={"a": "1", "b": "2"}), Manifest(files={"b": "2", "a": "1"})

    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != Manifest(files={"a": "1", "b": "3"}).fingerprint


def test_a_manifest_refuses_a_part_it_does_not_know():
    with pytest.raises(ValueError, match="fixed_at_birth\n  Extra inputs are not permitted"):
        Manifest(fixed_at_birth=("amount",))


# Hours that were set


def test_hours_that_were_set_come_before_the_books_and_leave_its_others(make_book):
    book = make_book(deals="deal_id | created_at\nd1 | 2026-01-05", assumed={"call": 0.25, "visit": 2.0})

    hours = book.with_hours({"call": 0.5, "demo": 1.0}).manifest.assumed_hours
    assert hours == {"call": 0.5, "visit": 2.0, "demo": 1.0}
    assert book.manifest.assumed_hours == {"call": 0.25, "visit": 2.0}


def test_hours_of_a_kind_that_looks_like_a_slip_for_one_of_the_books_are_refused(make_book):
    activities = "activity_id | deal_id | kind | occurred_at | recorded_at\na1 | d1 | visit | 2026-01-06 | 2026-01-06"
    book = make_book(deals="deal_id | created_at\nd1 | 2026-01-05", activities=activities)

    with pytest.raises(
        UsageError, match=r"^hours\.visits: the book has no activity of this kind\. Did you mean visit\?$"
    ):
        book.with_hours({"visits": 0.5})
