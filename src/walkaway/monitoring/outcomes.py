"""Did the model's predictions come true since it was trained? Wins, hours, and the age of the model.

Deals settled since training are mostly those that close quickly, so their win rate alone is misleading. Instead, all
deals are compared. A calibrated model's probability does not change on average as it learns more about a deal (it is a
martingale). So the outcome of a settled deal, or today's probability of an open one, should on average equal the first
prediction. The same holds for hours: hours booked since, plus hours still expected, should equal the hours first
expected. This does not select deals by how or when they ended, so it is not biased.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.config import CheckSettings
from walkaway.evaluation import deal_weights, interval
from walkaway.formatting import LocaleFormat
from walkaway.monitoring.finding import Code, Finding, cannot_tell, level_of

__all__ = ["age_finding", "gap_to_expected", "outcome_findings"]

FloatArray = npt.NDArray[np.float64]


def gap_to_expected(then: FloatArray, came: FloatArray, draws: int, error: float = 0.0) -> dict[str, float]:
    """The relative gap between actual and expected, with its 90% bootstrap interval over deals.

    Both sides are uncertain: the actual sum depends on these deals, the expected one on the deals of training.

    Args:
        then: what was expected at each deal's first prediction, one value per deal.
        came: the actual value so far, plus what is now expected of deals that are still open.
        draws: number of bootstrap draws.
        error: relative standard error of the expectation, from the number of deals in training.

    Returns:
        deals, expected and came (sums), gap (came / expected - 1), low, high, and surely (the distance from 0 to the
        nearer end of the interval; 0 if the interval contains 0).

    >>> gap_to_expected(np.array([0.5, 0.5]), np.array([1.0, 0.0]), 20)["gap"]
    0.0
    """
    weights = deal_weights(np.arange(len(then)), draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = weights @ came / (weights @ then)
    low, high = interval(ratio * np.exp(error * np.random.default_rng(1).standard_normal(draws)) - 1.0)
    gap = float(came.sum() / then.sum() - 1.0)
    surely = max(low, -high, 0.0)
    return {
        "deals": len(then),
        "expected": float(then.sum()),
        "came": float(came.sum()),
        "gap": gap,
        "low": low,
        "high": high,
        "surely": surely,
    }


def outcome_findings(
    looks: pd.DataFrame,
    signal: bool,
    errors: Mapping[str, float],
    check_settings: CheckSettings,
    fmt: LocaleFormat,
    records_work: bool = True,
) -> list[Finding]:
    """D5 wins and D6 hours.

    Args:
        looks: one row per deal that was open since training: settled, won (1, 0; missing while open), win_then,
            hours_then (at the first prediction), win_now, hours_now, hours_booked (since then).
        signal: whether the model predicts better than the base rate.
        errors: relative standard errors of the averages in training (`ReferenceProfile.errors`).
        check_settings: thresholds.
        fmt: writes the numbers.
        records_work: whether the hours of `looks` are recorded; if not, they cannot be checked.
    """
    settled = looks["settled"].to_numpy(dtype=bool)
    counts = {"deals": len(looks), "settled": int(settled.sum()), "least_deals": check_settings.least_deals}
    if counts["settled"] < check_settings.least_deals:
        counted, least = fmt.whole(counts["settled"]), fmt.whole(check_settings.least_deals)
        why = f"{counted} deals have been settled since the model was trained; {least} are needed."
        return [cannot_tell(code, why, **counts) for code in ("D5", "D6")]
    hours = cannot_tell("D6", "hours are not recorded.", **counts)
    if records_work:
        hours = _hours(looks, settled, errors.get("remaining_hours", 0.0), check_settings, fmt)
    if not signal:
        why = "the model predicts the average win rate for every deal, which does not change as deals progress."
        return [cannot_tell("D5", why, **counts), hours]
    return [_wins(looks, settled, errors.get("win_probability", 0.0), check_settings, fmt), hours]


def _wins(
    looks: pd.DataFrame, settled: npt.NDArray[np.bool_], error: float, check_settings: CheckSettings, fmt: LocaleFormat
) -> Finding:
    then, won = looks["win_then"].to_numpy(), looks["won"].to_numpy(dtype=np.float64)
    came = np.where(settled, won, looks["win_now"].to_numpy())
    all_of_them = gap_to_expected(then, came, check_settings.draws, error)
    quick = gap_to_expected(then[settled], won[settled], check_settings.draws, error)
    expected, to_come = fmt.number(then.sum(), 1), fmt.number(came[~settled].sum(), 1)
    sentence = (
        f"Of {fmt.whole(len(looks))} deals, {expected} wins were expected; {fmt.whole(won[settled].sum())} came so far "
        f"and {to_come} more are expected: {_in_words(all_of_them, fmt)}."
    )
    note = (
        f"Among the {fmt.whole(settled.sum())} settled deals alone, {fmt.number(quick['expected'], 1)} wins were "
        f"expected and {fmt.whole(quick['came'])} came. Deals that close quickly are over-represented there."
    )
    return _gap_finding("D5", sentence, note, all_of_them, quick, check_settings)


def _hours(
    looks: pd.DataFrame, settled: npt.NDArray[np.bool_], error: float, check_settings: CheckSettings, fmt: LocaleFormat
) -> Finding:
    then, booked = looks["hours_then"].to_numpy(), looks["hours_booked"].to_numpy()
    if not then.sum():
        return cannot_tell("D6", "the model expects no hours.")
    left = np.where(settled, 0.0, looks["hours_now"].to_numpy())
    all_of_them = gap_to_expected(then, booked + left, check_settings.draws, error)
    quick = gap_to_expected(then[settled], booked[settled], check_settings.draws, error)
    sentence = (
        f"{fmt.whole(then.sum())} hours were expected; {fmt.whole(booked.sum())} are booked and "
        f"{fmt.whole(left.sum())} more are expected: {_in_words(all_of_them, fmt)}."
    )
    note = (
        f"On the {fmt.whole(settled.sum())} settled deals alone, {fmt.whole(quick['expected'])} hours were expected "
        f"and {fmt.whole(quick['came'])} were booked. Deals that close quickly are over-represented there."
    )
    return _gap_finding("D6", sentence, note, all_of_them, quick, check_settings)


def _gap_finding(
    code: Code,
    sentence: str,
    note: str,
    all_of_them: dict[str, float],
    quick: dict[str, float],
    check_settings: CheckSettings,
) -> Finding:
    figures: dict[str, Any] = all_of_them | {"settled_only": quick}
    figures |= {"watch": check_settings.gap.watch, "act": check_settings.gap.act}
    return Finding(code, level_of(all_of_them["surely"], check_settings.gap), sentence, figures, note)


def _in_words(gap: dict[str, float], fmt: LocaleFormat) -> str:
    """The gap with its interval.

    >>> _in_words({"gap": -0.19, "low": -0.29, "high": -0.08}, LocaleFormat("en"))
    '19% fewer than expected (90% interval 29% fewer to 8% fewer)'
    """
    gap_now, low, high = (
        f"{fmt.percent(abs(gap[name]))} {'more' if gap[name] >= 0 else 'fewer'}" for name in ("gap", "low", "high")
    )
    return f"{gap_now} than expected (90% interval {low} to {high})"


def age_finding(
    age_days: float,
    history_days: float,
    every_days: float,
    settled: int,
    check_settings: CheckSettings,
    fmt: LocaleFormat,
) -> Finding:
    """D7: the age of the model as a share of the history it was trained on: how much more it could learn now.

    >>> from walkaway.config import CheckSettings
    >>> age_finding(30.0, 90.0, 7.0, 12, CheckSettings(), LocaleFormat()).level
    'watch'
    """
    share = age_days / history_days if history_days > 0 else float("inf")
    figures = {
        "age_days": age_days,
        "history_days": history_days,
        "every_days": every_days,
        "looks": age_days / every_days,
        "share": share,
        "settled_since": settled,
        "watch": check_settings.age.watch,
        "act": check_settings.age.act,
    }
    sentence = (
        f"The model was trained {fmt.whole(age_days)} days ago on {fmt.whole(history_days)} days of history; "
        f"{fmt.whole(settled)} deals have been settled since."
    )
    level = level_of(share, check_settings.age)
    if level == "ok":
        return Finding("D7", level, f"{sentence} It is recent enough.", figures)
    return Finding("D7", level, sentence, figures, remedy="Retrain the model.")
