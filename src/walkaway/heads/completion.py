"""Labels of deals that are still open when the data ends are completed by the model's own prediction.

Treating them as lost would be wrong, and leaving them out would favour deals that end quickly. Instead, each round
trains on every snapshot: on what was observed so far, plus, for open deals, what the previous round predicts for their
latest state. The first round trains on settled deals only.

All snapshots of a deal share its one outcome, which is noisy. `lambda_returns` replaces part of it by the model's own
prediction at the deal's next snapshot (temporal differences; Sutton, Machine Learning 3, 1988), which has the same
expectation with less noise.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["complete_and_fit", "lambda_returns"]

FloatArray = npt.NDArray[np.float64]
Fitted = TypeVar("Fitted")


def lambda_returns(final: FloatArray, value: FloatArray, latest: npt.NDArray[np.int64], decay: float) -> FloatArray:
    """Targets that mix the outcome of each deal with the model's predictions at its later snapshots.

    target(t) = (1 - decay) x value(t + 1) + decay x target(t + 1), and the final value on the deal's last
    row. A decay of 1 leaves the final values alone.

    Args:
        final: the final value of each row's deal, (rows,).
        value: the model's prediction for each row, (rows,).
        latest: position of each row's deal's last row; rows sorted by deal and moment.
        decay: between 0 and 1.

    >>> lambda_returns(np.array([1.0, 1.0]), np.array([0.4, 0.6]), np.array([1, 1]), 0.5)
    array([0.8, 1. ])
    """
    target = final.copy()
    to_end = latest - np.arange(len(latest))
    order = np.argsort(to_end, kind="stable")
    bounds = np.searchsorted(to_end[order], np.arange(1, to_end.max(initial=0) + 2))
    for begin, end in pairwise(bounds):
        rows = order[begin:end]
        target[rows] = (1 - decay) * value[rows + 1] + decay * target[rows + 1]
    return target


def complete_and_fit(
    fit: Callable[[npt.NDArray[np.bool_], FloatArray, bool], Fitted],
    predict: Callable[[Fitted], FloatArray],
    observed: FloatArray,
    settled: npt.NDArray[np.bool_],
    latest: npt.NDArray[np.int64],
    rounds: int,
    decay: float = 1.0,
) -> tuple[Fitted, FloatArray]:
    """Fit, complete the labels of open deals, fit again.

    Args:
        fit: from (mask of rows, targets of those rows, whether this is the last fit) to a model.
        predict: from a model to its prediction for every row.
        observed: known by the end of the data: won, 1 or 0 (0 while open), or hours so far.
        settled: whether the row's deal had closed by then.
        latest: position of each row's deal's last row.
        rounds: how often labels are completed; without open deals and with a decay of 1, one fit is enough.
        decay: of `lambda_returns`; below 1 only where `observed` is the same on all rows of a deal.

    Returns:
        The last model, and the completed labels it was trained on.
    """
    everything = np.ones(len(observed), dtype=bool)
    rounds = 0 if settled.all() and decay == 1 else rounds
    model = fit(settled, observed[settled], rounds == 0)
    target = observed
    for left in reversed(range(rounds)):
        value = predict(model)
        target = observed + np.where(settled, 0.0, value[latest])
        model = fit(everything, lambda_returns(target, value, latest, decay) if decay < 1 else target, left == 0)
    return model, target
