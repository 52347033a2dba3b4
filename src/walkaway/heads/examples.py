"""The rows that a head is fitted on: features, target, weight, the deal of each row, and category columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = ["Examples", "Holdout", "latest_rows"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def latest_rows(deal: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each row, the position of its deal's last row; rows sorted by deal and moment.

    >>> latest_rows(np.array([0, 0, 1]))
    array([1, 1, 2])
    """
    ends = np.flatnonzero(np.r_[deal[1:] != deal[:-1], True]) if len(deal) else np.zeros(0, dtype=np.int64)
    return ends[np.searchsorted(ends, np.arange(len(deal)))]


@dataclass(frozen=True)
class Holdout:
    """Rows to fit on and rows to judge on, (rows,) each; no deal is in both, and the outcomes of both are known."""

    fit: BoolArray
    judge: BoolArray

    def among(self, rows: BoolArray) -> Holdout:
        """The same for some of the rows.

        >>> Holdout(np.array([True, False]), np.array([False, True])).among(np.array([False, True])).judge.tolist()
        [True]
        """
        return Holdout(self.fit[rows], self.judge[rows])


@dataclass(frozen=True)
class Examples:
    """Training rows, sorted by deal and moment.

    X: features, (rows, columns), float32. target: the value to predict, (rows,); NaN where it is not known yet.
    latest: position of each row's deal's last row, (rows,). categorical: positions of the columns that hold category
    codes. weight: how much each row counts, (rows,); None if all count the same.

    >>> Examples(np.zeros((3, 1)), np.array([1.0, 1.0, 0.0]), latest_rows(np.array([4, 4, 7])), []).deals
    2
    """

    X: npt.NDArray[np.float32]
    target: FloatArray
    latest: npt.NDArray[np.int64]
    categorical: list[int]
    weight: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def deals(self) -> int:
        """How many deals the rows belong to."""
        return len(np.unique(self.latest))

    def weights(self) -> FloatArray:
        """How much each row counts, (rows,); 1 if all count the same."""
        return np.ones(len(self)) if self.weight is None else self.weight

    def part(self, rows: BoolArray, target: FloatArray) -> Examples:
        """Some of the rows, with another target; rows of one deal still share a value of `latest`."""
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, X=self.X[rows], target=target, latest=self.latest[rows], weight=weight)

    def reading_only(self, columns: list[int] | None) -> Examples:
        """The same rows with all other columns missing throughout, so that nothing is learned from them.

        >>> rows = Examples(np.ones((1, 2), np.float32), np.ones(1), latest_rows(np.array([0])), [])
        >>> rows.reading_only([1]).X.tolist(), rows.reading_only(None).X.tolist()
        ([[nan, 1.0]], [[1.0, 1.0]])
        """
        if columns is None:
            return self
        read = np.isin(np.arange(self.X.shape[1]), columns)
        return replace(self, X=np.where(read, self.X, np.float32(np.nan)))

    def with_target(self, target: FloatArray) -> Examples:
        """The same rows with another target."""
        return replace(self, target=target)
