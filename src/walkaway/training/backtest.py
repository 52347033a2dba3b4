"""The backtest with rolling origins: calls on later snapshots by models trained before, by baselines and older models.

Each fold runs the whole recipe as of its origin: heads fitted on what was known then, calibrated on the calls of
earlier folds and on the outcomes known by then. So the backtest tests the same kind of model as the one that is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from walkaway.asof import History, View, mature_age_days, moments, open_snapshots, snapshot_weights
from walkaway.asof.labels import label
from walkaway.config import TrainSettings
from walkaway.errors import DataError
from walkaway.evaluation import (
    HAD_TIME,
    SEGMENT,
    SHARES,
    Cohort,
    DealDraws,
    FitBaseline,
    cohort_of,
    fit_logistic,
    fit_naive_bayes,
    interval,
    log_loss_rows,
    rate_by_category,
)
from walkaway.heads import Calibration, Heads, fit_calibration, fit_plain_lightgbm, fit_scale
from walkaway.models import Rows, make_calls, read_rows
from walkaway.training.fitting import Fitted, fit_as_of

__all__ = ["BASELINES", "Backtest", "Step", "backtest", "calibrated", "experienced", "no_step"]

Step = Callable[[str, int, int], None]
BASELINES: Mapping[str, FitBaseline] = {
    "plain_lightgbm": fit_plain_lightgbm,
    "logistic": fit_logistic,
    "naive_bayes": fit_naive_bayes,
}
CALIBRATION_PRIOR_DEALS = 100.0
HARM_DRAWS = 200  # of the bootstrap that tests whether the calibration does harm
HOURS_PRIOR_DEALS = 1000.0  # with few deals, chance changes totals more than errors of the heads do (decision 22)
MOST_LOOKS, CHUNK = 1_000_000, 50_000  # calls made as often as in use: at most in total, and at a time
LOOKED = [
    "deal_id",
    "as_of",
    "value_if_won",
    "value_per_hour",
    "walk_away_above",
    "raw",
    "uncalibrated_hours",
    "age_days",
    "known_until",
]
OLDER = ["deal_id", "as_of", "known_until", "periods_older", "win_probability", "value_per_hour"]


def no_step(name: str, done: int, total: int) -> None:
    """No progress shown."""


@dataclass(frozen=True)
class Backtest:
    """The calls of the folds.

    calls: on each snapshot of the final grid after the first origin, by the newest model trained before it: the columns
        of `make_calls`, raw (log-odds before calibration), uncalibrated_hours, baselines (BASELINES, stage_rate,
        base_rate, crm_probability where the CRM keeps one, no_decision_rate, mean_hours, plain_worth), amount,
        age_days, younger, stage and segments, known_until; then the outcome of the deal: settled, won, ending,
        won_completed, worth_recorded, worth_truth and remaining_hours_truth (for open deals the final model's
        expectation), hours_booked (so far), had_time (whether it is of the cohort). Sorted by deal_id, as_of.
    cohort: the calls that were made early enough for their deals to end; None if too few were.
    looks: calls made as often as in use (`calls_every_days`), by the same models: LOOKED, then the outcome of the deal.
        Sorted by deal_id, as_of.
    stale: calls on the same snapshots by older models, except those that no earlier fold had calibrated: deal_id,
        as_of, known_until, periods_older, win_probability, value_per_hour.
    """

    calls: pd.DataFrame
    cohort: Cohort | None
    looks: pd.DataFrame
    stale: pd.DataFrame


def _origins(history: History, until: pd.Timestamp, every: float, folds: int) -> list[pd.Timestamp]:
    """Moments at which a fold's model is trained: even steps over the last 60% of the history, on the grid."""
    span = until - history.book.deals["created_at"].min()
    step = pd.Timedelta(days=every)
    back = [int(span * 0.6 * (folds - k) / folds / step) for k in range(folds)]
    return [until - n * step for n in dict.fromkeys(back) if n > 0]


def experienced(calls: pd.DataFrame, deals: pd.DataFrame, moment: pd.Timestamp) -> npt.NDArray[np.bool_]:
    """Which calls are of folds whose history was long enough for slow endings, (calls,).

    A fold trained on a shorter history knows quick endings only. Its errors say nothing about those of a later model.

    Args:
        calls: of folds: known_until.
        deals: of the book.
        moment: up to which endings are known.
    """
    if calls.empty:
        return np.zeros(0, dtype=bool)
    days = (calls["known_until"] - deals["created_at"].min()) / pd.Timedelta(days=1)
    enough: npt.NDArray[np.bool_] = (days >= mature_age_days(deals, moment)).to_numpy()
    return enough


def _harms(calls: pd.DataFrame, won: npt.NDArray[np.float64]) -> bool:
    """Whether what earlier folds taught made the newest fold's probabilities worse, beyond noise."""
    newest = (calls["known_until"] == calls["known_until"].max()).to_numpy()
    rows, ends = calls[newest], won[newest]
    raw, corrected = (
        log_loss_rows(ends, p) for p in (expit(rows["raw"].to_numpy()), rows["win_probability"].to_numpy())
    )
    return interval(DealDraws.of(rows["deal_id"].to_numpy(), HARM_DRAWS).means(raw - corrected))[1] < 0


def calibrated(heads: Heads, calls: pd.DataFrame, completed: pd.DataFrame, every_days: float) -> Heads:
    """Heads corrected for the errors of earlier folds: in win probabilities and in total hours.

    Win probabilities are left alone where the correction taught by earlier folds harmed the newest one.

    Args:
        heads: fitted on what was known by a moment.
        calls: of experienced folds trained before: raw, win_probability, uncalibrated_hours, age_days, known_until,
            deal_id; may be empty.
        completed: completed labels of these calls as known by then: won and remaining_hours.
        every_days: between snapshots.
    """
    if calls.empty:
        return heads
    won = completed["won"].to_numpy()
    win = heads.win if _harms(calls, won) else heads.win.calibrated(_calibration(calls, won, every_days))
    return replace(
        heads, win=win, hours=heads.hours.scaled(_hours_scale(calls, completed["remaining_hours"].to_numpy()))
    )


def _hours_scale(calls: pd.DataFrame, booked: npt.NDArray[np.float64]) -> float:
    """The factor by which deals took more hours than earlier models predicted; closer to 1 with fewer deals."""
    predicted, fold = calls["uncalibrated_hours"].to_numpy(), calls["known_until"].to_numpy()
    deals = calls["deal_id"].nunique()
    scale: float = fit_scale(predicted, booked, fold) ** (deals / (deals + HOURS_PRIOR_DEALS))
    return scale


def _calibration(calls: pd.DataFrame, won: npt.NDArray[np.float64], every_days: float) -> Calibration:
    """The calibration, with the weights of training: these do not depend on how long a deal will last.

    The weights are scaled to sum to the number of deals, since rows of one deal are not independent.
    """
    weight = snapshot_weights(calls["age_days"].to_numpy(), every_days)
    weight = weight * (calls["deal_id"].nunique() / weight.sum())
    return fit_calibration(calls["raw"].to_numpy(), won, weight, CALIBRATION_PRIOR_DEALS)


def _known_by(fold: Fitted, calls: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Earlier calls, and their outcomes as known at the fold's origin; without snapshots that the fold lacks."""
    if calls.empty:
        return calls, fold.completed.iloc[:0]
    rows = fold.snapshots.assign(row=np.arange(len(fold.snapshots)))
    both = calls[["deal_id", "as_of"]].merge(rows, on=["deal_id", "as_of"], how="left")
    found = both["row"].notna().to_numpy()
    return calls[found], fold.completed.iloc[both.loc[found, "row"].astype(int)]


def _baselines(
    fold: Fitted, read: Rows, view: View, baselines: Mapping[str, FitBaseline]
) -> dict[str, npt.NDArray[np.float64]]:
    """Predictions of simple models, each fitted on the deals settled by the fold's origin."""
    settled = fold.rows.labels["settled"].to_numpy(dtype=bool)
    won, X, categorical = fold.rows.labels["won"].to_numpy()[settled], fold.rows.X[settled], fold.plan.categorical
    predictions = {
        "base_rate": np.full(len(read.X), fold.heads.win.base_rate),
        **{name: fit(X, won, categorical)(read.X) for name, fit in baselines.items()},
        "stage_rate": np.full(len(read.X), fold.heads.win.base_rate),
    }
    if "stage" in fold.plan.columns:
        at = fold.plan.columns.index("stage")
        predictions["stage_rate"] = rate_by_category(X[:, at], won)(read.X[:, at])
    if view.crm_probability is not None:
        known = ~np.isnan(view.crm_probability)
        predictions["crm_probability"] = np.where(known, view.crm_probability, predictions["base_rate"])
    return predictions


def _slices(view: View) -> dict[str, pd.Categorical]:
    """Stage and segments, by which calls are grouped in tables; they are not read by a model here."""
    coded = {"stage": view.changes.where(field="stage").last_code("new_value")}
    coded |= {SEGMENT + name: view.coded_attribute(name) for name in view.attributes("text")}
    out = {}
    for name, (codes, words) in coded.items():
        used = len(words) > 1 and (np.asarray(codes) >= 0).any()
        if used:
            out[name] = pd.Categorical.from_codes(np.asarray(codes, dtype=np.int64), [str(word) for word in words])
    return out


def _fold_calls(fold: Fitted, heads: Heads, read: Rows, view: View, train_settings: TrainSettings) -> pd.DataFrame:
    """The calls of a fold's model, with what later calibrations need."""
    calls = make_calls(replace(fold.model(train_settings), heads=heads), read, bar=0.0)
    return calls.table.assign(
        walk_away_above=calls.walk_away_above,
        raw=calls.log_odds,
        uncalibrated_hours=calls.table["remaining_hours"] * fold.heads.hours.over(heads.hours),
        age_days=view.age_days,
        known_until=fold.until,
    )


def _looks(
    history: History, fold: Fitted, heads: Heads, end: pd.Timestamp, train_settings: TrainSettings
) -> Iterator[pd.DataFrame]:
    """Calls of a fold's model made as often as in use, up to a moment; on a share of the deals if there are many."""
    every = train_settings.calls_every_days
    at = moments(fold.until + pd.Timedelta(days=every), end, every)
    snapshots = open_snapshots(history.book, at)
    deal = pd.factorize(snapshots["deal_id"])[0]
    one_of = -(-len(snapshots) * train_settings.folds // MOST_LOOKS)
    snapshots = snapshots[deal % max(one_of, 1) == 0]
    for begin in range(0, len(snapshots), CHUNK):
        part = snapshots.iloc[begin : begin + CHUNK].reset_index(drop=True)
        read, view = read_rows(history, part, fold.plan), history.without(fold.plan.left_out).at(part)
        yield _fold_calls(fold, heads, read, view, train_settings)[LOOKED]


def _call(
    history: History,
    fold: Fitted,
    heads: Heads,
    snapshots: pd.DataFrame,
    train_settings: TrainSettings,
    baselines: Mapping[str, FitBaseline],
) -> pd.DataFrame:
    """Calls of later snapshots by a fold's model and its baselines."""
    read, view = read_rows(history, snapshots, fold.plan), history.without(fold.plan.left_out).at(snapshots)
    amount, margin = (read.terms[name].to_numpy() for name in ("amount", "margin"))
    return _fold_calls(fold, heads, read, view, train_settings).assign(
        **_baselines(fold, read, view, baselines),
        no_decision_rate=fold.heads.no_decision.rate if fold.heads.no_decision else np.nan,
        mean_hours=fold.heads.hours.mean_hours,
        plain_worth=heads.worth.amount(amount) * heads.worth.margin(margin),
        amount=np.nan_to_num(amount),
        younger=-view.age_days,
        **_slices(view),
    )


def _older(
    history: History,
    fold: Fitted,
    heads: Heads,
    snapshots: pd.DataFrame,
    bounds: list[pd.Timestamp],
    train_settings: TrainSettings,
) -> Iterator[pd.DataFrame]:
    """Calls by a fold's model of snapshots between later origins, for which there are newer models."""
    model, as_of = replace(fold.model(train_settings), heads=heads), snapshots["as_of"]
    for periods, (begin, end) in enumerate(pairwise(bounds), start=1):
        rows = snapshots[((as_of > begin) & (as_of <= end)).to_numpy()].reset_index(drop=True)
        if len(rows):
            table = make_calls(model, read_rows(history, rows, fold.plan), bar=0.0).table
            yield table.assign(known_until=fold.until, periods_older=periods)[OLDER]


def backtest(
    history: History,
    final: Fitted,
    train_settings: TrainSettings,
    step: Step = no_step,
    *,
    looks: bool = True,
    older: bool = True,
    baselines: Mapping[str, FitBaseline] = BASELINES,
) -> Backtest:
    """Backtest a recipe: calls of the final snapshots by models that were trained before.

    Each fold trains on what was known at its origin and calls the snapshots up to the next origin, as scoring would
    have. Then it calls later ones, as a model would that nobody retrained. No outcome recorded after an origin is in
    its fold. Empty where no fold could be trained. Without `looks`, or without
    `older`, that part of `Backtest` stays empty; the calls are the same.
    """
    as_of = final.snapshots["as_of"]
    origins = _origins(history, final.until, final.every_days, train_settings.folds)
    bounds = [*origins[1:], final.until]
    to_come = _to_come(final)
    truth = _truth(final, to_come, final.snapshots["deal_id"], final.rows.labels)
    calls, looked, stale = pd.DataFrame(), list[pd.DataFrame](), list[pd.DataFrame]()
    paced = looks and train_settings.calls_every_days != final.every_days
    for k, origin in enumerate(origins):
        step("testing on later deals", k, len(origins))
        try:
            fold = fit_as_of(history, origin, train_settings, final.plan.left_out)
        except DataError:
            continue
        taught = calls[experienced(calls, history.book.deals, origin)]
        heads = calibrated(fold.heads, *_known_by(fold, taught), fold.every_days)
        if older and len(calls):  # the first fold is not calibrated, as no model in use would be
            stale += _older(history, fold, heads, final.snapshots, bounds[k:], train_settings)
        at = ((as_of > origin) & (as_of <= bounds[k])).to_numpy()
        if at.any():
            called = _call(history, fold, heads, final.snapshots[at].reset_index(drop=True), train_settings, baselines)
            with_outcomes = pd.concat([called, truth[at].reset_index(drop=True)], axis=1)
            calls = pd.concat([calls, with_outcomes], ignore_index=True)
            if paced:
                looked += _looks(history, fold, heads, bounds[k], train_settings)
    calls, cohort = _with_cohort(_in_order(calls), history.book.deals, final.until)
    at_pace = calls if looks else pd.DataFrame()
    return Backtest(
        calls,
        cohort,
        _settled(history, final, to_come, looked) if looked else at_pace,
        pd.concat(stale, ignore_index=True) if stale else pd.DataFrame(columns=OLDER),
    )


def _with_cohort(calls: pd.DataFrame, deals: pd.DataFrame, until: pd.Timestamp) -> tuple[pd.DataFrame, Cohort | None]:
    """The calls, each marked whether it was made early enough to be judged, and the cohort of those that were."""
    cohort = cohort_of(calls, [(share, mature_age_days(deals, until, share)) for share in SHARES], until)
    had_time = calls["as_of"] <= cohort.made_by if cohort else False
    return (calls.assign(**{HAD_TIME: had_time}) if len(calls) else calls), cohort


def _in_order(calls: pd.DataFrame) -> pd.DataFrame:
    return calls.sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True) if len(calls) else calls


def _settled(history: History, final: Fitted, to_come: pd.DataFrame, looks: list[pd.DataFrame]) -> pd.DataFrame:
    """The calls made as often as in use, with the outcomes of their deals."""
    ordered = _in_order(pd.concat(looks, ignore_index=True))
    labels = label(history.book, ordered[["deal_id", "as_of"]])
    return ordered.join(_truth(final, to_come, ordered["deal_id"], labels))


def _to_come(final: Fitted) -> pd.DataFrame:
    """The final model's expectation for each deal from its last snapshot on, by deal_id: won, value, hours, typical.

    typical: the value of a win without an amount.
    """
    last = ~final.snapshots["deal_id"].duplicated(keep="last").to_numpy()
    ids, X, terms = final.snapshots["deal_id"][last], final.rows.X[last], final.rows.terms[last]
    expected = final.heads.estimate(X, terms)
    to_come = (final.completed["remaining_hours"] - final.rows.labels["remaining_hours"])[last].to_numpy()
    return pd.DataFrame(
        {
            "won": final.completed["won"][last].to_numpy(),
            "value": expected.win_probability * expected.value_if_won,
            "hours": to_come,
            "typical": final.heads.worth.typical_amount * final.heads.worth.margin(terms["margin"].to_numpy()),
        },
        index=pd.Index(ids),
    )


def _truth(final: Fitted, to_come: pd.DataFrame, deal_id: pd.Series, labels: pd.DataFrame) -> pd.DataFrame:
    """The outcome of each snapshot's deal; for open deals, the final model's expectation from their last snapshot on.

    A deal won without an amount counts with the typical amount.

    Args:
        final: the model, which has a snapshot of every open deal.
        to_come: what it expects of each deal (`_to_come`).
        deal_id: of each snapshot.
        labels: of each snapshot (`walkaway.asof.labels`), in the same order.
    """
    ends = to_come.reindex(deal_id)
    typical = pd.Series(ends["typical"].fillna(final.heads.worth.typical_amount).to_numpy(), index=labels.index)
    settled, won = labels["settled"].to_numpy(dtype=bool), labels["won"].to_numpy()
    booked = labels["remaining_hours"].to_numpy()
    return labels[["settled", "won", "ending"]].assign(
        won_completed=np.where(settled, won, ends["won"].to_numpy()),
        worth_recorded=labels["worth"].notna(),
        worth_truth=np.where(settled, labels["worth"].fillna(typical).to_numpy(), ends["value"].to_numpy()),
        remaining_hours_truth=np.where(settled, booked, booked + ends["hours"].to_numpy()),
        hours_booked=booked,
    )
