"""How long deals need to end: before that age, only the quick endings of a deal's generation are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["mature_age_days"]

MATURE = 0.95  # share of the older half of the deals that has ended by the mature age
LONGEST, ABANDONED = 0.99, 2.0  # an open deal older than twice this quantile of the lifetimes is taken to be abandoned
LEAST_ENDED = 20  # deals that have ended; with fewer none is taken to be abandoned


def mature_age_days(deals: pd.DataFrame, moment: pd.Timestamp, share: float = MATURE) -> float:
    """The age in days by which a share of the older half of the deals had ended, as known at a moment.

    Only the older half is looked at, because of the younger one only the quick endings are known. A deal that is still
    open counts with its age so far, so that in a young book the mature age can be as long as its history. A deal that
    is open far longer than any deal needed to end is left out: nobody closes it any more, so it tells nothing.

    Args:
        deals: created_at and closed_at; deals created after the moment are left out.
        moment: UTC.
        share: of the deals.

    Returns:
        Days; 0 without deals.

    >>> day = lambda texts: pd.to_datetime(texts, utc=True)
    >>> deals = pd.DataFrame({"created_at": day(["2026-01-01", "2026-01-01", "2026-02-01", "2026-02-01"]),
    ...     "closed_at": day(["2026-01-11", "2026-01-31", "2026-02-02", None])})
    >>> mature_age_days(deals, pd.Timestamp("2026-03-01", tz="UTC"))
    29.0
    """
    known = deals[deals["created_at"] <= moment]
    if known.empty:
        return 0.0
    ended = (known["closed_at"] <= moment).to_numpy()
    age = ((known["closed_at"].where(ended, moment) - known["created_at"]) / pd.Timedelta(days=1)).to_numpy()
    limit = ABANDONED * np.quantile(age[ended], LONGEST) if ended.sum() >= LEAST_ENDED else np.inf
    older = (known["created_at"] <= known["created_at"].quantile(0.5)).to_numpy()
    counted = age[older & (ended | (age <= limit))]
    return float(np.quantile(counted if len(counted) else age[older], share))
