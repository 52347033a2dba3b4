"""Reading files of rows as frames of cells: encoding, separator, header and ragged rows.

A cell is text, a number, a date or None. Text files give text only; workbooks and Parquet files keep their types. Only
`read_sheet` reads from disk.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from walkaway.errors import DataError, MappingError

__all__ = ["EXTENSIONS", "Ragged", "Sheet", "check_file", "decode", "read_sheet", "separator_of", "sheet_of_text"]

SEPARATORS = (",", ";", "\t", "|")
LINES_LOOKED_AT = 200
NUL = b"\x00"
FEW_LETTERS = 8  # with fewer distinct letters beyond ASCII, the encoding cannot be detected
OLD = (
    "mac_roman",
    "mac_latin2",
    "mac_iceland",
    "mac_turkish",
    "cp437",
    "cp775",
    "cp850",
    "cp852",
    "cp857",
    "cp858",
    "cp860",
    "cp861",
    "cp863",
    "cp865",
)
EXACT = 2**53  # largest whole number up to which floats are exact


@dataclass(frozen=True)
class Ragged:
    """A row with more or fewer cells than the header."""

    row: str
    cells: tuple[str, ...]
    columns: int


@dataclass(frozen=True)
class Sheet:
    """A file as rows of cells. The index names the place of each row: "deals.csv, line 7"."""

    file: str
    encoding: str
    separator: str
    cells: pd.DataFrame
    ragged: tuple[Ragged, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def rows_in(self) -> int:
        """Number of rows below the header, with ragged rows and without empty lines."""
        return len(self.cells) + len(self.ragged)


def _fixed(data: bytes, encoding: str, file: str) -> str:
    try:
        text = data.decode(encoding)
    except (UnicodeError, LookupError) as error:
        raise MappingError(
            f"{file}: cannot be read in the encoding {encoding} of the mapping: {error}. "
            "Correct `encoding` in the mapping, or leave it out to have it detected."
        ) from error
    if not text.isascii() and encoding.lower().replace("-", "") not in ("utf8", "utf8sig") and _is_utf8(data):
        raise MappingError(
            f"{file}: the encoding in the mapping is {encoding}, found a file in UTF-8. "
            "Correct `encoding` in the mapping, or leave it out to have it detected."
        )
    return text.removeprefix("\ufeff")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(data: bytes) -> str | None:
    """utf-16-le or utf-16-be if every other byte is mostly 0, as in Latin text; otherwise None."""
    sample = data[:2000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 8 < len(sample) * 3:  # fewer than three quarters of every other byte
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _legacy(data: bytes, file: str) -> str:
    """The most likely single-byte encoding, with cp1252 preferred among equals.

    With few letters beyond ASCII, or a detected DOS or old Macintosh encoding, detection is unreliable, so cp1252 is
    tried first.
    """
    from charset_normalizer import from_bytes

    matches = from_bytes(data[:200_000])
    best = matches.best()
    names = {name for match in matches if best and match.chaos <= best.chaos for name in match.could_be_from_charset}
    letters = len({byte for byte in data if byte > 127})
    thin = best is None or letters < FEW_LETTERS or best.encoding in OLD
    for encoding in ("cp1252", best.encoding if best else None):
        if encoding and (thin or encoding in names):
            try:
                data.decode(encoding)
            except UnicodeDecodeError:
                continue
            return encoding
    raise DataError(
        f"{file}: the encoding could not be detected. Set `encoding` in the mapping, or save the file as UTF-8."
    )


def decode(data: bytes, file: str, encoding: str | None = None) -> tuple[str, str]:
    r"""The text of a file and its encoding: UTF-8 first, then UTF-16, then the best guess of charset-normalizer.

    Args:
        data: all bytes of the file.
        file: the name of the file, for messages.
        encoding: the encoding set by the mapping, if any.

    Raises:
        MappingError: the file is not in the encoding of the mapping.
        DataError: the file is empty or not text.

    >>> decode("Zürich".encode("cp1252"), "deals.csv")
    ('Zürich', 'cp1252')
    """
    if not data.strip():
        raise DataError(f"{file}: must have rows, found an empty file. Export it again.")
    if encoding:
        return _fixed(data, encoding, file), encoding
    if data.startswith(b"\xef\xbb\xbf") and _is_utf8(data):
        return data.decode("utf-8-sig"), "utf-8 with BOM"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _wide(data, "utf-16", file), "utf-16"
    if NUL in data:
        return _with_nul(data, file)
    detected = "utf-8" if _is_utf8(data) else _legacy(data, file)
    return data.decode(detected), detected


def _with_nul(data: bytes, file: str) -> tuple[str, str]:
    wide = _utf16_without_mark(data)
    if wide is None:
        zipped = " It looks like a workbook or zip file: correct its extension." if data[:2] == b"PK" else ""
        raise DataError(f"{file}: must be text, found zero bytes.{zipped} Export it as CSV, Parquet or XLSX.")
    return _wide(data, wide, file), wide


def _wide(data: bytes, encoding: str, file: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: looks like {encoding} but is damaged: {error}. Export it again.") from error


def _records(lines: Iterable[str], separator: str, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """The first line and the cells of each record; empty lines are skipped."""
    reader, begins = csv.reader(lines, delimiter=separator, strict=strict), 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _lines(text: str) -> Iterable[str]:
    return io.StringIO(text, newline="")


class _Lines:
    """The lines of a text, with a flag set once they are read to the end."""

    def __init__(self, text: str) -> None:
        self._text, self.ended = text, False

    def __iter__(self) -> Iterator[str]:
        yield from _lines(self._text)
        self.ended = True


def _as_they_stand(text: str, separator: str) -> list[tuple[int, list[str]]] | None:
    """The records, with quotes inside cells taken literally; None if a cell exceeds the limit of the csv module."""
    try:
        return list(_records(_lines(text), separator, strict=False))
    except csv.Error:
        return None


def _all_records(text: str, separator: str, file: str) -> list[tuple[int, list[str]]]:
    read: list[tuple[int, list[str]]] = []
    lines = _Lines(text)
    try:
        for record in _records(lines, separator, strict=True):
            read.append(record)  # noqa: PERF402 - the records before the error give its line
    except csv.Error as error:
        loose = None if lines.ended else _as_they_stand(text, separator)
        if loose is not None:
            return loose
        after = read[-1][0] if read else 0
        raise DataError(
            f'{file}: quotes (") must be closed, found an open one after line {after}. Close it, or double it if it is '
            "part of the text."
        ) from error
    return read


def separator_of(text: str) -> str:
    r"""The separator that gives most lines as many cells as the header; a comma if none splits the header.

    >>> separator_of("id;amount\n1;1,50\n2;2,75\n")
    ';'
    """
    head = "\n".join(text.splitlines()[:LINES_LOOKED_AT])

    def fit(separator: str) -> tuple[float, int]:
        widths = [len(cells) for _, cells in _records(_lines(head), separator, strict=False)]
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(width == widths[0] for width in widths) / len(widths), widths[0]

    return max(SEPARATORS, key=fit)


def _header(cells: list[Any], file: str) -> list[str]:
    """Column names, trimmed. A column without a name is named by its position."""
    names = [str(cell).strip() if cell not in (None, "") else "" for cell in cells]
    twice = [name for name, times in Counter(names).items() if name and times > 1]
    if twice:
        places = [i + 1 for i, name in enumerate(names) if name == twice[0]]
        raise DataError(
            f"{file}: column names must be unique, found {twice[0]} for columns {places[0]} and {places[1]}. Rename or "
            "remove one of them."
        )
    return [name or f"column {i + 1}" for i, name in enumerate(names)]


def _sheet(file: str, encoding: str, separator: str, records: list[tuple[str, list[Any]]]) -> Sheet:
    """A sheet of header and rows; rows with more or fewer cells than the header are kept apart."""
    if len(records) < 2:
        content = "a header only" if records else "none"
        raise DataError(f"{file}: must have rows, found {content}. Export it again.")
    columns = _header(records[0][1], file)
    even = [(row, cells) for row, cells in records[1:] if len(cells) == len(columns)]
    ragged = tuple(
        Ragged(row, tuple("" if cell is None else str(cell) for cell in cells), len(columns))
        for row, cells in records[1:]
        if len(cells) != len(columns)
    )
    frame = pd.DataFrame([cells for _, cells in even], columns=columns, index=[r for r, _ in even], dtype="object")
    return Sheet(file, encoding, separator, frame, ragged)


def _trimmed(cell: str) -> str | None:
    return cell.strip() or None


def sheet_of_text(
    data: bytes, file: str, encoding: str | None = None, separator: str | None = None, extension: str = ".csv"
) -> Sheet:
    r"""A text file of rows as a sheet.

    >>> sheet_of_text(b"id;amount\n1;1,50\n", "deals.csv").cells.to_dict("index")
    {'deals.csv, line 2': {'id': '1', 'amount': '1,50'}}
    """
    text, detected = decode(data, file, encoding)
    between = separator or ("\t" if extension == ".tsv" else separator_of(text))
    records = _all_records(text, between, file)
    rows = [(f"{file}, line {line}", [_trimmed(cell) for cell in cells]) for line, cells in records]
    with_header = [(row, [cell or "" for cell in cells]) for row, cells in rows[:1]] + rows[1:]
    return _sheet(file, detected, between, with_header)


def _typed(cell: Any) -> Any:
    """A cell of a workbook or Parquet file as text, number, date or None."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return _trimmed(cell)
    if isinstance(cell, timedelta | time):
        return str(cell)
    if isinstance(cell, date | datetime):
        return cell
    if isinstance(cell, int) and abs(cell) > EXACT:
        return str(cell)  # an id, which a float would round
    return None if pd.isna(cell) else float(cell)


def _of_workbook(path: Path, sheet: str | None) -> Sheet:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise MappingError(
                f"{path.name}: the mapping names a sheet {sheet}, found only {', '.join(names)}. Correct `sheet` in "
                "the mapping."
            )
        name = sheet or names[0]
        lines = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, OSError) as error:
        raise DataError(f"{path.name}: must be a workbook, found: {error}. Save it again as XLSX.") from error
    rows = [(f"{path.name}, line {i}", [_typed(cell) for cell in line]) for i, line in enumerate(lines, start=1)]
    filled = [(row, cells) for row, cells in rows if any(cell is not None for cell in cells)]
    read = _sheet(path.name, f"workbook, sheet {name}", "", filled)
    return Sheet(read.file, read.encoding, "", read.cells, (), tuple(n for n in names if n != name))


def _of_parquet(path: Path) -> Sheet:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name}: must be a Parquet file, found: {error}. Export it again.") from error
    if frame.empty:
        raise DataError(f"{path.name}: must have rows, found none. Export it again.")
    listed = zip(*(frame.iloc[:, i].astype("object") for i in range(frame.shape[1])), strict=True)
    rows = [(f"{path.name}, line {i}", [_cell(c) for c in row]) for i, row in enumerate(listed, start=1)]
    return _sheet(path.name, "parquet", "", [("", list(frame.columns)), *rows])


def _cell(cell: Any) -> Any:
    """As `_typed`, but other types (a list, bytes) become text."""
    try:
        return _typed(cell.to_pydatetime() if isinstance(cell, pd.Timestamp) else cell)
    except (TypeError, ValueError):
        return str(cell)


_READERS: dict[str, Callable[..., Sheet]] = {
    ".xlsx": lambda path, encoding, separator, sheet: _of_workbook(path, sheet),
    ".parquet": lambda path, encoding, separator, sheet: _of_parquet(path),
} | {
    extension: lambda path, encoding, separator, sheet: sheet_of_text(
        path.read_bytes(), path.name, encoding, separator, path.suffix.lower()
    )
    for extension in (".csv", ".tsv", ".txt")
}
EXTENSIONS = tuple(sorted(_READERS))


def check_file(path: Path) -> None:
    """Raise DataError if a path is not a file."""
    if path.is_dir():
        raise DataError(f"{path}: must be a file, found a folder. Name the files in it, such as {path}/*.csv.")
    if not path.is_file():
        raise DataError(
            f"{path}: must be a file, found none. Name one with one of the extensions {', '.join(EXTENSIONS)}."
        )


def read_sheet(
    path: Path, encoding: str | None = None, separator: str | None = None, sheet: str | None = None
) -> Sheet:
    """Read a file by its extension; encoding and separator are detected if not given.

    Raises:
        DataError: no such file, a folder, an unknown extension, an empty or damaged file, or a repeated column name.
        MappingError: the file does not fit the mapping.
    """
    check_file(path)
    if path.suffix.lower() not in _READERS:
        raise DataError(
            f"{path}: the extension must be one of {', '.join(EXTENSIONS)}, found {path.suffix or 'none'}. "
            "Export it as one of these."
        )
    return _READERS[path.suffix.lower()](path, encoding, separator, sheet)
