"""The recipe followed to a moment: leak audit, heads, folds, calibration. What it takes to judge by, and no more.

What a model in use needs besides (its curve, what it watches and remembers) is added by `training.train`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from walkaway.asof import History, check_not_far_ahead, known
from walkaway.audit import Audit
from walkaway.book import Book
from walkaway.config import FeatureSettings, TrainSettings
from walkaway.evaluation import has_signal
from walkaway.features import plan_features, refuse_unknown
from walkaway.heads import Heads
from walkaway.models import Facts, Model
from walkaway.training.backtest import Folds, Step, calibrated, no_step, roll
from walkaway.training.fitting import NO_CURVE, Fitted, audit_as_of, fit_as_of

__all__ = ["Followed", "follow", "settled_of"]


@dataclass(frozen=True)
class Followed:
    """What the recipe came to.

    history: of the book as known by then. asked: the settings as given; settings: without the features that the audit
    denies. final: the heads fitted on all of it. folds: what earlier models said (`backtest.Folds`). heads: as a model
    uses them, calibrated, or the base rate where `signal` is False.
    """

    history: History
    asked: TrainSettings
    settings: TrainSettings
    audit: Audit
    final: Fitted
    folds: Folds
    heads: Heads
    signal: bool

    def model(self) -> Model:
        """A model that says what the heads say: without a curve, and without anything to explain it by."""
        return Model(self.final.plan, self.heads, self.settings.floor_hours, NO_CURVE, self.signal, Facts())


def follow(
    book: Book,
    until: pd.Timestamp,
    train_settings: TrainSettings,
    step: Step = no_step,
    *,
    looks: bool = False,
    older: bool = False,
) -> Followed:
    """Follow the recipe on what a book knew at a moment; arguments and errors as of `train`.

    Args:
        looks: whether folds also call at the pace of use, for a curve.
        older: whether folds also call what newer ones do, to tell what age costs.
    """
    check_not_far_ahead(book, until, "--until")
    book = known(book, until)
    if len(book.deals) and train_settings.features != FeatureSettings():
        refuse_unknown(train_settings.features, plan_features(book).columns)  # folds know fewer words, so here, once
    history = History(book)
    step("leak audit", 0, 1)
    audit = audit_as_of(book, until, train_settings)
    settings = train_settings.without_features(audit.denied)
    step("heads on all data", 0, 1)
    final = fit_as_of(history, until, settings, audit.left_out)
    folds = roll(history, final, settings, step, looks=looks, older=older)
    step("judging", 0, 1)
    settled = settled_of(folds.calls)
    signal = not settled.empty and has_signal(settled, settings.bootstrap)
    heads = _finished(final, folds.calls, signal)
    return Followed(history, train_settings, settings, audit, final, folds, heads, signal)


def settled_of(calls: pd.DataFrame) -> pd.DataFrame:
    """The out-of-time calls of settled deals; none where they all ended one way, since nothing can be judged then."""
    settled = calls[calls["settled"].astype(bool)] if len(calls) else calls
    return settled.iloc[:0] if settled.empty or settled["won"].nunique() < 2 else settled


def _finished(final: Fitted, calls: pd.DataFrame, signal: bool) -> Heads:
    """The heads as exported: calibrated by what the folds said, the base rate where they said no more than that."""
    known_ends = pd.DataFrame()
    if len(calls):
        columns = {"won_completed": "won", "remaining_hours_truth": "remaining_hours"}
        known_ends = calls[list(columns)].rename(columns=columns)
    heads = calibrated(final.heads, calls, known_ends, final.every_days)
    return heads if signal else replace(heads, win=final.heads.win.without_signal())
