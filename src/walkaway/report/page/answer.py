"""The answer first: what walking away frees now and puts at risk, at which bar, by which model, resting on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from walkaway.calls import Model
from walkaway.economics import DROPPED
from walkaway.effort import assumed_share
from walkaway.history import known
from walkaway.schema import Book
from walkaway.wording import Wording

__all__ = ["Answer", "answer_of", "quality_of"]

DAY_OLD = 1.0  # days


@dataclass(frozen=True)
class Answer:
    """What walking away frees now, what it puts at risk, and what that bar cost in the past.

    by_verdict: verdict, deals, hours, expected_value (below 0 counted as 0), of the deals let go. dial: what set the
    bar. saved and forgone: shares of the past at this bar. estimated: whether these are estimates. known_until: what
    the model learned from. margin_known: share of the open deals with a margin. day_old: deals let go that are not a
    day old.
    """

    as_of: pd.Timestamp
    open_deals: int
    let_go: int
    hours: float
    hours_freed: float
    expected_value: float
    value_at_risk: float
    by_verdict: pd.DataFrame
    bar: float
    dial: dict[str, Any]
    saved: float
    forgone: float
    estimated: bool
    model_version: str
    known_until: str
    assumed_hours_share: float
    margin_known: float
    day_old: int


def answer_of(calls: pd.DataFrame, freed: pd.DataFrame, model: Model, book: Book, dial: dict[str, Any]) -> Answer:
    """The answer of a report.

    Args:
        calls: all of them: as_of, bar, remaining_hours, expected_value, age_days, margin.
        freed: those let go: verdict besides.
        model: that made them.
        book: what they rest on.
        dial: of `ScoreSettings.dial`.
    """
    bar, as_of = float(calls["bar"].iloc[0]), calls["as_of"].iloc[0]
    _, saved, forgone = model.curve.at(bar)
    worth = freed.assign(deals=1, hours=freed["remaining_hours"], expected_value=freed["expected_value"].clip(lower=0))
    by_verdict = worth.groupby("verdict")[["deals", "hours", "expected_value"]].sum()
    return Answer(
        as_of=as_of,
        open_deals=len(calls),
        let_go=len(freed),
        hours=float(calls["remaining_hours"].sum()),
        hours_freed=float(freed["remaining_hours"].sum()),
        expected_value=float(calls["expected_value"].clip(lower=0).sum()),
        value_at_risk=float(worth["expected_value"].sum()),
        by_verdict=by_verdict.reindex([verdict for verdict in DROPPED if verdict in by_verdict.index]).reset_index(),
        bar=bar,
        dial=dial,
        saved=saved,
        forgone=forgone,
        estimated=model.curve.estimated,
        model_version=model.version,
        known_until=str(model.facts.get("known_until", "")),
        assumed_hours_share=assumed_share(known(book, as_of).activities, book.manifest.assumed_hours),
        margin_known=float(calls["margin"].notna().mean()),
        day_old=int((freed["age_days"] < DAY_OLD).sum()),
    )


def quality_of(book: Book, answer: Answer, wording: Wording) -> tuple[tuple[str, str], ...]:
    """What the figures rest on, each with what it is."""
    quarantined = sum(book.manifest.rows_quarantined.values())
    return (
        ("Source", book.manifest.source),
        ("Fingerprint of the data", book.manifest.fingerprint),
        ("Rows that could not be used (quarantined)", wording.number(quarantined)),
        ("Deals among them, which are in no call", wording.number(book.unusable_deals)),
        ("Hours assumed rather than recorded", wording.percent(answer.assumed_hours_share)),
        ("Open deals with a recorded margin", wording.percent(answer.margin_known)),
    )
