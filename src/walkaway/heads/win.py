"""The win head: log-odds of winning in the end, then a calibration."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from walkaway.config import HeadSettings
from walkaway.heads.bag import Bag, fit_bag
from walkaway.heads.calibration import IDENTITY, Calibration
from walkaway.heads.capacity import Capacity, choose_capacity, unchosen
from walkaway.heads.completion import complete_and_fit
from walkaway.heads.examples import Examples, Holdout
from walkaway.heads.pooling import pooled, pooled_rate, pooled_share, small_leaves

__all__ = ["WinHead", "fit_win"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WinHead:
    """Win probability. Without a bag (no signal) it is the base rate."""

    base_rate: float
    bag: Bag | None = None
    calibration: Calibration = IDENTITY

    def raw_by_member(self, X: npt.NDArray[np.float32]) -> FloatArray:
        """Log-odds before calibration, (members, rows)."""
        if self.bag is None:
            return np.full((1, len(X)), logit(self.base_rate))
        return self.bag.raw_by_member(X)

    def probability(self, X: npt.NDArray[np.float32]) -> FloatArray:
        """win_probability, (rows,): the calibrated mean of the members' log-odds."""
        return self.calibration.probability(self.raw_by_member(X).mean(axis=0))

    def calibrated(self, calibration: Calibration) -> WinHead:
        """The same head with another calibration."""
        return replace(self, calibration=calibration)

    def without_signal(self) -> WinHead:
        """The head that predicts the base rate, for a book without signal."""
        return WinHead(self.base_rate)


def fit_win(
    examples: Examples, head_settings: HeadSettings, holdouts: tuple[Holdout, ...] = ()
) -> tuple[WinHead, FloatArray, Capacity]:
    """Fit the win head on settled and open deals.

    Args:
        examples: target 1 or 0, NaN while the deal is open; weighted. Labels of rows of weight 0 are completed, but the
            head is not fitted on them.
        head_settings: of the heads.
        holdouts: by which its capacity is chosen.

    Returns:
        The head, the completed targets (the model's own probability for open deals), and the capacity chosen.
    """
    won, weight, latest = examples.target, examples.weights(), examples.latest
    settled = ~np.isnan(won)
    if not examples.X.shape[1]:  # no features
        rate = pooled_rate(won[settled], weight[settled], won[settled], latest[settled])
        return WinHead(rate), np.where(settled, won, rate), unchosen(head_settings.win)
    share = pooled_share(won, latest, head_settings.pooling_deals)
    capacity = choose_capacity(examples, "cross_entropy", head_settings.win, share, head_settings, holdouts)
    booster = small_leaves(capacity.booster, len(examples))
    share = max(share, booster.linear_share)

    def fit(rows: npt.NDArray[np.bool_], target: FloatArray, last: bool) -> Bag:
        members = head_settings.members if last else head_settings.completion_members
        weighted = examples.part(rows & (weight > 0), target[weight[rows] > 0])
        return fit_bag(pooled(share, weighted, "logit"), "cross_entropy", booster, head_settings, members)

    bag, target = complete_and_fit(
        fit,
        lambda bag: expit(bag.raw(examples.X)),
        np.where(settled, won, 0.0),
        settled,
        latest,
        head_settings.completion_rounds,
        head_settings.decay,
    )
    return WinHead(pooled_rate(target, weight, won, latest), bag), target, capacity
