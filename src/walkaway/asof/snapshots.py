"""Snapshots: which (deal_id, as_of) rows exist. A deal is open from its creation until its close is recorded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof.history import NO_MOMENT, microseconds
from walkaway.book import MOMENT, Book
from walkaway.errors import UsageError

__all__ = [
    "cadence_days",
    "check_dated",
    "check_moments",
    "check_not_far_ahead",
    "moments",
    "open_snapshots",
    "snapshot_weights",
]

DAILY_BELOW_DAYS = 45.0  # snapshots are daily where nine in ten deals close faster than this, else weekly


def cadence_days(book: Book) -> float:
    """Days between training snapshots: 1 for fast sales, else 7."""
    closed = book.deals[book.deals["closed_at"].notna()]
    if closed.empty:
        return 7.0
    lifetime = (closed["closed_at"] - closed["created_at"]).dt.total_seconds() / 86_400
    return 1.0 if lifetime.quantile(0.9) < DAILY_BELOW_DAYS else 7.0


def moments(start: pd.Timestamp, end: pd.Timestamp, every_days: float) -> pd.DatetimeIndex:
    """Moments from start to end, both included where the step meets them.

    >>> len(moments(pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-08", tz="UTC"), 7))
    2
    """
    return pd.date_range(start, end, freq=pd.Timedelta(days=every_days)).as_unit("us")


def check_not_far_ahead(book: Book, moment: pd.Timestamp, name: str) -> None:
    """Refuse a moment so late that every deal would only look silent.

    Raises:
        UsageError: more than a year after the book's newest record.
    """
    newest = book.last_recorded_at()
    if moment > newest + pd.Timedelta(days=366):
        raise UsageError(
            f"{name} {moment:%Y-%m-%d} lies more than a year after the book's newest record ({newest:%Y-%m-%d}). "
            "Import a newer export, or use an earlier moment."
        )


def check_dated(book: Book) -> None:
    """Refuse to score deals as of a moment in a book without dates.

    Raises:
        UsageError: the book has no dates.
    """
    if book.manifest.timeless:
        raise UsageError(
            "this book has no dates, so no deal can be scored as of a moment. Run walkaway score without --as-of, "
            "--from and --to."
        )


def check_moments(book: Book, at: pd.DatetimeIndex) -> None:
    """Refuse moments before the first record, or long after the last.

    Raises:
        UsageError: before the book's first deal, or more than a year after its newest record.
    """
    first = book.deals["created_at"].min()
    if at.min() < first:
        raise UsageError(
            f"as_of {at.min():%Y-%m-%dT%H:%M:%S}Z lies before the book's first deal ({first:%Y-%m-%dT%H:%M:%S}Z): "
            "nothing was known then. Use a later moment."
        )
    check_not_far_ahead(book, at.max(), "as_of")


def open_snapshots(book: Book, at: pd.DatetimeIndex) -> pd.DataFrame:
    """Every deal open at every moment, sorted by deal_id and as_of.

    Open means created_at <= as_of, and closed_at, if any, after as_of.

    Returns:
        deal_id, as_of (UTC); one row per snapshot.

    >>> book = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-02T00:00Z"]}))
    >>> open_snapshots(book, pd.date_range("2026-01-01", periods=3, tz="UTC"))["as_of"].dt.day.tolist()
    [2, 3]
    """
    deals = book.deals.sort_values("deal_id")
    created, closed = microseconds(deals["created_at"]), microseconds(deals["closed_at"])
    grid = np.sort(microseconds(pd.Series(at)))
    first = np.searchsorted(grid, created, side="left")
    past = np.where(closed == NO_MOMENT, len(grid), np.searchsorted(grid, closed, side="left"))
    lifetime = np.maximum(past - first, 0)
    deal = np.repeat(np.arange(len(deals)), lifetime)
    within = np.arange(len(deal)) - np.repeat(np.cumsum(lifetime) - lifetime, lifetime)
    as_of = pd.Series(grid[first[deal] + within]).astype("datetime64[us]").dt.tz_localize("UTC").astype(MOMENT)
    return pd.DataFrame({"deal_id": deals["deal_id"].to_numpy()[deal], "as_of": as_of})


def snapshot_weights(age_days: npt.NDArray[np.float64], every_days: float) -> npt.NDArray[np.float64]:
    """The weight of each snapshot in training: 1 / sqrt(k) for the k-th snapshot of a deal.

    Snapshots of one deal repeat each other, so one long deal must not outweigh many short ones. The weight depends only
    on the snapshots so far: 1 / lifetime would reveal to the model how long the deal will last.

    >>> snapshot_weights(np.array([0.5, 3.5]), 1.0)
    array([1. , 0.5])
    """
    return 1.0 / np.sqrt(1.0 + np.floor(age_days / every_days))
