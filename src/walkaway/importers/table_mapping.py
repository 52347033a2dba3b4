"""Mappings of flat exports: the table of each file, and the meaning of each column."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from walkaway.book import NAMES, TABLES, is_link
from walkaway.config import EffortSettings
from walkaway.importers.cells import EPOCH, SERIAL
from walkaway.importers.mapping_base import Direction, SourceMapping, Strict, existing_timezone
from walkaway.importers.outcome_mapping import OutcomePart

__all__ = ["DEAL_ID", "LINE_NUMBER", "DealsPart", "FilePart", "JoinPart", "OutcomePart", "TableMapping"]

DEAL_ID = "{deal_id}"  # in a pattern of links
LINE_NUMBER = "line number"  # as deal_id: the place of a row in its file

Decimal = Literal[".", ","]


def _reads_what_it_writes(form: str) -> bool:
    day = datetime(2026, 11, 25)
    try:
        return datetime.strptime(day.strftime(form), form).date() == day.date()
    except ValueError:
        return False


class Reading(Strict):
    """The format of files, where it is not to be detected. `date_format` is for all columns, or a table by column."""

    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Decimal | None = None
    date_format: str | dict[str, str] | None = None

    @field_validator("date_format")
    @classmethod
    def _formats_can_be_read(cls, formats: str | dict[str, str] | None) -> str | dict[str, str] | None:
        for form in formats.values() if isinstance(formats, dict) else [formats] if formats else []:
            if form not in (SERIAL, EPOCH) and not _reads_what_it_writes(form):
                raise ValueError(
                    f"must be a date format with day, month and year such as %d/%m/%Y, or {SERIAL}, or {EPOCH}, "
                    f"not {form}"
                )
        return formats

    def format_of(self, column: str) -> str | None:
        """The date format set for a column, if any."""
        return self.date_format.get(column) if isinstance(self.date_format, dict) else self.date_format


class FilePart(Reading):
    """A file, by a pattern of its name (case is ignored). `values` replaces texts: {column: {found: replacement}}."""

    table: ClassVar[str] = ""

    file: str
    sheet: str | None = None
    values: dict[str, dict[str, str]] = Field(default_factory=dict)

    def fits(self, name: str) -> bool:
        """Whether a file with this name belongs to the part."""
        return fnmatchcase(name.lower(), self.file.lower())

    def columns(self) -> dict[str, str]:
        """The columns of the book, each with its column in the file."""
        mapped = {name: getattr(self, name, None) for name in TABLES[self.table].names}
        return {name: column for name, column in mapped.items() if isinstance(column, str)}


class DealsPart(FilePart):
    """The deals. `deal_id` and `created_at` are required for an import, unless the mapping is timeless.

    `deal_id = "line number"` names a deal by its file and line. Such an id fits this export only.

    `amount` is the value at the close, `margin` the rate of it that is earned (0.3 for 30%). `amount_at_creation` is
    an amount known from the first day, such as a list price. `attributes` (text) and `measures` (numbers) are further
    columns, which must never change after the deal is created. `money` names the measures that are money. `name`,
    `account_name`, `owner_name` and `url` are shown beside the id and never learned from; `url` is a column of links,
    or a link with {deal_id} in it.
    """

    table = "deals"

    deal_id: str | None = None
    created_at: str | None = None
    closed_at: str | None = None
    outcome: OutcomePart
    loss_reason: str | None = None
    amount: str | None = None
    amount_at_creation: str | None = None
    margin: str | None = None
    currency: str | None = None
    account_id: str | None = None
    owner_id: str | None = None
    team: str | None = None
    pipeline: str | None = None
    name: str | None = None
    account_name: str | None = None
    owner_name: str | None = None
    url: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    measures: dict[str, str] = Field(default_factory=dict)
    money: tuple[str, ...] = ()
    fixed_at_creation: tuple[str, ...] = ()

    def columns(self) -> dict[str, str]:
        """As for any part; a line number and a pattern of links are no columns."""
        none = (("deal_id", LINE_NUMBER), ("url", self.url if self.has_link_pattern else None))
        return {name: c for name, c in super().columns().items() if (name, c) not in none}

    @property
    def has_link_pattern(self) -> bool:
        """Whether `url` is a link with the id of the deal in it, not a column."""
        return self.url is not None and DEAL_ID in self.url

    @field_validator("url")
    @classmethod
    def _link_pattern_is_a_link(cls, url: str | None) -> str | None:
        if url is not None and DEAL_ID in url and not is_link(url.replace(DEAL_ID, "1")):
            raise ValueError(f"must be a column, or a link such as https://crm.example/{DEAL_ID}")
        return url

    @property
    def named_by_line(self) -> bool:
        """Whether the id of a deal is its file and line."""
        return self.deal_id in (None, LINE_NUMBER)

    @property
    def fields(self) -> set[str]:
        """The columns of the book, attributes and measures that the part maps."""
        return set(self.columns()) | set(self.attributes) | set(self.measures)

    @model_validator(mode="after")
    def _attributes_are_new_and_fixed(self) -> Self:
        for name in (*self.attributes, *self.measures):
            if name in self.attributes and name in self.measures:
                raise ValueError(f"{name} must be an attribute (text) or a measure (numbers), found both")
            if name in TABLES["deals"].names:
                raise ValueError(f"{name} is a column of the book; map it under its own name, not as an attribute")
            if name not in self.fixed_at_creation:
                raise ValueError(
                    f"attribute {name} must be in fixed_at_creation, since today's value of a column that changes may "
                    "leak the outcome. Add it there if it never changes after the deal is created, else leave it out"
                )
        return self

    @model_validator(mode="after")
    def _money_is_a_measure(self) -> Self:
        stray = [name for name in self.money if name not in self.measures]
        if stray:
            raise ValueError(f"money must name measures {sorted(self.measures)}, found {stray[0]}")
        return self

    @model_validator(mode="after")
    def _fixed_columns_can_be(self) -> Self:
        mapped = self.fields
        never = {"deal_id", "created_at", "closed_at", "outcome", "loss_reason", *NAMES}
        for name in self.fixed_at_creation:
            if name in never or name not in mapped:
                raise ValueError(f"fixed_at_creation must name columns among {sorted(mapped - never)}, found {name}")
        if self.amount_at_creation and "amount" in self.fixed_at_creation:
            raise ValueError(
                "must have amount_at_creation or amount in fixed_at_creation, found both; leave one of them out"
            )
        return self


class JoinPart(FilePart):
    """A side table whose `columns` {new name: its column} join the deals where its `key` equals their column `on`."""

    key: str
    on: str
    columns_of: dict[str, str] = Field(alias="columns", min_length=1)

    def columns(self) -> dict[str, str]:
        """The new columns, each with its column in the file."""
        return dict(self.columns_of)


class AccountsPart(FilePart):
    """Accounts."""

    table = "accounts"
    account_id: str
    name: str | None = None
    industry: str | None = None
    size: str | None = None


class ActivitiesPart(FilePart):
    """Activities, with kind by column or one for all rows. Without `recorded_at`, `occurred_at` is used."""

    table = "activities"

    deal_id: str
    occurred_at: str
    activity_id: str | None = None
    recorded_at: str | None = None
    kind: str | None = None
    every_kind: str | None = None
    direction: str | None = None
    every_direction: Direction | None = None
    status: str | None = None
    hours: str | None = None
    owner_id: str | None = None
    contact_id: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.kind is None) == (self.every_kind is None):
            raise ValueError("must have either kind (a column) or every_kind (one for all rows)")
        return self

    def columns(self) -> dict[str, str]:
        """As for any part, with occurred_at as the default of recorded_at."""
        return {"recorded_at": self.occurred_at} | super().columns()


class ChangesPart(FilePart):
    """Changes of fields, with field by column or one for all rows."""

    table = "changes"
    deal_id: str
    recorded_at: str
    field: str | None = None
    every_field: str | None = None
    old_value: str | None = None
    new_value: str

    @model_validator(mode="after")
    def _one_field(self) -> Self:
        if (self.field is None) == (self.every_field is None):
            raise ValueError("must have either field (a column) or every_field (one for all rows)")
        return self


class ContactsPart(FilePart):
    """The contacts of a deal."""

    table = "contacts"
    deal_id: str
    contact_id: str
    recorded_at: str
    role: str | None = None


class TableMapping(Reading, SourceMapping):
    """The meaning of the files and columns of a flat export.

    `deals` is one part, or a list of parts for files with columns of their own. `timeless` marks an export without
    dates of the close. With created_at, tests are then on deals that were created later.
    """

    source: Literal["table"]
    timeless: bool = False
    currency: str = ""
    timezone: str = "UTC"
    deals: DealsPart
    more_deals: tuple[DealsPart, ...] = Field(default=(), exclude=True)
    join: tuple[JoinPart, ...] = ()
    accounts: AccountsPart | None = None
    activities: tuple[ActivitiesPart, ...] = ()
    changes: tuple[ChangesPart, ...] = ()
    contacts: tuple[ContactsPart, ...] = ()
    effort: EffortSettings | None = None

    _timezone_exists = field_validator("timezone")(existing_timezone)

    @model_validator(mode="before")
    @classmethod
    def _deals_are_one_part_or_several(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if "more_deals" in given:
            raise ValueError("more_deals is no key of a mapping; list the parts as [[deals]]")
        parts = given.get("deals")
        if not isinstance(parts, list | tuple) or not parts:
            return given
        return given | {"deals": parts[0], "more_deals": tuple(parts[1:])}

    @model_validator(mode="after")
    def _parts_of_deals_agree(self) -> Self:
        for part in self.deals_parts:
            changing = sorted(part.fields & set(self.fixed_at_creation) - set(part.fixed_at_creation))
            if changing:
                raise ValueError(
                    f"fixed_at_creation must name {changing[0]} in all [[deals]] that map it, found {part.file} without"
                )
            if part.outcome.lost_after_days != self.deals.outcome.lost_after_days:
                raise ValueError("lost_after_days must be the same in all [[deals]]")
            if bool(part.amount_at_creation) != bool(self.deals.amount_at_creation):
                raise ValueError("amount_at_creation must be mapped in all [[deals]], or in none")
        return self

    @model_validator(mode="after")
    def _lines_are_not_referred_to(self) -> Self:
        others = [name for name in ("changes", "activities", "contacts") if getattr(self, name)]
        if others and any(part.deal_id == LINE_NUMBER for part in self.deals_parts):
            raise ValueError(
                f"deals.deal_id must be a column, since {others[0]} name deals by their id, found {LINE_NUMBER!r}"
            )
        return self

    @model_validator(mode="after")
    def _history_can_close(self) -> Self:
        closing = [part for part in self.deals_parts if part.outcome.field]
        if closing and (self.more_deals or not self.changes):
            found = "several [[deals]]" if self.more_deals else "no [[changes]]"
            raise ValueError(f"deals.outcome.field needs one part of deals and [[changes]], found {found}")
        if closing and self.deals.closed_at:
            raise ValueError(
                "deals.outcome.field must stand without deals.closed_at, since the record closes the deal; leave one "
                "of them out"
            )
        return self

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        if any(part.currency for part in self.deals_parts) and not self.currency:
            raise ValueError(
                "currency must be given, since deals.currency names a column; set the currency of the book"
            )
        return self

    @model_validator(mode="after")
    def _no_dates_where_there_are_none(self) -> Self:
        parts = self.deals_parts
        dated = [f"deals.{n}" for n in ("closed_at", "amount_at_creation") if any(getattr(p, n) for p in parts)]
        dated += ["deals.outcome.lost_after_days"] if self.lost_after_days else []
        dated += [name for name in ("activities", "changes", "contacts", "effort") if getattr(self, name)]
        if self.timeless and dated:
            raise ValueError(
                f"timeless must go without dates, found {dated[0]}, which needs dates; leave one of them out"
            )
        return self

    @property
    def deals_parts(self) -> tuple[DealsPart, ...]:
        """The parts of deals, one or several."""
        return (self.deals, *self.more_deals)

    @property
    def fixed_at_creation(self) -> tuple[str, ...]:
        """The columns of deals that are fixed at creation, each once."""
        return tuple(dict.fromkeys(name for part in self.deals_parts for name in part.fixed_at_creation))

    @property
    def money(self) -> tuple[str, ...]:
        """The measures that are money, each once."""
        return tuple(dict.fromkeys(name for part in self.deals_parts for name in part.money))

    @property
    def lost_after_days(self) -> float | None:
        """The age in days at which an open deal counts as lost, if any."""
        return self.deals.outcome.lost_after_days

    def parts(self) -> tuple[FilePart, ...]:
        """All parts read from files, deals first."""
        accounts = (self.accounts,) if self.accounts else ()
        return (*self.deals_parts, *self.join, *accounts, *self.changes, *self.activities, *self.contacts)

    def reading(self, part: FilePart) -> Reading:
        """The format of a part's files: its own settings, else those of the mapping."""
        names = Reading.model_fields
        own = {name: getattr(part, name) for name in names}
        return Reading(**{name: value if value is not None else getattr(self, name) for name, value in own.items()})
