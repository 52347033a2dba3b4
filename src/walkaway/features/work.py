"""Work in progress: steps that are planned but not started, or started but not finished."""

import numpy as np

from walkaway.asof import Codes, View
from walkaway.book import Book
from walkaway.features.declare import feature


def _has_plans(book: Book) -> bool:
    return bool((book.activities["status"] == "planned").any())


def _has_begun(book: Book) -> bool:
    return bool((book.activities["status"] == "begun").any())


def _last_status_is(view: View, kind: str, status: str) -> np.ndarray:
    codes, statuses = view.activities.where(kind=kind).last_code("status")
    return Codes(codes, statuses).equal(status)


@feature(
    unit="flag", theme="effort", sentence="{of} is planned", none="no {of} is planned", per="kind", exists=_has_plans
)
def waiting(view: View, word: str) -> np.ndarray:
    """1 if the newest step of this kind is planned, else 0."""
    return _last_status_is(view, word, "planned")


@feature(
    unit="flag",
    theme="effort",
    sentence="{of} started but not finished",
    none="no {of} in progress",
    per="kind",
    exists=_has_begun,
)
def in_hand(view: View, word: str) -> np.ndarray:
    """1 if the newest step of this kind has been started but not finished, else 0."""
    return _last_status_is(view, word, "begun")
