"""What is audited: each column, field, kind of activity and role of a book, as one value per deal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import DAY, NO_MOMENT, Events, History, mature_age_days, microseconds, open_snapshots
from walkaway.asof.labels import events_of
from walkaway.audit.separation import LEAST_TO_SUSPECT
from walkaway.book import MOMENT, NAMES, Book
from walkaway.features import FeaturePlan, build_features
from walkaway.formatting import LocaleFormat

__all__ = ["Deals", "Looks", "Source", "sources_of"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
PARSED = 0.9  # a text column counts as numbers or dates if this share of its values can be read so
CLOSE_DATE = "expected_close_date"
USED_FIELDS = ("stage", "amount", "margin", CLOSE_DATE)
EVENTS = ("activities", "changes", "contacts")
NEVER_READ = ("deal_id", "created_at", "closed_at", "outcome", *NAMES)


def _days(moments: npt.NDArray[np.int64]) -> FloatArray:
    return np.where(moments == NO_MOMENT, np.nan, moments / DAY)


@dataclass(frozen=True)
class Deals:
    """The deals of a book, one entry per deal in the order of deal_id. Moments are days since 1970.

    fmt: writes the numbers in the evidence.
    """

    history: History
    plan: FeaturePlan
    fmt: LocaleFormat = field(default_factory=LocaleFormat)

    @cached_property
    def won(self) -> FloatArray:
        """1 or 0; NaN while open."""
        won: FloatArray = self.history.deals["outcome"].map({"won": 1.0, "lost": 0.0}).to_numpy(dtype=np.float64)
        return won

    @cached_property
    def created(self) -> FloatArray:
        """Day of creation; NaN in a book without dates."""
        return _days(self.history.created_at)

    @cached_property
    def closed(self) -> FloatArray:
        """Day of the close; NaN while open."""
        return _days(self.history.closed_at)

    @cached_property
    def judged(self) -> FloatArray:
        """`won` of the deals that had time to end: 1 or 0; NaN of open deals and of the young ones.

        Of the young deals only the quick endings are known. Where wins are quick and losses slow, these are wins, and
        whatever is new (a campaign, a product, an owner) would seem to win always (`asof.mature_age_days`).
        """
        if self.undated:
            return self.won
        book = self.history.book
        newest = book.last_recorded_at()
        age = float(_days(microseconds(pd.Series([newest])))[0]) - self.created
        return np.where(age >= mature_age_days(book.deals, newest), self.won, np.nan)

    @property
    def undated(self) -> bool:
        """Whether the book has no dates."""
        return self.history.book.manifest.timeless

    @property
    def base_rate(self) -> float:
        """Share of the settled deals that were won; a half where none are settled."""
        return 0.5 if np.isnan(self.won).all() else float(np.nanmean(self.won))

    def code(self, deal_id: pd.Series) -> npt.NDArray[np.int64]:
        """The entry of each deal."""
        return self.history.deal_codes(deal_id)

    def age_at(self, snapshots: pd.DataFrame) -> FloatArray:
        """Age in days of each snapshot's deal, (rows,)."""
        return _days(microseconds(snapshots["as_of"])) - self.created[self.code(snapshots["deal_id"])]

    @cached_property
    def at_creation(self) -> pd.DataFrame:
        """Every feature as it stood when the deal was created."""
        return self._features(self.history.created_at)

    @cached_property
    def at_close(self) -> pd.DataFrame:
        """Every feature as it stood at the close; rows of open deals are empty."""
        closed = self.history.closed_at != NO_MOMENT
        frame = self._features(np.where(closed, self.history.closed_at, self.history.created_at))
        return frame.where(pd.Series(closed), np.nan)

    def _features(self, moment: npt.NDArray[np.int64]) -> pd.DataFrame:
        as_of = pd.Series(moment.astype("datetime64[us]")).dt.tz_localize("UTC").astype(MOMENT)
        asked = pd.DataFrame({"deal_id": self.history.deals["deal_id"], "as_of": as_of})
        return build_features(self.history.at(asked), self.plan)


@dataclass(frozen=True)
class Looks:
    """Snapshots; of each deal the first, the last and an earlier one are compared."""

    snapshots: pd.DataFrame

    @classmethod
    def of(cls, book: Book, at: pd.DatetimeIndex) -> Looks:
        """The snapshots at these moments."""
        return cls(open_snapshots(book, at))

    @cached_property
    def _last(self) -> BoolArray:
        deal = self.snapshots["deal_id"].to_numpy()
        return np.r_[deal[1:] != deal[:-1], True] if len(deal) else np.zeros(0, dtype=bool)

    def first(self) -> pd.DataFrame:
        """The first snapshot of each deal."""
        return self.snapshots[~self.snapshots["deal_id"].duplicated()].reset_index(drop=True)

    def before_last(self, looks: int) -> pd.DataFrame:
        """The snapshot that many snapshots before the last one (0: the last), of the deals that have it."""
        place = np.flatnonzero(self._last) - looks
        first = np.flatnonzero(~self.snapshots["deal_id"].duplicated().to_numpy())
        return self.snapshots.iloc[place[place >= first]].reset_index(drop=True)


@dataclass(frozen=True)
class Source:
    """One thing that a book records, by the name that `Book.without` takes.

    value: one per deal, NaN for missing: a number, or a code into `words`. It is what was known at the deal's first
        snapshot, or today's value of a column declared fixed at creation.
    fixed: whether it is declared fixed at creation, so that it is unknown when it was filled.
    seen: for a kind, a role or a value of a field: whether a deal had it at its last snapshot.
    looked: which deals have a snapshot, for what has a history; None for all deals.
    recorded: day on which it was last recorded, one per deal; empty where unknown.
    date: whether the value is a day since 1970.
    first_recorded: for a column that also has a history: the first value in it, as a number.
    history: whether the book records when it changed.
    used: whether a feature reads it.
    """

    name: str
    value: FloatArray
    words: tuple[str, ...] = ()
    fixed: bool = False
    seen: BoolArray | None = None
    looked: BoolArray | None = None
    recorded: FloatArray = field(default_factory=lambda: np.zeros(0))
    date: bool = False
    first_recorded: FloatArray | None = None
    history: bool = True
    used: bool = True

    @property
    def categorical(self) -> bool:
        """Whether the values are codes into words."""
        return bool(self.words)

    def ends(self, won: FloatArray) -> FloatArray:
        """Outcomes of the deals: 1, 0, or NaN for open ones and those without a snapshot."""
        return won if self.looked is None else np.where(self.looked, won, np.nan)


def _read(text: pd.Series) -> tuple[FloatArray, tuple[str, ...], bool]:
    """A column as (values, words, whether they are dates): numbers or dates where nearly all values can be read so."""
    if pd.api.types.is_numeric_dtype(text):
        return text.to_numpy(dtype=np.float64), (), False
    filled = max(int(text.notna().sum()), 1)
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.notna().sum() >= PARSED * filled:
        return numbers.to_numpy(dtype=np.float64), (), False
    dates = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    if dates.notna().sum() >= PARSED * filled:
        return _days(microseconds(dates)), (), True
    codes, words = pd.factorize(text, sort=True)
    return np.where(codes < 0, np.nan, codes), tuple(map(str, words)), False


def _attribute(deals: Deals, column: str) -> Source:
    values, words, date = _read(deals.history.deals[column])
    fixed = column in deals.history.book.manifest.fixed_at_creation
    own = events_of(deals.history.book, deals.history.deals, "changes", field=column)
    rows = own.sort_values("at", kind="stable").drop_duplicates("deal")
    first = None
    if fixed and len(rows) and not words:
        first = np.full(len(values), np.nan)
        oldest = rows["old_value"].fillna(rows["new_value"])
        first[rows["deal"]] = pd.to_numeric(oldest, errors="coerce")
    return Source(
        f"deals.{column}",
        values,
        words,
        fixed=fixed,
        date=date,
        first_recorded=first,
        history=len(own) > 0,
        used=fixed,
    )


def _among(deals: Deals, rows: pd.DataFrame) -> BoolArray:
    out = np.zeros(len(deals.won), dtype=bool)
    out[deals.code(rows["deal_id"])] = True
    return out


def _last_recorded(deals: Deals, rows: pd.DataFrame) -> FloatArray:
    out = np.full(len(deals.won), np.nan)
    newest = rows.groupby("deal")["at"].max()
    out[newest.index] = _days(newest.to_numpy())
    return out


def _field(deals: Deals, name: str, rows: pd.DataFrame, first: pd.DataFrame) -> Source:
    """A field with a history: what was known at the first snapshot."""
    recorded, looked = _last_recorded(deals, rows), _among(deals, first)
    known = deals.history.at(first).changes.where(field=name)
    # of an expected close date the first is taken, which should be a guess
    codes, texts = known.first_code("new_value") if name == CLOSE_DATE else known.last_code("new_value")
    text = pd.Series(index=range(len(deals.won)), dtype="object")
    text.iloc[deals.code(first["deal_id"])[codes >= 0]] = texts[codes[codes >= 0]]
    values, words, date = _read(text)
    used = name in USED_FIELDS
    return Source(f"changes.{name}", values, words, looked=looked, recorded=recorded, date=date, used=used)


def _event(deals: Deals, name: str, rows: pd.DataFrame, last: pd.DataFrame, shown: Events) -> Source:
    """A kind of activity, a role, or a value of a field: which deals have it at the last snapshot."""
    seen = _among(deals, last[shown.count() > 0])
    empty, looked = np.full(len(seen), np.nan), _among(deals, last)
    return Source(name, empty, seen=seen, looked=looked, recorded=_last_recorded(deals, rows))


def _columns(deals: Deals) -> Iterator[Source]:
    frame = deals.history.deals
    fixed = [name for name in deals.history.book.manifest.fixed_at_creation if name in frame]
    others = [name for name in frame if name not in (*fixed, *NEVER_READ) and frame[name].notna().any()]
    yield from (_attribute(deals, name) for name in (*fixed, *others))


def _common(rows: pd.DataFrame, column: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """(word, its rows) for each word that enough deals have."""
    shown = rows.drop_duplicates(["deal", column])[column].value_counts()
    kept = rows[rows[column].isin(shown.index[shown >= LEAST_TO_SUSPECT])]
    yield from ((str(word), part) for word, part in kept.groupby(column))


def sources_of(deals: Deals, looks: Looks | None) -> list[Source]:
    """Everything the book records of its deals: columns, fields and their values, kinds of activity, roles.

    Args:
        deals: of the book.
        looks: its snapshots; None for a book without dates, which has columns only.
    """
    out = list(_columns(deals))
    if looks is None:
        return out
    first, last = looks.first(), looks.before_last(0)
    seen = deals.history.at(last)
    events = {table: events_of(deals.history.book, deals.history.deals, table) for table in EVENTS}
    for name, rows in events["changes"].groupby("field"):
        out.append(_field(deals, str(name), rows, first))
        if name == "stage":
            for value, part in _common(rows, "new_value"):
                shown = seen.changes.where(field=name, new_value=value)
                out.append(_event(deals, f"changes.{name}={value}", part, last, shown))
    for word, part in _common(events["activities"], "kind"):
        out.append(_event(deals, f"activities.{word}", part, last, seen.activities.where(kind=word)))
    for word, part in _common(events["contacts"], "role"):
        out.append(_event(deals, f"contacts.{word}", part, last, seen.contacts.where(role=word)))
    return out
