"""What a model says of snapshots: one call a row. Training folds, nightly scoring and the replay all ask here."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import History, check_dated, check_moments, open_snapshots
from walkaway.book import MOMENT, Book
from walkaway.config import ScoreSettings
from walkaway.economics import Curve, expected_value, value_per_hour, verdicts, walk_away_above
from walkaway.errors import DataError, UsageError
from walkaway.features import FeaturePlan, build_features
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
    "call_open",
    "check_askable",
    "check_fits",
    "make_calls",
    "read_rows",
]

TERMS = ("amount", "margin", "silent_days", "stage_name")  # what is known of a deal besides its features
LIKELY = 0.5  # from this chance on, a loss would be for lack of a decision
TRAIN_ANEW = "train a model of its own: walkaway train --book BOOK --models MODELS --promote"


@dataclass(frozen=True)
class Model:
    """All that scoring needs: columns, heads, curve, and what the model says of itself.

    `signal` is False where out-of-time predictions were no better than the base rate: then every verdict is unsure.
    `undated` is True where the book had no dates: then no hours are known, and every verdict is unsure.
    `facts` say what it was trained on.
    `reference` is what open deals looked like in training. `wait_table` is what deals below the bar may wait for.
    `past_deals` is what it remembers of settled deals, for reasons. Each is empty in models of folds, which only call.
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
    def known_until(self) -> pd.Timestamp:
        """The moment until which its training knew (UTC).

        Raises:
            DataError: it was trained on a book without dates.
        """
        if self.facts.until is None:
            raise DataError(f"this model was trained on a book without dates: {TRAIN_ANEW}")
        return self.facts.until


@dataclass(frozen=True)
class Rows:
    """Snapshots with what was known at each: features X (rows, columns), and terms: those of TERMS."""

    snapshots: pd.DataFrame
    X: npt.NDArray[np.float32]
    terms: pd.DataFrame


@dataclass(frozen=True)
class Calls:
    """Calls with the rows they rest on; `table` has one row a snapshot, in the snapshots' order.

    walk_away_above: the bar above which each would be a drop (money per hour). log_odds: of winning, in the mean over
    the bag, before calibration. waits: what each waits for.
    """

    rows: Rows
    table: pd.DataFrame
    walk_away_above: npt.NDArray[np.float64]
    log_odds: npt.NDArray[np.float64]
    waits: tuple[Wait | None, ...]


def check_fits(book: Book, model: Model) -> None:
    """Refuse a book that the model cannot read: of another kind, in other money, or without a column it uses.

    Raises:
        DataError: names what does not fit, and the remedy.
    """
    if book.manifest.timeless != model.undated:
        has, other = ("has no dates", "has them") if book.manifest.timeless else ("has dates", "has none")
        raise DataError(f"this book {has}, and the model was trained on one that {other}: {TRAIN_ANEW}")
    learned = model.facts.currency
    if learned and book.manifest.currency and learned != book.manifest.currency:
        raise DataError(
            f"the book's money is in {book.manifest.currency}, and the model learned in {learned}. Import with "
            f"money.currency = {learned!r} in the settings, or {TRAIN_ANEW}"
        )
    words, numbers = book.attributes("text"), book.attributes("number")
    for planned in model.plan.features:
        if planned.feature == "owner" and "owner_id" not in book.manifest.fixed_at_creation:
            raise DataError(
                f"the model uses who owns a deal, and this book does not say that owners stay. Name owner_id in "
                f"fixed_at_creation of its mapping, or {TRAIN_ANEW}"
            )
        wanted = {"attribute": words, "measure": numbers}.get(planned.declared.per or "")
        if wanted is not None and planned.word not in wanted:
            otherwise = planned.word in words or planned.word in numbers
            found = "holds it as the other of words and numbers" if otherwise else "has no such column"
            raise DataError(
                f"the model uses {planned.column}, and this book {found}. Map it as the model's book did (words under "
                f"[deals.attributes], numbers under [deals.measures]), or {TRAIN_ANEW}"
            )


def read_rows(history: History, snapshots: pd.DataFrame, plan: FeaturePlan) -> Rows:
    """Features and terms of these snapshots; training and scoring both read them here."""
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
    """Call each row: probability, worth, hours, their index, and the verdict at the bar.

    Returns:
        A table of deal_id, as_of, win_probability, value_if_won (money), amount_imputed (none known, the typical one
        stands in), remaining_hours, expected_value (money), value_per_hour (money per hour), no_decision_if_lost (NaN
        where the model has no such head), bar, verdict; of verdicts to nurture, wait_for (words), wait_sign (the kind
        of activity) and wait_until (UTC). An undated model leaves remaining_hours and value_per_hour empty.
    """
    raw = model.heads.raw(rows.X)
    mean = raw.mean()
    one, each = model.heads.estimates(mean, rows.terms), model.heads.estimates(raw, rows.terms)
    expected = expected_value(one.win_probability, one.value_if_won)
    by_member = value_per_hour(
        expected_value(each.win_probability, each.value_if_won), each.remaining_hours, model.floor_hours
    )
    index = value_per_hour(expected, one.remaining_hours, model.floor_hours)
    undecided = _no_decision(model, rows.X)
    silent = rows.terms["silent_days"].to_numpy(dtype=np.float64)
    place = model.wait_table.place(silent, rows.terms["stage_name"])
    lifted = index * model.wait_table.lift(one.win_probability, place)
    waits = (place >= 0) & ((undecided >= LIKELY) | (lifted >= bar))
    verdict = verdicts(by_member, one.value_if_won, bar, model.signal, waits)
    place = np.where(verdict == "nurture", place, -1)
    table = rows.snapshots.assign(
        win_probability=one.win_probability,
        value_if_won=one.value_if_won,
        amount_imputed=rows.terms["amount"].isna().to_numpy(),
        remaining_hours=one.remaining_hours,
        expected_value=expected,
        value_per_hour=index,
        no_decision_if_lost=undecided,
        bar=np.float64(bar),
        verdict=verdict,
        wait_for=pd.array(model.wait_table.told(place), dtype="str"),
        wait_sign=pd.array(model.wait_table.sign(place), dtype="str"),
        wait_until=_wait_until(rows.snapshots, model.wait_table.left_days(silent, place)),
    )
    if model.undated:
        table = table.assign(remaining_hours=np.nan, value_per_hour=np.nan, verdict="unsure")
    above = walk_away_above(by_member, one.value_if_won, model.signal and not model.undated)
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
    """Call every deal open at each moment, at the bar of the dial that is set.

    Args:
        book: any book with dates.
        model: the champion, say.
        at: UTC moments.
        score_settings: the dial.

    Raises:
        UsageError: as of `check_askable`; or no deal is open.
        DataError: the book does not fit the model.
    """
    check_askable(book, model, at)
    snapshots = open_snapshots(book, at)
    if snapshots.empty:
        raise UsageError(
            f"no deal is open at {at.min():%Y-%m-%dT%H:%M}Z, so there is nothing to call. Use another moment."
        )
    return make_calls(
        model, read_rows(History(book), snapshots, model.plan), model.curve.bar_of(**score_settings.dial())
    )
