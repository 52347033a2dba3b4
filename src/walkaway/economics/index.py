"""The index by which deals are ranked (value per hour), and the verdict on each call."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["DROPPED", "Verdict", "expected_value", "value_per_hour", "verdicts", "walk_away_above"]

FloatArray = npt.NDArray[np.float64]
Verdict = Literal["pursue", "nurture", "walk_away", "unsure"]
DROPPED = ("walk_away", "nurture")  # verdicts that stop the work on a deal
AGREEMENT = 0.8  # share of the ensemble that must be on one side of the bar for a verdict, or agree on a reason


def expected_value(win_probability: FloatArray, value_if_won: FloatArray) -> FloatArray:
    """Money expected from each deal: win_probability x value_if_won.

    >>> expected_value(np.array([0.5]), np.array([900.0]))
    array([450.])
    """
    return win_probability * value_if_won


def value_per_hour(expected: FloatArray, remaining_hours: FloatArray, floor_hours: float) -> FloatArray:
    """Expected money per hour of work still to do: expected / (remaining_hours + floor_hours).

    The floor keeps the index finite for deals that need hardly any more work.

    >>> value_per_hour(np.array([450.0]), np.array([1.4]), 0.1)
    array([300.])
    """
    return expected / (remaining_hours + floor_hours)


def _agreed(index_by_member: FloatArray) -> FloatArray:
    """The lowest value per hour that a share AGREEMENT of the ensemble does not exceed, (calls,)."""
    enough = int(np.ceil(AGREEMENT * len(index_by_member) - 1e-9))
    agreed: FloatArray = np.partition(index_by_member, enough - 1, axis=0)[enough - 1]
    return agreed


def walk_away_above(index_by_member: FloatArray, value_if_won: FloatArray, signal: bool) -> FloatArray:
    """The bar above which each call drops its deal (money per hour), (calls,).

    At any bar above it, enough ensemble members (AGREEMENT) are below the bar; at this bar or a lower one, too few are.
    So a higher bar drops the same deals and more. A deal sold at a loss is dropped at every bar (-inf); without signal
    all others are dropped at none (inf). Arguments: see `verdicts`.

    >>> walk_away_above(np.array([[1.0, 9.0, 9.0], [3.0, 9.0, 9.0]]), np.array([5.0, 5.0, -1.0]), True).tolist()
    [3.0, 9.0, -inf]
    """
    if not signal:
        return np.where(value_if_won <= 0, -np.inf, np.inf)
    return np.where(value_if_won <= 0, -np.inf, _agreed(index_by_member))


def verdicts(
    index_by_member: FloatArray,
    value_if_won: FloatArray,
    bar: float,
    signal: bool,
    waits: npt.NDArray[np.bool_] | bool = False,
) -> npt.NDArray[np.str_]:
    """The verdict of each call, decided in this order.

    1. walk_away: sold at a loss. 2. unsure: no signal, or the members disagree about the bar. 3. nurture: below the
    bar, with an event worth waiting for. 4. walk_away: below the bar. 5. pursue.

    Args:
        index_by_member: value per hour, (members, calls).
        value_if_won: money, (calls,).
        bar: money per hour.
        signal: False where the model is no better than the base rate; then the verdict is `unsure`, unless the deal is
            sold at a loss.
        waits: whether the deal has an event worth waiting for, (calls,): below the bar it is then nurtured.

    >>> verdicts(np.array([[1.0, 1.0, 9.0]]), np.array([5.0, 5.0, -1.0]), 3.0, True, np.array([False, True, True]))
    array(['walk_away', 'nurture', 'walk_away'], dtype='<U9')
    """
    below = walk_away_above(index_by_member, value_if_won, signal) < bar
    above = -_agreed(-index_by_member) >= bar
    calls = [value_if_won <= 0, np.full(len(value_if_won), not signal) | ~(below | above), below & waits, below]
    return np.select(calls, ["walk_away", "unsure", "nurture", "walk_away"], default="pursue")
