"""Settings: one small typed class a step. Nothing happens on import."""

from __future__ import annotations

import os

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BoosterSettings", "HeadSettings", "ScoreSettings", "Settings", "TrainSettings"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BoosterSettings(_Frozen):
    """One LightGBM booster: few leaves and random splits, since a deal's snapshots repeat the same little evidence."""

    trees: int = Field(default=200, ge=1)
    learning_rate: float = Field(default=0.05, gt=0)
    leaves: int = Field(default=15, ge=2)
    least_rows_in_leaf: int = Field(default=100, ge=1)
    feature_share: float = Field(default=0.5, gt=0, le=1)
    row_share: float = Field(default=0.7, gt=0, le=1)
    l2: float = Field(default=5.0, ge=0)


class HeadSettings(_Frozen):
    """The heads: bags of boosters, and how open deals are completed (`heads.completion`)."""

    members: int = Field(default=5, ge=1)
    completion_rounds: int = Field(default=3, ge=0)
    decay: float = Field(default=0.95, ge=0, le=1)
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=2, ge=1)
    win: BoosterSettings = BoosterSettings(trees=400, leaves=4, least_rows_in_leaf=120, feature_share=0.8)
    hours: BoosterSettings = BoosterSettings(trees=150)
    worth: BoosterSettings = BoosterSettings(trees=100)


class TrainSettings(_Frozen):
    """Training: how often deals are looked at, the rolling folds, and the floor under hours."""

    cadence_days: float | None = Field(default=None, gt=0)
    folds: int = Field(default=4, ge=1)
    floor_hours: float = Field(default=0.1, gt=0)
    bootstrap: int = Field(default=200, ge=20)
    heads: HeadSettings = HeadSettings()


class ScoreSettings(_Frozen):
    """Scoring: which point on the curve sets the bar."""

    forgo: float = Field(default=0.10, ge=0, le=1)
    bar: float | None = Field(default=None, ge=0)
    reasons: int = Field(default=5, ge=0)


class Settings(_Frozen):
    """Everything that can be set."""

    train: TrainSettings = TrainSettings()
    score: ScoreSettings = ScoreSettings()
    tracking_uri: str | None = None

    @classmethod
    def from_environment(cls) -> Settings:
        """Defaults, with the tracking URI of WALKAWAY_TRACKING_URI or MLFLOW_TRACKING_URI where one is set."""
        uri = os.environ.get("WALKAWAY_TRACKING_URI") or os.environ.get("MLFLOW_TRACKING_URI")
        return cls(tracking_uri=uri or None)
