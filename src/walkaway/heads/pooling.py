"""With few deals, the heads rely more on a regularised linear model and on the base rate.

Trees overfit when wins are few. A regression with a ridge penalty is more accurate then, and less accurate when deals
are many. So the target of a bag is a mixture of what happened and what the regression predicts for the same rows; the
fewer the deals, the larger the share of the regression. The head is still a bag of trees, so its reasons stay exact.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from walkaway.config import BoosterSettings
from walkaway.heads.examples import Examples

__all__ = [
    "linear_prediction",
    "pooled",
    "pooled_hours_share",
    "pooled_rate",
    "pooled_share",
    "small_leaves",
]

FloatArray = npt.NDArray[np.float64]
Link = Literal["logit", "log"]
LINK_OF: dict[str, Link] = {"cross_entropy": "logit", "tweedie": "log", "gamma": "log"}  # by objective
PENALTY: dict[Link, float] = {"logit": 30.0, "log": 300.0}  # strength of the ridge penalty, in deals (decision 22)
RATE_PRIOR_DEALS = 20.0
ROWS_A_LEAF, LEAST_ROWS_A_LEAF = 20, 10
FARTHEST = 4.0  # standard deviations at which values are clipped
LEAST_SHARE_OF_ROWS = 0.002  # of the rows; a rarer word has no column, which bounds the memory
NEGLIGIBLE = 0.02  # a smaller share is set to 0, which saves a second copy of the features
FARTHEST_SCORE = 10.0  # log scores are clipped at this distance from 0
STEPS, SMALL_STEP, LONGEST_STEP, DECIMALS = 25, 1e-8, 2.0, 6


def _outcomes(won: FloatArray, deal: npt.NDArray[np.int64]) -> tuple[int, int]:
    """How many deals were won and lost; `won` is NaN on the rows of those still open."""
    first = won[np.unique(deal, return_index=True)[1]]
    return int((first == 1).sum()), int((first == 0).sum())


def pooled_share(won: FloatArray, deal: npt.NDArray[np.int64], prior_deals: float) -> float:
    """The linear model's share in the win head's target: prior / (prior + deals of the rarer outcome).

    Args:
        won: 1 or 0; NaN while the deal is open, (rows,).
        deal: which deal each row belongs to; the rows of a deal have one outcome.
        prior_deals: number of deals of the rarer outcome at which the share is 50%; 0 leaves the linear model out.

    Returns:
        Between 0 and 1; 0 where it would be less than NEGLIGIBLE.

    >>> pooled_share(np.array([1.0, 1.0, 0.0, 0.0, np.nan]), np.array([0, 0, 1, 2, 3]), 3.0)
    0.75
    """
    return _share(min(_outcomes(won, deal)), prior_deals)


def pooled_hours_share(settled: npt.NDArray[np.bool_], deal: npt.NDArray[np.int64], prior_deals: float) -> float:
    """The linear model's share in the hours head's target: prior / (prior + settled deals).

    >>> pooled_hours_share(np.array([True, True, False]), np.array([0, 0, 1]), 4.0)
    0.8
    """
    return _share(len(np.unique(deal[settled])), prior_deals)


def _share(deals: int, prior_deals: float) -> float:
    share = prior_deals / (prior_deals + deals) if prior_deals else 0.0
    return share if share >= NEGLIGIBLE else 0.0


def small_leaves(booster: BoosterSettings, rows: int) -> BoosterSettings:
    """The booster with a smaller minimum leaf size if there are few rows, since otherwise no tree would be grown.

    >>> small_leaves(BoosterSettings(least_rows_in_leaf=120), 500).least_rows_in_leaf
    25
    """
    least = min(booster.least_rows_in_leaf, max(rows // ROWS_A_LEAF, LEAST_ROWS_A_LEAF))
    return booster.model_copy(update={"least_rows_in_leaf": least})


def pooled_rate(target: FloatArray, weight: FloatArray, won: FloatArray, deal: npt.NDArray[np.int64]) -> float:
    """The share of snapshots whose deal will be won, shrunk towards the share of deals that were won.

    A deal that is open for long has many snapshots, so it could dominate the share. The share is therefore weighted
    with the effective number of deals, (sum of weights)^2 / sum of squares (Kish, 1965), against RATE_PRIOR_DEALS deals
    at (won + 1) / (won + lost + 2).

    Args:
        target: 1, 0, or the probability of a deal still open, (rows,).
        weight: one per row.
        won: 1 or 0; NaN while the deal is open.
        deal: which deal each row belongs to.

    >>> once, long = np.zeros(2), np.ones(8)  # one snapshot of each of two lost deals, eight of a won one: 8 of 10
    >>> round(pooled_rate(np.r_[once, long], np.ones(10), np.r_[once, long], np.r_[0, 1, [2] * 8]), 2)
    0.43
    """
    of_deal = np.bincount(np.unique(deal, return_inverse=True)[1], weight)
    effective = of_deal.sum() ** 2 / (of_deal**2).sum()
    n_won, n_lost = _outcomes(won, deal)
    prior = (n_won + 1) / (n_won + n_lost + 2)
    share = float(np.average(target, weights=weight))
    return float((effective * share + RATE_PRIOR_DEALS * prior) / (effective + RATE_PRIOR_DEALS))


def _numbers(X: npt.NDArray[np.float32]) -> FloatArray:
    """Numbers for the linear model: signed logarithms, standardised; missing values at the mean, with an indicator."""
    signed = np.sign(X) * np.log1p(np.abs(X.astype(np.float64)))
    known = np.isfinite(signed)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, signed, 0.0).sum(axis=0) / counts
    spread = np.sqrt(np.where(known, (signed - mean) ** 2, 0.0).sum(axis=0) / counts)
    scaled = np.where(known, (signed - mean) / np.where(spread > 0, spread, 1.0), 0.0).clip(-FARTHEST, FARTHEST)
    missing = ~known
    some = missing.any(axis=0) & known.any(axis=0)
    share = missing[:, some].mean(axis=0)
    return np.hstack([scaled, (missing[:, some] - share) / np.sqrt(share * (1 - share))])


def _common_words(words: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Which rows have each word that at least LEAST_SHARE_OF_ROWS of them have, (rows, words)."""
    found, counts = np.unique(words, return_counts=True)
    common = found[counts >= LEAST_SHARE_OF_ROWS * len(words)]
    rows: npt.NDArray[np.bool_] = words[:, None] == common
    return rows


def _design(X: npt.NDArray[np.float32], categorical: list[int]) -> FloatArray:
    """The design matrix, (rows, columns): a 1 for the intercept, the numbers, a column for each common category."""
    each = [_common_words(np.nan_to_num(X[:, i], nan=-1.0)) for i in categorical]
    numbers = _numbers(np.delete(X, categorical, axis=1))
    return np.hstack([np.ones((len(X), 1)), numbers, *each])


def _mean_and_curvature(score: FloatArray, link: Link) -> tuple[FloatArray, FloatArray]:
    """The mean at a score, and its derivative with respect to the score."""
    if link == "logit":
        p = expit(score)
        return p, p * (1 - p)
    mean = np.exp(score.clip(-FARTHEST_SCORE, FARTHEST_SCORE))
    return mean, mean


def linear_prediction(examples: Examples, link: Link) -> FloatArray:
    """Predictions of a regression for the rows it is fitted on: logistic or log-linear, with a ridge penalty.

    Args:
        examples: target in [0, 1], not all 0 and not all 1; for the link "log", 0 or more and not all 0. Weights are
            scaled to sum to the number of deals, since rows of one deal are not independent.
        link: "logit" for shares, "log" for amounts such as hours.

    >>> X, won = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([0.0, 0.0, 1.0, 1.0])
    >>> linear_prediction(Examples(X, won, np.arange(4), []), "logit").round(2)
    array([0.48, 0.5 , 0.51, 0.52])
    """
    X, target, weight = examples.X, examples.target, examples.weights()
    A, weight = _design(X, examples.categorical), weight * (examples.deals / weight.sum())
    typical = float(np.average(target, weights=weight))
    scale = typical if link == "log" else 1.0
    pull = np.r_[1e-6, np.full(A.shape[1] - 1, PENALTY[link])]
    coefficients = np.r_[0.0 if link == "log" else logit(typical), np.zeros(A.shape[1] - 1)]
    for _ in range(STEPS):  # Newton's; the loss is convex
        mean, curvature = _mean_and_curvature(A @ coefficients, link)
        slope = A.T @ (weight * (target / scale - mean)) - pull * coefficients
        step = np.linalg.solve((A * (weight * curvature)[:, None]).T @ A + np.diag(pull), slope)
        coefficients = coefficients + step / max(np.abs(step).max() / LONGEST_STEP, 1.0)
        if np.abs(step).max() < SMALL_STEP:
            break
    predicted = _mean_and_curvature(A @ coefficients, link)[0] * scale
    return predicted.round(DECIMALS)  # the last bits of a product of matrices depend on the machine


def pooled(share: float, examples: Examples, link: Link) -> Examples:
    """The rows with mixed targets: (1 - share) of the outcome, and share of the linear model's prediction.

    >>> pooled(0.0, Examples(np.zeros((2, 1)), np.array([1.0, 0.0]), np.arange(2), []), "logit").target.tolist()
    [1.0, 0.0]
    """
    if not share:
        return examples
    return examples.with_target((1 - share) * examples.target + share * linear_prediction(examples, link))
