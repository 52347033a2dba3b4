"""The answer: what walking away frees and puts at risk, at which bar, by which model, and on which data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from walkaway.asof import known
from walkaway.book import Book
from walkaway.formatting import LocaleFormat
from walkaway.models import Model
from walkaway.report.html.annotated_calls import CALLS

__all__ = ["Answer", "answer_of", "quality_of"]


@dataclass(frozen=True)
class Answer:
    """What walking away frees now, what it puts at risk, and what this bar saved and lost in the past.

    let_go: number of deals to stop, which are those with a call of CALLS. by_call: call, deals, hours, expected_value
    (values below 0 counted as 0) of these. dial: the setting that determined the bar. saved and forgone: shares of
    past hours and of past won value at this bar. estimated: whether these two are estimates. known_until: the moment
    until which the model was trained. margin_known: share of the open deals with a margin. unsure: deals kept because
    the model is not sure. day_old: deals to stop that are less than a day old.
    """

    as_of: pd.Timestamp
    open_deals: int
    let_go: int
    hours: float
    hours_freed: float
    expected_value: float
    value_at_risk: float
    by_call: pd.DataFrame
    bar: float
    dial: dict[str, Any]
    saved: float
    forgone: float
    estimated: bool
    model_version: str
    known_until: str
    assumed_hours_share: float
    margin_known: float
    unsure: int
    day_old: int

    @property
    def at_once(self) -> float:
        """Hours that are free right away: those of the deals to walk away from."""
        return float(self.by_call.loc[self.by_call["call"] == "walk_away", "hours"].sum())

    @property
    def some_later(self) -> bool:
        """Whether some hours (rounded to whole ones) become free only after a buyer or a person acts."""
        return round(self.at_once) < round(self.hours_freed)

    @property
    def share_at_risk(self) -> float:
        """The share of all expected value that is at risk."""
        return self.value_at_risk / self.expected_value if self.expected_value else 0.0


def answer_of(calls: pd.DataFrame, freed: pd.DataFrame, model: Model, book: Book, dial: dict[str, Any]) -> Answer:
    """The answer of a report.

    Args:
        calls: all calls: as_of, bar, remaining_hours, expected_value, age_days, margin.
        freed: the calls of the deals to stop, which also have the column call.
        model: the model that made the calls.
        book: the data behind the calls.
        dial: the result of `ScoreSettings.dial`.
    """
    bar, as_of = float(calls["bar"].iloc[0]), calls["as_of"].iloc[0]
    _, saved, forgone = model.curve.at(bar)
    worth = freed.assign(
        deals=1,
        hours=freed["remaining_hours"],
        expected_value=freed["expected_value"].clip(lower=0),
    )
    by_call = worth.groupby("call")[["deals", "hours", "expected_value"]].sum()
    return Answer(
        as_of=as_of,
        open_deals=len(calls),
        let_go=len(freed),
        hours=float(calls["remaining_hours"].sum()),
        hours_freed=float(freed["remaining_hours"].sum()),
        expected_value=float(calls["expected_value"].clip(lower=0).sum()),
        value_at_risk=float(worth["expected_value"].sum()),
        by_call=by_call.reindex([call for call in CALLS if call in by_call.index]).reset_index(),
        bar=bar,
        dial=dial,
        saved=saved,
        forgone=forgone,
        estimated=model.curve.estimated,
        model_version=model.version,
        known_until="" if model.facts.known_until is None else model.facts.known_until.isoformat(),
        assumed_hours_share=known(book, as_of).assumed_hours_share,
        margin_known=float(calls["margin"].notna().mean()),
        unsure=int((calls["verdict"] == "unsure").sum()),
        day_old=int((freed["age_days"] < 1).sum()),
    )


def _until(answer: Answer, wording: LocaleFormat) -> str:
    return f"{wording.moment(pd.Timestamp(answer.known_until))} UTC" if answer.known_until else "an unknown date"


def quality_of(book: Book, answer: Answer, wording: LocaleFormat) -> tuple[tuple[str, str], ...]:
    """The data behind the figures: (name, value) pairs."""
    quarantined = sum(book.manifest.rows_quarantined.values())
    return (
        ("Export", book.manifest.source),
        ("Records used until", f"{wording.moment(answer.as_of)} UTC; later records are ignored"),
        ("Model", answer.model_version),
        ("Model trained on what was known until", _until(answer, wording)),
        ("Fingerprint of the data", book.manifest.fingerprint),
        ("Rows that could not be used (quarantined)", wording.number(quarantined)),
        ("Deals among them, which get no call", wording.number(book.unusable_deals)),
        *(
            (("Hours assumed rather than recorded", wording.percent(answer.assumed_hours_share)),)
            if wording.by_hour
            else ()
        ),
        *(
            ()
            if wording.counts_wins
            else (("Open deals with a recorded margin", wording.percent(answer.margin_known)),)
        ),
    )
