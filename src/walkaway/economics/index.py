"""The index on which deals are ranked, and the verdict on each."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["DROPPED", "Verdict", "expected_value", "value_per_hour", "verdicts", "walk_away_above"]

FloatArray = npt.NDArray[np.float64]
Verdict = Literal["pursue", "nurture", "walk_away", "unsure"]
DROPPED = ("walk_away", "nurture")  # verdicts after which no hour is to be spent
AGREEMENT = 0.8  # share of the bag that must stand on one side of the bar for a call, or by a reason of it


def expected_value(win_probability: FloatArray, value_if_won: FloatArray) -> FloatArray:
    """Money expected from each deal: win_probability x value_if_won.

    >>> expected_value(np.array([0.5]), np.array([900.0]))
    array([450.])
    """
    return win_probability * value_if_won


def value_per_hour(expected: FloatArray, remaining_hours: FloatArray, floor_hours: float) -> FloatArray:
    """Money an hour spent from now on is worth: expected / (remaining_hours + floor_hours).

    The floor keeps a deal that needs hardly any more work from an endless index.

    >>> value_per_hour(np.array([450.0]), np.array([1.4]), 0.1)
    array([300.])
    """
    return expected / (remaining_hours + floor_hours)


def _agreed(index_by_member: FloatArray) -> FloatArray:
    """The least index that enough members of the bag stay at or below, (calls,)."""
    enough = int(np.ceil(AGREEMENT * len(index_by_member) - 1e-9))
    agreed: FloatArray = np.partition(index_by_member, enough - 1, axis=0)[enough - 1]
    return agreed


def walk_away_above(index_by_member: FloatArray, value_if_won: FloatArray, signal: bool) -> FloatArray:
    """The bar above which each call is a drop, so that what is dropped is nested in the bar: money per hour, (calls,).

    Enough of the bag stands below any higher bar, and not below this one. A deal sold at a loss is dropped at each bar;
    without signal none ever is. Arguments as of `verdicts`.

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
    """The verdict of each call, in the order of the method: sold at a loss, no signal or disagreement, below the bar.

    Args:
        index_by_member: value per hour, (members, calls).
        value_if_won: money, (calls,).
        bar: money per hour.
        signal: False where the model knows no more than the base rate; then nothing is said but `unsure`.
        waits: whether time is the problem and there is something to wait for, (calls,): below the bar it is nurtured.

    >>> verdicts(np.array([[1.0, 1.0, 9.0]]), np.array([5.0, 5.0, -1.0]), 3.0, True, np.array([False, True, True]))
    array(['walk_away', 'nurture', 'walk_away'], dtype='<U9')
    """
    below = walk_away_above(index_by_member, value_if_won, signal) < bar
    above = -_agreed(-index_by_member) >= bar
    calls = [value_if_won <= 0, np.full(len(value_if_won), not signal) | ~(below | above), below & waits, below]
    return np.select(calls, ["walk_away", "unsure", "nurture", "walk_away"], default="pursue")
