"""Which of the deals let go a person checks first: close calls, and those whose like earned more than the bar."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.economics import DROPPED
from walkaway.explaining import Attribution, Similarity
from walkaway.models import Model

__all__ = ["CLOSE", "alike_earned", "check_first", "close_to_bar"]

CLOSE = 0.75  # of the bar; such deals of BPI 2012 earned twice as much an hour as the others let go (decision 32)


def close_to_bar(calls: pd.DataFrame) -> pd.Series:
    """Whether an hour on a deal is worth three quarters of the bar or more: a little more of anything would keep it.

    Args:
        calls: value_per_hour and bar, money per hour.

    >>> close_to_bar(pd.DataFrame({"value_per_hour": [74.0, 75.0], "bar": 100.0})).tolist()
    [False, True]
    """
    return calls["value_per_hour"] >= CLOSE * calls["bar"]


def alike_earned(model: Model, table: pd.DataFrame, attribution: Attribution) -> npt.NDArray[np.float64]:
    """What an hour on the settled deals most like each dropped deal earned, (calls,); NaN where none are known.

    Args:
        model: that made the calls, and remembers settled deals.
        table: of calls: verdict.
        attribution: of their rows.
    """
    earned = np.full(len(table), np.nan)
    similarity, places = Similarity.of(model), np.flatnonzero(table["verdict"].isin(DROPPED))
    if similarity and len(places):
        near = similarity.to(attribution.of(places))
        earned[places] = [one.value_per_hour if one else np.nan for one in near]
    return earned


def check_first(calls: pd.DataFrame) -> pd.Series:
    """Which calls a person checks before the deal is let go: those close to the bar, and whose like earned more.

    Args:
        calls: verdict, value_per_hour, bar and alike_value_per_hour (`alike_earned`).

    >>> calls = pd.DataFrame({"verdict": ["walk_away", "walk_away", "pursue"], "value_per_hour": [10.0, 10.0, 110.0]})
    >>> check_first(calls.assign(bar=100.0, alike_value_per_hour=[50.0, 120.0, 120.0])).tolist()
    [False, True, False]
    """
    return calls["verdict"].isin(DROPPED) & (close_to_bar(calls) | (calls["alike_value_per_hour"] > calls["bar"]))
