"""Why an hour on a deal is worth too little, in three words: too unlikely, too small, or too much work."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from walkaway.wording import Wording

__all__ = ["LEGS", "TOO_LONG", "TOO_SMALL", "TOO_UNLIKELY", "counted_legs", "leg_said", "typical_legs", "weakest_leg"]

TOO_UNLIKELY, TOO_SMALL, TOO_LONG = "too unlikely", "too small", "too much work"
AT_A_LOSS = "sold at a loss"
LEGS = {"win_probability": TOO_UNLIKELY, "value_if_won": TOO_SMALL, "remaining_hours": TOO_LONG}
LEAST = 1e-9


def typical_legs(calls: pd.DataFrame) -> pd.Series:
    """The median win_probability, value_if_won and remaining_hours of the deals to pursue; of all where there are none.

    Args:
        calls: verdict and the columns of LEGS.
    """
    pursued = calls[calls["verdict"] == "pursue"]
    return (pursued if len(pursued) else calls)[list(LEGS)].median()


def weakest_leg(calls: pd.DataFrame, typical: pd.Series) -> pd.Series:
    """Which of its three legs is the furthest behind the typical deal's, by factor; a value of LEGS, or AT_A_LOSS.

    >>> calls = pd.DataFrame({"win_probability": [0.4, 0.1], "value_if_won": [10.0, 90.0], "remaining_hours": 1.0})
    >>> weakest_leg(calls, pd.Series({"win_probability": 0.5, "value_if_won": 90.0, "remaining_hours": 1.0})).tolist()
    ['too small', 'too unlikely']
    """
    behind = np.log(calls[list(LEGS)].clip(lower=LEAST) / typical.clip(lower=LEAST))
    behind["remaining_hours"] *= -1
    weakest = behind.idxmin(axis=1).map(LEGS)
    return weakest.mask(calls["value_if_won"] <= 0, AT_A_LOSS)


def leg_said(call: dict[str, float], leg: str, typical: pd.Series, wording: Wording) -> str:
    """A deal's weakest leg beside the typical deal's.

    >>> typical = pd.Series({"win_probability": 0.5, "value_if_won": 9000.0, "remaining_hours": 1.0})
    >>> leg_said({"value_if_won": 5000.0}, TOO_SMALL, typical, Wording("en"))
    'too small: 5,000 if won, above the bar 9,000'
    """
    shown: dict[str, tuple[str, Callable[[float], str], str]] = {
        TOO_UNLIKELY: ("win_probability", wording.percent, "to win"),
        TOO_SMALL: ("value_if_won", wording.money, "if won"),
        TOO_LONG: ("remaining_hours", wording.hours, "still to spend"),
    }
    if leg not in shown:
        return f"{leg}: {wording.money(call['value_if_won'])} even if won"
    name, write, what = shown[leg]
    return f"{leg}: {write(float(call[name]))} {what}, above the bar {write(float(typical[name]))}"


def counted_legs(calls: pd.DataFrame) -> pd.DataFrame:
    """Deals, hours and expected value by weakest leg, most hours first: leg, deals, hours, expected_value.

    Args:
        calls: leg, remaining_hours, expected_value.
    """
    counts = calls.assign(deals=1, expected_value=calls["expected_value"].clip(lower=0)).groupby("leg")
    summed = counts[["deals", "remaining_hours", "expected_value"]].sum().rename(columns={"remaining_hours": "hours"})
    return summed.sort_values("hours", ascending=False, kind="stable").reset_index()
