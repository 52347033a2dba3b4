"""The content of the report as tidy frames. Every figure, list and sentence is made from one, and tests read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import known
from walkaway.book import Book, shown_deal
from walkaway.config import Settings
from walkaway.errors import UsageError
from walkaway.explaining import DealStory, EarlySign, Portfolio, attribute, deal_stories, early_signs, portfolio_of
from walkaway.formatting import LocaleFormat
from walkaway.models import Calls, Caveat, Model, call_open, caveats_of, gain_of_bar_by_hand, may_be_acted_on, no_bar
from walkaway.monitoring import Check, check
from walkaway.report.age_advice import age_rows, age_sentences
from walkaway.report.figures import curve_frame
from walkaway.report.html.annotated_calls import CALLS, CHECK_FIRST, called
from walkaway.report.html.answer import Answer, answer_of, quality_of
from walkaway.report.html.main_reason import counted_legs, typical_deal
from walkaway.report.html.proof import Proof, read_proof
from walkaway.report.html.refocus import refocus, work_first
from walkaway.report.html.rollups import neighbours, productivity, rollup
from walkaway.report.terminal.training_tables import beaten_sentences
from walkaway.scoring import changes, settle_advice, settle_decisions

__all__ = ["Content", "earlier", "gather"]

CARDS = {
    "walk_away": 240,
    "nurture": 160,
    CHECK_FIRST: 160,
}  # about 3 kB each, so their number is limited; the lists have all deals


@dataclass(frozen=True)
class Content:
    """The content of the report. Frames have one row per line shown; each of `stories` gets a card.

    typical: the figures of the typical deal that is kept. legs: the deals to stop by main reason (`main_reason`).
    caveats: the first lines of the page. actionable: whether the model's verdicts may be acted on. records_work:
    whether the book records work; if not, nothing is said about work done. records_signs: the same for activities, and
    so for signs from buyers. Where no hours are known, hours are 0 or empty. by_hand: what a bar set by hand would have
    gained on past deals; empty unless one is set. no_bar: why none can be set; empty where one is. beaten: what
    predicts or ranks better than the model, beyond noise, and the rule that age alone amounts to. by_age: the chance of
    deals by age, where age alone ranks as well as the model (`age_advice`).
    """

    answer: Answer
    wording: LocaleFormat
    typical: pd.Series
    legs: pd.DataFrame
    curve: pd.DataFrame
    neighbours: pd.DataFrame
    calls: pd.DataFrame
    plan: pd.DataFrame
    moved: pd.DataFrame
    productivity: pd.DataFrame
    signs: tuple[EarlySign, ...]
    whole: Portfolio
    rollup: pd.DataFrame
    stories: tuple[DealStory, ...]
    findings: Check | None
    proof: Proof | None
    advised: pd.DataFrame
    changes: pd.DataFrame | None
    since: pd.Timestamp | None
    overrides: pd.DataFrame
    settled_overrides: pd.DataFrame
    quality: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = field(default_factory=tuple)
    caveats: tuple[Caveat, ...] = ()
    actionable: bool = True
    records_work: bool = True
    records_signs: bool = True
    by_hand: str = ""
    no_bar: str = ""
    beaten: tuple[str, ...] = ()
    by_age: tuple[tuple[str, ...], ...] = ()

    def named(self, deal_ids: Iterable[str]) -> list[str]:
        """Open deals by name and id."""
        names = self.calls.set_index("deal_id")["name"]
        return [shown_deal(deal, names[deal]) for deal in deal_ids]

    def of(self, *names: str) -> pd.DataFrame:
        """Deals with these calls (CALLS, pursue, unsure), without deals decided by a person or kept to learn from.

        In the order of these names; within each, those that would take the most hours first, or with the least expected
        value where no hours are known.
        """
        calls = self.calls
        rows = calls[calls["call"].isin(names) & ~calls["kept_to_learn"] & (calls["decision"] == "")]
        return rows.iloc[_first(rows, names)]


def _first(rows: pd.DataFrame, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Places of calls: in the order of these names, then the most hours, then the least expected value."""
    return np.lexsort((rows["expected_value"], -rows["remaining_hours"], rows["call"].map(names.index)))


def _findings(
    book: Book, model: Model, settings: Settings, as_of: pd.Timestamp
) -> tuple[Check | None, tuple[str, ...]]:
    """Drift since training; a sentence if it cannot be checked."""
    try:
        return check(book, model, settings.check, as_of, settings.report.locale), ()
    except UsageError as error:
        return None, (f"It was not checked whether today's deals still look like the training data: {error}",)


def _stories(
    book: Book, model: Model, calls: Calls, table: pd.DataFrame, content_of: pd.Series, locale: str, share: float
) -> tuple[DealStory, ...]:
    """The stories of deals to stop: for each call the first ones, in the order of CALLS."""
    ours = table[content_of & table["call"].isin(CALLS)]
    ours = ours.iloc[_first(ours, CALLS)]
    places = [at for call, most in CARDS.items() for at in ours.index[ours["call"] == call][:most]]
    return tuple(deal_stories(model, calls.take(places), share, book, locale)) if places else ()


def earlier(previous: pd.DataFrame | None, moment: pd.Timestamp) -> pd.DataFrame | None:
    """The calls of the newest report before this moment, so that a report made twice is not compared with itself."""
    before = previous[previous["as_of"] < moment] if previous is not None else pd.DataFrame()
    return before[before["as_of"] == before["as_of"].max()] if len(before) else None


def gather(
    book: Book,
    model: Model,
    as_of: pd.Timestamp,
    settings: Settings,
    replayed: Path | None = None,
    decisions: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
    advice: pd.DataFrame | None = None,
) -> Content:
    """The content of the report.

    Args:
        book: any book with dates.
        model: the champion, with its curve refined by a replay if the settings name one.
        as_of: UTC moment.
        settings: the settings of the project.
        replayed: folder of a finished replay, whose ledger is the proof.
        decisions: from `walkaway.scoring.decisions.read_decisions`.
        previous: calls of earlier reports (deal_id, as_of, verdict, expected_value, value_per_hour, bar); the newest
            before as_of is used.
        advice: from `walkaway.scoring.advice.read_advice`: what the nightly batch advised.

    Raises:
        UsageError: no deal is open at that moment, or nothing was recorded by then.
        DataError: the book has no dates, or does not fit the model.
    """
    calls = call_open(book, model, pd.DatetimeIndex([as_of]), settings.score)
    wording, bar = (
        model.facts.wording(settings.report.locale),
        float(calls.table["bar"].iloc[0]),
    )
    attribution = attribute(model, calls.rows)
    table = called(book, model, calls, attribution, wording, settings.score.keep_share, decisions, advice)
    ours = ~table["kept_to_learn"] & (table["decision"] == "")
    freed = table[ours & table["call"].isin(CALLS)]
    answer = answer_of(table, freed, model, book, settings.score.dial())
    pursued = table[ours & (table["verdict"] == "pursue")]
    plan, moved = refocus(freed, pursued) if wording.by_hour else (work_first(pursued), pd.DataFrame())
    findings, notes = _findings(book, model, settings, as_of)
    proof = read_proof(replayed) if replayed else None
    before = earlier(previous, as_of)
    ledger, settled_overrides = proof.ledger if proof else previous, pd.DataFrame()
    if decisions is not None and ledger is not None:
        settled_overrides = settle_decisions(decisions, ledger, book, as_of)
    return Content(
        answer=answer,
        wording=wording,
        curve=curve_frame(model.curve),
        typical=typical_deal(table),
        legs=counted_legs(freed),
        neighbours=neighbours(model, table[ours], calls.walk_away_above[ours], bar),
        calls=table,
        plan=plan,
        moved=moved,
        productivity=productivity(book, as_of),
        signs=tuple(early_signs(book, model, as_of, wording)),
        whole=portfolio_of(book, model, calls.table, attribution),
        rollup=rollup(table, book),
        stories=_stories(book, model, calls, table, ours, settings.report.locale, answer.assumed_hours_share),
        findings=findings,
        proof=proof,
        advised=pd.DataFrame() if advice is None else settle_advice(advice, book, as_of),
        changes=None if before is None else changes(before, table, known(book, as_of)),
        since=None if before is None else before["as_of"].max(),
        overrides=table[(table["decision"] != "")],
        settled_overrides=settled_overrides,
        quality=quality_of(book, answer, wording),
        notes=notes,
        caveats=caveats_of(model, wording),
        actionable=may_be_acted_on(model),
        records_work=book.records_work,
        records_signs=len(book.activities) > 0,
        beaten=(*beaten_sentences(model.facts, wording), *age_sentences(model.facts, wording)),
        by_age=tuple(age_rows(model.facts, wording)),
        no_bar=no_bar(model, bar, by_hand=settings.score.bar is not None),
        by_hand=gain_of_bar_by_hand(model, settings.score.bar, wording),
    )
