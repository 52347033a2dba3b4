"""Activities of both sides: how many, how recent, by step (kind and status), by direction and by time window."""

import numpy as np

from walkaway.asof import View
from walkaway.book import Book
from walkaway.features.declare import Coded, feature

DONE = "done"


def _has_activities(book: Book) -> bool:
    return len(book.activities) > 0


def _has_people(book: Book) -> bool:
    return bool(book.activities["owner_id"].notna().any())


@feature(
    unit="count",
    theme="engagement",
    sentence="activities so far: {value}",
    none="no activity yet",
    exists=_has_activities,
)
def touches(view: View) -> np.ndarray:
    """Number of activities of any kind."""
    return view.activities.where(status=DONE).count()


@feature(
    unit="count",
    theme="engagement",
    sentence="activities in the last {of} days: {value}",
    none="no activity in the last {of} days",
    per="window",
    exists=_has_activities,
)
def touches_in(view: View, word: str) -> np.ndarray:
    """Number of activities of any kind in the window (days)."""
    return view.activities.where(status=DONE).last_days(float(word)).count()


@feature(
    unit="days",
    theme="engagement",
    sentence="no activity for {value}",
    absent="no activity yet",
    exists=_has_activities,
)
def days_since_touch(view: View) -> np.ndarray:
    """Days since the last activity of any kind."""
    return view.activities.where(status=DONE).days_since_last()


@feature(
    unit="count",
    theme="engagement",
    sentence="activities {of} so far: {value}",
    none="no activity {of} yet",
    per="direction",
    exists=_has_activities,
)
def touches_by(view: View, word: str) -> np.ndarray:
    """Number of activities in this direction."""
    return view.activities.where(direction=word, status=DONE).count()


@feature(
    unit="days",
    theme="engagement",
    sentence="nothing {of} for {value}",
    absent="nothing {of} yet",
    per="direction",
    exists=_has_activities,
)
def days_since_touch_by(view: View, word: str) -> np.ndarray:
    """Days since the last activity in this direction; inbound is the buyer's reply."""
    return view.activities.where(direction=word, status=DONE).days_since_last()


@feature(
    unit="ratio",
    theme="engagement",
    sentence="this week's activity is {value} of the deal's usual pace",
    none="no activity this week",
    absent="no activity yet",
    exists=_has_activities,
)
def tempo(view: View) -> np.ndarray:
    """Activities of the last seven days, divided by the number that the deal's average pace so far would give."""
    days = np.maximum(view.age_days, 1.0)
    usual = view.activities.where(status=DONE).count() / days * np.minimum(days, 7.0)
    recent = view.activities.where(status=DONE).last_days(7).count()
    share: np.ndarray = np.divide(recent, usual, out=np.full(len(days), np.nan), where=usual > 0)
    return share


@feature(
    unit="category",
    categories_from="step",
    theme="engagement",
    sentence="last step: {value}",
    absent="no activity yet",
    exists=_has_activities,
)
def last_step(view: View) -> Coded:
    """Kind and status of the newest activity."""
    return view.activities.last_code("step")


@feature(
    unit="times",
    theme="engagement",
    sentence="{of}: {value} so far",
    none="{of}: not yet",
    per="step",
    exists=_has_activities,
)
def step_count(view: View, word: str) -> np.ndarray:
    """How often this step was recorded."""
    return view.activities.where(step=word).count()


@feature(
    unit="days",
    theme="engagement",
    sentence="{of}: {value} ago",
    absent="{of}: not yet",
    per="step",
    exists=_has_activities,
)
def days_since_step(view: View, word: str) -> np.ndarray:
    """Days since this step was last recorded."""
    return view.activities.where(step=word).days_since_last()


@feature(unit="count", theme="effort", sentence="our people who worked on it: {value}", exists=_has_people)
def people(view: View) -> np.ndarray:
    """Number of people on the seller's side who worked on the deal; their identity is not used."""
    return view.activities.distinct("owner_id")
