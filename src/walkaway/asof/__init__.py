"""As of a moment: what was known of each deal then, and which deals were open.

What came later is in `walkaway.asof.labels`, which this package does not re-export: code that looks ahead must import
it by name.
"""

from walkaway.asof.events import Events
from walkaway.asof.history import DAY, NO_MOMENT, Codes, History, View, known, microseconds
from walkaway.asof.maturity import mature_age_days
from walkaway.asof.recorded import only_of, recorded_by, with_recorded
from walkaway.asof.snapshots import (
    cadence_days,
    check_dated,
    check_moments,
    check_not_far_ahead,
    moments,
    open_snapshots,
    snapshot_weights,
)

__all__ = [
    "DAY",
    "NO_MOMENT",
    "Codes",
    "Events",
    "History",
    "View",
    "cadence_days",
    "check_dated",
    "check_moments",
    "check_not_far_ahead",
    "known",
    "mature_age_days",
    "microseconds",
    "moments",
    "only_of",
    "open_snapshots",
    "recorded_by",
    "snapshot_weights",
    "with_recorded",
]
