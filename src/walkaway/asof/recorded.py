"""Rows of events by the moment they were recorded, for code that needs rows rather than one value per snapshot."""

from __future__ import annotations

import pandas as pd

from walkaway.book import Book

__all__ = ["only_of", "recorded_by", "with_recorded"]


def recorded_by(book: Book, table: str, moment: pd.Timestamp, since: pd.Timestamp | None = None) -> pd.DataFrame:
    """The rows of a table that were recorded by a moment.

    Args:
        book: any book.
        table: activities, changes or contacts.
        moment: UTC; rows recorded at this very moment are included.
        since: UTC; rows recorded at this moment or before are excluded.

    Returns:
        The rows in the book's order, with recorded_at renamed to `at`.

    >>> rows = pd.DataFrame({"deal_id": "d1", "field": "stage", "new_value": ["lead", "offer"],
    ...     "recorded_at": ["2026-01-02T00:00Z", "2026-01-05T00:00Z"]})
    >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-01T00:00Z"]})
    >>> book = Book.of(deals=deals, changes=rows)
    >>> recorded_by(book, "changes", pd.Timestamp("2026-01-04", tz="UTC"))["new_value"].tolist()
    ['lead']
    """
    rows = book.tables()[table].rename(columns={"recorded_at": "at"})
    kept = rows["at"] <= moment
    return rows[kept if since is None else kept & (rows["at"] > since)]


def with_recorded(book: Book, table: str, rows: pd.DataFrame, moment: pd.Timestamp) -> Book:
    """The book as it would be if these rows of a table had happened and been recorded at a moment.

    Args:
        book: any book.
        table: activities, changes or contacts.
        rows: columns of that table; absent ones are left empty.
        moment: UTC.
    """
    old = book.tables()[table]
    at = {name: moment for name in ("recorded_at", "occurred_at") if name in old}
    more = rows.assign(**at).reindex(columns=old.columns).astype(old.dtypes.to_dict())
    return book.with_tables(**{table: pd.concat([old, more], ignore_index=True)})


def only_of(book: Book, deal_ids: pd.Series) -> Book:
    """The book with the events of these deals only; the other deals stay, since accounts and owners are shared."""
    asked = set(deal_ids)
    events = {name: rows for name, rows in book.tables().items() if "recorded_at" in rows}
    return book.with_tables(**{name: rows[rows["deal_id"].isin(asked)] for name, rows in events.items()})
