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
from walkaway.monitoring.finding import Code, Finding, cannot_tell, level_of

__all__ = ["age_finding", "outcome_findings", "told_gap"]

FloatArray = npt.NDArray[np.float64]


def told_gap(then: FloatArray, came: FloatArray, draws: int, error: float = 0.0) -> dict[str, float]:
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

    >>> told_gap(np.array([0.5, 0.5]), np.array([1.0, 0.0]), 20)["gap"]
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
    looks: pd.DataFrame, signal: bool, errors: Mapping[str, float], check_settings: CheckSettings
) -> list[Finding]:
    """D5 wins and D6 hours.

    Args:
        looks: one row per deal that was open since training: settled, won (1, 0; missing while open), win_then,
            hours_then (at the first prediction), win_now, hours_now, hours_booked (since then).
        signal: whether the model predicts better than the base rate.
        errors: relative standard errors of the averages in training (`Reference.errors`).
        check_settings: thresholds.
    """
    settled = looks["settled"].to_numpy(dtype=bool)
    counts = {"deals": len(looks), "settled": int(settled.sum()), "least_deals": check_settings.least_deals}
    if counts["settled"] < check_settings.least_deals:
        least = check_settings.least_deals
        why = f"{counts['settled']:,} deals have been settled since the model was trained; {least} are needed."
        return [cannot_tell(code, why, **counts) for code in ("D5", "D6")]
    hours = _hours(looks, settled, errors.get("remaining_hours", 0.0), check_settings)
    if not signal:
        why = "the model predicts the average win rate for every deal, which does not change as deals progress."
        return [cannot_tell("D5", why, **counts), hours]
    return [_wins(looks, settled, errors.get("win_probability", 0.0), check_settings), hours]


def _wins(looks: pd.DataFrame, settled: npt.NDArray[np.bool_], error: float, check_settings: CheckSettings) -> Finding:
    then, won = looks["win_then"].to_numpy(), looks["won"].to_numpy(dtype=np.float64)
    came = np.where(settled, won, looks["win_now"].to_numpy())
    all_of_them = told_gap(then, came, check_settings.draws, error)
    quick = told_gap(then[settled], won[settled], check_settings.draws, error)
    sentence = (
        f"Of {len(looks):,} deals, {then.sum():,.1f} wins were expected; {won[settled].sum():,.0f} came so far and "
        f"{came[~settled].sum():,.1f} more are expected: {_in_words(all_of_them)}."
    )
    note = (
        f"Among the {settled.sum():,} settled deals alone, {quick['expected']:,.1f} wins were expected and "
        f"{quick['came']:,.0f} came. Deals that close quickly are over-represented there."
    )
    return _gap_finding("D5", sentence, note, all_of_them, quick, check_settings)


def _hours(looks: pd.DataFrame, settled: npt.NDArray[np.bool_], error: float, check_settings: CheckSettings) -> Finding:
    then, booked = looks["hours_then"].to_numpy(), looks["hours_booked"].to_numpy()
    if not then.sum():
        return cannot_tell("D6", "the model expects no hours.")
    left = np.where(settled, 0.0, looks["hours_now"].to_numpy())
    all_of_them = told_gap(then, booked + left, check_settings.draws, error)
    quick = told_gap(then[settled], booked[settled], check_settings.draws, error)
    sentence = (
        f"{then.sum():,.0f} hours were expected; {booked.sum():,.0f} are booked and {left.sum():,.0f} more are "
        f"expected: {_in_words(all_of_them)}."
    )
    note = (
        f"On the {settled.sum():,} settled deals alone, {quick['expected']:,.0f} hours were expected and "
        f"{quick['came']:,.0f} were booked. Deals that close quickly are over-represented there."
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


def _in_words(gap: dict[str, float]) -> str:
    """The gap with its interval.

    >>> _in_words({"gap": -0.19, "low": -0.29, "high": -0.08})
    '19% fewer than expected (90% interval 29% fewer to 8% fewer)'
    """
    return f"{_share(gap['gap'])} than expected (90% interval {_share(gap['low'])} to {_share(gap['high'])})"


def _share(gap: float) -> str:
    return f"{abs(gap):.0%} {'more' if gap >= 0 else 'fewer'}"


def age_finding(
    age_days: float, history_days: float, every_days: float, settled: int, check_settings: CheckSettings
) -> Finding:
    """D7: the age of the model as a share of the history it was trained on: how much more it could learn now.

    >>> from walkaway.config import CheckSettings
    >>> age_finding(30.0, 90.0, 7.0, 12, CheckSettings()).level
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
        f"The model was trained {age_days:,.0f} days ago on {history_days:,.0f} days of history; {settled:,} deals "
        "have been settled since."
    )
    level = level_of(share, check_settings.age)
    if level == "ok":
        return Finding("D7", level, f"{sentence} It is recent enough.", figures)
    return Finding("D7", level, sentence, figures, remedy="Retrain the model.")
