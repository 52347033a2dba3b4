"""What every importer hands back: a book, its quarantine, and what was found out about the files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from walkaway.book import Book

__all__ = ["FileFound", "Imported"]


@dataclass(frozen=True)
class FileFound:
    """How one file turned out to be written; `decimals` and `dates` are by column."""

    file: str
    table: str
    rows: int
    encoding: str
    separator: str
    decimals: dict[str, str] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Imported:
    """A book, the rows that could not be used, and how many rows the source had in all.

    `files` says how each file was read, `notes` what its reader should know, one sentence each.
    """

    book: Book
    quarantine: pd.DataFrame
    rows_in: int
    files: tuple[FileFound, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rows_used(self) -> int:
        """Rows of the source that stand in the book."""
        return sum(self.book.manifest.rows_used.values())

    def as_json(self) -> dict[str, Any]:
        """The manifest, with the number of rows quarantined, how each file was read, and the notes."""
        said = {"quarantined": len(self.quarantine), "files_read": [asdict(f) for f in self.files]}
        return self.book.manifest.model_dump(mode="json") | said | {"notes": list(self.notes)}
