"""Metrics of out-of-time probabilities, with intervals over deals, since calls on the same deal are correlated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

__all__ = [
    "DealDraws",
    "brier_parts",
    "deal_weights",
    "has_signal",
    "interval",
    "log_loss_rows",
    "win_metrics",
]

FloatArray = npt.NDArray[np.float64]
LEVEL = 0.90  # confidence level of intervals
LEAST_DEALS_TO_JUDGE = 30  # with fewer, bootstrap intervals mean little: no slice and no comparison is judged on them


def log_loss_rows(won: FloatArray, probability: FloatArray) -> FloatArray:
    """Log loss of each row.

    >>> log_loss_rows(np.array([1.0]), np.array([1.0])).round(6)
    array([0.])
    """
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    return -(won * np.log(p) + (1 - won) * np.log1p(-p))


@dataclass(frozen=True)
class DealDraws:
    """Bootstrap draws of deals: how often each deal counts in each draw, (draws, deals), and each row's deal."""

    codes: npt.NDArray[np.int64]
    counts: FloatArray

    @classmethod
    def of(cls, deal: npt.NDArray[Any], draws: int, seed: int = 0) -> DealDraws:
        """Bootstrap draws of the deals in these rows; the same seed gives the same draws."""
        codes, distinct = pd.factorize(deal)
        rng, n = np.random.default_rng(seed), len(distinct)
        return cls(
            codes, np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(draws)]).astype(float)
        )

    def sums(self, values: FloatArray) -> FloatArray:
        """The sum of the values in each draw, (draws,); one value per row."""
        return self.counts @ np.bincount(self.codes, values, self.counts.shape[1])

    def means(self, values: FloatArray) -> FloatArray:
        """The mean of the values in each draw, (draws,)."""
        return self.sums(values) / self.sums(np.ones(len(values)))

    def rows(self) -> FloatArray:
        """How often each row counts in each draw, (draws, rows)."""
        return self.counts[:, self.codes]


def deal_weights(deal: npt.NDArray[Any], draws: int, seed: int = 0) -> FloatArray:
    """How often each row counts in each bootstrap draw of deals, (draws, rows); the same for all rows of a deal."""
    return DealDraws.of(deal, draws, seed).rows()


def interval(draws: FloatArray) -> list[float]:
    """The 90% interval of bootstrap draws; NaN where no draw is finite."""
    tail, finite = (1 - LEVEL) / 2, draws[np.isfinite(draws)]
    return [float(q) for q in np.quantile(finite, [tail, 1 - tail])] if len(finite) else [float("nan")] * 2


def _auc(won: FloatArray, score: FloatArray) -> float:
    return float(roc_auc_score(won, score)) if len(np.unique(won)) == 2 else float("nan")


def brier_parts(won: FloatArray, probability: FloatArray) -> tuple[float, float, float]:
    """Miscalibration, discrimination and uncertainty: Brier score = first - second + third, exactly.

    By isotonic recalibration (CORP; Dimitriadis, Gneiting, Jordan, PNAS 118, 2021): no bins to choose.

    >>> [round(part, 3) for part in brier_parts(np.array([0.0, 1.0]), np.array([0.4, 0.6]))]
    [0.16, 0.25, 0.25]
    """
    recalibrated = IsotonicRegression(y_min=0, y_max=1).fit_transform(probability, won)
    predictions = (probability, recalibrated, np.full(len(won), won.mean()))
    own, best, base = (float(np.mean((p - won) ** 2)) for p in predictions)
    return own - best, base - best, base


def win_metrics(calls: pd.DataFrame, columns: list[str], draws: int) -> pd.DataFrame:
    """AUC, Brier and log loss of each probability column on settled calls, with 90% intervals over deals.

    Args:
        calls: deal_id, won (1 or 0), and the probability columns.
        columns: which probabilities to judge, the model's own first.
        draws: of the bootstrap.

    Returns:
        One row per column: auc, brier, brier_low, brier_high, log_loss, log_loss_low, log_loss_high, and the Brier
        score's parts: miscalibration (0 is best), discrimination (higher is better), uncertainty (of the deals). gain,
        gain_low, gain_high: its log loss minus that of the first column, on the same deals; below 0, it is better.
    """
    drawn, won = DealDraws.of(calls["deal_id"].to_numpy(), draws), calls["won"].to_numpy()
    out = {}
    own = log_loss_rows(won, calls[columns[0]].to_numpy())
    for column in columns:
        p = calls[column].to_numpy()
        row: dict[str, float] = {"auc": _auc(won, p)}
        for name, errors in (("brier", (p - won) ** 2), ("log_loss", log_loss_rows(won, p))):
            row |= named_interval(name, errors, drawn)
        row |= named_interval("gain", log_loss_rows(won, p) - own, drawn)
        parts = dict(zip(("miscalibration", "discrimination", "uncertainty"), brier_parts(won, p), strict=True))
        out[column] = row | parts
    return pd.DataFrame(out).T.rename_axis("prediction")


def named_interval(name: str, rows: FloatArray, drawn: DealDraws) -> dict[str, float]:
    """The mean of the rows with its 90% interval over deals, as name, name_low and name_high."""
    low, high = interval(drawn.means(rows))
    return {name: float(rows.mean()), f"{name}_low": low, f"{name}_high": high}


def has_signal(calls: pd.DataFrame, draws: int) -> bool:
    """Whether the whole 90% interval (over deals) of the gain in log loss over the base rate is above 0."""
    won = calls["won"].to_numpy()
    gain = log_loss_rows(won, calls["base_rate"].to_numpy()) - log_loss_rows(won, calls["win_probability"].to_numpy())
    return interval(DealDraws.of(calls["deal_id"].to_numpy(), draws).means(gain))[0] > 0
