"""The curve from which every dial picks a bar: the hours still worked at each bar, and the value lost at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from walkaway.economics.drops import Drops, schedule_drops
from walkaway.economics.guarantee import CONFIDENCE
from walkaway.formatting import LocaleFormat

__all__ = ["Curve", "Gain", "equal_wins"]

FloatArray = npt.NDArray[np.float64]


class Gain(NamedTuple):
    """What a bar would have saved and lost on past deals: hours, their worth at the bar, and won value (money)."""

    hours: float
    worth: float
    lost: float

    @property
    def total(self) -> float:
        """The worth of the saved hours less the lost value; below 0, the bar would have cost money."""
        return self.worth - self.lost


@dataclass(frozen=True)
class Curve:
    """What each bar would have saved and lost on past calls. Every dial picks its bar from this one curve.

    bars: ascending, money per hour. The first of a settled curve is 0: no bar is set, and only deals sold at a loss are
    dropped. hours_per_week: hours worked under the bar, of those booked within the period. hours_saved and
    value_forgone: shares (0 to 1) of all hours and all won value up to the end of each deal. estimated: False only once
    enough of the calls behind the curve have been settled. guaranteed: (share, bar) pairs, ascending: the highest bar
    that loses no more than the share of won value, by the guarantee (`economics.guarantee`). hours and value: all hours
    and all won value (money) that the shares are of; 0 where they are not known. wins: how many wins of equal value
    tell as much as those behind the curve (`equal_wins`); 0 where not known.
    """

    bars: tuple[float, ...]
    hours_per_week: tuple[float, ...]
    hours_saved: tuple[float, ...]
    value_forgone: tuple[float, ...]
    estimated: bool = True
    guaranteed: tuple[tuple[float, float], ...] = ()
    hours: float = 0.0
    value: float = 0.0
    wins: float = 0.0

    @classmethod
    def settled(
        cls,
        deal: npt.NDArray[np.int64],
        walk_away_above: FloatArray,
        hours: FloatArray,
        worth: FloatArray,
        booked: FloatArray,
        weeks: float,
        estimated: bool = True,
    ) -> Curve:
        """The curve of past calls: hours saved and value lost had the verdicts been followed, at each bar and at none.

        Args:
            deal: code of each call's deal; rows sorted by deal and moment.
            walk_away_above: the bar above which each call is a drop (money per hour); -inf: at every bar; inf: at none.
            hours: from each call to the end of its deal.
            worth: money won in the end, the same on all calls of a deal.
            booked: hours from each call to the end of the period; hours_per_week counts these.
            weeks: length of the period.
            estimated: whether the outcomes of some deals are model expectations.

        Returns:
            A curve without bars where no call is a drop at any bar.

        >>> deal, above = np.array([0, 1]), np.array([2.0, 5.0])
        >>> hours, worth, booked = np.array([30.0, 10.0]), np.array([0.0, 9.0]), np.array([3.0, 5.0])
        >>> curve = Curve.settled(deal, above, hours, worth, booked, weeks=1.0)
        >>> curve.bars, curve.hours_per_week, curve.hours_saved
        ((0.0, 2.0, 5.0), (8.0, 8.0, 5.0), (0.0, 0.0, 0.75))
        """
        finite = walk_away_above[np.isfinite(walk_away_above)]
        bars = np.union1d([0.0], finite) if len(finite) else finite
        schedule = schedule_drops(deal, walk_away_above, bars)
        return cls.of(schedule.settle(hours, worth), weeks, schedule.settle(booked, worth), estimated=estimated)

    @classmethod
    def of(
        cls, drops: Drops, weeks: float, booked: Drops | None = None, points: int = 200, estimated: bool = True
    ) -> Curve:
        """The curve of settled drops, thinned to `points` bars above 0. The bar of 0 (no bar set) is always kept.

        Args:
            drops: settled with all hours up to the end of each deal.
            weeks: length of the period.
            booked: the same drops settled with the hours booked within the period, where not all were.
            points: how many bars to keep.
            estimated: whether the outcomes of some deals are model expectations.
        """
        within = drops if booked is None else booked
        at = _thinned(drops.bars, points)
        saved = drops.hours_saved[at] / drops.hours if drops.hours else np.zeros(len(at))
        forgone = drops.value_forgone[at] / drops.value if drops.value else np.zeros(len(at))
        worked = (within.hours - within.hours_saved[at]) / weeks
        columns = (drops.bars[at], worked, saved, forgone)
        bars, hours, shares, values = (tuple(map(float, column)) for column in columns)
        return cls(bars, hours, shares, values, estimated, hours=float(drops.hours), value=float(drops.value))

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Curve:
        """The curve as written by `dataclasses.asdict` and JSON; what it had not always had may be missing.

        Raises:
            KeyError: a part is missing.
        """
        columns = [tuple(described[name]) for name in ("bars", "hours_per_week", "hours_saved", "value_forgone")]
        guaranteed = tuple((float(share), float(bar)) for share, bar in described.get("guaranteed", ()))
        totals = [float(described.get(name, 0.0)) for name in ("hours", "value", "wins")]
        bars, worked, saved, forgone = columns
        return cls(bars, worked, saved, forgone, bool(described["estimated"]), guaranteed, *totals)

    def bar_for_forgo(self, share: float) -> float:
        """The highest bar at which no more than that share of won value is lost; 0 where there is none.

        >>> Curve((1.0, 2.0, 3.0), (9.0, 5.0, 2.0), (0.1, 0.5, 0.8), (0.0, 0.1, 0.4)).bar_for_forgo(0.10)
        2.0
        """
        fits = np.flatnonzero(np.asarray(self.value_forgone) <= share)
        return self.bars[fits[-1]] if len(fits) else 0.0

    def bar_for_capacity(self, hours_per_week: float) -> float:
        """The lowest bar at which the weekly hours fit the team's capacity; the highest bar where none does.

        >>> Curve((1.0, 2.0, 3.0), (9.0, 5.0, 2.0), (0.1, 0.5, 0.8), (0.0, 0.1, 0.4)).bar_for_capacity(6.0)
        2.0
        """
        if not self.bars or self.at(0.0)[0] <= hours_per_week:
            return 0.0
        fits = np.flatnonzero(np.asarray(self.hours_per_week) <= hours_per_week)
        return self.bars[fits[0]] if len(fits) else self.bars[-1]

    def guaranteed_bar_for(self, share: float) -> float:
        """The highest bar that is guaranteed to lose no more than that share of won value; 0 where there is none.

        >>> Curve((), (), (), (), guaranteed=((0.08, 2.0), (0.15, 5.0))).guaranteed_bar_for(0.10)
        2.0
        """
        return max((bar for limit, bar in self.guaranteed if limit <= share + 1e-12), default=0.0)

    def refusal(self, share: float, fmt: LocaleFormat) -> str:
        """A sentence where no bar above 0 can be guaranteed for that share; empty where one can.

        >>> Curve((), (), (), (), guaranteed=((0.36, 5.0),)).refusal(0.10, LocaleFormat("en"))
        'No bar meets a 10% loss limit at 90% confidence; none is set. The smallest limit that one meets is 36%.'
        """
        if self.guaranteed_bar_for(share) > 0:
            return ""
        least = (
            f"The smallest limit that one meets is {fmt.percent(self.guaranteed[0][0])}."
            if self.guaranteed
            else "No bar meets any other limit either."
        )
        limit = f"a {fmt.percent(share)} loss limit at {fmt.percent(CONFIDENCE)} confidence"
        return f"No bar meets {limit}; none is set. {least}"

    def bar_of(
        self, *, forgo: float, bar: float | None = None, capacity: float | None = None, guarantee: bool = False
    ) -> float:
        """The bar that a dial picks: `bar` itself, or by `capacity` (hours a week), or by `forgo` (share of value).

        With `guarantee` the share of `forgo` is guaranteed rather than estimated.
        """
        if bar is not None:
            return bar
        if guarantee and capacity is None:
            return self.guaranteed_bar_for(forgo)
        return self.bar_for_forgo(forgo) if capacity is None else self.bar_for_capacity(capacity)

    def at(self, bar: float) -> tuple[float, float, float]:
        """(hours_per_week, hours_saved, value_forgone) at a bar: interpolated linearly, constant outside the bars."""
        if not self.bars:
            return float("nan"), 0.0, 0.0
        columns = (self.hours_per_week, self.hours_saved, self.value_forgone)
        worked, saved, forgone = (float(np.interp(bar, self.bars, column)) for column in columns)
        return worked, saved, forgone

    def gain_at(self, bar: float) -> Gain | None:
        """What a bar would have gained on the deals behind the curve, an hour being worth the bar; None if not known.

        >>> Curve((0.0, 2.0), (9.0, 5.0), (0.0, 0.5), (0.0, 0.1), hours=100.0, value=900.0).gain_at(2.0)
        Gain(hours=50.0, worth=100.0, lost=90.0)
        """
        if not self.bars or not self.hours:
            return None
        _, saved, forgone = self.at(bar)
        hours = saved * self.hours
        return Gain(hours, bar * hours, forgone * self.value)


def equal_wins(value: FloatArray) -> float:
    """How many wins of equal value hold as much evidence as wins of these values: (sum v)^2 / sum v^2 (Kish, 1965).

    Args:
        value: of each settled deal, money; what is not above 0 is no win.

    >>> equal_wins(np.array([5.0, 5.0, 0.0])), equal_wins(np.array([3.0, 1.0])), equal_wins(np.array([]))
    (2.0, 1.6, 0.0)
    """
    won = value[value > 0]
    return float(won.sum() ** 2 / (won**2).sum()) if len(won) else 0.0


def _thinned(bars: FloatArray, points: int) -> npt.NDArray[np.int64]:
    """Positions of `points` evenly spread bars, first and last included, and of the bar of 0 if there is one."""
    unset = int(len(bars) > 0 and bars[0] == 0)
    others = len(bars) - unset
    kept = np.linspace(unset, len(bars) - 1, min(points, others)).round().astype(np.int64)
    return np.unique(np.r_[np.arange(unset), kept])
