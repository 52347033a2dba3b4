"""Books without dates: a model can predict wins from the deals' attributes, but not what an hour is worth.

Nothing shows what was known when, so there are no snapshots, no hours and no order in time. There is one row per deal.
Deals with the same values of all attributes are in the same fold, so that no model is tested on copies of its training
deals.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from walkaway.asof import History
from walkaway.audit import Audit, audit_book
from walkaway.book import MOMENT, Book
from walkaway.config import TrainSettings
from walkaway.economics import Curve
from walkaway.errors import DataError, UsageError
from walkaway.evaluation import fit_logistic, fit_naive_bayes, has_signal, win_metrics
from walkaway.features import FeaturePlan, known_words, plan_features
from walkaway.heads import Examples, Heads, HoursHead, WinHead, WorthHead, fit_bag, fit_calibration, fit_worth
from walkaway.models import Facts, Model, Rows, check_fits, learn_reference_profile, make_calls, read_rows
from walkaway.training.backtest import CALIBRATION_PRIOR_DEALS, Step, no_step
from walkaway.training.train import Trained

__all__ = ["score_undated", "summary_undated", "train_undated"]

LEAST_OF_EACH_TO_TRAIN = 20  # won and lost deals; with fewer, folds are too small for a test
PROBABILITIES = ["win_probability", "logistic", "naive_bayes", "base_rate"]


def rows_without_dates(book: Book, deals: pd.DataFrame, plan: FeaturePlan) -> Rows:
    no_moment = pd.Series(pd.NaT, index=range(len(deals)), dtype=MOMENT)
    snapshots = pd.DataFrame({"deal_id": deals["deal_id"].to_numpy(), "as_of": no_moment})
    return read_rows(History(book), snapshots, plan)


def _each_a_deal(X: npt.NDArray[np.float32], target: npt.NDArray[np.float64], plan: FeaturePlan) -> Examples:
    """Training rows, each of a different deal."""
    return Examples(X, target, np.arange(len(X)), plan.categorical)


def _fit_win(
    X: npt.NDArray[np.float32], won: npt.NDArray[np.float64], plan: FeaturePlan, train_settings: TrainSettings
) -> WinHead:
    heads = train_settings.heads
    bag = fit_bag(_each_a_deal(X, won, plan), "cross_entropy", heads.timeless, heads)
    return WinHead(float(won.mean()), bag)


def _fit_worth(rows: Rows, settled: pd.DataFrame, plan: FeaturePlan, train_settings: TrainSettings) -> WorthHead:
    at_close = np.where(settled["outcome"] == "won", settled["amount"].to_numpy(dtype=np.float64), np.nan)
    amount = rows.terms["amount"].to_numpy(dtype=np.float64)
    return fit_worth(_each_a_deal(rows.X, at_close, plan), amount, train_settings.heads)


def _closed(book: Book) -> tuple[pd.DataFrame, npt.NDArray[np.float64]]:
    """The closed deals in the order of their ids, and which of them were won (1 or 0)."""
    settled = book.deals[book.deals["outcome"].notna()].sort_values("deal_id").reset_index(drop=True)
    won = (settled["outcome"] == "won").to_numpy(dtype=np.float64)
    counts = int(won.sum()), int(len(won) - won.sum())
    if min(counts) < LEAST_OF_EACH_TO_TRAIN:
        raise DataError(
            f"a book without dates needs {LEAST_OF_EACH_TO_TRAIN} won and {LEAST_OF_EACH_TO_TRAIN} lost deals; found "
            f"{counts[0]} won and {counts[1]} lost. Export more closed deals."
        )
    return settled, won


def _too_alike(kinds: int) -> DataError:
    return DataError(
        f"the closed deals have only {kinds} different combinations of attribute values, too few to test a model on "
        "combinations it has not seen. Map more attributes."
    )


def _out_of_fold(
    rows: Rows,
    won: npt.NDArray[np.float64],
    alike: npt.NDArray[np.int64],
    plan: FeaturePlan,
    train_settings: TrainSettings,
    step: Step,
) -> pd.DataFrame:
    """Predictions by models that were fitted on other deals, none with the same attributes."""
    folds = StratifiedGroupKFold(max(train_settings.folds, 2), shuffle=True, random_state=train_settings.heads.seed)
    if (kinds := len(np.unique(alike))) < folds.n_splits:
        raise _too_alike(kinds)
    table = pd.DataFrame({"deal_id": rows.snapshots["deal_id"], "alike": alike, "won": won, "settled": True})
    predicted = np.zeros((5, len(won)))
    for k, (train, test) in enumerate(folds.split(rows.X, won, alike)):
        step("testing on other deals", k, folds.n_splits)
        if len(np.unique(won[train])) < 2:
            raise _too_alike(kinds)
        head = _fit_win(rows.X[train], won[train], plan, train_settings)
        baselines = [fit(rows.X[train], won[train], plan.categorical) for fit in (fit_logistic, fit_naive_bayes)]
        predicted[0, test] = head.raw_by_member(rows.X[test]).mean(axis=0)
        predicted[1, test] = head.calibration.probability(predicted[0, test])
        predicted[2, test], predicted[3, test] = (predict(rows.X[test]) for predict in baselines)
        predicted[4, test] = head.base_rate
    return table.assign(**dict(zip(("raw", *PROBABILITIES), predicted, strict=True)))


def _distinct(calls: pd.DataFrame) -> pd.DataFrame:
    """One row for deals with the same attributes and outcome, since copies are not new evidence."""
    return calls.drop_duplicates(["alike", "won"])


def _facts(book: Book, calls: pd.DataFrame, plan: FeaturePlan, audit: Audit, train_settings: TrainSettings) -> Facts:
    """What the model was trained on."""
    return Facts(
        deals=len(book.deals),
        won=int(calls["won"].sum()),
        lost=int((1 - calls["won"]).sum()),
        open=int(book.deals["outcome"].isna().sum()),
        distinct=len(_distinct(calls)),
        features=len(plan.columns),
        base_rate=float(calls["won"].mean()),
        book=book.manifest.fingerprint,
        source=book.manifest.source,
        currency=book.manifest.currency,
        left_out=tuple(audit.suspect_rows()),
        settings=train_settings.model_dump(mode="json", exclude={"heads": {"threads"}}),
    )


def train_undated(book: Book, train_settings: TrainSettings, step: Step = no_step) -> Trained:
    """Train and judge the win head on a book without dates.

    Args:
        book: one whose manifest says timeless.
        train_settings: of training; folds are grouped by deals that are alike.
        step: receives the progress.

    Returns:
        A model that leaves value_per_hour empty and is unsure of each deal. Tables: `win` over all deals, and
        `win_distinct` over those that are not copies of another.

    Raises:
        DataError: too few won or lost deals, too few kinds of deals, or no attribute.
    """
    settled, won = _closed(book)
    audit = audit_book(book, None, train_settings.audit, train_settings.features)
    plan = plan_features(book.without(audit.left_out), train_settings.features, audit.left_out)
    rows = rows_without_dates(book, settled, plan)
    alike = np.unique(np.nan_to_num(rows.X, nan=-1.0), axis=0, return_inverse=True)[1].reshape(-1)
    calls = _out_of_fold(rows, won, alike, plan, train_settings, step)
    step("fitting on all deals", 0, 1)
    by_kind = calls.assign(deal_id=calls["alike"])  # intervals over deals that are not alike
    tables = {
        "win": win_metrics(by_kind, PROBABILITIES, train_settings.bootstrap),
        "win_distinct": win_metrics(_distinct(by_kind), PROBABILITIES, train_settings.bootstrap),
    }
    signal = has_signal(by_kind, train_settings.bootstrap)
    calibration = fit_calibration(calls["raw"].to_numpy(), won, np.ones(len(won)), CALIBRATION_PRIOR_DEALS)
    win = _fit_win(rows.X, won, plan, train_settings)
    win = win.calibrated(calibration) if signal else win.without_signal()
    heads = Heads(win, _fit_worth(rows, settled, plan, train_settings), HoursHead(mean_hours=0.0))
    facts = _facts(book, calls, plan, audit, train_settings)
    seen = History(book).without(plan.left_out)
    words, none = known_words(seen.book, plan), pd.DataFrame()
    reference = learn_reference_profile(seen, plan, words, rows.snapshots, rows.X, none, None)
    curve = Curve((), (), (), ())
    model = Model(plan, heads, train_settings.floor_hours, curve, signal, facts, undated=True, reference=reference)
    return Trained(model, tables, calls, audit)


def score_undated(book: Book, model: Model) -> pd.DataFrame:
    """Call every open deal of a book without dates.

    Returns:
        One row an open deal, highest expected_value first: the columns of `make_calls`, with as_of and what needs hours
        empty, and model_version.

    Raises:
        UsageError: no deal is open.
        DataError: the book does not fit the model.
    """
    check_fits(book, model)
    still_open = book.deals[book.deals["outcome"].isna()]
    if still_open.empty:
        raise UsageError("no deal of this book is open: each has an outcome, so there is nothing to score.")
    table = make_calls(model, rows_without_dates(book, still_open, model.plan), bar=0.0).table
    table = table.assign(bar=np.nan, model_version=model.version)
    order = np.lexsort((table["deal_id"], -table["expected_value"]))
    return table.iloc[order].reset_index(drop=True)


def summary_undated(table: pd.DataFrame) -> dict[str, object]:
    """Calls without dates in a few plain numbers."""
    return {
        "calls": len(table),
        "open_deals": len(table),
        "timeless": True,
        "win_probability": float(table["win_probability"].mean()),
        "verdicts": {str(verdict): int(n) for verdict, n in table["verdict"].value_counts().items()},
        "model_version": str(table["model_version"].iloc[0]),
    }
