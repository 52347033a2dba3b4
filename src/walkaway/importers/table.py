"""Import of flat exports (CSV, Parquet, XLSX) as books, by a mapping of files and columns.

Rows in = rows used + rows quarantined. Files that the mapping does not name are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from walkaway.book import (
    COLUMNS,
    MOMENT,
    SOURCE_ROW,
    TABLES,
    Book,
    Manifest,
    admit,
    conform,
    counted_lost,
    entries,
    lost_after_sentence,
    with_lost_after,
)
from walkaway.config import AS_IT_IS, MoneySettings
from walkaway.errors import DataError, MappingError, UsageError
from walkaway.formatting import LocaleFormat
from walkaway.importers.cells import as_texts
from walkaway.importers.columns import AT_CREATION, Converted, check_columns, convert, ragged_entries, replaced
from walkaway.importers.currencies import in_one_currency
from walkaway.importers.imported import FileFound, Imported
from walkaway.importers.importer import Export, mapping_required
from walkaway.importers.mapping import mapping_for
from walkaway.importers.outcome_mapping import OutcomePart
from walkaway.importers.sheets import Sheet, check_file, read_sheet
from walkaway.importers.suggest import suggest
from walkaway.importers.table_mapping import LINE_NUMBER, DealsPart, FilePart, JoinPart, TableMapping

__all__ = ["import_table"]

BY_LINE = (
    "The id of a deal is its file and line. It changes when the export is sorted, filtered or made anew: advice, "
    "decisions and calls that are kept by id fit this export only."
)
IN_ORDER = " A model is tested on deals created later than those it learned from."
UNDATED = (
    "No dates{}. A model of this book predicts wins, not the value of an hour: value_per_hour stays empty and every "
    "verdict is unsure. Leaks cannot be found without dates: leave out columns filled in after the outcome."
)


@dataclass
class _Gathered:
    """The tables, refused rows, file formats and notes read so far."""

    tables: dict[str, list[pd.DataFrame]] = field(default_factory=dict)
    refused: list[pd.DataFrame] = field(default_factory=list)
    files: list[FileFound] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    joined_rows: dict[str, int] = field(default_factory=dict)

    @property
    def rows_in(self) -> dict[str, int]:
        """Rows by file and table; sheets of one workbook are summed."""
        rows: dict[str, int] = {}
        for found in self.files:
            name = f"{found.file} ({found.table})"
            rows[name] = rows.get(name, 0) + found.rows
        return rows

    def add(self, table: str, converted: Converted) -> None:
        self.tables.setdefault(table, []).append(converted.rows)
        self.refused += converted.refused
        self.files.append(converted.found)
        self.notes += converted.notes


def _check_deals(mapping: TableMapping) -> None:
    """Raise MappingError where a part of deals lacks a column that an import with dates requires."""
    for part in mapping.deals_parts if not mapping.timeless else ():
        for name, absent, otherwise in (
            ("deal_id", part.deal_id is None, f', or set deal_id = "{LINE_NUMBER}" if there is none'),
            ("created_at", part.created_at is None, ", or set timeless = true if the export has no dates"),
        ):
            if absent:
                raise MappingError(
                    f"mapping: deals.{name} is required, found none. Name the column that holds it{otherwise}."
                )


def _files_of(mapping: TableMapping, files: Sequence[Path]) -> list[tuple[FilePart, list[Path]]]:
    """The files of each part, in the order given.

    Raises:
        MappingError: there is no file for the deals or for a side table to join.
    """
    out = [(part, [path for path in files if part.fits(path.name)]) for part in mapping.parts()]
    _refuse_read_twice(mapping, out)
    for part, paths in out:
        if not paths and isinstance(part, DealsPart | JoinPart):
            content = "the deals" if isinstance(part, DealsPart) else "a side table"
            given = ", ".join(path.name for path in files) or "none"
            raise MappingError(
                f"the mapping names {part.file} as the file of {content}, found no match among: {given}. "
                "Add the file, or correct `file` in the mapping."
            )
    return out


def _refuse_read_twice(mapping: TableMapping, found: list[tuple[FilePart, list[Path]]]) -> None:
    """Raise MappingError where two parts of deals name the same sheet of the same file."""
    read: dict[tuple[Path, str | None], str] = {}
    for part, paths in found:
        for path in paths if part in mapping.deals_parts else []:
            if (path, part.sheet) in read:
                raise MappingError(
                    f"{path.name}: each file must belong to one of [[deals]], found two that name it: "
                    f"{read[path, part.sheet]} and {part.file}. Correct `file` or `sheet` in the mapping."
                )
            read[path, part.sheet] = part.file


def _read(path: Path, part: FilePart, mapping: TableMapping, gathered: _Gathered) -> Sheet:
    reading = mapping.reading(part)
    sheet, notes = replaced(read_sheet(path, reading.encoding, reading.separator, part.sheet), part.values)
    gathered.notes += notes
    if sheet.unread:
        gathered.notes.append(f"{sheet.file}: sheets not used: {', '.join(sheet.unread)}.")
    return sheet


def _side_table(part: JoinPart, sheets: list[Sheet], gathered: _Gathered) -> pd.DataFrame:
    """The rows of a side table by key; rows without a key or with a repeated key are refused."""
    kept: list[pd.DataFrame] = []
    for sheet in sheets:
        check_columns(sheet, [part.key, *part.columns().values()])
        rows = sheet.cells.assign(**{part.key: as_texts(sheet.cells[part.key]), SOURCE_ROW: sheet.cells.index})
        seen = pd.concat([*(k[part.key] for k in kept), rows[part.key]])
        repeats = seen.duplicated().to_numpy()[len(seen) - len(rows) :]
        absent = rows[part.key].isna().to_numpy()
        name = Path(sheet.file).stem
        gathered.refused += [
            ragged_entries(name, sheet),
            entries(name, rows[absent], part.key, "is required", "fill it in at the source"),
            entries(name, rows[repeats & ~absent], part.key, "repeats a key", "keep one row per key"),
        ]
        kept.append(rows[~repeats & ~absent])
        gathered.files.append(FileFound(sheet.file, "joined", sheet.rows_in, sheet.encoding, sheet.separator))
        gathered.joined_rows[name] = gathered.joined_rows.get(name, 0) + len(kept[-1])
    return pd.concat(kept).set_index(part.key)


def _joined(deals: Sheet, part: JoinPart, side: pd.DataFrame, gathered: _Gathered) -> Sheet:
    """The deals with the columns of a side table. They are empty for keys not in it, and a note counts these."""
    check_columns(deals, [part.on])
    taken = [name for name in part.columns() if name in deals.cells]
    if taken:
        raise MappingError(
            f"{deals.file}: [[join]] of {part.file} must add new columns, found {taken[0]} in the deals already. "
            "Give it another name in `columns`."
        )
    keys = as_texts(deals.cells[part.on])
    unmatched = keys[keys.notna() & ~keys.isin(side.index)]
    if len(unmatched):
        first = ", ".join(list(dict.fromkeys(unmatched))[:3])
        rule = f"{part.on} is not in column {part.key} of {part.file}"
        gathered.notes.append(f"{deals.file}: in {len(unmatched):,} rows {rule} ({first}).")
    found = {name: side[column].reindex(keys).set_axis(keys.index) for name, column in part.columns().items()}
    return replace(deals, cells=deals.cells.assign(**{n: c.where(c.notna(), None) for n, c in found.items()}))


def _gather(
    mapping: TableMapping, files: Sequence[Path], now: pd.Timestamp, advance: Callable[[str], None]
) -> _Gathered:
    gathered = _Gathered()
    parts = _files_of(mapping, files)
    sides: list[tuple[JoinPart, pd.DataFrame]] = []
    for part, paths in sorted(parts, key=lambda found: isinstance(found[0], DealsPart)):  # side tables come first
        sheets = []
        for path in paths:
            advance(path.name)
            sheets.append(_read(path, part, mapping, gathered))
        if isinstance(part, JoinPart):
            sides.append((part, _side_table(part, sheets, gathered)))
            continue
        for sheet in sheets:
            for join, side in sides if isinstance(part, DealsPart) else []:
                if len(mapping.deals_parts) == 1 or join.on in sheet.cells:
                    sheet = _joined(sheet, join, side, gathered)
            gathered.add(part.table, convert(sheet, part, mapping, now))
    named = {path for _, paths in parts for path in paths}
    gathered.notes += [f"{p.name}: not named by the mapping, not used." for p in files if p not in named]
    return gathered


def _as_in_the_files(refused: pd.DataFrame, mapping: TableMapping) -> pd.DataFrame:
    """Entries of the book's own rules, with column names of the file instead of the book where known."""
    named: dict[tuple[str, str], set[str]] = {
        ("deals", "outcome"): {column for part in mapping.deals_parts for column in part.outcome.columns}
    }
    for part in mapping.parts():
        for name, column in part.columns().items() if part.table else ():
            named.setdefault((part.table, name), set()).add(column)
    rows = zip(refused["table"], refused["column"], strict=True)
    return refused.assign(column=[" or ".join(sorted(named.get(row, {row[1]}))) for row in rows])


def _quarantine(refused: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in refused if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS, dtype="str")


def _book(gathered: _Gathered, manifest: Manifest) -> Book:
    """The gathered tables as a book."""
    tables = {name: pd.concat(gathered.tables[name], ignore_index=True) for name in TABLES if name in gathered.tables}
    if tables["deals"].empty:
        first = _quarantine(gathered.refused).query("table == 'deals'").iloc[0]
        raise DataError(
            f"no row can be used as a deal. The first: {first['row']}, {first['column']} {first['rule']} "
            f"(found {first['value']}). Correct the mapping or the file. Nothing was written."
        )
    return Book.of(manifest, **tables)


def _closed_by_history(book: Book, part: OutcomePart) -> Book:
    """The book with deals closed at the first record of a value that is won or lost, if the mapping says so."""
    if part.field is None:
        return book
    ends = dict.fromkeys(part.won, "won") | dict.fromkeys(part.lost or (), "lost")
    field, changes = part.field.lower(), book.changes
    closing = changes[(changes["field"].str.lower() == field) & changes["new_value"].isin(ends)]
    first = closing.sort_values("recorded_at", kind="stable").drop_duplicates("deal_id").set_index("deal_id")
    value = book.deals["deal_id"].map(first["new_value"])
    closed_at = book.deals["deal_id"].map(first["recorded_at"]).astype(MOMENT)
    outcome = value.map(ends).astype("str")
    reasons = book.deals["loss_reason"].fillna(value.map(part.loss_reasons).astype("str")).where(outcome == "lost")
    deals = book.deals.assign(outcome=outcome, closed_at=closed_at, loss_reason=reasons)
    return book.with_tables(deals=deals)


def _with_first_amounts(book: Book) -> Book:
    """Add the amount known at creation as the first change of each deal's amount."""
    deals = book.deals[book.deals[AT_CREATION].notna()]
    changes = pd.DataFrame(
        {
            "deal_id": deals["deal_id"],
            "field": "amount",
            "recorded_at": deals["created_at"],
            "new_value": as_texts(deals[AT_CREATION]),
        }
    )
    joined = pd.concat([conform("changes", changes), book.changes], ignore_index=True)
    return book.with_tables(deals=book.deals.drop(columns=AT_CREATION), changes=joined)


def _with_effort(book: Book, mapping: TableMapping) -> tuple[Book, list[str]]:
    """The effort that the mapping assumes for a book without recorded work, and notes on what is not recorded."""
    if mapping.timeless:
        in_order = bool(book.deals["created_at"].notna().any())
        note = UNDATED.format(" of the close" if in_order else "")
        return book, [note + IN_ORDER if in_order else note]
    try:
        book = book.with_effort(mapping.effort)
    except UsageError as error:
        raise MappingError(f"mapping: {error}") from error
    if book.effort is None:
        unused = "[effort] in the mapping is not used, since the activities have hours."
        return book, [unused] if mapping.effort is not None else []
    return book, [book.effort.sentence(LocaleFormat())]


def _settled_notes(book: Book, mapping: TableMapping, lost_after_days: float | None) -> list[str]:
    """Notes on deals that count as lost by their age, and on outcomes that no deal has."""
    counted = with_lost_after(book, None if mapping.timeless else lost_after_days)
    days, outcome = counted.manifest.lost_after_days, counted.deals["outcome"]
    won, lost = int((outcome == "won").sum()), int((outcome == "lost").sum())
    notes = []
    if days is not None:
        by_age = counted_lost(counted)
        later, fmt = book.deals["outcome"][by_age], LocaleFormat()
        told = lost_after_sentence(days, int(by_age.sum()), lost, fmt)
        closed = f" {later.notna().sum():,} of them closed later, {(later == 'won').sum():,} as won."
        notes.append(told + closed if later.notna().any() else told)
    return [*notes, *_absent_outcomes(won, lost, mapping)]


def _absent_outcomes(won: int, lost: int, mapping: TableMapping) -> list[str]:
    """A warning where no deal is won or none is lost, since nothing can be learned then."""
    if won and lost:
        return []
    if not won and not lost:
        what = "No deal is settled: all are open, so nothing can be learned from this book."
    else:
        what = f"No deal is {'lost' if won else 'won'} in this book, so a model cannot be trained on it."
    unrecorded = won and not any(part.outcome.records_losses for part in mapping.deals_parts)
    if unrecorded and not mapping.timeless:
        return [f"{what} Set lost_after_days if a deal that stays open for so long counts as lost."]
    columns = dict.fromkeys(column for part in mapping.deals_parts for column in part.outcome.columns)
    named = f", and the values of {', '.join(columns)}" if columns else ""
    return [f"{what} Check [deals.outcome] of the mapping{named}."]


def import_table(
    files: Sequence[Path],
    mapping: TableMapping,
    now: pd.Timestamp,
    mapping_name: str = "",
    advance: Callable[[str], None] = lambda name: None,
    money: MoneySettings = AS_IT_IS,
    lost_after_days: float | None = None,
) -> Imported:
    """Read the files of a flat export as a book.

    Args:
        files: CSV, TSV, text, Parquet or XLSX. Files that the mapping does not name are reported and not used.
        mapping: the meaning of files and columns.
        now: the moment of the import (UTC); rows recorded later are quarantined.
        mapping_name: the name of the mapping in the manifest.
        advance: called with the name of each file before it is read.
        money: the reporting currency, and dated rates into it.
        lost_after_days: the age at which the settings count an open deal as lost; for the notes alone.

    Returns:
        The book with its quarantine, the detected format of each file, and notes. Rows in = rows used + rows
        quarantined. Rows that are not from the files (amounts at creation) are not counted.

    Raises:
        DataError: a file is missing, empty, damaged or not a table; or no row can be used as a deal.
        MappingError: the mapping does not fit the files.
        BookError: no deal can be used.
    """
    _check_deals(mapping)
    for path in files:
        check_file(path)
    gathered = _gather(mapping, files, now, advance)
    fixed = mapping.fixed_at_creation
    manifest = Manifest(
        source=f"table {', '.join(found.file for found in gathered.files)}",
        mapping=mapping_name,
        currency=mapping.currency,
        fixed_at_creation=(*fixed, AT_CREATION) if mapping.deals.amount_at_creation else fixed,
        timeless=mapping.timeless,
        lost_after_days=mapping.lost_after_days,
    )
    converted, without_rate, money_notes = in_one_currency(
        _closed_by_history(_book(gathered, manifest), mapping.deals.outcome), money, mapping.timezone, mapping.money
    )
    gathered.notes += money_notes
    book, refused = admit(converted, now)
    own_rules = _as_in_the_files(_quarantine([without_rate, refused]), mapping)
    quarantine = _quarantine([*gathered.refused, own_rules])
    used = {name: len(table) for name, table in book.tables().items()} | gathered.joined_rows
    counted = {
        "fixed_at_creation": fixed,
        "rows_in": gathered.rows_in,
        "rows_used": used,
        "rows_quarantined": {name: int(n) for name, n in quarantine["table"].value_counts(sort=False).items()},
    }
    book = book.with_tables(manifest=book.manifest.model_copy(update=counted))
    if mapping.deals.amount_at_creation:
        book = _with_first_amounts(book)
    book, notes = _with_effort(book, mapping)
    notes += [BY_LINE] if any(part.named_by_line for part in mapping.deals_parts) else []
    notes += _settled_notes(book, mapping, lost_after_days)
    rows_in = sum(found.rows for found in gathered.files)
    return Imported(book, quarantine, rows_in, tuple(gathered.files), (*gathered.notes, *notes))


class TableImporter:
    """The `Importer` of flat exports."""

    name = "table"
    purpose = "Import a flat export as a book, or draft a mapping for it."
    paths = "CSV, Parquet or XLSX files. Files that the mapping does not name are not used."

    def read(self, export: Export) -> Imported:
        """Import the files as a book; see `import_table`."""
        name = mapping_required(export.mapping, ", or draft one with --suggest")
        mapping = mapping_for(TableMapping, name)
        return import_table(
            export.paths,
            mapping,
            export.now,
            name,
            lambda file: export.advance(f"reading {file}", 0),
            export.money,
            export.lost_after_days,
        )

    def suggest(self, paths: Sequence[Path]) -> str:
        """A draft mapping; see `suggest`."""
        return suggest(paths)


IMPORTER = TableImporter()
