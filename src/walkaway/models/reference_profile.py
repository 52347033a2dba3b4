"""Open deals as they were in training, in shares of bins: `walkaway check` compares today's open deals with them.

The reference is the later half of the training moments, a year at most. Today's open deals are a cross-section, so they
are compared with cross-sections. A year of these includes every season once. The first half of a history is left out,
because a book starts empty and its first deals are all young.

No row of a deal is kept, only bin edges and shares of bins that hold many deals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.stats import chi2

from walkaway.asof import History
from walkaway.binning import cells_of, equal_edges
from walkaway.features import FeaturePlan, unknown_words

__all__ = [
    "Comparison",
    "Profile",
    "ReferenceProfile",
    "compare",
    "learn_reference_profile",
    "psi",
    "relative_errors",
    "stretch_of",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BINS = 10
DEALS_A_BIN = 20  # with fewer deals per bin, fewer bins are used, so that no edge is the value of a single deal
LONGEST_DAYS = 365.0
GROWING = ("account",)  # families that count from the book's first day, so they grow even if nothing changes
LEAST_MOMENTS = 4  # with fewer, the usual difference between moments is unknown


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Profile(_Frozen):
    """One column in training: the share of open deals in each cell, and how much that share usually changes.

    Cells of numbers are bounded by `edges`; an edge belongs to the cell below. Cells of categories are their codes. The
    last cell holds missing values and unknown categories. deals: how many deals the shares come from; rows of one deal
    count together. change: how many times more than by sampling the shares differ from moment to moment (`_change`).
    """

    edges: tuple[float, ...] | None
    shares: tuple[float, ...]
    deals: float
    median: float | None = None
    change: float = 1.0

    def cells(self, values: FloatArray) -> IntArray:
        """The cell of each value.

        >>> Profile(edges=(2.0, 5.0), shares=(0.5, 0.25, 0.25, 0.0), deals=4).cells(np.array([2.0, 3.0, 9.0, np.nan]))
        array([0, 1, 2, 3])
        """
        return cells_of(values, self.edges, len(self.shares))


class ReferenceProfile(_Frozen):
    """Open deals as they were in training.

    every_days: between training moments. history_days: from the first deal to known_until. words: by vocabulary, those
    frequent enough in training to be used. Profiles by name: columns; missing (whether the column's value is missing);
    unknown (whether the deal has a word that is not in `words`); scores. errors: relative standard errors of the mean
    wins and hours (the names of scores), since training, too, had only a sample of deals.
    """

    every_days: float = 0.0
    history_days: float = 0.0
    moments: int = 0
    words: dict[str, tuple[str, ...]] = {}
    columns: dict[str, Profile] = {}
    missing: dict[str, Profile] = {}
    unknown: dict[str, Profile] = {}
    scores: dict[str, Profile] = {}
    errors: dict[str, float] = {}


@dataclass(frozen=True)
class Comparison:
    """A column today beside training.

    psi: the population stability index. ordinary: the PSI to expect if nothing has changed. limit: the PSI that is
    exceeded with the given probability if nothing has changed. shares: of each cell today.
    """

    psi: float
    ordinary: float
    limit: float
    shares: tuple[float, ...]

    @property
    def excess(self) -> float:
        """PSI above the ordinary one; 0 where chance explains it."""
        return self.psi - self.ordinary if self.psi > self.limit else 0.0


def psi(now: npt.ArrayLike, deals_now: npt.ArrayLike, then: npt.ArrayLike, deals_then: npt.ArrayLike) -> FloatArray:
    """Population stability index of shares: the sum over cells of (now - then) x ln(now / then).

    That is the symmetric Kullback-Leibler divergence (Jeffreys, Proc. R. Soc. A 186, 1946) that credit scoring calls
    PSI (Siddiqi, Credit Risk Scorecards, 2006), where 0.1 and 0.25 are the usual thresholds. Half a deal is added to
    each cell, so that the logarithm of an empty cell exists.

    Args:
        now: shares, (..., cells).
        deals_now: how many deals they are shares of, (...,).
        then: shares in training.
        deals_then: how many deals those are shares of.

    >>> float(psi([0.5, 0.5], 1e9, [0.2, 0.8], 1e9).round(4))
    0.4159
    """
    a, b = _smooth(now, deals_now), _smooth(then, deals_then)
    total: FloatArray = np.sum((a - b) * np.log(a / b), axis=-1)
    return total


def _smooth(shares: npt.ArrayLike, deals: npt.ArrayLike) -> FloatArray:
    shares, deals = np.asarray(shares, dtype=np.float64), np.asarray(deals, dtype=np.float64)[..., None]
    smooth: FloatArray = (shares * deals + 0.5) / (deals + 0.5 * shares.shape[-1])
    return smooth


def compare(profile: Profile, values: FloatArray, chance: float) -> Comparison:
    """Compare the values of today's open deals, one per deal, with training.

    Without any change PSI is about (1 / deals now + 1 / deals then) x chi-squared, with one degree of freedom less than
    there are cells (Yurdakul and Naranjo, Journal of Risk Model Validation 14(4), 2020). That holds for independent
    draws, but deals share owners, accounts and seasons. So it is multiplied by `Profile.change`, the factor by which
    the moments of training differed more than that (the first-order correction of Rao and Scott, JASA 76, 1981).

    Args:
        profile: of training.
        values: numbers, or codes of categories; NaN is missing.
        chance: probability of exceeding the limit if nothing has changed.

    >>> then = Profile(edges=None, shares=(0.5, 0.5, 0.0), deals=100)
    >>> compare(then, np.array([0.0, 1.0] * 20), 0.05)
    Comparison(psi=..., ordinary=0.035, limit=0.134..., shares=(0.5, 0.5, 0.0))
    """
    counts = np.bincount(profile.cells(values), minlength=len(profile.shares))
    deals = max(int(counts.sum()), 1)
    now, then = counts / deals, np.array(profile.shares)
    freedom = max(int(np.count_nonzero((now > 0) | (then > 0))) - 1, 1)
    scale = (1 / deals + 1 / profile.deals) * profile.change
    limit = float(chi2.isf(chance, freedom)) * scale
    return Comparison(float(psi(now, deals, then, profile.deals)), freedom * scale, limit, tuple(now.tolist()))


@dataclass(frozen=True)
class _Looks:
    """Snapshots of the reference: codes of the deal and of the moment; codes of moments are in order of time."""

    deal: IntArray
    moment: IntArray

    @classmethod
    def of(cls, snapshots: pd.DataFrame, dated: bool) -> _Looks:
        deal = pd.factorize(snapshots["deal_id"])[0]
        moment = pd.factorize(snapshots["as_of"], sort=True)[0] if dated else np.zeros(len(deal), dtype=np.int64)
        return cls(deal, moment)

    @property
    def moments(self) -> int:
        """Number of moments."""
        return int(self.moment.max()) + 1

    @cached_property
    def later(self) -> npt.NDArray[np.bool_]:
        """Whether each moment lies in the later half."""
        return np.arange(self.moments) >= (self.moments + 1) // 2

    @cached_property
    def deals_by_half(self) -> FloatArray:
        later = self.later[self.moment]
        return np.array([_effective(self.deal[~later]), _effective(self.deal[later])])


def _effective(deal: IntArray) -> float:
    """The effective number of deals if all rows of a deal are equal: (sum of rows)^2 / sum of rows^2 (Kish, 1965).

    >>> _effective(np.array([0, 0, 1]))
    1.8
    """
    rows = np.bincount(deal).astype(np.float64)
    return float(rows.sum() ** 2 / np.square(rows).sum()) if len(deal) else 0.0


def _change(counts: FloatArray, looks: _Looks) -> float:
    """The factor by which training moments differ more than sampling explains, so that usual changes raise no alarm.

    Each moment is compared with the other half of the reference, just as a check compares a later moment with training.
    The result is the mean ratio of its PSI to the PSI expected from sampling alone, 1 or more.

    Args:
        counts: of rows, (moments, cells).
        looks: of the same moments.
    """
    if len(counts) < LEAST_MOMENTS:
        return 1.0
    halves = np.stack([counts[~looks.later].sum(axis=0), counts[looks.later].sum(axis=0)])
    other, deals = (~looks.later).astype(np.int64), counts.sum(axis=1)
    then, deals_then = (halves / halves.sum(axis=1, keepdims=True))[other], looks.deals_by_half[other]
    freedom = max(int(np.count_nonzero(halves.sum(axis=0))) - 1, 1)
    ratio = psi(counts / deals[:, None], deals, then, deals_then) / (1 / deals + 1 / deals_then) / freedom
    return max(float(ratio.mean()), 1.0)


def _profile(values: FloatArray, looks: _Looks, categories: int | None = None) -> Profile:
    deals = _effective(looks.deal)
    present = values[~np.isnan(values)]
    bins = int(np.clip(deals // DEALS_A_BIN, 2, BINS))
    edges = equal_edges(present, bins) if categories is None else None
    known_cells = len(edges) + 1 if edges is not None else categories or 0
    cells = known_cells + 1  # the last is for missing values
    found = cells_of(values, edges, cells)
    counts = np.bincount(looks.moment * cells + found, minlength=looks.moments * cells).reshape(-1, cells)
    median = float(np.median(present)) if edges is not None and len(present) else None
    shares = tuple((counts.sum(axis=0) / len(values)).tolist())
    return Profile(
        edges=edges, shares=shares, deals=deals, median=median, change=_change(counts.astype(np.float64), looks)
    )


def _depends_on_moment_only(values: FloatArray, looks: _Looks) -> bool:
    """Whether all deals have the same value at each moment, and moments differ, as for the weekday.

    Such a column is left out, because a single moment always differs from a year of moments.
    """
    filled = np.nan_to_num(values, nan=np.inf)
    first = filled[np.unique(looks.moment, return_index=True)[1]]
    return bool((filled == first[looks.moment]).all() and (first != first[0]).any())


def stretch_of(snapshots: pd.DataFrame, until: pd.Timestamp | None) -> npt.NDArray[np.bool_]:
    """Which training snapshots form the reference: those of the later half of the history, a year at most.

    Without dates (`until` is None) all of them.

    >>> at = pd.DataFrame({"as_of": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"], utc=True)})
    >>> stretch_of(at, pd.Timestamp("2026-01-03", tz="UTC"))
    array([False,  True,  True])
    """
    if until is None:
        return np.ones(len(snapshots), dtype=bool)
    span = min((until - snapshots["as_of"].min()) / 2, pd.Timedelta(days=LONGEST_DAYS))
    found: npt.NDArray[np.bool_] = (snapshots["as_of"] >= until - span).to_numpy()
    return found


def _flags(mask: npt.NDArray[np.bool_]) -> FloatArray:
    return mask.astype(np.float64)


def learn_reference_profile(
    history: History,
    plan: FeaturePlan,
    words: Mapping[str, tuple[str, ...]],
    snapshots: pd.DataFrame,
    X: npt.NDArray[np.float32],
    scores: pd.DataFrame,
    until: pd.Timestamp | None,
) -> ReferenceProfile:
    """The reference profile of a training.

    Args:
        history: of the book.
        plan: the columns of X.
        words: by vocabulary, the words that the book uses often enough to learn from.
        snapshots: of training: deal_id, as_of.
        X: their features, (snapshots, columns).
        scores: out-of-time calls: deal_id, as_of, and a column per score; may be empty.
        until: the moment until which the training data was known; None for a book without dates.
    """
    at = stretch_of(snapshots, until)
    rows = snapshots[at].reset_index(drop=True)
    if rows.empty:  # no deal was open then
        return ReferenceProfile(words=dict(words))
    looks = _Looks.of(rows, until is not None)
    columns = {c: X[at, i].astype(np.float64) for i, c in enumerate(plan.columns)}
    grows = {planned.column for planned in plan.features if planned.declared.family in GROWING}
    kept = [
        name for name, values in columns.items() if not _depends_on_moment_only(values, looks) and name not in grows
    ]
    columns = {name: columns[name] for name in kept}
    categories = {p.column: len(p.categories) for p in plan.features if p.declared.unit == "category"}
    unknown = unknown_words(history.at(rows), words)
    return ReferenceProfile(
        words=dict(words),
        moments=looks.moments,
        columns={name: _profile(values, looks, categories.get(name)) for name, values in columns.items()},
        missing={name: _profile(_flags(np.isnan(values)), looks, 2) for name, values in columns.items()},
        unknown={name: _profile(_flags(found.any), looks, 2) for name, found in unknown.items()},
        scores=_score_profiles(scores, rows["as_of"].min()) if until is not None else {},
    )


def relative_errors(deal: npt.NDArray[Any], ends: Mapping[str, FloatArray]) -> dict[str, float]:
    """The relative standard error of each average over deals, taken at each deal's first row.

    Args:
        deal: code of each row's deal; rows sorted by deal and moment.
        ends: the actual value after each row, by name.

    >>> relative_errors(np.array([0, 0, 1]), {"win_probability": np.array([1.0, 1.0, 0.0])})
    {'win_probability': 0.707...}
    """
    first = np.unique(deal, return_index=True)[1]
    means = {name: float(values[first].mean()) for name, values in ends.items()}
    return {
        name: float(values[first].std() / means[name] / np.sqrt(len(first)))
        for name, values in ends.items()
        if means[name] > 0
    }


def _score_profiles(scores: pd.DataFrame, begin: pd.Timestamp) -> dict[str, Profile]:
    """Profiles of out-of-time scores, because on its own training rows a model is more certain than on new deals."""
    rows = scores[scores["as_of"] >= begin] if len(scores) else scores
    if rows.empty:
        return {}
    looks = _Looks.of(rows, True)
    return {name: _profile(rows[name].to_numpy(), looks) for name in rows if name not in ("deal_id", "as_of")}
