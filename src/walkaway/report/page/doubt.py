"""Which of the deals let go a person checks first: close calls, and those whose like earned more than the bar."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.calls import Calls, Model
from walkaway.economics import DROPPED
from walkaway.explain import Attribution, Similarity

__all__ = ["CLOSE", "check_first", "close_to_bar"]

CLOSE = 0.75  # of the bar; such deals of BPI 2012 earned twice as much an hour as the others let go (decision 32)


def close_to_bar(calls: pd.DataFrame) -> pd.Series:
    """Whether an hour on a deal is worth three quarters of the bar or more: a little more of anything would keep it.

    Args:
        calls: value_per_hour and bar, money per hour.

    >>> close_to_bar(pd.DataFrame({"value_per_hour": [74.0, 75.0], "bar": 100.0})).tolist()
    [False, True]
    """
    return calls["value_per_hour"] >= CLOSE * calls["bar"]


def check_first(model: Model, calls: Calls, attribution: Attribution) -> npt.NDArray[np.bool_]:
    """Which of these calls a person checks before the deal is let go, (calls,).

    Those close to the bar, and those of which the settled deals most like them earned more than the bar an hour.
    """
    table = calls.table
    dropped = table["verdict"].isin(DROPPED).to_numpy()
    alike = np.full(len(table), np.nan)
    similarity, places = Similarity.of(model), np.flatnonzero(dropped)
    if similarity and len(places):
        near = similarity.to(attribution.of(places))
        alike[places] = [one.value_per_hour if one else np.nan for one in near]
    return dropped & (close_to_bar(table).to_numpy() | (alike > table["bar"].to_numpy()))
