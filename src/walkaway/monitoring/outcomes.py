"""Did what the model expected come true since it learned? Wins, hours, and how old it is.

Deals settled since are those that end quickly, so their win rate alone says little. But what a calibrated model expects
does not change on average when it learns more (its probabilities are a martingale): the expectation of the outcome if
settled, else of its probability now, equals its probability then. The same holds for hours: those booked since plus
those it still expects now, against those it expected then. That looks at no deal's end, and so is not biased.
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
    """How much more came than was expected, relative, with its 90% bootstrap interval over deals.

    Both sides rest on a sample: what came on these deals, what was expected on those of training.

    Args:
        then: what was expected at each deal's first look, one a deal.
        came: what came of it so far, plus what is expected now of deals still open.
        draws: of the bootstrap.
        error: relative standard error of what was expected, from the number of deals in training.

    Returns:
        deals, expected and came (sums), gap (came / expected - 1), low, high, and surely: how far from 0 the whole
        interval lies.

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
        looks: one row a deal that was open since the model learned: settled, won (1, 0; missing while open),
            win_then, hours_then (at its first look), win_now, hours_now, hours_booked (since then).
        signal: whether the model's probability is more than the base rate.
        errors: of training's averages, relative (`ReferenceProfile.errors`).
        check_settings: thresholds.
    """
    settled = looks["settled"].to_numpy(dtype=bool)
    counts = {"deals": len(looks), "settled": int(settled.sum()), "least_deals": check_settings.least_deals}
    if counts["settled"] < check_settings.least_deals:
        least = check_settings.least_deals
        why = f"{counts['settled']:,} deals were settled since the model learned, and {least} are needed."
        return [cannot_tell(code, why, **counts) for code in ("D5", "D6")]
    hours = _hours(looks, settled, errors.get("remaining_hours", 0.0), check_settings)
    if not signal:
        why = "the model publishes the base rate, which does not move as deals go on."
        return [cannot_tell("D5", why, **counts), hours]
    return [_wins(looks, settled, errors.get("win_probability", 0.0), check_settings), hours]


def _wins(looks: pd.DataFrame, settled: npt.NDArray[np.bool_], error: float, check_settings: CheckSettings) -> Finding:
    then, won = looks["win_then"].to_numpy(), looks["won"].to_numpy(dtype=np.float64)
    came = np.where(settled, won, looks["win_now"].to_numpy())
    all_of_them = told_gap(then, came, check_settings.draws, error)
    quick = told_gap(then[settled], won[settled], check_settings.draws, error)
    said = (
        f"Of {len(looks):,} deals {then.sum():,.1f} were expected to be won; {won[settled].sum():,.0f} are won and "
        f"{came[~settled].sum():,.1f} more expected: {_in_words(all_of_them)}."
    )
    note = (
        f"Of the {settled.sum():,} settled alone {quick['expected']:,.1f} were expected and {quick['came']:,.0f} are "
        "won; those are the quick endings."
    )
    return _gap_finding("D5", said, note, all_of_them, quick, check_settings)


def _hours(looks: pd.DataFrame, settled: npt.NDArray[np.bool_], error: float, check_settings: CheckSettings) -> Finding:
    then, booked = looks["hours_then"].to_numpy(), looks["hours_booked"].to_numpy()
    if not then.sum():
        return cannot_tell("D6", "the model expects no hours.")
    left = np.where(settled, 0.0, looks["hours_now"].to_numpy())
    all_of_them = told_gap(then, booked + left, check_settings.draws, error)
    quick = told_gap(then[settled], booked[settled], check_settings.draws, error)
    said = (
        f"{then.sum():,.0f} hours were expected; {booked.sum():,.0f} are booked and {left.sum():,.0f} more expected: "
        f"{_in_words(all_of_them)}."
    )
    note = (
        f"On the {settled.sum():,} settled deals alone {quick['expected']:,.0f} were expected and {quick['came']:,.0f} "
        "were booked; those are the quick endings."
    )
    return _gap_finding("D6", said, note, all_of_them, quick, check_settings)


def _gap_finding(
    code: Code,
    said: str,
    note: str,
    all_of_them: dict[str, float],
    quick: dict[str, float],
    check_settings: CheckSettings,
) -> Finding:
    figures: dict[str, Any] = all_of_them | {"settled_only": quick}
    figures |= {"watch": check_settings.gap.watch, "act": check_settings.gap.act}
    return Finding(code, level_of(all_of_them["surely"], check_settings.gap), said, figures, note)


def _in_words(told: dict[str, float]) -> str:
    """The gap with its interval.

    >>> _in_words({"gap": -0.19, "low": -0.29, "high": -0.08})
    '19% fewer than expected (90% interval 29% fewer to 8% fewer)'
    """
    return f"{_share(told['gap'])} than expected (90% interval {_share(told['low'])} to {_share(told['high'])})"


def _share(gap: float) -> str:
    return f"{abs(gap):.0%} {'more' if gap >= 0 else 'fewer'}"


def age_finding(
    age_days: float, history_days: float, every_days: float, settled: int, check_settings: CheckSettings
) -> Finding:
    """D7: how old the model is, over the history it learned from: what it could learn more by training again.

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
    said = (
        f"The model learned {age_days:,.0f} days ago from {history_days:,.0f} days of history; {settled:,} deals were "
        "settled since."
    )
    level = level_of(share, check_settings.age)
    if level == "ok":
        return Finding("D7", level, f"{said} It is young.", figures)
    return Finding("D7", level, said, figures, remedy="Train again.")
