"""The amount of the deal, and how it changed."""

import numpy as np

from walkaway.asof import View
from walkaway.book import Book
from walkaway.features.declare import feature


def _has_amount(book: Book) -> bool:
    fixed = "amount" in book.manifest.fixed_at_creation
    varies = not book.manifest.timeless or book.deals["amount"].nunique(dropna=False) > 1
    return (fixed and varies) or _amount_moves(book)


def _amount_moves(book: Book) -> bool:
    return bool((book.changes["field"] == "amount").any())


@feature(
    unit="money",
    theme="price and profit",
    sentence="amount of {value}",
    absent="no amount recorded yet",
    undated=True,
    exists=_has_amount,
)
def amount(view: View) -> np.ndarray:
    """The amount known at as_of, in the book's currency."""
    return view.amount


@feature(
    unit="count",
    theme="price and profit",
    sentence="a round amount (trailing zeros: {value})",
    none="an amount without trailing zeros",
    absent="no amount recorded yet",
    exists=_has_amount,
)
def amount_zeros(view: View) -> np.ndarray:
    """Trailing zeros of the amount, up to four; a round figure is often a first guess."""
    whole = np.nan_to_num(view.amount)
    zeros = sum((whole % 10**power == 0).astype(np.float64) for power in (1, 2, 3, 4))
    return np.where(np.isnan(view.amount), np.nan, zeros)


@feature(
    unit="times",
    theme="price and profit",
    sentence="amount recorded {value}",
    none="no amount recorded yet",
    exists=_amount_moves,
)
def amount_changes(view: View) -> np.ndarray:
    """How often an amount was recorded, the first time included."""
    return view.changes.where(field="amount").count()


@feature(
    unit="ratio",
    theme="price and profit",
    sentence="amount at {value} of the first amount",
    absent="no amount recorded yet",
    exists=_amount_moves,
)
def amount_over_first(view: View) -> np.ndarray:
    """The amount as a share of the first amount recorded; below 1, it was reduced."""
    recorded = view.changes.where(field="amount")
    first = recorded.first("number")
    share: np.ndarray = np.divide(recorded.last("number"), first, out=np.full(len(first), np.nan), where=first > 0)
    return share


@feature(
    unit="days",
    theme="price and profit",
    sentence="{value} since the amount changed",
    absent="the amount never changed",
    exists=_amount_moves,
)
def days_since_amount_change(view: View) -> np.ndarray:
    """Days since an amount was last recorded."""
    return view.changes.where(field="amount").days_since_last()
