"""Heads fitted on what was known at a moment, the same way in folds and in the final model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import History, cadence_days, known, moments, open_snapshots, snapshot_weights
from walkaway.asof.labels import label, no_decision
from walkaway.audit import Audit, audit_book
from walkaway.book import Book
from walkaway.config import EffortSettings, TrainSettings
from walkaway.economics import Curve
from walkaway.errors import UsageError
from walkaway.features import FeaturePlan, plan_features
from walkaway.heads import Capacity, Heads, Holdout, TrainingRows, fit_heads
from walkaway.models import Facts, Model, read_rows
from walkaway.scoring import chance_weights

__all__ = ["NO_CURVE", "Fitted", "Prepared", "audit_as_of", "fit_as_of", "prepare_as_of"]

NO_CURVE = Curve((), (), (), ())
FLOOR_SHARE = 0.1
FITTED_SHARE = 0.6  # of the settled deals, the first to close, on which capacities are tried


@dataclass(frozen=True)
class Prepared:
    """Data to fit heads on: what was known at each snapshot up to `until`, and its deal's end as known then.

    effort: assumed for deals of a book without recorded work.
    """

    until: pd.Timestamp
    every_days: float
    plan: FeaturePlan
    snapshots: pd.DataFrame
    rows: TrainingRows
    effort: EffortSettings | None

    def floor_hours(self, train_settings: TrainSettings) -> float:
        """Hours added to every deal: the setting, or FLOOR_SHARE of the mean remaining hours if that is less.

        A floor of six minutes would swamp a book whose deals take twelve. 0 where each deal is taken to need the same.
        """
        if self.effort is not None and self.effort.unit == "deal":
            return 0.0
        mean = float(self.rows.labels["remaining_hours"].mean())
        return min(train_settings.floor_hours, FLOOR_SHARE * mean) if mean > 0 else train_settings.floor_hours


@dataclass(frozen=True)
class Fitted(Prepared):
    """Heads fitted on what was known at `until`, with the rows they were fitted on and the completed labels."""

    heads: Heads
    completed: pd.DataFrame
    capacity: dict[str, Capacity]

    def model(self, train_settings: TrainSettings) -> Model:
        """These heads as a model that can make calls: no curve yet, and taken to have signal."""
        return Model(self.plan, self.heads, self.floor_hours(train_settings), NO_CURVE, True, Facts())


def _known_deals(book: Book, until: pd.Timestamp) -> Book:
    book = known(book, until)
    if book.deals.empty:
        raise UsageError(f"--until {until:%Y-%m-%dT%H:%M}Z lies before the first deal was created. Use a later moment.")
    return book


def _training_moments(book: Book, until: pd.Timestamp, every: float) -> pd.DatetimeIndex:
    """Moments of training snapshots: steps back from `until` to the first deal."""
    steps = int((until - book.deals["created_at"].min()) / pd.Timedelta(days=every))
    return moments(until - steps * pd.Timedelta(days=every), until, every)


def _without_constants(plan: FeaturePlan, X: npt.NDArray[np.float32]) -> tuple[FeaturePlan, npt.NDArray[np.float32]]:
    """Only the columns that vary; for example without a closing stage, which no open deal ever has."""
    keep = [i for i in range(X.shape[1]) if len(np.unique(X[:, i])) > 1]
    kept = plan.model_copy(update={"features": tuple(plan.features[i] for i in keep)})
    return kept, np.ascontiguousarray(X[:, keep])


def audit_as_of(book: Book, until: pd.Timestamp | None, train_settings: TrainSettings, locale: str = "en_GB") -> Audit:
    """The leak audit of what a book knew at a moment, as training asks for it.

    Args:
        book: any book.
        until: UTC moment; None for a book without dates.
        train_settings: of training.
        locale: of the numbers in the evidence. A model keeps the evidence, so training uses the default.

    Raises:
        UsageError: no deal had been created by then, a book with dates got no moment, or what is allowed by name does
            not exist.
    """
    if until is None:
        if not book.manifest.timeless:
            raise UsageError("until must be a moment for a book with dates, found None. Name one.")
        return audit_book(book, None, train_settings.audit, train_settings.features, locale)
    book = _known_deals(book, until)
    every = train_settings.cadence_days or cadence_days(book)
    at = _training_moments(book, until, every)
    return audit_book(book, at, train_settings.audit, train_settings.features, locale)


def _holdouts(deals: pd.DataFrame, snapshots: pd.DataFrame, labels: pd.DataFrame) -> tuple[Holdout, ...]:
    """Later snapshots to judge on, and earlier ones of deals that had closed by then to fit on."""
    closed_at = snapshots["deal_id"].map(deals.set_index("deal_id")["closed_at"])
    settled = labels["settled"].to_numpy(dtype=bool)
    if not settled.any():
        return ()
    moment = closed_at[settled & ~snapshots["deal_id"].duplicated().to_numpy()].quantile(FITTED_SHARE)
    fit = settled & (closed_at <= moment).to_numpy()
    judge = settled & (snapshots["as_of"] > moment).to_numpy()
    won = labels["won"].to_numpy()
    both = all(len(np.unique(won[rows])) == 2 for rows in (fit, judge))
    return (Holdout(fit, judge),) if both else ()


def _lasting(plan: FeaturePlan) -> list[int]:
    """Positions of the columns that stay the same for the whole life of a deal.

    Hours that are assumed for each week a deal is open are predicted from these alone. Otherwise a verdict would change
    with the age of a deal, without any event.
    """
    return [place for place, planned in enumerate(plan.features) if planned.declared.lasting]


def prepare_as_of(
    history: History, until: pd.Timestamp, train_settings: TrainSettings, left_out: tuple[str, ...] = ()
) -> Prepared:
    """What was known at `until`, ready to fit heads on; later records of the history are not read.

    Args:
        history: of any book.
        until: UTC moment.
        train_settings: of training.
        left_out: what features must not read (`Book.without`); labels still use it.

    Raises:
        UsageError: no deal had been created by then.
    """
    book = _known_deals(history.book, until)
    every = train_settings.cadence_days or cadence_days(book)
    snapshots = open_snapshots(book, _training_moments(book, until, every))
    planned = plan_features(book.without(left_out), train_settings.features, left_out)
    read = read_rows(history, snapshots, planned)
    plan, X = _without_constants(planned, read.X)
    labels = label(book, snapshots, until)
    deal = pd.factorize(snapshots["deal_id"])[0]
    weight = snapshot_weights(history.at(snapshots).age_days, every)
    if train_settings.weigh_kept:
        weight = weight * chance_weights(book.deals, snapshots["deal_id"], until)
    undecided = no_decision(labels["ending"], train_settings.no_decision_reasons)
    held_out = _holdouts(book.deals, snapshots, labels)
    for_hours = _lasting(plan) if book.effort is not None else None
    rows = TrainingRows(X, read.terms, labels, weight, deal, plan.categorical, undecided, held_out, for_hours)
    return Prepared(until, every, plan, snapshots, rows, book.effort)


def fit_as_of(
    history: History, until: pd.Timestamp, train_settings: TrainSettings, left_out: tuple[str, ...] = ()
) -> Fitted:
    """Fit the heads on what was known at `until`; arguments as of `prepare_as_of`.

    Raises:
        UsageError: no deal had been created by then.
        DataError: nothing to learn from by then.
    """
    ready = prepare_as_of(history, until, train_settings, left_out)
    heads, completed, capacity = fit_heads(ready.rows, train_settings.heads)
    prepared = (ready.until, ready.every_days, ready.plan, ready.snapshots, ready.rows, ready.effort)
    return Fitted(*prepared, heads, completed, capacity)
