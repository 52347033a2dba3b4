"""Reading and writing a book: a Parquet file per table, and a manifest with their checksums."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from walkaway.book.lost_after import with_lost_after
from walkaway.book.schema import FORMAT_VERSION, TABLES, Book, Manifest, conform
from walkaway.errors import BookError
from walkaway.files import checksum, replaced_folder, write_json
from walkaway.validation import broken_rule

__all__ = ["read_book", "write_book"]

MANIFEST = "manifest.json"
QUARANTINE = "quarantine.parquet"
TRUTH = "truth.parquet"


def write_book(
    book: Book, folder: Path, quarantine: pd.DataFrame | None = None, truth: pd.DataFrame | None = None
) -> Manifest:
    """Write a book: a Parquet file per table, the quarantine, and the manifest with a checksum per table.

    The true values of a sample book are saved beside its tables. `read_book` does not read them.

    Returns:
        The manifest as written, with its `files`.

    Raises:
        BookError: the folder exists and is not a book. It is not changed.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).exists())):
        raise BookError(
            f"{folder}: must be new, empty or a book, found other content (no {MANIFEST}). Name another folder, or "
            "empty this one."
        )
    with replaced_folder(folder) as fresh:
        for name, table in book.tables().items():
            table.to_parquet(fresh / f"{name}.parquet", index=False)
        if quarantine is not None:
            quarantine.to_parquet(fresh / QUARANTINE, index=False)
        if truth is not None:
            truth.to_parquet(fresh / TRUTH, index=False)
        files = {f"{name}.parquet": checksum(fresh / f"{name}.parquet") for name in TABLES}
        manifest = book.manifest.model_copy(update={"files": files})
        write_json(fresh / MANIFEST, manifest.model_dump(mode="json"))
    return manifest


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise BookError(f"{folder} is not a book: it has no {MANIFEST}. Make one with `walkaway import`.")
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part} " for part in first["loc"])
        found = "" if isinstance(first["input"], dict) else f", found {first['input']!r}"
        raise BookError(f"{path}: {where}{broken_rule(first)}{found}. Import the book again.") from error
    if manifest.format_version != FORMAT_VERSION:
        raise BookError(
            f"{path}: format_version must be {FORMAT_VERSION}, found {manifest.format_version}. Import the book again."
        )
    return manifest


def read_book(folder: Path, lost_after_days: float | None = None) -> Book:
    """Read a book, checking each table's checksum before it is parsed.

    Args:
        folder: of the book.
        lost_after_days: the age in days at which an open deal counts as lost (`with_lost_after`); takes precedence over
            that of the book's manifest.

    Raises:
        UsageError: lost_after_days for a book without dates.
        BookError: the folder is not a book, a table is missing, or a checksum does not match.
    """
    manifest = _read_manifest(folder)
    tables = {}
    for name in TABLES:
        path = folder / f"{name}.parquet"
        if not path.is_file():
            raise BookError(f"{folder}: table {name} is missing (no {path.name}). Import the book again.")
        if checksum(path) != manifest.files.get(path.name):
            raise BookError(f"{path}: does not match its checksum in {MANIFEST}. Import the book again.")
        tables[name] = conform(name, pd.read_parquet(path), manifest.fixed_at_creation)
    return with_lost_after(Book(manifest=manifest, **tables), lost_after_days)
