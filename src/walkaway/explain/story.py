"""One deal's story: what an hour on it is worth, and what makes it so."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from walkaway.calls import Calls, Model
from walkaway.explain.attribution import attribute
from walkaway.explain.reasons import Factor, factors_of

__all__ = ["DealStory", "tell"]


@dataclass(frozen=True)
class DealStory:
    """A call with all its factors: typical_value_per_hour x every factor = value_per_hour."""

    deal_id: str
    as_of: pd.Timestamp
    win_probability: float
    value_if_won: float
    amount_imputed: bool
    remaining_hours: float
    expected_value: float
    value_per_hour: float
    bar: float
    verdict: str
    wait_for: str | None
    wait_until: pd.Timestamp | None
    model_version: str
    assumed_hours_share: float
    typical_value_per_hour: float
    currency: str
    factors: tuple[Factor, ...]

    def strongest(self, most: int) -> list[Factor]:
        """The factors furthest from 1 on which the bag agrees, strongest first; the floor under hours is no reason."""
        told = [f for f in self.factors if f.agreed and f.feature != "floor under hours"]
        return sorted(told, key=lambda f: max(f.factor, 1 / f.factor), reverse=True)[:most]

    def as_json(self) -> dict[str, object]:
        """The story as plain JSON values."""
        until = None if self.wait_until is None else self.wait_until.isoformat()
        told = {"as_of": self.as_of.isoformat(), "wait_until": until, "factors": [asdict(f) for f in self.factors]}
        return asdict(self) | told


def tell(model: Model, calls: Calls, assumed_hours_share: float) -> list[DealStory]:
    """The stories of these calls, in order; the share of hours assumed is that of the book by then."""
    attribution = attribute(model, calls.rows)
    stories = []
    for row, call in enumerate(calls.table.to_dict("records")):
        stories.append(
            DealStory(
                deal_id=call["deal_id"],
                as_of=call["as_of"],
                win_probability=call["win_probability"],
                value_if_won=call["value_if_won"],
                amount_imputed=bool(call["amount_imputed"]),
                remaining_hours=call["remaining_hours"],
                expected_value=call["expected_value"],
                value_per_hour=call["value_per_hour"],
                bar=call["bar"],
                verdict=call["verdict"],
                wait_for=None if pd.isna(call["wait_for"]) else call["wait_for"],
                wait_until=None if pd.isna(call["wait_until"]) else call["wait_until"],
                model_version=model.version,
                assumed_hours_share=assumed_hours_share,
                typical_value_per_hour=attribution.typical,
                currency=str(model.facts.get("currency", "")),
                factors=tuple(factors_of(model, calls.rows, attribution, row)),
            )
        )
    return stories
