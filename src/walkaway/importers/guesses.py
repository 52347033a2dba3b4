"""What the columns of an export probably are: ids, dates, amounts and outcomes, by their names and by their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from walkaway.book import is_link
from walkaway.errors import MappingError
from walkaway.importers.cells import UnclearDatesError, as_texts, date_format_of, decimal_mark_of, moments, numbers
from walkaway.importers.sheets import Sheet

__all__ = ["KNOWN", "Export", "Guess", "Table", "are_dates", "guess", "plain", "words_of"]

# Column names in CRMs, without spaces, underscores, case and HubSpot's "property_". The first match is used.
KNOWN: dict[str, tuple[str, ...]] = {
    "deal_id": ("opportunityid", "dealid", "hsobjectid", "recordid", "leadid", "id"),
    "created_at": ("createddate", "createdate", "hscreatedate", "createdat", "addtime", "creationdate", "engagedate"),
    "closed_at": ("closedate", "closeddate", "closedat", "closetime", "dateclosed", "dealclosedon"),
    "amount": ("amount", "closevalue", "dealvalue", "value", "hsclosedamount", "dealamount"),
    "loss_reason": ("lossreason", "lostreason", "closedlostreason"),
    "account_id": ("accountid", "companyid", "orgid", "account", "associatedcompany", "company", "customer", "client"),
    "owner_id": ("ownerid", "hubspotownerid", "dealowner", "opportunityowner", "owner", "salesagent", "seller"),
    "team": ("hubspotteamid", "teamid", "team", "regionaloffice"),
    "pipeline": ("dealpipelineid", "pipelineid", "pipeline", "recordtypeid"),
    "name": ("opportunityname", "dealname", "leadname", "dealtitle", "name", "title"),
    "account_name": ("accountname", "companyname", "organizationname", "orgname"),
    "owner_name": ("ownername", "opportunityownername", "dealownername", "hubspotownername"),
    "url": ("url", "recordurl", "dealurl", "opportunityurl", "link", "recordlink"),
}
OUTCOMES = (
    *("dealstage", "stagename", "dealpipelinestageid", "opportunitystage", "dealstatus", "leadstatus"),
    *("status", "stage", "outcome", "state"),
)
WON_FLAGS = ("iswon", "hsisclosedwon", "closedwon", "won", "isconverted", "converted")
CLOSED_FLAGS = ("isclosed", "hsisclosed", "closed")
NOT_WON = re.compile(
    r"\bnot[ -]?(?:won|converted|signed)\b|\bun(?:won|successful|qualified)\b|\bno[ -]sale\b", re.IGNORECASE
)
WON = re.compile(r"\b(?:closed ?won|won|win|signed|success(?:ful)?|converted)\b", re.IGNORECASE)
LOST = re.compile(r"\b(?:closed ?lost|lost|loss|declined|rejected|cancell?ed|abandoned|disqualified)\b", re.IGNORECASE)
WAITS = re.compile(r"\b(?:await\w*|waiting|pending|to be)\b", re.IGNORECASE)
TRUE, FALSE = {"true", "yes", "1", "y", "t"}, {"false", "no", "0", "n", "f"}
# Words in the names of columns.
IDS = ("id", "number", "no", "nr", "key", "ref", "reference", "uuid", "guid", "code")
DEALS = ("opportunity", "deal", "lead", "prospect", "quote", "offer")
CREATED = (
    "created",
    "create",
    "creation",
    "added",
    "opened",
    "entered",
    "received",
    "registered",
    "angelegt",
    "erstellt",
)
CLOSED = ("closed", "close", "closing", "ended", "end", "geschlossen", "abschluss")
WON_ON = ("won", "converted", "conversion", "signed")
AMOUNTS = ("amount", "value", "revenue", "tcv", "acv", "arr", "mrr", "price", "cost", "betrag", "wert", "umsatz")
NOT_AMOUNTS = ("annualrevenue", "probability", "weighted", "count", "score", "pct", "percent", "discount", "id")
UNLIKELY_AMOUNTS = (*NOT_AMOUNTS, "list", "annual", "expected", "est", "max", "min")
NOT_FACTS = ("modified", "updated", "last", "next", "expected", "est", "estimated", "planned", "synced", "birth", "due")
OTHER_THINGS = re.compile(
    r"account|company|customer|client|org|owner|user|rep\b|reps|product|campaign|contact|team|person|agent|seller|by\b"
)
CHANGING = ("probability", "forecastcategory", "lastactivitydate", "lastmodifieddate", "nextstep", "stage")
DATES_AND_MONEY = ("created_at", "closed_at", "amount")
FEW = 5  # a column with at most this many distinct values does not hold accounts
MANY = 40  # a column with more distinct values does not hold outcomes
SAMPLE = 300  # distinct values that are looked at to tell dates and numbers from text
NEARLY = 0.5  # share of distinct values of an id whose name is known, though some repeat


def plain(name: str) -> str:
    """The name of a column without spaces, signs and case.

    >>> plain("property_Deal Stage")
    'dealstage'
    """
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("property_"))


def words_of(name: str) -> list[str]:
    """The words of a column's name, in lower case.

    >>> words_of("deal_CreatedAt (UTC)")
    ['deal', 'created', 'at', 'utc']
    """
    return [word.lower() for word in re.findall(r"[A-ZÄÖÜ]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|\d+", name)]


def are_dates(cells: pd.Series) -> bool:
    """Whether at least 90% of the filled cells are dates, even if the order of day and month is ambiguous."""
    try:
        dates = moments(cells, date_format_of(cells), "UTC")
    except UnclearDatesError:
        return True
    except MappingError:
        return False
    return bool(cells.notna().any() and dates.notna().sum() >= 0.9 * cells.notna().sum())


def _are_numbers(cells: pd.Series) -> bool:
    try:
        amounts = numbers(cells, decimal_mark_of(cells))
    except MappingError:
        return True  # numbers with mixed or ambiguous decimal marks
    return bool(amounts.notna().any() and amounts.notna().sum() >= 0.9 * cells.notna().sum())


@dataclass(frozen=True)
class Table:
    """A file, with what each of its columns holds; each question is answered once."""

    sheet: Sheet
    _answers: dict[tuple[str, str], Any] = field(default_factory=dict)

    @cached_property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [str(column) for column in self.sheet.cells.columns]

    def __len__(self) -> int:
        return len(self.sheet.cells)

    def texts(self, column: str) -> pd.Series:
        """The cells of a column as text."""
        found: pd.Series = self._once("texts", column, as_texts)
        return found

    def values(self, column: str) -> list[str]:
        """The distinct texts of a column, in order."""
        found: list[str] = self._once(
            "values", column, lambda cells: list(map(str, self.texts(column).dropna().unique()))
        )
        return found

    def filled(self, column: str) -> float:
        """The share of filled cells."""
        return float(self.sheet.cells[column].notna().mean()) if len(self) else 0.0

    def is_key(self, column: str) -> bool:
        """Whether each row has a value of its own."""
        return bool(self._once("key", column, lambda cells: cells.notna().all() and self.texts(column).is_unique))

    def is_dates(self, column: str) -> bool:
        """Whether the column holds dates."""
        return bool(self._once("dates", column, lambda cells: are_dates(_sample(cells))))

    def is_numbers(self, column: str) -> bool:
        """Whether the column holds numbers."""
        return bool(self._once("numbers", column, lambda cells: _are_numbers(_sample(cells))))

    def named(self, names: Iterable[str]) -> list[str]:
        """The columns with one of these plain names, in the order of the names."""
        by_name = {plain(column): column for column in reversed(self.columns)}
        return [by_name[name] for name in names if name in by_name]

    def _once(self, question: str, column: str, answer: Callable[[pd.Series], Any]) -> Any:
        if (question, column) not in self._answers:
            self._answers[question, column] = answer(self.sheet.cells[column])
        return self._answers[question, column]


def _sample(cells: pd.Series) -> pd.Series:
    distinct = cells.dropna().drop_duplicates()
    return distinct.iloc[:: max(len(distinct) // SAMPLE, 1)]


@dataclass(frozen=True)
class Guess:
    """What the columns of the deals probably are.

    columns: by name in the book. sure: those whose name in the file is known. outcome: the column of outcomes.
    flags: the columns that say closed and won. filled: columns that are filled where a deal is won, and where it is
    lost. repeats: rows that repeat the id of another. no_close: a date that looked like that of the close, and is empty
    in all won or in all lost deals.
    """

    table: Table
    columns: dict[str, str]
    sure: frozenset[str]
    outcome: str | None = None
    flags: tuple[str, str] | None = None
    filled: tuple[str | None, str | None] = (None, None)
    repeats: int = 0
    no_close: str | None = None

    @property
    def undated(self) -> bool:
        """Whether no column says when deals closed."""
        return "created_at" not in self.columns or not ("closed_at" in self.columns or any(self.filled))

    @property
    def speaks(self) -> bool:
        """Whether a column says plainly which deals are won."""
        by_column = self.outcome is not None and _means_won(self.table, self.outcome)
        return self.flags is not None or any(self.filled) or by_column

    @property
    def tells(self) -> bool:
        """Whether a column tells outcomes by its values or by its name."""
        return self.speaks or (self.outcome is not None and plain(self.outcome) in OUTCOMES)

    @property
    def like_deals(self) -> bool:
        """Whether the file looks like deals: it tells outcomes, or has a close and an amount."""
        return self.tells or {"closed_at", "amount"} <= set(self.columns)

    @property
    def used(self) -> set[str]:
        """All columns that the guess uses."""
        named = (self.outcome, *(self.flags or ()), *self.filled, self.no_close)
        return {*self.columns.values(), *(column for column in named if column)}


def _holds(table: Table, name: str, column: str) -> bool:
    """Whether a column holds what its name promises."""
    if name == "deal_id":
        return table.filled(column) == 1 and len(table.values(column)) >= NEARLY * len(table)
    if name in ("created_at", "closed_at"):
        return table.is_dates(column)
    if name == "amount":
        return table.is_numbers(column)
    if name == "url":
        return any(is_link(value) for value in table.values(column))
    if name == "account_id":
        distinct = len(table.values(column))
        return distinct > FEW or 0 < distinct == table.texts(column).count()
    return table.filled(column) > 0


def _by_known_names(table: Table) -> dict[str, str]:
    found = {name: [c for c in table.named(known) if _holds(table, name, c)] for name, known in KNOWN.items()}
    return {name: columns[0] for name, columns in found.items() if columns}


def _by_words(table: Table, words: Sequence[str], holds: Callable[[str], bool], but: Sequence[str]) -> str | None:
    """The first column that has one of the words in its name, the first word first, and none of the others."""
    named = {column: words_of(column) for column in table.columns}
    fits = {column: found for column, found in named.items() if not set(but) & {*found, plain(column)}}
    called = (column for word in words for column, found in fits.items() if word in found)
    return next((column for column in called if holds(column)), None)


def _id_by_words(table: Table, free: Sequence[str]) -> str | None:
    """The first unique column that is called an id, one of a deal first; else the first unique one; never a date."""
    keys = [column for column in free if table.is_key(column) and not table.is_dates(column)]

    def rank(column: str) -> int:
        words = set(words_of(column))
        return 2 * (not words & set(IDS) and not plain(column).endswith("id")) + (not words & set(DEALS))

    return min(keys, key=rank, default=None)


def _dates(table: Table, free: Sequence[str]) -> list[str]:
    """The columns of dates that may be of the creation and the close, the fullest first."""
    facts = [c for c in free if plain(c) not in CHANGING and not set(NOT_FACTS) & set(words_of(c))]
    return sorted((c for c in facts if table.is_dates(c)), key=lambda column: -table.filled(column))


def _guessed_columns(table: Table, found: dict[str, str], taken: set[str]) -> dict[str, str]:
    """The known columns, and others guessed by words in their names, then by their values alone."""
    out = dict(found)

    def free() -> list[str]:
        return [column for column in table.columns if column not in out.values() and column not in taken]

    if "deal_id" not in out and (key := _id_by_words(table, free())):
        out["deal_id"] = key
    for name, words in (("created_at", CREATED), ("closed_at", CLOSED)):
        if name not in out and (
            date := _by_words(table, words, lambda c: c in free() and table.is_dates(c), NOT_FACTS)
        ):
            out[name] = date
    missing = [name for name in ("created_at", "closed_at") if name not in out]
    out |= dict(zip(missing, _dates(table, free()), strict=False))
    for but in (UNLIKELY_AMOUNTS, NOT_AMOUNTS):
        if "amount" not in out and (
            amount := _by_words(table, AMOUNTS, lambda c: c in free() and table.is_numbers(c), but)
        ):
            out["amount"] = amount
    return out


def _is_flag(table: Table, column: str) -> bool:
    values = {value.lower() for value in table.values(column)}
    return 0 < len(values) <= 2 and values <= TRUE | FALSE


def _outcome(table: Table) -> str | None:
    """The column of outcomes: by values that mean won and lost, by its name, or as one of two values."""
    few = [column for column in table.columns if 2 <= len(table.values(column)) <= MANY]

    def says(column: str, meaning: re.Pattern[str]) -> bool:
        return any(map(meaning.search, table.values(column)))

    speaking = [column for column in few if says(column, WON) and (says(column, LOST) or says(column, NOT_WON))]
    named = [column for column in table.named(OUTCOMES) if column in speaking]
    flags = [column for column in table.named(WON_FLAGS) if column in few and _is_flag(table, column)]
    half = [column for column in table.named(OUTCOMES) if column in few and says(column, WON)]
    called = [column for column in table.named(OUTCOMES) if column in few]
    two = [c for c in few if len(table.values(c)) == 2 and not table.is_key(c) and not _is_flag(table, c)]
    return next(iter([*named, *speaking, *flags, *half, *called, *two]), None)


def _flags(table: Table) -> tuple[str, str] | None:
    """The columns that say closed and won, where there are both."""
    closed, won = ([c for c in table.named(names) if _is_flag(table, c)] for names in (CLOSED_FLAGS, WON_FLAGS))
    return (closed[0], won[0]) if closed and won else None


def _filled(table: Table) -> tuple[str | None, str | None]:
    """The columns of dates that are filled where deals are won, and where they are lost."""

    def partly(column: str) -> bool:
        return 0 < table.filled(column) < 1 and table.is_dates(column)

    return _by_words(table, WON_ON, partly, NOT_FACTS), _by_words(table, ("lost",), partly, NOT_FACTS)


def guess(sheet: Sheet) -> Guess:
    """What the columns of a file are, if it holds the deals."""
    table = Table(sheet)
    known, flags, outcome = _by_known_names(table), _flags(table), _outcome(table)
    filled = _filled(table)
    if _filled_tell_more(table, outcome, filled, flags is not None or "closed_at" in known):
        outcome = None
    else:
        filled = (None, None)
    taken = {column for column in (outcome, *(flags or ()), *filled) if column}
    columns = _guessed_columns(table, {name: c for name, c in known.items() if c not in taken}, taken)
    if any(filled) and "closed_at" in columns and "closed_at" not in known:
        del columns["closed_at"]  # the date of the column that is filled is the close
    outcome = None if flags else outcome
    key = columns.get("deal_id")
    repeats = len(table) - len(table.values(key)) if key else 0
    return Guess(table, columns, frozenset(known), outcome, flags, filled, repeats)


def _filled_tell_more(
    table: Table, outcome: str | None, filled: tuple[str | None, str | None], knows_close: bool
) -> bool:
    """Whether columns that are filled tell the outcome better than a column of outcomes.

    They do where there is none, or only a flag: false may mean open or lost. They do too where they are the only dates
    of won and of lost deals.
    """
    if not filled[0]:
        return False
    if outcome is None or not _means_won(table, outcome) or _is_flag(table, outcome):
        return not knows_close or outcome is None
    return all(filled) and not knows_close


def _means_won(table: Table, outcome: str) -> bool:
    """Whether a column says which deals are won, by its values or by its name."""
    return any(map(WON.search, table.values(outcome))) or plain(outcome) in WON_FLAGS


@dataclass(frozen=True)
class Export:
    """All files of an export, and which of them holds the deals."""

    guesses: tuple[Guess, ...]

    @cached_property
    def deals(self) -> Guess:
        """The file of deals: the one that others point to if it tells outcomes, then the one with most known columns.

        A file with several rows a deal of another is never it.
        """
        return max(self.guesses, key=self._score)

    def _score(self, asked: Guess) -> tuple[bool, bool, int, int, int]:
        others = [other for other in self.guesses if other is not asked]
        points = any(other.like_deals and self.pointer(asked, other) for other in others)
        pointing = sum(bool(self.pointer(other, asked)) for other in others)
        known = 3 * asked.speaks + asked.tells + sum(name in asked.columns for name in DATES_AND_MONEY)
        return not points, asked.tells and pointing > 0, known, pointing, len(asked.table)

    def pointer(self, other: Guess, asked: Guess) -> str | None:
        """The column of another file that names the deals of this one, several rows a deal or with dates."""
        key = asked.columns.get("deal_id")
        if key is None or asked.repeats or other.table.columns == asked.table.columns:
            return None
        ids, mine, theirs = set(asked.table.values(key)), plain(key), other.table
        called = {mine, f"{plain(asked.table.sheet.file.split('.')[0]).rstrip('s')}id", "dealid", "opportunityid"}
        for column in theirs.columns:
            if OTHER_THINGS.search(column.lower()) or plain(column) not in called or theirs.is_key(column):
                continue
            values = theirs.values(column)
            if values and sum(value in ids for value in values) >= NEARLY * len(values):
                return column
        return None

    def other_key(self, other: Guess) -> str | None:
        """A column that is unique among the deals, is no id of theirs, and is repeated in another file."""
        deals = self.deals.table
        for column in deals.columns:
            if column not in other.table.columns or column == self.deals.columns.get("deal_id"):
                continue
            if not set(words_of(column)) & set(IDS) or OTHER_THINGS.search(column.lower()):
                continue
            theirs = set(other.table.values(column))
            mine = deals.values(column) if deals.is_key(column) and not other.table.is_key(column) else []
            if mine and sum(value in theirs for value in mine) >= NEARLY * len(mine):
                return column
        return None
