"""The index on which deals are ranked, and the verdict on each."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Verdict", "expected_value", "value_per_hour", "verdicts"]

FloatArray = npt.NDArray[np.float64]
Verdict = Literal["pursue", "nurture", "walk_away", "unsure"]
AGREEMENT = 0.8  # share of the bag that must stand on one side of the bar for a call


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


def verdicts(index_by_member: FloatArray, value_if_won: FloatArray, bar: float, signal: bool) -> npt.NDArray[np.str_]:
    """The verdict of each call, in the order of the method: sold at a loss, no signal, disagreement, below the bar.

    Args:
        index_by_member: value per hour, (members, calls).
        value_if_won: money, (calls,).
        bar: money per hour.
        signal: False where the model knows no more than the base rate; then nothing is said but `unsure`.

    >>> verdicts(np.array([[1.0, 9.0, 9.0]]), np.array([5.0, 5.0, -1.0]), 3.0, True).tolist()
    ['walk_away', 'pursue', 'walk_away']
    """
    below = (index_by_member < bar).mean(axis=0) >= AGREEMENT
    above = (index_by_member >= bar).mean(axis=0) >= AGREEMENT
    calls = [value_if_won <= 0, np.full(len(value_if_won), not signal) | ~(below | above), below]
    return np.select(calls, ["walk_away", "unsure", "walk_away"], default="pursue")
