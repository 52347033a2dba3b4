"""Facts of a model: what it was trained on and how, as plain values that its bundle keeps and reports show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, field_serializer

from walkaway.config import EffortSettings, EffortUnit
from walkaway.formatting import LocaleFormat

__all__ = ["Facts"]

NOT_COUNTED = (
    "book",
    "source",
    "currency",
    "assumed_hours",
    "effort",
    "counts_wins",
    "capacity",
    "beaten_by",
    "cohort",
    "young_curve",
    "chance_by_age",
    "left_out",
    "tested",
    "settings",
)


class Facts(BaseModel):
    """What a model was trained on. Counts are of deals unless their name says otherwise.

    known_until: None for a book without dates. distinct: closed deals that are not copies of others; only for a book
    without dates. assumed_hours_share: share of hours that were assumed rather than recorded; None if none are known.
    effort: assumed for deals of a book without recorded work. counts_wins: whether the book has no amounts, so that a
    win counts 1. pooled_win, pooled_hours: the weight of a linear model in these heads (`heads.pooling`). book: its
    fingerprint. capacity: by head, the shape of its boosters that was chosen (`heads.capacity`). beaten_by: baselines
    that are better out of time, beyond noise (`evaluation.beaten_by`). cohort: the out-of-time calls that metrics of
    wins are of (`evaluation.Cohort`); None where too few had time to end. mature_days: within which nearly all deals
    end (`asof.mature_age_days`). young_curve: whether the curve had to be learned from folds too young to have seen
    slow endings. chance_by_age: where age alone ranks deals as well as the model, the rows of
    `evaluation.chance_by_age`. left_out: name, verdict, rules and evidence of what the leak audit suspects. settings:
    those of the training, as plain JSON values. lost_after_days: the age at which an open deal counts as lost, None
    where it never does. counted_lost: how many deals are lost for that alone. tested_by_creation: whether a book
    without dates of the close was tested on deals that were created later than those learned from.
    tested: of a book without dates: deals it was tested on, auc, log_loss, and base_log_loss, of the base rate.

    >>> Facts(known_until="2026-01-05T00:00Z", deals=3, won=1, lost=2).counts()
    {'known_until': '2026-01-05T00:00:00+00:00', 'deals': 3, 'won': 1, 'lost': 2}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    known_until: AwareDatetime | None = None
    deals: int = 0
    won: int = 0
    lost: int = 0
    open: int = 0
    distinct: int | None = None
    tested_by_creation: bool = False
    events: int = 0
    snapshots: int = 0
    open_snapshots_share: float = 0.0
    features: int = 0
    base_rate: float | None = None
    assumed_hours_share: float | None = None
    effort: EffortSettings | None = None
    counts_wins: bool = False
    lost_after_days: float | None = None
    counted_lost: int = 0
    dropped_on_advice: int = 0
    out_of_time_calls: int = 0
    out_of_time_settled: int = 0
    cohort: dict[str, Any] | None = None
    mature_days: float | None = None
    pooled_win: float = 0.0
    pooled_hours: float = 0.0
    book: str = ""
    source: str = ""
    currency: str = ""
    assumed_hours: dict[str, float] = {}
    capacity: dict[str, dict[str, Any]] = {}
    beaten_by: tuple[dict[str, str | float], ...] = ()
    young_curve: bool = False
    chance_by_age: tuple[tuple[int, int, int], ...] = ()
    left_out: tuple[dict[str, str], ...] = ()
    tested: dict[str, float] = {}
    settings: dict[str, Any] = {}

    @field_serializer("known_until")
    def _iso(self, known_until: datetime | None) -> str | None:
        return None if known_until is None else known_until.isoformat()

    def wording(self, locale: str) -> LocaleFormat:
        """How numbers are written for a reader: in the locale, the book's currency and its unit of effort."""
        return LocaleFormat(locale, self.currency, unit=self.unit, counts_wins=self.counts_wins)

    @property
    def unit(self) -> EffortUnit:
        """What effort is counted in: hours, or deals where each is taken to need the same."""
        return "hour" if self.effort is None else self.effort.unit

    @property
    def until(self) -> pd.Timestamp | None:
        """`known_until` as a UTC moment."""
        if self.known_until is None:
            return None
        return pd.Timestamp(self.known_until).tz_convert("UTC").as_unit("us")

    def as_json(self) -> dict[str, Any]:
        """The facts that are set, as plain JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)

    def counts(self) -> dict[str, Any]:
        """The moment and the counts that are set, as plain JSON values."""
        return self.model_dump(mode="json", exclude_unset=True, exclude=set(NOT_COUNTED))
