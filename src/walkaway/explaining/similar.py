"""Similar deals: settled deals that the model valued for the same reasons, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from walkaway.explaining.attribution import Attribution
from walkaway.models import Model, Settled

__all__ = ["Example", "SimilarDeals", "Similarity"]

IntArray = npt.NDArray[np.int64]
NEAREST = 50  # similar deals to find
ROWS_A_DEAL = 4  # a deal has several snapshots, so this many rows per deal are searched
EXAMPLES = 3


@dataclass(frozen=True)
class Example:
    """One settled deal at the moment it was most like the deal in question; money and hours from then on."""

    deal_id: str
    as_of: pd.Timestamp
    won: bool
    worth: float
    remaining_hours: float
    name: str | None = None


@dataclass(frozen=True)
class SimilarDeals:
    """The settled deals most like a given deal, by the reasons for their value per hour.

    deals: how many. won: how many of them were won. median_hours: booked from then on. value_per_hour: total value won
    over total hours booked, where each deal's hours include the floor, as in every value per hour. hours_won: the hours
    of each won deal. examples: the nearest deals.
    """

    deals: int
    won: int
    median_hours: float
    value_per_hour: float
    hours_won: tuple[float, ...]
    examples: tuple[Example, ...]

    def named(self, names: Mapping[str, str]) -> SimilarDeals:
        """The same, with names for the examples, by id."""
        return replace(self, examples=tuple(replace(deal, name=names.get(deal.deal_id)) for deal in self.examples))

    def won_within(self, hours: float) -> int:
        """How many of them were won with at most this many hours from then on."""
        return sum(taken <= hours for taken in self.hours_won)


@dataclass(frozen=True)
class Similarity:
    """Finds similar settled deals by Euclidean distance between the logarithms of their factors."""

    settled: Settled
    floor_hours: float

    @classmethod
    def of(cls, model: Model) -> Similarity | None:
        """The search over a model's settled deals; None if the model stores none."""
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
        """The deals most like each row; None for rows that factors cannot explain."""
        explained = np.flatnonzero(attribution.explained)
        out: list[SimilarDeals | None] = [None] * len(attribution.explained)
        if len(explained):
            nearest = self._search.kneighbors(attribution.terms[explained].astype(np.float32), return_distance=False)
            for row, near in zip(explained, nearest, strict=True):
                first = np.sort(np.unique(self._deal[near], return_index=True)[1])[:NEAREST]
                out[row] = self._summary(near[first])
        return out

    def _summary(self, near: IntArray) -> SimilarDeals:
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
                Example(str(deal["deal_id"]), deal["as_of"], bool(deal["won"]), deal["worth"], deal["remaining_hours"])
                for deal in nearest
            ),
        )
