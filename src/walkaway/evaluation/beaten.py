"""Which simple predictions and rankings beat a model on the same out-of-time calls."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

__all__ = ["beaten_by"]

MEASURES = {
    "win": "log loss",
    "skill": "walk-away skill",
}  # the tables with a gain over each baseline, and what it is of
# The model's own, and the base rate: a model that is not better than it has no signal, and publishes it.
NOT_BASELINES = ("win_probability", "value_per_hour", "expected_value", "base_rate")


def beaten_by(tables: Mapping[str, pd.DataFrame]) -> tuple[dict[str, str | float], ...]:
    """The baselines that are better than the model beyond noise: the whole 90% interval of the gain is below 0.

    Args:
        tables: `win` of `win_metrics` and `skill` of `skills`, as far as measured.

    Returns:
        For each: measure, by (the baseline), and gain, low, high (of the model over it; below 0).

    >>> columns = ["gain", "gain_low", "gain_high"]
    >>> win = pd.DataFrame([[0, 0, 0], [-0.02, -0.03, -0.01]], ["win_probability", "logistic"], columns)
    >>> beaten_by({"win": win})
    ({'measure': 'log loss', 'by': 'logistic', 'gain': -0.02, 'low': -0.03, 'high': -0.01},)
    """
    found = []
    for name, measure in MEASURES.items():
        table = tables.get(name, pd.DataFrame())
        for baseline, row in table.iterrows():
            if baseline not in NOT_BASELINES and row["gain_high"] < 0:
                values = {"gain": row["gain"], "low": row["gain_low"], "high": row["gain_high"]}
                found.append({"measure": measure, "by": str(baseline)} | {k: float(v) for k, v in values.items()})
    return tuple(found)
