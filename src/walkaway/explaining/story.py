"""The story of one deal: its value per hour, the reasons, what would change it, and how similar deals ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from walkaway.asof import History
from walkaway.book import Book
from walkaway.config import EffortUnit
from walkaway.economics import DROPPED
from walkaway.explaining.attribution import attribute
from walkaway.explaining.counterfactuals import Counterfactual, counterfactuals
from walkaway.explaining.reasons import Reason, Reasons
from walkaway.explaining.sentences import Factor, factors_of
from walkaway.explaining.similar import SimilarDeals, Similarity
from walkaway.files import plain
from walkaway.formatting import LocaleFormat
from walkaway.models import Calls, Caveat, Model, Wait, caveats_of

__all__ = ["DealStory", "deal_stories"]

MOST_REASONS = 8


@dataclass(frozen=True)
class DealStory:
    """A call with all its factors: typical_value_per_hour x every factor = value_per_hour.

    as_of and bar are None in a book without dates.

    typical: how all settled deals that were ever at its stage ended. reasons: the factors on which the ensemble's
    members agree, similar ones combined, strongest first. counterfactuals: what would lift a dropped deal over the bar.
    similar_deals: settled deals valued for the same reasons; None if the deal is sold at a loss or the model stores no
    settled deals. floor_hours: added to remaining_hours, as the minimum any deal takes. events: number of events
    recorded for the deal by then (None: the book records none). unit: what effort is counted in; where it is deals,
    each counts 1 hour here, and value per hour is the expected value. counts_wins: whether value is counted in wins,
    since the book has no amounts. caveats: what must be known before anyone acts on it. stage, name, account_name,
    owner_name and url: as the book has them.
    """

    deal_id: str
    as_of: pd.Timestamp | None
    win_probability: float
    value_if_won: float
    amount_imputed: bool
    remaining_hours: float
    floor_hours: float
    expected_value: float
    value_per_hour: float
    bar: float | None
    verdict: str
    wait: Wait | None
    wait_until: pd.Timestamp | None
    model_version: str
    assumed_hours_share: float
    typical_value_per_hour: float
    currency: str
    unit: EffortUnit
    counts_wins: bool
    locale: str
    factors: tuple[Factor, ...]
    typical: Reason
    reasons: tuple[Reason, ...]
    counterfactuals: tuple[Counterfactual, ...]
    similar_deals: SimilarDeals | None
    events: int | None
    caveats: tuple[Caveat, ...] = ()
    stage: str | None = None
    name: str | None = None
    account_name: str | None = None
    owner_name: str | None = None
    url: str | None = None

    @property
    def wait_for(self) -> str | None:
        """What the deal waits for, in words."""
        return None if self.wait is None else self.wait.sentence(self.wording)

    @property
    def wording(self) -> LocaleFormat:
        """How the reader writes numbers and money."""
        return LocaleFormat(self.locale, self.currency, unit=self.unit, counts_wins=self.counts_wins)

    @property
    def look_twice(self) -> bool:
        """Whether the deal is dropped although similar deals earned more per hour than the bar, so needs a check."""
        near = self.similar_deals
        return self.verdict in DROPPED and near is not None and self.bar is not None and near.value_per_hour > self.bar

    def as_json(self) -> dict[str, object]:
        """The story as plain JSON values; hours and value per hour are None where no hours are known."""
        fields = {"wait_for" if name == "wait" else name: value for name, value in plain(asdict(self)).items()}
        fields["wait_for"] = self.wait_for
        if fields["similar_deals"] is not None:
            del fields["similar_deals"]["hours_won"]
        fields["caveats"] = [caveat._asdict() for caveat in self.caveats]
        if not self.wording.by_hour:
            _empty_hours(fields)
        return fields


def _named(
    calls: Calls, similar: list[SimilarDeals | None], book: Book | None
) -> tuple[dict[int, dict[str, Any]], list[SimilarDeals | None]]:
    """The names of each call's deal, and the similar deals with their names, as far as the book has them."""
    if book is None:
        return {}, similar
    ids = pd.Series([example.deal_id for near in similar if near for example in near.examples], dtype="str").unique()
    found = book.names_of(pd.Series(ids))
    by_id = dict(zip(ids, found["name"], strict=True)) if "name" in found else {}
    names = book.names_of(calls.table["deal_id"])
    return names.where(names.notna(), None).to_dict("index"), [near and near.named(by_id) for near in similar]


OF_HOURS = ("remaining_hours", "floor_hours", "value_per_hour", "typical_value_per_hour", "median_hours")


def _empty_hours(fields: dict[str, Any]) -> None:
    """None for each figure of hours, at any depth."""
    for name, value in fields.items():
        if name in OF_HOURS:
            fields[name] = None
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                _empty_hours(part)


def deal_stories(
    model: Model, calls: Calls, assumed_hours_share: float, book: Book | None = None, locale: str = "en_GB"
) -> list[DealStory]:
    """The stories of these calls, in order.

    Args:
        model: the model that made the calls.
        calls: the calls; all of one moment if a book is given.
        assumed_hours_share: share of the hours booked by then that are assumed rather than recorded.
        book: the data behind the calls; without it, the stories have no counterfactuals.
        locale: locale of the reader.

    Raises:
        UsageError: the locale is unknown.
    """
    attribution, wording = attribute(model, calls.rows), model.facts.wording(locale)
    reasons, similarity = Reasons(model, calls.rows, attribution, wording), Similarity.of(model)
    similar: list[SimilarDeals | None] = [None] * len(calls.table)
    similar = similarity.to(attribution) if similarity else similar
    what_ifs: list[tuple[Counterfactual, ...]] = [()] * len(calls.table)
    events = None
    if book is not None and len(calls.table) and book.records_events:
        view = History(book).at(calls.table[["deal_id", "as_of"]])
        events = view.activities.count() + view.changes.count()
    if book is not None and len(calls.table):
        what_ifs = counterfactuals(book, model, calls, similar, wording)
    names, similar = _named(calls, similar, book)
    stages = [None if pd.isna(stage) else str(stage) for stage in calls.rows.terms["stage_name"]]
    stories = []
    for row, call in enumerate(calls.table.to_dict("records")):
        stories.append(
            DealStory(
                deal_id=call["deal_id"],
                as_of=None if pd.isna(call["as_of"]) else call["as_of"],
                win_probability=call["win_probability"],
                value_if_won=call["value_if_won"],
                amount_imputed=bool(call["amount_imputed"]),
                remaining_hours=call["remaining_hours"],
                floor_hours=model.floor_hours,
                expected_value=call["expected_value"],
                value_per_hour=call["value_per_hour"] if wording.by_hour else call["expected_value"],
                bar=None if pd.isna(call["bar"]) else call["bar"],
                verdict=call["verdict"],
                wait=calls.waits[row],
                wait_until=None if pd.isna(call["wait_until"]) else call["wait_until"],
                model_version=model.version,
                assumed_hours_share=assumed_hours_share,
                typical_value_per_hour=attribution.typical,
                currency=wording.currency,
                unit=wording.unit,
                counts_wins=wording.counts_wins,
                locale=wording.locale,
                factors=tuple(factors_of(model, calls.rows, attribution, row, wording)),
                typical=reasons.typical(row),
                reasons=tuple(reasons.of(row, MOST_REASONS)),
                counterfactuals=what_ifs[row],
                similar_deals=similar[row],
                events=None if events is None else int(events[row]),
                caveats=caveats_of(model, wording),
                stage=stages[row],
                **names.get(row, {}),
            )
        )
    return stories
