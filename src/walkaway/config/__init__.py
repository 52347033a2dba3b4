"""Settings: one small typed class a step, one file, one prefix in the environment. Nothing happens on import."""

from walkaway.config.money import MoneySettings, Rate, rate_on
from walkaway.config.reading import InForce, masked, read_settings
from walkaway.config.sections import (
    DIALS,
    BatchSettings,
    BoosterSettings,
    FeatureSettings,
    HeadSettings,
    ScoreSettings,
    Settings,
    TrainSettings,
)

__all__ = [
    "DIALS",
    "BatchSettings",
    "BoosterSettings",
    "FeatureSettings",
    "HeadSettings",
    "InForce",
    "MoneySettings",
    "Rate",
    "ScoreSettings",
    "Settings",
    "TrainSettings",
    "masked",
    "rate_on",
    "read_settings",
]
