"""The rules of the leak audit: each tests one source of a book and returns a sentence of evidence, or None.

A column fixed at creation cannot depend on how the deal ends. One that does was filled or overwritten later. That shows
in how well it separates won from lost deals, in deals still open that lack it, or in what it equals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, rankdata

from walkaway.audit.separation import LEAST_TO_SUSPECT, Separation, separation
from walkaway.audit.sources import Deals, Source

__all__ = ["RULES", "Rule", "at_first_look"]

FloatArray = npt.NDArray[np.float64]
Rule = Callable[[Source, Deals], str | None]
TOO_GOOD = 0.90  # AUC of one column alone at a deal's first snapshot; honest columns that were seen stayed below 0.76
PURE = 0.98  # share of one outcome
LAST_DAY = 1.0
BY_CHANCE = 1e-6
MOST_VALUES = 50
COHORTS = 10
ALIKE = 0.97  # rank correlation with what was known only at the close
EQUAL, HALF = 0.9, 0.5  # share of deals on which two columns agree to half a unit
FOLLOWS = 1 / 3  # spread of a date around the close, as a share of its spread around the creation
REWRITTEN = 0.05
LEAST_PAIRED = 50  # deals needed to see a pattern between them
LEAST_IN_GROUP = 5
UNITS_OF_LIFE = ("days", "days moved", "count", "times", "flag", "category")


def _numbers(source: Source, deals: Deals) -> FloatArray:
    """The values; dates as days after the creation."""
    return source.value - deals.created if source.date and not deals.undated else source.value


def at_first_look(source: Source, deals: Deals) -> Separation:
    """How well the source alone separates won from lost deals, as known at a deal's first snapshot."""
    if source.seen is not None:
        return Separation()
    return separation(_numbers(source, deals), source.ends(deals.judged), categorical=source.categorical)


def separates_at_once(source: Source, deals: Deals) -> str | None:
    """L1: it predicts the outcome of a new deal too well."""
    found = at_first_look(source, deals)
    if not found.low >= TOO_GOOD:
        return None
    auc = deals.fmt.number(found.auc, 2)
    return f"alone predicts the outcome with AUC {auc} when a deal is new; nothing known then can be so good"


def _pure(mask: npt.NDArray[np.bool_], deals: Deals, outcome: float) -> int:
    """How many settled deals are in the mask, if nearly all had this outcome and chance does not explain it; else 0.

    What is filled at the close, open deals do not have. So it is 0 where a larger share of the deals in the mask is
    open than of all deals: their outcomes are still to come.
    """
    still_open = np.isnan(deals.won)
    won = deals.won[mask & ~still_open]
    if not len(won) or still_open[mask].mean() > still_open.mean():
        return 0
    rate = max(deals.base_rate if outcome == 1.0 else 1 - deals.base_rate, 1e-12)
    enough = len(won) >= LEAST_TO_SUSPECT and len(won) * np.log(rate) < np.log(BY_CHANCE)
    return len(won) if enough and (won == outcome).mean() >= PURE else 0


def filled_for_one_outcome(source: Source, deals: Deals) -> str | None:
    """L2: deals with this field filled nearly all share one outcome."""
    if not source.fixed:
        return None
    for outcome, word, rate in ((1.0, "won", deals.base_rate), (0.0, "lost", 1 - deals.base_rate)):
        if n := _pure(~np.isnan(source.value), deals, outcome):
            fmt = deals.fmt
            shares = f"{fmt.percent(PURE)} or more were {word} (of all, {fmt.percent(rate)})"
            return f"of {fmt.whole(n)} settled deals that have it, {shares}"
    return None


def value_of_winners(source: Source, deals: Deals) -> str | None:
    """L3: a value that only won deals have."""
    if not source.fixed:
        return None
    values, counts = np.unique(source.value[~np.isnan(source.value)], return_counts=True)
    for value in values[np.argsort(-counts, kind="stable")][:MOST_VALUES]:
        if n := _pure(source.value == value, deals, 1.0):
            what, fmt = source.words[int(value)] if source.categorical else f"{value:g}", deals.fmt
            return f"of {fmt.whole(n)} settled deals with the value {what}, {fmt.percent(PURE)} or more were won"
    return None


def at_close(source: Source, deals: Deals) -> float:
    """Of the settled deals that have it, the share in which it was last recorded within a day of the close or later."""
    if not len(source.recorded):
        return float("nan")
    both = ~np.isnan(source.recorded) & ~np.isnan(deals.closed)
    return float((source.recorded[both] >= deals.closed[both] - LAST_DAY).mean()) if both.any() else float("nan")


def shown_by_winners(source: Source, deals: Deals) -> str | None:
    """L4: an event before the close that only won deals have, or a last-day value of a field that only one outcome has.

    A step that precedes losses by days may be a genuine warning, so it is kept.
    """
    if source.seen is None:
        return None
    at_end = source.name.startswith("changes.") and at_close(source, deals) >= EQUAL
    ends = ((1.0, "won"), (0.0, "lost")) if at_end else ((1.0, "won"),)
    for outcome, word in ends:
        if n := _pure(source.seen, deals, outcome):
            return (
                f"of {deals.fmt.whole(n)} settled deals that had it before their close, {deals.fmt.percent(PURE)} or "
                f"more were {word}: either it was dated back, or it is part of the close"
            )
    return None


def _cohorts(deals: Deals) -> npt.NDArray[np.int64]:
    """The cohort of each deal: deals created at about the same time."""
    ranks = np.argsort(np.argsort(deals.created, kind="stable"), kind="stable")
    return (ranks * COHORTS) // max(len(ranks), 1)


def open_deals_differ(source: Source, deals: Deals) -> str | None:
    """L5: deals of the same age that are still open have other values, so it is filled at the close.

    Within each cohort, open deals together weigh as much as settled ones; a cohort without either does not count. A
    difference that the date of creation explains is not evidence.
    """
    if not source.fixed or deals.undated:
        return None
    still_open = np.isnan(deals.won).astype(np.float64)
    cohort = _cohorts(deals)
    opened, settled = (np.bincount(cohort, rows, COHORTS) for rows in (still_open, 1 - still_open))
    both = np.minimum(opened, settled)
    share = np.where(still_open == 1, opened[cohort], settled[cohort])
    weight = both[cohort] / np.maximum(share, 1)
    used = np.where(weight > 0, still_open, np.nan)
    found = separation(_numbers(source, deals), used, categorical=source.categorical, weight=weight)
    by_date = separation(deals.created, used, weight=weight).auc  # in fast sales the newest deals are the open ones
    if not found.low >= max(TOO_GOOD, by_date):
        return None
    auc = deals.fmt.number(found.auc, 2)
    return f"open deals created at the same time have other values (AUC {auc}): it is filled at the close"


def _rank_correlation(a: FloatArray, b: FloatArray) -> float:
    if len(a) < LEAST_PAIRED or min(len(np.unique(x)) for x in (a, b)) < 3:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _equals(mine: FloatArray, ends: FloatArray, starts: FloatArray) -> bool:
    """Whether a column equals a feature at the close, over deals in which the feature moved by half a unit or more."""
    moved = ~np.isnan(mine) & ~np.isnan(ends) & ~(np.abs(ends - starts) < HALF)
    mine, ends, starts = mine[moved], ends[moved], np.nan_to_num(starts[moved], nan=-1.0)
    if len(mine) < LEAST_PAIRED or len(np.unique(ends.round())) < 3:
        return False
    alike = _rank_correlation(mine, ends) >= ALIKE and _rank_correlation(mine, starts) < TOO_GOOD
    return alike or float((np.abs(mine - ends) <= HALF).mean()) >= EQUAL


def known_at_the_close_only(source: Source, deals: Deals) -> str | None:
    """L6: it equals or follows a feature as it stood at the close, and not as it stood at the creation."""
    if not source.fixed or source.categorical or source.date or deals.undated:
        return None
    mine = np.where(np.isnan(deals.won), np.nan, source.value)
    for planned in deals.plan.features:
        if planned.declared.unit not in UNITS_OF_LIFE or planned.declared.family == "attributes":
            continue
        if _equals(mine, *(frame[planned.column].to_numpy() for frame in (deals.at_close, deals.at_creation))):
            return f"equals or follows {planned.column} as it stood at the close, not as it stood at the creation"
    return None


def rewritten(source: Source, deals: Deals) -> str | None:
    """L7: it is declared fixed at creation, but the book's own changes contradict that."""
    if source.first_recorded is None:
        return None
    both = ~np.isnan(source.first_recorded) & ~np.isnan(source.value)
    other = both & ~np.isclose(source.first_recorded, source.value, rtol=1e-6)
    if other.sum() < LEAST_TO_SUSPECT // 2 or other.sum() < REWRITTEN * both.sum():
        return None
    return (
        f"is declared fixed at creation, but the book's own changes show another first value for "
        f"{deals.fmt.whole(other.sum())} of {deals.fmt.whole(both.sum())} deals"
    )


def _spread(values: FloatArray) -> float:
    return float(np.median(np.abs(values - np.median(values))))


def dates_the_close(source: Source, deals: Deals) -> str | None:
    """L8: a date that follows the real close rather than the creation."""
    if not source.date or deals.undated:
        return None
    both = ~np.isnan(source.value) & ~np.isnan(deals.closed)
    if both.sum() < LEAST_PAIRED // 2:
        return None
    from_close, from_creation = (source.value[both] - day[both] for day in (deals.closed, deals.created))
    same_day, first_day = (float((np.abs(days) <= 1.0).mean()) for days in (from_close, from_creation))
    if first_day > EQUAL - HALF:  # in fast sales, a date near the creation is also near the close
        return None
    if same_day >= EQUAL or _spread(from_close) < FOLLOWS * _spread(from_creation):
        return (
            f"follows the day of the close ({deals.fmt.percent(same_day)} of {deals.fmt.whole(both.sum())} deals "
            "within a day of it), which nobody knows beforehand"
        )
    return None


def _by_value(source: Source, won: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct values of deals with a known outcome, how many deals have each, and the share won among them."""
    both = ~np.isnan(source.value) & ~np.isnan(won)
    values, place = np.unique(source.value[both], return_inverse=True)
    counts = np.bincount(place).astype(np.float64)
    return values, counts, np.bincount(place, won[both]) / np.maximum(counts, 1)


def calibrated_too_well(source: Source, deals: Deals) -> str | None:
    """L9: a number that equals the win rate of the deals that have it, so it was computed from their outcomes.

    A genuine forecast misses the share won at each value by chance (chi-squared); this number does not.
    """
    values, counts, share = _by_value(source, deals.won)
    if source.categorical or not 10 <= len(values) <= 0.7 * counts.sum():
        return None
    slope, shift = np.polyfit(values, share, 1, w=np.sqrt(counts))
    fitted = np.clip(slope * values + shift, 0.01, 0.99)
    misses = float((counts * (share - fitted) ** 2 / (fitted * (1 - fitted))).sum())
    if slope <= 0 or chi2.cdf(misses, len(values) - 2) >= BY_CHANCE:
        return None
    count = deals.fmt.whole(len(values))
    return f"equals the share won among the deals with its value, too exactly for a forecast ({count} values)"


def one_outcome_a_value(source: Source, deals: Deals) -> str | None:
    """L10: deals with the same value have the same outcome."""
    _, counts, share = _by_value(source, deals.judged)
    repeated = counts >= 2
    pairs = float((counts * (counts - 1))[repeated].sum())
    if repeated.sum() < 10 or counts[repeated].sum() < LEAST_PAIRED:
        return None
    won = counts * share
    agreeing = float((won * (won - 1) + (counts - won) * (counts - won - 1))[repeated].sum()) / pairs
    if agreeing < PURE or deals.base_rate**2 + (1 - deals.base_rate) ** 2 > TOO_GOOD:
        return None
    counts_of = f"{deals.fmt.percent(agreeing)} of pairs, {deals.fmt.whole(repeated.sum())} values"
    return f"deals with the same value have the same outcome ({counts_of})"


def counts_the_wins(source: Source, deals: Deals) -> str | None:
    """L11: a running number that goes up with each won deal."""
    if source.categorical or not source.fixed or deals.undated:
        return None
    for order, word in ((deals.created, "creation"), (deals.closed, "close")):
        rows = np.lexsort((source.value, order))
        rows = rows[~np.isnan(source.value[rows]) & ~np.isnan(deals.judged[rows])]
        steps = np.diff(source.value[rows], prepend=np.nan)
        found = separation(steps, deals.judged[rows])
        if found.low >= TOO_GOOD:
            auc = deals.fmt.number(found.auc, 2)
            return f"in the order of their {word}, its steps from deal to deal predict the outcome (AUC {auc})"
    return None


def _places(values: pd.Series, won: FloatArray, words: pd.Series) -> FloatArray:
    """Each value's rank in its group, 0 to 1, in groups that have both outcomes; else NaN."""
    rows = pd.DataFrame({"value": values, "won": won, "group": words}).dropna()
    groups = rows.groupby("group")
    mixed = groups["won"].transform("nunique") == 2
    large = groups["value"].transform("size") >= LEAST_IN_GROUP
    places: FloatArray = groups["value"].rank(pct=True).where(mixed & large).reindex(values.index).to_numpy()
    return places


def predicts_within_groups(source: Source, deals: Deals) -> str | None:
    """L12: among deals with the same value of another column it predicts the outcome.

    A win rate of the group that leaves out the deal itself does so: it is lower for won deals than for lost ones.
    """
    if source.categorical or source.date or not source.fixed:
        return None
    for column in deals.history.book.manifest.fixed_at_creation:
        words = deals.history.deals.get(column)
        if words is None or pd.api.types.is_numeric_dtype(words):
            continue
        places = _places(pd.Series(source.value), deals.judged, words)
        found = separation(places, np.where(np.isnan(places), np.nan, deals.judged))
        if found.low >= TOO_GOOD:
            auc = deals.fmt.number(found.auc, 2)
            return f"among deals of the same {column} it predicts the outcome (AUC {auc})"
    return None


RULES: dict[str, Rule] = {
    "L1": separates_at_once,
    "L2": filled_for_one_outcome,
    "L3": value_of_winners,
    "L4": shown_by_winners,
    "L5": open_deals_differ,
    "L6": known_at_the_close_only,
    "L7": rewritten,
    "L8": dates_the_close,
    "L9": calibrated_too_well,
    "L10": one_outcome_a_value,
    "L11": counts_the_wins,
    "L12": predicts_within_groups,
}
