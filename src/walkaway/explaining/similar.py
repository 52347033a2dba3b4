"""Deals like this one: settled deals that the models saw for the same reasons, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from walkaway.explaining.attribution import Attribution
from walkaway.models import Model, Settled

__all__ = ["Example", "SimilarDeals", "Similarity"]

IntArray = npt.NDArray[np.int64]
NEAREST = 50  # deals
ROWS_A_DEAL = 4  # looked through for as many deals
EXAMPLES = 3


@dataclass(frozen=True)
class Example:
    """One settled deal, as it stood when it was most like the deal in question; money and hours from then on."""

    deal_id: str
    as_of: pd.Timestamp
    won: bool
    worth: float
    remaining_hours: float


@dataclass(frozen=True)
class SimilarDeals:
    """The settled deals most like one, by the reasons of their value per hour.

    deals: how many. won: how many of them were won. median_hours: booked from then on. value_per_hour: won in all over
    hours booked in all and the floor under each deal's hours, which every value per hour has. hours_won: of each that
    was won. examples: the nearest.
    """

    deals: int
    won: int
    median_hours: float
    value_per_hour: float
    hours_won: tuple[float, ...]
    examples: tuple[Example, ...]

    def won_within(self, hours: float) -> int:
        """How many of them were won with no more than so many hours from then on."""
        return sum(one <= hours for one in self.hours_won)


@dataclass(frozen=True)
class Similarity:
    """Looks for settled deals like others: near in the logarithms of their factors (Euclidean)."""

    settled: Settled
    floor_hours: float

    @classmethod
    def of(cls, model: Model) -> Similarity | None:
        """That of a model; None where it remembers no settled deals."""
        settled = model.past_deals.settled
        return cls(settled, model.floor_hours) if settled is not None and len(settled.ends) else None

    @cached_property
    def _search(self) -> NearestNeighbors:
        return NearestNeighbors(n_neighbors=min(NEAREST * ROWS_A_DEAL, len(self.settled.ends))).fit(self.settled.terms)

    @cached_property
    def _deal(self) -> IntArray:
        codes: IntArray = pd.factorize(self.settled.ends["deal_id"])[0]
        return codes

    def to(self, attribution: Attribution) -> list[SimilarDeals | None]:
        """The deals most like each row; None where it is not explained by factors."""
        explained = np.flatnonzero(attribution.explained)
        out: list[SimilarDeals | None] = [None] * len(attribution.explained)
        if len(explained):
            found = self._search.kneighbors(attribution.terms[explained].astype(np.float32), return_distance=False)
            for row, near in zip(explained, found, strict=True):
                first = np.sort(np.unique(self._deal[near], return_index=True)[1])[:NEAREST]
                out[row] = self._told(near[first])
        return out

    def _told(self, near: IntArray) -> SimilarDeals:
        ends = self.settled.ends.iloc[near]
        hours, worth = ends["remaining_hours"].to_numpy(), ends["worth"].fillna(0.0).to_numpy()
        spent = hours.sum() + self.floor_hours * len(hours)
        nearest = ends.head(EXAMPLES).assign(worth=worth[:EXAMPLES]).to_dict("records")
        return SimilarDeals(
            deals=len(near),
            won=int(ends["won"].sum()),
            median_hours=float(np.median(hours)),
            value_per_hour=float(worth.sum() / spent) if spent else 0.0,
            hours_won=tuple(hours[ends["won"].to_numpy() == 1].tolist()),
            examples=tuple(
                Example(str(one["deal_id"]), one["as_of"], bool(one["won"]), one["worth"], one["remaining_hours"])
                for one in nearest
            ),
        )
