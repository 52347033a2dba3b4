"""Work in progress: what is planned and not begun, begun and not finished."""

import numpy as np

from walkaway.features.declare import feature
from walkaway.history import Codes, View
from walkaway.schema import Book


def _has_plans(book: Book) -> bool:
    return bool((book.activities["status"] == "planned").any())


def _has_begun(book: Book) -> bool:
    return bool((book.activities["status"] == "begun").any())


def _last_status_is(view: View, kind: str, status: str) -> np.ndarray:
    codes, statuses = view.activities.where(kind=kind).last_code("status")
    return Codes(codes, statuses).equal(status)


@feature(unit="count", theme="effort", sentence="{of}, planned and not begun: {value}", per="kind", exists=_has_plans)
def waiting(view: View, word: str) -> np.ndarray:
    """Whether the newest step of this kind is a plan: 1 or 0."""
    return _last_status_is(view, word, "planned")


@feature(unit="count", theme="effort", sentence="{of}, begun and not finished: {value}", exists=_has_begun, per="kind")
def in_hand(view: View, word: str) -> np.ndarray:
    """Whether the newest step of this kind is a begin: 1 or 0."""
    return _last_status_is(view, word, "begun")
