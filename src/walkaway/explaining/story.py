"""One deal's story: what an hour on it is worth, why, what would change that, and what became of deals like it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from walkaway.asof import History
from walkaway.book import Book
from walkaway.economics import DROPPED
from walkaway.explaining.attribution import attribute
from walkaway.explaining.counterfactuals import FlipCondition, flip_conditions
from walkaway.explaining.reasons import Reason, Reasons
from walkaway.explaining.sentences import Factor, factors_of
from walkaway.explaining.similar import SimilarDeals, Similarity
from walkaway.files import plain
from walkaway.formatting import LocaleFormat
from walkaway.models import Calls, Model, Wait

__all__ = ["DealStory", "tell"]

MOST_REASONS = 8


@dataclass(frozen=True)
class DealStory:
    """A call with all its factors: typical_value_per_hour x every factor = value_per_hour.

    typical: what became of all settled deals once at its stage. reasons: the factors that hold, told together where
    they say the same, strongest first. flip_conditions: what would lift a dropped deal over the bar. similar_deals:
    settled deals seen for the same reasons; None where the deal is sold at a loss or the model remembers none.
    floor_hours: counted besides remaining_hours, as the least any deal takes. events: recorded of it by then (None: not
    looked at).
    """

    deal_id: str
    as_of: pd.Timestamp
    win_probability: float
    value_if_won: float
    amount_imputed: bool
    remaining_hours: float
    floor_hours: float
    expected_value: float
    value_per_hour: float
    bar: float
    verdict: str
    wait: Wait | None
    wait_until: pd.Timestamp | None
    model_version: str
    assumed_hours_share: float
    typical_value_per_hour: float
    currency: str
    locale: str
    factors: tuple[Factor, ...]
    typical: Reason
    reasons: tuple[Reason, ...]
    flip_conditions: tuple[FlipCondition, ...]
    similar_deals: SimilarDeals | None
    events: int | None

    @property
    def wait_for(self) -> str | None:
        """What it waits for, in words."""
        return None if self.wait is None else str(self.wait)

    @property
    def wording(self) -> LocaleFormat:
        """How its reader writes."""
        return LocaleFormat(self.locale, self.currency)

    @property
    def look_twice(self) -> bool:
        """Whether it is let go although an hour on deals like it earned more than the bar: it may be called wrongly."""
        near = self.similar_deals
        return self.verdict in DROPPED and near is not None and near.value_per_hour > self.bar

    def as_json(self) -> dict[str, object]:
        """The story as plain JSON values."""
        told = {"wait_for" if name == "wait" else name: value for name, value in plain(asdict(self)).items()}
        told["wait_for"] = self.wait_for
        if told["similar_deals"] is not None:
            del told["similar_deals"]["hours_won"]
        return told


def tell(
    model: Model, calls: Calls, assumed_hours_share: float, book: Book | None = None, locale: str = "en_GB"
) -> list[DealStory]:
    """The stories of these calls, in order.

    Args:
        model: that made the calls.
        calls: of one moment, if their book is given.
        assumed_hours_share: of the hours booked by then.
        book: what the calls rest on; without it nothing is said of what would change them.
        locale: of the reader.

    Raises:
        UsageError: no such locale.
    """
    attribution, wording = attribute(model, calls.rows), LocaleFormat(locale, model.facts.currency)
    reasons, similarity = Reasons(model, calls.rows, attribution, wording), Similarity.of(model)
    similar: list[SimilarDeals | None] = [None] * len(calls.table)
    similar = similarity.to(attribution) if similarity else similar
    flips: list[tuple[FlipCondition, ...]] = [()] * len(calls.table)
    events = None
    if book is not None and len(calls.table):
        view = History(book).at(calls.table[["deal_id", "as_of"]])
        events = view.activities.count() + view.changes.count()
        flips = flip_conditions(book, model, calls, similar, wording)
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
                floor_hours=model.floor_hours,
                expected_value=call["expected_value"],
                value_per_hour=call["value_per_hour"],
                bar=call["bar"],
                verdict=call["verdict"],
                wait=calls.waits[row],
                wait_until=None if pd.isna(call["wait_until"]) else call["wait_until"],
                model_version=model.version,
                assumed_hours_share=assumed_hours_share,
                typical_value_per_hour=attribution.typical,
                currency=wording.currency,
                locale=wording.locale,
                factors=tuple(factors_of(model, calls.rows, attribution, row, wording)),
                typical=reasons.typical(row),
                reasons=tuple(reasons.of(row, MOST_REASONS)),
                flip_conditions=flips[row],
                similar_deals=similar[row],
                events=None if events is None else int(events[row]),
            )
        )
    return stories
