"""What the terminal shows of books: an import, or a sample that was made. Readable at 80 columns."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.formatting import LocaleFormat
from walkaway.importers import FileFound, Imported
from walkaway.report.terminal.plain_table import plain_table

__all__ = ["show_import", "show_sample"]

_SEPARATOR = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "": "-"}
_DECIMAL = {",": "comma", ".": "point"}


def _number_and_date_formats(file: FileFound) -> str:
    """The decimal mark or the date format of each column, one per line."""
    marks = [f"{column}: {_DECIMAL.get(mark, mark)}" for column, mark in file.decimals.items()]
    return "\n".join([*marks, *(f"{column}: {pattern}" for column, pattern in file.dates.items())]) or "-"


def _files_table(imported: Imported, fmt: LocaleFormat) -> Table:
    table = plain_table("file", "read as", "rows", "encoding", "separator", "numbers and dates", title="Files")
    for file in imported.files:
        separator = _SEPARATOR.get(file.separator, file.separator)
        formats = _number_and_date_formats(file)
        table.add_row(file.file, file.table, fmt.whole(file.rows), file.encoding, separator, formats)
    return table


def _files_and_notes(imported: Imported, fmt: LocaleFormat) -> list[RenderableType]:
    """How the files were read, and the notes; nothing for a source that has neither."""
    files: list[RenderableType] = [_files_table(imported, fmt), ""] if imported.files else []
    notes: list[RenderableType] = [*map(Text, imported.notes), ""] if imported.notes else []
    return files + notes


def show_import(imported: Imported, folder: str, fmt: LocaleFormat) -> RenderableType:
    """Rows read, used and quarantined, and the most frequent reasons for quarantine."""
    used = plain_table("table", "rows", title=f"Book {folder}")
    for name, rows in imported.book.manifest.rows_used.items():
        used.add_row(name, fmt.whole(rows))
    quarantined = len(imported.quarantine)
    rows_in, rows_used = fmt.whole(imported.rows_in), fmt.whole(imported.rows_used)
    sums = Text(f"{rows_in} rows in = {rows_used} used + {fmt.whole(quarantined)} quarantined")
    if not quarantined:
        return Group(*_files_and_notes(imported, fmt), used, "", sums)
    reasons = plain_table("why quarantined", "rows", title="quarantine.parquet")
    counts = imported.quarantine.groupby(["table", "column", "rule"]).size().sort_values(ascending=False)
    for (table, column, rule), rows in counts.head(8).items():
        reasons.add_row(f"{table}: {column} {rule}", fmt.whole(rows))
    return Group(*_files_and_notes(imported, fmt), used, "", sums, "", reasons)


def show_sample(description: dict[str, Any], out: str, fmt: LocaleFormat) -> RenderableType:
    """What a sample book holds, and where it was written.

    Args:
        description: of `walkaway.sample.describe`.
        out: folder of the book.
        fmt: writes the numbers and the date.
    """
    names = ("won", "lost", "open", "activities", "changes", "contacts", "snapshots_with_truth")
    counts = {name: fmt.whole(description[name]) for name in names}
    until = fmt.date(pd.Timestamp(description["last_recorded_at"]))
    return Text(
        f"{description['source']}: {counts['won']} won, {counts['lost']} lost, {counts['open']} open; "
        f"{counts['activities']} activities, {counts['changes']} changes, {counts['contacts']} contacts, until "
        f"{until}. All of it is made up.\n"
        f"Book written to {out}. truth.parquet beside it has the expected outcome of each open deal, every Monday: "
        f"{counts['snapshots_with_truth']} rows."
    )
