"""At which moments a replay calls deals, and by which model."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from walkaway.asof import moments

__all__ = ["Period", "Stretch"]


@dataclass(frozen=True)
class Stretch:
    """Moments whose calls one model makes. It is trained on what was known at the first of them."""

    trained_at: pd.Timestamp
    at: pd.DatetimeIndex


@dataclass(frozen=True)
class Period:
    """The first and the last moment of calls, the days between calls, and the days between trainings."""

    begin: pd.Timestamp
    end: pd.Timestamp
    every_days: float = 1.0
    retrain_days: float = 30.0

    def stretches(self) -> list[Stretch]:
        """The period, cut at each training: at the first call, then at each first call `retrain_days` or more later.

        >>> day = pd.Timestamp("2026-01-01", tz="UTC")
        >>> period = Period(day, day + pd.Timedelta(days=4), every_days=1, retrain_days=2)
        >>> [len(stretch.at) for stretch in period.stretches()]
        [2, 2, 1]
        """
        gap = pd.Timedelta(days=self.retrain_days)
        groups: list[list[pd.Timestamp]] = []
        for moment in moments(self.begin, self.end, self.every_days):
            if not groups or moment - groups[-1][0] >= gap:
                groups.append([])
            groups[-1].append(moment)
        return [Stretch(group[0], pd.DatetimeIndex(group)) for group in groups]

    def as_json(self) -> dict[str, object]:
        """The period as plain JSON values."""
        begin, end = self.begin.isoformat(), self.end.isoformat()
        return {"from": begin, "to": end, "every_days": self.every_days, "retrain_days": self.retrain_days}
