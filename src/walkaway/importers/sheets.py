"""Files of rows to frames of cells: encoding, separator, header and ragged rows. Pure but for `read_sheet`.

A cell is a text, a number, a date or None. Text files hold texts only; workbooks and Parquet keep the types they have.
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
FEW_LETTERS = 8  # different ones beyond ASCII, below which their language cannot be told
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
EXACT = 2**53  # whole numbers up to here are floats without loss


@dataclass(frozen=True)
class Ragged:
    """A row with more or fewer cells than the header."""

    row: str
    cells: tuple[str, ...]
    columns: int


@dataclass(frozen=True)
class Sheet:
    """One file as rows of cells; the index says where each row stands: "deals.csv, line 7"."""

    file: str
    encoding: str
    separator: str
    cells: pd.DataFrame
    ragged: tuple[Ragged, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def rows_in(self) -> int:
        """Rows below the header, ragged ones included, empty lines not."""
        return len(self.cells) + len(self.ragged)


def _fixed(data: bytes, encoding: str, file: str) -> str:
    try:
        text = data.decode(encoding)
    except (UnicodeError, LookupError) as error:
        raise MappingError(
            f"{file}: cannot be read in the encoding {encoding} of the mapping: {error}. "
            "Correct `encoding` in the mapping, or leave it out to have it found."
        ) from error
    if not text.isascii() and encoding.lower().replace("-", "") not in ("utf8", "utf8sig") and _is_utf8(data):
        raise MappingError(
            f"{file}: the mapping says {encoding}, but the file is UTF-8 throughout, letters beyond ASCII included. "
            "Correct `encoding` in the mapping, or leave it out to have it found."
        )
    return text.removeprefix("\ufeff")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(data: bytes) -> str | None:
    """utf-16-le or -be where every other byte of a Latin text is 0; None where not."""
    sample = data[:2000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 8 < len(sample) * 3:  # fewer than three quarters of one side
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _legacy(data: bytes, file: str) -> str:
    """The likeliest encoding with one byte a letter; cp1252 wherever it is as likely as the best.

    A few letters look like anything, and pages of DOS and of old Macs like many: before all these cp1252 is tried.
    """
    from charset_normalizer import from_bytes

    found = from_bytes(data[:200_000])
    best = found.best()
    names = {name for match in found if best and match.chaos <= best.chaos for name in match.could_be_from_charset}
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
        f"{file}: is in no encoding that could be found. Set `encoding` in the mapping, or save the file as UTF-8."
    )


def decode(data: bytes, file: str, encoding: str | None = None) -> tuple[str, str]:
    r"""The text of a file and its encoding: UTF-8 first, then UTF-16, then what charset-normalizer finds likeliest.

    Args:
        data: all bytes of the file.
        file: its name, for messages.
        encoding: where the mapping fixes it.

    Raises:
        MappingError: the file is not in the encoding of the mapping.
        DataError: it is empty, or no text.

    >>> decode("Zürich".encode("cp1252"), "deals.csv")
    ('Zürich', 'cp1252')
    """
    if not data.strip():
        raise DataError(f"{file}: is empty. Export it again.")
    if encoding:
        return _fixed(data, encoding, file), encoding
    if data.startswith(b"\xef\xbb\xbf") and _is_utf8(data):
        return data.decode("utf-8-sig"), "utf-8 with BOM"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _wide(data, "utf-16", file), "utf-16"
    if NUL in data:
        return _with_nul(data, file)
    found = "utf-8" if _is_utf8(data) else _legacy(data, file)
    return data.decode(found), found


def _with_nul(data: bytes, file: str) -> tuple[str, str]:
    wide = _utf16_without_mark(data)
    if wide is None:
        zipped = " It looks like a workbook or zip file: give it its own extension." if data[:2] == b"PK" else ""
        raise DataError(f"{file}: is not text (it holds zero bytes).{zipped} Export it as CSV, Parquet or XLSX.")
    return _wide(data, wide, file), wide


def _wide(data: bytes, encoding: str, file: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: looks like {encoding}, and is not whole: {error}. Export it again.") from error


def _records(lines: Iterable[str], separator: str, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """The line at which each record begins, and its cells; empty lines are no records."""
    reader, begins = csv.reader(lines, delimiter=separator, strict=strict), 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _lines(text: str) -> Iterable[str]:
    return io.StringIO(text, newline="")


class _Lines:
    """The lines of a text, and whether more of them were asked for than there are."""

    def __init__(self, text: str) -> None:
        self._text, self.ended = text, False

    def __iter__(self) -> Iterator[str]:
        yield from _lines(self._text)
        self.ended = True


def _as_they_stand(text: str, separator: str) -> list[tuple[int, list[str]]] | None:
    """The records with a quote inside a cell read as it stands; None where a cell grows too long to be one."""
    try:
        return list(_records(_lines(text), separator, strict=False))
    except csv.Error:
        return None


def _all_records(text: str, separator: str, file: str) -> list[tuple[int, list[str]]]:
    read: list[tuple[int, list[str]]] = []
    lines = _Lines(text)
    try:
        for record in _records(lines, separator, strict=True):
            read.append(record)  # noqa: PERF402 - what was read before the error says where it is
    except csv.Error as error:
        loose = None if lines.ended else _as_they_stand(text, separator)
        if loose is not None:
            return loose
        after = read[-1][0] if read else 0
        raise DataError(
            f'{file}: a quote (") that opens after line {after} is never closed, so the rows below it cannot be told '
            "apart. Close it, or double it if it is part of the text."
        ) from error
    return read


def separator_of(text: str) -> str:
    r"""The separator that splits most lines into as many cells as the header has; a comma where none splits any.

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
    """Column names, trimmed; one without a name is called by its place."""
    names = [str(cell).strip() if cell not in (None, "") else "" for cell in cells]
    twice = [name for name, times in Counter(names).items() if name and times > 1]
    if twice:
        places = [i + 1 for i, name in enumerate(names) if name == twice[0]]
        raise DataError(
            f"{file}: the header {twice[0]} stands over columns {places[0]} and {places[1]}, so it is not clear which "
            "is meant. Rename or remove one."
        )
    return [name or f"column {i + 1}" for i, name in enumerate(names)]


def _sheet(file: str, encoding: str, separator: str, records: list[tuple[str, list[Any]]]) -> Sheet:
    """Header and rows to a sheet; rows of another width than the header are set apart."""
    if len(records) < 2:
        has = "a header and no row" if records else "no row"
        raise DataError(f"{file}: is empty: it has {has}. Export it again.")
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
    text, found = decode(data, file, encoding)
    between = separator or ("\t" if extension == ".tsv" else separator_of(text))
    records = _all_records(text, between, file)
    rows = [(f"{file}, line {line}", [_trimmed(cell) for cell in cells]) for line, cells in records]
    said = [(row, [cell or "" for cell in cells]) for row, cells in rows[:1]] + rows[1:]
    return _sheet(file, found, between, said)


def _typed(cell: Any) -> Any:
    """A cell of a workbook or of Parquet as text, number, date or None."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return _trimmed(cell)
    if isinstance(cell, timedelta | time):
        return str(cell)
    if isinstance(cell, date | datetime):
        return cell
    if isinstance(cell, int) and abs(cell) > EXACT:
        return str(cell)  # an id; as a float it would become another
    return None if pd.isna(cell) else float(cell)


def _of_workbook(path: Path, sheet: str | None) -> Sheet:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise MappingError(f"{path.name}: has no sheet {sheet}; it has {', '.join(names)}. Correct `sheet`.")
        name = sheet or names[0]
        lines = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, OSError) as error:
        raise DataError(f"{path.name}: is not a whole workbook: {error}. Save it again as XLSX.") from error
    rows = [(f"{path.name}, line {i}", [_typed(cell) for cell in line]) for i, line in enumerate(lines, start=1)]
    filled = [(row, cells) for row, cells in rows if any(cell is not None for cell in cells)]
    read = _sheet(path.name, f"workbook, sheet {name}", "", filled)
    return Sheet(read.file, read.encoding, "", read.cells, (), tuple(n for n in names if n != name))


def _of_parquet(path: Path) -> Sheet:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name}: is not a whole Parquet file: {error}. Export it again.") from error
    if frame.empty:
        raise DataError(f"{path.name}: is empty: it has no row. Export it again.")
    listed = zip(*(frame.iloc[:, i].astype("object") for i in range(frame.shape[1])), strict=True)
    rows = [(f"{path.name}, line {i}", [_cell(c) for c in row]) for i, row in enumerate(listed, start=1)]
    return _sheet(path.name, "parquet", "", [("", list(frame.columns)), *rows])


def _cell(cell: Any) -> Any:
    """As `_typed`; what is neither text, number nor date (a list, bytes) is its own text."""
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
    """Raise DataError where a path is no file."""
    if path.is_dir():
        raise DataError(f"{path}: is a folder. Name the files in it, such as {path}/*.csv.")
    if not path.is_file():
        raise DataError(f"{path}: no such file. Name a file with one of the extensions {', '.join(EXTENSIONS)}.")


def read_sheet(
    path: Path, encoding: str | None = None, separator: str | None = None, sheet: str | None = None
) -> Sheet:
    """One file of rows, by its extension; what the mapping does not fix is found.

    Raises:
        DataError: no such file, a folder, an unknown extension, an empty or damaged file, a header twice.
        MappingError: the file does not fit what the mapping fixes.
    """
    check_file(path)
    if path.suffix.lower() not in _READERS:
        raise DataError(
            f"{path}: the extension must be one of {', '.join(EXTENSIONS)}, found {path.suffix or 'none'}. "
            "Export it as one of these."
        )
    return _READERS[path.suffix.lower()](path, encoding, separator, sheet)
