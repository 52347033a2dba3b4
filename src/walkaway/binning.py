"""Bins of values: numbers by edges, categories by code, missing values in the last bin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["cells_of", "equal_edges"]


def cells_of(values: npt.NDArray[np.floating], edges: Sequence[float] | None, cells: int) -> npt.NDArray[np.int64]:
    """The bin of each value; an edge belongs to the bin below it.

    Args:
        values: numbers, or category codes; NaN is missing.
        edges: edges between bins of numbers, ascending; None for categories.
        cells: number of bins, including the last one for missing values.

    >>> cells_of(np.array([2.0, 3.0, 9.0, np.nan]), (2.0, 5.0), 4)
    array([0, 1, 2, 3])
    """
    present = ~np.isnan(values)
    filled = np.where(present, values, 0.0)
    bins = filled.astype(np.int64) if edges is None else np.searchsorted(np.array(edges), filled, side="left")
    return np.where(present, bins, cells - 1)


def equal_edges(values: npt.NDArray[np.floating], bins: int) -> tuple[float, ...]:
    """Edges of bins with equal shares of the values that are not missing, as far as ties allow.

    >>> equal_edges(np.array([1.0, 2.0, 3.0, 4.0, np.nan]), 2)
    (2.0,)
    """
    present = values[~np.isnan(values)].astype(np.float64)
    if not len(present):
        return ()
    return tuple(np.unique(np.quantile(present, np.arange(1, bins) / bins, method="lower")).tolist())
