"""Deals still open when the data ends are not lost: their labels are completed by the model's own prediction.

Dropping them favours quick endings. Instead each round trains on every snapshot: what was observed so far, plus, for
open deals, what the previous round predicts from their latest state on. The first round sees settled deals only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["complete_and_fit", "latest_rows"]

FloatArray = npt.NDArray[np.float64]
Fitted = TypeVar("Fitted")


def latest_rows(deal: npt.NDArray) -> npt.NDArray[np.int64]:
    """For each row, the position of its deal's last row; rows sorted by deal and moment.

    >>> latest_rows(np.array([0, 0, 1]))
    array([1, 1, 2])
    """
    ends = np.flatnonzero(np.r_[deal[1:] != deal[:-1], True]) if len(deal) else np.zeros(0, dtype=np.int64)
    return ends[np.searchsorted(ends, np.arange(len(deal)))]


def complete_and_fit(
    fit: Callable[[npt.NDArray[np.bool_], FloatArray], Fitted],
    predict: Callable[[Fitted], FloatArray],
    observed: FloatArray,
    settled: npt.NDArray[np.bool_],
    latest: npt.NDArray[np.int64],
    rounds: int,
) -> tuple[Fitted, FloatArray]:
    """Fit, complete the labels of open deals, fit again.

    Args:
        fit: from (mask of rows, targets of those rows) to a model.
        predict: from a model to its prediction for every row.
        observed: what was seen by the end of the data: 1 or 0 won (0 while open), or hours so far.
        settled: whether the row's deal had closed by then.
        latest: position of each row's deal's last row.
        rounds: how often to complete; without open deals one fit is enough.

    Returns:
        The last model, and the completed targets it was trained on.
    """
    everything = np.ones(len(observed), dtype=bool)
    model = fit(settled, observed[settled])
    target = observed
    for _ in range(rounds if not settled.all() else 0):
        target = observed + np.where(settled, 0.0, predict(model)[latest])
        model = fit(everything, target)
    return model, target
