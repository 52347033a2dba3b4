"""What the silence of past buyers teaches, by hand."""

import numpy as np
import pandas as pd
import pytest
from tests.books import day

from walkaway.book.schema import Book
from walkaway.models.nurture import Wait, WaitTable, learn_waits


def book_of(*deals: tuple[int, str | None, float, list[tuple[str, float]]]) -> Book:
    """Deals as (how many alike, outcome, day of the close, inbound activities as (kind, day)), all begun on day 0."""
    rows, activities = [], []
    for many, outcome, close, inbound in deals:
        for _ in range(many):
            name = f"d{len(rows):03}"
            end = {} if outcome is None else {"closed_at": day(close), "outcome": outcome}
            rows.append({"deal_id": name, "created_at": day(0)} | end)
            for kind, at in inbound:
                number = f"a{len(activities):04}"
                told = {"activity_id": number, "deal_id": name, "kind": kind, "direction": "inbound"}
                activities.append(told | {"occurred_at": day(at), "recorded_at": day(at)})
    return Book.of(deals=pd.DataFrame(rows), activities=pd.DataFrame(activities))


HEARD = book_of(
    (8, "won", 30.0, [("email", 8.0)]),
    (2, "lost", 30.0, [("email", 12.0)]),
    (5, "lost", 30.0, [("call", 12.0)]),
    (15, "lost", 6.0, []),
    (15, "lost", 20.0, []),
)


def wait_after(book: Book, days: float, stage: str = "") -> Wait:
    [wait] = [wait for wait in learn_waits(book).waits if (wait.stage, wait.days) == (stage, days)]
    return wait


def worked(book: Book, on: float, deals: list[str]) -> Book:
    """The same book, with an hour of outbound work on these deals on that day."""
    rows = [
        {"activity_id": f"w{name}", "deal_id": name, "kind": "visit", "direction": "outbound", "hours": 1.0}
        | {"occurred_at": day(on), "recorded_at": day(on)}
        for name in deals
    ]
    return Book.of(deals=book.deals, activities=pd.concat([book.activities, pd.DataFrame(rows)], ignore_index=True))


def test_deals_count_where_they_were_silent_so_long_while_open():
    at_start, later = wait_after(HEARD, 0.0), wait_after(HEARD, 7.0)

    assert (at_start.sign, at_start.deals, at_start.heard, at_start.won_heard, at_start.won) == ("email", 45, 10, 8, 8)
    assert (later.deals, later.heard, later.won_heard, later.won) == (30, 10, 8, 8)
    assert later.expires_days == 8.0  # three of four such signs had come by then
    assert later.odds_ratio == pytest.approx((9 / 3) / (1 / 21))


def test_deals_worked_on_before_the_sign_do_not_count_for_waiting():
    some = worked(HEARD, 7.5, ["d000", "d001", "d030"])

    assert wait_after(some, 7.0).deals == 27 and wait_after(some, 7.0).heard == 8
    assert wait_after(some, 0.0).deals == 42
    assert wait_after(worked(HEARD, 6.5, ["d000"]), 7.0).deals == 30  # that was before


def test_deals_are_compared_with_those_of_their_stage():
    """Twenty-five deals whose offer is out and as many that have none: only the first hear of their buyer."""
    book = book_of((20, "won", 30.0, [("reply", 8.0)]), (5, "lost", 30.0, []), (25, "lost", 30.0, []))
    moves = pd.DataFrame(
        {
            "deal_id": [f"d{n:03}" for n in range(50)],
            "field": "stage",
            "recorded_at": day(1),
            "new_value": ["offer"] * 25 + ["lead"] * 25,
        }
    )
    wait_table = learn_waits(Book.of(deals=book.deals, activities=book.activities, changes=moves))
    stages = pd.Series(["offer", "lead", "unheard of", None])
    place = wait_table.place(np.full(4, 5.5), stages)

    assert [None if at < 0 else (wait_table.waits[at].stage, wait_table.waits[at].deals) for at in place] == [
        ("offer", 25),
        None,
        ("", 50),
        ("", 50),
    ]


def test_a_sign_that_hardly_comes_or_with_few_deals_is_not_waited_for():
    assert wait_after(HEARD, 14.0).sign == ""  # the silences of 30 deals that lasted two weeks all lasted to the end
    assert [wait for wait in learn_waits(HEARD).waits if wait.days > 14.0] == []  # too few lasted longer
    rare = book_of((4, "won", 30.0, [("email", 8.0)]), (60, "lost", 30.0, []))
    assert wait_after(rare, 7.0).sign == ""


def test_the_sign_that_closes_a_deal_is_no_sign_to_wait_for():
    accepted = book_of((30, "won", 10.0, [("acceptance", 9.5)]), (30, "lost", 10.0, []))

    assert learn_waits(accepted).waits == ()


def test_open_deals_do_not_count_for_waits():
    more = book_of((8, "won", 30.0, [("email", 8.0)]), (40, None, 0.0, [("email", 5.0)]), (15, "lost", 20.0, []))

    assert wait_after(more, 0.0).deals == 23


def test_a_book_without_signs_of_buyers_waits_for_nothing():
    outbound = HEARD.activities.assign(direction="outbound")
    wait_table = learn_waits(HEARD.with_tables(activities=outbound))

    assert wait_table == WaitTable()
    assert wait_table.place(np.array([1.0]), pd.Series(["offer"])).tolist() == [-1]
    assert wait_table.lift(np.array([0.2]), np.array([-1])).tolist() == [1.0]
    assert wait_table.sentences(np.array([-1])).tolist() == [None]


def test_a_sign_raises_no_probability_above_one():
    wait_table = WaitTable((Wait("", 0.0, "email", 100, 20, 19, 30, 9.0),))
    chance = np.array([0.01, 0.05, 0.3, 0.9, 0.999])
    heard = chance * wait_table.lift(chance, np.zeros(5, dtype=int))
    without = (chance - 0.2 * heard) / 0.8  # with and without the sign make the chance

    assert heard / (1 - heard) == pytest.approx(wait_table.waits[0].odds_ratio * without / (1 - without))
    assert ((chance < heard) & (heard < 1.0)).all()


def test_a_sign_that_nearly_always_comes_lifts_little():
    rare, often = (Wait("", 0.0, "email", 100, heard, 3, 6, 9.0) for heard in (10, 95))
    wait_table, chance = WaitTable((rare, often)), np.array([0.3, 0.3])
    few, most = 0.3 * wait_table.lift(chance, np.array([0, 1]))

    assert most <= 0.3 / 0.95 < few


def test_a_sign_of_the_lost_lowers_the_chance_not_below_none():
    wait_table = WaitTable((Wait("", 0.0, "complaint", 100, 50, 5, 40, 9.0),))

    assert 0.0 < wait_table.lift(np.array([0.3]), np.array([0]))[0] < 1.0
