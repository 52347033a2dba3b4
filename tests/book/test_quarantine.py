import pandas as pd
import pytest

from walkaway.book.quarantine import COLUMNS, RULES, admit, entries
from walkaway.book.schema import SOURCE_ROW, TABLES
from walkaway.errors import BookError

NOW = pd.Timestamp("2026-02-01", tz="UTC")
DEALS = "deal_id | created_at | closed_at | outcome | amount"
ACTIVITIES = "activity_id | deal_id | kind | status | occurred_at | recorded_at | hours"
GOOD = "d0 | 2026-01-05 | - | - | 100"


def refused_of(make_book, **tables):
    """(table, row, deal, column, value, rule) of each refused row, and the admitted book."""
    book, refused = admit(make_book(**tables), NOW)
    assert all(refused["remedy"].str.len() > 0)
    return book, refused.drop(columns="remedy").to_numpy().tolist()


@pytest.mark.parametrize(
    ("row", "column", "value", "rule"),
    [
        ("d1 | - | - | - | 1", "created_at", "nothing", "is required"),
        ("d1 | 2026-02-02 | - | - | 1", "created_at", "2026-02-02 00:00:00+00:00", "is in the future"),
        ("d1 | 2026-01-05 | 2026-02-02 | won | 1", "closed_at", "2026-02-02 00:00:00+00:00", "is in the future"),
        ("d1 | 2026-01-05 | 2026-01-04 | won | 1", "closed_at", "2026-01-04 00:00:00+00:00", "is before created_at"),
        ("d1 | 2026-01-05 | 2026-01-06 | draw | 1", "outcome", "draw", "must be one of won, lost"),
        ("d1 | 2026-01-05 | - | won | 1", "closed_at", "nothing", "is missing though the deal has an outcome"),
        ("d1 | 2026-01-05 | 2026-01-06 | - | 1", "outcome", "nothing", "is missing though the deal is closed"),
        ("d1 | 2026-01-05 | - | - | -1", "amount", "-1.0", "must be a finite amount of 0 or more"),
        ("d1 | 2026-01-05 | - | - | inf", "amount", "inf", "must be a finite amount of 0 or more"),
        ("d0 | 2026-01-06 | - | - | 1", "deal_id", "d0", "repeats a key"),
    ],
)
def test_a_deal_that_breaks_a_rule_is_named_with_its_value(make_book, row, column, value, rule):
    book, refused = refused_of(make_book, deals=f"{DEALS}\n{GOOD}\n{row}")

    assert refused == [["deals", "1", row.split(" ")[0], column, value, rule]]
    assert book.deals["deal_id"].tolist() == ["d0"]


def test_a_deal_without_an_id_is_refused_with_an_empty_deal(make_book):
    _, refused = refused_of(make_book, deals=f"{DEALS}\n{GOOD}\n- | 2026-01-05 | - | - | 1")

    assert refused == [["deals", "1", "", "deal_id", "nothing", "is required"]]


@pytest.mark.parametrize(
    ("row", "column", "value", "rule"),
    [
        ("a1 | d0 | - | done | 2026-01-06 | 2026-01-06 | 1", "kind", "nothing", "is required"),
        (
            "a1 | d0 | call | lost | 2026-01-06 | 2026-01-06 | 1",
            "status",
            "lost",
            "must be one of planned, begun, done",
        ),
        ("a1 | d0 | call | done | - | 2026-01-06 | 1", "occurred_at", "nothing", "is required"),
        ("a1 | d0 | call | done | 2026-01-06 | - | 1", "recorded_at", "nothing", "is required"),
        ("a1 | d0 | call | done | 2026-01-06 | 2026-01-06 | -1", "hours", "-1.0", "must be finite hours of 0 or more"),
        ("a1 | d0 | call | done | 2026-01-06 | 2026-01-06 | inf", "hours", "inf", "must be finite hours of 0 or more"),
        ("a1 | dx | call | done | 2026-01-06 | 2026-01-06 | 1", "deal_id", "dx", "belongs to no admitted deal"),
    ],
)
def test_an_activity_that_breaks_a_rule_is_named_with_its_value(make_book, row, column, value, rule):
    book, refused = refused_of(make_book, deals=f"{DEALS}\n{GOOD}", activities=f"{ACTIVITIES}\n{row}")

    assert refused == [["activities", "0", row.split(" ")[2], column, value, rule]]
    assert len(book.activities) == 0


def test_an_activity_recorded_after_the_import_lies_in_the_future(make_book):
    row = "a1 | d0 | call | done | 2026-01-06 | 2026-02-02 | 1"
    _, refused = refused_of(make_book, deals=f"{DEALS}\n{GOOD}", activities=f"{ACTIVITIES}\n{row}")

    assert [refused[0][3], refused[0][5]] == ["recorded_at", "is in the future"]


def test_a_meeting_planned_for_a_later_day_is_admitted(make_book):
    row = "a1 | d0 | meeting | planned | 2026-03-01 | 2026-01-06 | -"
    book, refused = refused_of(make_book, deals=f"{DEALS}\n{GOOD}", activities=f"{ACTIVITIES}\n{row}")

    assert (book.activities["activity_id"].tolist(), refused) == (["a1"], [])


def test_a_row_recorded_at_the_very_moment_of_the_import_is_admitted(make_book):
    book, refused = refused_of(make_book, deals=f"{DEALS}\nd0 | 2026-02-01 | - | - | 1")

    assert (book.deals["deal_id"].tolist(), refused) == (["d0"], [])


def test_a_refused_deal_takes_its_rows_in_other_tables_with_it(make_book):
    book, refused = refused_of(
        make_book,
        deals=f"{DEALS}\n{GOOD}\nd1 | 2026-01-05 | - | won | 1",
        contacts="deal_id | contact_id | role | recorded_at\nd1 | c1 | buyer | 2026-01-06\nd0 | c1 | - | 2026-01-06",
    )

    assert refused[1] == ["contacts", "0", "d1", "deal_id", "d1", "belongs to no admitted deal"]
    assert book.contacts["deal_id"].tolist() == ["d0"]


def test_a_change_is_a_repeat_only_if_deal_field_and_moment_are_the_same(make_book):
    changes = """deal_id | field | recorded_at | new_value
        d0 | stage | 2026-01-06 | a
        d0 | amount | 2026-01-06 | 5
        d0 | stage | 2026-01-07 | a
        d0 | stage | 2026-01-06 | b"""
    book, refused = refused_of(make_book, deals=f"{DEALS}\n{GOOD}", changes=changes)

    assert refused == [["changes", "3", "d0", "deal_id", "d0", "repeats a key"]]
    assert book.changes["new_value"].tolist() == ["a", "5", "a"]


def test_a_row_that_breaks_two_rules_is_counted_once(make_book):
    book, refused = refused_of(make_book, deals=f"{DEALS}\n{GOOD}\nd1 | 2026-02-02 | 2026-01-05 | won | -1")

    assert refused == [["deals", "1", "d1", "created_at", "2026-02-02 00:00:00+00:00", "is in the future"]]
    assert len(book.deals) == 1


def test_the_place_in_the_source_is_said_where_the_importer_gave_it_and_is_not_stored(make_book):
    book = make_book(deals=f"{DEALS}\n{GOOD}\nd1 | - | - | - | 1")
    book, refused = admit(book.with_tables(deals=book.deals.assign(**{SOURCE_ROW: ["line 2", "line 3"]})), NOW)

    assert refused["row"].tolist() == ["line 3"]
    assert SOURCE_ROW not in book.deals


def test_a_book_without_a_usable_deal_is_refused_with_the_first_reason(make_book):
    with pytest.raises(
        BookError, match=r"no deal can be used. The first: row 0, created_at is required \(found nothing\)"
    ):
        admit(make_book(deals=f"{DEALS}\nd1 | - | - | - | 1"), NOW)


def test_a_book_without_any_deal_is_refused(make_book):
    book = make_book(deals=f"{DEALS}\n{GOOD}")

    with pytest.raises(BookError, match=r"table deals: no deal can be used\. Correct the mapping or the file\."):
        admit(book.with_tables(deals=book.deals.iloc[:0]), NOW)


def test_a_clean_book_has_an_empty_quarantine_with_its_columns(make_book):
    book, refused = admit(make_book(deals=f"{DEALS}\n{GOOD}"), NOW)

    assert (book.deals["deal_id"].tolist(), refused.to_numpy().tolist(), refused.columns.tolist()) == (
        ["d0"],
        [],
        COLUMNS,
    )


def test_admitting_leaves_the_book_it_was_given_alone(make_book):
    book = make_book(deals=f"{DEALS}\nd1 | - | - | - | 1\n{GOOD}")
    before = book.deals.copy()
    admit(book, NOW)

    pd.testing.assert_frame_equal(book.deals, before)


def test_entries_of_a_column_that_the_rows_lack_say_nothing_was_found():
    found = entries("deals", pd.DataFrame({"deal_id": ["d1"]}), "created_at", "is required", "add it")

    assert found.to_numpy().tolist() == [["deals", "0", "d1", "created_at", "nothing", "is required", "add it"]]


def test_each_rule_reads_a_column_its_table_declares_and_says_what_to_do():
    wrong = [r for r in RULES if r.column not in TABLES[r.table].names or not r.says or not r.remedy]

    assert wrong == []
