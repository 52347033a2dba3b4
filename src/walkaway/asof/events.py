"""Events as sorted columns: what was recorded of a deal by a moment, without joining events and snapshots.

Events are sorted once by partition (deal, account or owner) and recorded_at. Every question is then answered by two
positions in a sorted column and a difference of running sums. Hours are summed as int64 seconds, because running sums
of floats would change with later rows.

Something is known at as_of if and only if `recorded_at <= as_of`. For features only `Log.position` decides that. A
deal's opening counts as recorded at `created_at` and its close at `closed_at`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from walkaway.book import MOMENT

__all__ = ["DAY", "NO_MOMENT", "Codes", "Events", "Log", "Once", "microseconds"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
DAY = 86_400_000_000  # microseconds
NO_MOMENT = np.iinfo(np.int64).min
KEPT_SELECTIONS = 4  # larger caches were slower than recomputing


def microseconds(moments: pd.Series) -> IntArray:
    """UTC moments as microseconds since 1970, int64; a missing one is the smallest int64.

    >>> microseconds(pd.Series(pd.to_datetime(["1970-01-02T00:00Z"])))
    array([86400000000])
    """
    found: IntArray = moments.astype(MOMENT).astype("int64").to_numpy()
    return found


def _running(values: npt.NDArray[np.bool_] | IntArray, dtype: type = np.int64) -> npt.NDArray[Any]:
    """Running sums with a leading zero: the sum of rows [a, b) is out[b] - out[a]."""
    out: npt.NDArray[Any] = np.zeros(len(values) + 1, dtype=dtype)
    np.cumsum(values, out=out[1:])
    return out


def _grouped(codes: IntArray) -> IntArray:
    """The stable order that sorts codes of 0 or more: a counting sort, by way of a CSR conversion."""
    rows, columns = codes.astype(np.int32), np.arange(len(codes), dtype=np.int32)
    shape = (int(codes.max(initial=0)) + 1, len(codes))
    found: IntArray = (
        sparse.coo_array((np.zeros(len(codes), dtype=np.int8), (rows, columns)), shape=shape).tocsr().indices
    )
    return found


class Once:
    """Values computed once per key, even if several threads ask for them: the second thread waits for the first."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make, self._made = make, dict[tuple[Hashable, ...], Any]()
        self._locks: dict[tuple[Hashable, ...], Lock] = {}

    def __call__(self, *key: Hashable) -> Any:
        """The value of that key."""
        with self._locks.setdefault(key, Lock()):
            if key not in self._made:
                self._made[key] = self._make(*key)
            return self._made[key]


@dataclass(frozen=True)
class Codes:
    """A text column as small codes into its sorted distinct values; -1 for missing."""

    codes: npt.NDArray[np.signedinteger]
    distinct: npt.NDArray[np.object_]

    @classmethod
    def of(cls, text: pd.Series) -> Codes:
        """The codes of a text column, in as few bytes as they need.

        >>> Codes.of(pd.Series(["b", None, "a"])).codes
        array([ 1, -1,  0], dtype=int8)
        """
        codes, distinct = pd.factorize(text, sort=True)
        return cls(codes.astype(np.min_scalar_type(-len(distinct) - 1)), np.asarray(distinct, dtype=object))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, key: npt.NDArray[np.bool_] | IntArray | slice) -> Codes:
        return Codes(self.codes[key], self.distinct)

    def equal(self, value: str) -> npt.NDArray[np.bool_]:
        """Which rows hold this value."""
        found = np.flatnonzero(self.distinct == value)
        return self.codes == found[0] if len(found) else np.zeros(len(self), dtype=bool)

    def pair(self, other: Codes) -> Codes:
        """Both texts of each row, with " / " between them; neither may be missing."""
        wide = self.codes.astype(np.int32) * len(other.distinct) + other.codes
        distinct = [f"{mine} / {theirs}" for mine in self.distinct for theirs in other.distinct]
        return Codes(wide.astype(np.min_scalar_type(-len(distinct) - 1)), np.asarray(distinct, dtype=object))


class Log:
    """Rows of one kind of event, sorted by partition and moment of recording, as plain columns.

    Args:
        partition: int64 code of each row's deal, account or owner, ascending.
        recorded_at: int64 microseconds, ascending within a partition.
        keys: partition and the rank of recorded_at among `moments` in one number, ascending.
        moments: the distinct moments, ascending, of this log or of a longer one that it is a part of.
        column: for a name the column (numbers, or coded text), in the log's order.
    """

    def __init__(
        self,
        partition: IntArray,
        recorded_at: IntArray,
        keys: IntArray,
        moments: IntArray,
        column: Callable[[str], npt.NDArray[Any] | Codes],
    ) -> None:
        self.partition, self.recorded_at, self._keys, self._moments = partition, recorded_at, keys, moments
        self.column = Once(column)
        self._select = lru_cache(KEPT_SELECTIONS)(lambda *equals: _Selection.of(self, dict(equals)))

    @classmethod
    def of(
        cls,
        partition: IntArray,
        recorded_at: IntArray,
        columns: Mapping[str, Callable[[], npt.NDArray[Any] | Codes]],
        ties: Callable[[IntArray], tuple[npt.NDArray[np.signedinteger], ...]],
    ) -> Log:
        """Sort rows into a log.

        Args:
            partition: int64 code of each row's deal, account or owner.
            recorded_at: int64 microseconds.
            columns: for each name a function that makes the column when it is first asked for.
            ties: from row positions to further keys, which order rows of one partition and instant, so that the order
                of the input does not matter.
        """
        by_time = np.argsort(recorded_at)
        in_time = recorded_at[by_time]
        fresh = np.r_[np.ones(min(len(in_time), 1), dtype=bool), in_time[1:] != in_time[:-1]]
        moments, rank = in_time[fresh], np.cumsum(fresh, dtype=np.int32) - 1
        grouped = _grouped(partition[by_time])
        order = by_time[grouped]
        partition = partition[order]
        keys = partition * (len(moments) + 1) + rank[grouped]
        order = _with_ties(order, keys, ties)
        return cls(partition, in_time[grouped], keys, moments, lambda name: columns[name]()[order])

    def between(self, first: int, last: int) -> Log:
        """The rows of partitions first to last, both included, as a log of their own; nothing is copied.

        What is computed from a log (the rows of one kind, their running sums) is as long as the log. For the deals of
        a few snapshots it fits in the processor's cache.
        """
        bounds = np.array([first, last + 1]) * (len(self._moments) + 1)
        rows = slice(*np.searchsorted(self._keys, bounds))
        return Log(
            self.partition[rows],
            self.recorded_at[rows],
            self._keys[rows],
            self._moments,
            lambda name: self.column(name)[rows],
        )

    def __len__(self) -> int:
        return len(self.partition)

    def position(self, partition: IntArray, moment: IntArray) -> IntArray:
        """For each query, one past the last row of its partition known at its moment: recorded_at <= moment."""
        codes, distinct = pd.factorize(moment)
        rank = np.searchsorted(self._moments, distinct, side="right")[codes]
        found: IntArray = np.searchsorted(self._keys, partition * (len(self._moments) + 1) + rank, side="left")
        return found

    def first_of(self, partition: IntArray) -> IntArray:
        """For each query, the position at which its partition's rows begin."""
        codes, distinct = pd.factorize(partition)
        found: IntArray = np.searchsorted(self._keys, distinct * (len(self._moments) + 1), side="left")[codes]
        return found

    def select(self, equals: Mapping[str, str]) -> _Selection:
        """The rows whose text columns equal these values; the last few selections are cached."""
        return self._select(*sorted(equals.items()))


def _with_ties(
    order: IntArray, keys: IntArray, ties: Callable[[IntArray], tuple[npt.NDArray[np.signedinteger], ...]]
) -> IntArray:
    """The order, with rows of equal key sorted by their ties."""
    same = np.flatnonzero(keys[1:] == keys[:-1])
    if not len(same):
        return order
    places = np.unique(np.r_[same, same + 1])
    rows = order[places]
    out = order.copy()
    out[places] = rows[np.lexsort((*reversed(ties(rows)), keys[places]))]
    return out


class _Selection:
    """Some rows of a log, and how positions in the log become positions among them."""

    def __init__(self, log: Log, mask: npt.NDArray[np.bool_] | None) -> None:
        self._log, self._mask = log, mask
        self._rank = None if mask is None else _running(mask, np.int32)
        self.column = Once(lambda name: log.column(name)[self._rows])
        self.sums = Once(lambda name: _running(self.column(name)))
        self.maxima = Once(lambda name: _maxima(self.column(name), self.partition))
        self.first_times = Once(lambda name: _first_times(self.column(name), self.partition))
        self.previous_same = Once(lambda name: _previous_same(self.column(name), self.partition))

    @classmethod
    def of(cls, log: Log, equals: Mapping[str, str]) -> _Selection:
        masks = [log.column(column).equal(value) for column, value in equals.items()]
        return cls(log, np.logical_and.reduce(masks) if masks else None)

    def at(self, position: IntArray) -> IntArray:
        return position if self._rank is None else self._rank.take(position)

    @cached_property
    def _rows(self) -> IntArray | slice:
        return slice(None) if self._mask is None else np.flatnonzero(self._mask)

    @cached_property
    def partition(self) -> IntArray:
        return self._log.partition[self._rows]

    @cached_property
    def moments(self) -> IntArray:
        return self._log.recorded_at[self._rows]


def _maxima(values: IntArray, partition: IntArray) -> IntArray:
    """The largest value so far in each row's partition (values of 0 or more)."""
    if not len(values):
        return values
    step = values.max() + 1
    group = np.cumsum(np.r_[False, partition[1:] != partition[:-1]])
    found: IntArray = np.maximum.accumulate(values + group * step) - group * step
    return found


def _first_times(coded: Codes, partition: IntArray) -> IntArray:
    """Running count of rows that show a text value for the first time in their partition."""
    value = pd.Series(partition * (len(coded.distinct) + 1) + coded.codes)
    return _running((coded.codes >= 0) & ~value.duplicated().to_numpy())


def _previous_same(coded: Codes, partition: IntArray) -> IntArray:
    """For each row, the position of the previous row of its partition with the same value; -1 for none."""
    codes = coded.codes.astype(np.int64)
    order = np.lexsort((np.arange(len(codes)), codes, partition))
    same = (np.diff(partition[order], prepend=-1) == 0) & (np.diff(codes[order], prepend=-2) == 0)
    out = np.full(len(codes), -1, dtype=np.int64)
    out[order[same]] = order[np.flatnonzero(same) - 1]
    return out


def _pick(
    values: npt.NDArray[Any], position: IntArray, there: npt.NDArray[np.bool_], missing: float
) -> npt.NDArray[Any]:
    """values[position] where `there`, else `missing`."""
    if not len(values):
        return np.full(len(position), missing)
    picked = values.take(position, mode="clip")
    return np.where(there, picked, missing)


@dataclass(frozen=True)
class Events:
    """The events of each snapshot's deal that were known at its as_of; every method gives one value per snapshot.

    `where` selects a kind, a direction and so on, `last_days` a window; both return Events again.
    """

    log: Log
    partition: IntArray
    as_of: IntArray
    start: IntArray
    end: IntArray
    selected: _Selection
    windowed: bool = False
    newest: dict[tuple[tuple[str, str], ...], Events] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, log: Log, partition: IntArray, as_of: IntArray) -> Events:
        """All events of these partitions known at these moments."""
        return cls(log, partition, as_of, log.first_of(partition), log.position(partition, as_of), log.select({}))

    @cached_property
    def _first(self) -> IntArray:
        return self.selected.at(self.start)

    @cached_property
    def _past(self) -> IntArray:
        return self.selected.at(self.end)

    @cached_property
    def _any(self) -> npt.NDArray[np.bool_]:
        return self._past > self._first

    def where(self, **equals: str) -> Events:
        """Only events whose columns equal these values, in place of any earlier `where`."""
        key = tuple(sorted(equals.items()))
        if key not in self.newest:  # features on one word follow each other
            self.newest.clear()
            self.newest[key] = replace(self, selected=self.log.select(equals), newest={})
        return self.newest[key]

    def last_days(self, days: float) -> Events:
        """Only events recorded in the `days` before as_of: as_of - days < recorded_at <= as_of."""
        begin = self.log.position(self.partition, self.as_of - int(days * DAY))
        return replace(self, start=np.maximum(self.start, begin), windowed=True, newest={})

    def count(self) -> IntArray:
        """Number of events."""
        return self._past - self._first

    def total(self, column: str) -> IntArray:
        """The sum of an int64 column."""
        sums: IntArray = self.selected.sums(column)
        return sums[self._past] - sums[self._first]

    def maximum(self, column: str) -> FloatArray:
        """The largest value of an int64 column of values >= 0, over the whole history; NaN without events."""
        return _pick(self.selected.maxima(column), self._past - 1, self._any, np.nan)

    def last(self, column: str) -> FloatArray:
        """The newest value of a number column; NaN without events."""
        return _pick(self.selected.column(column), self._past - 1, self._any, np.nan)

    def first(self, column: str) -> FloatArray:
        """The oldest value of a number column; NaN without events."""
        return _pick(self.selected.column(column), self._first, self._any, np.nan)

    def last_code(self, column: str) -> tuple[npt.NDArray[np.signedinteger], npt.NDArray[np.object_]]:
        """The newest value of a text column as (codes, values); code -1 without events or value."""
        coded = self.selected.column(column)
        return _pick(coded.codes, self._past - 1, self._any, -1), coded.distinct

    def first_code(self, column: str) -> tuple[npt.NDArray[np.signedinteger], npt.NDArray[np.object_]]:
        """The oldest value of a text column as (codes, values); code -1 without events or value."""
        coded = self.selected.column(column)
        return _pick(coded.codes, self._first, self._any, -1), coded.distinct

    def days_since_last(self) -> FloatArray:
        """Days from the newest event's recording to as_of; NaN without events."""
        return self._days_since(self._past - 1)

    def days_since_first(self) -> FloatArray:
        """Days from the oldest event's recording to as_of; NaN without events."""
        return self._days_since(self._first)

    def _days_since(self, position: IntArray) -> FloatArray:
        if not len(self.selected.moments):
            return np.full(len(self.as_of), np.nan)
        days = (self.as_of - self.selected.moments.take(position, mode="clip")) / DAY
        np.copyto(days, np.nan, where=~self._any)
        return days

    def distinct(self, column: str) -> IntArray:
        """Number of different values in a text column; missing values are not counted."""
        if not self.windowed:
            sums: IntArray = self.selected.first_times(column)
            return sums.take(self._past) - sums.take(self._first)
        return self._distinct_in_window(self.selected.column(column).codes, self.selected.previous_same(column))

    def _distinct_in_window(self, codes: npt.NDArray[np.signedinteger], previous: IntArray) -> IntArray:
        """Counts rows of the window whose previous equal row lies before it, one position of the window at a time."""
        out = np.zeros(len(self._first), dtype=np.int64)
        for offset in range(int(self.count().max(initial=0))):
            position = self._first + offset
            inside = np.flatnonzero(position < self._past)
            row = position[inside]
            out[inside] += (previous[row] < self._first[inside]) & (codes[row] >= 0)
        return out
