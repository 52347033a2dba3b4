import pytest

from walkaway.asof import only_of, recorded_by, with_recorded

DEALS = "deal_id | created_at\nd1 | 2026-01-01\nd2 | 2026-01-01"
ACTIVITIES = """activity_id | deal_id | kind | direction | occurred_at | recorded_at | hours
    a1 | d1 | call | inbound | 2026-01-01 | 2026-01-02 | 0.5
    a2 | d2 | mail | outbound | 2026-01-01 | 2026-01-03 | 0.25
    a3 | d1 | call | outbound | 2026-01-01 | 2026-01-04 | 1"""
CONTACTS = "deal_id | contact_id | role | recorded_at\nd1 | c1 | cfo | 2026-01-02\nd2 | c2 | cto | 2026-01-02"


@pytest.fixture
def two(make_book):
    return make_book(deals=DEALS, activities=ACTIVITIES, contacts=CONTACTS)


@pytest.mark.parametrize(("at", "expected"), [("2026-01-03", ["a1", "a2"]), ("2026-01-02T23:59:59.999999", ["a1"])])
def test_a_row_is_recorded_by_the_very_moment_of_its_recording_and_no_earlier(two, moment, at, expected):
    assert recorded_by(two, "activities", moment(at))["activity_id"].tolist() == expected


def test_rows_recorded_since_a_moment_leave_out_those_of_that_moment(two, moment):
    rows = recorded_by(two, "activities", moment("2026-01-04"), since=moment("2026-01-02"))

    assert rows["activity_id"].tolist() == ["a2", "a3"]


def test_recorded_rows_tell_when_in_a_column_of_their_own(two, moment):
    rows = recorded_by(two, "contacts", moment("2026-01-03"))

    assert rows["at"].tolist() == [moment("2026-01-02")] * 2
    assert "recorded_at" not in rows


def test_a_row_written_into_a_book_happened_and_was_recorded_at_that_moment(two, moment):
    rows = two.activities[["activity_id", "deal_id", "kind"]].iloc[:1].assign(activity_id="new")
    after = with_recorded(two, "activities", rows, moment("2026-01-09")).activities

    assert after["activity_id"].tolist() == ["a1", "a2", "a3", "new"]
    assert after.loc[3, ["occurred_at", "recorded_at"]].tolist() == [moment("2026-01-09")] * 2
    assert after.loc[3, ["hours", "direction"]].isna().all()
    assert after.dtypes.equals(two.activities.dtypes)
    assert len(two.activities) == 3


def test_a_table_that_only_knows_when_it_was_recorded_gets_no_other_moment(two, moment):
    after = with_recorded(two, "contacts", two.contacts[["deal_id", "contact_id"]].iloc[:1], moment("2026-01-09"))

    assert after.contacts.columns.tolist() == two.contacts.columns.tolist()
    assert after.contacts["recorded_at"].iloc[-1] == moment("2026-01-09")


def test_a_book_of_some_deals_has_their_events_only_and_keeps_the_other_deals(two):
    mine = only_of(two, two.deals["deal_id"].iloc[:1])

    assert mine.activities["activity_id"].tolist() == ["a1", "a3"]
    assert mine.contacts["contact_id"].tolist() == ["c1"]
    assert mine.deals["deal_id"].tolist() == ["d1", "d2"]
