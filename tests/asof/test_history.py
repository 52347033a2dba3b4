import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from walkaway.asof.events import Codes
from walkaway.asof.history import DAY, History, known, microseconds
from walkaway.book.schema import Book, Manifest
from walkaway.config import EffortSettings
from walkaway.errors import UsageError

DEALS = "deal_id | created_at | closed_at | outcome | amount | margin | account_id | owner_id"
ONE = f"{DEALS}\nd1 | 2026-01-01 | - | - | 500 | 0.2 | acme | ann"
ACTIVITIES = "activity_id | deal_id | kind | status | direction | occurred_at | recorded_at | hours | owner_id"
WORKED = f"""{ACTIVITIES}
    a1 | d1 | call | done | outbound | 2026-01-02 | 2026-01-02 | 0.5 | ann
    a2 | d1 | mail | done | inbound | 2026-01-05 | 2026-01-05 | 0.25 | bob
    a3 | d1 | call | done | outbound | 2026-01-08 | 2026-01-08 | 0.125 | ann
    b1 | d2 | call | done | inbound | 2026-01-03 | 2026-01-03 | 8 | cid"""
TWO = f"{ONE}\nd2 | 2026-01-01 | - | - | - | - | - | -"


@pytest.fixture
def worked(make_book, snapshots):
    """The activities of d1 at these moments."""
    history = History(make_book(deals=TWO, activities=WORKED))
    return lambda *moments: history.at(snapshots(*(f"d1 {moment}" for moment in moments))).activities


@pytest.fixture
def changed(make_book, snapshots):
    """The view of d1 at a moment, with these changes (field | recorded_at | new_value)."""

    def view(moment, *changes, fixed=()):
        rows = "deal_id | field | recorded_at | new_value" + "".join(f"\nd1 | {change}" for change in changes)
        return History(make_book(deals=ONE, changes=rows, fixed=fixed)).at(snapshots(f"d1 {moment}"))

    return view


def test_microseconds_of_a_missing_moment_are_the_smallest_number():
    moments = pd.Series(pd.to_datetime(["1970-01-01T00:00:01Z", None]))

    assert microseconds(moments).tolist() == [1_000_000, -(2**63)]


def test_an_event_recorded_at_the_very_moment_is_known_and_a_microsecond_later_not(worked):
    at_the_moment = worked("2026-01-05", "2026-01-04T23:59:59.999999", "2026-01-05T00:00:00.000001")

    assert at_the_moment.count().tolist() == [2, 1, 2]


def test_before_its_first_event_nothing_is_known_of_a_deal(worked):
    events = worked("2026-01-01")

    assert (events.count().tolist(), events.total("seconds").tolist()) == ([0], [0])
    assert np.isnan([*events.days_since_last(), *events.days_since_first(), *events.last("seconds")]).all()


def test_the_events_of_another_deal_do_not_count(worked):
    assert worked("2026-01-04").total("seconds").tolist() == [1800]


def test_a_window_holds_its_end_and_not_its_begin(worked):
    moments = "2026-01-05", "2026-01-08", "2026-01-08T00:00:00.000001"

    assert worked(*moments).last_days(3).count().tolist() == [1, 1, 1]
    assert worked(*moments).last_days(3).total("seconds").tolist() == [900, 450, 450]
    assert worked(*moments).last_days(3.5).count().tolist() == [2, 2, 2]


def test_a_window_after_a_window_is_the_shorter_of_the_two(worked):
    assert worked("2026-01-08").last_days(1).last_days(30).count().tolist() == [1]


def test_where_keeps_the_window_and_the_window_keeps_where(worked):
    events = worked("2026-01-08")

    assert events.where(kind="call").last_days(6).count().tolist() == [1]
    assert events.last_days(6).where(kind="call").count().tolist() == [1]
    assert events.last_days(6.5).where(kind="call", direction="outbound").count().tolist() == [2]


def test_where_replaces_an_earlier_where(worked):
    assert worked("2026-01-08").where(kind="call").where(direction="inbound").count().tolist() == [1]


def test_where_of_a_word_nobody_used_holds_nothing(worked):
    events = worked("2026-01-08").where(kind="fax")

    assert (events.count().tolist(), events.distinct("owner_id").tolist()) == ([0], [0])
    assert np.isnan([*events.maximum("seconds"), *events.days_since_last()]).all()


def test_maximum_last_and_first_are_of_what_was_known(worked):
    events = worked("2026-01-02", "2026-01-05", "2026-01-08")

    assert events.maximum("seconds").tolist() == [1800, 1800, 1800]
    assert events.last("seconds").tolist() == [1800, 900, 450]
    assert events.first("seconds").tolist() == [1800, 1800, 1800]


def test_the_maximum_of_one_deal_is_not_that_of_the_one_before_it(make_book, snapshots):
    events = History(make_book(deals=TWO, activities=WORKED)).at(snapshots("d2 2026-01-02", "d2 2026-01-03")).activities

    np.testing.assert_array_equal(events.maximum("seconds"), [np.nan, 8 * 3600])


def test_days_since_the_last_and_first_event_run_from_their_recording(worked):
    events = worked("2026-01-06T12:00")

    assert (events.days_since_last().tolist(), events.days_since_first().tolist()) == ([1.5], [4.5])


def test_the_last_code_is_the_newest_value_and_minus_one_without_one(worked):
    codes, values = worked("2026-01-01", "2026-01-02", "2026-01-05").last_code("kind")

    assert [None if code < 0 else values[code] for code in codes] == [None, "call", "mail"]


def test_the_first_code_is_the_oldest_value_and_minus_one_without_one(worked):
    codes, values = worked("2026-01-01", "2026-01-02", "2026-01-08").where(owner_id="bob").first_code("kind")
    first, _ = worked("2026-01-01", "2026-01-08").first_code("kind")

    assert [None if code < 0 else values[code] for code in codes] == [None, None, "mail"]
    assert [None if code < 0 else values[code] for code in first] == [None, "call"]


def test_a_newest_value_that_is_missing_has_no_code(make_book, snapshots):
    rows = f"{ACTIVITIES}\na1 | d1 | call | done | inbound | 2026-01-02 | 2026-01-02 | - | -"
    rows += "\na2 | d1 | call | done | - | 2026-01-03 | 2026-01-03 | - | -"
    events = History(make_book(deals=ONE, activities=rows)).at(snapshots("d1 2026-01-04")).activities

    assert events.last_code("direction")[0].tolist() == [-1]


def test_distinct_counts_each_value_once_in_all_and_in_a_window(worked):
    events = worked("2026-01-02", "2026-01-05", "2026-01-08")

    assert events.distinct("owner_id").tolist() == [1, 2, 2]
    assert events.last_days(4).distinct("owner_id").tolist() == [1, 2, 2]
    assert events.last_days(3).distinct("owner_id").tolist() == [1, 1, 1]


def test_events_of_one_instant_are_ordered_by_what_they_say_not_by_their_row(make_book, snapshots):
    changes = "deal_id | field | recorded_at | new_value\nd1 | stage | 2026-01-02 | b\nd1 | stage | 2026-01-02 | a"
    book = make_book(deals=ONE, changes=changes)

    for rows in (book.changes, book.changes.iloc[::-1]):
        codes, values = (
            History(book.with_tables(changes=rows)).at(snapshots("d1 2026-01-03")).changes.last_code("new_value")
        )
        assert values[codes].tolist() == ["b"]


def test_a_step_is_kind_and_status_and_a_missing_status_is_done(make_book, snapshots):
    rows = f"{ACTIVITIES}\na1 | d1 | call | - | - | 2026-01-02 | 2026-01-02 | - | -"
    events = History(make_book(deals=ONE, activities=rows)).at(snapshots("d1 2026-01-03")).activities

    assert events.where(step="call / done").count().tolist() == [1]
    assert events.where(status="done").total("seconds").tolist() == [900]


def test_the_amount_is_the_newest_one_recorded(changed):
    changes = "amount | 2026-01-02 | 100", "amount | 2026-01-04 | 80"

    assert [changed(f"2026-01-0{day}", *changes).amount.tolist() for day in (2, 3, 4)] == [[100.0], [100.0], [80.0]]


def test_todays_amount_is_used_only_where_it_is_fixed_at_creation(changed):
    assert changed("2026-01-03", fixed=("amount",)).amount.tolist() == [500.0]
    assert np.isnan(changed("2026-01-03").amount).all()


def test_a_recorded_amount_goes_before_the_one_fixed_at_creation(changed):
    change = "amount | 2026-01-04 | 80"

    assert changed("2026-01-03", change, fixed=("amount",)).amount.tolist() == [500.0]
    assert changed("2026-01-04", change, fixed=("amount",)).amount.tolist() == [80.0]


def test_an_amount_that_is_no_number_is_missing(changed):
    assert np.isnan(changed("2026-01-03", "amount | 2026-01-02 | a lot").amount).all()


def test_the_margin_is_known_as_the_amount_is(changed):
    change = "margin | 2026-01-04 | 0.1"

    assert changed("2026-01-03", change, fixed=("margin",)).margin.tolist() == [0.2]
    assert changed("2026-01-04", change).margin.tolist() == [0.1]
    assert np.isnan(changed("2026-01-03", change).margin).all()


@pytest.mark.parametrize("order", [1, -1])
def test_close_dates_written_in_different_ways_are_all_read_in_any_row_order(make_book, snapshots, order):
    changes = """deal_id | field | recorded_at | new_value
        d1 | expected_close_date | 2026-01-02 | 2026-02-01
        d1 | expected_close_date | 2026-01-03 | 2026-03-01T12:00:00Z
        d1 | expected_close_date | 2026-01-04 | soon"""
    book = make_book(deals=ONE, changes=changes)
    history = History(book.with_tables(changes=book.changes.iloc[::order]))
    newest = history.at(snapshots("d1 2026-01-02", "d1 2026-01-03", "d1 2026-01-04")).changes.last("moment") / DAY

    np.testing.assert_array_equal(newest, [20_485.0, 20_513.5, np.nan])


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (("0.4", "1"), [0.4, 1.0]),  # a share: 1 is all of it
        (("40", "1"), [0.4, 0.01]),  # percents: 1 is one of a hundred
        (("1", "40"), [1.0, 0.4]),  # nothing told percents from a share when the 1 was all there was
        (("1.01", "100"), [0.0101, 1.0]),
        (("none", "40"), [np.nan, 0.4]),
    ],
)
def test_the_crms_probability_is_in_percent_once_a_value_above_1_was_recorded(changed, recorded, expected):
    changes = [f"probability | 2026-01-0{day} | {value}" for day, value in zip((2, 4), recorded, strict=True)]

    found = [changed(f"2026-01-0{day}", *changes).crm_probability.item() for day in (3, 4)]
    np.testing.assert_array_equal(found, expected)


PROBABILITIES = """deal_id | field | recorded_at | new_value
    d1 | probability | 2026-01-02 | 1
    d1 | probability | 2026-01-06 | 60
    d2 | probability | 2026-01-03 | 0.5
    d2 | probability | 2026-01-05 | 20
    d3 | probability | 2026-01-01 | 90"""  # d3 is created later, and is not known before
PROMISED = f"{TWO}\nd3 | 2026-01-04 | - | - | - | - | - | -"


def test_percents_recorded_of_any_deal_tell_how_those_of_all_deals_are_read(make_book, snapshots):
    history = History(make_book(deals=PROMISED, changes=PROBABILITIES))
    asked = snapshots("d1 2026-01-03", "d2 2026-01-03", "d1 2026-01-04", "d2 2026-01-04", "d2 2026-01-05")

    assert history.at(asked).crm_probability.tolist() == [1.0, 0.5, 0.01, 0.005, 0.2]


@pytest.mark.parametrize("day", range(2, 8))
def test_without_all_later_rows_the_crms_probability_is_the_same_to_the_bit(make_book, snapshots, moment, day):
    book = make_book(deals=PROMISED, changes=PROBABILITIES)
    asked = snapshots(f"d1 2026-01-0{day}", f"d2 2026-01-0{day}")
    then = History(known(book, moment(f"2026-01-0{day}"))).at(asked).crm_probability

    assert then.tobytes() == History(book).at(asked).crm_probability.tobytes()


def test_a_book_without_probabilities_has_none(changed):
    assert changed("2026-01-03", "amount | 2026-01-02 | 100").crm_probability is None


def test_an_attribute_is_given_only_where_it_is_fixed_at_creation(changed):
    assert changed("2026-01-03", fixed=("account_id",)).attribute("account_id").tolist() == ["acme"]
    with pytest.raises(KeyError, match="account_id is not declared fixed at creation: its value at as_of is unknown"):
        changed("2026-01-03").attribute("account_id")


def test_the_age_of_a_deal_runs_from_its_creation(changed):
    assert changed("2026-01-03T12:00").age_days.tolist() == [2.5]


def test_a_snapshot_of_an_unknown_deal_is_refused_by_name(make_book, snapshots):
    with pytest.raises(UsageError, match="deal dx is not in the book"):
        History(make_book(deals=ONE)).at(snapshots("d1 2026-01-03", "dx 2026-01-03"))


GROUP = f"""{DEALS}
    d1 | 2026-01-01 | - | - | - | - | acme | ann
    d2 | 2026-01-02 | 2026-01-04 | won | - | - | acme | ann
    d3 | 2026-01-03 | 2026-01-05 | lost | - | - | acme | bob
    d4 | 2026-01-03 | 2026-01-04 | won | - | - | - | ann"""


def test_the_closings_of_an_account_are_known_from_their_recording(make_book, snapshots):
    history = History(make_book(deals=GROUP, fixed=("account_id",)))
    asked = snapshots("d1 2026-01-03", "d1 2026-01-04", "d1 2026-01-05", "d4 2026-01-05")
    closings = history.at(asked).shared("closings", by="account_id")

    assert closings.where(outcome="won").count().tolist() == [0, 1, 1, 1]
    assert closings.where(outcome="lost").count().tolist() == [0, 0, 1, 0]


def test_without_a_declared_account_each_deal_is_a_group_of_its_own(make_book, snapshots):
    view = History(make_book(deals=GROUP)).at(snapshots("d1 2026-01-05", "d2 2026-01-05"))

    assert view.shared("closings", by="account_id").count().tolist() == [0, 1]


def test_the_openings_of_an_owner_count_deals_created_by_then(make_book, snapshots):
    view = History(make_book(deals=GROUP, fixed=("owner_id",))).at(snapshots("d1 2026-01-02", "d1 2026-01-03"))

    assert view.shared("openings", by="owner_id").count().tolist() == [2, 3]


def test_a_log_between_two_deals_holds_their_rows_and_no_others(make_book):
    rows = f"{WORKED}\n    c1 | d3 | call | done | inbound | 2026-01-03 | 2026-01-03 | 1 | cid"
    deals = f"{TWO}\nd3 | 2026-01-01 | - | - | - | - | - | -"
    log = History(make_book(deals=deals, activities=rows)).log("activities")

    assert [log.between(*deals).column("seconds").tolist() for deals in ((0, 0), (1, 1), (1, 2), (0, -1))] == [
        [1800, 900, 450],
        [8 * 3600],
        [8 * 3600, 3600],
        [],
    ]


def test_snapshots_put_together_by_deal_tell_where_each_one_went(make_book, snapshots):
    view = History(make_book(deals=TWO)).at(snapshots("d2 2026-01-02", "d1 2026-01-04", "d2 2026-01-03"))
    together, places = view.by_deal()

    assert together.deal.tolist() == [0, 1, 1]
    assert together.as_of[places].tolist() == view.as_of.tolist()


def test_what_is_known_of_a_book_leaves_out_later_rows_and_deals(make_book, moment):
    book = make_book(deals=f"{GROUP}\nd2b | 2026-01-06 | - | - | - | - | - | -", activities=WORKED)
    then = known(book, moment("2026-01-05"))

    assert then.deals["deal_id"].tolist() == ["d1", "d2", "d3", "d4"]
    assert then.activities["activity_id"].tolist() == ["a1", "a2", "b1"]


def test_rows_of_a_deal_not_yet_created_are_not_known(make_book, moment):
    book = make_book(deals=f"{DEALS}\nd1 | 2026-01-01 | - | - | - | - | - | -\nd2 | 2026-01-09 | - | - | - | - | - | -")
    contacts = "deal_id | contact_id | role | recorded_at\nd1 | c1 | - | 2026-01-02\nd2 | c1 | - | 2026-01-02"
    book = book.with_tables(contacts=make_book(deals=ONE, contacts=contacts).contacts)

    assert known(book, moment("2026-01-05")).contacts["deal_id"].tolist() == ["d1"]


def test_known_erases_outcomes_and_amounts_not_yet_known(make_book, moment):
    deals = f"""{DEALS} | loss_reason
        d1 | 2026-01-01 | 2026-01-04 | lost | 500 | 0.2 | - | - | declined
        d2 | 2026-01-01 | 2026-01-05 | lost | 700 | 0.3 | - | - | declined"""
    then = known(make_book(deals=deals), moment("2026-01-04")).deals
    columns = ["closed_at", "outcome", "amount", "margin", "loss_reason"]

    assert then[columns].iloc[0].tolist() == [moment("2026-01-04"), "lost", 500.0, 0.2, "declined"]
    assert then[columns].iloc[1].isna().all()


def test_known_keeps_what_is_fixed_at_creation(make_book, moment):
    then = known(make_book(deals=ONE, fixed=("amount",)), moment("2026-01-04")).deals

    assert then["amount"].tolist() == [500.0]
    assert then["margin"].isna().tolist() == [True]


def test_known_leaves_the_book_it_was_given_alone(make_book, moment):
    book = make_book(deals=GROUP)
    before = book.deals.copy()
    known(book, moment("2026-01-04"))

    pd.testing.assert_frame_equal(book.deals, before)


# -- against a slow reference ------------------------------------------------------------------------------

TICK = pd.Timedelta(hours=12)
START = pd.Timestamp("2026-01-01", tz="UTC")
rows = st.tuples(
    st.sampled_from("pq"),
    st.integers(0, 8),
    st.sampled_from("xy"),
    st.sampled_from([None, "m", "n"]),
    st.integers(0, 3),
)
asks = st.tuples(st.sampled_from("pq"), st.integers(-1, 9))


def _slow(events, deal, tick, kind, days):
    """The answers of one snapshot, read row by row: count, total, maximum, last, first, distinct owners, silence."""
    mine = [e for e in events if e[0] == deal and e[1] <= tick and (kind is None or e[2] == kind)]
    seen = [e for e in mine if days is None or e[1] > tick - 2 * days]
    hours = [e[4] for e in seen]
    longest = max(e[4] for e in mine) if seen else None  # the maximum is over the whole history
    last, first = (seen[-1], seen[0]) if seen else (None, None)
    distinct = len({e[3] for e in seen if e[3] is not None})
    silence = (tick - last[1]) / 2 if seen else None
    return [len(seen), sum(hours), longest, last and last[4], first and first[4], distinct, silence]


@given(
    st.lists(rows, max_size=9),
    st.lists(asks, min_size=1, max_size=4),
    st.sampled_from([None, "x"]),
    st.sampled_from([None, 1, 1.5]),
)
def test_every_question_has_the_answer_of_a_row_by_row_reading(drawn, asked, kind, days):
    drawn = [(*row, number) for number, row in enumerate(drawn)]
    moments = [START + row[1] * TICK for row in drawn]
    columns = {"activity_id": [f"{n:02}" for *_, n in drawn], "deal_id": [row[0] for row in drawn]}
    columns |= {"kind": [row[2] for row in drawn], "owner_id": [row[3] for row in drawn], "recorded_at": moments}
    # what happened earlier comes first among rows of one instant: let the row's number decide
    occurred = [moment + pd.Timedelta(seconds=n) for n, moment in enumerate(moments)]
    activities = pd.DataFrame(columns | {"occurred_at": occurred, "hours": [row[4] / 3600 for row in drawn]})
    deals = pd.DataFrame({"deal_id": ["p", "q"], "created_at": START})
    history = History(Book.of(Manifest(), deals=deals, **({"activities": activities} if drawn else {})))
    view = history.at(pd.DataFrame({"deal_id": [d for d, _ in asked], "as_of": [START + t * TICK for _, t in asked]}))
    events = view.activities if kind is None else view.activities.where(kind=kind)
    events = events if days is None else events.last_days(days)
    found = np.array(
        [
            events.count(),
            events.total("seconds"),
            events.maximum("seconds"),
            events.last("seconds"),
            events.first("seconds"),
            events.distinct("owner_id"),
            events.days_since_last(),
        ]
    ).T
    ordered = sorted(drawn, key=lambda row: (row[1], row[5]))
    slow = np.array([_slow(ordered, deal, tick, kind, days) for deal, tick in asked], dtype=np.float64)

    np.testing.assert_array_equal(found, slow)


def test_people_who_joined_at_one_instant_are_ordered_by_their_id_not_by_their_row(make_book, snapshots):
    contacts = "deal_id | contact_id | role | recorded_at"
    rows = ["d1 | c2 | buyer | 2026-01-02", "d1 | c1 | user | 2026-01-02"]

    for order in (rows, rows[::-1]):
        book = make_book(deals=ONE, contacts="\n".join((contacts, *order)))
        codes, roles = History(book).at(snapshots("d1 2026-01-03")).contacts.last_code("role")
        assert roles[codes[0]] == "buyer"


def test_the_first_code_of_a_deal_without_events_is_minus_one(worked):
    assert worked("2026-01-01").first_code("kind")[0].tolist() == [-1]


def test_text_and_number_attributes_are_named_apart(snapshots):
    deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-01T00:00Z"], "industry": ["x"], "employees": [5]})
    view = History(Book.of(Manifest(fixed_at_creation=("industry", "employees")), deals=deals)).at(
        snapshots("d1 2026-01-02")
    )

    assert (view.attributes("text"), view.attributes("number")) == (["industry"], ["employees"])


@pytest.fixture
def three(make_book, snapshots):
    """The activities of three deals at one moment, in one view; each deal's largest hours are less than another's."""
    rows = f"""{ACTIVITIES}
        a1 | d1 | call | done | outbound | 2026-01-02 | 2026-01-02 | 8 | ann
        a2 | d1 | call | done | outbound | 2026-01-07 | 2026-01-07 | 0 | ann
        b1 | d2 | call | done | outbound | 2026-01-03 | 2026-01-03 | 0.25 | ann
        b2 | d2 | mail | done | outbound | 2026-01-04 | 2026-01-04 | 0.5 | bob
        b3 | d2 | mail | done | outbound | 2026-01-08 | 2026-01-08 | 0.25 | ann
        c1 | d3 | call | done | outbound | 2026-01-07 | 2026-01-07 | 1 | -
        c2 | d3 | call | done | outbound | 2026-01-08 | 2026-01-08 | 2 | bob"""
    book = make_book(deals=f"{TWO}\nd3 | 2026-01-01 | - | - | - | - | - | -", activities=rows)
    return History(book).at(snapshots("d1 2026-01-08", "d2 2026-01-08", "d3 2026-01-08")).activities


def test_deals_in_one_view_are_counted_each_by_itself(three):
    assert three.count().tolist() == [2, 3, 2]
    assert three.total("seconds").tolist() == [28_800, 3_600, 10_800]
    assert three.maximum("seconds").tolist() == [28_800, 1_800, 7_200]
    assert three.last("seconds").tolist() == [0, 900, 7_200]
    assert three.days_since_last().tolist() == [1.0, 0.0, 0.0]
    assert three.distinct("owner_id").tolist() == [1, 2, 1]


def test_deals_in_one_view_are_counted_each_by_itself_in_a_window(three):
    window = three.last_days(5)

    assert window.total("seconds").tolist() == [0, 2_700, 10_800]
    assert window.distinct("owner_id").tolist() == [1, 2, 1]
    assert window.distinct("kind").tolist() == [1, 1, 1]
    assert three.last_days(1).distinct("owner_id").tolist() == [0, 1, 1]


def test_attributes_are_those_of_each_snapshots_deal_whatever_the_order_of_the_rows(snapshots):
    deals = pd.DataFrame(
        {"deal_id": ["d2", "d1", "d3"], "created_at": "2026-01-01T00:00Z", "industry": ["retail", "media", None]}
    )
    view = History(Book.of(Manifest(fixed_at_creation=("industry",)), deals=deals)).at(
        snapshots("d1 2026-01-02", "d3 2026-01-02", "d2 2026-01-02", "d1 2026-01-03")
    )
    codes, values = view.coded_attribute("industry")

    assert [None if code < 0 else values[code] for code in codes] == ["media", None, "retail", "media"]
    assert view.attribute("industry").fillna("none").tolist() == ["media", "none", "retail", "media"]


def test_codes_of_a_pair_hold_more_combinations_than_a_byte_can_count():
    left, right = (pd.Series([f"{n:02}" for n in range(size)]) for size in (3, 43))
    pairs = Codes.of(left.repeat(43)).pair(Codes.of(pd.concat([right] * 3)))

    assert len(pairs.distinct) == 129
    assert (pairs.codes[-1], pairs.distinct[pairs.codes[-1]]) == (128, "02 / 42")


def test_a_view_grouped_by_deal_answers_as_the_ungrouped_one(make_book, snapshots):
    history = History(make_book(deals=TWO, activities=WORKED))
    mixed = history.at(snapshots("d2 2026-01-04", "d1 2026-01-06", "d2 2026-01-02", "d1 2026-01-03"))
    grouped, places = mixed.by_deal()

    assert grouped.deal.tolist() == [0, 0, 1, 1]
    assert grouped.activities.count()[places].tolist() == mixed.activities.count().tolist() == [1, 2, 0, 1]


def test_a_view_that_is_grouped_by_deal_is_left_as_it_is(make_book, snapshots):
    view = History(make_book(deals=TWO)).at(snapshots("d1 2026-01-04", "d1 2026-01-03", "d2 2026-01-02"))

    assert view.by_deal() == (view, slice(None))


# Effort that is assumed


def test_hours_are_assumed_only_where_no_work_is_recorded(make_book, snapshots):
    at = snapshots("d1 2026-01-03")

    assert History(make_book(deals=ONE)).at(at).assumed_hours.tolist() == [1.0]
    assert np.isnan(History(make_book(deals=TWO, activities=WORKED)).at(at).assumed_hours).all()


@pytest.mark.parametrize(
    ("by", "hours", "expected"),
    [
        ("stage", {"demo": 3.0}, [4.0, 3.0]),
        ("amount", {"600": 9.0}, [4.0, 9.0]),
    ],
)
def test_hours_by_stage_or_amount_are_those_of_what_was_known(make_book, snapshots, by, hours, expected):
    changes = """deal_id | field | recorded_at | new_value
        d1 | stage | 2026-01-04 | demo
        d1 | amount | 2026-01-02 | 500
        d1 | amount | 2026-01-04 | 700"""
    effort = EffortSettings(hours_per_deal=4.0, by=by, hours=hours)
    book = make_book(deals=ONE, changes=changes).with_effort(effort)

    view = History(book).at(snapshots("d1 2026-01-03", "d1 2026-01-05"))

    assert view.assumed_hours.tolist() == expected
