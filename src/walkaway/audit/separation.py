"""How well one column alone separates two kinds of deals; cross-fitted, so that it does not fit its own noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

__all__ = ["LEAST_TO_SUSPECT", "Separation", "binned", "separation"]

FloatArray = npt.NDArray[np.float64]
LEAST_TO_SUSPECT = 20  # deals of either kind; with fewer there is no result
BINS = 16
FOLDS = 5
PRIOR = 5.0  # weight of the average in the rate of each bin, in deals
Z = 1.645  # of a one-sided 95% bound


@dataclass(frozen=True)
class Separation:
    """AUC of a column alone, and the lower end of its 90% interval; NaN where deals are too few."""

    auc: float = float("nan")
    low: float = float("nan")


def binned(values: FloatArray, categorical: bool) -> npt.NDArray[np.int64]:
    """Bins of a column: its categories, or BINS quantiles of its numbers; missing is bin 0.

    >>> binned(np.array([np.nan, 0.0, 3.0]), categorical=True)
    array([0, 1, 4])
    """
    filled = ~np.isnan(values)
    if categorical or not filled.any():
        return np.where(filled, np.nan_to_num(values, nan=-1.0) + 1, 0).astype(np.int64)
    edges = np.unique(np.quantile(values[filled], np.linspace(0, 1, BINS + 1)))
    return np.where(filled, np.searchsorted(edges, values, side="right"), 0)


def _rates(bins: npt.NDArray[np.int64], outcome: FloatArray, weight: FloatArray) -> FloatArray:
    """The outcome's rate in each row's bin, computed from the other folds."""
    fold, size, mean = np.arange(len(bins)) % FOLDS, int(bins.max()) + 1, np.average(outcome, weights=weight)
    out = np.empty(len(bins))
    for k in range(FOLDS):
        others, mine = fold != k, fold == k
        total = np.bincount(bins[others], weight[others], size)
        hits = np.bincount(bins[others], (weight * outcome)[others], size)
        out[mine] = ((hits + PRIOR * mean) / (total + PRIOR))[bins[mine]]
    return out


def _error(auc: float, positives: int, negatives: int) -> float:
    """Standard error of an AUC (Hanley and McNeil, Radiology 143, 1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)  # as in the paper
    variance = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return float(np.sqrt(max(variance, 0.0) / (positives * negatives)))


def separation(
    values: FloatArray, outcome: FloatArray, *, categorical: bool = False, weight: FloatArray | None = None
) -> Separation:
    """How well the values alone separate outcomes of 1 from outcomes of 0.

    Args:
        values: numbers, or codes of categories; NaN for missing, which is a value too. One per deal.
        outcome: 1 or 0; rows of NaN are left out.
        categorical: whether the values are codes.
        weight: one per row, or None.

    >>> separation(np.arange(100.0), (np.arange(100) >= 50).astype(float)).auc > 0.9
    True
    """
    rows = np.random.default_rng(0).permutation(np.flatnonzero(~np.isnan(outcome)))
    outcomes = outcome[rows]
    positives, negatives = int(outcomes.sum()), int(len(outcomes) - outcomes.sum())
    if min(positives, negatives) < LEAST_TO_SUSPECT:
        return Separation()
    weights = np.ones(len(rows)) if weight is None else weight[rows] * (len(rows) / weight[rows].sum())
    rates = _rates(binned(values[rows], categorical), outcomes, weights)
    auc = float(roc_auc_score(outcomes, rates, sample_weight=weights))
    return Separation(auc, auc - Z * _error(auc, positives, negatives))
