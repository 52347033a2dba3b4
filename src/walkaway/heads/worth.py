"""The worth head: what the deal would be worth if won, from the amount and the margin known today.

value_if_won = amount (imputed where none is recorded yet) x what is left of an amount at signing x margin rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.config import HeadSettings
from walkaway.heads.bag import Bag, fit_bag
from walkaway.heads.capacity import Capacity, choose_capacity, unchosen
from walkaway.heads.examples import Examples, Holdout
from walkaway.heads.pooling import pooled, small_leaves

__all__ = ["WorthHead", "fit_worth"]

FloatArray = npt.NDArray[np.float64]
LEAST_WON_ROWS = 200  # with fewer won snapshots that have an amount, one ratio is used for all deals


@dataclass(frozen=True)
class WorthHead:
    """Worth to the seller if won. `typical_amount` is used for a missing amount; without a bag, one ratio for all."""

    typical_amount: float
    log_ratio: float = 0.0
    bag: Bag | None = None

    def amount(self, known: FloatArray) -> FloatArray:
        """The known amount, or the typical one where none is known; an amount below 0 counts as 0."""
        return np.maximum(np.where(np.isnan(known), self.typical_amount, known), 0.0)

    def margin(self, known: FloatArray) -> FloatArray:
        """The known margin rate, or 1 where none is known."""
        return np.where(np.isnan(known), 1.0, known)

    def log_ratio_by_member(self, X: npt.NDArray[np.float32]) -> FloatArray:
        """ln of the share of today's amount that is left at signing, (members, rows)."""
        if self.bag is None:
            return np.full((1, len(X)), self.log_ratio)
        return self.bag.raw_by_member(X) + self.log_ratio

    def value_of(self, log_ratio: FloatArray, terms: pd.DataFrame) -> FloatArray:
        """value_if_won from the predicted share that is left; `terms` holds amount and margin known at as_of."""
        size = self.amount(terms["amount"].to_numpy()) * self.margin(terms["margin"].to_numpy())
        return size * np.exp(log_ratio)

    def value(self, X: npt.NDArray[np.float32], terms: pd.DataFrame) -> FloatArray:
        """value_if_won, (rows,)."""
        return self.value_of(self.log_ratio_by_member(X).mean(axis=0), terms)


def _typical(amount: FloatArray, amount_at_close: FloatArray) -> float:
    """The median amount known at as_of, else at the close; 1 in a book without amounts, so each win counts 1."""
    for amounts in (amount, amount_at_close):
        if (recorded := amounts[~np.isnan(amounts)]).size:
            return float(np.median(recorded))
    return 1.0


def fit_worth(
    examples: Examples,
    amount: FloatArray,
    head_settings: HeadSettings,
    holdouts: tuple[Holdout, ...] = (),
) -> tuple[WorthHead, Capacity]:
    """Fit the share of an amount that is left at signing.

    Where no amount was recorded yet, the ratio is to the typical amount. So the head also learns for which amount deals
    with such features (product, size of the buyer) are signed, and thereby imputes missing amounts.

    Args:
        examples: target the amount at the close of won deals, NaN for the others.
        amount: known at each row's as_of; NaN where none was.
        head_settings: of the heads.
        holdouts: by which its capacity is chosen.
    """
    amount_at_close = examples.target
    typical = _typical(amount, amount_at_close)
    filled = np.where(np.isnan(amount), typical, amount)
    usable = (filled > 0) & (amount_at_close > 0)
    recorded = usable & ~np.isnan(amount)
    shared = float(np.log(amount_at_close[recorded].sum() / amount[recorded].sum())) if recorded.any() else 0.0
    ratio = amount_at_close[usable] / filled[usable]
    if usable.sum() < LEAST_WON_ROWS or not examples.X.shape[1] or np.allclose(ratio, ratio[0], rtol=1e-9):
        return WorthHead(typical, shared), unchosen(head_settings.worth)
    ratios = replace(examples.part(usable, ratio), weight=filled[usable])
    among = tuple(holdout.among(usable) for holdout in holdouts)
    capacity = choose_capacity(ratios, "gamma", head_settings.worth, 0.0, head_settings, among)
    booster = small_leaves(capacity.booster, len(ratios))
    bag = fit_bag(pooled(booster.linear_share, ratios, "log"), "gamma", booster, head_settings)
    fitted = np.exp(bag.raw(ratios.X)) * filled[usable]
    return WorthHead(typical, float(np.log(amount_at_close[usable].sum() / fitted.sum())), bag), capacity
