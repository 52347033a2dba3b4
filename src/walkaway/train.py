"""The training recipe: what was known by a moment in, a judged model out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.calls import Model, make_calls, read_rows
from walkaway.config import FeatureSettings, TrainSettings
from walkaway.economics import Curve, expected_value, settle_drops, value_per_hour
from walkaway.effort import assumed_share
from walkaway.errors import DataError, UsageError
from walkaway.evaluation import by_age, by_ending, fit_logistic, fit_naive_bayes, has_signal, skills, win_metrics
from walkaway.features import FeaturePlan, plan_features
from walkaway.features.choice import refuse_unknown
from walkaway.heads import Heads, TrainingRows, fit_heads, pooling
from walkaway.heads.calibration import IDENTITY, Calibration, fit_calibration, fit_scale
from walkaway.heads.completion import latest_rows
from walkaway.history import History, known
from walkaway.labels import label
from walkaway.schema import Book
from walkaway.snapshots import cadence_days, check_not_far_ahead, moments, open_snapshots, snapshot_weights

__all__ = ["Fitted", "Trained", "fit_as_of", "out_of_time_calls", "train"]

Step = Callable[[str, int, int], None]
PROBABILITIES = ["win_probability", "logistic", "naive_bayes", "stage_rate", "base_rate"]
INDICES = ["value_per_hour", "expected_value", "win_probability", "amount", "younger"]
CALIBRATION_PRIOR_DEALS = 100.0
NO_CURVE = Curve((), (), (), ())


@dataclass(frozen=True)
class Fitted:
    """Heads fitted on what was known at `until`, with the rows they were fitted on."""

    until: pd.Timestamp
    every_days: float
    plan: FeaturePlan
    heads: Heads
    snapshots: pd.DataFrame
    rows: TrainingRows
    completed: pd.DataFrame

    def model(self, settings: TrainSettings) -> Model:
        """These heads as a model that can make calls: no curve yet, and taken to have signal."""
        return Model(self.plan, self.heads, settings.floor_hours, NO_CURVE, True, {})


@dataclass(frozen=True)
class Trained:
    """A judged model: the model itself, its tables of metrics, and the out-of-time calls they rest on."""

    model: Model
    summary: dict[str, object]
    tables: dict[str, pd.DataFrame]
    calls: pd.DataFrame


def _training_moments(book: Book, until: pd.Timestamp, every: float) -> pd.DatetimeIndex:
    """Moments of training snapshots: steps back from `until` to the first deal."""
    steps = int((until - book.deals["created_at"].min()) / pd.Timedelta(days=every))
    return moments(until - steps * pd.Timedelta(days=every), until, every)


def _without_constants(plan: FeaturePlan, X: npt.NDArray) -> tuple[FeaturePlan, npt.NDArray]:
    """Only the columns that vary: a step that no open deal ever shows (a closing stage) teaches nothing."""
    keep = [i for i in range(X.shape[1]) if len(np.unique(X[:, i])) > 1]
    return FeaturePlan(features=tuple(plan.features[i] for i in keep)), np.ascontiguousarray(X[:, keep])


def fit_as_of(history: History, until: pd.Timestamp, settings: TrainSettings) -> Fitted:
    """Fit the heads on what was known at `until`; the history may know more, and is not asked for it.

    Raises:
        UsageError: no deal had been created by then.
        DataError: nothing to learn from by then.
    """
    book = known(history.book, until)
    if book.deals.empty:
        raise UsageError(f"--until {until:%Y-%m-%dT%H:%M}Z lies before the first deal was created. Use a later moment.")
    every = settings.cadence_days or cadence_days(book)
    snapshots = open_snapshots(book, _training_moments(book, until, every))
    planned = plan_features(book, settings.features)
    read = read_rows(history, snapshots, planned)
    plan, X = _without_constants(planned, read.X)
    labels = label(book, snapshots)
    deal = pd.factorize(snapshots["deal_id"])[0]
    weight = snapshot_weights(history.at(snapshots).age_days, every)
    rows = TrainingRows(X, read.terms, labels, weight, deal, plan.categorical)
    heads, completed = fit_heads(rows, settings.heads)
    return Fitted(until, every, plan, heads, snapshots, rows, completed)


def _origins(history: History, until: pd.Timestamp, every: float, folds: int) -> list[pd.Timestamp]:
    """Moments at which a fold's model is trained: even steps over the last 60% of the history, on the grid."""
    span = until - history.book.deals["created_at"].min()
    step = pd.Timedelta(days=every)
    back = [int(span * 0.6 * (folds - k) / folds / step) for k in range(folds)]
    return [until - n * step for n in dict.fromkeys(back) if n > 0]


def _fold_calls(history: History, fold: Fitted, snapshots: pd.DataFrame, settings: TrainSettings) -> pd.DataFrame:
    """What a fold's model and its baselines say of later snapshots."""
    read = read_rows(history, snapshots, fold.plan)
    table = make_calls(fold.model(settings), read, bar=0.0).table
    settled = fold.rows.labels["settled"].to_numpy(dtype=bool)
    won = fold.rows.labels["won"].to_numpy()[settled]
    view = history.at(snapshots)
    return table.assign(
        raw=fold.heads.win.raw_by_member(read.X).mean(axis=0),
        base_rate=fold.heads.win.base_rate,
        naive_bayes=fit_naive_bayes(fold.rows.X[settled], won, fold.plan.categorical)(read.X),
        logistic=fit_logistic(fold.rows.X[settled], won, fold.plan.categorical)(read.X),
        stage_rate=_stage_rate(fold, won, settled, read.X),
        amount=np.nan_to_num(read.terms["amount"].to_numpy()),
        age_days=view.age_days,
        younger=-view.age_days,
        known_until=fold.until,
    )


def _stage_rate(fold: Fitted, won: npt.NDArray, settled: npt.NDArray, X: npt.NDArray) -> npt.NDArray:
    """The share won among settled snapshots at the same stage: what most teams rank by."""
    if "stage" not in fold.plan.columns:
        return np.full(len(X), fold.heads.win.base_rate)
    at = fold.plan.columns.index("stage")
    rates = pd.Series(won).groupby(fold.rows.X[settled, at]).mean()
    return pd.Series(X[:, at]).map(rates).fillna(float(won.mean())).to_numpy()


def out_of_time_calls(
    history: History, final: Fitted, settings: TrainSettings, step: Step = lambda name, done, total: None
) -> pd.DataFrame:
    """Calls on the final grid by models that were trained before, with what became of each deal.

    Each fold trains on what was known at its origin and calls the snapshots up to the next origin, as scoring would
    have. No label that closed after an origin is in its fold: the gap is in the data, not in a setting.

    Returns:
        Calls with baselines, and settled, won, ending, worth_truth, remaining_hours_truth: of open deals, what the
        final model expects. Sorted by deal_id and as_of; empty where no fold could be trained.
    """
    as_of = final.snapshots["as_of"]
    origins = _origins(history, final.until, final.every_days, settings.folds)
    truth = _truth(final)
    parts = []
    for k, origin in enumerate(origins):
        step("rolling folds", k, len(origins))
        later = origins[k + 1] if k + 1 < len(origins) else final.until
        at = ((as_of > origin) & (as_of <= later)).to_numpy()
        try:
            fold = fit_as_of(history, origin, settings)
        except DataError:
            continue
        rows = final.snapshots[at].reset_index(drop=True)
        if len(rows):
            called = _fold_calls(history, fold, rows, settings)
            parts.append(pd.concat([called, truth[at].reset_index(drop=True)], axis=1))
    if not parts:
        return pd.DataFrame()
    return pd.concat(parts).sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True)


def _truth(final: Fitted) -> pd.DataFrame:
    """What became of each training snapshot; of open deals, what the final model expects from their last state on.

    A deal won without an amount counts with the typical one.
    """
    labels = final.rows.labels
    settled = labels["settled"].to_numpy(dtype=bool)
    latest = latest_rows(final.rows.deal)
    expected = final.heads.estimate(final.rows.X, final.rows.terms)
    value = (expected.win_probability * expected.value_if_won)[latest]
    typical = pd.Series(
        final.heads.worth.typical_amount * final.heads.worth.margin(final.rows.terms["margin"].to_numpy())
    )
    return labels[["settled", "won", "ending"]].assign(
        won_completed=final.completed["won"],
        worth_truth=np.where(settled, labels["worth"].fillna(typical).to_numpy(), value),
        remaining_hours_truth=final.completed["remaining_hours"],
    )


def _calibration(calls: pd.DataFrame, every_days: float) -> Calibration:
    """Fitted with the weights of training, which look at no deal's end: a deal's share of 1 / its rows would.

    Together the weights count as many as there are deals, so that a row is not taken for a deal.
    """
    weight = snapshot_weights(calls["age_days"].to_numpy(), every_days)
    weight = weight * (calls["deal_id"].nunique() / weight.sum())
    return fit_calibration(calls["raw"].to_numpy(), calls["won_completed"].to_numpy(), weight, CALIBRATION_PRIOR_DEALS)


def _hours_scale(calls: pd.DataFrame) -> float:
    """By how much deals take more hours than a model says that was trained before."""
    if calls.empty:
        return 1.0
    predicted, booked = (calls[column].to_numpy() for column in ("remaining_hours", "remaining_hours_truth"))
    return fit_scale(predicted, booked, calls["known_until"].to_numpy())


def _curve(calls: pd.DataFrame, calibration: Calibration, hours_scale: float, floor_hours: float) -> Curve:
    """The curve over out-of-time calls, in the calibrated value per hour that scoring will compare with the bar."""
    if calls.empty:
        return NO_CURVE
    expected = expected_value(calibration.probability(calls["raw"].to_numpy()), calls["value_if_won"].to_numpy())
    index = value_per_hour(expected, calls["remaining_hours"].to_numpy() * hours_scale, floor_hours)
    hours, worth = (calls[column].to_numpy() for column in ("remaining_hours_truth", "worth_truth"))
    weeks = (calls["as_of"].max() - calls["as_of"].min()) / pd.Timedelta(days=7)
    drops = settle_drops(pd.factorize(calls["deal_id"])[0], index, hours, worth)
    return Curve.of(drops, max(float(weeks), 1 / 7))


def summarise(book: Book, final: Fitted, calls: pd.DataFrame) -> dict[str, object]:
    """What went in, in plain numbers."""
    outcome = book.deals["outcome"]
    return {
        "known_until": final.until.isoformat(),
        "deals": len(book.deals),
        "won": int((outcome == "won").sum()),
        "lost": int((outcome == "lost").sum()),
        "open": int(outcome.isna().sum()),
        "events": len(book.activities) + len(book.changes),
        "snapshots": len(final.snapshots),
        "open_snapshots_share": float(1 - final.rows.labels["settled"].mean()),
        "features": len(final.plan.columns),
        "base_rate": final.heads.win.base_rate,
        "assumed_hours_share": assumed_share(book.activities, book.manifest.assumed_hours),
        "out_of_time_calls": len(calls),
        "out_of_time_settled": int(calls["settled"].sum()) if len(calls) else 0,
    }


def _judge(calls: pd.DataFrame, settings: TrainSettings) -> tuple[dict[str, pd.DataFrame], bool]:
    """Tables of metrics, and whether there is signal; without settled out-of-time calls there is neither."""
    settled = calls[calls["settled"].astype(bool)] if len(calls) else calls
    if settled.empty or settled["won"].nunique() < 2:
        return {}, False
    tables = {
        "win": win_metrics(settled, PROBABILITIES, settings.bootstrap),
        "by_age": by_age(settled),
        "by_ending": by_ending(settled),
        "skill": skills(calls, INDICES, settings.bootstrap),
    }
    return tables, has_signal(settled, settings.bootstrap)


def train(
    book: Book,
    until: pd.Timestamp,
    settings: TrainSettings,
    step: Step = lambda name, done, total: None,
) -> Trained:
    """Train, judge and calibrate a model on what a book knew at a moment.

    Args:
        book: any book; what it recorded after `until` is not looked at.
        until: UTC moment.
        settings: of training.
        step: told the name of each step, how many of its parts are done, and how many there are.

    Returns:
        The model with its metrics. The same book and settings give the same model, to the byte.

    Raises:
        UsageError: `until` lies before the first deal, or more than a year after the newest record; or a feature
            allowed or denied does not exist.
        DataError: no won or no lost deal to learn from.
    """
    check_not_far_ahead(book, until, "--until")
    book = known(book, until)
    if len(book.deals) and settings.features != FeatureSettings():
        refuse_unknown(settings.features, plan_features(book).columns)  # folds know fewer words, so here, once
    history = History(book)
    step("heads on all data", 0, 1)
    final = fit_as_of(history, until, settings)
    calls = out_of_time_calls(history, final, settings, step)
    step("judging", 0, 1)
    tables, signal = _judge(calls, settings)
    calibration = _calibration(calls, final.every_days) if signal else IDENTITY
    win = final.heads.win.calibrated(calibration) if signal else final.heads.win.without_signal()
    hours_scale = _hours_scale(calls)
    heads = replace(final.heads, win=win, hours=final.heads.hours.scaled(hours_scale))
    summary = summarise(book, final, calls) | pooling(final.rows, settings.heads)
    facts = summary | {
        "book": book.manifest.fingerprint,
        "source": book.manifest.source,
        "currency": book.manifest.currency,
        "assumed_hours": dict(book.manifest.assumed_hours),
        "settings": settings.model_dump(mode="json", exclude={"heads": {"threads"}}),
    }
    curve = _curve(calls, calibration, hours_scale, settings.floor_hours)
    model = Model(final.plan, heads, settings.floor_hours, curve, signal, facts)
    return Trained(model, summary, tables, calls)
