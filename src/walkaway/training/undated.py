"""Books without dates: a model can predict wins from the deals' attributes, but not what an hour is worth.

Nothing shows what was known when, so there are no snapshots and no hours. There is one row per deal. Where the
moments of creation are known, each model is tested on deals created later than those it learned from. Otherwise deals
with the same values of all attributes are in the same fold, so that no model is tested on copies of its training deals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from walkaway.asof import History
from walkaway.audit import Audit, audit_book
from walkaway.book import Book
from walkaway.config import EffortSettings, TrainSettings
from walkaway.economics import Curve
from walkaway.errors import DataError
from walkaway.evaluation import FitBaseline, beaten_by, has_signal, win_metrics
from walkaway.explaining import with_past_deals
from walkaway.features import FeaturePlan, known_words, plan_features
from walkaway.heads import (
    Capacity,
    Examples,
    Heads,
    Holdout,
    HoursHead,
    WinHead,
    WorthHead,
    fit_calibration,
    fit_win,
    fit_worth,
)
from walkaway.models import Facts, Model, Rows, learn_reference_profile, read_rows_without_dates
from walkaway.training.backtest import BASELINES, CALIBRATION_PRIOR_DEALS, Step, no_step
from walkaway.training.train import Trained

__all__ = ["train_undated"]

HOLDOUTS = 3  # parts of the deals, each of which is held out once while a capacity is chosen
LEAST_OF_EACH_TO_TRAIN = 20  # won and lost deals; with fewer, folds are too small for a test


def _each_a_deal(X: npt.NDArray[np.float32], target: npt.NDArray[np.float64], plan: FeaturePlan) -> Examples:
    """Training rows, each of a different deal."""
    return Examples(X, target, np.arange(len(X)), plan.categorical)


@dataclass(frozen=True)
class _Settled:
    """Closed deals, one a row: features, won (1 or 0), and a code shared by deals with the same attributes.

    created: the rank of the moment of creation, equal for equal moments; None where the book does not know it.
    """

    X: npt.NDArray[np.float32]
    won: npt.NDArray[np.float64]
    alike: npt.NDArray[np.int64]
    created: npt.NDArray[np.int64] | None = None

    def take(self, rows: npt.NDArray[np.int64]) -> _Settled:
        """Some of the deals."""
        return _Settled(
            self.X[rows], self.won[rows], self.alike[rows], None if self.created is None else self.created[rows]
        )

    def parts(self, count: int, seed: int) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Rows to fit on and rows to judge on, of which the former have both outcomes.

        Judged are deals created later than those fitted on. Where the creation is unknown, judged are deals with other
        attributes than those fitted on.
        """
        if self.created is None:
            folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
            found = [(fit, judge) for fit, judge in folds.split(self.X, self.won, self.alike)]
        else:
            before = np.searchsorted(np.sort(self.created), self.created)  # how many were created earlier
            block = before * (count + 1) // max(len(before), 1)
            found = [(np.flatnonzero(block < k), np.flatnonzero(block == k)) for k in range(1, count + 1)]
        return [(fit, judge) for fit, judge in found if len(judge) and len(np.unique(self.won[fit])) == 2]

    def in_order(self, created_at: pd.Series, count: int) -> _Settled:
        """The deals with the order of their creation, if it tells any to fit on from any to judge on."""
        ranks = created_at.rank(method="dense").fillna(0).to_numpy(dtype=np.int64)  # without a date: never judged on
        ordered = replace(self, created=ranks)
        return ordered if created_at.notna().any() and ordered.parts(count, seed=0) else self


def _fit_win(deals: _Settled, plan: FeaturePlan, train_settings: TrainSettings) -> tuple[WinHead, Capacity]:
    heads = train_settings.heads
    heads = heads.model_copy(update={"win": heads.timeless, "decay": 1.0})  # each deal has one row
    examples = replace(_each_a_deal(deals.X, deals.won, plan), weight=np.ones(len(deals.X)))
    head, _, capacity = fit_win(examples, heads, _holdouts(deals, heads.seed))
    return replace(head, base_rate=float(deals.won.mean())), capacity


def _holdouts(deals: _Settled, seed: int) -> tuple[Holdout, ...]:
    """Parts of the deals to judge on: created later than the rest, or none with the same attributes as one in it."""
    if deals.created is None and len(np.unique(deals.alike)) < HOLDOUTS:
        return ()
    count = HOLDOUTS if deals.created is None else HOLDOUTS - 1  # of deals in order, the first part is only fitted on
    rows = np.arange(len(deals.X))
    found = [Holdout(np.isin(rows, fit), np.isin(rows, judge)) for fit, judge in deals.parts(count, seed)]
    both = all(len(np.unique(deals.won[part])) == 2 for holdout in found for part in (holdout.fit, holdout.judge))
    return tuple(found) if both else ()


def _fit_worth(rows: Rows, settled: pd.DataFrame, plan: FeaturePlan, train_settings: TrainSettings) -> WorthHead:
    at_close = np.where(settled["outcome"] == "won", settled["amount"].to_numpy(dtype=np.float64), np.nan)
    amount = rows.terms["amount"].to_numpy(dtype=np.float64)
    return fit_worth(_each_a_deal(rows.X, at_close, plan), amount, train_settings.heads)[0]


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
    deal_id: pd.Series,
    deals: _Settled,
    plan: FeaturePlan,
    train_settings: TrainSettings,
    baselines: Mapping[str, FitBaseline],
    step: Step,
) -> pd.DataFrame:
    """Predictions by models that were fitted on other deals (`_Settled.parts`); deals never judged on are left out."""
    count, kinds = max(train_settings.folds, 2), len(np.unique(deals.alike))
    if kinds < (count if deals.created is None else 2):
        raise _too_alike(kinds)
    parts = deals.parts(count, train_settings.heads.seed)
    if not parts or (deals.created is None and len(parts) < count):
        raise _too_alike(kinds)
    table = pd.DataFrame({"deal_id": deal_id, "alike": deals.alike, "won": deals.won, "settled": True})
    predicted = {name: np.full(len(table), np.nan) for name in ("raw", "win_probability", *baselines, "base_rate")}
    for k, (fitted, judged) in enumerate(parts):
        step("testing on other deals", k, len(parts))
        fit, X = deals.take(fitted), deals.X[judged]
        head, _ = _fit_win(fit, plan, train_settings)
        predicted["raw"][judged] = head.raw_by_member(X).mean(axis=0)
        predicted["win_probability"][judged] = head.calibration.probability(predicted["raw"][judged])
        for name, fit_baseline in baselines.items():
            predicted[name][judged] = fit_baseline(fit.X, fit.won, plan.categorical)(X)
        predicted["base_rate"][judged] = head.base_rate
    calls = table.assign(**predicted)
    return calls[calls["raw"].notna()].reset_index(drop=True)


def _distinct(calls: pd.DataFrame) -> pd.DataFrame:
    """One row for deals with the same attributes and outcome, since copies are not new evidence."""
    return calls.drop_duplicates(["alike", "won"])


def _facts(
    book: Book,
    deals: _Settled,
    distinct: int,
    plan: FeaturePlan,
    audit: Audit,
    capacity: Capacity,
    tables: dict[str, pd.DataFrame],
    tested: int,
    train_settings: TrainSettings,
) -> Facts:
    """What the model was trained on."""
    return Facts(
        deals=len(book.deals),
        won=int(deals.won.sum()),
        lost=int((1 - deals.won).sum()),
        open=int(book.deals["outcome"].isna().sum()),
        distinct=distinct,
        tested_by_creation=deals.created is not None,
        features=len(plan.columns),
        base_rate=float(deals.won.mean()),
        book=book.manifest.fingerprint,
        source=book.manifest.source,
        currency=book.manifest.currency,
        effort=EffortSettings(),  # each deal counts 1: nothing is known of hours
        counts_wins=not book.records_amounts,
        capacity={"win": capacity.as_json()},
        beaten_by=beaten_by(tables),
        left_out=tuple(audit.suspect_rows()),
        tested=_tested(tables["win"], tested),
        settings=train_settings.model_dump(mode="json", exclude={"heads": {"threads"}}),
    )


def _tested(win: pd.DataFrame, deals: int) -> dict[str, float]:
    own = win.loc["win_probability"]
    measured = {"auc": own["auc"], "log_loss": own["log_loss"], "base_log_loss": win.loc["base_rate", "log_loss"]}
    return {"deals": float(deals)} | {name: float(value) for name, value in measured.items()}


def train_undated(
    book: Book,
    train_settings: TrainSettings,
    step: Step = no_step,
    *,
    baselines: Mapping[str, FitBaseline] = BASELINES,
) -> Trained:
    """Train and judge the win head on a book without dates.

    Args:
        book: one whose manifest says timeless.
        train_settings: of training; folds are in the order of creation, or grouped by deals that are alike.
        step: receives the progress.
        baselines: simple models fitted beside ours in every fold, by name.

    Returns:
        A model that leaves value_per_hour empty and is unsure of each deal. Tables: `win` over all deals, and
        `win_distinct` over those that are not copies of another.

    Raises:
        DataError: too few won or lost deals, too few kinds of deals, or no attribute.
    """
    settled, won = _closed(book)
    audit = audit_book(book, None, train_settings.audit, train_settings.features)
    plan = plan_features(book.without(audit.left_out), train_settings.features, audit.left_out)
    rows = read_rows_without_dates(book, settled, plan)
    alike = np.unique(np.nan_to_num(rows.X, nan=-1.0), axis=0, return_inverse=True)[1].reshape(-1)
    deals = _Settled(rows.X, won, alike).in_order(settled["created_at"], max(train_settings.folds, 2))
    calls = _out_of_fold(settled["deal_id"], deals, plan, train_settings, baselines, step)
    judged = ["win_probability", *baselines, "base_rate"]
    step("fitting on all deals", 0, 1)
    by_kind = calls.assign(deal_id=calls["alike"])  # intervals over deals that are not alike
    tables = {
        "win": win_metrics(by_kind, judged, train_settings.bootstrap),
        "win_distinct": win_metrics(_distinct(by_kind), judged, train_settings.bootstrap),
    }
    signal = has_signal(by_kind, train_settings.bootstrap)
    raw, ends = calls["raw"].to_numpy(), calls["won"].to_numpy()
    calibration = fit_calibration(raw, ends, np.ones(len(ends)), CALIBRATION_PRIOR_DEALS)
    win, capacity = _fit_win(deals, plan, train_settings)
    win = win.calibrated(calibration) if signal else win.without_signal()
    heads = Heads(win, _fit_worth(rows, settled, plan, train_settings), HoursHead(mean_hours=1.0))
    distinct = len(np.unique(np.column_stack([alike, won]), axis=0))
    facts = _facts(book, deals, distinct, plan, audit, capacity, tables, len(calls), train_settings)
    seen = History(book).without(plan.left_out)
    words, none = known_words(seen.book, plan), pd.DataFrame()
    reference = learn_reference_profile(seen, plan, words, rows.snapshots, rows.X, none, None)
    curve = Curve((), (), (), ())
    model = Model(plan, heads, 0.0, curve, signal, facts, undated=True, reference=reference)  # each deal counts 1 hour
    model = with_past_deals(model, rows, np.arange(len(won)), _ends(settled, won), train_settings.remembered_snapshots)
    return Trained(model, tables, calls, audit)


def _ends(settled: pd.DataFrame, won: npt.NDArray[np.float64]) -> pd.DataFrame:
    """How closed deals ended: won, remaining_hours (each deal counts 1), and worth (each win 1 without amounts)."""
    amounts = settled["amount"].notna().any()
    worth = (settled["amount"] * settled["margin"].fillna(1.0)).to_numpy() if amounts else np.ones(len(won))
    return pd.DataFrame({"won": won, "remaining_hours": 1.0, "worth": np.where(won == 1, worth, 0.0)})
