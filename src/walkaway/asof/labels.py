"""Labels: what happened after as_of, and how deals ended. No other module looks past as_of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from walkaway.asof.history import DAY, NO_MOMENT, History, known, microseconds
from walkaway.book import SECONDS_PER_HOUR, Book, deal_places, effort_seconds

__all__ = ["COLUMNS", "events_of", "label", "last_worked_at", "no_decision"]

COLUMNS = ["settled", "won", "worth", "amount_at_close", "remaining_hours", "ending"]


def _remaining_seconds(book: Book, deal: np.ndarray, as_of: np.ndarray) -> np.ndarray:
    """Seconds booked after as_of by work begun before the deal's close, one number per snapshot.

    Work begun before the close and booked after it is part of the deal; work begun after the close is not.
    """
    rows = book.activities.merge(book.deals[["deal_id", "closed_at"]].reset_index(names="deal"), on="deal_id")
    rows = rows[~(rows["occurred_at"] > rows["closed_at"])]
    seconds, owner = effort_seconds(rows, book.manifest.assumed_hours), rows["deal"].to_numpy(dtype=np.int64)
    booked = microseconds(rows["recorded_at"])
    order = np.lexsort((booked, owner))
    distinct, rank = np.unique(booked[order], return_inverse=True)
    keys, width = owner[order] * (len(distinct) + 1) + rank, len(distinct) + 1
    sums = np.r_[0, np.cumsum(seconds[order])]
    known_rank = np.searchsorted(distinct, as_of, side="right")
    past = np.searchsorted(keys, (deal + 1) * width, side="left")
    found: np.ndarray = sums[past] - sums[np.searchsorted(keys, deal * width + known_rank, side="left")]
    return found


def _remaining_hours(
    book: Book, snapshots: pd.DataFrame, deal: np.ndarray, known_at: pd.Timestamp | None
) -> np.ndarray:
    """Hours from each snapshot to the end of its deal: booked, or those assumed in a book without recorded work.

    Where they are assumed for each week that a deal is open, those up to the deal's close, or up to now.
    """
    as_of, effort = microseconds(snapshots["as_of"]), book.effort
    if effort is None:
        return _remaining_seconds(book, deal, as_of) / SECONDS_PER_HOUR
    if effort.hours_per_open_week is None:
        return History(book).at(snapshots).assumed_hours
    closed = microseconds(book.deals["closed_at"])[deal]
    now = microseconds(pd.Series([known_at or book.last_recorded_at()]))[0]
    until = np.where(closed == NO_MOMENT, now, closed)
    hours: np.ndarray = np.maximum(until - as_of, 0) / (7 * DAY) * effort.hours_per_open_week
    return hours


def events_of(book: Book, deals: pd.DataFrame, table: str, **equals: str) -> pd.DataFrame:
    """All events of these deals from beginning to end, to learn from deals whose outcome is known.

    Args:
        book: as known at the moment of learning.
        deals: rows of its deals.
        table: activities, changes or contacts.
        equals: the value that a column must have, by column.

    Returns:
        The rows in the book's order, with two more columns: deal (position among `deals`) and at (moment of recording,
        int64 microseconds).

    >>> deals = pd.DataFrame({"deal_id": ["d1", "d2"], "created_at": ["1970-01-01T00:00Z"] * 2})
    >>> rows = pd.DataFrame({"deal_id": ["d1", "d2"], "contact_id": "c", "recorded_at": ["1970-01-01T00:00:01Z"] * 2})
    >>> book = Book.of(deals=deals, contacts=rows)
    >>> events_of(book, book.deals.iloc[1:], "contacts")[["deal_id", "deal", "at"]].values.tolist()
    [['d2', 0, 1000000]]
    """
    rows = book.tables()[table]
    for column, value in equals.items():
        rows = rows[rows[column] == value]
    deal = pd.Index(deals["deal_id"]).get_indexer(pd.Index(rows["deal_id"]))
    return rows.assign(deal=deal, at=microseconds(rows["recorded_at"]))[deal >= 0]


def last_worked_at(book: Book) -> pd.Series:
    """When work with hours was last done on each deal, in the order of the deals; NaT where never."""
    booked = effort_seconds(book.activities, book.manifest.assumed_hours) > 0
    return book.activities[booked].groupby("deal_id")["occurred_at"].max().reindex(book.deals["deal_id"])


def no_decision(ending: pd.Series, reasons: tuple[str, ...]) -> np.ndarray:
    """1 for deals lost for one of these reasons, 0 for those lost for another, NaN for all others.

    >>> no_decision(pd.Series(["No decision", "competitor", "lost", "won"]), ("no_decision",))
    array([ 1.,  0., nan, nan])
    """
    reason = ending.str.casefold().str.replace(r"[^\w]+", "_", regex=True).str.strip("_")
    return np.where(ending.isin(("won", "open", "lost")), np.nan, reason.isin(reasons).astype(float))


def label(book: Book, snapshots: pd.DataFrame, known_at: pd.Timestamp | None = None) -> pd.DataFrame:
    """How each snapshot's deal ended, as far as was known at `known_at` (default: everything in the book).

    Returns:
        One row per snapshot, in order. settled: its close was known. won: 1 or 0. worth: amount times margin at the
        close, 0 if lost; NaN where no amount was recorded. In a book without amounts each win counts 1.
        amount_at_close: money. remaining_hours: booked after as_of, so far while unsettled; or assumed (`Book.effort`).
        ending: won, the loss reason, or open. While unsettled, won and money are NaN.

    Raises:
        UsageError: a snapshot's deal was not in the book by then.

    >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-01T00:00Z"], "amount": [900.0],
    ...     "closed_at": ["2026-01-09T00:00Z"], "outcome": ["won"]})
    >>> snapshot = pd.DataFrame({"deal_id": ["d1"], "as_of": [pd.Timestamp("2026-01-03T00:00Z")]})
    >>> label(Book.of(deals=deals), snapshot).values.tolist()
    [[True, 1.0, 900.0, 900.0, 1.0, 'won']]
    """
    book = known(book, known_at) if known_at is not None else book
    deals = book.deals.reset_index(drop=True)
    book = book.with_tables(deals=deals)
    deal = deal_places(pd.Index(deals["deal_id"]), snapshots["deal_id"])
    rows = deals.iloc[deal].reset_index(drop=True)
    settled = rows["outcome"].notna()
    won = (rows["outcome"] == "won").astype("float64").where(settled)
    amount = rows["amount"].where(settled)
    worth = (rows["amount"] * rows["margin"].fillna(1.0)).where(won == 1, 0.0).where(settled)
    worth = worth if book.records_amounts else won
    ending = rows["outcome"].where(won == 1, rows["loss_reason"].fillna("lost")).where(settled, "open")
    hours = _remaining_hours(book, snapshots, deal, known_at)
    columns = (settled, won, worth, amount, pd.Series(hours), ending)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))).set_axis(snapshots.index)
