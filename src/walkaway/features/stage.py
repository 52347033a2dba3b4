"""The stage of the deal, since when, and how it got there."""

import numpy as np

from walkaway.asof import View
from walkaway.book import Book
from walkaway.features.declare import Coded, feature

STAGE = "stage"


def _has_stages(book: Book) -> bool:
    return bool((book.changes["field"] == STAGE).any())


@feature(
    unit="category",
    theme="fit",
    sentence="at stage {value}",
    absent="no stage recorded yet",
    categories_from="stage",
    exists=_has_stages,
)
def stage(view: View) -> Coded:
    """The stage at as_of."""
    return view.changes.where(field=STAGE).last_code("new_value")


@feature(
    unit="days", theme="timing", sentence="{value} in its stage", absent="no stage recorded yet", exists=_has_stages
)
def days_in_stage(view: View) -> np.ndarray:
    """Days since the stage last changed."""
    return view.changes.where(field=STAGE).days_since_last()


@feature(
    unit="times", theme="timing", sentence="entered a stage {value}", none="no stage recorded yet", exists=_has_stages
)
def stage_moves(view: View) -> np.ndarray:
    """How often the stage changed."""
    return view.changes.where(field=STAGE).count()


@feature(
    unit="times",
    theme="timing",
    sentence="went back to an earlier stage {value}",
    none="never went back to an earlier stage",
    exists=_has_stages,
)
def stage_regressions(view: View) -> np.ndarray:
    """How often the deal moved to a stage it had been in before."""
    moves = view.changes.where(field=STAGE)
    return moves.count() - moves.distinct("new_value")


@feature(
    unit="days",
    theme="timing",
    sentence="reached {of} {value} ago",
    absent="has not reached {of}",
    per="stage",
    exists=_has_stages,
)
def days_since_stage(view: View, word: str) -> np.ndarray:
    """Days since the deal last entered this stage."""
    return view.changes.where(field=STAGE, new_value=word).days_since_last()
