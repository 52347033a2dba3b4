"""How much better one model is than another on the same calls, with intervals over deals."""

from __future__ import annotations

import pandas as pd

from walkaway.evaluation.metrics import DealDraws, interval, log_loss_rows
from walkaway.evaluation.ranking import paired_skill

__all__ = ["OTHER", "paired_gains"]

OTHER = "_other"  # suffix of the other model's columns


def paired_gains(calls: pd.DataFrame, draws: int) -> dict[str, float]:
    """Gain in log loss (on settled calls) and in walk-away skill (on all calls); above 0: better than the other model.

    Args:
        calls: deal_id, won (1, 0, or NaN while open), remaining_hours_truth, worth_truth, win_probability and
            value_per_hour, and the last two of the other model with the suffix OTHER; sorted by deal_id and as_of; at
            least one settled.
        draws: of the bootstrap.

    Returns:
        log_loss_gain and skill_gain, each with its 90% interval (_low, _high).

    >>> own = {"won": [1.0, 0.0], "win_probability": [0.9, 0.1], "value_per_hour": [9.0, 1.0]}
    >>> calls = pd.DataFrame(own | {"deal_id": ["a", "b"], "remaining_hours_truth": 1.0, "worth_truth": [9.0, 0.0]})
    >>> calls = calls.assign(win_probability_other=0.5, value_per_hour_other=5.0)
    >>> {name: round(value, 3) for name, value in paired_gains(calls, draws=20).items() if "_gain_" not in name}
    {'log_loss_gain': 0.588, 'skill_gain': 1.0}
    """
    settled = calls[calls["won"].notna()]
    won = settled["won"].to_numpy(dtype=float)
    own, other = (log_loss_rows(won, settled["win_probability" + of].to_numpy()) for of in ("", OTHER))
    low, high = interval(DealDraws.of(settled["deal_id"].to_numpy(), draws).means(other - own))
    skill, skill_low, skill_high = paired_skill(calls, "value_per_hour", "value_per_hour" + OTHER, draws)
    return {
        "log_loss_gain": float((other - own).mean()),
        "log_loss_gain_low": low,
        "log_loss_gain_high": high,
        "skill_gain": skill,
        "skill_gain_low": skill_low,
        "skill_gain_high": skill_high,
    }
