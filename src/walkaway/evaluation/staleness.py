"""What it costs to retrain less often: the same calls by the newest model and by older ones."""

from __future__ import annotations

import pandas as pd

from walkaway.evaluation.metrics import DealDraws, interval, log_loss_rows
from walkaway.evaluation.ranking import paired_skill

__all__ = ["staleness"]


def staleness(fresh: pd.DataFrame, stale: pd.DataFrame, draws: int) -> pd.DataFrame:
    """Log loss and skill lost by models one, two, ... periods older, paired on the same calls.

    Args:
        fresh: calls by the newest model of each moment: deal_id, as_of, known_until, settled, won, win_probability,
            value_per_hour, remaining_hours_truth, worth_truth; sorted by deal_id and as_of.
        stale: deal_id, as_of, known_until, periods_older (1, 2, ...), win_probability, value_per_hour of older models.
        draws: of the bootstrap.

    Returns:
        Indexed by periods_older: days_older (mean), calls, deals, log_loss_lost with its 90% interval over deals
        (log_loss_lost_low, _high; above 0: the older model is worse), skill_lost with its interval.
    """
    rows = {}
    for older, calls in stale.groupby("periods_older"):
        both = fresh.merge(calls, on=["deal_id", "as_of"], suffixes=("", "_older"))
        if both.empty or not both["settled"].any():
            continue
        days = (both["known_until"] - both["known_until_older"]) / pd.Timedelta(days=1)
        row = {"days_older": float(days.mean()), "calls": len(both), "deals": both["deal_id"].nunique()}
        rows[older] = row | _log_loss_lost(both, draws) | _skill_lost(both, draws)
    return pd.DataFrame(rows).T.rename_axis("periods_older")


def _log_loss_lost(both: pd.DataFrame, draws: int) -> dict[str, float]:
    settled = both[both["settled"].astype(bool)]
    won = settled["won"].to_numpy(dtype=float)
    old, new = (log_loss_rows(won, settled[name].to_numpy()) for name in ("win_probability_older", "win_probability"))
    low, high = interval(DealDraws.of(settled["deal_id"].to_numpy(), draws).means(old - new))
    return {"log_loss_lost": float((old - new).mean()), "log_loss_lost_low": low, "log_loss_lost_high": high}


def _skill_lost(both: pd.DataFrame, draws: int) -> dict[str, float]:
    lost, low, high = paired_skill(both, "value_per_hour", "value_per_hour_older", draws)
    return {"skill_lost": lost, "skill_lost_low": low, "skill_lost_high": high}
