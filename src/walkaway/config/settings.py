"""The settings: a small typed class per step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from walkaway.config.assumed_effort import EffortSettings
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

# Exactly one dial sets the bar. A dial from a higher-precedence source clears the others.
DIALS = ("forgo", "bar", "capacity")
Hours = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BoosterSettings(_Frozen):
    """One LightGBM booster. Few leaves and random splits limit overfitting: snapshots of a deal are much alike.

    `linear_share`: of what it learns, the share that is predicted by a regularised linear model; the rest are outcomes.
    """

    trees: int = Field(default=200, ge=1)
    learning_rate: float = Field(default=0.05, gt=0)
    leaves: int = Field(default=15, ge=2)
    least_rows_in_leaf: int = Field(default=100, ge=1)
    feature_share: float = Field(default=0.5, gt=0, le=1)
    row_share: float = Field(default=0.7, gt=0, le=1)
    l2: float = Field(default=5.0, ge=0)
    extra_trees: bool = True
    linear_share: float = Field(default=0.0, ge=0, le=1)


MENU = {
    "small": BoosterSettings(trees=400, leaves=4, least_rows_in_leaf=120, feature_share=0.8),
    "medium": BoosterSettings(trees=300, leaves=8, least_rows_in_leaf=40, extra_trees=False),
    "plain": BoosterSettings(leaves=15, least_rows_in_leaf=20, feature_share=0.8, l2=1.0, extra_trees=False),
    "mixed": BoosterSettings(trees=400, leaves=4, least_rows_in_leaf=120, feature_share=0.8, linear_share=0.5),
    "linear": BoosterSettings(
        leaves=15, least_rows_in_leaf=20, feature_share=0.8, l2=1.0, extra_trees=False, linear_share=1.0
    ),
}


class HeadSettings(_Frozen):
    """The heads: ensembles of boosters, and how open deals are completed (`heads.completion`).

    `members` is the size of the final ensemble; the `completion_rounds` before it use `completion_members`. With
    `pooling_deals` won (or lost) deals, the win head weighs a linear model and the boosters equally. With
    `pooling_hours_deals` settled deals, the hours head does (`heads.pooling`). `timeless` is the win head of a book
    without dates, which has one row per deal.

    `menu` has the shapes of boosters that each head can choose from in each fit, besides its own (`heads.capacity`). An
    empty one leaves each head its own.
    """

    members: int = Field(default=5, ge=1)
    completion_members: int = Field(default=2, ge=1)
    completion_rounds: int = Field(default=3, ge=0)
    decay: float = Field(default=0.95, ge=0, le=1)
    pooling_deals: float = Field(default=40.0, ge=0, allow_inf_nan=False)
    pooling_hours_deals: float = Field(default=200.0, ge=0, allow_inf_nan=False)
    menu: dict[str, BoosterSettings] = MENU
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=2, ge=1)
    no_decision: BoosterSettings = BoosterSettings(trees=150, leaves=8)
    win: BoosterSettings = BoosterSettings(trees=400, leaves=4, least_rows_in_leaf=120, feature_share=0.8)
    hours: BoosterSettings = BoosterSettings(trees=150, leaves=8)
    worth: BoosterSettings = BoosterSettings(trees=200, feature_share=0.8)
    timeless: BoosterSettings = BoosterSettings(leaves=8, least_rows_in_leaf=10, feature_share=0.8)


class FeatureSettings(_Frozen):
    """The features a model may use, by name, family (file in features/) or column (`days_since_stage[offer]`).

    `allowed` of None allows all. `denied` takes precedence over `allowed`. `owner_identity` adds the deal's owner as a
    feature; without it the only feature about a person is how many deals they have open.
    """

    allowed: tuple[str, ...] | None = None
    denied: tuple[str, ...] = ()
    owner_identity: bool = False


class AuditSettings(_Frozen):
    """The leak audit. `allowed` names suspected fields to keep, as the audit prints them (`deals.close_reason`)."""

    allowed: tuple[str, ...] = ()


class TrainSettings(_Frozen):
    """Training: the interval between snapshots, the rolling folds, and the hours added to every deal (`floor_hours`).

    `floor_hours` is the most: a book whose deals have little work left gets a tenth of their mean remaining hours.

    `cadence_days` is the interval between training snapshots. `calls_every_days` is how often deals are scored in use.
    The curve and the guarantee are learned at that interval, since more frequent scoring catches a deal below the bar
    more often. `no_decision_reasons` are the loss reasons without a decision by the customer, in lower case with
    underscores; a deal likely to end so may be nurtured. `weigh_kept` gives deals kept as a sample the weight of
    similar dropped deals. Without it each deal counts once, which is more accurate where all advice is followed
    (docs/results/feedback.md). `remembered_snapshots` is the number of settled snapshots saved with the model, to look
    up similar deals.
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
    """Scoring: the bar, set by `forgo` (share of won value lost), `bar` (money per hour) or `capacity` (weekly hours).

    With `guarantee`, the loss stays within `forgo` at 90% confidence. `keep_share` of the deals below the bar, drawn
    at random, are worked anyway, so that later models see how they end. `replay` is the folder of a replay; the bar is
    then picked from its curve instead of the model's.
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
            raise ValueError(
                f"must set the bar by one of bar and capacity, found bar {self.bar:g} and capacity {self.capacity:g}"
            )
        if self.guarantee and (self.bar is not None or self.capacity is not None):
            raise ValueError("guarantee works only with forgo, found bar or capacity")
        return self

    def dial(self) -> dict[str, Any]:
        """The arguments of `Curve.bar_of`."""
        return self.model_dump(include={*DIALS, "guarantee"})

    def overruled_by(self, **options: float | None) -> ScoreSettings:
        """These settings with command-line options on top. A dial among the options clears the other dials.

        >>> ScoreSettings(bar=2500.0).overruled_by(forgo=0.05, bar=None, reasons=None)
        ScoreSettings(forgo=0.05, bar=None, capacity=None, guarantee=False, reasons=5, keep_share=0.0, replay=None)
        """
        given = {name: value for name, value in options.items() if value is not None}
        cleared = {*DIALS, "guarantee"} if set(DIALS) & set(given) else set()
        return type(self).model_validate(self.model_dump(exclude=cleared) | given)


class ReplaySettings(_Frozen):
    """The replay: days between trainings, and last days of the book that are left out of the results."""

    retrain_days: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    grace_days: float = Field(default=30.0, ge=0, allow_inf_nan=False)
    bootstrap: int = Field(default=200, ge=20)


class BatchSettings(_Frozen):
    """The nightly batch: the greatest age of the newest record, the output folder and the format."""

    max_age_days: float = Field(default=3.0, gt=0)
    folder: Path = Path("reports")
    format: Literal["csv", "parquet"] = "csv"


class ReportSettings(_Frozen):
    """Reports: the format of numbers, money and dates, by locale (en, en_IN, de_CH). Words are always English."""

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
    """The thresholds from which a finding is to be watched, and to be acted upon."""

    watch: float = Field(ge=0, allow_inf_nan=False)
    act: float = Field(ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _in_order(self) -> Levels:
        if self.watch > self.act:
            raise ValueError(f"watch must not be above act, found watch {self.watch:g} and act {self.act:g}")
        return self


class CheckSettings(_Frozen):
    """`walkaway check`: its thresholds, and the rate of false alarms.

    `psi` is the population stability index of features and scores, in excess of its usual variation. `missing` and
    `unknown` are shares of open deals in excess of training. `gap` is the relative error of predicted wins and hours;
    the whole 90% interval must exceed it. `age` is the age of the model divided by the length of its training history.
    `chance` is the probability of a false alarm per finding on open deals. With fewer than `least_deals` deals no
    finding is made.
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
    """All settings. Constructing it reads no file and no variable; `read_settings` does.

    `effort` is assumed for deals where no work is recorded at all; it takes precedence over the book's.
    A deal that is still open `lost_after_days` days after it was created counts as lost on that day; this takes
    precedence over the book's, too.
    `hours` are assumed for activities without recorded hours, by kind; they take precedence over the book's. Set a kind
    with capital letters in the file, or in WALKAWAY_HOURS as JSON, since names of variables ignore case.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    money: MoneySettings = MoneySettings()
    hours: dict[str, Hours] = {}
    effort: EffortSettings | None = None
    lost_after_days: float | None = Field(default=None, gt=0, allow_inf_nan=False)
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
        """Use the arguments alone. By default pydantic-settings reads the environment on every construction."""
        return (init_settings,)
