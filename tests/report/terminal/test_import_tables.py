from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from walkaway.book.schema import Book, Manifest
from walkaway.formatting import LocaleFormat
from walkaway.importers.imported import FileFound, Imported
from walkaway.report.terminal.import_tables import show_import

QUARANTINE = pd.DataFrame(
    {
        "table": ["deals", "deals", "activities"],
        "column": ["amount", "amount", "a_column_of_some_length_indeed"],
        "rule": ["is not a number and is therefore left out of the book, as the rule says"] * 2 + ["is missing"],
    }
)
FILES = (
    FileFound("sales_pipeline_of_2026.csv", "deals", 1234567, "utf-8 with BOM", "\t", {"sum": ","}, {"on": "%d.%m.%Y"}),
    FileFound("accounts.parquet", "accounts", 7, "parquet", ""),
)


def imported(quarantine: pd.DataFrame = QUARANTINE, **more) -> Imported:
    manifest = Manifest(rows_used={"deals": 1234567, "activities": 7})
    deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]})
    return Imported(Book.of(manifest, deals=deals), quarantine, 1234574 + len(quarantine), **more)


def shown(found: Imported) -> str:
    out = StringIO()
    Console(file=out, width=80, highlight=False).print(show_import(found, "data/book", LocaleFormat()))
    return out.getvalue()


@pytest.mark.parametrize("more", [{}, {"files": FILES, "notes": ("a sentence " * 20,)}])
def test_no_line_is_longer_than_80_columns(more):
    assert [line for line in shown(imported(**more)).splitlines() if len(line) > 80] == []


def test_the_sums_and_the_reasons_for_quarantine_are_shown():
    text = " ".join(shown(imported()).split())

    assert "Book data/book table rows deals 1,234,567 activities 7" in text
    assert "1,234,577 rows in = 1,234,574 used + 3 quarantined" in text
    assert "activities: a_column_of_some_length_indeed is missing 1" in text
    assert "why quarantined" not in shown(imported(QUARANTINE.iloc[:0]))


def test_how_each_file_was_read_and_the_notes_are_shown():
    text = shown(imported(files=FILES, notes=("one.csv: not named by the mapping, not used.",)))

    assert "tab" in text
    assert "sum: comma" in text
    assert "on: %d.%m.%Y" in text
    assert "one.csv: not named by the mapping, not used." in text


def test_a_source_that_finds_nothing_out_shows_no_files():
    assert "encoding" not in shown(imported())
