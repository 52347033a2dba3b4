"""Hours saved and value lost by dropping deals below a bar, their trade-off over all bars, and the skill of a ranking.

The policy: a deal is dropped for good at its first call below the bar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Drops",
    "Schedule",
    "area",
    "clairvoyant_index",
    "hours_saved_at",
    "lowest_calls",
    "schedule_drops",
    "settle_drops",
    "skill",
    "skill_of",
    "trade_off",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drops:
    """Hours saved and value lost at each bar, where each deal is dropped for good at its first call below the bar.

    bars: ascending. hours_saved (hours) and value_forgone (money): one number per bar, summed over deals. hours and
    value: totals of all deals.
    """

    bars: FloatArray
    hours_saved: FloatArray
    value_forgone: FloatArray
    hours: float
    value: float


def _first_of_deal(deal: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which rows are the first of their deal; rows sorted by deal."""
    return np.r_[True, deal[1:] != deal[:-1]] if len(deal) else np.zeros(0, dtype=bool)


def _lowest_so_far(deal: npt.NDArray[np.int64], index: FloatArray) -> FloatArray:
    """The running minimum of the index within each deal; rows sorted by deal and moment."""
    # Ranks are shifted down from deal to deal, so that one running minimum over all rows restarts at each deal.
    rank = np.argsort(np.argsort(index, kind="stable"), kind="stable")
    group = np.cumsum(_first_of_deal(deal))
    shifted = rank - group * len(index)
    lowest: FloatArray = np.sort(index, kind="stable")[np.minimum.accumulate(shifted) + group * len(index)]
    return lowest


def lowest_calls(deal: npt.NDArray[np.int64], index: FloatArray) -> FloatArray:
    """The lowest index among each deal's calls, (deals,), in the order of the rows; rows sorted by deal.

    >>> lowest_calls(np.array([0, 0, 1]), np.array([3.0, 1.0, 2.0]))
    array([1., 2.])
    """
    return np.minimum.reduceat(index, np.flatnonzero(_first_of_deal(deal)))


@dataclass(frozen=True)
class Schedule:
    """At which bars each call is the one that drops its deal: positions `enter` (included) to `leave` (excluded).

    begins: which calls are the first of their deal.
    """

    bars: FloatArray
    enter: npt.NDArray[np.int64]
    leave: npt.NDArray[np.int64]
    begins: npt.NDArray[np.bool_]

    def settle(self, remaining_hours: FloatArray, worth: FloatArray, weight: FloatArray | None = None) -> Drops:
        """Hours saved and value lost at each bar.

        Args:
            remaining_hours: hours booked after each call.
            worth: money won in the end (0 if lost), the same on all calls of a deal; negative worth counts as 0.
            weight: how often each deal counts (one number per call, constant within the deal), for a bootstrap.
        """
        hours, value = remaining_hours, np.maximum(worth, 0.0)
        if weight is not None:
            hours, value = hours * weight, value * weight
        saved, forgone = self._per_bar(hours), self._per_bar(value)
        return Drops(self.bars, saved, forgone, float(hours[self.begins].sum()), float(value[self.begins].sum()))

    def _per_bar(self, amount: FloatArray) -> FloatArray:
        size = len(self.bars) + 1
        steps = np.bincount(self.enter, amount, size) - np.bincount(self.leave, amount, size)
        return np.cumsum(steps)[:-1]


def schedule_drops(deal: npt.NDArray[np.int64], index: FloatArray, bars: FloatArray | None = None) -> Schedule:
    """Schedule the policy "drop for good at the first call below the bar", for every bar at once.

    Args:
        deal: code of each call's deal; rows sorted by deal and moment.
        index: what calls are ranked by; higher is better.
        bars: ascending; by default every value of the index.

    A call drops its deal at bar b when its index is below b and no earlier call on the deal was below b.
    """
    bars = np.unique(index[np.isfinite(index)]) if bars is None else bars
    begins = _first_of_deal(deal)
    lowest = _lowest_so_far(deal, index)
    before = np.where(begins, np.inf, np.r_[np.inf, lowest[:-1]])
    enter, leave = (np.searchsorted(bars, values, side="right") for values in (lowest, before))
    return Schedule(bars, enter, leave, begins)


def settle_drops(
    deal: npt.NDArray[np.int64],
    index: FloatArray,
    remaining_hours: FloatArray,
    worth: FloatArray,
    bars: FloatArray | None = None,
    weight: FloatArray | None = None,
) -> Drops:
    """`schedule_drops` followed by `Schedule.settle`."""
    return schedule_drops(deal, index, bars).settle(remaining_hours, worth, weight)


def trade_off(drops: Drops) -> tuple[FloatArray, FloatArray]:
    """The trade-off curve: shares of value lost and of hours saved, from (0, 0) to (1, 1), both non-decreasing."""
    forgone = drops.value_forgone / drops.value if drops.value else np.zeros(len(drops.bars))
    saved = drops.hours_saved / drops.hours if drops.hours else np.zeros(len(drops.bars))
    order = np.lexsort((saved, forgone))
    return np.r_[0.0, forgone[order], 1.0], np.maximum.accumulate(np.r_[0.0, saved[order], 1.0])


def area(drops: Drops, up_to: float = 1.0) -> float:
    """The area under the trade-off curve up to a share of value lost; dropping at random gives up_to^2 / 2."""
    grid = np.linspace(0.0, up_to, 401)
    return float(np.trapezoid(np.interp(grid, *trade_off(drops)), grid))


def hours_saved_at(drops: Drops, share: float) -> float:
    """The largest share of hours saved with no more than that share of won value lost; NaN without hours or value.

    >>> deal, hours, worth = np.array([0, 1]), np.array([3.0, 1.0]), np.array([0.0, 9.0])
    >>> hours_saved_at(settle_drops(deal, np.array([1.0, 2.0]), hours, worth), 0.1)
    0.75
    """
    if not drops.hours or not drops.value:
        return float("nan")
    forgone, saved = trade_off(drops)
    return float(saved[forgone <= share].max())


def clairvoyant_index(remaining_hours: FloatArray, worth: FloatArray) -> FloatArray:
    """The index of perfect foresight: realised worth over the hours that the deal still took."""
    return worth / np.maximum(remaining_hours, 1e-3)


def skill_of(own: Drops, clairvoyant: Drops, up_to: float = 1.0) -> float:
    """(A - A_random) / (A_clairvoyant - A_random) for areas A under the trade-off curve.

    NaN where perfect foresight is no better than dropping at random.
    """
    chance = up_to**2 / 2
    best = area(clairvoyant, up_to) - chance
    return (area(own, up_to) - chance) / best if best > 0 else float("nan")


def skill(
    deal: npt.NDArray[np.int64],
    index: FloatArray,
    remaining_hours: FloatArray,
    worth: FloatArray,
    up_to: float = 1.0,
    weight: FloatArray | None = None,
) -> float:
    """Walk-away skill: 0 is dropping at random, 1 is perfect foresight.

    >>> deal, hours, worth = np.array([0, 1]), np.array([1.0, 1.0]), np.array([0.0, 9.0])
    >>> skill(deal, np.array([1.0, 2.0]), hours, worth)
    1.0
    """
    best = settle_drops(deal, clairvoyant_index(remaining_hours, worth), remaining_hours, worth, weight=weight)
    return skill_of(settle_drops(deal, index, remaining_hours, worth, weight=weight), best, up_to)
