"""Arithmetic only: expected value, value per hour, what dropping would have saved and cost, the curve, skill, the bar.

Arrays in, arrays out. Money in the book's currency, effort in hours. Definitions: docs/method.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "Curve",
    "Drops",
    "Schedule",
    "Verdict",
    "area",
    "clairvoyant_index",
    "expected_value",
    "saved_at",
    "schedule_drops",
    "settle_drops",
    "skill",
    "skill_of",
    "trade_off",
    "value_per_hour",
    "verdicts",
]

FloatArray = npt.NDArray[np.float64]
Verdict = Literal["pursue", "nurture", "walk_away", "unsure"]
AGREEMENT = 0.8  # share of the bag that must stand on one side of the bar for a call


def expected_value(win_probability: FloatArray, value_if_won: FloatArray) -> FloatArray:
    """Money expected from each deal: win_probability x value_if_won.

    >>> expected_value(np.array([0.5]), np.array([900.0]))
    array([450.])
    """
    return win_probability * value_if_won


def value_per_hour(expected: FloatArray, remaining_hours: FloatArray, floor_hours: float) -> FloatArray:
    """Money an hour spent from now on is worth: expected / (remaining_hours + floor_hours).

    The floor keeps a deal that needs hardly any more work from an endless index.

    >>> value_per_hour(np.array([450.0]), np.array([1.4]), 0.1)
    array([300.])
    """
    return expected / (remaining_hours + floor_hours)


@dataclass(frozen=True)
class Drops:
    """What dropping each deal for good at its first call below each bar does, summed over deals.

    bars ascend; hours_saved (hours) and value_forgone (money) are one number a bar; hours and value are the totals.
    """

    bars: FloatArray
    hours_saved: FloatArray
    value_forgone: FloatArray
    hours: float
    value: float


def _first(deal: npt.NDArray) -> npt.NDArray[np.bool_]:
    return np.r_[True, deal[1:] != deal[:-1]] if len(deal) else np.zeros(0, dtype=bool)


def _lowest_so_far(deal: npt.NDArray, index: FloatArray) -> FloatArray:
    """The running minimum of the index within each deal; rows sorted by deal and moment."""
    order = np.argsort(np.argsort(index, kind="stable"), kind="stable")  # ranks, so that one pass serves all deals
    group = np.cumsum(_first(deal))
    shifted = order - group * len(index)
    return np.sort(index, kind="stable")[np.minimum.accumulate(shifted) + group * len(index)]


@dataclass(frozen=True)
class Schedule:
    """At which bars each call would be its deal's drop: those from position `enter` up to, not with, `leave`."""

    bars: FloatArray
    enter: npt.NDArray[np.int64]
    leave: npt.NDArray[np.int64]
    begins: npt.NDArray[np.bool_]

    def settle(self, remaining_hours: FloatArray, worth: FloatArray, weight: FloatArray | None = None) -> Drops:
        """What these drops save and forgo.

        Args:
            remaining_hours: hours booked after each call.
            worth: money won in the end (0 if lost), the same on all calls of a deal; only gains are forgone.
            weight: how often each deal counts (one number a call, constant within the deal), for a bootstrap.
        """
        hours, value = remaining_hours, np.maximum(worth, 0.0)
        if weight is not None:
            hours, value = hours * weight, value * weight
        saved, forgone = self._per_bar(hours), self._per_bar(value)
        return Drops(self.bars, saved, forgone, float(hours[self.begins].sum()), float(value[self.begins].sum()))

    def _per_bar(self, amount: FloatArray) -> FloatArray:
        places = len(self.bars) + 1
        steps = np.bincount(self.enter, amount, places) - np.bincount(self.leave, amount, places)
        return np.cumsum(steps)[:-1]


def schedule_drops(deal: npt.NDArray, index: FloatArray, bars: FloatArray | None = None) -> Schedule:
    """Schedule the policy "drop for good at the first call below the bar", for every bar at once.

    Args:
        deal: code of each call's deal; rows sorted by deal and moment.
        index: what deals are ranked by, higher is better.
        bars: ascending; default every value the index takes.

    A call is the deal's drop at bar b when the lowest index so far is below b and the lowest before it was not.
    """
    bars = np.unique(index[np.isfinite(index)]) if bars is None else bars
    begins = _first(deal)
    lowest = _lowest_so_far(deal, index)
    before = np.where(begins, np.inf, np.r_[np.inf, lowest[:-1]])
    enter, leave = (np.searchsorted(bars, values, side="right") for values in (lowest, before))
    return Schedule(bars, enter, leave, begins)


def settle_drops(
    deal: npt.NDArray,
    index: FloatArray,
    remaining_hours: FloatArray,
    worth: FloatArray,
    bars: FloatArray | None = None,
    weight: FloatArray | None = None,
) -> Drops:
    """`schedule_drops`, settled at once."""
    return schedule_drops(deal, index, bars).settle(remaining_hours, worth, weight)


def trade_off(drops: Drops) -> tuple[FloatArray, FloatArray]:
    """The curve (value_forgone share, hours_saved share) from (0,0) to (1,1), hours_saved never falling."""
    forgone = drops.value_forgone / drops.value if drops.value else np.zeros(len(drops.bars))
    saved = drops.hours_saved / drops.hours if drops.hours else np.zeros(len(drops.bars))
    order = np.lexsort((saved, forgone))
    return np.r_[0.0, forgone[order], 1.0], np.maximum.accumulate(np.r_[0.0, saved[order], 1.0])


def area(drops: Drops, up_to: float = 1.0) -> float:
    """The area under the trade-off curve over value_forgone in [0, up_to]; dropping at random gives up_to^2 / 2."""
    grid = np.linspace(0.0, up_to, 401)
    return float(np.trapezoid(np.interp(grid, *trade_off(drops)), grid))


def saved_at(drops: Drops, share: float) -> float:
    """The largest share of hours saved at which no more than that share of won value is forgone.

    >>> deal, hours, worth = np.array([0, 1]), np.array([3.0, 1.0]), np.array([0.0, 9.0])
    >>> saved_at(settle_drops(deal, np.array([1.0, 2.0]), hours, worth), 0.1)
    0.75
    """
    forgone, saved = trade_off(drops)
    return float(saved[forgone <= share].max())


def clairvoyant_index(remaining_hours: FloatArray, worth: FloatArray) -> FloatArray:
    """The index of one who knows the end: realised worth over remaining hours."""
    return worth / np.maximum(remaining_hours, 1e-3)


def skill_of(own: Drops, clairvoyant: Drops, up_to: float = 1.0) -> float:
    """(A - A_random) / (A_clairvoyant - A_random); NaN where even the clairvoyant saves nothing."""
    chance = up_to**2 / 2
    best = area(clairvoyant, up_to) - chance
    return (area(own, up_to) - chance) / best if best > 0 else float("nan")


def skill(
    deal: npt.NDArray,
    index: FloatArray,
    remaining_hours: FloatArray,
    worth: FloatArray,
    up_to: float = 1.0,
    weight: FloatArray | None = None,
) -> float:
    """Walk-away skill: 0 is dropping at random, 1 is clairvoyance.

    >>> deal, hours, worth = np.array([0, 1]), np.array([1.0, 1.0]), np.array([0.0, 9.0])
    >>> skill(deal, np.array([1.0, 2.0]), hours, worth)
    1.0
    """
    best = settle_drops(deal, clairvoyant_index(remaining_hours, worth), remaining_hours, worth, weight=weight)
    return skill_of(settle_drops(deal, index, remaining_hours, worth, weight=weight), best, up_to)


@dataclass(frozen=True)
class Curve:
    """bar -> what it frees and forgoes, over past calls. The one curve that every dial picks a point on.

    bars ascend (money per hour); hours_per_week are worked when the bar is kept to; hours_saved and value_forgone are
    shares of 1. `estimated` is False only once enough of the calls behind it have been settled.
    """

    bars: tuple[float, ...]
    hours_per_week: tuple[float, ...]
    hours_saved: tuple[float, ...]
    value_forgone: tuple[float, ...]
    estimated: bool = True

    @classmethod
    def of(cls, drops: Drops, weeks: float, points: int = 200, estimated: bool = True) -> Curve:
        """The curve of settled drops over a period of that many weeks, thinned to `points` bars."""
        at = np.unique(np.linspace(0, len(drops.bars) - 1, min(points, len(drops.bars))).round().astype(int))
        saved = drops.hours_saved[at] / drops.hours if drops.hours else np.zeros(len(at))
        forgone = drops.value_forgone[at] / drops.value if drops.value else np.zeros(len(at))
        worked = (drops.hours - drops.hours_saved[at]) / weeks
        columns = (drops.bars[at], worked, saved, forgone)
        bars, hours, shares, values = (tuple(map(float, column)) for column in columns)
        return cls(bars, hours, shares, values, estimated)

    def bar_for_forgo(self, share: float) -> float:
        """The highest bar whose forgone value stays at or below that share; 0 where none does.

        >>> Curve((1.0, 2.0, 3.0), (9.0, 5.0, 2.0), (0.1, 0.5, 0.8), (0.0, 0.1, 0.4)).bar_for_forgo(0.10)
        2.0
        """
        fits = np.flatnonzero(np.asarray(self.value_forgone) <= share)
        return self.bars[fits[-1]] if len(fits) else 0.0

    def bar_for_capacity(self, hours_per_week: float) -> float:
        """The lowest bar at which the team's weekly hours fit; the highest there is where they fit at none.

        >>> Curve((1.0, 2.0, 3.0), (9.0, 5.0, 2.0), (0.1, 0.5, 0.8), (0.0, 0.1, 0.4)).bar_for_capacity(6.0)
        2.0
        """
        if not self.bars or self.hours_per_week[0] / max(1.0 - self.hours_saved[0], 1e-9) <= hours_per_week:
            return 0.0
        fits = np.flatnonzero(np.asarray(self.hours_per_week) <= hours_per_week)
        return self.bars[fits[0]] if len(fits) else self.bars[-1]

    def bar_of(self, *, forgo: float, bar: float | None = None, capacity: float | None = None) -> float:
        """The bar that a dial picks: `bar` itself, or by `capacity` (hours a week), or by `forgo` (share of value)."""
        if bar is not None:
            return bar
        return self.bar_for_forgo(forgo) if capacity is None else self.bar_for_capacity(capacity)

    def at(self, bar: float) -> tuple[float, float, float]:
        """(hours_per_week, hours_saved, value_forgone) at a bar: by straight lines between bars, level outside them."""
        if not self.bars:
            return float("nan"), 0.0, 0.0
        columns = (self.hours_per_week, self.hours_saved, self.value_forgone)
        worked, saved, forgone = (float(np.interp(bar, self.bars, column)) for column in columns)
        return worked, saved, forgone


def verdicts(index_by_member: FloatArray, value_if_won: FloatArray, bar: float, signal: bool) -> npt.NDArray[np.str_]:
    """The verdict of each call, in the order of the method: sold at a loss, no signal, disagreement, below the bar.

    Args:
        index_by_member: value per hour, (members, calls).
        value_if_won: money, (calls,).
        bar: money per hour.
        signal: False where the model knows no more than the base rate; then nothing is said but `unsure`.

    >>> verdicts(np.array([[1.0, 9.0, 9.0]]), np.array([5.0, 5.0, -1.0]), 3.0, True).tolist()
    ['walk_away', 'pursue', 'walk_away']
    """
    below = (index_by_member < bar).mean(axis=0) >= AGREEMENT
    above = (index_by_member >= bar).mean(axis=0) >= AGREEMENT
    calls = [value_if_won <= 0, np.full(len(value_if_won), not signal) | ~(below | above), below]
    return np.select(calls, ["walk_away", "unsure", "walk_away"], default="pursue")
