"""Calls of a model, one per snapshot. Training folds, nightly scoring and the replay all make their calls here.

A call is the verdict on one deal at one moment, with the numbers behind it. (A phone call is an activity.)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import History, check_dated, check_moments, open_snapshots
from walkaway.book import MOMENT, Book
from walkaway.config import ScoreSettings
from walkaway.economics import Curve, expected_value, value_per_hour, verdicts, walk_away_above
from walkaway.errors import DataError, UsageError
from walkaway.features import FeaturePlan, build_features
from walkaway.formatting import LocaleFormat
from walkaway.heads import Heads
from walkaway.models.base_rates import PastDeals
from walkaway.models.facts import Facts
from walkaway.models.nurture import Wait, WaitTable
from walkaway.models.reference_profile import ReferenceProfile

__all__ = [
    "TERMS",
    "Calls",
    "Model",
    "Rows",
    "bar_of",
    "call_open",
    "call_undated",
    "check_askable",
    "check_fits",
    "make_calls",
    "read_rows",
    "read_rows_without_dates",
]

# What calls need of a deal besides its features.
TERMS = ("amount", "margin", "silent_days", "stage_name", "assumed_hours")
LIKELY = 0.5  # least probability that a loss is for lack of a decision, from which a deal may wait for a sign
TRAIN_ANEW = "train a model on this book: walkaway train --book BOOK --models MODELS --promote"


@dataclass(frozen=True)
class Model:
    """Everything that scoring needs: columns, heads, curve, and facts of the training.

    signal: False where out-of-time predictions were no better than the base rate; then every verdict is unsure.
    facts: what it was trained on. undated: True where the book had no dates; then no hours are known, and every verdict
    is unsure. reference: open deals as they were in training, for drift. wait_table: what deals below the bar may wait
    for. past_deals: for explanations. The last three are empty in models of folds, which only make calls.
    """

    plan: FeaturePlan
    heads: Heads
    floor_hours: float
    curve: Curve
    signal: bool
    facts: Facts
    undated: bool = False
    version: str = ""
    reference: ReferenceProfile = field(default_factory=ReferenceProfile)
    wait_table: WaitTable = field(default_factory=WaitTable)
    past_deals: PastDeals = field(default_factory=PastDeals)

    @property
    def tested_on(self) -> Literal["later", "other"]:
        """Which deals it was tested on: created later than those it learned from, or others without order."""
        return "other" if self.undated and not self.facts.tested_by_creation else "later"

    @property
    def known_until(self) -> pd.Timestamp:
        """The moment until which its training data was known (UTC).

        Raises:
            DataError: it was trained on a book without dates.
        """
        if self.facts.until is None:
            raise DataError(f"this model was trained on a book without dates. For a book with dates, {TRAIN_ANEW}")
        return self.facts.until


@dataclass(frozen=True)
class Rows:
    """Snapshots with what was known at each: features X (rows, columns), and the columns TERMS in `terms`."""

    snapshots: pd.DataFrame
    X: npt.NDArray[np.float32]
    terms: pd.DataFrame


@dataclass(frozen=True)
class Calls:
    """Calls with their input rows; `table` has one row per snapshot, in the order of the snapshots.

    walk_away_above: the bar above which each call drops its deal (money per hour). log_odds: of winning, the mean over
    the ensemble before calibration. waits: what each deal waits for; None where nothing.
    """

    rows: Rows
    table: pd.DataFrame
    walk_away_above: npt.NDArray[np.float64]
    log_odds: npt.NDArray[np.float64]
    waits: tuple[Wait | None, ...]

    def take(self, places: Sequence[int]) -> Calls:
        """Some of the calls, with their rows."""
        at = list(places)
        snapshots, terms = (rows.iloc[at].reset_index(drop=True) for rows in (self.rows.snapshots, self.rows.terms))
        table, waits = self.table.iloc[at].reset_index(drop=True), tuple(self.waits[place] for place in at)
        rows = Rows(snapshots, self.rows.X[at], terms)
        return Calls(rows, table, self.walk_away_above[at], self.log_odds[at], waits)

    def wait_sentences(self, fmt: LocaleFormat) -> pd.api.extensions.ExtensionArray:
        """What each deal waits for, in words, with numbers in the reader's locale; missing where nothing."""
        sentences = {wait: wait.sentence(fmt) for wait in set(self.waits) if wait is not None}
        return pd.array([None if wait is None else sentences[wait] for wait in self.waits], dtype="str")


def check_fits(book: Book, model: Model) -> None:
    """Refuse a book that the model cannot read: its dates, its currency, its unit of effort or a column do not fit.

    Raises:
        DataError: names what does not fit, and the remedy.
    """
    if book.manifest.timeless != model.undated:
        has, other = ("no dates", "with dates") if book.manifest.timeless else ("dates", "without dates")
        raise DataError(f"this book has {has}, and the model was trained on a book {other}. Instead, {TRAIN_ANEW}")
    learned = model.facts.currency
    if learned and book.manifest.currency and learned != book.manifest.currency:
        raise DataError(
            f"the book's amounts are in {book.manifest.currency}, and the model was trained on amounts in {learned}. "
            f"Import with money.currency = {learned!r} in the settings, or {TRAIN_ANEW}"
        )
    _check_effort(book, model)
    _check_lost_after(book, model)
    words, numbers = book.attributes("text"), book.attributes("number")
    for planned in model.plan.features:
        if planned.feature == "owner" and "owner_id" not in book.manifest.fixed_at_creation:
            raise DataError(
                f"the model uses the owner of a deal, and this book does not declare owners fixed. Name owner_id under "
                f"fixed_at_creation in its mapping, or {TRAIN_ANEW}"
            )
        if planned.feature == "amount" and model.undated and "amount" not in book.manifest.fixed_at_creation:
            raise DataError(
                f"the model uses the amount of a deal, and this book does not declare amounts fixed. Name amount under "
                f"fixed_at_creation in its mapping, or {TRAIN_ANEW}"
            )
        wanted = {"attribute": words, "measure": numbers}.get(planned.declared.per or "")
        if wanted is not None and planned.word not in wanted:
            found = "has no such column"
            if planned.word in words or planned.word in numbers:
                held, expected = ("text", "numbers") if planned.word in words else ("numbers", "text")
                found = f"has it as {held} where the model expects {expected}"
            raise DataError(
                f"the model uses {planned.column}, and this book {found}. Map it as in the model's book (text under "
                f"[deals.attributes], numbers under [deals.measures]), or {TRAIN_ANEW}"
            )


def _check_lost_after(book: Book, model: Model) -> None:
    """Refuse a book whose open deals count as lost at another age than in training."""
    was, found = model.facts.lost_after_days, book.manifest.lost_after_days
    if model.facts.deals and was != found:
        learned, now = ("never" if days is None else f"after {days:g} days" for days in (was, found))
        raise DataError(
            f"open deals of this book count as lost {now}, and in the model's training {learned}. Set the same "
            f"lost_after_days, or {TRAIN_ANEW}"
        )


def _check_effort(book: Book, model: Model) -> None:
    """Refuse a book whose effort is counted otherwise than in training: a bar per hour says nothing about deals."""
    learned, effort = model.facts.effort, book.effort
    if model.facts.assumed_hours_share is None or (learned and learned.unit) == (effort and effort.unit):
        return
    has, was = (
        "recorded work" if assumed is None else f"assumed effort per {assumed.unit}" for assumed in (effort, learned)
    )
    raise DataError(
        f"this book has {has}, and the model was trained on a book with {was}. Import the same files and use the same "
        f"effort settings as then, or {TRAIN_ANEW}"
    )


def read_rows(history: History, snapshots: pd.DataFrame, plan: FeaturePlan) -> Rows:
    """Features and terms of these snapshots, the same way for training and for scoring."""
    view = history.without(plan.left_out).at(snapshots)
    terms = pd.DataFrame({name: getattr(view, name) for name in TERMS}, index=range(len(snapshots)))
    return Rows(snapshots, build_features(view, plan).to_numpy(), terms)


def _no_decision(model: Model, X: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    head = model.heads.no_decision
    return np.full(len(X), np.nan) if head is None else head.probability(X)


def _wait_until(snapshots: pd.DataFrame, left_days: npt.NDArray[np.float64]) -> pd.Series:
    """The day on which each wait expires, at midnight UTC."""
    if "as_of" not in snapshots:  # served without moments
        return pd.Series(pd.NaT, index=snapshots.index, dtype=MOMENT)
    return (snapshots["as_of"] + pd.to_timedelta(left_days, unit="D")).dt.ceil("D").astype(MOMENT)


def make_calls(model: Model, rows: Rows, bar: float) -> Calls:
    """Call each row: win probability, value if won, hours, value per hour, and the verdict at the bar.

    Returns:
        A table of deal_id, as_of, win_probability, value_if_won (money), amount_imputed (whether the amount is unknown
        and the typical one used; never where wins are counted), remaining_hours, expected_value (money), value_per_hour
        (money per hour), no_decision_if_lost (NaN where the model has no such head), bar, verdict. Where the verdict is
        nurture, wait_for (words), wait_sign (the kind of activity) and wait_until (UTC). A model without dates leaves
        remaining_hours and value_per_hour empty.
    """
    raw = model.heads.raw(rows.X)
    mean = raw.mean()
    estimate, by_member = model.heads.estimates(mean, rows.terms), model.heads.estimates(raw, rows.terms)
    expected = expected_value(estimate.win_probability, estimate.value_if_won)
    index_by_member = value_per_hour(
        expected_value(by_member.win_probability, by_member.value_if_won),
        by_member.remaining_hours,
        model.floor_hours,
    )
    index = value_per_hour(expected, estimate.remaining_hours, model.floor_hours)
    undecided = _no_decision(model, rows.X)
    silent = rows.terms["silent_days"].to_numpy(dtype=np.float64)
    place = model.wait_table.place(silent, rows.terms["stage_name"])
    lifted = index * model.wait_table.lift(estimate.win_probability, place)
    waits = (place >= 0) & ((undecided >= LIKELY) | (lifted >= bar))
    verdict = verdicts(index_by_member, estimate.value_if_won, bar, model.signal, waits)
    place = np.where(verdict == "nurture", place, -1)
    table = rows.snapshots.assign(
        win_probability=estimate.win_probability,
        value_if_won=estimate.value_if_won,
        amount_imputed=rows.terms["amount"].isna().to_numpy() & (not model.facts.counts_wins),
        remaining_hours=estimate.remaining_hours,
        expected_value=expected,
        value_per_hour=index,
        no_decision_if_lost=undecided,
        bar=np.float64(bar),
        verdict=verdict,
        wait_for=pd.array(model.wait_table.sentences(place), dtype="str"),
        wait_sign=pd.array(model.wait_table.sign(place), dtype="str"),
        wait_until=_wait_until(rows.snapshots, model.wait_table.left_days(silent, place)),
    )
    if model.undated:
        table = table.assign(remaining_hours=np.nan, value_per_hour=np.nan, verdict="unsure")
    above = walk_away_above(index_by_member, estimate.value_if_won, model.signal and not model.undated)
    return Calls(rows, table, above, mean.win, tuple((*model.wait_table.waits, None)[at] for at in place))


def check_askable(book: Book, model: Model, at: pd.DatetimeIndex) -> None:
    """Refuse to call deals of this book by this model at these moments.

    Raises:
        UsageError: the book has no dates; a moment before its first deal, or more than a year after its newest record.
        DataError: the book does not fit the model.
    """
    check_dated(book)
    check_fits(book, model)
    check_moments(book, at)


def call_open(book: Book, model: Model, at: pd.DatetimeIndex, score_settings: ScoreSettings) -> Calls:
    """Call every deal open at each moment, at the bar that the dial picks.

    Args:
        book: any book with dates.
        model: any model that fits the book.
        at: UTC moments.
        score_settings: which dial is set, and to what.

    Raises:
        UsageError: as of `check_askable`; or no deal is open.
        DataError: the book does not fit the model.
    """
    check_askable(book, model, at)
    snapshots = open_snapshots(book, at)
    if snapshots.empty:
        raise UsageError(
            f"no deal is open at {at.min():%Y-%m-%dT%H:%M}Z, so there is nothing to score. Use another moment."
        )
    return make_calls(model, read_rows(History(book), snapshots, model.plan), bar_of(model, score_settings))


def read_rows_without_dates(book: Book, deals: pd.DataFrame, plan: FeaturePlan) -> Rows:
    """Features and terms of these deals of a book without dates, one row per deal; as_of is missing."""
    no_moment = pd.Series(pd.NaT, index=range(len(deals)), dtype=MOMENT)
    snapshots = pd.DataFrame({"deal_id": deals["deal_id"].to_numpy(), "as_of": no_moment})
    return read_rows(History(book), snapshots, plan)


def call_undated(book: Book, model: Model, deal_ids: Collection[str] | None = None) -> Calls:
    """Call every open deal of a book without dates, or those of these ids; there is no bar.

    Raises:
        UsageError: no such deal is open.
        DataError: the book does not fit the model.
    """
    check_fits(book, model)
    still_open = book.deals[book.deals["outcome"].isna()]
    if deal_ids is not None:
        still_open = still_open[still_open["deal_id"].isin(deal_ids)]
    if still_open.empty:
        raise UsageError("no deal of this book is open: each has an outcome, so there is nothing to score.")
    calls = make_calls(model, read_rows_without_dates(book, still_open, model.plan), bar=0.0)
    return replace(calls, table=calls.table.assign(bar=np.nan))


def bar_of(model: Model, score_settings: ScoreSettings) -> float:
    """The bar that the dial picks on the model's curve: money per hour, or per deal where no hours are known.

    Raises:
        UsageError: the dial is a number of hours a week, and no hours are known.
    """
    if score_settings.capacity is not None and model.facts.unit == "deal":
        raise UsageError(
            f"--capacity {score_settings.capacity:g} (score.capacity): counts hours a week, but the hours of this book "
            "are not recorded. Choose the bar with --forgo or --bar, or give the effort of a deal in [effort]."
        )
    return model.curve.bar_of(**score_settings.dial())
