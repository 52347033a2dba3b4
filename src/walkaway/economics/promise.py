"""The guarantee: a bar of which it can be promised that it forgoes no more than a share of the value that is won.

The unit is the deal, the policy is to drop for good at the first call below the bar, so what is forgone only grows with
the bar. Bars are tested upward, one after the other, and the highest before the first that fails is taken: a fixed
sequence needs no correction for the number of tests (learn then test; Angelopoulos, Bates, Candes, Jordan, Lei, Annals
of Applied Statistics 2025). The test is a bet against "this bar forgoes more": for a deal of value v that is won,

    y = v / V x (1 - share) if it is dropped, else - v / V x share

has a mean above 0 if the bar forgoes more than the share, and then a gambler who stakes a part of the capital against
it, capital x (1 - stake x y), gains nothing on average. The capital reaching 1 / (1 - confidence) is as unlikely as
that. The mean over a grid of stakes is such a capital too, and does not depend on the order of deals (Waudby-Smith and
Ramdas, JRSS B 86, 2024). It holds for samples of any size, and for deals exchangeable with those it was learned from.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CONFIDENCE", "capital", "promised_bar", "promised_bars"]

FloatArray = npt.NDArray[np.float64]
CONFIDENCE = 0.90
STAKES = 40
LARGEST = 0.95  # the quantile of values at which the largest are capped: one deal must not decide
SHARES = np.arange(0.01, 0.51, 0.01)


def capital(value: FloatArray, dropped: npt.NDArray[np.bool_], share: float) -> float:
    """What a gambler holds in the end, who began with 1 and bet that no more than the share of value is forgone.

    Args:
        value: of each deal that was won, 0 or more, (deals,); lost deals change nothing.
        dropped: whether the bar would have dropped it before it was won.
        share: between 0 and 1.

    >>> capital(np.ones(60), np.zeros(60, dtype=bool), 0.10) > 10  # of 60 deals none forgone
    True
    """
    if not len(value) or value.max() <= 0 or share >= 1:
        return 1.0
    value = np.minimum(value, np.quantile(value[value > 0], LARGEST))
    y = value / value.max() * np.where(dropped, 1.0 - share, -share)
    stakes = np.linspace(0.0, 1.0, STAKES + 1)[1:] / (1.0 - share) * 0.99
    logs = np.log1p(-stakes[:, None] * y).sum(axis=1)
    return float(np.exp(logs).mean())


def promised_bar(value: FloatArray, lowest: FloatArray, share: float, confidence: float = CONFIDENCE) -> float:
    """The highest bar that forgoes no more than the share, with that confidence; 0 where none can be promised.

    Args:
        value: of each deal that was won, 0 or more, (deals,).
        lowest: the lowest index that each was called with before its end.
        share: of won value that may be forgone.
        confidence: how sure to be.

    >>> promised_bar(np.ones(100), np.arange(100.0), 0.10)
    3.0
    """
    bar = 0.0
    for one in np.unique(lowest[np.isfinite(lowest)]):
        if capital(value, lowest < one, share) < 1.0 / (1.0 - confidence):
            break
        bar = float(one)
    return max(bar, 0.0)


def promised_bars(
    value: FloatArray, lowest: FloatArray, confidence: float = CONFIDENCE
) -> tuple[tuple[float, float], ...]:
    """(share, bar) of each share that can be promised for some bar above 0; each promise holds alone.

    >>> promised_bars(np.ones(30), np.arange(30.0))[0]
    (0.18, 1.0)
    """
    bars = [(float(share), promised_bar(value, lowest, float(share), confidence)) for share in SHARES]
    return tuple((round(share, 2), bar) for share, bar in bars if bar > 0)
