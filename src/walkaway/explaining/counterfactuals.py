"""What would change our mind: the least that has to come from the buyer for a deal to rise above the bar.

A move (`walkaway.models.buyer_events`) is written into the book as if it had just happened, and the features are
computed again by the one function there is; so all that a reply changes changes together, and nothing that nobody can
change does. A condition is told only if the model then says pursue, and only if settled deals in the same state have
seen it come. It is an association: deals it came to did better, which does not promise that calling it forth does.
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

__all__ = ["FlipCondition", "flip_conditions"]

MOST = 3  # conditions a deal is told
MOST_EVENTS = 8  # tried alone, then in pairs where none is enough
LEAST_WON_WITHIN, LEAST_SHARE_WITHIN = (
    3,
    0.05,
)  # of similar deals that were won: what hardly any of them did is no condition


@dataclass(frozen=True)
class FlipCondition:
    """One change that would lift a deal over the bar.

    value_per_hour: what the model would say then. deals: settled deals that stood like this one. came: how many of them
    saw it come true. won_came: how many of those were won (None: not known). until: the moment by which three of four
    had; None where it has no date. of_several: it takes more than one move, and the counts are those of the rarest.
    among: whom they count.
    """

    condition: str
    value_per_hour: float
    deals: int
    came: int
    won_came: int | None
    until: pd.Timestamp | None
    of_several: bool = False
    among: str = "deals like this"

    def __str__(self) -> str:
        won = "" if self.won_came is None else f", {self.won_came:,} of which were won"
        what = "the rarer of them" if self.of_several else "it"
        return f"{self.condition}: {what} came true for {self.came:,} of {self.deals:,} {self.among}{won}"


@dataclass(frozen=True)
class _Asked:
    """The calls in question, and the book they rest on."""

    book: Book
    model: Model
    calls: pd.DataFrame

    def after(self, moves: tuple[BuyerEvent, ...]) -> pd.DataFrame:
        """The calls had these moves come to each deal."""
        as_of = self.calls["as_of"].iloc[0]
        history = History(with_buyer_event(self.book, self.calls["deal_id"], as_of, moves))
        snapshots = self.calls[["deal_id", "as_of"]].reset_index(drop=True)
        return make_calls(
            self.model, read_rows(history, snapshots, self.model.plan), float(self.calls["bar"].iloc[0])
        ).table


def _prospects(
    model: Model, moves: tuple[BuyerEvent, ...], stage: pd.Series, silent: pd.Series
) -> list[list[BuyerEventRate | None]]:
    """What each deal may hope of each move."""
    told = model.past_deals.buyer_events
    pairs = [(None if pd.isna(s) else str(s), float(d)) for s, d in zip(stage, silent.fillna(0.0), strict=True)]
    return [[told.rate(move, *pair) for pair in pairs] for move in moves]


def _conditions(
    asked: _Asked, moves: tuple[BuyerEvent, ...], hoped: list[list[BuyerEventRate | None]]
) -> Iterator[tuple[int, FlipCondition]]:
    """(row, condition) of each deal that these moves together lift, and that may hope for each of them."""
    table = asked.after(moves)
    as_of = asked.calls["as_of"].iloc[0]
    for row in np.flatnonzero(table["verdict"] == "pursue"):
        told = [of_move[row] for of_move in hoped]
        known = [prospect for prospect in told if prospect is not None]
        if len(known) < len(told):
            continue
        rarest = min(known, key=lambda p: p.came / p.deals)
        until = (as_of + pd.Timedelta(days=max(p.within_days for p in known))).ceil("D")
        words, value = " and ".join(map(str, moves)), float(table["value_per_hour"].iloc[row])
        won = rarest.won_came if len(moves) == 1 else None
        yield int(row), FlipCondition(words, value, rarest.deals, rarest.came, won, until, len(moves) > 1)


def _less_work(
    call: dict[str, float], floor_hours: float, near: SimilarDeals | None, wording: LocaleFormat
) -> FlipCondition | None:
    """A smaller scope of work: so few hours that the deal is worth the bar, if deals like it took as few."""
    if near is None or call["bar"] <= 0:
        return None
    hours = call["expected_value"] / call["bar"] - floor_hours
    came = near.won_within(hours)
    if not 0 < hours < call["remaining_hours"] or came < max(LEAST_WON_WITHIN, LEAST_SHARE_WITHIN * near.won):
        return None
    words = f"we finish it in {wording.hours(hours)} at most, rather than {wording.hours(call['remaining_hours'])}"
    return FlipCondition(words, call["bar"], near.won, came, None, None, among="won deals like this")


def flip_conditions(
    book: Book, model: Model, calls: Calls, similar: list[SimilarDeals | None], wording: LocaleFormat
) -> list[tuple[FlipCondition, ...]]:
    """What would lift each dropped deal over the bar: what buyers do first, oftenest first; empty for all others.

    Args:
        book: what the calls rest on.
        model: that made them.
        calls: of one moment.
        similar: the deals most like each.
        wording: of the reader.
    """
    found: list[list[FlipCondition]] = [[] for _ in range(len(calls.table))]
    dropped = calls.table["verdict"].isin(DROPPED).to_numpy() & (calls.table["value_if_won"] > 0).to_numpy()
    places = np.flatnonzero(dropped)
    if not len(places):
        return [()] * len(found)
    table, terms = calls.table.iloc[places].reset_index(drop=True), calls.rows.terms.iloc[places].reset_index(drop=True)
    asked = _Asked(only_of(book, table["deal_id"]), model, table)
    moves = model.past_deals.buyer_events.events[:MOST_EVENTS]
    hoped = _prospects(model, moves, terms["stage_name"], terms["silent_days"])
    for place, move in enumerate(moves):
        for row, condition in _conditions(asked, (move,), [hoped[place]]):
            found[places[row]].append(condition)
    still = [row for row, place in enumerate(places) if not found[place]]
    if still:
        rest = replace(asked, calls=table.iloc[still].reset_index(drop=True))
        for one, other in combinations(range(len(moves)), 2):
            pair = [[of_move[row] for row in still] for of_move in (hoped[one], hoped[other])]
            for row, condition in _conditions(rest, (moves[one], moves[other]), pair):
                found[places[still[row]]].append(condition)
    for row, call in enumerate(table.to_dict("records")):
        less = _less_work(call, model.floor_hours, similar[places[row]], wording)
        found[places[row]] += [less] if less else []
    return [tuple(sorted(one, key=lambda c: (c.until is None, -c.came / c.deals))[:MOST]) for one in found]
