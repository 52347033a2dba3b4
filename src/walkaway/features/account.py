"""What became of earlier deals with the same account; a prior outcome counts from its recording."""

import numpy as np

from walkaway.asof import View
from walkaway.book import Book
from walkaway.features.declare import feature


def _has_accounts(book: Book) -> bool:
    return "account_id" in book.manifest.fixed_at_creation and bool(book.deals["account_id"].duplicated().any())


@feature(
    unit="times",
    theme="fit",
    sentence="won a deal with this account {value}",
    none="never won a deal with this account",
    exists=_has_accounts,
)
def account_wins(view: View) -> np.ndarray:
    """Deals of this account won so far."""
    return view.shared("closings", by="account_id").where(outcome="won").count()


@feature(
    unit="times",
    theme="fit",
    sentence="lost a deal with this account {value}",
    none="never lost a deal with this account",
    exists=_has_accounts,
)
def account_losses(view: View) -> np.ndarray:
    """Deals of this account lost so far."""
    return view.shared("closings", by="account_id").where(outcome="lost").count()


@feature(
    unit="days",
    theme="fit",
    sentence="{value} since a deal with this account last ended",
    absent="no deal with this account has ended before",
    exists=_has_accounts,
)
def days_since_account_close(view: View) -> np.ndarray:
    """Days since any deal of this account closed."""
    return view.shared("closings", by="account_id").days_since_last()
