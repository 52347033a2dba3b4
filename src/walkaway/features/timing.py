"""Age, expected close dates and the calendar.

A calendar feature exists only if the book spans its period at least twice. Over a shorter history it would only encode
the date, and the model would memorise the past.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from walkaway.asof import DAY, View
from walkaway.book import Book
from walkaway.features.declare import feature

CLOSE_DATE = "expected_close_date"


def _has_close_date(book: Book) -> bool:
    return bool((book.changes["field"] == CLOSE_DATE).any())


def _spans(days: float) -> Callable[[Book], bool]:
    def exists(book: Book) -> bool:
        enough: bool = (book.last_recorded_at() - book.deals["created_at"].min()) >= pd.Timedelta(days=days)
        return enough

    return exists


def _as_of(view: View) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(view.as_of.astype("datetime64[us]"))


def _days_to_end(view: View, period: str) -> np.ndarray:
    moments = _as_of(view)
    end = moments.to_period(period).end_time
    days: np.ndarray = np.floor((end - moments) / pd.Timedelta(days=1)).to_numpy()
    return days


@feature(unit="days", theme="timing", sentence="open for {value}", calendar=True)
def age_days(view: View) -> np.ndarray:
    """Days since the deal was created."""
    return view.age_days


@feature(unit="weekday", theme="timing", sentence="today is a {value}", exists=_spans(28), calendar=True)
def weekday(view: View) -> np.ndarray:
    """Weekday of as_of, 0 for Monday (UTC)."""
    day: np.ndarray = _as_of(view).day_of_week.to_numpy()
    return day


@feature(unit="days", theme="timing", sentence="{value} to the end of the month", exists=_spans(90), calendar=True)
def days_to_month_end(view: View) -> np.ndarray:
    """Whole days from as_of to the end of its month."""
    return _days_to_end(view, "M")


@feature(unit="days", theme="timing", sentence="{value} to the end of the quarter", exists=_spans(365), calendar=True)
def days_to_quarter_end(view: View) -> np.ndarray:
    """Whole days from as_of to the end of its quarter."""
    return _days_to_end(view, "Q")


@feature(unit="days", theme="timing", sentence="{value} to the end of the year", exists=_spans(730), calendar=True)
def days_to_year_end(view: View) -> np.ndarray:
    """Whole days from as_of to the end of its year."""
    return _days_to_end(view, "Y")


@feature(
    unit="days ahead",
    theme="timing",
    sentence="expected close {value}",
    absent="no expected close date",
    exists=_has_close_date,
)
def days_to_expected_close(view: View) -> np.ndarray:
    """Days from as_of to the close date expected at that time; negative when overdue."""
    return (view.changes.where(field=CLOSE_DATE).last("moment") - view.as_of) / DAY


@feature(
    unit="times",
    theme="timing",
    sentence="close date moved {value}",
    none="close date never moved",
    exists=_has_close_date,
)
def close_date_changes(view: View) -> np.ndarray:
    """How often the expected close date was recorded again after the first time."""
    return np.maximum(view.changes.where(field=CLOSE_DATE).count() - 1, 0)


@feature(
    unit="days moved",
    theme="timing",
    sentence="close date {value} in total",
    none="close date unchanged",
    absent="no expected close date",
    exists=_has_close_date,
)
def close_date_pushed_days(view: View) -> np.ndarray:
    """Days from the first to the newest expected close date."""
    dates = view.changes.where(field=CLOSE_DATE)
    return (dates.last("moment") - dates.first("moment")) / DAY
