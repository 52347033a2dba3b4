import numpy as np
import pandas as pd
import pytest

from walkaway.asof.labels import COLUMNS, events_of, label, last_worked_at, no_decision
from walkaway.config import EffortSettings
from walkaway.errors import UsageError

DEALS = "deal_id | created_at | closed_at | outcome | loss_reason | amount | margin"
WON = "d1 | 2026-01-01 | 2026-01-09 | won | - | 900 | 0.5"
LOST = "d2 | 2026-01-01 | 2026-01-09 | lost | declined | 900 | -"
OPEN = "d3 | 2026-01-01 | - | - | - | 900 | -"
ACTIVITIES = "activity_id | deal_id | kind | status | occurred_at | recorded_at | hours"


@pytest.fixture
def labelled(make_book, snapshots):
    """The labels of one snapshot, by name."""

    def of(asked, *deals, work=(), known_at=None):
        tables = {"deals": "\n".join((DEALS, *deals))}
        if work:
            tables["activities"] = "\n".join((ACTIVITIES, *work))
        known_at = known_at and pd.Timestamp(known_at, tz="UTC")
        found = label(make_book(**tables), snapshots(asked), known_at).iloc[0]
        return {name: None if isinstance(v, float) and np.isnan(v) else v for name, v in found.items()}

    return of


def test_a_won_deal_is_worth_its_amount_times_its_margin(labelled):
    assert labelled("d1 2026-01-02", WON) == {
        "settled": True,
        "won": 1.0,
        "worth": 450.0,
        "amount_at_close": 900.0,
        "remaining_hours": 1.0,
        "ending": "won",
    }


def test_a_lost_deal_is_worth_nothing_and_ends_by_its_reason(labelled):
    assert labelled("d2 2026-01-02", LOST) == {
        "settled": True,
        "won": 0.0,
        "worth": 0.0,
        "amount_at_close": 900.0,
        "remaining_hours": 1.0,
        "ending": "declined",
    }


def test_a_lost_deal_without_a_reason_ends_lost(labelled):
    assert labelled("d2 2026-01-02", LOST.replace("declined", "-"))["ending"] == "lost"


def test_an_open_deal_is_neither_won_nor_lost(labelled):
    assert labelled("d3 2026-01-02", OPEN) == {
        "settled": False,
        "won": None,
        "worth": None,
        "amount_at_close": None,
        "remaining_hours": 1.0,
        "ending": "open",
    }


def test_a_won_deal_without_a_margin_is_worth_its_amount(labelled):
    assert labelled("d1 2026-01-02", WON.replace("0.5", "-"))["worth"] == 900.0


def test_a_deal_won_at_a_loss_is_worth_less_than_nothing(labelled):
    assert labelled("d1 2026-01-02", WON.replace("0.5", "-0.5"))["worth"] == -450.0


def test_the_worth_of_a_won_deal_without_an_amount_is_unknown_and_of_a_lost_one_nothing(labelled):
    assert labelled("d1 2026-01-02", WON.replace("900", "-"), OPEN)["worth"] is None
    assert labelled("d2 2026-01-02", LOST.replace("900", "-"), OPEN)["worth"] == 0.0


def test_in_a_book_without_amounts_each_win_counts_one(labelled):
    assert labelled("d1 2026-01-02", WON.replace("900", "-"), LOST.replace("900", "-"))["worth"] == 1.0
    assert labelled("d2 2026-01-02", WON.replace("900", "-"), LOST.replace("900", "-"))["worth"] == 0.0


WORK = (
    "a1 | d1 | call | done | 2026-01-02 | 2026-01-02 | 1",
    "a2 | d1 | call | done | 2026-01-03 | 2026-01-04 | 2",
    "a3 | d1 | call | done | 2026-01-09 | 2026-01-10 | 4",
    "a4 | d1 | call | done | 2026-01-09T00:00:01 | 2026-01-10 | 8",
    "b1 | d3 | call | done | 2026-01-05 | 2026-01-05 | 16",
)


@pytest.mark.parametrize(
    ("as_of", "hours"),
    [("2026-01-01", 7.0), ("2026-01-02", 6.0), ("2026-01-03T12:00", 6.0), ("2026-01-04", 4.0), ("2026-01-08", 4.0)],
)
def test_remaining_hours_are_those_booked_after_as_of_by_work_begun_before_the_close(labelled, as_of, hours):
    assert labelled(f"d1 {as_of}", WON, OPEN, work=WORK)["remaining_hours"] == hours


def test_hours_already_booked_are_sunk(labelled):
    assert labelled("d3 2026-01-05", WON, OPEN, work=WORK)["remaining_hours"] == 0.0


def test_hours_of_an_activity_without_any_are_the_assumed_ones(labelled):
    assert (
        labelled("d3 2026-01-02", OPEN, work=("a1 | d3 | meeting | done | 2026-01-05 | 2026-01-05 | -",))[
            "remaining_hours"
        ]
        == 1.0
    )


def test_at_the_moment_of_its_close_a_deal_is_settled_and_before_it_is_open(labelled):
    assert labelled("d1 2026-01-02", WON, known_at="2026-01-09")["ending"] == "won"
    assert labelled("d1 2026-01-02", WON, known_at="2026-01-08T23:59:59")["ending"] == "open"


def test_hours_booked_after_what_is_known_do_not_count(labelled):
    assert labelled("d1 2026-01-01", WON, OPEN, work=WORK, known_at="2026-01-05")["remaining_hours"] == 3.0


def test_labels_come_in_the_order_and_with_the_index_of_the_snapshots(make_book, snapshots):
    book = make_book(deals="\n".join((DEALS, WON, LOST, OPEN)))
    asked = snapshots("d3 2026-01-02", "d1 2026-01-05", "d2 2026-01-02", "d1 2026-01-02").set_index(
        pd.Index([7, 5, 3, 1])
    )
    found = label(book, asked)

    assert found["ending"].to_dict() == {7: "open", 5: "won", 3: "declined", 1: "won"}
    assert found.columns.tolist() == COLUMNS


def test_the_row_order_of_deals_and_activities_is_irrelevant(make_book, snapshots):
    book = make_book(deals="\n".join((DEALS, WON, LOST, OPEN)), activities="\n".join((ACTIVITIES, *WORK)))
    turned = book.with_tables(deals=book.deals.iloc[::-1], activities=book.activities.iloc[::-1])
    asked = snapshots("d1 2026-01-02", "d2 2026-01-02", "d3 2026-01-02")

    pd.testing.assert_frame_equal(label(turned, asked), label(book, asked))


def test_a_snapshot_of_an_unknown_deal_is_refused_rather_than_given_another_deals_label(labelled):
    with pytest.raises(UsageError, match="deal dx is not in the book"):
        labelled("dx 2026-01-02", WON)


def test_a_snapshot_of_a_deal_created_after_what_is_known_is_refused(labelled):
    with pytest.raises(UsageError, match="deal d9 is not in the book"):
        labelled("d9 2026-01-08", WON, "d9 | 2026-01-07 | - | - | - | - | -", known_at="2026-01-05")


def test_labelling_leaves_the_book_and_the_snapshots_alone(make_book, snapshots):
    book, asked = (
        make_book(deals="\n".join((DEALS, WON)), activities="\n".join((ACTIVITIES, *WORK[:2]))),
        snapshots("d1 2026-01-02"),
    )
    before = [book.deals.copy(), book.activities.copy(), asked.copy()]
    label(book, asked, pd.Timestamp("2026-01-03", tz="UTC"))

    for frame, copy in zip((book.deals, book.activities, asked), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


TWO_DEALS = (
    "a1 | d1 | call | done | 2026-01-03 | 2026-01-05 | 1",
    "a2 | d2 | mail | done | 2026-01-04 | 2026-01-04 | 1",
    "a3 | d1 | mail | done | 2026-01-02 | 2026-01-12 | 0",  # takes no time
    "a4 | d1 | call | done | 2026-01-02 | 2026-01-06 | 1",
)


@pytest.fixture
def worked(make_book):
    return make_book(deals="\n".join((DEALS, WON, LOST, OPEN)), activities="\n".join((ACTIVITIES, *TWO_DEALS)))


def test_events_of_some_deals_are_all_they_ever_saw_with_their_place_and_moment(worked, moment):
    rows = events_of(worked, worked.deals.iloc[[2, 0]], "activities")

    assert rows[["activity_id", "deal"]].values.tolist() == [["a1", 1], ["a3", 1], ["a4", 1]]
    assert rows["at"].tolist() == [int(moment(f"2026-01-{day}").timestamp() * 1e6) for day in ("05", "12", "06")]


def test_events_of_deals_may_be_asked_for_by_the_values_of_their_columns(worked):
    assert events_of(worked, worked.deals, "activities", kind="mail")["activity_id"].tolist() == ["a2", "a3"]
    assert events_of(worked, worked.deals, "activities", kind="mail", deal_id="d1")["activity_id"].tolist() == ["a3"]


def test_a_deal_was_last_worked_when_work_with_hours_last_happened_not_when_it_was_booked(worked, moment):
    found = last_worked_at(worked)

    assert found.index.tolist() == ["d1", "d2", "d3"]
    assert found.tolist() == [moment("2026-01-03"), moment("2026-01-04"), pd.NaT]


def test_work_without_hours_is_not_the_last_and_a_second_of_work_is(make_book, moment):
    work = (
        "a1 | d1 | call | done | 2026-01-03 | 2026-01-05 | 1",
        "a2 | d1 | mail | done | 2026-01-04 | 2026-01-05 | 0",
        "a3 | d2 | call | done | 2026-01-04 | 2026-01-05 | 0.00027778",  # a second
    )
    found = last_worked_at(make_book(deals="\n".join((DEALS, WON, LOST)), activities="\n".join((ACTIVITIES, *work))))

    assert found.to_dict() == {"d1": moment("2026-01-03"), "d2": moment("2026-01-04")}


def test_only_lost_deals_with_a_reason_ended_with_or_without_a_decision():
    ending = pd.Series(["no decision", "price", "won", "open", "lost"])

    np.testing.assert_array_equal(no_decision(ending, ("no_decision",)), [1.0, 0.0, np.nan, np.nan, np.nan])


@pytest.mark.parametrize("reason", ["No decision.", "(no decision)", " NO-DECISION! "])
def test_marks_around_a_loss_reason_do_not_matter(reason):
    assert no_decision(pd.Series([reason]), ("no_decision",)).tolist() == [1.0]


@pytest.mark.parametrize(
    ("asked", "deal", "hours"),
    [("d1 2026-01-02", WON, 2.0), ("d3 2026-01-02", OPEN, 4.0), ("d3 2026-01-16", OPEN, 0.0)],
)
def test_hours_by_open_week_run_to_the_end_of_the_deal_or_to_now(make_book, snapshots, asked, deal, hours):
    book = make_book(deals="\n".join((DEALS, deal))).with_effort(EffortSettings(hours_per_open_week=2.0))

    found = label(book, snapshots(asked), pd.Timestamp("2026-01-16", tz="UTC"))

    assert found["remaining_hours"].tolist() == [pytest.approx(hours)]


def test_without_any_hours_each_deal_counts_one(make_book, snapshots):
    book = make_book(deals="\n".join((DEALS, WON, OPEN)))

    assert label(book, snapshots("d1 2026-01-02", "d3 2026-01-02"))["remaining_hours"].tolist() == [1.0, 1.0]
