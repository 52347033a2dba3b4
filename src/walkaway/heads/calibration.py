"""Calibration from out-of-time predictions: of win probabilities, and of total hours.

Raw log-odds become a probability by a strictly increasing, smooth function, so that no probability is 0 and logarithms
exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit

__all__ = ["IDENTITY", "Calibration", "fit_calibration", "fit_scale"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """win_probability = logistic(slope x raw + shift), slope > 0 (Platt, 1999)."""

    slope: float = 1.0
    shift: float = 0.0

    def probability(self, raw: FloatArray) -> FloatArray:
        """Calibrated probability of raw log-odds.

        >>> Calibration().probability(np.array([0.0]))
        array([0.5])
        """
        found: FloatArray = expit(self.slope * raw + self.shift)
        return found

    def log_probability(self, raw: FloatArray) -> FloatArray:
        """ln of `probability`, exact where the probability is tiny."""
        found: FloatArray = log_expit(self.slope * raw + self.shift)
        return found


IDENTITY = Calibration()


def fit_calibration(raw: FloatArray, outcome: FloatArray, weight: FloatArray, prior_deals: float) -> Calibration:
    """The slope and shift that maximise the likelihood of out-of-time outcomes, shrunk towards no change.

    Args:
        raw: out-of-time log-odds.
        outcome: 1 won, 0 lost; shares in between are allowed.
        weight: one per row, from what was known at its as_of; they should sum to the number of deals, not of rows.
        prior_deals: strength of the shrinkage towards slope 1 and shift 0, in deals.

    >>> round(fit_calibration(np.array([-2.0, 2.0]), np.array([0.3, 0.7]), np.full(2, 1e6), 1.0).slope, 3)
    0.424
    """

    def loss(parameters: FloatArray) -> float:
        log_slope, shift = parameters
        z = np.exp(log_slope) * raw + shift
        fit = -np.sum(weight * (outcome * log_expit(z) + (1 - outcome) * log_expit(-z)))
        penalised: float = fit + prior_deals * (log_slope**2 + shift**2) / 2
        return penalised

    log_slope, shift = minimize(loss, np.zeros(2), method="L-BFGS-B").x
    return Calibration(float(np.exp(log_slope)), float(shift))


def fit_scale(predicted: FloatArray, outcome: FloatArray, fold: npt.NDArray[Any]) -> float:
    """The factor between realised and predicted totals, shrunk where the folds disagree.

    The mean m of the folds' log ratios is shrunk by m^2 / (m^2 + s^2), where s is its standard error over folds,
    because a gap in one fold alone says little about the next. With a single fold the factor is 1.

    Args:
        predicted: out-of-time predictions, 0 or more.
        outcome: the realised values, in the same unit.
        fold: which fold each row belongs to.

    >>> round(fit_scale(np.array([1.0, 2.0]), np.array([1.1, 2.2]), np.array([0, 1])), 3)
    1.1
    >>> round(fit_scale(np.array([1.0, 2.0]), np.array([1.2, 2.0]), np.array([0, 1])), 3)
    1.047
    """
    codes = np.unique(fold, return_inverse=True)[1]
    totals, expected = np.bincount(codes, outcome), np.bincount(codes, predicted)
    usable = (totals > 0) & (expected > 0)
    if usable.sum() < 2:
        return 1.0
    gaps = np.log(totals[usable] / expected[usable])
    mean, error = gaps.mean(), gaps.std(ddof=1) / np.sqrt(len(gaps))
    agreed = mean**2 / (mean**2 + error**2) if mean else 0.0
    return float(np.exp(mean * agreed))
