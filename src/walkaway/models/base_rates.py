"""What a model keeps of past deals, so that its explanations can be compared with what happened.

These are base rates (how many deals with a feature's value were won), groups of correlated features that are shown
together, rates of buyer events, and some settled snapshots, in which similar deals are searched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from walkaway.binning import cells_of, equal_edges
from walkaway.features import FeaturePlan, PlannedFeature
from walkaway.models.buyer_events import BuyerEvents
from walkaway.models.enough import LEAST_DEALS_A_RATE

__all__ = ["BaseRates", "ColumnRates", "PastDeals", "PastOutcomes", "Settled", "groups_alike", "learn_base_rates"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BINS = 10
ALL = "all"  # the name of the rates of all deals, whatever their features
ALIKE = 0.75  # rank correlation from which two features are grouped
MOST_RANKED = 20_000  # snapshots used for the correlations


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnRates(_Frozen):
    """For each cell of a feature: settled deals that were ever in it, how many were won, their hours and their worth.

    Cells of numbers are bounded by `edges`; an edge belongs to the cell below. Cells of categories are their codes. The
    last cell holds missing values. Rows: all deals, then those at each stage. hours and worth (money): those that came
    after a deal's first snapshot in the cell.
    """

    edges: tuple[float, ...] | None
    deals: tuple[tuple[int, ...], ...]
    won: tuple[tuple[int, ...], ...]
    hours: tuple[tuple[float, ...], ...]
    worth: tuple[tuple[float, ...], ...]

    def cells(self, values: npt.NDArray[np.floating]) -> IntArray:
        """The cell of each value."""
        return cells_of(values, self.edges, len(self.deals[0]))


class PastOutcomes(NamedTuple):
    """How past deals like each row's deal ended, one entry per row; all 0 where there were too few such deals.

    deals: how many. won: how many of them were won. value_per_hour: worth won over hours booked, both from then on.
    """

    deals: IntArray
    won: IntArray
    value_per_hour: FloatArray


class BaseRates(_Frozen):
    """Outcomes of settled deals by feature value and stage; a deal counts once in each cell that it was ever in."""

    stages: tuple[str, ...] = ()
    columns: dict[str, ColumnRates] = {}

    def of_all(self, stage: pd.Series) -> PastOutcomes:
        """Outcomes of all settled deals that were ever in each row's stage; of any stage where these are too few."""
        return self.of(ALL, np.zeros(len(stage)), stage)

    def of(self, column: str, values: npt.NDArray[np.floating], stage: pd.Series) -> PastOutcomes:
        """Outcomes of settled deals that ever had a value in the same cell while in the same stage.

        Where these are fewer than LEAST_DEALS_A_RATE, deals of any stage are used; if these are too few as well, 0.

        Args:
            column: name of a feature.
            values: of that feature, (rows,).
            stage: of each row's deal.

        >>> counts = {"deals": ((90, 40, 0), (9, 30, 0)), "won": ((9, 20, 0), (1, 3, 0))}
        >>> sums = {"hours": ((10.0, 10.0, 0.0), (1.0, 5.0, 0.0)), "worth": ((900.0, 900.0, 0.0), (100.0, 50.0, 0.0))}
        >>> rates = BaseRates(stages=("offer",), columns={"age_days": ColumnRates(edges=(5.0,), **counts, **sums)})
        >>> outcomes = rates.of("age_days", np.array([2.0, 7.0]), pd.Series(["offer", "offer"]))
        >>> [values.tolist() for values in outcomes]
        [[90, 30], [9, 3], [90.0, 10.0]]
        """
        rates = self.columns.get(column)
        if rates is None:
            none = np.zeros(len(values), dtype=np.int64)
            return PastOutcomes(none, none, none.astype(np.float64))
        deals, won = np.array(rates.deals, dtype=np.int64), np.array(rates.won, dtype=np.int64)
        hours, worth = np.array(rates.hours), np.array(rates.worth)
        at = pd.Index(self.stages).get_indexer(pd.Index(stage)) + 1
        cell = rates.cells(values)
        at = np.where(deals[at, cell] >= LEAST_DEALS_A_RATE, at, 0)
        enough = deals[at, cell] >= LEAST_DEALS_A_RATE
        per_hour = np.divide(worth, hours, out=np.zeros_like(worth), where=hours > 0)
        return PastOutcomes(*(np.where(enough, values[at, cell], 0) for values in (deals, won, per_hour)))


@dataclass(frozen=True)
class Settled:
    """Some settled snapshots as the model saw them.

    ends: deal_id, as_of, won (1 or 0), remaining_hours (booked after as_of), worth (money). terms: logarithms of the
    factors of value per hour (`explaining.attribute`), (rows, terms), float32.
    """

    ends: pd.DataFrame
    terms: npt.NDArray[np.float32]


@dataclass(frozen=True)
class PastDeals:
    """What a model keeps of past deals, to explain its calls.

    rates: by feature value. groups: correlated columns that are shown together; if empty, each feature is shown alone.
    buyer_events: rates of what buyers may do. typical_margin: the median margin rate, with which margins are compared;
    1 where most snapshots have none. settled: snapshots in which similar deals are searched; None in models that only
    make calls.
    """

    rates: BaseRates = field(default_factory=BaseRates)
    groups: tuple[tuple[str, ...], ...] = ()
    buyer_events: BuyerEvents = field(default_factory=BuyerEvents)
    typical_margin: float = 1.0
    settled: Settled | None = None


def _sums(deal: IntArray, key: IntArray, ends: FloatArray, keys: int) -> FloatArray:
    """Sums of each end over the deals that have each key; the first row of a deal with the key counts."""
    first = np.unique(deal * keys + key, return_index=True)[1]
    return np.stack([np.bincount(key[first], end[first], minlength=keys) for end in ends])


def _column_rates(
    values: npt.NDArray[np.floating],
    categories: int | None,
    stage: IntArray,
    stages: int,
    deal: IntArray,
    ends: FloatArray,
) -> ColumnRates:
    edges = equal_edges(values, BINS) if categories is None else None
    cells = (len(edges) + 1 if edges is not None else categories or 0) + 1
    cell = cells_of(values, edges, cells)
    of_all, staged = _sums(deal, cell, ends, cells), stage >= 0
    key = stage[staged] * cells + cell[staged]
    by_stage = _sums(deal[staged], key, ends[:, staged], stages * cells).reshape(len(ends), stages, cells)
    deals, won, hours, worth = np.concatenate([of_all[:, None, :], by_stage], axis=1).round(2).tolist()
    counts = [[[int(n) for n in row] for row in table] for table in (deals, won)]
    return ColumnRates(edges=edges, deals=counts[0], won=counts[1], hours=hours, worth=worth)


def learn_base_rates(
    X: npt.NDArray[np.float32], plan: FeaturePlan, stage: pd.Series, deal: IntArray, ends: pd.DataFrame
) -> BaseRates:
    """Base rates of every feature, from settled snapshots.

    Args:
        X: features of settled snapshots, (rows, columns).
        plan: the columns of X.
        stage: of each row's deal at that moment; missing where none was recorded.
        deal: code of each row's deal; rows sorted by deal and moment.
        ends: won (1 or 0), remaining_hours, and worth (money; missing where none was recorded) of each row.
    """
    if not len(X):
        return BaseRates()
    names = tuple(sorted(stage.dropna().unique()))
    at = pd.Index(names).get_indexer(pd.Index(stage))
    code = np.unique(deal, return_inverse=True)[1]
    outcomes = [ends[name].fillna(0.0).to_numpy(dtype=np.float64) for name in ("won", "remaining_hours", "worth")]
    sums = np.stack([np.ones(len(X)), *outcomes])
    categories = {i: len(plan.features[i].categories) for i in plan.categorical}
    columns = {
        name: _column_rates(X[:, i], categories.get(i), at, len(names), code, sums)
        for i, name in enumerate(plan.columns)
    }
    columns[ALL] = _column_rates(np.zeros(len(X)), 1, at, len(names), code, sums)
    return BaseRates(stages=names, columns=columns)


def groups_alike(X: npt.NDArray[np.float32], plan: FeaturePlan) -> tuple[tuple[str, ...], ...]:
    """Groups of similar features, by rank correlation over snapshots (average linkage).

    Each feature is in exactly one group. A missing value (the event never happened) ranks after all others. Features of
    the same kind of activity (how often, how long ago, begun or done) or of the same direction are always grouped,
    whatever their correlation. Categories have no order, so each is its own group.

    Args:
        X: features, (rows, columns).
        plan: the columns of X.

    >>> plan = FeaturePlan.model_validate({"features": [{"feature": f} for f in ("age_days", "touches", "people")]})
    >>> groups_alike(np.array([[1.0, 2.0, 1.0], [2.0, 3.0, 0.0], [3.0, 4.0, 2.0], [4.0, 5.0, 1.0]]), plan)
    (('age_days', 'touches'), ('people',))
    """
    columns, categories = plan.columns, set(plan.categorical)
    numbers = [i for i in range(len(columns)) if i not in categories]
    every = -(-len(X) // MOST_RANKED) or 1
    ranks = rankdata(np.nan_to_num(X[::every][:, numbers], nan=np.inf), axis=0) if numbers else np.zeros((0, 0))
    code = np.arange(len(columns))
    if len(numbers) > 1 and len(ranks) > 2:
        code[numbers] = len(columns) + _clusters(ranks, [_subject(plan.features[i]) for i in numbers])
    groups: dict[int, list[str]] = {}
    for name, group in zip(columns, code, strict=True):
        groups.setdefault(int(group), []).append(name)
    return tuple(map(tuple, groups.values()))


def _subject(planned: PlannedFeature) -> str:
    """The kind of activity or the direction that a feature is about; otherwise the feature's own name."""
    return (planned.word or planned.column).partition(" / ")[0]


def _clusters(ranks: FloatArray, subjects: list[str]) -> IntArray:
    spread = ranks.std(axis=0)
    scaled = (ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    distance = np.clip(1.0 - np.abs(scaled.T @ scaled) / len(ranks), 0.0, 1.0)
    about = np.array(subjects)
    distance[about[:, None] == about] = 0.0
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), "average")
    clusters: IntArray = fcluster(tree, 1.0 - ALIKE, "distance").astype(np.int64)
    return clusters
