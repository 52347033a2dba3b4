"""Work in progress: what is planned and not begun, begun and not finished."""

import numpy as np

from walkaway.features.declare import feature
from walkaway.history import View
from walkaway.schema import Book


def _has_plans(book: Book) -> bool:
    return bool((book.activities["status"] == "planned").any())


def _has_begun(book: Book) -> bool:
    return bool((book.activities["status"] == "begun").any())


@feature(unit="count", theme="effort", sentence="{of}, planned and not begun: {value}", per="kind", exists=_has_plans)
def waiting(view: View, word: str) -> np.ndarray:
    """Whether a plan of this kind is newer than any begin or end of it: 1 or 0."""
    planned = view.activities.where(kind=word, status="planned").days_since_last()
    begun = view.activities.where(kind=word, status="begun").days_since_last()
    done = view.activities.where(kind=word, status="done").days_since_last()
    return planned < np.fmin(np.fmin(begun, done), np.where(np.isnan(planned), np.nan, np.inf))


@feature(unit="count", theme="effort", sentence="{of}, begun and not finished: {value}", exists=_has_begun, per="kind")
def in_hand(view: View, word: str) -> np.ndarray:
    """Whether a begin of this kind is newer than any end of it: 1 or 0."""
    begun = view.activities.where(kind=word, status="begun").days_since_last()
    done = view.activities.where(kind=word, status="done").days_since_last()
    return begun < np.where(np.isnan(done), np.inf, done)
