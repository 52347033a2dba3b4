"""The ledger: every call, frozen as it was made, with the outcome of its deal joined later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from walkaway.asof import History, View
from walkaway.asof.labels import label
from walkaway.book import Book
from walkaway.economics import DROPPED
from walkaway.errors import UsageError
from walkaway.models import Model, make_calls, read_rows

__all__ = ["FROZEN", "LEDGER", "SETTLED", "first_drops", "frozen_calls", "read_ledger", "settle"]

LEDGER = "ledger.parquet"

FROZEN = [
    "deal_id",
    "as_of",
    "win_probability",
    "value_if_won",
    "remaining_hours",
    "expected_value",
    "value_per_hour",
    "bar",
    "verdict",
    "walk_away_above",
    "no_decision_if_lost",
    "wait_until",
    "model_version",
    "first_drop",
    "amount",
    "age_days",
    "days_since_event",
    "stage",
    "base_rate",
]
SETTLED = ["outcome", "ending", "realised_value", "realised_remaining_hours"]


def _days_since_event(view: View) -> np.ndarray:
    """Days since anything was recorded of the deal, or since its creation if nothing was."""
    last = np.fmin(view.activities.days_since_last(), view.changes.days_since_last())
    return np.where(np.isnan(last), view.age_days, last)


def frozen_calls(history: History, model: Model, snapshots: pd.DataFrame, bar: float) -> pd.DataFrame:
    """The calls of a model at these snapshots, with the columns that other rankings need.

    Args:
        history: may hold later events; they are not read.
        model: trained on no more than was known at the first snapshot.
        snapshots: deal_id, as_of.
        bar: money per hour.

    Returns:
        The columns of FROZEN except first_drop. walk_away_above: the bar above which the deal would be dropped. For
        comparison: amount (known at as_of; NaN if none), age_days, days_since_event, stage and base_rate (of the
        model's training).
    """
    view = history.at(snapshots)
    calls = make_calls(model, read_rows(history, snapshots, model.plan), bar)
    return calls.table.assign(
        walk_away_above=calls.walk_away_above,
        model_version=model.version,
        amount=view.amount,
        age_days=view.age_days,
        days_since_event=_days_since_event(view),
        stage=view.stage_name,
        base_rate=model.heads.win.base_rate,
    )


def read_ledger(folder: Path) -> pd.DataFrame:
    """The ledger of a finished replay.

    Args:
        folder: the --out of the replay.

    Raises:
        UsageError: the folder has no ledger.
    """
    path = folder / LEDGER
    if not path.is_file():
        raise UsageError(f"{path}: no ledger found. Name the --out of a finished walkaway replay.")
    return pd.read_parquet(path)


def first_drops(calls: pd.DataFrame) -> pd.Series:
    """Whether each call is the first of its deal to say walk_away or nurture; calls sorted by deal_id and as_of.

    >>> calls = pd.DataFrame({"deal_id": ["a", "a", "b"], "verdict": ["pursue", "walk_away", "nurture"]})
    >>> first_drops(calls).tolist()
    [False, True, True]
    """
    dropped = calls["verdict"].isin(DROPPED)
    return dropped & (dropped.groupby(calls["deal_id"]).cumsum() == 1)


def settle(calls: pd.DataFrame, book: Book) -> pd.DataFrame:
    """The calls with the outcomes of their deals, according to the whole book.

    Returns:
        FROZEN, then SETTLED, sorted by deal_id and as_of. outcome: won, lost, or missing while open. ending: won, the
        loss reason, or open. realised_value: money won after the call, 0 if lost; NaN while the deal is open or if no
        amount was recorded. realised_remaining_hours: booked after as_of; so far, if the deal is still open.
    """
    calls = calls.sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True)
    ends = label(book, calls[["deal_id", "as_of"]])
    outcome = ends["won"].map({1.0: "won", 0.0: "lost"}).astype("str")
    settled = calls.assign(
        first_drop=first_drops(calls),
        outcome=outcome,
        ending=ends["ending"].astype("str"),
        realised_value=ends["worth"],
        realised_remaining_hours=ends["remaining_hours"],
    )
    return settled[[*FROZEN, *SETTLED]]
