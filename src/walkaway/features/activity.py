"""What was done and what came back: by step (kind and status), by direction, in windows, and how long it is ago."""

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
    none="nothing done yet",
    exists=_has_activities,
)
def touches(view: View) -> np.ndarray:
    """Activities of any kind."""
    return view.activities.where(status=DONE).count()


@feature(
    unit="count",
    theme="engagement",
    sentence="activities in the last {of} days: {value}",
    none="nothing done in the last {of} days",
    per="window",
    exists=_has_activities,
)
def touches_in(view: View, word: str) -> np.ndarray:
    """Activities of any kind in the window (days)."""
    return view.activities.where(status=DONE).last_days(float(word)).count()


@feature(
    unit="days",
    theme="engagement",
    sentence="nothing done for {value}",
    absent="nothing done yet",
    exists=_has_activities,
)
def days_since_touch(view: View) -> np.ndarray:
    """Days since any activity: the silence."""
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
    """Activities in this direction."""
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
    """Days since an activity in this direction; inbound is the buyer's reply."""
    return view.activities.where(direction=word, status=DONE).days_since_last()


@feature(
    unit="ratio",
    theme="engagement",
    sentence="this week's activity is {value} of the deal's usual pace",
    none="nothing done this week",
    absent="nothing done yet",
    exists=_has_activities,
)
def tempo(view: View) -> np.ndarray:
    """Activities of the last seven days over what the deal's pace so far would give for that time."""
    days = np.maximum(view.age_days, 1.0)
    usual = view.activities.where(status=DONE).count() / days * np.minimum(days, 7.0)
    recent = view.activities.where(status=DONE).last_days(7).count()
    share: np.ndarray = np.divide(recent, usual, out=np.full(len(days), np.nan), where=usual > 0)
    return share


@feature(
    unit="category",
    theme="engagement",
    sentence="last step: {value}",
    absent="nothing done yet",
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


@feature(unit="count", theme="effort", sentence="people of ours who worked on it: {value}", exists=_has_people)
def people(view: View) -> np.ndarray:
    """Different people of the seller's who worked on the deal; who they are is not looked at."""
    return view.activities.distinct("owner_id")
