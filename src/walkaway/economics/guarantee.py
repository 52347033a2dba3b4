"""The guarantee: the highest bar that loses no more than a share of the won value, with 90% confidence.

The unit is the deal, and each deal is dropped for good at its first call below the bar. So the lost value can only grow
with the bar. Bars are tested upward, one after the other, and the highest one before the first that fails is taken.
Such a fixed sequence of tests needs no correction for their number (learn then test; Angelopoulos, Bates, Candes,
Jordan, Lei, Annals of Applied Statistics 2025).

Each test is a bet against the hypothesis "this bar loses more than the share". For a won deal of value v let

    y = v / V x (1 - share) if it is dropped, else - v / V x share

Its mean is above 0 where the hypothesis is true. Then a gambler who stakes part of the capital against it, so that each
deal multiplies the capital by (1 - stake x y), gains nothing on average. The capital then reaches 1 / (1 - confidence)
with a probability of at most 1 - confidence. The same holds for the mean over a grid of stakes, in any order of the
deals (Waudby-Smith and Ramdas, JRSS B 86, 2024).

Values are capped at V, which must be known beforehand: a cap taken from the same deals would remove just those values
that break the guarantee. The guarantee holds for samples of any size, provided that future deals are exchangeable
with those used here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

__all__ = ["CONFIDENCE", "guaranteed_bar", "guaranteed_bars"]

FloatArray = npt.NDArray[np.float64]
CONFIDENCE = 0.90
STAKES = np.linspace(0.025, 0.99, 40)[:, None]  # 1 is the stake at which the worst single deal costs all capital
SHARES = np.arange(0.01, 0.51, 0.01)  # loss limits for which a bar is sought


def _log_capital(
    y: FloatArray, lowest: FloatArray, settled: npt.NDArray[np.bool_], bars: FloatArray, share: float
) -> FloatArray:
    """Logarithm of the gambler's capital after all deals, one number per bar.

    To stay on the cautious side, an open deal counts as won where it was dropped, and is left out where it was kept.
    """
    order = np.argsort(lowest, kind="stable")
    y, settled, stakes = y[order], settled[order], STAKES / (1.0 - share)
    kept = np.log1p(stakes * share * y) * settled
    dropped = np.log1p(-stakes * (1.0 - share) * y)
    change = np.concatenate([np.zeros((len(stakes), 1)), np.cumsum(dropped - kept, axis=1)], axis=1)
    logs = kept.sum(axis=1, keepdims=True) + change[:, np.searchsorted(lowest[order], bars, side="left")]
    mean_over_stakes: FloatArray = logsumexp(logs, axis=0) - np.log(len(stakes))
    return mean_over_stakes


def guaranteed_bar(
    value: FloatArray,
    lowest: FloatArray,
    share: float,
    cap: float,
    settled: npt.NDArray[np.bool_] | None = None,
    confidence: float = CONFIDENCE,
) -> float:
    """The highest bar that loses no more than the share, with that confidence; 0 where none can be guaranteed.

    Args:
        value: of each deal that was won or may still be won, 0 or more, (deals,); lost deals change nothing.
        lowest: the lowest index among each deal's calls.
        share: of won value that may be lost, below 1.
        cap: of values, above 0; known before these deals.
        settled: whether each has ended; all, by default.
        confidence: between 0 and 1.

    >>> guaranteed_bar(np.ones(100), np.arange(100.0), 0.10, cap=1.0)
    3.0
    """
    bars = np.unique(lowest[np.isfinite(lowest)])
    if not len(bars):
        return 0.0
    ended = np.ones(len(value), dtype=bool) if settled is None else settled
    fails = _log_capital(np.minimum(value, cap) / cap, lowest, ended, bars, share) < -np.log(1.0 - confidence)
    passed = int(np.argmax(fails)) if fails.any() else len(bars)
    return max(float(bars[passed - 1]), 0.0) if passed else 0.0


def guaranteed_bars(
    value: FloatArray, lowest: FloatArray, cap: float, settled: npt.NDArray[np.bool_] | None = None
) -> tuple[tuple[float, float], ...]:
    """(share, bar) for each share up to 50% for which a bar above 0 can be guaranteed.

    Each guarantee holds on its own, not all of them together.

    >>> guaranteed_bars(np.ones(30), np.arange(30.0), cap=1.0)[0]
    (0.18, 1.0)
    """
    bars = [(float(share), guaranteed_bar(value, lowest, float(share), cap, settled)) for share in SHARES]
    return tuple((round(share, 2), bar) for share, bar in bars if bar > 0)
