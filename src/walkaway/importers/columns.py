"""Conversion of a sheet to rows of a table of the book: columns, outcomes, numbers and dates.

A row that cannot be used is refused once, by the first rule it breaks.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import pandas as pd

from walkaway.book import COLUMNS, MOMENT, SOURCE_ROW, TABLES, entries, is_link
from walkaway.errors import MappingError
from walkaway.importers.cells import (
    SERIAL,
    UnclearDatesError,
    as_texts,
    date_format_of,
    decimal_mark_of,
    moments,
    numbers,
)
from walkaway.importers.imported import FileFound
from walkaway.importers.outcome_mapping import OutcomePart
from walkaway.importers.outcome_reading import NEITHER, outcomes_of
from walkaway.importers.sheets import Sheet
from walkaway.importers.table_mapping import DEAL_ID, ChangesPart, DealsPart, FilePart, TableMapping

__all__ = ["AT_CREATION", "Converted", "check_columns", "convert", "ragged_entries", "replaced"]

AT_CREATION = "amount_at_creation"
NUMBERS, DATES = ("amount", "margin"), ("expected_close_date",)  # tracked fields that are not plain text
TRACKED = (*NUMBERS, *DATES, "stage", "owner_id", "forecast_category")
MOST = 1e12
MOST_LISTED = 20  # values listed in one note
ABSURD = (f"must be at most {MOST:.0e}", "correct the number or its decimal mark")


@dataclass(frozen=True)
class Converted:
    """The rows of a file for a table, the refused rows, the detected format of the file, and notes for the user."""

    rows: pd.DataFrame
    refused: list[pd.DataFrame]
    found: FileFound
    notes: list[str] = field(default_factory=list)


def check_columns(sheet: Sheet, named: Iterable[str]) -> None:
    """Raise MappingError if the sheet lacks a column that the mapping names, and suggest a similar one."""
    columns = list(map(str, sheet.cells.columns))
    absent = [column for column in named if column not in columns]
    if not absent:
        return
    if len(columns) == 1:
        separator = repr(sheet.separator) if sheet.separator else "none"
        raise MappingError(
            f"{sheet.file}: the mapping names several columns, found only one, {columns[0]} (separator: {separator}). "
            "Set `separator` in the mapping, or leave it out to have it detected."
        )
    lower = {column.lower(): column for column in columns}
    near = difflib.get_close_matches(absent[0].lower(), lower, n=1)
    hint = f" Did you mean {lower[near[0]]}?" if near else ""
    raise MappingError(
        f"{sheet.file}: the mapping names a column {absent[0]}, found only {', '.join(columns)}.{hint} Correct the "
        "mapping."
    )


def replaced(sheet: Sheet, values: Mapping[str, Mapping[str, str]]) -> tuple[Sheet, list[str]]:
    """The sheet with the replacements of the mapping, and a note on each replaced value."""
    check_columns(sheet, values)
    columns, notes = {}, []
    for column, meanings in values.items():
        texts = as_texts(sheet.cells[column])
        columns[column] = sheet.cells[column].where(~texts.isin(meanings), texts.map(meanings).replace("", None))
        for text, rows in texts[texts.isin(meanings)].value_counts(sort=False).items():
            notes.append(f"{sheet.file}: {column} {text} is read as {meanings[str(text)]} in {rows:,} rows.")
    return replace(sheet, cells=sheet.cells.assign(**columns)), notes


def ragged_entries(table: str, sheet: Sheet) -> pd.DataFrame:
    """Quarantine entries of rows with more or fewer cells than the header."""
    remedy = "quote cells that hold the separator, or add the missing cells"
    return pd.DataFrame(
        [
            (table, r.row, "", "whole row", sheet.separator.join(r.cells), rule, remedy)
            for r in sheet.ragged
            for rule in [f"has {len(r.cells)} cells, and the header has {r.columns}"]
        ],
        columns=COLUMNS,
        dtype="str",
    )


class _Rows:
    """Rows of a sheet during conversion: the columns read and the rows refused so far."""

    def __init__(self, sheet: Sheet, part: FilePart, mapping: TableMapping, now: pd.Timestamp) -> None:
        self.cells, self.part, self.reading = sheet.cells, part, mapping.reading(part)
        self.timezone, self.now = mapping.timezone, now
        self.read: dict[str, pd.Series] = {}
        self.refused: list[pd.DataFrame] = []
        self.alive = pd.Series(True, index=sheet.cells.index)
        self.decimals: dict[str, str] = {}
        self.dates: dict[str, str] = {}

    def refuse(self, mask: pd.Series, column: str, says: str, remedy: str, found: pd.Series | None = None) -> None:
        """Refuse the rows of the mask, except those refused earlier. `found` is shown, or the column's cells."""
        mask = mask & self.alive
        if not mask.any():
            return
        deal = getattr(self.part, "deal_id", None)
        shown = {SOURCE_ROW: self.cells.index, "found": as_texts(self.cells[column]) if found is None else found}
        named = {"deal_id": as_texts(self.cells[deal])} if deal in self.cells else {}
        refused = entries(self.part.table, pd.DataFrame(shown | named)[mask], "found", says, remedy)
        self.refused.append(refused.assign(column=column))
        self.alive = self.alive & ~mask

    def numbers(self, name: str, column: str) -> None:
        """Read a column of numbers; refuse rows without a number, or with one beyond MOST."""
        cells = self.cells[column]
        decimal = self.reading.decimal or decimal_mark_of(cells)
        if as_texts(cells).str.contains("[.,]", na=False).any():
            self.decimals[column] = decimal
        found = numbers(cells, decimal)
        remedy = f'use digits only, with "{decimal}" as decimal mark; put the currency in its own column'
        self.refuse(cells.notna() & found.isna(), column, "is not a number", remedy)
        self.refuse(found.abs() > MOST, column, *ABSURD)
        self.read[name] = found

    def moments(self, name: str, column: str, cells: pd.Series) -> None:
        """Read a column of dates; refuse rows without a date.

        A date without a time of day is known only by the end of that day. A creation date is the start of its day, so
        that a deal closed on the same day closes after it was created.
        """
        form = self.reading.format_of(column)
        form = form if form is not None else date_format_of(cells)
        if cells.notna().any():
            self.dates[column] = form or "typed"
        found = moments(cells, form, self.timezone, end_of_day=name != "created_at", now=self.now)
        remedy = "correct it, or set `date_format` in the mapping"
        self.refuse(cells.notna() & found.isna(), column, f"is not a date written as {form or 'a date'}", remedy)
        self.read[name] = found

    def column(self, name: str, column: str, kind: str) -> None:
        """Read a column by its kind: text, number or moment."""
        if kind == "number":
            self.numbers(name, column)
        elif kind == "moment":
            self.moments(name, column, self.cells[column])
        else:
            self.read[name] = as_texts(self.cells[column]).astype("str")


def _outcome(rows: _Rows, part: OutcomePart) -> str | None:
    """Read the outcome; refuse rows that say two outcomes or none, and return a note that lists the latter."""
    says = outcomes_of(rows.cells, part)
    remedy = "correct the row, or the rules in [deals.outcome]"
    rows.refuse(says.contradicts, says.column, "says more than one of won, lost and open", remedy, says.found)
    remedy = 'add it to won, lost or open in [deals.outcome], or set others = "open"'
    rows.refuse(says.neither, says.column, NEITHER, remedy, says.found)
    rows.read["outcome"] = pd.Series(None, rows.cells.index, "object").mask(says.won, "won").mask(says.lost, "lost")
    own = as_texts(rows.cells[part.column]) if part.column else pd.Series("", index=rows.cells.index)
    rows.read["loss_reason"] = own.map(part.loss_reasons)
    counts = says.found[says.neither].fillna("empty").value_counts()
    most = [f"{value} ({times:,})" for value, times in counts.head(MOST_LISTED).items()]
    more = [f"{len(counts) - MOST_LISTED:,} more"] if len(counts) > MOST_LISTED else []
    listed = ", ".join(most + more)
    return f"{says.column}: values that are not in the mapping: {listed}." if listed else None


def _loss_reason(rows: _Rows, column: str | None, by_history: bool) -> None:
    """Read the loss reason of lost deals from its column, else from the outcome; of all that the history may close."""
    lost = (rows.read["outcome"] == "lost") | by_history
    reasons = as_texts(rows.cells[column]) if column else rows.read["loss_reason"]
    rows.read["loss_reason"] = reasons.fillna(rows.read["loss_reason"]).where(lost)


def _closed_when_filled(rows: _Rows, part: DealsPart) -> None:
    """Read the close from the column that is filled where a deal ended so.

    Raises:
        MappingError: a deal is won or lost, and no column tells when.
    """
    ended = int((rows.read["outcome"].notna() & rows.alive).sum())
    if ended and not part.outcome.says_when:
        raise MappingError(
            f"mapping: deals.closed_at is required, since {ended:,} deals are won or lost, found none. Name the column "
            "that holds it, or set timeless = true if the export does not say when deals closed."
        )
    closed = pd.Series(pd.NaT, index=rows.cells.index, dtype=MOMENT)
    for outcome, column in (("won", part.outcome.won_if_filled), ("lost", part.outcome.lost_if_filled)):
        if column is None:
            continue
        try:
            rows.moments("closed_at", column, rows.cells[column].where(rows.read["outcome"] == outcome, None))
        except UnclearDatesError:
            raise
        except MappingError as error:
            raise MappingError(
                f"mapping: deals.closed_at is required, since {outcome}_if_filled names {column}, which holds no "
                "dates. Name the column of the close date."
            ) from error
        closed = closed.fillna(rows.read["closed_at"])
    rows.read["closed_at"] = closed


def _closed(rows: _Rows, part: DealsPart) -> list[str]:
    """Read the close of deals. The close date of an open deal is a plan and is left out, with a note."""
    if not part.closed_at:
        return []
    cells, is_open = rows.cells[part.closed_at], rows.read["outcome"].isna()
    rows.moments("closed_at", part.closed_at, cells.where(~is_open, None))
    planned = int((is_open & cells.notna() & rows.alive).sum())
    return [f"{part.closed_at} of {planned:,} open deals is only planned and was left out."] if planned else []


def _deals(rows: _Rows, part: DealsPart, mapping: TableMapping) -> list[str]:
    """Read the deals: outcome, close, money, and further columns."""
    notes = [note] if (note := _outcome(rows, part.outcome)) else []
    _loss_reason(rows, part.loss_reason, part.outcome.field is not None)
    notes += _closed(rows, part)
    if not part.closed_at and not mapping.timeless:
        _closed_when_filled(rows, part)
    if part.amount_at_creation:
        rows.numbers(AT_CREATION, part.amount_at_creation)
        below = rows.read[AT_CREATION] < 0
        rows.refuse(below, part.amount_at_creation, "must be a finite amount of 0 or more", "correct it")
    own = as_texts(rows.cells[part.currency]) if part.currency else pd.Series(None, rows.cells.index, "object")
    rows.read["currency"] = own.fillna(mapping.currency) if mapping.currency else own
    for name, column in part.attributes.items():
        rows.column(name, column, "text")
    for name, column in part.measures.items():
        rows.column(name, column, "number")
    return notes


def _changes(rows: _Rows, part: ChangesPart) -> None:
    """Read the changes, with tracked numbers and dates in the form of the book; refuse rows that hold neither.

    Names of tracked fields ignore case: Amount is amount.
    """
    texts = as_texts(rows.cells[part.field]) if part.field else pd.Series(part.every_field, rows.cells.index)
    lower = texts.str.lower()
    rows.read["field"] = texts.where(~lower.isin(TRACKED), lower).astype("str")
    for name in ("old_value", "new_value"):
        if column := getattr(part, name):
            values = as_texts(rows.cells[column])
            for fields, write in ((NUMBERS, _written_number), (DATES, _written_date)):
                at = rows.read["field"].isin(fields) & rows.cells[column].notna()
                values = values.where(~at, write(rows, column, at)) if at.any() else values
            rows.read[name] = values.astype("str")


def _written_number(rows: _Rows, column: str, at: pd.Series) -> pd.Series:
    cells = rows.cells[column].where(at, None)
    decimal = rows.reading.decimal or decimal_mark_of(cells)
    found = numbers(cells, decimal)
    rows.refuse(at & found.isna(), column, "is not a number", f'use digits only, with "{decimal}" as decimal mark')
    return as_texts(found.astype("object"))


def _written_date(rows: _Rows, column: str, at: pd.Series) -> pd.Series:
    cells = rows.cells[column].where(at, None)
    form = rows.reading.format_of(column)
    form = form if form is not None else date_format_of(cells)
    found = moments(cells, form, rows.timezone)
    rows.refuse(at & found.isna(), column, f"is not a date written as {form or 'a date'}", "correct it")
    return found.dt.tz_convert(rows.timezone).dt.strftime("%Y-%m-%d").astype("object")


def _columns_named(part: FilePart) -> list[str]:
    named = list(part.columns().values())
    if isinstance(part, DealsPart):
        named += [*part.outcome.columns, *part.attributes.values(), *part.measures.values()]
        named += [part.amount_at_creation] if part.amount_at_creation else []
    return named


def _constants(rows: _Rows) -> None:
    """Fill in the values that the mapping sets for all rows of a file, and missing ids."""
    table, index = rows.part.table, rows.cells.index
    for name in ("kind", "direction", "field"):
        if value := getattr(rows.part, f"every_{name}", None):
            rows.read[name] = pd.Series(value, index=index)
    key = TABLES[table].key[0]
    if table in ("activities", "deals") and key not in rows.read:
        rows.read[key] = pd.Series(index, index=index)
    if table == "deals" and "created_at" not in rows.read:
        rows.read["created_at"] = pd.Series(pd.NaT, index=index)


def _links(rows: _Rows, part: DealsPart) -> list[str]:
    """Make the link of each deal where the mapping has a pattern; leave out what is no link of the web, with a note."""
    if part.has_link_pattern:
        pattern, ids = str(part.url), rows.read["deal_id"].astype("str")
        rows.read["url"] = ids.map(lambda deal_id: pattern.replace(DEAL_ID, quote(deal_id, safe=""))).astype("str")
    if "url" not in rows.read:
        return []
    links = rows.read["url"]
    strange = links.notna() & ~links.map(is_link).astype(bool)
    rows.read["url"] = links.where(~strange)
    count = int((strange & rows.alive).sum())
    none = "value is no link" if count == 1 else "values are no links"
    were = "was" if count == 1 else "were"
    return [f"{part.url}: {count:,} {none} of the web (https://...) and {were} left out."] if count else []


def convert(sheet: Sheet, part: FilePart, mapping: TableMapping, now: pd.Timestamp) -> Converted:
    """The rows of a sheet as rows of the part's table, with SOURCE_ROW.

    Raises:
        MappingError: a column that the mapping names is missing, or the format of numbers or dates is ambiguous.
    """
    check_columns(sheet, _columns_named(part))
    rows, notes = _Rows(sheet, part, mapping, now), []
    if isinstance(part, DealsPart):
        notes = _deals(rows, part, mapping)
    if isinstance(part, ChangesPart):
        _changes(rows, part)
    kinds = {c.name: c.kind for c in TABLES[part.table].columns}
    for name, column in part.columns().items():
        if name not in rows.read:
            rows.column(name, column, kinds[name])
    _constants(rows)
    notes += _links(rows, part) if isinstance(part, DealsPart) else []
    frame = pd.DataFrame(rows.read | {SOURCE_ROW: pd.Series(sheet.cells.index, index=sheet.cells.index)})
    notes += [
        f"{sheet.file}: {c} holds Excel serial numbers and was read as dates."
        for c, f in rows.dates.items()
        if f == SERIAL
    ]
    found = FileFound(sheet.file, part.table, sheet.rows_in, sheet.encoding, sheet.separator, rows.decimals, rows.dates)
    return Converted(frame[rows.alive], [ragged_entries(part.table, sheet), *rows.refused], found, notes)
