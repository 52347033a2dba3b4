"""Atomic file writes, locks and checksums, and frames as CSV, JSON and Parquet."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from walkaway.errors import LockedError, UsageError

__all__ = [
    "append_line",
    "check_extension",
    "checksum",
    "clear_leftovers",
    "exclusive",
    "frame_bytes",
    "frame_of_bytes",
    "json_bytes",
    "plain",
    "read_lines",
    "read_text_frame",
    "replaced_file",
    "replaced_folder",
    "write_bytes",
    "write_frame",
    "write_json",
]

LEFTOVER = re.compile(r"\.(?P<name>.+)\.(old\.\d+|[a-z0-9_]{8})")  # temporary names of _swap, mkstemp and mkdtemp


def checksum(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return sha256(path.read_bytes()).hexdigest()


def _flush_folder(folder: Path) -> None:
    """Sync the folder so that the rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically: to a temporary file in the same folder, synced to disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def json_bytes(value: Any) -> bytes:
    """A value as indented JSON; equal values give equal bytes. NaN raises ValueError, since JSON has no NaN.

    >>> json_bytes({"bar": 0.5})
    b'{\\n "bar": 0.5\\n}\\n'
    """
    return (json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()


def plain(value: Any) -> Any:
    """The value as plain JSON types. Missing values and numbers that are not finite become None.

    Frames become lists of rows, with the index as columns. Moments become ISO 8601 text.

    >>> plain({"low": float("nan"), "calls": 3, "range": (0.5, float("inf")), "until": pd.Timestamp("2026-01-02")})
    {'low': None, 'calls': 3, 'range': [0.5, None], 'until': '2026-01-02T00:00:00'}
    >>> plain(pd.DataFrame({"deals": [2], "won": [None]}, index=pd.Index(["x"], name="group")))
    [{'group': 'x', 'deals': 2, 'won': None}]
    """
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.reset_index().to_dict("records")]
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return _plain_scalar(value.item() if isinstance(value, np.generic) else value)


def _plain_scalar(value: Any) -> Any:
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else value


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically. NaN raises ValueError, since JSON has no NaN."""
    write_bytes(path, json_bytes(value))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file, in order. A line that is not a complete object is skipped."""
    objects = []
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            objects.append(value)
    return objects


def append_line(path: Path, value: dict[str, Any]) -> None:
    """Add an object to a JSON Lines file. The whole file is rewritten, so that no partial line is ever seen.

    Earlier lines keep their bytes. A last line without a line end, left by another program, is removed.
    """
    old = path.read_bytes() if path.is_file() else b""
    line = json.dumps(value, allow_nan=False, ensure_ascii=False) + "\n"
    write_bytes(path, old[: old.rfind(b"\n") + 1] + line.encode())


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder.

    Raises:
        LockedError: another run holds it.
        UsageError: the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: must be a folder, found: {error.strerror}. Name another folder.") from error
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise LockedError(
            f"{folder} is in use by another run (it holds {folder / '.lock'}). Wait for it to end."
        ) from error


def _remove(path: Path) -> None:
    """Remove a file, a folder with its contents, or a link without its target."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def clear_leftovers(folder: Path, names: re.Pattern[str]) -> list[str]:
    """Remove temporary files and folders that killed processes left behind.

    Call it only while holding the lock under which those names are written.

    Args:
        folder: the folder to clear.
        names: the final names of the files and folders that were being written; others are left alone.

    Returns:
        The removed names, sorted.
    """
    matches = [(path, LEFTOVER.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    leftovers = [path for path, match in matches if match and names.fullmatch(match["name"])]
    for path in leftovers:
        _remove(path)
    return [path.name for path in leftovers]


def _swap(fresh: Path, path: Path) -> None:
    """Put `fresh` in the place of `path`. If that fails, the old one is restored."""
    if not os.path.lexists(path):
        fresh.rename(path)
        return
    old = path.with_name(f".{path.name}.old.{os.getpid()}")
    path.rename(old)
    try:
        fresh.rename(path)
    except BaseException:
        old.rename(path)
        raise
    _remove(old)


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """A new empty folder. It replaces `path` when the block succeeds, and is removed when the block raises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    fresh.chmod(0o755)
    try:
        yield fresh
        _swap(fresh, path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    _flush_folder(path.parent)


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """A temporary path where another program can write a file. When the block succeeds, it is renamed to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield folder / path.name
        (folder / path.name).replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _flush_folder(path.parent)


def _for_text(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its moments as ISO 8601 text ending in Z, the same in every text format."""
    moments = {n: _iso(c) for n, c in frame.items() if isinstance(c.dtype, pd.DatetimeTZDtype)}
    return frame.assign(**moments)


def _iso(moments: pd.Series) -> pd.Series:
    """Moments in UTC as text, with fractions of a second only if any moment has one."""
    utc = moments.dt.tz_convert("UTC")
    whole = (utc == utc.dt.floor("s")).all()
    return utc.dt.strftime("%Y-%m-%dT%H:%M:%SZ" if whole else "%Y-%m-%dT%H:%M:%S.%fZ")


_WRITERS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    ".csv": lambda frame: _for_text(frame).to_csv(index=False).encode(),
    ".json": lambda frame: (_for_text(frame).to_json(orient="records", indent=1, double_precision=15) + "\n").encode(),
    ".parquet": lambda frame: frame.to_parquet(index=False),
}


STDOUT = {"-": ".csv", "-.json": ".json"}


def check_extension(out: str) -> str:
    """The extension of `out` that decides the format.

    Raises:
        UsageError: the format is unknown.

    >>> check_extension("calls.parquet"), check_extension("-")
    ('.parquet', '.csv')
    """
    extension = STDOUT.get(out, Path(out).suffix.lower())
    if extension not in _WRITERS:
        raise UsageError(f"--out {out}: the extension must be one of {', '.join(_WRITERS)}, or - for stdout.")
    return extension


def write_frame(frame: pd.DataFrame, out: str) -> None:
    """Write a frame as CSV, JSON or Parquet, chosen by extension; "-" writes CSV, and "-.json" JSON, to stdout.

    Raises:
        UsageError: the extension names no known format.
    """
    data = _WRITERS[check_extension(out)](frame)
    if out in STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_bytes(Path(out), data)


def frame_bytes(frame: pd.DataFrame) -> bytes:
    """A frame as the bytes of a Parquet file.

    >>> frame_of_bytes(frame_bytes(pd.DataFrame({"hours": [1.5]})))["hours"].tolist()
    [1.5]
    """
    buffer = BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def frame_of_bytes(data: bytes) -> pd.DataFrame:
    """The frame of `frame_bytes`. Pass only bytes whose checksum was verified."""
    return pd.read_parquet(BytesIO(data))


def read_text_frame(path: Path) -> pd.DataFrame:
    """A CSV or Parquet file of `write_frame`. CSV cells stay text, since "NA" may be the id of a deal.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is damaged or not a table.
    """
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, dtype=str, keep_default_na=False)
