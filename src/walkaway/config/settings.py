"""The settings: one small typed class a step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from walkaway.config.money import MoneySettings
from walkaway.errors import UsageError
from walkaway.formatting import locale_named

__all__ = [
    "DIALS",
    "AuditSettings",
    "BatchSettings",
    "BoosterSettings",
    "CheckSettings",
    "FeatureSettings",
    "HeadSettings",
    "Levels",
    "ReplaySettings",
    "ReportSettings",
    "ScoreSettings",
    "Settings",
    "TrainSettings",
]

DIALS = (
    "forgo",
    "bar",
    "capacity",
)  # one of them sets the bar; a place that names one overrules the others of lesser places
Hours = Annotated[float, Field(ge=0, allow_inf_nan=False)]


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
    """The heads: bags of boosters, and how open deals are completed (`heads.completion`).

    Only the last of the fits needs all members: those before it only say how open deals will end. With as many won (or
    lost) deals as `pooling_deals`, half of what the win head learns is what a linear model says; with as many settled
    ones as `pooling_hours_deals`, half of what the hours head learns (`heads.pooling`). `timeless` is the win head of a
    book without dates, which has one row a deal.
    """

    members: int = Field(default=5, ge=1)
    completion_members: int = Field(default=2, ge=1)
    completion_rounds: int = Field(default=3, ge=0)
    decay: float = Field(default=0.95, ge=0, le=1)
    pooling_deals: float = Field(default=40.0, ge=0, allow_inf_nan=False)
    pooling_hours_deals: float = Field(default=200.0, ge=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=2, ge=1)
    no_decision: BoosterSettings = BoosterSettings(trees=150, leaves=8)
    win: BoosterSettings = BoosterSettings(trees=400, leaves=4, least_rows_in_leaf=120, feature_share=0.8)
    hours: BoosterSettings = BoosterSettings(trees=150, leaves=8)
    worth: BoosterSettings = BoosterSettings(trees=200, feature_share=0.8)
    timeless: BoosterSettings = BoosterSettings(leaves=8, least_rows_in_leaf=10, feature_share=0.8)


class FeatureSettings(_Frozen):
    """Which features a model may use: names, families (files of features/) or columns (`days_since_stage[offer]`).

    `allowed` of None allows all; what is denied stays out even where it is allowed. `owner_identity` lets a model know
    who owns a deal; without it nothing about a person is a feature but how many deals they have on hand.
    """

    allowed: tuple[str, ...] | None = None
    denied: tuple[str, ...] = ()
    owner_identity: bool = False


class AuditSettings(_Frozen):
    """The leak audit: what stays in though the audit suspects it, by the name it prints (`deals.close_reason`)."""

    allowed: tuple[str, ...] = ()


class TrainSettings(_Frozen):
    """Training: how often deals are looked at, the rolling folds, and the floor under hours.

    `cadence_days` is between training snapshots. `calls_every_days` is how often deals are called in use: the curve and
    the guarantee are learned at that pace, since who looks more often sees a deal below the bar more often.
    `no_decision_reasons` are the loss reasons that say nobody decided, in lower case with underscores: a deal likely to
    end so may be nurtured. `weigh_kept` lets deals that were kept to learn from stand for those dropped like them; else
    each stands for itself, which errs less where advice is followed to the letter (docs/results/feedback.md).
    `remembered_snapshots` of settled deals go with the model, for deals like another to be looked for among them.
    """

    cadence_days: float | None = Field(default=None, gt=0)
    calls_every_days: float = Field(default=1.0, gt=0)
    folds: int = Field(default=4, ge=1)
    floor_hours: float = Field(default=0.1, gt=0)
    weigh_kept: bool = True
    no_decision_reasons: tuple[str, ...] = ("no_decision",)
    remembered_snapshots: int = Field(default=4_000, ge=0)
    bootstrap: int = Field(default=200, ge=20)
    features: FeatureSettings = FeatureSettings()
    audit: AuditSettings = AuditSettings()
    heads: HeadSettings = HeadSettings()

    def without_features(self, columns: tuple[str, ...]) -> TrainSettings:
        """These settings, with more feature columns denied.

        >>> TrainSettings().without_features(("age_days",)).features.denied
        ('age_days',)
        """
        denied = {"denied": (*self.features.denied, *columns)}
        return self.model_copy(update={"features": self.features.model_copy(update=denied)})


class ScoreSettings(_Frozen):
    """Scoring: which point on the curve sets the bar; `bar` (money per hour) or `capacity` (hours a week) instead.

    With `guarantee` the share of `forgo` is promised, with 90% confidence, rather than estimated. `keep_share` of the
    deals below the bar, drawn at random, are to be worked all the same, so that models learn what becomes of them.
    `replay` is the folder of a replay whose settled curve the dials pick from, rather than the model's own.
    """

    forgo: float = Field(default=0.10, ge=0, le=1)
    bar: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    capacity: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    guarantee: bool = False
    reasons: int = Field(default=5, ge=0, le=20)
    keep_share: float = Field(default=0.0, ge=0, lt=1)
    replay: Path | None = None

    @model_validator(mode="after")
    def _one_dial(self) -> ScoreSettings:
        if self.bar is not None and self.capacity is not None:
            raise ValueError(f"one dial sets the bar: found bar {self.bar:g} and capacity {self.capacity:g}")
        if self.guarantee and (self.bar is not None or self.capacity is not None):
            raise ValueError("guarantee promises a share of value: it goes with forgo, not with a bar or a capacity")
        return self

    def dial(self) -> dict[str, Any]:
        """What `Curve.bar_of` asks for."""
        return self.model_dump(include={*DIALS, "guarantee"})

    def overruled_by(self, **options: float | None) -> ScoreSettings:
        """These settings, with the options that were given before them: naming one dial sets the others back.

        >>> ScoreSettings(bar=2500.0).overruled_by(forgo=0.05, bar=None, reasons=None)
        ScoreSettings(forgo=0.05, bar=None, capacity=None, guarantee=False, reasons=5, keep_share=0.0, replay=None)
        """
        given = {name: value for name, value in options.items() if value is not None}
        lesser = {*DIALS, "guarantee"} if set(DIALS) & set(given) else set()
        return type(self).model_validate(self.model_dump(exclude=lesser) | given)


class ReplaySettings(_Frozen):
    """The replay: how often models are trained, and how many last days of the book are not judged."""

    retrain_days: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    grace_days: float = Field(default=30.0, ge=0, allow_inf_nan=False)
    bootstrap: int = Field(default=200, ge=20)


class BatchSettings(_Frozen):
    """The nightly batch: how old the newest record may be, where the output lies, and its format."""

    max_age_days: float = Field(default=3.0, gt=0)
    folder: Path = Path("reports")
    format: Literal["csv", "parquet"] = "csv"


class ReportSettings(_Frozen):
    """What people read: how numbers, money and dates are written, by locale (en, en_IN, de_CH). Words are English."""

    locale: str = "en_GB"

    @field_validator("locale")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            locale_named(value)
        except UsageError as error:
            raise ValueError("must name a locale, such as en, en_IN, de_CH or fr_FR") from error
        return value


class Levels(_Frozen):
    """From where on a finding is one to watch, and from where on one to act upon."""

    watch: float = Field(ge=0, allow_inf_nan=False)
    act: float = Field(ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _in_order(self) -> Levels:
        if self.watch > self.act:
            raise ValueError(f"watch must not lie above act, found {self.watch:g} and {self.act:g}")
        return self


class CheckSettings(_Frozen):
    """`walkaway check`: its thresholds, and how sure it must be before it calls.

    `psi` is of columns and scores, without what is ordinary. `missing` and `unknown` are shares of open deals, beyond
    training's. `gap` is of wins and hours, relative: the whole 90% interval must lie beyond it. `age` is the age of the
    model over the length of the history it learned from. `chance` is how often each finding on open deals may be wrong
    in a world that has not changed; with fewer than `least_deals` deals nothing is said.
    """

    least_deals: int = Field(default=30, ge=2)
    chance: float = Field(default=0.01, gt=0, lt=1)
    draws: int = Field(default=500, ge=20)
    psi: Levels = Levels(watch=0.10, act=0.25)
    missing: Levels = Levels(watch=0.05, act=0.20)
    unknown: Levels = Levels(watch=0.02, act=0.10)
    gap: Levels = Levels(watch=0.05, act=0.20)
    age: Levels = Levels(watch=0.25, act=0.50)


class Settings(BaseSettings):
    """Everything that can be set. Making one reads nothing: `read_settings` does.

    `hours` are those assumed of an activity without its own, by kind; they come before the book's. A kind with capitals
    stands in the file or in WALKAWAY_HOURS as JSON: names of variables have no case.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    money: MoneySettings = MoneySettings()
    hours: dict[str, Hours] = {}
    train: TrainSettings = TrainSettings()
    score: ScoreSettings = ScoreSettings()
    batch: BatchSettings = BatchSettings()
    replay: ReplaySettings = ReplaySettings()
    check: CheckSettings = CheckSettings()
    report: ReportSettings = ReportSettings()
    tracking_uri: str | None = None

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *others: Any, **more: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but the arguments: pydantic-settings would read the environment wherever a Settings is made."""
        return (init_settings,)
