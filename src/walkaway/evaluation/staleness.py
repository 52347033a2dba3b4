"""The cost of retraining less often: older models compared with the newest one on the same calls."""

from __future__ import annotations

import pandas as pd

from walkaway.evaluation.cohort import judged
from walkaway.evaluation.paired import OTHER, paired_gains

__all__ = ["staleness"]


def staleness(fresh: pd.DataFrame, stale: pd.DataFrame, draws: int) -> pd.DataFrame:
    """How much log loss and skill get worse with models one, two, ... periods older, paired on the same calls.

    Args:
        fresh: calls by the newest model of each moment: deal_id, as_of, known_until, settled, had_time, won,
            win_probability, value_per_hour, remaining_hours_truth, worth_truth; sorted by deal_id and as_of.
        stale: deal_id, as_of, known_until, periods_older (1, 2, ...), win_probability, value_per_hour of older models.
        draws: of the bootstrap.

    Returns:
        Indexed by periods_older: days_older (mean), calls, deals, settled_deals, log_loss_lost with its 90% interval
        over deals (log_loss_lost_low, _high; above 0: the older model is worse), skill_lost with its interval.
    """
    rows = {}
    for older, calls in stale.groupby("periods_older"):
        both = fresh.merge(calls, on=["deal_id", "as_of"], suffixes=("", OTHER))
        ended = judged(both)
        if not ended.any():
            continue
        days = (both["known_until"] - both["known_until" + OTHER]) / pd.Timedelta(days=1)
        row = {"days_older": float(days.mean()), "calls": len(both), "deals": both["deal_id"].nunique()}
        row["settled_deals"] = both.loc[ended, "deal_id"].nunique()
        lost = paired_gains(both.assign(won=both["won"].where(ended)), draws)
        rows[older] = row | {name.replace("_gain", "_lost"): value for name, value in lost.items()}
    return pd.DataFrame(rows).T.rename_axis("periods_older")
