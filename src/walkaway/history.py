"""The as-of gate: what was known of a deal at a moment. Nothing reads events but through it.

Something is known at as_of if and only if `recorded_at <= as_of`: that is decided in `Log.position`, and nowhere else.
Events are sorted once by partition (deal, account or owner) and recorded_at; every question is then two positions in
a sorted column and a difference of running sums. Sums run over int64 seconds, since running sums of floats change with
rows that come later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.effort import effort_seconds
from walkaway.schema import MOMENT, Book

__all__ = ["DAY", "Events", "History", "Log", "View", "known", "microseconds"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
DAY = 86_400_000_000  # microseconds
NO_MOMENT = np.iinfo(np.int64).min


def microseconds(moments: pd.Series) -> IntArray:
    """UTC moments as microseconds since 1970, int64; a missing one is the smallest int64.

    >>> microseconds(pd.Series(pd.to_datetime(["1970-01-02T00:00Z"])))
    array([86400000000])
    """
    return moments.astype(MOMENT).astype("int64").to_numpy()


def known(book: Book, moment: pd.Timestamp) -> Book:
    """The book as it stood at a moment: later rows gone, outcomes not yet recorded erased.

    Amounts and margins of deals then open are kept only where they are fixed at creation.
    """
    deals = book.deals[book.deals["created_at"] <= moment].copy()
    still_open = ~(deals["closed_at"] <= moment)
    deals.loc[still_open, "closed_at"] = pd.NaT
    late = [c for c in ("outcome", "loss_reason", "amount", "margin") if c not in book.manifest.fixed_at_creation]
    for column in late:
        deals.loc[still_open, column] = np.nan
    tables = {n: t[t["recorded_at"] <= moment] for n, t in book.tables().items() if "recorded_at" in t}
    tables = {name: rows[rows["deal_id"].isin(deals["deal_id"])] for name, rows in tables.items()}
    return book.with_tables(deals=deals, **tables)


def _running(values: npt.NDArray, dtype: type = np.int64) -> npt.NDArray:
    """Running sums with a leading zero: the sum of rows [a, b) is out[b] - out[a]."""
    out: npt.NDArray = np.zeros(len(values) + 1, dtype=dtype)
    np.cumsum(values, out=out[1:])
    return out


def _grouped(codes: IntArray) -> IntArray:
    """The stable order that sorts codes of 0 or more, by 16 bits at a time: numpy sorts those by counting."""
    order = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    rest = codes >> 16
    while rest.any():
        order = order[np.argsort((rest[order] & 0xFFFF).astype(np.uint16), kind="stable")]
        rest = rest >> 16
    return order


def _dense_rank(values: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """(rank of each value among the distinct ones, the distinct ones), given an order that sorts them."""
    ordered = values[order]
    fresh = np.r_[False, ordered[1:] != ordered[:-1]] if len(values) else np.zeros(0, dtype=bool)
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.cumsum(fresh)
    return rank, ordered[~fresh if not len(fresh) else np.r_[True, fresh[1:]]]


@dataclass(frozen=True)
class _Codes:
    """A text column as small codes into its sorted distinct values; -1 for missing."""

    codes: npt.NDArray
    distinct: npt.NDArray

    @classmethod
    def of(cls, text: pd.Series) -> _Codes:
        codes, distinct = pd.factorize(text, sort=True)
        return cls(codes.astype(np.min_scalar_type(-len(distinct) - 1)), np.asarray(distinct, dtype=object))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, key: npt.NDArray) -> _Codes:
        return _Codes(self.codes[key], self.distinct)

    def equal(self, value: str) -> npt.NDArray[np.bool_]:
        found = np.flatnonzero(self.distinct == value)
        return self.codes == found[0] if len(found) else np.zeros(len(self), dtype=bool)

    def pair(self, other: _Codes) -> _Codes:
        """ "this / other" for each row; neither may be missing."""
        wide = self.codes.astype(np.int32) * len(other.distinct) + other.codes
        distinct = [f"{mine} / {theirs}" for mine in self.distinct for theirs in other.distinct]
        return _Codes(wide.astype(np.min_scalar_type(-len(distinct) - 1)), np.asarray(distinct, dtype=object))


class Log:
    """Rows of one kind of event, sorted by partition and moment of recording, as plain columns.

    Args:
        partition: int64 code of each row's deal, account or owner.
        recorded_at: int64 microseconds.
        columns: for each name a function that makes the column (numbers, or coded text) when it is first asked for.
        ties: from row positions to further keys, which order rows of one partition and instant, so that the order of
            the input does not matter.
    """

    def __init__(
        self,
        partition: IntArray,
        recorded_at: IntArray,
        columns: Mapping[str, Callable[[], npt.NDArray | _Codes]],
        ties: Callable[[IntArray], tuple[npt.NDArray, ...]],
    ) -> None:
        by_time = np.argsort(recorded_at)
        rank, self._moments = _dense_rank(recorded_at, by_time)
        order = by_time[_grouped(partition[by_time])]
        keys = partition[order] * (len(self._moments) + 1) + rank[order]
        self._order, self._keys = _with_ties(order, keys, ties), keys
        self.partition, self.recorded_at = partition[self._order], recorded_at[self._order]
        self._make, self._made = columns, dict[str, npt.NDArray | _Codes]()
        self._selections: dict[tuple[tuple[str, str], ...], _Selection] = {}

    def __len__(self) -> int:
        return len(self.partition)

    def column(self, name: str) -> Any:
        """A column in the order of the log: numbers, or coded text."""
        if name not in self._made:
            self._made[name] = self._make[name]()[self._order]
        return self._made[name]

    def position(self, partition: IntArray, moment: IntArray) -> IntArray:
        """For each query, one past the last row of its partition known at its moment: recorded_at <= moment."""
        codes, distinct = pd.factorize(moment)
        rank = np.searchsorted(self._moments, distinct, side="right")[codes]
        return np.searchsorted(self._keys, partition * (len(self._moments) + 1) + rank, side="left")

    def first_of(self, partition: IntArray) -> IntArray:
        """For each query, the position at which its partition's rows begin."""
        codes, distinct = pd.factorize(partition)
        return np.searchsorted(self._keys, distinct * (len(self._moments) + 1), side="left")[codes]

    def select(self, equals: Mapping[str, str]) -> _Selection:
        """The rows whose text columns equal these values; kept, since features ask again and again."""
        key = tuple(sorted(equals.items()))
        if key not in self._selections:
            self._selections[key] = _Selection.of(self, equals)
        return self._selections[key]


def _with_ties(order: IntArray, keys: IntArray, ties: Callable[[IntArray], tuple[npt.NDArray, ...]]) -> IntArray:
    """The order, its rows of equal key put in the order of their ties."""
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
        self._sums: dict[str, IntArray] = {}

    @classmethod
    def of(cls, log: Log, equals: Mapping[str, str]) -> _Selection:
        masks = [log.column(column).equal(value) for column, value in equals.items()]
        return cls(log, np.logical_and.reduce(masks) if masks else None)

    def at(self, position: IntArray) -> IntArray:
        return position if self._rank is None else self._rank.take(position)

    @cached_property
    def _rows(self) -> IntArray | slice:
        return slice(None) if self._mask is None else np.flatnonzero(self._mask)

    def column(self, name: str) -> Any:
        """Numbers, or coded text, of the selected rows."""
        return self._log.column(name)[self._rows]

    @cached_property
    def partition(self) -> IntArray:
        return self._log.partition[self._rows]

    @cached_property
    def moments(self) -> IntArray:
        return self._log.recorded_at[self._rows]

    def sums(self, name: str) -> IntArray:
        if name not in self._sums:
            self._sums[name] = _running(self.column(name))
        return self._sums[name]

    def maxima(self, name: str) -> IntArray:
        """The largest value so far in each row's partition (values of 0 or more)."""
        values = self.column(name)
        if not len(values):
            return values
        step = values.max() + 1
        group = np.cumsum(np.r_[False, self.partition[1:] != self.partition[:-1]])
        return np.maximum.accumulate(values + group * step) - group * step

    def previous_same(self, name: str) -> IntArray:
        """For each row, the position of the previous row of its partition with the same value; -1 for none."""
        codes = self.column(name).codes.astype(np.int64)
        order = np.lexsort((np.arange(len(codes)), codes, self.partition))
        same = (np.diff(self.partition[order], prepend=-1) == 0) & (np.diff(codes[order], prepend=-2) == 0)
        out = np.full(len(codes), -1, dtype=np.int64)
        out[order[same]] = order[np.flatnonzero(same) - 1]
        return out


def _pick(values: npt.NDArray, position: IntArray, there: npt.NDArray[np.bool_], missing: float) -> npt.NDArray:
    """values[position] where `there`, else `missing`."""
    if not len(values):
        return np.full(len(position), missing)
    picked = values.take(position, mode="clip")
    return np.where(there, picked, missing)


@dataclass(frozen=True)
class Events:
    """The events of each snapshot's deal that were known at its as_of: one answer a snapshot to every question.

    `where` narrows to a kind, a direction and so on, `last_days` to a window; both give Events again.
    """

    log: Log
    partition: IntArray
    as_of: IntArray
    start: IntArray
    end: IntArray
    selected: _Selection

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
        return replace(self, selected=self.log.select(equals))

    def last_days(self, days: float) -> Events:
        """Only events recorded in the `days` before as_of: as_of - days < recorded_at <= as_of."""
        begin = self.log.position(self.partition, self.as_of - int(days * DAY))
        return replace(self, start=np.maximum(self.start, begin))

    def count(self) -> IntArray:
        """How many events."""
        return self._past - self._first

    def total(self, column: str) -> IntArray:
        """The sum of an int64 column."""
        sums = self.selected.sums(column)
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

    def last_code(self, column: str) -> tuple[IntArray, npt.NDArray]:
        """The newest value of a text column as (codes, values); code -1 without events or value."""
        coded = self.selected.column(column)
        return _pick(coded.codes, self._past - 1, self._any, -1), coded.distinct

    def days_since_last(self) -> FloatArray:
        """Days from the newest event's recording to as_of; NaN without events."""
        return self._days_since(self._past - 1)

    def days_since_first(self) -> FloatArray:
        """Days from the oldest event's recording to as_of; NaN without events."""
        return self._days_since(self._first)

    def _days_since(self, position: IntArray) -> FloatArray:
        days = (self.as_of - _pick(self.selected.moments, position, self._any, 0)) / DAY
        days[~self._any] = np.nan
        return days

    def distinct(self, column: str) -> IntArray:
        """How many different values a text column takes; a missing value counts as none."""
        coded = self.selected.column(column)
        fresh = (self.selected.previous_same(column) < 0) & (coded.codes >= 0)
        if np.array_equal(self.start, self.log.first_of(self.partition)):
            sums = _running(fresh.astype(np.int64))
            return sums[self._past] - sums[self._first]
        return self._distinct_in_window(coded.codes, self.selected.previous_same(column))

    def _distinct_in_window(self, codes: npt.NDArray, previous: IntArray) -> IntArray:
        """Rows of the window whose previous equal row lies before it, counted row by row of the longest window."""
        out = np.zeros(len(self._first), dtype=np.int64)
        for offset in range(int(self.count().max(initial=0))):
            position = self._first + offset
            inside = np.flatnonzero(position < self._past)
            row = position[inside]
            out[inside] += (previous[row] < self._first[inside]) & (codes[row] >= 0)
        return out


class View:
    """What was known of each snapshot's deal at its as_of.

    Args:
        history: the gate over a book.
        snapshots: a frame with deal_id and as_of (UTC), one row a snapshot.

    Raises:
        KeyError: a snapshot names a deal that the book does not hold.
    """

    def __init__(self, history: History, snapshots: pd.DataFrame) -> None:
        self._history = history
        self.deal = history.deal_codes(snapshots["deal_id"])
        self.as_of = microseconds(snapshots["as_of"])
        self._events: dict[str, Events] = {}

    def __len__(self) -> int:
        return len(self.deal)

    @property
    def activities(self) -> Events:
        """Activities of the deal: kind, status, direction, owner_id, contact_id, step (kind and status), seconds."""
        return self._of_deal("activities")

    @property
    def changes(self) -> Events:
        """Changes of tracked fields: field, new_value, number, moment (microseconds)."""
        return self._of_deal("changes")

    @property
    def contacts(self) -> Events:
        """People who joined the deal: role."""
        return self._of_deal("contacts")

    def _of_deal(self, name: str) -> Events:
        if name not in self._events:
            self._events[name] = Events.of(self._history.logs[name], self.deal, self.as_of)
        return self._events[name]

    def shared(self, log: str, by: str) -> Events:
        """Openings or closings of all deals that share this deal's account or owner (`by`)."""
        key = f"{log} by {by}"
        if key not in self._events:
            self._events[key] = Events.of(self._history.logs[key], self._history.group_codes(by)[self.deal], self.as_of)
        return self._events[key]

    def has(self, attribute: str) -> bool:
        """Whether the book declares this attribute of the deal as fixed at creation."""
        return attribute in self._history.book.manifest.fixed_at_creation

    def attribute(self, name: str) -> pd.Series:
        """An attribute fixed at creation, one value a snapshot.

        Raises:
            KeyError: the manifest does not declare it fixed: today's value would be the future in disguise.
        """
        if name != "created_at" and not self.has(name):
            raise KeyError(f"{name} is not declared fixed at creation: its value at as_of is unknown")
        return self._history.deals[name].iloc[self.deal].reset_index(drop=True)

    @cached_property
    def age_days(self) -> FloatArray:
        """Days from the deal's creation to as_of."""
        return (self.as_of - self._history.created_at[self.deal]) / DAY

    @cached_property
    def amount(self) -> FloatArray:
        """The amount known at as_of, in the book's currency; NaN where none was recorded yet."""
        changed = self.changes.where(field="amount").last("number")
        if not self.has("amount"):
            return changed
        return np.where(np.isnan(changed), self.attribute("amount").to_numpy(dtype=np.float64), changed)

    @cached_property
    def margin(self) -> FloatArray:
        """The margin rate known at as_of; NaN where none was recorded."""
        changed = self.changes.where(field="margin").last("number")
        if not self.has("margin"):
            return changed
        return np.where(np.isnan(changed), self.attribute("margin").to_numpy(dtype=np.float64), changed)


class History:
    """The gate over one book: events sorted once, deals and groups as integer codes in the order of their names.

    >>> book = Book.of(
    ...     deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-01T00:00Z"]}),
    ...     activities=pd.DataFrame({"activity_id": ["a", "b"], "deal_id": "d1", "kind": "call", "hours": [0.5, 0.25],
    ...         "occurred_at": ["2026-01-02T00:00Z", "2026-01-04T00:00Z"],
    ...         "recorded_at": ["2026-01-02T00:00Z", "2026-01-04T00:00Z"]}))
    >>> view = History(book).at(pd.DataFrame({"deal_id": ["d1"], "as_of": [pd.Timestamp("2026-01-03T00:00Z")]}))
    >>> view.activities.count(), view.activities.total("seconds"), view.activities.days_since_last()
    (array([1]), array([1800]), array([1.]))
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.deals = book.deals.sort_values("deal_id", kind="stable").reset_index(drop=True)
        self._index = pd.Index(self.deals["deal_id"])
        self.created_at = microseconds(self.deals["created_at"])
        self.closed_at = microseconds(self.deals["closed_at"])
        self.logs = {
            "activities": self._activities(book.activities),
            "changes": self._changes(book.changes),
            "contacts": self._contacts(book.contacts),
        }
        for by in ("account_id", "owner_id"):
            self.logs[f"openings by {by}"] = self._by_group(by, self.created_at)
            self.logs[f"closings by {by}"] = self._by_group(by, self.closed_at)

    def at(self, snapshots: pd.DataFrame) -> View:
        """What was known at these snapshots (deal_id, as_of)."""
        return View(self, snapshots)

    def deal_codes(self, deal_id: pd.Series) -> IntArray:
        """The code of each deal.

        Raises:
            KeyError: a deal that the book does not hold.
        """
        place, distinct = pd.factorize(deal_id)
        codes = self._index.get_indexer(pd.Index(distinct)).astype(np.int64)
        if (codes < 0).any() or (place < 0).any():
            unknown = distinct[codes < 0][0] if (codes < 0).any() else "without id"
            raise KeyError(f"deal {unknown} is not in the book")
        return codes[place]

    def group_codes(self, by: str) -> IntArray:
        """The code of each deal's account or owner; a deal without one is a group of its own."""
        alone = np.arange(len(self.deals), dtype=np.int64)
        if by not in self.book.manifest.fixed_at_creation:
            return alone
        codes, _ = pd.factorize(self.deals[by], sort=True)
        return np.where(codes < 0, alone + len(self.deals), codes).astype(np.int64)

    def _activities(self, rows: pd.DataFrame) -> Log:
        def status() -> _Codes:
            return _Codes.of(rows["status"].fillna("done"))

        def seconds() -> IntArray:
            return effort_seconds(rows, self.book.manifest.assumed_hours)

        def ties(at: IntArray) -> tuple[npt.NDArray, ...]:
            tied = rows.iloc[at]
            texts = (tied["kind"], tied["status"].fillna("done"), tied["activity_id"])
            return (microseconds(tied["occurred_at"]), *(_Codes.of(text).codes for text in texts))

        named = ("kind", "direction", "owner_id", "contact_id")
        columns: dict[str, Callable[[], npt.NDArray | _Codes]] = {
            **{name: partial(_Codes.of, rows[name]) for name in named},
            "status": status,
            "step": lambda: _Codes.of(rows["kind"]).pair(status()),
            "seconds": seconds,
        }
        return Log(self.deal_codes(rows["deal_id"]), microseconds(rows["recorded_at"]), columns, ties)

    def _changes(self, rows: pd.DataFrame) -> Log:
        def number() -> FloatArray:
            amounts = rows["new_value"].where(rows["field"].isin(("amount", "margin")))
            return pd.to_numeric(amounts, errors="coerce").to_numpy(dtype=np.float64)

        def moment() -> FloatArray:
            dates = rows["new_value"].where(rows["field"] == "expected_close_date")
            found = microseconds(pd.to_datetime(dates, errors="coerce", utc=True, format="ISO8601"))
            return np.where(found == NO_MOMENT, np.nan, found)

        def ties(at: IntArray) -> tuple[npt.NDArray, ...]:
            return tuple(_Codes.of(rows[name].iloc[at]).codes for name in ("field", "new_value"))

        texts = {name: partial(_Codes.of, rows[name]) for name in ("field", "new_value")}
        columns: dict[str, Callable[[], npt.NDArray | _Codes]] = {**texts, "number": number, "moment": moment}
        return Log(self.deal_codes(rows["deal_id"]), microseconds(rows["recorded_at"]), columns, ties)

    def _contacts(self, rows: pd.DataFrame) -> Log:
        return Log(
            self.deal_codes(rows["deal_id"]),
            microseconds(rows["recorded_at"]),
            {"role": partial(_Codes.of, rows["role"])},
            ties=lambda at: (_Codes.of(rows["contact_id"].iloc[at]).codes,),
        )

    def _by_group(self, by: str, moment: IntArray) -> Log:
        there = moment != NO_MOMENT
        outcome = _Codes.of(self.deals["outcome"])[there]
        return Log(
            self.group_codes(by)[there], moment[there], {"outcome": lambda: outcome}, lambda at: (outcome.codes[at],)
        )
