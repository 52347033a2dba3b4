"""Arithmetic only: expected value, value per hour, hours saved and value lost by dropping, the curve, skill, the bar.

Arrays in, arrays out. Money in the book's currency, effort in hours. Definitions: docs/method.md.
"""

from walkaway.economics.curve import Curve, Gain, equal_wins
from walkaway.economics.drops import (
    Drops,
    Schedule,
    area,
    clairvoyant_index,
    hours_saved_at,
    lowest_calls,
    schedule_drops,
    settle_drops,
    skill,
    skill_of,
    trade_off,
)
from walkaway.economics.guarantee import CONFIDENCE, guaranteed_bar, guaranteed_bars
from walkaway.economics.index import (
    AGREEMENT,
    DROPPED,
    Verdict,
    expected_value,
    value_per_hour,
    verdicts,
    walk_away_above,
)

__all__ = [
    "AGREEMENT",
    "CONFIDENCE",
    "DROPPED",
    "Curve",
    "Drops",
    "Gain",
    "Schedule",
    "Verdict",
    "area",
    "clairvoyant_index",
    "equal_wins",
    "expected_value",
    "guaranteed_bar",
    "guaranteed_bars",
    "hours_saved_at",
    "lowest_calls",
    "schedule_drops",
    "settle_drops",
    "skill",
    "skill_of",
    "trade_off",
    "value_per_hour",
    "verdicts",
    "walk_away_above",
]
