"""What was known of a deal at a moment. All other code reads a book's events through `History`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof.events import DAY, NO_MOMENT, Codes, Events, Log, Once, microseconds
from walkaway.book import Book, deal_places, effort_seconds

__all__ = ["DAY", "NO_MOMENT", "Codes", "Events", "History", "Log", "View", "known", "microseconds"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
PROBABILITY = "probability"


def known(book: Book, moment: pd.Timestamp) -> Book:
    """The book as it stood at a moment, without later rows and without outcomes that were not recorded yet.

    Amounts and margins of deals that were open are kept only where they are fixed at creation.
    """
    deals = book.deals[book.deals["created_at"] <= moment].copy()
    still_open = ~(deals["closed_at"] <= moment)
    deals.loc[still_open, "closed_at"] = pd.NaT
    late = [c for c in ("outcome", "loss_reason", "amount", "margin") if c not in book.manifest.fixed_at_creation]
    for column in late:
        deals.loc[still_open, column] = np.nan
    tables = {n: t[t["recorded_at"] <= moment] for n, t in book.tables().items() if "recorded_at" in t}
    tables = {name: rows[rows["deal_id"].isin(deals["deal_id"])] for name, rows in tables.items()}
    return book.with_tables(deals=deals, manifest=book.read_like_the_whole().manifest, **tables)


class View:
    """What was known of each snapshot's deal at its as_of.

    Args:
        history: of a book.
        deal: code of each snapshot's deal.
        as_of: microseconds of each snapshot.
    """

    def __init__(self, history: History, deal: IntArray, as_of: IntArray) -> None:
        self._history, self.deal, self.as_of = history, deal, as_of
        self._events: dict[str, Events] = {}

    def __len__(self) -> int:
        return len(self.deal)

    def prepare(self, pool: Executor) -> None:
        """Compute in advance what all parts of this view share."""
        self._history.prepare(pool)

    def by_deal(self) -> tuple[View, IntArray | slice]:
        """The same snapshots grouped by deal, and the position of each of this view's snapshots among them."""
        if (self.deal[1:] >= self.deal[:-1]).all():
            return self, slice(None)
        order = np.argsort(self.deal, kind="stable")
        return View(self._history, self.deal[order], self.as_of[order]), np.argsort(order)

    def part(self, rows: slice) -> View:
        """The view of some of these snapshots."""
        return View(self._history, self.deal[rows], self.as_of[rows])

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
            deals = (int(self.deal.min()), int(self.deal.max())) if len(self) else (0, -1)
            self._events[name] = Events.of(self._history.log(name).between(*deals), self.deal, self.as_of)
        return self._events[name]

    def shared(self, log: str, by: str) -> Events:
        """Openings or closings of all deals that share this deal's account or owner (`by`)."""
        key = f"{log} by {by}"
        if key not in self._events:
            self._events[key] = Events.of(self._history.log(key), self._history.group_codes(by)[self.deal], self.as_of)
        return self._events[key]

    def attributes(self, kind: Literal["text", "number"]) -> list[str]:
        """Names of the deals' attributes fixed at creation (`Book.attributes`)."""
        return self._history.book.attributes(kind)

    def has(self, attribute: str) -> bool:
        """Whether the book declares this attribute of the deal as fixed at creation."""
        return attribute in self._history.book.manifest.fixed_at_creation

    def attribute(self, name: str) -> pd.Series:
        """An attribute fixed at creation, one value per snapshot.

        Raises:
            KeyError: the manifest does not declare it fixed, so today's value may not have been known then.
        """
        self._check_fixed(name)
        return self._history.deals[name].iloc[self.deal].reset_index(drop=True)

    def coded_attribute(self, name: str) -> tuple[npt.NDArray[np.signedinteger], npt.NDArray[np.object_]]:
        """A text attribute fixed at creation as (codes, values), one code per snapshot; -1 for missing.

        Raises:
            KeyError: the manifest does not declare it fixed.
        """
        self._check_fixed(name)
        coded = self._history.text("deals", name)
        return coded.codes[self.deal], coded.distinct

    def _check_fixed(self, name: str) -> None:
        if not self.has(name):
            raise KeyError(f"{name} is not declared fixed at creation: its value at as_of is unknown")

    @cached_property
    def age_days(self) -> FloatArray:
        """Days from the deal's creation to as_of."""
        return (self.as_of - self._history.created_at[self.deal]) / DAY

    @cached_property
    def stage_name(self) -> pd.Series:
        """The stage known at as_of; missing where none was recorded."""
        codes, words = self.changes.where(field="stage").last_code("new_value")
        return pd.Series(pd.Categorical.from_codes(codes, list(map(str, words)))).astype("str")

    @cached_property
    def silent_days(self) -> FloatArray:
        """Days since the buyer's last sign, an inbound activity; since the deal's creation where there was none."""
        last = self.activities.where(direction="inbound").days_since_last()
        return np.where(np.isnan(last), self.age_days, last)

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

    @cached_property
    def assumed_hours(self) -> FloatArray:
        """Hours that a deal is assumed to take from as_of on, in a book without recorded work.

        1 for each deal where all are taken to need the same. NaN where hours are predicted: where work is recorded, or
        hours are assumed for each week that a deal is open.
        """
        effort = self._history.book.effort
        if effort is None or effort.hours_per_open_week is not None:
            return np.full(len(self), np.nan)
        if effort.unit == "deal":
            return np.ones(len(self))
        other = float(effort.hours_per_deal or np.nan)
        if sizes := effort.by_size:
            table = np.array([other, *sizes.values()])
            return table[np.searchsorted(list(sizes), np.nan_to_num(self.amount, nan=-np.inf), side="right")]
        words = self.stage_name if effort.by == "stage" else self.attribute(str(effort.by))
        hours: FloatArray = words.map(effort.hours).fillna(other).to_numpy(dtype=np.float64)
        return hours

    @cached_property
    def crm_probability(self) -> FloatArray | None:
        """The CRM's own probability at as_of, 0 to 1, NaN before the first; None where its history has none.

        It is a baseline, never a feature: a CRM derives it from the stage, or a seller enters a guess. CRMs keep shares
        or percents, and a 1 may be either. It is read as a share until a value above 1 was recorded for any deal.
        """
        if not self._history.has_probability:
            return None
        return self.changes.where(field=PROBABILITY).last("number") / np.where(self._in_percent, 100.0, 1.0)

    @property
    def _in_percent(self) -> npt.NDArray[np.bool_]:
        """Whether any deal had a probability above 1 by then, which only a field in percents can have."""
        everywhere = np.zeros(len(self), dtype=np.int64)
        return Events.of(self._history.log("percents"), everywhere, self.as_of).count() > 0


class History:
    """One book, indexed for queries as of a moment: events sorted once, deals and groups as integer codes.

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
        self.log = Once(self._make_log)  # sorted when first asked for
        self.text = Once(self._code_text)  # by table and column
        self._without = Once(lambda *names: History(self.book.without(names)))
        self.has_probability = bool((book.changes["field"] == PROBABILITY).any())

    def at(self, snapshots: pd.DataFrame) -> View:
        """What was known at these snapshots (deal_id, as_of; UTC).

        Raises:
            UsageError: a snapshot names a deal that the book does not hold.
        """
        return View(self, self.deal_codes(snapshots["deal_id"]), microseconds(snapshots["as_of"]))

    def without(self, names: Iterable[str]) -> History:
        """The history of the same book without these sources (`Book.without`)."""
        return self._without(*sorted(names)) if names else self

    def prepare(self, pool: Executor) -> None:
        """Sort events and encode their texts in parallel, before the first feature needs them."""
        tasks = [pool.submit(self.log, "activities")]  # the longest first
        tasks += [pool.submit(self.text, "activities", name) for name in ("kind", "status", "direction")]
        tasks += [pool.submit(self.log, "changes")]
        for task in tasks:
            task.result()

    def _code_text(self, table: str, name: str) -> Codes:
        column = (self.deals if table == "deals" else getattr(self.book, table))[name]
        return Codes.of(column.fillna("done") if name == "status" else column)

    def _make_log(self, name: str) -> Log:
        match name.split(" by "):
            case ["activities"]:
                return self._activities(self.book.activities)
            case ["changes"]:
                return self._changes(self.book.changes)
            case ["contacts"]:
                return self._contacts(self.book.contacts)
            case ["percents"]:
                return self._percents(self.book.changes)
            case ["openings", by]:
                return self._by_group(by, self.created_at)
            case ["closings", by]:
                return self._by_group(by, self.closed_at)
        raise KeyError(f"no log is called {name}")

    def deal_codes(self, deal_id: pd.Series) -> IntArray:
        """The code of each deal.

        Raises:
            UsageError: a deal that the book does not hold.
        """
        return deal_places(self._index, deal_id)

    def group_codes(self, by: str) -> IntArray:
        """The code of each deal's account or owner; a deal without one is a group of its own."""
        alone = np.arange(len(self.deals), dtype=np.int64)
        if by not in self.book.manifest.fixed_at_creation:
            return alone
        codes, _ = pd.factorize(self.deals[by], sort=True)
        return np.where(codes < 0, alone + len(self.deals), codes).astype(np.int64)

    def _activities(self, rows: pd.DataFrame) -> Log:
        text = partial(self.text, "activities")

        def seconds() -> IntArray:
            return effort_seconds(rows, self.book.manifest.assumed_hours)

        def ties(at: IntArray) -> tuple[npt.NDArray[np.signedinteger], ...]:
            tied = rows.iloc[at]
            texts = (tied["kind"], tied["status"].fillna("done"), tied["activity_id"])
            return (microseconds(tied["occurred_at"]), *(Codes.of(text).codes for text in texts))

        named = ("kind", "status", "direction", "owner_id", "contact_id")
        columns: dict[str, Callable[[], npt.NDArray[Any] | Codes]] = {
            **{name: partial(text, name) for name in named},
            "step": lambda: text("kind").pair(text("status")),
            "seconds": seconds,
        }
        return Log.of(self.deal_codes(rows["deal_id"]), microseconds(rows["recorded_at"]), columns, ties)

    def _percents(self, rows: pd.DataFrame) -> Log:
        """Probabilities above 1 of all deals, in one partition; each counts from its deal's creation on (`known`)."""
        rows = rows[rows["field"] == PROBABILITY]
        rows = rows[pd.to_numeric(rows["new_value"], errors="coerce") > 1]
        moment = np.maximum(microseconds(rows["recorded_at"]), self.created_at[self.deal_codes(rows["deal_id"])])
        return Log.of(np.zeros(len(rows), dtype=np.int64), moment, {}, ties=lambda at: ())

    def _changes(self, rows: pd.DataFrame) -> Log:
        def number() -> FloatArray:
            amounts = rows["new_value"].where(rows["field"].isin(("amount", "margin", PROBABILITY)))
            numbers: FloatArray = pd.to_numeric(amounts, errors="coerce").to_numpy(dtype=np.float64)
            return numbers

        def moment() -> FloatArray:
            dates = rows["new_value"].where(rows["field"] == "expected_close_date")
            found = microseconds(pd.to_datetime(dates, errors="coerce", utc=True, format="ISO8601"))
            return np.where(found == NO_MOMENT, np.nan, found)

        def ties(at: IntArray) -> tuple[npt.NDArray[np.signedinteger], ...]:
            return tuple(Codes.of(rows[name].iloc[at]).codes for name in ("field", "new_value"))

        texts = {name: partial(Codes.of, rows[name]) for name in ("field", "new_value")}
        columns: dict[str, Callable[[], npt.NDArray[Any] | Codes]] = {**texts, "number": number, "moment": moment}
        return Log.of(self.deal_codes(rows["deal_id"]), microseconds(rows["recorded_at"]), columns, ties)

    def _contacts(self, rows: pd.DataFrame) -> Log:
        return Log.of(
            self.deal_codes(rows["deal_id"]),
            microseconds(rows["recorded_at"]),
            {"role": partial(Codes.of, rows["role"])},
            ties=lambda at: (Codes.of(rows["contact_id"].iloc[at]).codes,),
        )

    def _by_group(self, by: str, moment: IntArray) -> Log:
        there = moment != NO_MOMENT
        outcome = Codes.of(self.deals["outcome"])[there]
        return Log.of(
            self.group_codes(by)[there], moment[there], {"outcome": lambda: outcome}, lambda at: (outcome.codes[at],)
        )
