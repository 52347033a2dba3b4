"""Training: from what was known at a moment to a model with its test results."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from walkaway.asof import History, mature_age_days
from walkaway.asof.labels import no_decision
from walkaway.audit import Audit
from walkaway.book import Book, counted_lost
from walkaway.config import TrainSettings
from walkaway.economics import Curve, equal_wins, expected_value, guaranteed_bars, lowest_calls, value_per_hour
from walkaway.evaluation import (
    HAD_TIME,
    AgeChance,
    age_suffices,
    beaten_by,
    by_ending,
    by_slice,
    chance_by_age,
    hours_metrics,
    skills,
    staleness,
    win_metrics,
    worth_metrics,
)
from walkaway.explaining import with_base_rates
from walkaway.features import known_words
from walkaway.heads import Heads, pooling
from walkaway.models import Facts, Model, ReferenceProfile, learn_reference_profile, learn_waits, relative_errors
from walkaway.training.backtest import Backtest, Step, experienced, no_step
from walkaway.training.fitting import NO_CURVE, Fitted
from walkaway.training.recipe import FittedRecipe, fit_and_backtest, judged_of

__all__ = ["PROBABILITIES", "Trained", "curve_looks", "curve_of", "train", "train_to_call"]

PROBABILITIES = [
    "win_probability",
    "crm_probability",
    "plain_lightgbm",
    "logistic",
    "naive_bayes",
    "stage_rate",
    "base_rate",
]
OF_HOURS = ("remaining_hours", "value_per_hour")
LONG_LIFE = 0.9  # quantile of the lifetimes of closed deals
LEAST_WINS_TO_CAP, LARGEST = 20, 0.95  # least number of earlier wins, and the quantile of their values used as the cap
INDICES = ["value_per_hour", "expected_value", "win_probability", "amount", "younger"]


@dataclass(frozen=True)
class Trained:
    """A trained model, its tables of metrics, the out-of-time calls behind them, and the leak audit."""

    model: Model
    tables: dict[str, pd.DataFrame]
    calls: pd.DataFrame
    audit: Audit


def _as_scored(calls: pd.DataFrame, heads: Heads, uncalibrated: Heads, floor_hours: float) -> pd.DataFrame:
    """Out-of-time calls with scores calibrated as in scoring: deal_id, as_of, and a column per score."""
    if calls.empty:
        return pd.DataFrame()
    win = heads.win.calibration.probability(calls["raw"].to_numpy())
    if heads.win.bag is None:  # no signal: each gets the base rate
        win = np.full(len(calls), heads.win.base_rate)
    hours = calls["uncalibrated_hours"].to_numpy() * heads.hours.over(uncalibrated.hours)
    index = value_per_hour(expected_value(win, calls["value_if_won"].to_numpy()), hours, floor_hours)
    before, above = calls["value_per_hour"].to_numpy(), calls["walk_away_above"].to_numpy()
    finite = np.isfinite(above)
    moved = index * np.where(finite, above, 0.0) / np.where(before > 0, before, 1.0)
    return calls[["deal_id", "as_of"]].assign(
        win_probability=win,
        remaining_hours=hours,
        value_per_hour=index,
        walk_away_above=np.where(finite, moved, above),
    )


def _guaranteed(
    calls: pd.DataFrame, above: np.ndarray, pace: float, until: pd.Timestamp, book: Book
) -> tuple[tuple[float, float], ...]:
    """The bars that can be guaranteed, from deals that were called from their first snapshot on and had time to end.

    A deal that was first called halfway has fewer calls, and a recent deal has ended only if it ended quickly. Both are
    dropped less often than other deals, so they are left out. Values are capped at a quantile of the wins before the
    first call.
    """
    before = book.deals[(book.deals["outcome"] == "won") & (book.deals["closed_at"] <= calls["as_of"].min())]
    earlier = (before["amount"] * before["margin"].fillna(1.0)).clip(lower=0)
    earlier = earlier[earlier > 0]
    if len(earlier) < LEAST_WINS_TO_CAP:
        return ()
    closed = book.deals[book.deals["closed_at"].notna()]
    life = (closed["closed_at"] - closed["created_at"]).quantile(LONG_LIFE)
    begun = calls["as_of"] - pd.to_timedelta(calls["age_days"], unit="D")
    last = ~calls["deal_id"].duplicated(keep="last")  # for open deals, the value at the last call
    value = calls["worth_truth"].where(calls["settled"].astype(bool), calls["value_if_won"])[last].to_numpy()
    whole = calls["age_days"].groupby(calls["deal_id"]).transform("min") < pace
    there = (whole & (begun <= until - life))[last].to_numpy() & (value > 0)
    lowest, settled = lowest_calls(pd.factorize(calls["deal_id"])[0], above), calls.loc[last, "settled"].to_numpy(bool)
    cap = float(earlier.quantile(LARGEST))
    return guaranteed_bars(value[there], lowest[there], cap, settled[there])


def _equal_wins(calls: pd.DataFrame) -> float:
    """`equal_wins` of the settled deals; what is only expected of open ones is no evidence."""
    settled = calls[calls["settled"].astype(bool)].drop_duplicates("deal_id")
    return equal_wins(settled["worth_truth"].to_numpy())


def _curve(calls: pd.DataFrame, scores: pd.DataFrame, pace: float, until: pd.Timestamp, book: Book) -> Curve:
    """The curve over out-of-time calls: what following the verdicts at each bar would have saved and lost."""
    if calls.empty:
        return NO_CURVE
    hours, worth = (calls[column].to_numpy() for column in ("remaining_hours_truth", "worth_truth"))
    weeks = (calls["as_of"].max() - calls["as_of"].min()) / pd.Timedelta(days=7)
    above = scores["walk_away_above"].to_numpy()
    deal, booked = pd.factorize(calls["deal_id"])[0], calls["hours_booked"].to_numpy()
    curve = Curve.settled(deal, above, hours, worth, booked, max(float(weeks), 1 / 7))
    return replace(curve, guaranteed=_guaranteed(calls, above, pace, until, book), wins=_equal_wins(calls))


def _reference(history: History, final: Fitted, scores: pd.DataFrame, signal: bool) -> ReferenceProfile:
    """The reference profile. Without signal each deal has the base rate, so only hours are profiled."""
    history = history.without(final.plan.left_out)
    words = known_words(history.book, final.plan)
    of_hours = OF_HOURS if history.book.unit == "hour" else ()
    profiled = ("win_probability", *of_hours) if signal else of_hours[:1]
    scores = scores if scores.empty else scores[["deal_id", "as_of", *profiled]]
    found = learn_reference_profile(history, final.plan, words, final.snapshots, final.rows.X, scores, final.until)
    days = (final.until - history.book.deals["created_at"].min()) / pd.Timedelta(days=1)
    ends = {"win_probability": final.completed["won"], "remaining_hours": final.completed["remaining_hours"]}
    errors = relative_errors(final.rows.deal, {name: values.to_numpy() for name, values in ends.items()})
    return found.model_copy(update={"every_days": final.every_days, "history_days": days, "errors": errors})


def _facts(fitted: FittedRecipe) -> Facts:
    """What the model was trained on."""
    book, final, calls, asked = fitted.history.book, fitted.final, fitted.backtest.calls, fitted.asked
    deals, outcome, shares = book.deals, book.deals["outcome"], pooling(final.rows, asked.heads)
    return Facts(
        known_until=final.until,
        deals=len(book.deals),
        won=int((outcome == "won").sum()),
        lost=int((outcome == "lost").sum()),
        open=int(outcome.isna().sum()),
        events=len(book.activities) + len(book.changes),
        snapshots=len(final.snapshots),
        open_snapshots_share=float(1 - final.rows.labels["settled"].mean()),
        features=len(final.plan.columns),
        base_rate=final.heads.win.base_rate,
        assumed_hours_share=book.assumed_hours_share,
        effort=book.effort,
        counts_wins=not book.records_amounts,
        lost_after_days=book.manifest.lost_after_days,
        counted_lost=int(counted_lost(book).sum()),
        dropped_on_advice=int((deals["closed_at"].notna() & deals["outcome"].isna()).sum()),
        out_of_time_calls=len(calls),
        out_of_time_settled=int(calls["settled"].sum()) if len(calls) else 0,
        cohort=fitted.backtest.cohort.as_json() if fitted.backtest.cohort else None,
        mature_days=mature_age_days(deals, final.until),
        pooled_win=max(shares["pooled_win"], final.capacity["win"].booster.linear_share),
        pooled_hours=max(shares["pooled_hours"], final.capacity["hours"].booster.linear_share),
        book=book.manifest.fingerprint,
        source=book.manifest.source,
        currency=book.manifest.currency,
        assumed_hours=dict(book.manifest.assumed_hours),
        capacity={head: chosen.as_json() for head, chosen in final.capacity.items()},
        left_out=tuple(fitted.audit.suspect_rows()),
        settings=asked.model_dump(mode="json", exclude={"heads": {"threads"}}),
    )


def _tables(backtest: Backtest, train_settings: TrainSettings, book: Book) -> dict[str, pd.DataFrame]:
    """Tables of metrics; empty unless some settled out-of-time calls are on won and some on lost deals.

    Metrics of wins are of the calls that had time to end, and absent where too few had. Hours and skill are of all
    calls: a deal that is still open counts with what the final model expects of it. Hours that are assumed, and values
    that are known beforehand, test no prediction, so they have no table.
    """
    calls, draws = backtest.calls, train_settings.bootstrap
    if calls.empty or calls.loc[calls["settled"].astype(bool), "won"].nunique() < 2:
        return {}
    tables = _of_wins(calls, train_settings, book) | {
        "hours": hours_metrics(calls, draws) if book.records_work else pd.DataFrame(),
        "skill": skills(calls, INDICES, draws),
        "staleness": staleness(calls, backtest.stale, draws),
    }
    return {name: table for name, table in tables.items() if len(table)}


def _worth_is_known(settled: pd.DataFrame) -> bool:
    """Whether what deals are worth if won was known beforehand: their amounts never change, or wins are counted."""
    won = settled[settled["won"] == 1]
    return bool(np.allclose(won["value_if_won"], won["worth_truth"]))


def _of_wins(calls: pd.DataFrame, train_settings: TrainSettings, book: Book) -> dict[str, pd.DataFrame]:
    """The tables of metrics that need to know which deals were won."""
    rows, draws = judged_of(calls), train_settings.bootstrap
    if rows.empty:
        return {}
    return {
        "win": win_metrics(rows, [name for name in PROBABILITIES if name in rows], draws),
        "by_slice": by_slice(calls[calls[HAD_TIME]].reset_index(drop=True), draws),
        "by_ending": by_ending(rows) if book.records_work else by_ending(rows).drop(columns="hours_ratio"),
        "worth": pd.DataFrame() if _worth_is_known(rows) else worth_metrics(rows, draws),
        "no_decision": _no_decision_metrics(rows, train_settings.no_decision_reasons, draws),
    }


def _no_decision_metrics(settled: pd.DataFrame, reasons: tuple[str, ...], draws: int) -> pd.DataFrame:
    """How well losses for lack of a decision are separated from other losses; empty where no fold has such a head."""
    undecided = no_decision(settled["ending"], reasons)
    known_reason = ~np.isnan(undecided) & settled["no_decision_if_lost"].notna().to_numpy()
    if len(np.unique(undecided[known_reason])) < 2:
        return pd.DataFrame()
    lost = settled[known_reason].assign(won=undecided[known_reason])
    return win_metrics(lost, ["no_decision_if_lost", "no_decision_rate"], draws)


def _scored(fitted: FittedRecipe, calls: pd.DataFrame) -> pd.DataFrame:
    """`_as_scored`, by the heads of the fitted recipe."""
    return _as_scored(calls, fitted.heads, fitted.final.heads, fitted.floor_hours)


def curve_of(fitted: FittedRecipe, looks: pd.DataFrame) -> Curve:
    """The curve that these looks of a backtest teach (`Backtest.looks`, or some of its folds)."""
    final, every_days = fitted.final, fitted.settings.calls_every_days
    return _curve(looks, _scored(fitted, looks), every_days, final.until, fitted.history.book)


def curve_looks(looks: pd.DataFrame, deals: pd.DataFrame, until: pd.Timestamp) -> tuple[pd.DataFrame, bool]:
    """The looks that teach the curve: those of experienced folds; all where there are none, and whether that is so.

    Args:
        looks: of `Backtest`.
        deals: of the book, as known at `until`.
        until: the moment of training.
    """
    taught = experienced(looks, deals, until)
    if len(looks) and not taught.any():
        return looks, True
    return looks[taught].reset_index(drop=True), False


def _calling_model(fitted: FittedRecipe) -> Model:
    """The model with everything that calls need: its curve, what deals may wait for, and its facts."""
    book, final = fitted.history.book, fitted.final
    looks, young = curve_looks(fitted.backtest.looks, book.deals, final.until)
    facts = _facts(fitted).model_copy(update={"young_curve": young})
    wait_table = learn_waits(book.without(final.plan.left_out))
    return replace(fitted.model(), facts=facts, curve=curve_of(fitted, looks), wait_table=wait_table)


def _chance_by_age(book: Book, until: pd.Timestamp) -> tuple[AgeChance, ...]:
    """The chance of mature deals by age."""
    return chance_by_age(book.deals, until, mature_age_days(book.deals, until))


def train_to_call(book: Book, until: pd.Timestamp, train_settings: TrainSettings) -> Model:
    """The model that `train` makes, without what only explanations and drift checks need.

    It makes the same calls, byte for byte. Arguments and errors as of `train`.
    """
    return _calling_model(fit_and_backtest(book, until, train_settings, looks=True, baselines={}))


def train(book: Book, until: pd.Timestamp, train_settings: TrainSettings, step: Step = no_step) -> Trained:
    """Train, test and calibrate a model on what was known at a moment.

    Args:
        book: any book; what it recorded after `until` is not read.
        until: UTC moment.
        train_settings: of training.
        step: called with the name of each step, how many of its parts are done, and how many there are.

    Returns:
        The model with its metrics. The same book and settings give the same model, byte for byte.

    Raises:
        UsageError: `until` lies before the first deal, or more than a year after the newest record; or a feature
            allowed or denied does not exist.
        DataError: no won or no lost deal to learn from.
    """
    fitted = fit_and_backtest(book, until, train_settings, step, looks=True, older=True)
    history, final, backtest = fitted.history, fitted.final, fitted.backtest
    tables = _tables(backtest, fitted.settings, history.book)
    reference = _reference(history, final, _scored(fitted, backtest.calls), fitted.signal)
    model = _calling_model(fitted)
    by_age = _chance_by_age(history.book, final.until) if age_suffices(tables) else ()
    facts = model.facts.model_copy(update={"beaten_by": beaten_by(tables), "chance_by_age": by_age})
    model = replace(model, reference=reference, facts=facts)
    step("base rates of settled deals", 0, 1)
    seen, remembered = history.book.without(final.plan.left_out), train_settings.remembered_snapshots
    model = with_base_rates(model, seen, final.snapshots, final.rows, remembered)
    return Trained(model, tables, backtest.calls, fitted.audit)
