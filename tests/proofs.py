"""A proof whose figures a test sets."""

from typing import Any

import pandas as pd

from walkaway.report.html.proof import Proof

FOLLOWED = {
    "hours_saved": 0.24,
    "hours_saved_low": 0.21,
    "hours_saved_high": 0.266,
    "value_forgone": 0.06,
    "value_forgone_low": 0.047,
    "value_forgone_high": 0.073,
    "expected_hours_saved": 0.322,
    "expected_value_forgone": 0.095,
    "turned_back": 0.245,
    "value_per_hour_kept": 7831.0,
}
CHANCES = {"deals": 1296.0, "expected": 466.0, "came": 406.0, "gap": -0.129, "surely": 0.08}


def proof_of(followed: dict[str, float] | None = None, **other: Any) -> Proof:
    """A proof like that of BPI 2012, but for what is given."""
    drops = {"verdict": ["nurture", "walk_away"], "deals": [81, 349], "won": [0.27, 0.11], "hours_saved": [44.0, 161.0]}
    names, deals = ["clear", "close", "day_old", "older"], [300, 130, 20, 410]
    earned = {"name": names, "deals": deals, "hours": [120.0, 84.0, 9.0, 195.0]}
    nothing = pd.DataFrame()
    told: dict[str, Any] = {
        "ledger": nothing,
        "drops": pd.DataFrame(drops | {"value_forgone": [10.0, 20.0]}),
        "followed": FOLLOWED | (followed or {}),
        "earned": pd.DataFrame(earned | {"value_per_hour": [1179.0, 2768.0, 1499.0, 1601.0]}),
        "bar": 2880.0,
        "chances": CHANCES,
        "hours": {},
        "exits": nothing,
        "exits_since": pd.Timestamp("2025-01-01", tz="UTC"),
        "good_calls": {"deals": 3.0, "hours": 4.0},
        "calibration": nothing,
        "judged": 0,
        "ended": 0,
        "notes": (),
        "begin": "2025-01-01",
        "end": "2025-03-01",
    }
    return Proof(**(told | other))
