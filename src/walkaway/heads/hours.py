"""The hours head: selling hours still to be booked, with a logarithmic link, scaled to the total that was booked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from walkaway.config import HeadSettings
from walkaway.heads.bag import Bag, fit_bag
from walkaway.heads.capacity import Capacity, choose_capacity, unchosen
from walkaway.heads.completion import complete_and_fit
from walkaway.heads.examples import Examples, Holdout
from walkaway.heads.pooling import pooled, pooled_hours_share, small_leaves

__all__ = ["HoursHead", "constant_hours", "fit_hours"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HoursHead:
    """remaining_hours = exp(mean raw score + log_scale); without a bag, mean_hours."""

    mean_hours: float
    bag: Bag | None = None
    log_scale: float = 0.0

    def log_hours_by_member(self, X: npt.NDArray[np.float32]) -> FloatArray:
        """ln of remaining_hours as each member predicts it, (members, rows)."""
        if self.bag is None:
            return np.full((1, len(X)), np.log(max(self.mean_hours, 1e-9)))
        return self.bag.raw_by_member(X) + self.log_scale

    def hours(self, X: npt.NDArray[np.float32]) -> FloatArray:
        """remaining_hours, (rows,)."""
        hours: FloatArray = np.exp(self.log_hours_by_member(X).mean(axis=0))
        return hours

    def over(self, other: HoursHead) -> float:
        """The ratio of its hours to those of the same head with another scale.

        >>> round(HoursHead(2.0).scaled(1.5).over(HoursHead(2.0)), 9)
        1.5
        """
        return float(np.exp(self.log_scale - other.log_scale))

    def scaled(self, factor: float) -> HoursHead:
        """The same head, all its hours times a factor above 0."""
        return replace(self, mean_hours=self.mean_hours * factor, log_scale=self.log_scale + float(np.log(factor)))


def constant_hours(hours: FloatArray, head_settings: HeadSettings) -> tuple[HoursHead, FloatArray, Capacity]:
    """The mean hours for all deals; results as of `fit_hours`."""
    return HoursHead(mean_hours=float(np.mean(hours))), hours, unchosen(head_settings.hours)


def fit_hours(
    examples: Examples,
    settled: npt.NDArray[np.bool_],
    head_settings: HeadSettings,
    holdouts: tuple[Holdout, ...] = (),
) -> tuple[HoursHead, FloatArray, Capacity]:
    """Fit the hours head on settled and open deals.

    Args:
        examples: target hours booked after each row's as_of; so far, while the deal is open. Unweighted.
        settled: whether the row's deal had closed.
        head_settings: of the heads.
        holdouts: by which its capacity is chosen.

    Returns:
        The head, the completed targets (for open deals, hours so far plus the model's own prediction), and the capacity
        chosen.
    """
    hours, latest = examples.target, examples.latest
    if not hours[settled].any() or not examples.X.shape[1]:  # no hours booked yet, or no features
        return constant_hours(hours, head_settings)
    share = pooled_hours_share(settled, latest, head_settings.pooling_hours_deals)
    capacity = choose_capacity(examples, "tweedie", head_settings.hours, share, head_settings, holdouts)
    booster = small_leaves(capacity.booster, len(examples))
    share = max(share, booster.linear_share)

    def fit(rows: npt.NDArray[np.bool_], target: FloatArray, last: bool) -> tuple[HoursHead, FloatArray]:
        """The head and its predictions: for all rows while labels are completed, for its own rows in the last fit."""
        members = head_settings.members if last else head_settings.completion_members
        own_rows = examples.part(rows, target)
        bag = fit_bag(pooled(share, own_rows, "log"), "tweedie", booster, head_settings, members)
        raw = bag.raw_by_member(own_rows.X if last else examples.X)
        own = raw if last else np.compress(rows, raw, axis=1)
        scale = target.sum() / np.exp(own.mean(axis=0)).sum()
        head = HoursHead(float(np.mean(target)), bag, float(np.log(scale)))
        return head, np.exp((raw + head.log_scale).mean(axis=0))

    (head, _), completed = complete_and_fit(
        fit, lambda fitted: fitted[1], hours, settled, latest, head_settings.completion_rounds
    )
    return head, completed, capacity
