"""The result of an importer: a book, its quarantine, and the detected formats of the files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from walkaway.book import Book

__all__ = ["FileFound", "Imported"]


@dataclass(frozen=True)
class FileFound:
    """The detected format of a file; `decimals` and `dates` are by column."""

    file: str
    table: str
    rows: int
    encoding: str
    separator: str
    decimals: dict[str, str] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Imported:
    """A book, the rows that could not be used, and the number of rows in the source.

    `files` holds the detected format of each file, `notes` sentences for the user.
    """

    book: Book
    quarantine: pd.DataFrame
    rows_in: int
    files: tuple[FileFound, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rows_used(self) -> int:
        """Number of source rows in the book."""
        return sum(self.book.manifest.rows_used.values())

    def as_json(self) -> dict[str, Any]:
        """The manifest, with the number of quarantined rows, the format of each file, and the notes."""
        read = {"quarantined": len(self.quarantine), "files_read": [asdict(f) for f in self.files]}
        return self.book.manifest.model_dump(mode="json") | read | {"notes": list(self.notes)}
