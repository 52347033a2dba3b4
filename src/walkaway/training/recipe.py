"""The training recipe as of one moment: leak audit, heads, backtest, calibration.

That is all that a comparison of models needs. `training.train` adds what only a model in use needs: the curve, the
reference profile for drift, and past deals for explanations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from walkaway.asof import History, check_not_far_ahead, known
from walkaway.audit import Audit
from walkaway.book import Book
from walkaway.config import FeatureSettings, TrainSettings
from walkaway.evaluation import FitBaseline, has_signal, judged
from walkaway.features import plan_features, refuse_unknown
from walkaway.heads import Heads
from walkaway.models import Facts, Model
from walkaway.training.backtest import BASELINES, Backtest, Step, backtest, calibrated, experienced, no_step
from walkaway.training.fitting import NO_CURVE, Fitted, audit_as_of, fit_as_of

__all__ = ["FittedRecipe", "fit_and_backtest", "judged_of"]


@dataclass(frozen=True)
class FittedRecipe:
    """What the recipe gives as of one moment.

    history: of the book as known then. asked: the settings as given. settings: the same without the features that the
    audit denies. final: the heads fitted on all that was known. backtest: calls by models trained earlier. heads: as a
    model uses them, which is calibrated, or with the base rate where `signal` is False.
    """

    history: History
    asked: TrainSettings
    settings: TrainSettings
    audit: Audit
    final: Fitted
    backtest: Backtest
    heads: Heads
    signal: bool

    @property
    def floor_hours(self) -> float:
        """Hours added to every deal."""
        return self.final.floor_hours(self.settings)

    def model(self) -> Model:
        """A model of these heads, without a curve and without past deals to explain its calls by."""
        return Model(self.final.plan, self.heads, self.floor_hours, NO_CURVE, self.signal, Facts())


def fit_and_backtest(
    book: Book,
    until: pd.Timestamp,
    train_settings: TrainSettings,
    step: Step = no_step,
    *,
    looks: bool = False,
    older: bool = False,
    baselines: Mapping[str, FitBaseline] = BASELINES,
) -> FittedRecipe:
    """Fit the recipe on what a book knew at a moment, and backtest it; other arguments and errors as of `train`.

    Args:
        looks: whether folds also make calls as often as they are made in use, for a curve.
        older: whether folds also call the later snapshots of newer folds, to measure what age costs.
        baselines: simple models fitted beside ours in every fold, by name.
    """
    check_not_far_ahead(book, until, "--until")
    book = known(book, until)
    if len(book.deals) and train_settings.features != FeatureSettings():
        refuse_unknown(train_settings.features, plan_features(book).columns)  # here, as folds know fewer words
    history = History(book)
    step("leak audit", 0, 1)
    audit = audit_as_of(book, until, train_settings)
    settings = train_settings.without_features(audit.denied)
    step("fitting on all data", 0, 1)
    final = fit_as_of(history, until, settings, audit.left_out)
    tested = backtest(history, final, settings, step, looks=looks, older=older, baselines=baselines)
    step("measuring", 0, 1)
    taught = tested.calls[experienced(tested.calls, book.deals, until)]
    signal = _has_signal(taught if len(taught) else tested.calls, settings.bootstrap)
    heads = _finished(final, taught, signal)
    return FittedRecipe(history, train_settings, settings, audit, final, tested, heads, signal)


def _with_both_outcomes(calls: pd.DataFrame) -> pd.DataFrame:
    """These calls; none of them if all were won or all lost, since nothing can be measured then."""
    return calls.iloc[:0] if calls.empty or calls["won"].nunique() < 2 else calls


def judged_of(calls: pd.DataFrame) -> pd.DataFrame:
    """The out-of-time calls that metrics of wins are of: those that had time to end, and whose deal has ended."""
    return _with_both_outcomes(calls[judged(calls)])


def _has_signal(calls: pd.DataFrame, draws: int) -> bool:
    """Whether the calls are better than the base rate on all deals that have ended.

    On those alone that had time to end a small book would lose its signal (decision 37).
    """
    settled = _with_both_outcomes(calls[calls["settled"].astype(bool)]) if len(calls) else calls
    return not settled.empty and has_signal(settled, draws)


def _finished(final: Fitted, calls: pd.DataFrame, signal: bool) -> Heads:
    """The heads of the saved model: calibrated by the backtest; with the base rate where that showed no signal."""
    known_ends = pd.DataFrame()
    if len(calls):
        columns = {"won_completed": "won", "remaining_hours_truth": "remaining_hours"}
        known_ends = calls[list(columns)].rename(columns=columns)
    heads = calibrated(final.heads, calls, known_ends, final.every_days)
    return heads if signal else replace(heads, win=final.heads.win.without_signal())
