"""How earlier deals with the same account ended. An outcome counts from the moment it was recorded."""

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
    """How many deals with this account were won so far."""
    return view.shared("closings", by="account_id").where(outcome="won").count()


@feature(
    unit="times",
    theme="fit",
    sentence="lost a deal with this account {value}",
    none="never lost a deal with this account",
    exists=_has_accounts,
)
def account_losses(view: View) -> np.ndarray:
    """How many deals with this account were lost so far."""
    return view.shared("closings", by="account_id").where(outcome="lost").count()


@feature(
    unit="days",
    theme="fit",
    sentence="{value} since a deal with this account last closed",
    absent="no deal with this account has closed before",
    exists=_has_accounts,
)
def days_since_account_close(view: View) -> np.ndarray:
    """Days since the last deal with this account closed."""
    return view.shared("closings", by="account_id").days_since_last()
