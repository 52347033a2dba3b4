"""What a model remembers of settled deals, so that reasons can be held against what happened.

Three things: how many deals that once looked so were won (base rates), which features say much the same and are told
together, and a few settled snapshots as the model saw them, among which deals like another are looked for.
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
ALL = "all"  # stands for no feature in particular: what became of all deals
ALIKE = 0.75  # rank correlation from which on two features say much the same
MOST_RANKED = 20_000


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnRates(_Frozen):
    """Of one feature: how many settled deals once lay in each cell, how many of them were won, and what they brought.

    Cells of numbers are bounded by `edges`, an edge belonging to the cell below; those of categories are their codes;
    the last cell is of missing values. Rows: all deals, then those at each stage. `hours` and `worth` (money) are those
    that came after a deal's first look in the cell.
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
    """What became of deals that were once so, one entry a row; no deals where too few were.

    deals: how many. won: how many of them. value_per_hour: worth won from then on over hours booked from then on.
    """

    deals: IntArray
    won: IntArray
    value_per_hour: FloatArray


class BaseRates(_Frozen):
    """What became of settled deals that were once at a value, by feature; a deal counts once in each cell it was in."""

    stages: tuple[str, ...] = ()
    columns: dict[str, ColumnRates] = {}

    def of_all(self, stage: pd.Series) -> PastOutcomes:
        """What became of all settled deals that were once in each row's stage; of any stage where too few were."""
        return self.of(ALL, np.zeros(len(stage)), stage)

    def of(self, column: str, values: npt.NDArray[np.floating], stage: pd.Series) -> PastOutcomes:
        """What became of settled deals that were once at values like these in the same stage.

        Deals of any stage stand in where fewer than LEAST_DEALS_A_RATE were so in this one; still fewer count as none.

        Args:
            column: of the features.
            values: of that feature, (rows,).
            stage: of each row's deal.

        >>> told = {"deals": ((90, 40, 0), (9, 30, 0)), "won": ((9, 20, 0), (1, 3, 0))}
        >>> told |= {"hours": ((10.0, 10.0, 0.0), (1.0, 5.0, 0.0)), "worth": ((900.0, 900.0, 0.0), (100.0, 50.0, 0.0))}
        >>> rates = BaseRates(stages=("offer",), columns={"age_days": ColumnRates(edges=(5.0,), **told)})
        >>> became = rates.of("age_days", np.array([2.0, 7.0]), pd.Series(["offer", "offer"]))
        >>> [values.tolist() for values in became]
        [[90, 30], [9, 3], [90.0, 10.0]]
        """
        told = self.columns.get(column)
        if told is None:
            none = np.zeros(len(values), dtype=np.int64)
            return PastOutcomes(none, none, none.astype(np.float64))
        deals, won = np.array(told.deals, dtype=np.int64), np.array(told.won, dtype=np.int64)
        hours, worth = np.array(told.hours), np.array(told.worth)
        at = pd.Index(self.stages).get_indexer(pd.Index(stage)) + 1
        cell = told.cells(values)
        at = np.where(deals[at, cell] >= LEAST_DEALS_A_RATE, at, 0)
        enough = deals[at, cell] >= LEAST_DEALS_A_RATE
        rate = np.divide(worth, hours, out=np.zeros_like(worth), where=hours > 0)
        return PastOutcomes(*(np.where(enough, told[at, cell], 0) for told in (deals, won, rate)))


@dataclass(frozen=True)
class Settled:
    """Settled snapshots as the model saw them, those of a deal apart.

    ends: deal_id, as_of, won (1 or 0), remaining_hours (booked after as_of), worth (money). terms: logarithms of the
    factors of value per hour (`explain.attribute`), (rows, terms), float32.
    """

    ends: pd.DataFrame
    terms: npt.NDArray[np.float32]


@dataclass(frozen=True)
class PastDeals:
    """What a model remembers of settled deals.

    groups: columns that say much the same, told together; each of the features is in one, or stands alone where there
    is no group. typical_margin: the rate that half of the snapshots have at least, 1 where most have none; a reason is
    held against it. settled: None where nothing is looked for (a replay's models).
    """

    rates: BaseRates = field(default_factory=BaseRates)
    groups: tuple[tuple[str, ...], ...] = ()
    buyer_events: BuyerEvents = field(default_factory=BuyerEvents)
    typical_margin: float = 1.0
    settled: Settled | None = None


def _sums(deal: IntArray, key: IntArray, ends: FloatArray, keys: int) -> FloatArray:
    """Of the different deals that have each key, by the first row that has it: the sum of each end."""
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
    whole = [[[int(n) for n in row] for row in counts] for counts in (deals, won)]
    return ColumnRates(edges=edges, deals=whole[0], won=whole[1], hours=hours, worth=worth)


def learn_base_rates(
    X: npt.NDArray[np.float32], plan: FeaturePlan, stage: pd.Series, deal: IntArray, ends: pd.DataFrame
) -> BaseRates:
    """Base rates of every feature, from settled snapshots.

    Args:
        X: features of settled snapshots, (rows, columns).
        plan: the columns of X.
        stage: of each row's deal then; missing where none was recorded.
        deal: code of each row's deal; rows sorted by deal and moment.
        ends: won (1 or 0), remaining_hours, and worth (money; missing where none was recorded) of each row.
    """
    if not len(X):
        return BaseRates()
    names = tuple(sorted(stage.dropna().unique()))
    at = pd.Index(names).get_indexer(pd.Index(stage))
    code = np.unique(deal, return_inverse=True)[1]
    told = [ends[name].fillna(0.0).to_numpy(dtype=np.float64) for name in ("won", "remaining_hours", "worth")]
    sums = np.stack([np.ones(len(X)), *told])
    categories = {i: len(plan.features[i].categories) for i in plan.categorical}
    columns = {
        name: _column_rates(X[:, i], categories.get(i), at, len(names), code, sums)
        for i, name in enumerate(plan.columns)
    }
    columns[ALL] = _column_rates(np.zeros(len(X)), 1, at, len(names), code, sums)
    return BaseRates(stages=names, columns=columns)


def groups_alike(X: npt.NDArray[np.float32], plan: FeaturePlan) -> tuple[tuple[str, ...], ...]:
    """Features that say much the same, by rank correlation over snapshots (average linkage); each is in one group.

    What never happened is ranked after all that did, however long ago. All that is said of one kind of activity (how
    often, how long ago, begun or done) or of one direction are sides of one thing, whatever their correlation.
    Categories have no order and stand alone.

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
    found: dict[int, list[str]] = {}
    for name, group in zip(columns, code, strict=True):
        found.setdefault(int(group), []).append(name)
    return tuple(map(tuple, found.values()))


def _subject(planned: PlannedFeature) -> str:
    """What a feature is about: the kind of activity, the direction; itself where it is about nothing in particular."""
    return (planned.word or planned.column).partition(" / ")[0]


def _clusters(ranks: FloatArray, subjects: list[str]) -> IntArray:
    spread = ranks.std(axis=0)
    scaled = (ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    distance = np.clip(1.0 - np.abs(scaled.T @ scaled) / len(ranks), 0.0, 1.0)
    about = np.array(subjects)
    distance[about[:, None] == about] = 0.0
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), "average")
    found: IntArray = fcluster(tree, 1.0 - ALIKE, "distance").astype(np.int64)
    return found
