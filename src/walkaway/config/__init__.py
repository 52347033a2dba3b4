"""Settings: a small typed class per step, read from one file and from the environment. Nothing is read on import."""

from walkaway.config.assumed_effort import EffortSettings, EffortUnit
from walkaway.config.money import AS_IT_IS, MoneySettings, Rate, rate_on
from walkaway.config.reading import InForce, masked, read_settings
from walkaway.config.settings import (
    DIALS,
    AuditSettings,
    BatchSettings,
    BoosterSettings,
    CheckSettings,
    FeatureSettings,
    HeadSettings,
    Levels,
    ReplaySettings,
    ReportSettings,
    ScoreSettings,
    Settings,
    TrainSettings,
)

__all__ = [
    "AS_IT_IS",
    "DIALS",
    "AuditSettings",
    "BatchSettings",
    "BoosterSettings",
    "CheckSettings",
    "EffortSettings",
    "EffortUnit",
    "FeatureSettings",
    "HeadSettings",
    "InForce",
    "Levels",
    "MoneySettings",
    "Rate",
    "ReplaySettings",
    "ReportSettings",
    "ScoreSettings",
    "Settings",
    "TrainSettings",
    "masked",
    "rate_on",
    "read_settings",
]
