"""Cells to numbers and moments, with detection of a column's decimal mark and date format.

Cells are a Series; its index names the place of each row in the source, for errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from walkaway.errors import MappingError

__all__ = [
    "EPOCH",
    "SERIAL",
    "UnclearDatesError",
    "as_texts",
    "date_format_of",
    "decimal_mark_of",
    "moments",
    "numbers",
]


class UnclearDatesError(MappingError):
    """The order of day and month in a column of dates is ambiguous or mixed."""


INSTANT = timedelta(microseconds=1)
SERIAL = "Excel serial"
EPOCH = "epoch milliseconds"
YEARS = (1900, 2200)  # dates outside are typing errors or placeholders such as 9999-12-31
SERIALS = (20_000, 80_000)  # 1954 to 2119, so that years and small counts are not read as dates
_SPACES = " \u00a0\u202f'’"
_GROUP = {".": ",", ",": "."}
_SHAPE = {
    mark: re.compile(
        rf"[+-]?(?:\d+|[1-9]\d{{0,2}}(?:[{re.escape(group)}{_SPACES}]\d{{3}})+)(?:{re.escape(mark)}\d+)?(?:[eE][+-]?\d+)?"
    )
    for mark, group in _GROUP.items()
}
# Only a day above 12 shows whether the day or the month comes first.
_TWINS = {
    "%d/%m/%Y": "%m/%d/%Y",
    "%d-%m-%Y": "%m-%d-%Y",
    "%d.%m.%Y": "%m.%d.%Y",
    "%d/%m/%y": "%m/%d/%y",
    "%d-%m-%y": "%m-%d-%y",
    "%d.%m.%y": "%m.%d.%y",
}
_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    *_TWINS,
    *_TWINS.values(),
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%Y%m%d",
    SERIAL,
    EPOCH,
)
_WITH_TIME = re.compile(
    r"(?P<day>.+?)(?:T|,? +)(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?) ?"
    r"(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)


def _texts(cells: pd.Series) -> dict[str, str]:
    """Each distinct text, and its first row."""
    rows = {cell: str(row) for row, cell in reversed(list(cells.items())) if isinstance(cell, str)}
    return dict(reversed(rows.items()))


def as_texts(cells: pd.Series) -> pd.Series:
    """Cells as text; whole numbers without decimals, dates as ISO 8601.

    >>> as_texts(pd.Series([7.0, "x"], dtype="object")).tolist()
    ['7', 'x']
    """

    def text(cell: Any) -> str | None:
        if isinstance(cell, float):
            return str(int(cell)) if cell.is_integer() else None if cell != cell else repr(cell)
        return cell.isoformat() if isinstance(cell, date) else cell

    return pd.Series([text(cell) for cell in cells], index=cells.index, name=cells.name, dtype="object")


def decimal_mark_of(cells: pd.Series) -> str:
    """The decimal mark of a column: "." or ",".

    Raises:
        MappingError: rows use different marks, or all rows are ambiguous ("1.234").

    >>> decimal_mark_of(pd.Series(["1.234,56", "1.234"], index=["line 2", "line 3"], name="amount"))
    ','
    """
    sure: dict[str, tuple[str, str]] = {}
    unsure: list[tuple[str, str]] = []
    for text, row in _texts(cells).items():
        marks = [mark for mark, shape in _SHAPE.items() if shape.fullmatch(text)]
        if len(marks) == 1:
            sure.setdefault(marks[0], (row, text))
        elif marks and re.search("[.,]", text):
            unsure.append((row, text))
    if len(sure) == 2:
        (row, text), (other_row, other_text) = sure["."], sure[","]
        raise MappingError(
            f"column {cells.name}: must use one decimal mark, found {text} in {row} and {other_text} in {other_row}. "
            "Set `decimal` in the mapping; rows that do not fit it are quarantined."
        )
    if unsure and not sure:
        row, text = unsure[0]
        raise MappingError(
            f"column {cells.name}: the decimal mark is ambiguous, found {text} in {row}. Set `decimal` in the mapping."
        )
    return next(iter(sure), ".")


def numbers(cells: pd.Series, decimal: str) -> pd.Series:
    """Cells as numbers; NaN for a cell that is not a number.

    >>> numbers(pd.Series(["1.234,56", "€ 5", None]), ",").tolist()
    [1234.56, nan, nan]
    """
    drop = str.maketrans(dict.fromkeys(_GROUP[decimal] + _SPACES) | {decimal: "."})

    def number(cell: Any) -> float:
        if isinstance(cell, float):
            return cell
        fits = isinstance(cell, str) and _SHAPE[decimal].fullmatch(cell)
        return float(cell.translate(drop)) if fits else float("nan")

    return pd.Series([number(cell) for cell in cells], index=cells.index, dtype="float64")


@lru_cache(maxsize=200_000)
def _day(text: str, form: str) -> datetime | None:
    """The date of a text without a time of day, in a given format; None if it does not fit."""
    if form == SERIAL:
        fits = re.fullmatch(r"\d{5}(\.\d+)?", text) and SERIALS[0] <= float(text) <= SERIALS[1]
        return _of_serial(float(text)) if fits else None
    if form == EPOCH:
        milliseconds = re.fullmatch(r"\d{12,13}", text)
        return datetime.fromtimestamp(int(text) / 1000, UTC) if milliseconds else None
    if form == "%Y%m%d" and len(text) != 8:
        return None
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def _of_serial(days: float) -> datetime:
    return datetime(1899, 12, 30) + timedelta(seconds=round(days * 86_400))


@lru_cache(maxsize=200_000)
def _clock(text: str, zone: str | None) -> time | None:
    for form in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p"):
        try:
            clock = datetime.strptime(text, form).time()
        except ValueError:
            continue
        return clock.replace(tzinfo=_offset(zone)) if zone else clock
    return None


def _offset(zone: str) -> Any:
    return UTC if zone in ("Z", "UTC") else datetime.strptime(zone, "%z").tzinfo


def _of_text(text: str, form: str) -> tuple[datetime, bool] | None:
    if "%H" in form or "%I" in form:
        whole = _day(text, form)
        return (whole, True) if whole else None
    timed = _WITH_TIME.fullmatch(text)
    day = _day(timed["day"] if timed else text, form)
    if day is None or timed is None:
        return (day, day.time() != time()) if day else None
    spaced = re.sub(r"(?<=\d)(?=[AP]M)", " ", timed["time"].upper().replace(",", "."))
    clock = _clock(spaced, timed["zone"])
    return (datetime.combine(day, clock), True) if clock else None


def _read(cell: Any, form: str) -> tuple[datetime, bool] | None:
    """The moment in a cell, with its offset if any, and whether it has a time of day."""
    moment = _any_year(cell, form)
    return moment if moment and YEARS[0] <= moment[0].year <= YEARS[1] else None


def _any_year(cell: Any, form: str) -> tuple[datetime, bool] | None:
    if isinstance(cell, datetime):
        return cell, True
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day), False
    if isinstance(cell, float):
        moment = _of_serial(cell) if SERIALS[0] <= cell <= SERIALS[1] else None
        return (moment, moment.time() != time()) if moment else None
    return _of_text(cell, form) if isinstance(cell, str) else None


def date_format_of(cells: pd.Series) -> str:
    """The date format of a column, without times of day; "" if all its dates are typed.

    Raises:
        UnclearDatesError: the order of day and month is ambiguous or mixed.
        MappingError: no format fits.

    >>> date_format_of(pd.Series(["01/02/2026", "31/01/2026"], index=["line 2", "line 3"], name="closed"))
    '%d/%m/%Y'
    """
    texts = _texts(cells)
    if not texts:
        return SERIAL if any(isinstance(cell, float) and cell == cell for cell in cells) else ""
    fits = {form: {text for text in texts if _read(text, form)} for form in _FORMATS}
    best = max(_FORMATS, key=lambda form: len(fits[form]))
    if not fits[best]:
        text, row = next(iter(texts.items()))
        raise MappingError(
            f"column {cells.name}: must hold dates in a known format, found {text} in {row}. "
            "Map another column, or set `date_format` in the mapping, such as %d/%m/%Y."
        )
    if best in _TWINS:
        _refuse_unclear(str(cells.name), texts, fits, best, _TWINS[best])
    elif best in _TWINS.values():
        other = next(form for form, twin in _TWINS.items() if twin == best)
        _refuse_unclear(str(cells.name), texts, fits, best, other)
    return best


def _refuse_unclear(column: str, texts: Mapping[str, str], fits: Mapping[str, set[str]], best: str, twin: str) -> None:
    """Raise if the order of day and month in a column is ambiguous or mixed."""
    remedy = "Set `date_format` in the mapping"
    fits_best, fits_twin = fits[best], fits[twin]
    only_best = [text for text in texts if text in fits_best and text not in fits_twin]
    only_twin = [text for text in texts if text in fits_twin and text not in fits_best]
    if only_best and only_twin:
        text, other = only_best[0], only_twin[0]
        raise UnclearDatesError(
            f"column {column}: must use one date format, found {text} in {texts[text]} ({best}) and {other} in "
            f"{texts[other]} ({twin}). {remedy}; rows that do not fit it are quarantined."
        )
    differ = [text for text in texts if text in fits[twin] and _read(text, best) != _read(text, twin)]
    if differ and not only_best:
        raise UnclearDatesError(
            f"column {column}: the date format is ambiguous, found {differ[0]} in {texts[differ[0]]} ({best} or "
            f"{twin}). {remedy}."
        )


def moments(
    cells: pd.Series, form: str, timezone: str, *, end_of_day: bool = False, now: pd.Timestamp | None = None
) -> pd.Series:
    """Cells as moments in UTC; NaT for a cell that is not a date.

    Args:
        cells: the cells of one column.
        form: their date format.
        timezone: the time zone of moments without an offset.
        end_of_day: read a date without a time as the end of its day instead of the start. A column with midnight as
            its only time holds dates.
        now: the latest moment for the end of the current day.

    >>> moments(pd.Series(["31/01/2026", "?"]), "%d/%m/%Y", "Europe/Paris", end_of_day=True).tolist()
    [Timestamp('2026-01-31 22:59:59.999999+0000', tz='UTC'), NaT]
    """
    read = {cell: _read(cell, form) for cell in set(cells.dropna())}
    timed = any(found and found[1] and found[0].time() != time() for found in read.values())

    def moment(found: tuple[datetime, bool] | None) -> Any:
        if found is None:
            return pd.NaT
        start = _in_utc(found[0], timezone)
        if not end_of_day or (found[1] and timed):
            return start
        end = _in_utc(found[0] + timedelta(days=1), timezone) - INSTANT
        return now if now is not None and start <= now < end else end

    of = {cell: moment(found) for cell, found in read.items()}
    return pd.Series(
        pd.to_datetime([of.get(cell, pd.NaT) for cell in cells], utc=True).as_unit("us"), index=cells.index
    )


def _in_utc(found: datetime, timezone: str) -> pd.Timestamp:
    if found.tzinfo is None and found.time() == time():
        found = found.replace(tzinfo=ZoneInfo(timezone))  # the first of two midnights, or the moment that skips it
    moment = pd.Timestamp(found)
    if moment.tzinfo is None:
        moment = moment.tz_localize(timezone, nonexistent="shift_forward", ambiguous=False)
    return moment.tz_convert("UTC").as_unit("us")
