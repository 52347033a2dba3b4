"""Whether groups of deals (pipelines, say) sell so differently that the win head is better if it parts by them.

Decided as of the moment of training, so that folds are judged with the choice they would have made: both heads are
fitted on deals settled by an earlier moment, and compared on later looks at the deals settled since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from walkaway.asof import microseconds
from walkaway.config import HeadSettings
from walkaway.evaluation import DealDraws, interval, log_loss_rows
from walkaway.features import FeaturePlan
from walkaway.heads import Parting, TrainingRows, fit_win, latest_rows

__all__ = ["LEAST_DEALS", "find_parting"]

LEAST_DEALS = 100  # settled, for a group of its own: with fewer one model for all is better (decision 22)
LEAST_OF_KIND = 10  # of them won, and lost
MOST_GROUPS = 6
KNOWN_EARLIER = 0.6  # of the settled deals: what the comparison is fitted on


def _groups(rows: TrainingRows, column: int) -> tuple[int, ...]:
    """Codes of the values that have deals enough for a group of their own, most deals first."""
    first = np.unique(rows.deal, return_index=True)[1]
    won, code = rows.labels["won"].to_numpy()[first], rows.X[first, column]
    known = ~np.isnan(won) & ~np.isnan(code)
    table = pd.DataFrame({"code": code[known].astype(np.int64), "won": won[known]}).groupby("code")["won"]
    counts = pd.DataFrame({"deals": table.size(), "won": table.sum()})
    enough = counts[
        (counts["deals"] >= LEAST_DEALS)
        & (counts["won"] >= LEAST_OF_KIND)
        & (counts["deals"] - counts["won"] >= LEAST_OF_KIND)
    ]
    return tuple(int(code) for code in enough.sort_values("deals", ascending=False, kind="stable").index[:MOST_GROUPS])


def _candidates(rows: TrainingRows, plan: FeaturePlan, names: tuple[str, ...]) -> Iterator[Parting]:
    for name in names:
        column = f"attribute[{name}]"
        if column in plan.columns:
            at = plan.columns.index(column)
            groups = _groups(rows, at)
            if len(groups) > 1:
                yield Parting(at, groups)


def _some(rows: TrainingRows, mask: npt.NDArray[np.bool_]) -> TrainingRows:
    return replace(
        rows,
        X=np.ascontiguousarray(rows.X[mask]),
        terms=rows.terms[mask],
        labels=rows.labels[mask],
        weight=rows.weight[mask],
        deal=rows.deal[mask],
        no_decision=None,
    )


def _losses(
    seen: TrainingRows, later: TrainingRows, head_settings: HeadSettings, parting: Parting | None
) -> npt.NDArray[np.float64]:
    won = seen.labels["won"].to_numpy()
    head, _ = fit_win(seen.examples(won), head_settings, parting)
    return log_loss_rows(later.labels["won"].to_numpy(), expit(head.raw_by_member(later.X).mean(axis=0)))


def find_parting(
    rows: TrainingRows,
    plan: FeaturePlan,
    as_of: pd.Series,
    closed_at: pd.Series,
    head_settings: HeadSettings,
    draws: int,
) -> Parting | None:
    """What the win head's trees should part by first; None where that is not better beyond doubt (90%, over deals).

    Args:
        rows: all that training has.
        plan: its columns.
        as_of: of each row.
        closed_at: of each row's deal, as known at the moment of training.
        head_settings: of the heads; `part_by` names the attributes that are tried.
        draws: of the bootstrap.
    """
    candidates = list(_candidates(rows, plan, head_settings.part_by))
    if not candidates:
        return None
    settled, closed = rows.labels["settled"].to_numpy(dtype=bool), microseconds(closed_at)
    of_deals = np.sort(closed[settled & (latest_rows(rows.deal) == np.arange(len(rows.deal)))])
    cut = of_deals[int(KNOWN_EARLIER * len(of_deals))]
    seen = _some(rows, settled & (closed <= cut))
    later = _some(rows, settled & (microseconds(as_of) > cut))
    if len(later.deal) == 0 or seen.labels["won"].nunique() < 2:
        return None
    quick = head_settings.model_copy(update={"members": 2, "completion_rounds": 0})
    drawn, alone = DealDraws.of(later.deal, draws), _losses(seen, later, quick, None)
    gains = [interval(drawn.means(alone - _losses(seen, later, quick, one)))[0] for one in candidates]
    best = int(np.argmax(gains))
    return candidates[best] if gains[best] > 0 else None
