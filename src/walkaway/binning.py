"""Cells of values: numbers between edges, categories by their codes, and what is missing in the last of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["cells_of", "equal_edges"]


def cells_of(values: npt.NDArray[np.floating], edges: Sequence[float] | None, cells: int) -> npt.NDArray[np.int64]:
    """The cell of each value; an edge belongs to the cell below it.

    Args:
        values: numbers, or codes of categories; NaN is missing.
        edges: between cells of numbers, ascending; None for categories.
        cells: how many there are, that of missing values included.

    >>> cells_of(np.array([2.0, 3.0, 9.0, np.nan]), (2.0, 5.0), 4)
    array([0, 1, 2, 3])
    """
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)
    found = filled.astype(np.int64) if edges is None else np.searchsorted(np.array(edges), filled, side="left")
    return np.where(there, found, cells - 1)


def equal_edges(values: npt.NDArray[np.floating], bins: int) -> tuple[float, ...]:
    """Edges of bins that hold equal shares of the values that are there, as far as equal values allow.

    >>> equal_edges(np.array([1.0, 2.0, 3.0, 4.0, np.nan]), 2)
    (2.0,)
    """
    present = values[~np.isnan(values)].astype(np.float64)
    if not len(present):
        return ()
    return tuple(np.unique(np.quantile(present, np.arange(1, bins) / bins, method="lower")).tolist())
