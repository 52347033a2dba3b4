"""Events that a buyer may still cause, and how often buyers of settled deals caused them.

A buyer event is one that the book would record: an inbound activity, a person who joins on the buyer's side, or a new
close date. What the seller does is not a buyer event, nor is anything that cannot be changed. This module counts how
often each event came in past deals, and by when; `explaining.counterfactuals` computes what it would do to a deal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import DAY, microseconds, with_recorded
from walkaway.asof.labels import events_of
from walkaway.book import Book
from walkaway.formatting import plain_activity, plain_step
from walkaway.models.enough import LEAST_CAME, LEAST_DEALS_A_RATE, LEAST_SHARE_CAME
from walkaway.models.nurture import ANY_STAGE, LEAST_LEFT, STEPS, silences_of, stages_of

__all__ = ["BuyerEvent", "BuyerEventRate", "BuyerEvents", "learn_buyer_events", "with_buyer_event"]

IntArray = npt.NDArray[np.int64]
SIGN, JOINS, DATE = "sign", "joins", "date"
CLOSE_DATE = "expected_close_date"
CAME_BY = 0.75  # share of the events that came within `within_days`
DATE_AHEAD_DAYS = 30.0  # from the moment of the event to the close date that the buyer names
WHAT_IF = "what-if"


@dataclass(frozen=True, order=True)
class BuyerEvent:
    """One thing that a buyer may do.

    kind: SIGN, JOINS or DATE. word: the kind of activity, or the role of the person who joins.
    """

    kind: str
    word: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "sign":
                return f"{plain_activity(self.word)} from the buyer"
            case "joins":
                return f"a {plain_step(self.word)} joins on the buyer's side"
        return f"the buyer names a close date within {DATE_AHEAD_DAYS:.0f} days"


@dataclass(frozen=True)
class BuyerEventRate:
    """How often an event came in settled deals of one stage after some days without a sign from the buyer.

    stage: empty for deals of any stage, used where a stage has too few deals of its own. days: the least days of
    silence. deals: settled deals that were ever silent for so long; those that a person of the role had joined by then
    do not count. came: in how many of them the event came later. won_came: how many of those were won. within_days:
    days in which three quarters of these events came.
    """

    event: BuyerEvent
    stage: str
    days: float
    deals: int
    came: int
    won_came: int
    within_days: float


@dataclass(frozen=True)
class BuyerEvents:
    """How often each buyer event came, by stage and days of silence; empty where a book records none."""

    rates: tuple[BuyerEventRate, ...] = ()

    @property
    def events(self) -> tuple[BuyerEvent, ...]:
        """The events that came often enough to name, in order."""
        return tuple(sorted({rate.event for rate in self.rates}))

    def rate(self, event: BuyerEvent, stage: str | None, silent_days: float) -> BuyerEventRate | None:
        """How often an event came in deals like this one; None where it was too rare, or nothing is known.

        >>> phone_call = BuyerEvent("sign", "call")
        >>> of_all = BuyerEventRate(phone_call, "", 0.0, 90, 30, 10, 4.0)
        >>> of_offers = BuyerEventRate(phone_call, "offer", 3.0, 40, 9, 3, 6.0)
        >>> events = BuyerEvents((of_all, of_offers))
        >>> [events.rate(phone_call, stage, 5.0).deals for stage in ("offer", "lead", None)]
        [40, 90, 90]
        """
        reached = [rate for rate in self.rates if rate.event == event and rate.days <= silent_days]
        for place in (stage, ANY_STAGE):
            of_stage = [rate for rate in reached if rate.stage == place]
            if of_stage:
                return max(of_stage, key=lambda rate: rate.days)
        return None


def _came_at(book: Book, deals: pd.DataFrame, event: BuyerEvent) -> pd.DataFrame:
    """When an event came in each deal: deal, at, came_at; sorted by at."""
    match event.kind:
        case "sign":
            rows = events_of(book, deals, "activities", direction="inbound", kind=event.word)
        case "joins":
            rows = events_of(book, deals, "contacts", role=event.word)
        case _:
            rows = events_of(book, deals, "changes", field=CLOSE_DATE)
    closed = microseconds(deals["closed_at"])
    in_time = rows["at"].to_numpy() <= closed[rows["deal"]] - LEAST_LEFT
    return rows.loc[in_time, ["deal", "at"]].assign(came_at=lambda kept: kept["at"]).sort_values("at", kind="stable")


def _candidates(book: Book) -> list[BuyerEvent]:
    """Events that enough deals have had."""
    inbound = book.activities[book.activities["direction"] == "inbound"]
    deals_by_word = [
        (SIGN, inbound.groupby("kind")["deal_id"].nunique()),
        (JOINS, book.contacts.groupby("role")["deal_id"].nunique()),
    ]
    events = [
        BuyerEvent(kind, str(word))
        for kind, deals in deals_by_word
        for word, n in deals.items()
        if n >= LEAST_DEALS_A_RATE
    ]
    dated = book.changes.loc[book.changes["field"] == CLOSE_DATE, "deal_id"].nunique() >= LEAST_DEALS_A_RATE
    return sorted([*events, BuyerEvent(DATE)] if dated else events)


def _rate(event: BuyerEvent, stage: str, days: float, rows: pd.DataFrame) -> BuyerEventRate | None:
    """The rate over these deals, one row each; None where deals or events are too few."""
    came = rows[rows["came_at"].notna()]
    if len(rows) < LEAST_DEALS_A_RATE or len(came) < max(LEAST_CAME, LEAST_SHARE_CAME * len(rows)):
        return None
    within = float(((came["came_at"] - came["at"]) / DAY).quantile(CAME_BY))
    return BuyerEventRate(event, stage, days, len(rows), len(came), int(came["won"].sum()), within)


def learn_buyer_events(book: Book) -> BuyerEvents:
    """How often each buyer event came in the settled deals of a book.

    Args:
        book: as known at the moment of training.
    """
    deals = book.deals[book.deals["outcome"].notna() & book.deals["created_at"].notna()].reset_index(drop=True)
    candidates = _candidates(book.with_tables(deals=deals)) if len(deals) else []
    if not candidates:
        return BuyerEvents()
    won, silences, staged = (deals["outcome"] == "won").to_numpy(), silences_of(deals, book), stages_of(deals, book)
    came_at = {event: _came_at(book, deals, event) for event in candidates}
    rates: list[BuyerEventRate | None] = []
    for days in STEPS:
        reached = silences.assign(at=silences["begin"] + np.int64(days * DAY))
        reached = reached[reached["end"] > reached["at"]].drop_duplicates("deal").sort_values("at", kind="stable")
        reached = pd.merge_asof(reached, staged, on="at", by="deal").assign(won=lambda rows: won[rows["deal"]])
        for event, rows in came_at.items():
            ahead = pd.merge_asof(reached, rows, on="at", by="deal", direction="forward", allow_exact_matches=False)
            if event.kind == JOINS:  # a person of a role joins once: deals that have one are left out
                joined = rows.groupby("deal")["at"].min().reindex(ahead["deal"]).to_numpy()
                ahead = ahead[~(joined <= ahead["at"].to_numpy())]
            groups = [(ANY_STAGE, ahead), *((str(stage), part) for stage, part in ahead.groupby("stage"))]
            rates += [_rate(event, stage, days, part) for stage, part in groups]
    return BuyerEvents(tuple(rate for rate in rates if rate is not None))


def with_buyer_event(book: Book, deal_ids: pd.Series, as_of: pd.Timestamp, events: tuple[BuyerEvent, ...]) -> Book:
    """The book as it would be if these events had happened in these deals at a moment.

    Args:
        book: any book.
        deal_ids: of deals open then.
        as_of: UTC moment.
        events: all of them happen to each deal.
    """
    for event in events:
        rows = pd.DataFrame({"deal_id": deal_ids.to_numpy()})
        names = [f"{WHAT_IF} {event.kind} {event.word} {deal_id}" for deal_id in deal_ids]
        match event.kind:
            case "sign":
                columns = {"activity_id": names, "kind": event.word, "direction": "inbound"}
                table = "activities"
            case "joins":
                columns, table = {"contact_id": names, "role": event.word}, "contacts"
            case _:
                when = (as_of + pd.Timedelta(days=DATE_AHEAD_DAYS)).isoformat()
                columns, table = {"field": CLOSE_DATE, "new_value": when}, "changes"
        book = with_recorded(book, table, rows.assign(**columns), as_of)
    return book
