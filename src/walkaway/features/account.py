"""What became of earlier deals with the same account; a prior outcome counts from its recording."""

import numpy as np

from walkaway.features.declare import feature
from walkaway.history import View
from walkaway.schema import Book


def _has_accounts(book: Book) -> bool:
    return "account_id" in book.manifest.fixed_at_creation and bool(book.deals["account_id"].duplicated().any())


@feature(unit="count", theme="fit", sentence="deals won before with this account: {value}", exists=_has_accounts)
def account_wins(view: View) -> np.ndarray:
    """Deals of this account won so far."""
    return view.shared("closings", by="account_id").where(outcome="won").count()


@feature(unit="count", theme="fit", sentence="deals lost before with this account: {value}", exists=_has_accounts)
def account_losses(view: View) -> np.ndarray:
    """Deals of this account lost so far."""
    return view.shared("closings", by="account_id").where(outcome="lost").count()


@feature(
    unit="days",
    theme="fit",
    sentence="{value} since this account last closed a deal",
    absent="this account has not closed a deal before",
    exists=_has_accounts,
)
def days_since_account_close(view: View) -> np.ndarray:
    """Days since any deal of this account closed."""
    return view.shared("closings", by="account_id").days_since_last()
