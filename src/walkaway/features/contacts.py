"""People who joined the deal on the buyer's side."""

import numpy as np

from walkaway.asof import View
from walkaway.book import Book
from walkaway.features.declare import feature


def _has_contacts(book: Book) -> bool:
    return len(book.contacts) > 0


def _has_roles(book: Book) -> bool:
    return bool(book.contacts["role"].notna().any())


@feature(
    unit="count",
    theme="decision makers",
    sentence="people on the buyer's side: {value}",
    none="nobody known on the buyer's side",
    exists=_has_contacts,
)
def contacts(view: View) -> np.ndarray:
    """Number of people who joined the deal."""
    return view.contacts.count()


@feature(
    unit="count",
    theme="decision makers",
    sentence="different roles on the buyer's side: {value}",
    none="no role known on the buyer's side",
    exists=_has_contacts,
)
def contact_roles(view: View) -> np.ndarray:
    """Number of different roles among the people who joined."""
    return view.contacts.distinct("role")


@feature(
    unit="count",
    theme="decision makers",
    sentence="{of} on the buyer's side: {value}",
    none="no {of} on the buyer's side",
    per="role",
    exists=_has_roles,
)
def contacts_in_role(view: View, word: str) -> np.ndarray:
    """Number of people who joined the deal in this role, such as decision maker."""
    return view.contacts.where(role=word).count()


@feature(
    unit="days",
    theme="decision makers",
    sentence="nobody new on the buyer's side for {value}",
    absent="nobody known on the buyer's side",
    exists=_has_contacts,
)
def days_since_contact_joined(view: View) -> np.ndarray:
    """Days since the last person joined."""
    return view.contacts.days_since_last()
