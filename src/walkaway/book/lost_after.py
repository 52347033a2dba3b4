"""Deals that stay open: for teams that do not record losses, one counts as lost after so many days."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from walkaway.book.schema import Book
from walkaway.errors import UsageError
from walkaway.formatting import LocaleFormat

__all__ = ["counted_lost", "lost_after_sentence", "with_lost_after"]

DAY = pd.Timedelta(days=1)
OF_THE_CLOSE = ("loss_reason", "amount", "margin")  # what is only known once a deal has ended


def counted_lost(book: Book) -> pd.Series:
    """Which deals count as lost only because they were still open after so many days."""
    deals, days = book.deals, book.manifest.lost_after_days
    if days is None:
        return pd.Series(False, index=deals.index)
    return (deals["outcome"] == "lost") & (deals["closed_at"] == _limit(deals, days))


def lost_after_sentence(days: float, counted: int, lost: int, fmt: LocaleFormat) -> str:
    """What is assumed of deals that stay open, for the first line of what depends on it.

    >>> lost_after_sentence(120, 380, 400, LocaleFormat())
    'Deals still open 120 days after they were created count as lost on that day: 380 of 400 lost deals.'
    """
    known = f"Deals still open {fmt.days(days)} after they were created count as lost on that day:"
    return f"{known} {fmt.whole(counted)} of {fmt.whole(lost)} lost deals."


def _limit(deals: pd.DataFrame, days: float) -> pd.Series:
    """The moment at which each deal counts as lost if it is still open."""
    return (deals["created_at"] + days * DAY).astype(deals["created_at"].dtype)


def with_lost_after(book: Book, days: float | None = None) -> Book:
    """The book in which a deal that is still open so many days after it was created counts as lost on that day.

    That holds for a deal that closed later too: on that day nobody could tell it from one that never closes. At any
    earlier moment all of them are open. What is only known of a deal once it has ended (reason, amount, margin) is
    left out where it was recorded later than that day, unless it is fixed at creation.

    Args:
        book: as it was recorded.
        days: above 0; by default those of the manifest. Without either the book stays as it is.

    Raises:
        UsageError: days were given, and the book has no dates.

    >>> deals = pd.DataFrame({"deal_id": ["d1", "d2"], "created_at": ["2026-01-01T00:00Z", "2026-03-01T00:00Z"]})
    >>> with_lost_after(Book.of(deals=deals), 30).deals["closed_at"].tolist()
    [Timestamp('2026-01-31 00:00:00+0000', tz='UTC'), NaT]
    """
    if days is not None and book.manifest.timeless:
        raise UsageError(
            f"lost_after_days: needs the dates on which deals were created and closed, and this book has none, found "
            f"{days:g}. Leave it out."
        )
    days = book.manifest.lost_after_days if days is None else days
    if days is None or book.deals.empty:
        return book
    deals = book.deals.copy()
    limit = _limit(deals, days)
    late = (limit <= book.last_recorded_at()) & ~(deals["closed_at"] <= limit)
    deals["closed_at"] = deals["closed_at"].mask(late, limit)
    deals.loc[late, "outcome"] = "lost"
    for column in OF_THE_CLOSE:
        if column not in book.manifest.fixed_at_creation:
            deals[column] = deals[column].mask(late)
    described = book.manifest.model_copy(update={"lost_after_days": days})
    return replace(book, deals=deals, manifest=described)
