"""Hours for a book without activities: an assumed week of work for each week that a deal was open."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["ASSUMED_WEEK", "assumed_weeks"]

ASSUMED_WEEK = "assumed week"
WEEK = pd.Timedelta(days=7)


def assumed_weeks(deals: pd.DataFrame, newest: pd.Timestamp) -> pd.DataFrame:
    """Activities of kind "assumed week", one for each started week a deal was open, without recorded hours.

    A week is recorded at its end or at the close, whichever is first. The current week of an open deal is left out, as
    it would have been at every earlier moment.

    Args:
        deals: the deals of a book.
        newest: the moment of the newest record in the book.

    >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": pd.to_datetime(["2026-01-01T00:00Z"]),
    ...     "closed_at": pd.to_datetime(["2026-01-10T12:00Z"])})
    >>> weeks = assumed_weeks(deals, pd.Timestamp("2026-02-01", tz="UTC"))
    >>> weeks["recorded_at"].astype(str).tolist()
    ['2026-01-08 00:00:00+00:00', '2026-01-10 12:00:00+00:00']
    """
    closed = deals["closed_at"].notna()
    lasted = (deals["closed_at"].fillna(newest) - deals["created_at"]) / WEEK
    begun = np.maximum(np.ceil(lasted), 1.0)
    count = np.where(closed, begun, np.floor(lasted)).astype(np.int64)
    row = np.repeat(np.arange(len(deals)), count)
    number = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    of = deals.iloc[row].reset_index(drop=True)
    starts = of["created_at"] + number * WEEK
    ends = (starts + WEEK).where(of["closed_at"].isna() | (starts + WEEK <= of["closed_at"]), of["closed_at"])
    return pd.DataFrame(
        {
            "activity_id": of["deal_id"] + "/week " + pd.Series(number + 1).astype("str"),
            "deal_id": of["deal_id"],
            "kind": ASSUMED_WEEK,
            "status": "done",
            "direction": "internal",
            "occurred_at": starts,
            "recorded_at": ends,
            "hours": np.nan,
        }
    )
