import pandas as pd
import pytest

from walkaway.asof.history import History
from walkaway.book.schema import Book
from walkaway.features import build_features, plan_features
from walkaway.models.buyer_events import BuyerEvent, BuyerEventRate, BuyerEvents, learn_buyer_events, with_buyer_event

START = pd.Timestamp("2026-01-01T00:00Z")
PHONE_CALL, JOINS, DATE = BuyerEvent("sign", "call"), BuyerEvent("joins", "decision maker"), BuyerEvent("date")
ACTIONABLE = (  # all that a buyer event may change; age, what a deal was from the start and our own work are not
    "touches",
    "days_since_touch",
    "tempo",
    "last_step",
    "step_count",
    "days_since_step",
    "contact",
    "days_since_contact",
    "close_date",
    "days_to_expected_close",
)


def day(number: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def book_of(deals: int = 40) -> Book:
    """Deals that end after 30 days, every fourth won. To every second one the buyer calls on day 4 and a decision maker
    joins on day 6; on all, somebody of ours writes on day 1.
    """
    ids = [f"d{n:02}" for n in range(deals)]
    rows = {"deal_id": ids, "created_at": START, "closed_at": day(30), "amount": 100.0}
    outcome = ["won" if n % 4 == 0 else "lost" for n in range(deals)]
    called = ids[::2]
    signs = pd.DataFrame({"deal_id": called, "kind": "call", "direction": "inbound", "recorded_at": day(4)})
    mails = pd.DataFrame({"deal_id": ids, "kind": "email", "direction": "outbound", "recorded_at": day(1)})
    acts = pd.concat([signs, mails], ignore_index=True)
    acts = acts.assign(activity_id=[f"a{n}" for n in range(len(acts))], occurred_at=acts["recorded_at"])
    contacts = pd.DataFrame({"deal_id": called, "contact_id": "c", "role": JOINS.word, "recorded_at": day(6)})
    stages = pd.DataFrame({"deal_id": ids, "field": "stage", "new_value": "offer", "recorded_at": START})
    dates = pd.DataFrame(
        {"deal_id": ids, "field": "expected_close_date", "new_value": "2026-02-01", "recorded_at": START}
    )
    return Book.of(
        deals=pd.DataFrame(rows | {"outcome": outcome}),
        activities=acts,
        contacts=contacts,
        changes=pd.concat([stages, dates], ignore_index=True),
    )


@pytest.fixture(scope="module")
def buyer_events() -> BuyerEvents:
    return learn_buyer_events(book_of())


def test_what_buyers_did_to_enough_deals_is_an_event_and_what_only_we_do_is_none(buyer_events):
    assert buyer_events.events == (JOINS, PHONE_CALL)


@pytest.mark.parametrize(
    ("event", "silent_days", "counts"),
    [(PHONE_CALL, 2.5, (40, 20, 10, 2.0)), (PHONE_CALL, 0.0, (40, 20, 10, 4.0)), (JOINS, 2.5, (40, 20, 10, 4.0))],
)
def test_a_rate_counts_deals_as_silent_in_the_same_stage_and_those_it_still_came_to(
    buyer_events, event, silent_days, counts
):
    rate = buyer_events.rate(event, "offer", silent_days)

    assert (rate.stage, rate.deals, rate.came, rate.won_came, rate.within_days) == ("offer", *counts)


def test_after_a_silence_that_no_such_event_ever_broke_nothing_is_hoped_for(buyer_events):
    """From day 7 on without a sign, all calls had come: only the deals nobody called are left."""
    assert buyer_events.rate(PHONE_CALL, "offer", 8.0).days < 7


def test_a_role_joins_once_so_who_has_it_is_not_counted():
    """Silent for two days after the call of day 4, half of the deals have their decision maker already."""
    book = book_of()
    late = book.contacts.assign(recorded_at=day(1))
    buyer_events = learn_buyer_events(book.with_tables(contacts=late))

    # only deals silent for less than a day can still hope, and all of them had it by day 1
    assert {rate.days for rate in buyer_events.rates if rate.event == JOINS} == {0.0}


def test_a_stage_of_few_deals_leans_on_deals_of_any_stage():
    events = BuyerEvents((BuyerEventRate(PHONE_CALL, "", 0.0, 90, 30, 10, 4.0),))

    assert events.rate(PHONE_CALL, "lead", 3.0).deals == 90
    assert events.rate(JOINS, "lead", 3.0) is None
    assert BuyerEvents().rate(PHONE_CALL, "lead", 3.0) is None


def test_a_book_without_settled_deals_or_signs_teaches_no_buyer_events():
    book = book_of()
    silent = book.with_tables(activities=book.activities.iloc[:0], contacts=book.contacts.iloc[:0])

    assert learn_buyer_events(silent).events == ()
    assert learn_buyer_events(book.with_tables(deals=book.deals.assign(outcome=None))).events == ()


def features_of(book: Book, plan, at: pd.Timestamp) -> pd.DataFrame:
    snapshots = pd.DataFrame({"deal_id": ["d01", "d02"], "as_of": [at, at]})
    return build_features(History(book).at(snapshots), plan)


@pytest.mark.parametrize("event", [PHONE_CALL, JOINS, DATE])
def test_a_buyer_event_changes_what_a_buyer_can_change_and_nothing_else(event):
    book, at = book_of(), day(10)
    plan = plan_features(book)
    before = features_of(book, plan, at)
    after = features_of(with_buyer_event(book, pd.Series(["d01"]), at, (event,)), plan, at)
    moved = [name for name in before if not before[name].equals(after[name])]

    assert moved
    assert [name for name in moved if not name.startswith(ACTIONABLE)] == []
    pd.testing.assert_series_equal(before.iloc[1], after.iloc[1])  # the other deal is as it was


def test_a_call_that_just_came_breaks_the_silence():
    book, at = book_of(), day(10)
    plan = plan_features(book)
    after = features_of(with_buyer_event(book, pd.Series(["d01"]), at, (PHONE_CALL,)), plan, at)

    assert after.loc[0, ["days_since_touch_by[inbound]", "touches_by[inbound]", "days_since_touch"]].tolist() == [
        0,
        1,
        0,
    ]


def test_buyer_events_are_said_in_words():
    assert [str(event) for event in (PHONE_CALL, JOINS, BuyerEvent("sign", "offer_sent_back / done"))] == [
        "phone call from the buyer",
        "a decision maker joins on the buyer's side",
        "offer sent back from the buyer",
    ]
