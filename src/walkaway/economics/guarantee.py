"""The guarantee: a bar of which it can be promised that it forgoes no more than a share of the value that is won.

The unit is the deal, the policy is to drop for good at the first call below the bar, so what is forgone only grows with
the bar. Bars are tested upward, one after the other, and the highest before the first that fails is taken: a fixed
sequence needs no correction for the number of tests (learn then test; Angelopoulos, Bates, Candes, Jordan, Lei, Annals
of Applied Statistics 2025). The test is a bet against "this bar forgoes more": for a deal of value v that is won,

    y = v / V x (1 - share) if it is dropped, else - v / V x share

has a mean above 0 if the bar forgoes more than the share, and then a gambler who stakes a part of the capital against
it, capital x (1 - stake x y), gains nothing on average: that it reaches 1 / (1 - confidence) has a chance of no more
than 1 - confidence. V, at which values are capped, must be known beforehand: taken from the same deals it would cap
away just those that break the promise. The mean over a grid of stakes is such a capital too, whatever the order of
deals (Waudby-Smith and Ramdas, JRSS B 86, 2024). It holds for samples of any size, and for deals exchangeable with
those it was learned from.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

__all__ = ["CONFIDENCE", "promised_bar", "promised_bars"]

FloatArray = npt.NDArray[np.float64]
CONFIDENCE = 0.90
STAKES = np.linspace(0.025, 0.99, 40)[:, None]  # of what can be lost in one bet
SHARES = np.arange(0.01, 0.51, 0.01)


def _log_capital(
    y: FloatArray, lowest: FloatArray, settled: npt.NDArray[np.bool_], bars: FloatArray, share: float
) -> FloatArray:
    """Logarithm of what the gambler holds after all deals, a number a bar.

    A deal that has not ended counts as won where it was dropped, and not at all where it was kept.
    """
    order = np.argsort(lowest, kind="stable")
    y, settled, stakes = y[order], settled[order], STAKES / (1.0 - share)
    kept = np.log1p(stakes * share * y) * settled
    dropped = np.log1p(-stakes * (1.0 - share) * y)
    change = np.concatenate([np.zeros((len(stakes), 1)), np.cumsum(dropped - kept, axis=1)], axis=1)
    logs = kept.sum(axis=1, keepdims=True) + change[:, np.searchsorted(lowest[order], bars, side="left")]
    found: FloatArray = logsumexp(logs, axis=0) - np.log(len(stakes))
    return found


def promised_bar(
    value: FloatArray,
    lowest: FloatArray,
    share: float,
    cap: float,
    settled: npt.NDArray[np.bool_] | None = None,
    confidence: float = CONFIDENCE,
) -> float:
    """The highest bar that forgoes no more than the share, with that confidence; 0 where none can be promised.

    Args:
        value: of each deal that was won, or may still be, 0 or more, (deals,); lost deals change nothing.
        lowest: the lowest index that each was called with before its end.
        share: of won value that may be forgone, below 1.
        cap: of values, above 0; known before these deals.
        settled: whether each has ended; all, by default.
        confidence: how sure to be.

    >>> promised_bar(np.ones(100), np.arange(100.0), 0.10, cap=1.0)
    3.0
    """
    bars = np.unique(lowest[np.isfinite(lowest)])
    if not len(bars):
        return 0.0
    ended = np.ones(len(value), dtype=bool) if settled is None else settled
    fails = _log_capital(np.minimum(value, cap) / cap, lowest, ended, bars, share) < -np.log(1.0 - confidence)
    passed = int(np.argmax(fails)) if fails.any() else len(bars)
    return max(float(bars[passed - 1]), 0.0) if passed else 0.0


def promised_bars(
    value: FloatArray, lowest: FloatArray, cap: float, settled: npt.NDArray[np.bool_] | None = None
) -> tuple[tuple[float, float], ...]:
    """(share, bar) of each share up to a half that can be promised for some bar above 0; each promise holds alone.

    >>> promised_bars(np.ones(30), np.arange(30.0), cap=1.0)[0]
    (0.18, 1.0)
    """
    bars = [(float(share), promised_bar(value, lowest, float(share), cap, settled)) for share in SHARES]
    return tuple((round(share, 2), bar) for share, bar in bars if bar > 0)
