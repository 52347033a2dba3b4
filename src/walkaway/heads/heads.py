"""The three heads together: win probability, value if won, remaining hours. Only this package imports lightgbm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.config import HeadSettings
from walkaway.errors import DataError
from walkaway.heads.capacity import Capacity
from walkaway.heads.examples import Examples, Holdout, latest_rows
from walkaway.heads.hours import HoursHead, constant_hours, fit_hours
from walkaway.heads.no_decision import NoDecisionHead, fit_no_decision
from walkaway.heads.pooling import pooled_hours_share, pooled_share
from walkaway.heads.win import WinHead, fit_win
from walkaway.heads.worth import WorthHead, fit_worth

__all__ = [
    "Estimates",
    "Heads",
    "HoursHead",
    "NoDecisionHead",
    "TrainingRows",
    "WinHead",
    "WorthHead",
    "fit_heads",
    "pooling",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrainingRows:
    """What heads are fitted on; rows sorted by deal_id and as_of.

    X: features (rows, columns), float32. terms: amount, margin and assumed hours known at as_of. labels: of
    walkaway.asof.labels. weight: how much each row counts for the win head. deal: code of each row's deal. categorical:
    positions of category columns. no_decision: 1 or 0 for each row whose deal was lost for a known reason, NaN for all
    others. holdouts: by which the capacity of the heads is chosen. for_hours: the columns that the hours head reads;
    None for all.
    """

    X: npt.NDArray[np.float32]
    terms: pd.DataFrame
    labels: pd.DataFrame
    weight: FloatArray
    deal: npt.NDArray[np.int64]
    categorical: list[int]
    no_decision: FloatArray | None = None
    holdouts: tuple[Holdout, ...] = ()
    for_hours: list[int] | None = None

    def examples(self, target: FloatArray, *, weighted: bool = True) -> Examples:
        """These rows with a target, (rows,)."""
        return Examples(self.X, target, latest_rows(self.deal), self.categorical, self.weight if weighted else None)

    def check(self) -> None:
        """Refuse data without both won and lost deals.

        Raises:
            DataError: no snapshot, or no won or no lost deal among the settled ones.
        """
        outcomes = self.labels["won"].groupby(self.deal).first()
        won, lost = int((outcomes == 1).sum()), int((outcomes == 0).sum())
        if not won or not lost:
            unrecorded = " Where losses are not recorded, set lost_after_days." if won else ""
            raise DataError(
                f"training needs won and lost deals that were open at some snapshot; found {won} won and {lost} lost. "
                f"Use a later --until, or a book with more settled deals.{unrecorded}"
            )


@dataclass(frozen=True)
class Estimates:
    """Predictions for each row: by member of the bags (members, rows), or their mean (rows,)."""

    win_probability: FloatArray
    value_if_won: FloatArray
    remaining_hours: FloatArray


@dataclass(frozen=True)
class RawScores:
    """Raw scores of the bags before their links: by member (members, rows), or their mean (rows,).

    win: log-odds before calibration. ratio: ln of the share of today's amount that is left at signing. hours: ln of
    remaining_hours. Each booster predicts once; estimates by member and in the mean both come from here.
    """

    win: FloatArray
    ratio: FloatArray
    hours: FloatArray

    def mean(self) -> RawScores:
        """The mean over members, (rows,)."""
        return RawScores(self.win.mean(axis=0), self.ratio.mean(axis=0), self.hours.mean(axis=0))


@dataclass(frozen=True)
class Heads:
    """The three heads, trained together, and the no-decision head where reasons of losses are recorded."""

    win: WinHead
    worth: WorthHead
    hours: HoursHead
    no_decision: NoDecisionHead | None = None

    def raw(self, X: npt.NDArray[np.float32]) -> RawScores:
        """Raw scores of each member for each row, (members, rows); a head without a bag counts as one member."""
        return RawScores(
            self.win.raw_by_member(X), self.worth.log_ratio_by_member(X), self.hours.log_hours_by_member(X)
        )

    def estimates(self, raw: RawScores, terms: pd.DataFrame) -> Estimates:
        """Predictions from raw scores, in the same shape; `terms` holds amount, margin and assumed hours at as_of."""
        win, value = self.win.calibration.probability(raw.win), self.worth.value_of(raw.ratio, terms)
        assumed = terms["assumed_hours"].to_numpy(dtype=np.float64)
        return Estimates(win, value, np.where(np.isnan(assumed), np.exp(raw.hours), assumed))

    def estimate(self, X: npt.NDArray[np.float32], terms: pd.DataFrame) -> Estimates:
        """The prediction for each row, (rows,)."""
        return self.estimates(self.raw(X).mean(), terms)

    def estimate_by_member(self, X: npt.NDArray[np.float32], terms: pd.DataFrame) -> Estimates:
        """The prediction of each member of the bags, (members, rows)."""
        return self.estimates(self.raw(X), terms)


def pooling(rows: TrainingRows, head_settings: HeadSettings) -> dict[str, float]:
    """The weight of the linear model in the targets of the heads: `pooled_win` and `pooled_hours`, each 0 to 1."""
    settled = rows.labels["settled"].to_numpy(dtype=bool)
    return {
        "pooled_win": pooled_share(rows.labels["won"].to_numpy(), rows.deal, head_settings.pooling_deals),
        "pooled_hours": pooled_hours_share(settled, rows.deal, head_settings.pooling_hours_deals),
    }


def fit_heads(rows: TrainingRows, head_settings: HeadSettings) -> tuple[Heads, pd.DataFrame, dict[str, Capacity]]:
    """Fit the three heads.

    Returns:
        The heads, the completed labels they were trained on (won and remaining_hours, open deals included), and the
        capacity chosen for each head.

    Raises:
        DataError: no won or no lost deal.
    """
    rows.check()
    won = rows.labels["won"].to_numpy()
    settled = rows.labels["settled"].to_numpy(dtype=bool)
    capacity: dict[str, Capacity] = {}
    win, completed_won, capacity["win"] = fit_win(rows.examples(won), head_settings, rows.holdouts)
    observed = rows.labels["remaining_hours"].to_numpy()
    if rows.terms["assumed_hours"].notna().all():
        hours, completed_hours, capacity["hours"] = constant_hours(observed, head_settings)
    else:
        unweighted = rows.examples(observed, weighted=False).reading_only(rows.for_hours)
        hours, completed_hours, capacity["hours"] = fit_hours(unweighted, settled, head_settings, rows.holdouts)
    amount_at_close = np.where(won == 1, rows.labels["amount_at_close"].to_numpy(), np.nan)
    amounts = rows.examples(amount_at_close), rows.terms["amount"].to_numpy()
    worth, capacity["worth"] = fit_worth(*amounts, head_settings, rows.holdouts)
    no_decision = None
    if rows.no_decision is not None:
        lost = 1.0 - completed_won
        fitted = fit_no_decision(rows.examples(rows.no_decision), lost, head_settings, rows.holdouts)
        if fitted is not None:
            no_decision, capacity["no_decision"] = fitted
    completed = pd.DataFrame({"won": completed_won, "remaining_hours": completed_hours})
    return Heads(win, worth, hours, no_decision), completed, capacity
