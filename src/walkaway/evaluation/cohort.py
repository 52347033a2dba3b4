"""Which out-of-time calls can be judged: those made long enough ago for nearly every deal to have ended since.

Of the deals called recently only the quick endings are known. Where wins are quick and losses slow, or the other way
round, metrics of all settled deals are wrong in either direction (decision 37). So a whole period is judged: the calls
up to a moment after which there was time to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.evaluation.metrics import LEAST_DEALS_TO_JUDGE

__all__ = ["HAD_TIME", "SHARES", "Cohort", "cohort_of", "judged"]

HAD_TIME = "had_time"  # the column of calls that marks the cohort
SHARES = (0.95, 0.90, 0.80)  # of the deals that must have had time to end, tried in this order


@dataclass(frozen=True)
class Cohort:
    """The calls that had time to end.

    share: of deals that end within so many `days`. made_by: the last moment of a call that was followed by that many
    days. deals: called by then; still_open: those of them that have not ended all the same. calls: of the others.
    """

    share: float
    days: float
    made_by: pd.Timestamp
    calls: int
    deals: int
    still_open: int

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"made_by": self.made_by.isoformat()}


def _can_be_judged(calls: pd.DataFrame) -> bool:
    return bool(calls["deal_id"].nunique() >= LEAST_DEALS_TO_JUDGE and calls["won"].nunique() == 2)


def cohort_of(calls: pd.DataFrame, ages: Sequence[tuple[float, float]], until: pd.Timestamp) -> Cohort | None:
    """The first cohort whose calls can be judged: enough settled deals, some won and some lost; None if there is none.

    Args:
        calls: deal_id, as_of, settled, won (1 or 0 where settled).
        ages: share of deals, and days within which that share of deals ends; the most demanding first.
        until: the moment up to which endings are known.

    >>> at = pd.to_datetime(["2026-01-01"] * 40, utc=True)
    >>> calls = pd.DataFrame({"deal_id": range(40), "as_of": at, "settled": [True] * 39 + [False]})
    >>> calls = calls.assign(won=[1.0, 0.0] * 20)
    >>> found = cohort_of(calls, [(0.95, 90.0), (0.80, 20.0)], pd.Timestamp("2026-02-01", tz="UTC"))
    >>> (found.share, str(found.made_by.date()), found.calls, found.deals, found.still_open)
    (0.8, '2026-01-12', 39, 40, 1)
    """
    for share, days in ages:
        made_by = until - pd.Timedelta(days=days)
        early = calls[calls["as_of"] <= made_by] if len(calls) else calls
        settled = early[early["settled"].astype(bool)] if len(early) else early
        if len(settled) and _can_be_judged(settled):
            deals, ended = early["deal_id"].nunique(), settled["deal_id"].nunique()
            return Cohort(share, days, made_by, len(settled), deals, deals - ended)
    return None


def judged(calls: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which calls metrics of wins are of: those of the cohort whose deal has ended, (calls,).

    Args:
        calls: settled, and HAD_TIME where the deals have dates.

    >>> judged(pd.DataFrame({"settled": [True, True, False], "had_time": [True, False, True]}))
    array([ True, False, False])
    """
    if calls.empty:
        return np.zeros(0, dtype=bool)
    settled: npt.NDArray[np.bool_] = calls["settled"].to_numpy(dtype=bool)
    return np.logical_and(settled, calls[HAD_TIME].to_numpy(dtype=bool)) if HAD_TIME in calls else settled
