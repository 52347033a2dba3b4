"""Hours of activities: recorded ones, and ones assumed by kind where none were recorded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["SECONDS_PER_HOUR", "assumed_share", "effort_seconds"]

SECONDS_PER_HOUR = 3600


def _hours(activities: pd.DataFrame, assumed: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """Recorded hours; without them, the hours assumed for a done activity of that kind; otherwise 0."""
    kind, kinds = pd.factorize(activities["kind"])
    status, statuses = pd.factorize(activities["status"])
    usual = np.array([*(assumed.get(name, 0.0) for name in kinds), 0.0])  # the last entry is for code -1, missing
    done = np.array([*(name == "done" for name in statuses), True])
    recorded = activities["hours"].to_numpy(dtype=np.float64)
    hours: npt.NDArray[np.float64] = np.where(np.isnan(recorded), usual[kind] * done[status], recorded)
    return hours


def effort_seconds(activities: pd.DataFrame, assumed: Mapping[str, float]) -> npt.NDArray[np.int64]:
    """Selling time of each activity, in whole seconds.

    >>> rows = pd.DataFrame({"kind": ["call", "call"], "status": "done", "hours": [0.5, None]})
    >>> effort_seconds(rows, {"call": 0.25})
    array([1800,  900])
    """
    return (_hours(activities, assumed) * SECONDS_PER_HOUR).round().astype(np.int64)


def assumed_share(activities: pd.DataFrame, assumed: Mapping[str, float]) -> float:
    """Share of all hours that are assumed rather than recorded, 0 to 1; 0 without hours.

    >>> rows = pd.DataFrame({"kind": ["call", "call"], "status": "done", "hours": [0.75, None]})
    >>> assumed_share(rows, {"call": 0.25})
    0.25
    """
    seconds = effort_seconds(activities, assumed)
    total = int(seconds.sum())
    return int(seconds[activities["hours"].isna().to_numpy()].sum()) / total if total else 0.0
