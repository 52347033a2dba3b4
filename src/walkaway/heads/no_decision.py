"""The no-decision head: if a deal is lost, how likely that is for lack of a decision rather than for its fit.

It tells a deal whose time has not come from one that does not fit. It learns from lost deals with a reason; deals still
open count by the model's own answer, as far as they are expected to be lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from walkaway.config import HeadSettings
from walkaway.heads.bag import Bag, fit_bag
from walkaway.heads.completion import complete_and_fit
from walkaway.heads.pooling import pooled_rate, pooled_share, pooled_target, small_leaves

__all__ = ["NoDecisionHead", "fit_no_decision"]

FloatArray = npt.NDArray[np.float64]
LEAST_DEALS = 25  # lost for lack of a decision, and for another reason


@dataclass(frozen=True)
class NoDecisionHead:
    """The chance that a deal, if it is lost, is lost for lack of a decision; `rate` is what it is on average."""

    rate: float
    bag: Bag

    def probability(self, X: npt.NDArray) -> FloatArray:
        """The chance, (rows,)."""
        return expit(self.bag.raw(X))


def _deals(no_decision: FloatArray, latest: npt.NDArray[np.int64]) -> tuple[int, int]:
    ends = no_decision[np.unique(latest)]
    return int((ends == 1).sum()), int((ends == 0).sum())


def fit_no_decision(
    X: npt.NDArray,
    no_decision: FloatArray,
    lost: FloatArray,
    weight: FloatArray,
    latest: npt.NDArray[np.int64],
    categorical: list[int],
    settings: HeadSettings,
) -> NoDecisionHead | None:
    """Fit the head; None where too few deals were lost either way.

    Args:
        X: features, (rows, columns).
        no_decision: 1 or 0 of deals lost for a known reason; NaN of all others.
        lost: how likely each row's deal ends lost: 1 or 0 where it has ended.
        weight: one a row.
        latest: position of each row's deal's last row.
        categorical: positions of category columns.
        settings: of the heads.
    """
    if min(_deals(no_decision, latest)) < LEAST_DEALS or not X.shape[1]:
        return None
    told = ~np.isnan(no_decision)
    there = told | ((lost > 0) & (lost < 1))  # a deal won, or lost for no known reason, tells nothing
    X, no_decision, told = X[there], no_decision[there], told[there]
    weight, latest = (weight * lost)[there], _renumbered(latest[there])
    share = pooled_share(no_decision, latest, settings.pooling_deals)
    booster = small_leaves(settings.no_decision, len(X))

    def fit(rows: npt.NDArray[np.bool_], target: FloatArray, last: bool) -> Bag:
        members = settings.members if last else settings.completion_members
        target = pooled_target(share, X[rows], target, weight[rows], categorical, latest[rows], "logit")
        return fit_bag(X[rows], target, weight[rows], categorical, "cross_entropy", booster, settings, members)

    bag, target = complete_and_fit(
        fit,
        lambda bag: expit(bag.raw(X)),
        np.where(told, no_decision, 0.0),
        told,
        latest,
        settings.completion_rounds,
    )
    return NoDecisionHead(pooled_rate(target, weight, no_decision, latest), bag)


def _renumbered(latest: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Positions of the same last rows among the rows that are left; a deal stays or leaves whole."""
    ends = np.unique(latest)
    counts = np.bincount(np.searchsorted(ends, latest))
    return np.repeat(np.cumsum(counts) - 1, counts)
