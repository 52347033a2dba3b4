"""The main reason why a deal is below the bar: too unlikely, too small, or too much work."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from walkaway.formatting import LocaleFormat

__all__ = ["LEGS", "counted_legs", "leg_shown", "leg_told", "typical_deal", "weakest_leg"]

TOO_UNLIKELY, TOO_SMALL, TOO_LONG = "too unlikely", "too small", "too much work"
NO_GAIN = "sold at a loss"  # or an amount of 0
LEGS = {"win_probability": TOO_UNLIKELY, "value_if_won": TOO_SMALL, "remaining_hours": TOO_LONG}
WORTH = ("expected_value", "value_per_hour")
OF_LEG = {leg: name for name, leg in LEGS.items()} | {NO_GAIN: "value_if_won"}
WORDS = {"win_probability": "to win", "value_if_won": "if won", "remaining_hours": "still to spend"}
LEAST = 1e-9
ALSO = 1 / 3  # another leg is named too if it is at least this far behind, as a share of the weakest (in logarithms)


def typical_deal(calls: pd.DataFrame) -> pd.Series:
    """The medians over the deals to pursue, or over all deals if there are none: the columns of LEGS and of WORTH.

    Args:
        calls: verdict, the columns of LEGS and those of WORTH.
    """
    pursued = calls[calls["verdict"] == "pursue"]
    return (pursued if len(pursued) else calls)[[*LEGS, *WORTH]].median()


def _behind(calls: pd.DataFrame, typical: pd.Series) -> pd.DataFrame:
    """Log ratio of each leg to the typical deal's; below 0 where the deal is worse. Columns of LEGS."""
    behind = np.log(calls[list(LEGS)].clip(lower=LEAST) / typical[list(LEGS)].clip(lower=LEAST))
    behind["remaining_hours"] *= -1
    return behind


def weakest_leg(calls: pd.DataFrame, typical: pd.Series) -> pd.Series:
    """Which leg (chance, value or hours) is furthest behind the typical deal's; a value of LEGS, or NO_GAIN.

    Hours that are not known (NaN) are never it.

    >>> calls = pd.DataFrame({"win_probability": [0.4, 0.1], "value_if_won": [10.0, 90.0], "remaining_hours": 1.0})
    >>> weakest_leg(calls, pd.Series({"win_probability": 0.5, "value_if_won": 90.0, "remaining_hours": 1.0})).tolist()
    ['too small', 'too unlikely']
    """
    weakest = _behind(calls, typical).idxmin(axis=1).map(LEGS)
    return weakest.mask(calls["value_if_won"] <= 0, NO_GAIN)


def leg_shown(leg: str, values: Mapping[str, float], wording: LocaleFormat) -> str:
    """A deal's figure for a leg, in words.

    >>> leg_shown(TOO_SMALL, {"value_if_won": 5000.0}, LocaleFormat("en"))
    '5,000 if won'
    """
    name = OF_LEG[leg]
    return f"{_amount(name, values, wording)} {WORDS[name]}"


def _amount(name: str, values: Mapping[str, float], wording: LocaleFormat) -> str:
    """The figure of a column of LEGS, formatted, without its unit in words."""
    writers: dict[str, Callable[[float], str]] = {
        "win_probability": wording.percent,
        "value_if_won": wording.money,
        "remaining_hours": wording.hours,
    }
    return writers[name](float(values[name]))


def leg_told(call: Mapping[str, float], typical: pd.Series, wording: LocaleFormat, beside: bool = True) -> str:
    """Why a deal is below the bar: its weakest leg and others nearly as weak, `beside` the typical deal kept or alone.

    >>> typical = pd.Series({"win_probability": 0.5, "value_if_won": 9000.0, "remaining_hours": 1.0})
    >>> call = {"win_probability": 0.5, "value_if_won": 5000.0, "remaining_hours": 0.9}
    >>> leg_told(call, typical, LocaleFormat("en"))
    'too small: 5,000 if won (deals kept: 9,000)'
    """
    if call["value_if_won"] <= 0:
        return f"{NO_GAIN}: {wording.money(float(call['value_if_won']))} even if won"
    row = pd.DataFrame([{name: call[name] for name in LEGS}])
    behind = _behind(row, typical).iloc[0].sort_values(kind="stable")
    names = [name for name in behind.index if behind[name] <= ALSO * min(behind.iloc[0], -LEAST)]
    reasons = []
    for name in names or behind.index[:1]:
        compared = f" (deals kept: {_amount(name, typical, wording)})" if beside else ""
        reasons.append(f"{LEGS[name]}: {leg_shown(LEGS[name], call, wording)}{compared}")
    return "; ".join(reasons)


def counted_legs(calls: pd.DataFrame) -> pd.DataFrame:
    """Deals by weakest leg, most hours (or deals) first: leg, deals, hours, expected_value, medians of the three legs.

    Args:
        calls: leg, expected_value and the columns of LEGS.
    """
    groups = calls.assign(
        deals=1, hours=calls["remaining_hours"], expected_value=calls["expected_value"].clip(lower=0)
    ).groupby("leg")
    summed = groups[["deals", "hours", "expected_value"]].sum().join(groups[list(LEGS)].median())
    return summed.sort_values(["hours", "deals"], ascending=False, kind="stable").reset_index()
