"""Counterfactuals: the smallest buyer events that would lift a deal above the bar.

An event (`walkaway.models.buyer_events`) is added to a copy of the book as if it had just happened, and the features
are computed again by the same function. So everything that depends on the event changes together, and fixed attributes
do not change. A counterfactual is shown only if the model then says pursue, and only if the event happened in settled
deals in the same state. It is an association, not a cause: deals in which it happened did better, but bringing it about
may not have that effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from walkaway.asof import History, only_of
from walkaway.book import Book
from walkaway.economics import DROPPED
from walkaway.explaining.similar import SimilarDeals
from walkaway.formatting import LocaleFormat
from walkaway.models import (
    BuyerEvent,
    BuyerEventRate,
    Calls,
    Model,
    make_calls,
    read_rows,
    with_buyer_event,
)

__all__ = ["Counterfactual", "counterfactuals"]

MOST = 3  # counterfactuals shown per deal
MOST_EVENTS = 8  # tried one at a time, then in pairs for deals that no single event lifts
LEAST_WON_WITHIN, LEAST_SHARE_WITHIN = (
    3,
    0.05,
)  # similar won deals that took as few hours; with fewer, it is unrealistic


@dataclass(frozen=True)
class Counterfactual:
    """One change that would lift a deal over the bar.

    condition: the change, in words. value_per_hour: the model's value per hour after it. deals: settled deals in the
    same state as this one. came: in how many of them the change happened. won_came: how many of those were won (None:
    not known). until: the moment by which it had happened in three of four of those; None if the change has no date.
    of_several: whether it takes more than one event; the counts are then those of the rarest. among: what the counted
    deals are called.
    """

    condition: str
    value_per_hour: float
    deals: int
    came: int
    won_came: int | None
    until: pd.Timestamp | None
    of_several: bool = False
    among: str = "deals like this"

    def sentence(self, fmt: LocaleFormat) -> str:
        """The change, and how often it happened.

        >>> Counterfactual("phone call from the buyer", 90.0, 1212, 43, 20, None).sentence(LocaleFormat("de_DE"))
        'phone call from the buyer: it happened in 43 of 1.212 deals like this, 20 of which were won'
        """
        won = "" if self.won_came is None else f", {fmt.whole(self.won_came)} of which were won"
        event = "the rarer of them" if self.of_several else "it"
        counts = f"{fmt.whole(self.came)} of {fmt.whole(self.deals)} {self.among}"
        return f"{self.condition}: {event} happened in {counts}{won}"

    def __str__(self) -> str:
        return self.sentence(LocaleFormat())


@dataclass(frozen=True)
class _Asked:
    """The calls to find counterfactuals for, and the book and model behind them."""

    book: Book
    model: Model
    calls: pd.DataFrame

    def after(self, events: tuple[BuyerEvent, ...]) -> pd.DataFrame:
        """The calls as they would be if these events had just happened in each deal."""
        as_of = self.calls["as_of"].iloc[0]
        history = History(with_buyer_event(self.book, self.calls["deal_id"], as_of, events))
        snapshots = self.calls[["deal_id", "as_of"]].reset_index(drop=True)
        return make_calls(
            self.model, read_rows(history, snapshots, self.model.plan), float(self.calls["bar"].iloc[0])
        ).table


def _prospects(
    model: Model, events: tuple[BuyerEvent, ...], stage: pd.Series, silent: pd.Series
) -> list[list[BuyerEventRate | None]]:
    """How often each event happened in settled deals in the state of each deal: (events, deals)."""
    states = [(None if pd.isna(s) else str(s), float(d)) for s, d in zip(stage, silent.fillna(0.0), strict=True)]
    return [[model.past_deals.buyer_events.rate(event, *state) for state in states] for event in events]


def _conditions(
    asked: _Asked, events: tuple[BuyerEvent, ...], prospects: list[list[BuyerEventRate | None]]
) -> Iterator[tuple[int, Counterfactual]]:
    """(row, counterfactual) of each deal that these events together lift, if each of them happens in its state."""
    table = asked.after(events)
    as_of = asked.calls["as_of"].iloc[0]
    for row in np.flatnonzero(table["verdict"] == "pursue"):
        of_events = [of_event[row] for of_event in prospects]
        known = [prospect for prospect in of_events if prospect is not None]
        if len(known) < len(of_events):
            continue
        rarest = min(known, key=lambda p: p.came / p.deals)
        until = (as_of + pd.Timedelta(days=max(p.within_days for p in known))).ceil("D")
        words, value = " and ".join(map(str, events)), float(table["value_per_hour"].iloc[row])
        won = rarest.won_came if len(events) == 1 else None
        yield int(row), Counterfactual(words, value, rarest.deals, rarest.came, won, until, len(events) > 1)


def _less_work(
    call: dict[str, float], floor_hours: float, near: SimilarDeals | None, wording: LocaleFormat
) -> Counterfactual | None:
    """A smaller scope of work: the hours at which the deal would reach the bar, if similar won deals took as few."""
    if near is None or call["bar"] <= 0:
        return None
    hours = call["expected_value"] / call["bar"] - floor_hours
    came = near.won_within(hours)
    if not 0 < hours < call["remaining_hours"] or came < max(LEAST_WON_WITHIN, LEAST_SHARE_WITHIN * near.won):
        return None
    words = f"we finish it in {wording.hours(hours)} at most instead of {wording.hours(call['remaining_hours'])}"
    return Counterfactual(words, call["bar"], near.won, came, None, None, among="won deals like this")


def counterfactuals(
    book: Book, model: Model, calls: Calls, similar: list[SimilarDeals | None], wording: LocaleFormat
) -> list[tuple[Counterfactual, ...]]:
    """The counterfactuals of each dropped deal; empty for all others.

    Those that depend on the buyer come first, the most frequent first; a smaller scope of work comes last.

    Args:
        book: the data behind the calls.
        model: the model that made the calls.
        calls: calls of one moment.
        similar: the similar deals of each call.
        wording: how the reader writes numbers and money.
    """
    found: list[list[Counterfactual]] = [[] for _ in range(len(calls.table))]
    dropped = calls.table["verdict"].isin(DROPPED).to_numpy() & (calls.table["value_if_won"] > 0).to_numpy()
    places = np.flatnonzero(dropped)
    if not len(places):
        return [()] * len(found)
    table, terms = calls.table.iloc[places].reset_index(drop=True), calls.rows.terms.iloc[places].reset_index(drop=True)
    asked = _Asked(only_of(book, table["deal_id"]), model, table)
    events = model.past_deals.buyer_events.events[:MOST_EVENTS]
    prospects = _prospects(model, events, terms["stage_name"], terms["silent_days"])
    for place, event in enumerate(events):
        for row, condition in _conditions(asked, (event,), [prospects[place]]):
            found[places[row]].append(condition)
    still = [row for row, place in enumerate(places) if not found[place]]
    if still:
        rest = replace(asked, calls=table.iloc[still].reset_index(drop=True))
        for first, second in combinations(range(len(events)), 2):
            pair = [[of_event[row] for row in still] for of_event in (prospects[first], prospects[second])]
            for row, condition in _conditions(rest, (events[first], events[second]), pair):
                found[places[still[row]]].append(condition)
    for row, call in enumerate(table.to_dict("records")):
        less = _less_work(call, model.floor_hours, similar[places[row]], wording)
        found[places[row]] += [less] if less else []
    return [tuple(sorted(of_deal, key=lambda c: (c.until is None, -c.came / c.deals))[:MOST]) for of_deal in found]
