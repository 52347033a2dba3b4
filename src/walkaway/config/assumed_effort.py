"""What a deal is assumed to take where a team records no work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from walkaway.formatting import LocaleFormat

__all__ = ["EffortSettings", "EffortUnit"]

EffortUnit = Literal["hour", "deal"]
MoreThanNone = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SIZE = "amount"  # `by` of classes of size: their hours are given by the amount from which a class begins


class EffortSettings(BaseModel):
    """The effort assumed for deals of a book without recorded work; not used where work is recorded.

    `hours_per_deal`: hours that a deal takes from now on. With `by` (stage, amount, or a text attribute of deals),
    `hours` has those of each value, or of each class of amounts by its least amount; `hours_per_deal` is then for all
    others. `hours_per_open_week`: hours for each week that a deal is open. Without any of them, or with one number for
    all, deals are ranked by expected value, and the bar is money per deal.

    >>> EffortSettings().unit, EffortSettings(hours_per_open_week=0.5).unit
    ('deal', 'hour')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hours_per_deal: MoreThanNone | None = None
    by: str | None = None
    hours: dict[str, MoreThanNone] = {}
    hours_per_open_week: float | None = Field(default=None, gt=0, le=168)

    @model_validator(mode="after")
    def _one_assumption(self) -> EffortSettings:
        if self.hours_per_open_week is not None and (self.hours_per_deal is not None or self.by is not None):
            raise ValueError(
                "must have either hours_per_open_week or hours_per_deal, found both; leave one of them out"
            )
        if (self.by is None) != (not self.hours):
            raise ValueError("must have both `by` (a column) and `hours` (by its values), or neither of them")
        if self.by is not None and self.hours_per_deal is None:
            raise ValueError(f"must have hours_per_deal too, for deals whose {self.by} is not among `hours`")
        return self

    @model_validator(mode="after")
    def _sizes_are_numbers(self) -> EffortSettings:
        if self.by == SIZE:
            for least in self.hours:
                try:
                    float(least)
                except ValueError:
                    raise ValueError(f"hours by amount must be by least amounts such as 10000, found {least}") from None
        return self

    @property
    def unit(self) -> EffortUnit:
        """What effort is counted in: deals where all are taken to need the same, else hours."""
        return "hour" if self.hours or self.hours_per_open_week is not None else "deal"

    @property
    def by_size(self) -> dict[float, float]:
        """Hours by least amount, ascending; empty unless they are by amount."""
        return {float(least): self.hours[least] for least in sorted(self.hours, key=float)} if self.by == SIZE else {}

    def sentence(self, fmt: LocaleFormat) -> str:
        """What is assumed, for the first line of what depends on it.

        >>> EffortSettings(hours_per_deal=4).sentence(LocaleFormat())
        'Hours are not recorded: each open deal is taken to need the same, 4.0 hours. Bars are money per deal.'
        """
        known = "Hours are not recorded:"
        if self.hours_per_open_week is not None:
            return f"{known} {fmt.hours(self.hours_per_open_week)} of work are assumed for each week a deal is open."
        if self.by is not None:
            return f"{known} those of a deal are assumed by {self.by}."
        same = "" if self.hours_per_deal is None else f", {fmt.hours(self.hours_per_deal)}"
        bars = "chances to win" if fmt.counts_wins else "money per deal"
        return f"{known} each open deal is taken to need the same{same}. Bars are {bars}."

    def as_json(self) -> dict[str, Any]:
        """What is assumed, as plain JSON values."""
        return self.model_dump(mode="json", exclude_defaults=True)
