"""The no-decision head: the probability that a deal, if it is lost, is lost because nobody decided.

It separates deals that come too early from deals that do not fit. It is fitted on lost deals with a loss reason. Open
deals count with the model's own prediction, weighted by their probability of being lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from walkaway.config import HeadSettings
from walkaway.heads.bag import Bag, fit_bag
from walkaway.heads.capacity import Capacity, choose_capacity
from walkaway.heads.completion import complete_and_fit
from walkaway.heads.examples import Examples, Holdout
from walkaway.heads.pooling import pooled, pooled_rate, pooled_share, small_leaves

__all__ = ["NoDecisionHead", "fit_no_decision"]

FloatArray = npt.NDArray[np.float64]
LEAST_LOST_EITHER_WAY = 25  # least number of deals lost for lack of a decision, and also of those lost otherwise


@dataclass(frozen=True)
class NoDecisionHead:
    """The probability that a deal, if it is lost, is lost for lack of a decision; `rate` is the average."""

    rate: float
    bag: Bag

    def probability(self, X: npt.NDArray[np.float32]) -> FloatArray:
        """The probability, (rows,)."""
        chance: FloatArray = expit(self.bag.raw(X))
        return chance


def _deals(no_decision: FloatArray, latest: npt.NDArray[np.int64]) -> tuple[int, int]:
    ends = no_decision[np.unique(latest)]
    return int((ends == 1).sum()), int((ends == 0).sum())


def fit_no_decision(
    examples: Examples, lost: FloatArray, head_settings: HeadSettings, holdouts: tuple[Holdout, ...] = ()
) -> tuple[NoDecisionHead, Capacity] | None:
    """Fit the head; None where too few deals were lost for one of the two kinds of reasons.

    Args:
        examples: target 1 or 0 of deals lost for a known reason, NaN of all others; weighted.
        lost: probability that each row's deal is lost; 1 or 0 where it has ended.
        head_settings: of the heads.
        holdouts: by which its capacity is chosen.
    """
    if min(_deals(examples.target, examples.latest)) < LEAST_LOST_EITHER_WAY or not examples.X.shape[1]:
        return None
    has_reason = ~np.isnan(examples.target)
    used = has_reason | ((lost > 0) & (lost < 1))  # deals won, or lost for an unknown reason, are left out
    latest, weight = _renumbered(examples.latest[used]), (examples.weights() * lost)[used]
    kept = replace(examples.part(used, examples.target[used]), latest=latest, weight=weight)
    has_reason, no_decision = has_reason[used], kept.target
    share = pooled_share(no_decision, latest, head_settings.pooling_deals)
    among = tuple(Holdout(holdout.fit[used] & has_reason, holdout.judge[used] & has_reason) for holdout in holdouts)
    capacity = choose_capacity(kept, "cross_entropy", head_settings.no_decision, share, head_settings, among)
    booster = small_leaves(capacity.booster, len(kept))
    share = max(share, booster.linear_share)

    def fit(rows: npt.NDArray[np.bool_], target: FloatArray, last: bool) -> Bag:
        members = head_settings.members if last else head_settings.completion_members
        mixed = pooled(share, kept.part(rows, target), "logit")
        return fit_bag(mixed, "cross_entropy", booster, head_settings, members)

    bag, target = complete_and_fit(
        fit,
        lambda bag: expit(bag.raw(kept.X)),
        np.where(has_reason, no_decision, 0.0),
        has_reason,
        latest,
        head_settings.completion_rounds,
    )
    return NoDecisionHead(pooled_rate(target, weight, no_decision, latest), bag), capacity


def _renumbered(latest: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`latest` for the rows that are kept: positions of the same last rows. A deal is kept or left out as a whole."""
    ends = np.unique(latest)
    counts = np.bincount(np.searchsorted(ends, latest))
    return np.repeat(np.cumsum(counts) - 1, counts)
