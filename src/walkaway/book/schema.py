"""The declaration of the book: five tables with the deals of one team, their columns and allowed values.

All moments are UTC. Money is in the book's one reporting currency. Effort is in hours.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from walkaway.book.effort import assumed_share, effort_seconds
from walkaway.book.names import NAMES
from walkaway.config import EffortSettings, EffortUnit
from walkaway.errors import BookError, UsageError
from walkaway.formatting import LocaleFormat

__all__ = [
    "MOMENT",
    "SOURCE_ROW",
    "TABLES",
    "Book",
    "Column",
    "Manifest",
    "Table",
    "conform",
    "empty_table",
]

FORMAT_VERSION = 1
SOURCE_ROW = "source_row"  # place of a row in its source: dropped once rows are admitted, never saved
MOMENT = "datetime64[us, UTC]"
Kind = Literal["text", "moment", "number"]
_DTYPES: dict[Kind, str] = {"text": "str", "moment": MOMENT, "number": "float64"}


@dataclass(frozen=True)
class Column:
    """A column of a table: its kind, whether it is required, and the allowed values."""

    name: str
    kind: Kind = "text"
    required: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of the book: its key and its columns."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The column names, in order."""
        return [column.name for column in self.columns]


def _need(name: str, kind: Kind = "text", allowed: tuple[str, ...] = ()) -> Column:
    return Column(name, kind, required=True, allowed=allowed)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "deals",
            ("deal_id",),
            (
                _need("deal_id"),
                _need("created_at", "moment"),
                Column("closed_at", "moment"),
                Column("outcome", allowed=("won", "lost")),
                Column("loss_reason"),
                Column("amount", "number"),
                Column("margin", "number"),
                Column("currency"),
                Column("account_id"),
                Column("owner_id"),
                Column("team"),
                Column("pipeline"),
                *(Column(name) for name in NAMES),
            ),
        ),
        Table(
            "changes",
            ("deal_id", "field", "recorded_at"),
            (
                _need("deal_id"),
                _need("field"),
                _need("recorded_at", "moment"),
                Column("old_value"),
                Column("new_value"),
            ),
        ),
        Table(
            "activities",
            ("activity_id",),
            (
                _need("activity_id"),
                _need("deal_id"),
                _need("kind"),
                Column("status", allowed=("planned", "begun", "done")),
                Column("direction", allowed=("inbound", "outbound", "internal")),
                _need("occurred_at", "moment"),
                _need("recorded_at", "moment"),
                Column("hours", "number"),
                Column("owner_id"),
                Column("contact_id"),
            ),
        ),
        Table(
            "contacts",
            ("deal_id", "contact_id"),
            (_need("deal_id"), _need("contact_id"), Column("role"), _need("recorded_at", "moment")),
        ),
        Table("accounts", ("account_id",), (_need("account_id"), Column("name"), Column("industry"), Column("size"))),
    )
}


class Manifest(BaseModel):
    """Metadata of a book: its source, row counts, currency and assumptions.

    `fixed_at_creation` names the columns of deals and accounts that never change after the deal is created. For all
    other columns only the recorded history is used, since today's value may leak the outcome. `assumed_hours` are the
    hours of an activity without recorded hours, by kind. `effort` is assumed for deals of a book without recorded work.
    `lost_after_days` is the age at which an open deal counts as lost (`with_lost_after`); tables on disk keep what was
    recorded. `records_work` and `records_amounts` are set where a part of a book must be read like the whole (as of
    `Book`). `timeless` marks a book without dates of the close, which has only deals and accounts. The sum of `rows_in`
    equals the sum of `rows_used` and `rows_quarantined`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    source: str = "memory"
    mapping: str = ""
    currency: str = ""
    fixed_at_creation: tuple[str, ...] = ()
    rows_in: dict[str, int] = {}
    rows_used: dict[str, int] = {}
    rows_quarantined: dict[str, int] = {}
    timeless: bool = False
    assumed_hours: dict[str, float] = {"email": 0.1, "call": 0.25, "meeting": 1.0}
    effort: EffortSettings = EffortSettings()
    lost_after_days: float | None = None
    records_work: bool | None = None
    records_amounts: bool | None = None
    files: dict[str, str] = {}

    @property
    def fingerprint(self) -> str:
        """Short hexadecimal id of the data, from the checksums of its tables."""
        from hashlib import sha256

        return sha256("".join(f"{name}{digest}" for name, digest in sorted(self.files.items())).encode()).hexdigest()[
            :16
        ]


def empty_table(name: str) -> pd.DataFrame:
    """A table of the book without rows, with typed columns.

    >>> empty_table("contacts").columns.tolist()
    ['deal_id', 'contact_id', 'role', 'recorded_at']
    """
    return pd.DataFrame({c.name: pd.Series(dtype=_DTYPES[c.kind]) for c in TABLES[name].columns})


def _typed(table: str, column: Column, values: pd.Series) -> pd.Series:
    try:
        if column.kind == "moment":
            return pd.to_datetime(values, utc=True, format="ISO8601").astype(MOMENT)
        if column.kind == "number":
            return pd.to_numeric(values).astype("float64")
        return values.astype("str").where(values.notna(), None).astype("str")
    except (ValueError, TypeError) as error:
        raise BookError(
            f"table {table}, column {column.name}: every value must be a {column.kind}; {error}. "
            "Correct the value, or quarantine the row before building the book."
        ) from error


def conform(name: str, frame: pd.DataFrame, extra: tuple[str, ...] = ()) -> pd.DataFrame:
    """The frame as a table of the book: all declared columns, typed and in order, without undeclared ones.

    Args:
        name: the table.
        frame: any rows. Missing optional columns are added empty. The frame is not changed.
        extra: further columns to keep, those fixed at creation; SOURCE_ROW is kept too.

    Raises:
        BookError: a required column is missing, or a value is not of its column's kind.

    >>> conform("accounts", pd.DataFrame({"account_id": ["a1"], "logo": ["x.png"]})).iloc[0].to_dict()
    {'account_id': 'a1', 'name': nan, 'industry': nan, 'size': nan}
    """
    table = TABLES[name]
    absent = [c.name for c in table.columns if c.required and c.name not in frame]
    if absent:
        raise BookError(
            f"table {name}: column {absent[0]} is required, found only {sorted(map(str, frame.columns))}. "
            "Add the column, or map one of these to it."
        )
    blank = pd.Series([None] * len(frame), index=frame.index, dtype="object")
    out = {c.name: _typed(name, c, frame.get(c.name, blank)) for c in table.columns}
    kept = [column for column in (*extra, SOURCE_ROW) if column in frame and column not in out]
    return pd.DataFrame(out | {column: frame[column] for column in kept}, index=frame.index)


_NO_ATTRIBUTES = ("deal_id", "created_at", "amount", "margin", "currency", "account_id", "owner_id", *NAMES)


@dataclass(frozen=True)
class Book:
    """Five tables with the deals of one team, and their manifest. Frames are never changed in place."""

    deals: pd.DataFrame
    changes: pd.DataFrame = field(default_factory=lambda: empty_table("changes"))
    activities: pd.DataFrame = field(default_factory=lambda: empty_table("activities"))
    contacts: pd.DataFrame = field(default_factory=lambda: empty_table("contacts"))
    accounts: pd.DataFrame = field(default_factory=lambda: empty_table("accounts"))
    manifest: Manifest = field(default_factory=Manifest)

    @classmethod
    def of(cls, manifest: Manifest | None = None, **tables: pd.DataFrame) -> Book:
        """A book of these tables, each put in its declared form by `conform`.

        >>> book = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]}))
        >>> len(book.deals), len(book.activities)
        (1, 0)
        """
        manifest = manifest or Manifest()
        return cls(manifest=manifest, **{n: conform(n, t, manifest.fixed_at_creation) for n, t in tables.items()})

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, in the order of TABLES."""
        return {name: getattr(self, name) for name in TABLES}

    def with_tables(self, **tables: pd.DataFrame) -> Book:
        """A copy of the book with these tables replaced."""
        return replace(self, **tables)

    def without(self, names: Collection[str]) -> Book:
        """The book without the records that a leak audit left out.

        Args:
            names: `deals.COLUMN` (no longer fixed at creation), `changes.FIELD`, `changes.FIELD=VALUE`,
                `activities.KIND`, `contacts.ROLE`.

        >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05"], "invoiced": ["yes"]})
        >>> book = Book.of(Manifest(fixed_at_creation=("invoiced",)), deals=deals)
        >>> book.without(["deals.invoiced"]).attributes("text")
        []
        """
        if not names:
            return self
        fixed = tuple(column for column in self.manifest.fixed_at_creation if f"deals.{column}" not in names)
        changed, kinds, roles = self.changes, self.activities["kind"], self.contacts["role"]
        assignments = changed["field"] + "=" + changed["new_value"].fillna("")
        hidden = {
            "changes": ("changes." + changed["field"]).isin(names) | ("changes." + assignments).isin(names),
            "activities": ("activities." + kinds).isin(names),
            "contacts": ("contacts." + roles).isin(names),
        }
        kept = {name: getattr(self, name)[~mask] for name, mask in hidden.items() if mask.any()}
        manifest = self.read_like_the_whole().manifest.model_copy(update={"fixed_at_creation": fixed})
        return replace(self, manifest=manifest, **kept)

    def attributes(self, kind: Literal["text", "number"]) -> list[str]:
        """Columns of deals fixed at creation that describe the deal, without ids and money (which has own features).

        >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05"], "product": ["x"], "owner_id": ["o"]})
        >>> Book.of(Manifest(fixed_at_creation=("product", "owner_id")), deals=deals).attributes("text")
        ['product']
        """
        fixed = [name for name in self.manifest.fixed_at_creation if name in self.deals and name not in _NO_ATTRIBUTES]
        numbers = {name for name in fixed if pd.api.types.is_numeric_dtype(self.deals[name])}
        return sorted(numbers if kind == "number" else set(fixed) - numbers)

    @cached_property
    def records_work(self) -> bool:
        """Whether any activity has hours, recorded or assumed by its kind."""
        if self.manifest.records_work is not None:
            return self.manifest.records_work
        return bool(effort_seconds(self.activities, self.manifest.assumed_hours).any())

    def read_like_the_whole(self) -> Book:
        """The book with what it records written down, so that a part of it is read like the whole."""
        recorded = {"records_work": self.records_work, "records_amounts": self.records_amounts}
        return replace(self, manifest=self.manifest.model_copy(update=recorded))

    @property
    def records_events(self) -> bool:
        """Whether anything is recorded of a deal between its creation and its end: activities or changes."""
        return len(self.activities) + len(self.changes) > 0

    @property
    def effort(self) -> EffortSettings | None:
        """What deals are assumed to take, in a book without recorded work; None in any other.

        >>> book = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]}))
        >>> book.effort.unit
        'deal'
        """
        return None if self.records_work else self.manifest.effort

    @cached_property
    def records_amounts(self) -> bool:
        """Whether any deal has an amount; without amounts, wins are counted."""
        if self.manifest.records_amounts is not None:
            return self.manifest.records_amounts
        return bool(self.deals["amount"].notna().any() or (self.changes["field"] == "amount").any())

    @property
    def assumed_hours_share(self) -> float:
        """Share of all hours that are assumed rather than recorded, 0 to 1; 1 without recorded work."""
        return assumed_share(self.activities, self.manifest.assumed_hours) if self.records_work else 1.0

    @property
    def unusable_deals(self) -> int:
        """Number of deals in the quarantine. They are not scored."""
        return self.manifest.rows_quarantined.get("deals", 0)

    @property
    def unit(self) -> EffortUnit:
        """What effort is counted in: hours, or deals where each is taken to need the same."""
        return "hour" if self.effort is None else self.effort.unit

    def wording(self, locale: str) -> LocaleFormat:
        """How numbers are written for a reader: in the locale, the book's currency and its unit of effort."""
        return LocaleFormat(locale, self.manifest.currency, unit=self.unit, counts_wins=not self.records_amounts)

    def assuming(self, hours: Mapping[str, float], effort: EffortSettings | None) -> Book:
        """A copy of the book with the effort that the settings assume; errors as of `with_hours`, `with_effort`."""
        return self.with_hours(hours).with_effort(effort)

    def with_hours(self, hours: Mapping[str, float]) -> Book:
        """A copy of the book with these assumed hours by kind of activity; they take precedence over the manifest's.

        A kind that no activity has is accepted, unless it looks like a misspelling of one in the book.

        Raises:
            UsageError: a kind is not in the book, and is close to one that is.

        >>> book = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]}))
        >>> book.with_hours({"call": 0.5}).manifest.assumed_hours
        {'email': 0.1, 'call': 0.5, 'meeting': 1.0}
        """
        kinds = {*self.manifest.assumed_hours, *self.activities["kind"].unique()} if hours else set()
        for kind in hours:
            near = [] if kind in kinds else difflib.get_close_matches(kind, sorted(kinds), n=1, cutoff=0.7)
            if near:
                raise UsageError(f"hours.{kind}: the book has no activity of this kind. Did you mean {near[0]}?")
        assumed = {**self.manifest.assumed_hours, **hours}
        return replace(self, manifest=self.manifest.model_copy(update={"assumed_hours": assumed}))

    def with_effort(self, effort: EffortSettings | None) -> Book:
        """A copy of the book with this effort assumed for its deals, if it records no work; None leaves it as it is.

        Raises:
            UsageError: the effort is by a column that the book does not hold as fixed at creation.
        """
        if effort is None:
            return self
        known_by = ["stage", "amount", *self.attributes("text")]
        if effort.by is not None and effort.by not in known_by:
            raise UsageError(
                f"effort.by: must be stage, amount, or a text attribute fixed at creation, found {effort.by!r}. This "
                f"book has {', '.join(known_by[2:]) or 'no such attribute'}."
            )
        return replace(self, manifest=self.manifest.model_copy(update={"effort": effort}))

    def names_of(self, deal_ids: pd.Series) -> pd.DataFrame:
        """What people call these deals: the columns of NAMES that the book records, one row per deal, in order.

        Where a deal has no account name, the name of its account in the table of accounts is used.

        >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"], "name": ["Acme, renewal"]})
        >>> Book.of(deals=deals).names_of(pd.Series(["d1"])).to_dict("records")
        [{'name': 'Acme, renewal'}]
        """
        deals = self.deals.set_index("deal_id")[["account_id", *NAMES]]
        names = self.accounts.drop_duplicates("account_id").set_index("account_id")["name"]
        of_account = deals["account_id"].map(names).astype("str").where(deals["account_id"].notna())
        deals = deals.assign(account_name=deals["account_name"].fillna(of_account))
        recorded = [name for name in NAMES if deals[name].notna().any()]
        return deals[recorded].reindex(deal_ids).reset_index(drop=True)

    def last_recorded_at(self) -> pd.Timestamp:
        """The moment of the newest record in the book.

        Raises:
            BookError: the book has no deals or no dates.
        """
        if self.manifest.timeless:
            raise BookError(
                "this needs a book with dates, and this book has none. Use `walkaway score`, which scores its open "
                "deals without dates."
            )
        if self.deals.empty:
            raise BookError("table deals: must have at least one deal, found none. Import the book again.")
        moments = [self.deals["created_at"].max(), self.deals["closed_at"].max()]
        moments += [t["recorded_at"].max() for t in (self.changes, self.activities, self.contacts) if len(t)]
        return max(m for m in moments if pd.notna(m))
