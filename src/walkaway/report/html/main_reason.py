"""Why an hour on a deal is worth too little, in three words: too unlikely, too small, or too much work."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from walkaway.formatting import LocaleFormat

__all__ = ["LEGS", "counted_legs", "leg_shown", "leg_told", "typical_deal", "weakest_leg"]

TOO_UNLIKELY, TOO_SMALL, TOO_LONG = "too unlikely", "too small", "too much work"
NO_GAIN = "nothing to gain"  # an amount of nothing, or sold at a loss
LEGS = {"win_probability": TOO_UNLIKELY, "value_if_won": TOO_SMALL, "remaining_hours": TOO_LONG}
OF_LEG = {leg: name for name, leg in LEGS.items()} | {NO_GAIN: "value_if_won"}
WORDS = {"win_probability": "to win", "value_if_won": "if won", "remaining_hours": "still to spend"}
LEAST = 1e-9
ALSO = 1 / 3  # of the weakest leg's way behind (in logarithms): from there on another leg is told besides


def typical_deal(calls: pd.DataFrame) -> pd.Series:
    """The medians of the deals to pursue, of all where there are none: the columns of LEGS, and value_per_hour.

    Args:
        calls: verdict, value_per_hour and the columns of LEGS.
    """
    pursued = calls[calls["verdict"] == "pursue"]
    return (pursued if len(pursued) else calls)[[*LEGS, "value_per_hour"]].median()


def _behind(calls: pd.DataFrame, typical: pd.Series) -> pd.DataFrame:
    """How far each leg is behind the typical deal's, in logarithms: below 0 where it is; columns of LEGS."""
    behind = np.log(calls[list(LEGS)].clip(lower=LEAST) / typical[list(LEGS)].clip(lower=LEAST))
    behind["remaining_hours"] *= -1
    return behind


def weakest_leg(calls: pd.DataFrame, typical: pd.Series) -> pd.Series:
    """Which of its three legs is the furthest behind the typical deal's, by factor; a value of LEGS, or NO_GAIN.

    >>> calls = pd.DataFrame({"win_probability": [0.4, 0.1], "value_if_won": [10.0, 90.0], "remaining_hours": 1.0})
    >>> weakest_leg(calls, pd.Series({"win_probability": 0.5, "value_if_won": 90.0, "remaining_hours": 1.0})).tolist()
    ['too small', 'too unlikely']
    """
    weakest = _behind(calls, typical).idxmin(axis=1).map(LEGS)
    return weakest.mask(calls["value_if_won"] <= 0, NO_GAIN)


def leg_shown(leg: str, values: Mapping[str, float], wording: LocaleFormat) -> str:
    """What a deal has of a leg.

    >>> leg_shown(TOO_SMALL, {"value_if_won": 5000.0}, LocaleFormat("en"))
    '5,000 if won'
    """
    name = OF_LEG[leg]
    return f"{_amount(name, values, wording)} {WORDS[name]}"


def _amount(name: str, values: Mapping[str, float], wording: LocaleFormat) -> str:
    """A column of LEGS as it is written, without its words."""
    writers: dict[str, Callable[[float], str]] = {
        "win_probability": wording.percent,
        "value_if_won": wording.money,
        "remaining_hours": wording.hours,
    }
    return writers[name](float(values[name]))


def leg_told(call: Mapping[str, float], typical: pd.Series, wording: LocaleFormat, beside: bool = True) -> str:
    """What a deal lacks: its weakest leg, and others nearly as weak; `beside` the typical deal that is kept, or alone.

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
    told = []
    for name in names or behind.index[:1]:
        kept = _amount(name, typical, wording)
        told.append(f"{LEGS[name]}: {leg_shown(LEGS[name], call, wording)}{f' (deals kept: {kept})' if beside else ''}")
    return "; ".join(told)


def counted_legs(calls: pd.DataFrame) -> pd.DataFrame:
    """Deals by weakest leg, most hours first: leg, deals, hours, expected_value, and the medians of the three legs.

    Args:
        calls: leg, expected_value and the columns of LEGS.
    """
    groups = calls.assign(
        deals=1, hours=calls["remaining_hours"], expected_value=calls["expected_value"].clip(lower=0)
    ).groupby("leg")
    summed = groups[["deals", "hours", "expected_value"]].sum().join(groups[list(LEGS)].median())
    return summed.sort_values("hours", ascending=False, kind="stable").reset_index()
