"""What the terminal shows of books: an import, or a sample that was made. Readable at 80 columns."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.importers import FileFound, Imported
from walkaway.report.terminal.plain_table import plain_table

__all__ = ["show_import", "show_sample"]

_SEPARATOR = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "": "-"}


def _written(found: FileFound) -> str:
    """Decimal marks and date formats, by column."""
    marks = [f"{column}: 0{mark}0" for column, mark in found.decimals.items()]
    return "\n".join([*marks, *(f"{column}: {form}" for column, form in found.dates.items())]) or "-"


def _files(imported: Imported) -> Table:
    table = plain_table("file", "read as", "rows", "encoding", "separator", "numbers and dates", title="Files")
    for found in imported.files:
        between = _SEPARATOR.get(found.separator, found.separator)
        table.add_row(found.file, found.table, f"{found.rows:,}", found.encoding, between, _written(found))
    return table


def _found_out(imported: Imported) -> list[RenderableType]:
    """How the files were read, and the notes; nothing for a source that has neither."""
    shown: list[RenderableType] = [_files(imported), ""] if imported.files else []
    notes: list[RenderableType] = [*map(Text, imported.notes), ""] if imported.notes else []
    return shown + notes


def show_import(imported: Imported, folder: str) -> RenderableType:
    """Rows in, used and quarantined, and the first reasons for quarantine."""
    used = plain_table("table", "rows", title=f"Book {folder}")
    for name, rows in imported.book.manifest.rows_used.items():
        used.add_row(name, f"{rows:,}")
    refused = len(imported.quarantine)
    sums = Text(f"{imported.rows_in:,} rows in = {imported.rows_used:,} used + {refused:,} quarantined")
    if not refused:
        return Group(*_found_out(imported), used, "", sums)
    why = plain_table("why quarantined", "rows", title="quarantine.parquet")
    counts = imported.quarantine.groupby(["table", "column", "rule"]).size().sort_values(ascending=False)
    for (table, column, rule), rows in counts.head(8).items():
        why.add_row(f"{table}: {column} {rule}", f"{rows:,}")
    return Group(*_found_out(imported), used, "", sums, "", why)


def show_sample(told: dict[str, Any], out: str) -> RenderableType:
    """What a sample book holds, and where it lies."""
    return Text(
        f"{told['source']}: {told['won']:,} won, {told['lost']:,} lost, {told['open']:,} open; "
        f"{told['activities']:,} activities, {told['changes']:,} changes, {told['contacts']:,} contacts, until "
        f"{str(told['last_recorded_at'])[:10]}. Everything is made up.\n"
        f"Book written to {out}; truth.parquet beside it holds what could be expected of each open deal on "
        f"{told['snapshots_with_truth']:,} Mondays."
    )
