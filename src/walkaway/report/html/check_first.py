"""Which of the deals to stop a person checks first: those near the bar, and those where similar deals earned more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.economics import DROPPED
from walkaway.explaining import Attribution, Similarity
from walkaway.models import Model

__all__ = ["CLOSE", "alike_earned", "check_first", "close_to_bar"]

CLOSE = (
    0.75  # of the bar; in BPI 2012, such deals earned twice as much per hour as the other dropped deals (decision 32)
)


def close_to_bar(calls: pd.DataFrame) -> pd.Series:
    """Whether the value per hour is three quarters of the bar or more, so that a small change would lift it over.

    Args:
        calls: value_per_hour and bar, money per hour.

    >>> close_to_bar(pd.DataFrame({"value_per_hour": [74.0, 75.0], "bar": 100.0})).tolist()
    [False, True]
    """
    return calls["value_per_hour"] >= CLOSE * calls["bar"]


def alike_earned(model: Model, table: pd.DataFrame, attribution: Attribution) -> npt.NDArray[np.float64]:
    """What the settled deals most like each dropped deal earned per hour, (calls,); NaN if there are none.

    Args:
        model: the model that made the calls; it stores settled deals.
        table: the calls: verdict.
        attribution: the attribution of their rows.
    """
    earned = np.full(len(table), np.nan)
    similarity, places = Similarity.of(model), np.flatnonzero(table["verdict"].isin(DROPPED))
    if similarity and len(places):
        similar = similarity.to(attribution.of(places))
        earned[places] = [deals.value_per_hour if deals else np.nan for deals in similar]
    return earned


def check_first(calls: pd.DataFrame) -> pd.Series:
    """Which dropped deals a person checks first: those close to the bar, or where similar deals earned more than it.

    Args:
        calls: verdict, value_per_hour, bar and alike_value_per_hour (`alike_earned`).

    >>> calls = pd.DataFrame({"verdict": ["walk_away", "walk_away", "pursue"], "value_per_hour": [10.0, 10.0, 110.0]})
    >>> check_first(calls.assign(bar=100.0, alike_value_per_hour=[50.0, 120.0, 120.0])).tolist()
    [False, True, False]
    """
    return calls["verdict"].isin(DROPPED) & (close_to_bar(calls) | (calls["alike_value_per_hour"] > calls["bar"]))
