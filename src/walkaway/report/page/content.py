"""What the report says, in tidy frames: every figure, list and sentence rests on one of these, and tests read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from walkaway.batch import changes
from walkaway.calls import Calls, Model, call_open
from walkaway.config import Settings
from walkaway.decisions import settle_decisions, standing
from walkaway.drift import Check, check
from walkaway.economics import DROPPED
from walkaway.effort import assumed_share
from walkaway.errors import UsageError
from walkaway.explain import DealStory, Reasons, attribute, reasons_table, tell
from walkaway.explain.early import EarlySign, early_signs
from walkaway.explain.portfolio import Portfolio, portfolio_of
from walkaway.feedback import kept_to_learn
from walkaway.history import known
from walkaway.report.figures import curve_frame
from walkaway.report.page.plan import refocus
from walkaway.report.page.proof import Proof, read_proof
from walkaway.report.page.rollups import neighbours, productivity, rollup
from walkaway.schema import Book
from walkaway.wording import Wording

__all__ = ["Answer", "Content", "gather"]

REASONS = 3
CARDS = {"walk_away": 200, "nurture": 100}  # about 3 kB each; the lists have all


@dataclass(frozen=True)
class Answer:
    """The answer first: what walking away frees now, what it puts at risk, and what it cost in the past.

    saved and forgone: shares of the past at this bar. estimated: whether these are estimates. known_until: what the
    model learned from.
    """

    as_of: pd.Timestamp
    open_deals: int
    let_go: int
    hours: float
    hours_freed: float
    expected_value: float
    value_at_risk: float
    bar: float
    saved: float
    forgone: float
    estimated: bool
    model_version: str
    known_until: str
    assumed_hours_share: float


@dataclass(frozen=True)
class Content:
    """The report. Frames have one row a line of what is shown; `stories` have a card each."""

    answer: Answer
    wording: Wording
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
    changes: pd.DataFrame | None
    since: pd.Timestamp | None
    overrides: pd.DataFrame
    settled_overrides: pd.DataFrame
    quality: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = field(default_factory=tuple)

    def of(self, *verdicts: str) -> pd.DataFrame:
        """Calls of these verdicts that a person did not decide otherwise and that are not kept to learn from."""
        told = self.calls
        return told[told["verdict"].isin(verdicts) & ~told["kept_to_learn"] & (told["decision"] == "")]


def _known_of(book: Book, calls: Calls, as_of: pd.Timestamp) -> pd.DataFrame:
    """What readers know a deal by, in the order of the calls: owner, team, stage, amount, when last worked on."""
    deals = book.deals.set_index("deal_id").reindex(calls.table["deal_id"])
    texts = {name: deals[name].fillna("").astype("str").to_numpy() for name in ("owner_id", "team", "pipeline")}
    terms = calls.rows.terms
    last = book.activities[book.activities["recorded_at"] <= as_of].groupby("deal_id")["recorded_at"].max()
    contact = last.reindex(calls.table["deal_id"]).dt.strftime("%Y-%m-%d").fillna("").to_numpy()
    return pd.DataFrame(
        texts
        | {"stage": terms["stage_name"].fillna("").to_numpy(), "amount": terms["amount"].to_numpy()}
        | {"last_activity": contact}
    )


def _called(
    book: Book, calls: Calls, reasons: pd.DataFrame, decisions: pd.DataFrame | None, keep_share: float
) -> pd.DataFrame:
    """Every call with what readers know the deal by, its reasons, and what a person decided, if anyone did."""
    as_of = calls.table["as_of"].iloc[0]
    kept = calls.table["verdict"].isin(DROPPED) & kept_to_learn(calls.table["deal_id"], keep_share)
    told = calls.table.join(_known_of(book, calls, as_of)).join(reasons).assign(kept_to_learn=kept)
    if decisions is None:
        return told.assign(decision="", by="", why="")
    rows = standing(decisions, as_of).set_index("deal_id").reindex(told["deal_id"])
    names = {"decision": "decision", "by": "by", "why": "reason"}
    return told.assign(**{name: rows[column].fillna("").to_numpy() for name, column in names.items()})


def _answer(calls: pd.DataFrame, freed: pd.DataFrame, model: Model, book: Book, bar: float) -> Answer:
    _, saved, forgone = model.curve.at(bar)
    as_of = calls["as_of"].iloc[0]
    return Answer(
        as_of=as_of,
        open_deals=len(calls),
        let_go=len(freed),
        hours=float(calls["remaining_hours"].sum()),
        hours_freed=float(freed["remaining_hours"].sum()),
        expected_value=float(calls["expected_value"].clip(lower=0).sum()),
        value_at_risk=float(freed["expected_value"].clip(lower=0).sum()),
        bar=bar,
        saved=saved,
        forgone=forgone,
        estimated=model.curve.estimated,
        model_version=model.version,
        known_until=str(model.facts.get("known_until", "")),
        assumed_hours_share=assumed_share(known(book, as_of).activities, book.manifest.assumed_hours),
    )


def _quality(book: Book, answer: Answer, wording: Wording) -> tuple[tuple[str, str], ...]:
    """What the figures rest on, each with what it is."""
    quarantined = sum(book.manifest.rows_quarantined.values())
    return (
        ("Source", book.manifest.source),
        ("Fingerprint of the data", book.manifest.fingerprint),
        ("Rows that could not be used (quarantined)", wording.number(quarantined)),
        ("Deals among them, which are in no call", wording.number(book.unusable_deals)),
        ("Hours assumed rather than recorded", wording.percent(answer.assumed_hours_share)),
    )


def _findings(
    book: Book, model: Model, settings: Settings, as_of: pd.Timestamp
) -> tuple[Check | None, tuple[str, ...]]:
    """Drift since training; a sentence where it cannot be looked for."""
    try:
        return check(book, model, settings.check, as_of), ()
    except UsageError as error:
        return None, (f"Whether the world still looks like the training was not checked: {error}",)


def _stories(
    book: Book, model: Model, calls: Calls, table: pd.DataFrame, content_of: pd.Series, locale: str, share: float
) -> tuple[DealStory, ...]:
    """The stories of the dropped deals that would take most hours."""
    places: list[int] = []
    for verdict, most in CARDS.items():
        mine = table[content_of & (table["verdict"] == verdict)].sort_values(
            "remaining_hours", ascending=False, kind="stable"
        )
        places += mine.index[:most].tolist()
    if not places:
        return ()
    part = _some(calls, places)
    return tuple(tell(model, part, share, book, locale))


def _some(calls: Calls, places: list[int]) -> Calls:
    """Some of the calls, with the rows they rest on."""
    rows = calls.rows
    part = type(rows)(
        rows.snapshots.iloc[places].reset_index(drop=True),
        rows.X[places],
        rows.terms.iloc[places].reset_index(drop=True),
    )
    return Calls(part, calls.table.iloc[places].reset_index(drop=True), calls.walk_away_above[places])


def gather(
    book: Book,
    model: Model,
    as_of: pd.Timestamp | None,
    settings: Settings,
    replayed: Path | None = None,
    decisions: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
) -> Content:
    """All that the report says.

    Args:
        book: any book with dates.
        model: the champion, its curve refined by a replay if one is in force.
        as_of: UTC moment; the book's newest record by default.
        settings: of the project.
        replayed: folder of a finished replay, whose ledger is the proof.
        decisions: of `walkaway.decisions.read_decisions`.
        previous: calls of the last report (deal_id, as_of, verdict, value_per_hour, bar).

    Raises:
        UsageError: no deal is open then, or nothing was known yet.
        DataError: the book has no dates, or does not fit the model.
    """
    moment = as_of if as_of is not None else book.last_recorded_at()
    calls = call_open(book, model, pd.DatetimeIndex([moment]), settings.score)
    wording, bar = (
        Wording(settings.report.locale, str(model.facts.get("currency", ""))),
        float(calls.table["bar"].iloc[0]),
    )
    attribution = attribute(model, calls.rows)
    reasons = reasons_table(Reasons(model, calls.rows, attribution, wording), REASONS)
    table = _called(book, calls, reasons, decisions, settings.score.keep_share)
    ours = ~table["kept_to_learn"] & (table["decision"] == "")
    freed = table[ours & table["verdict"].isin(DROPPED)]
    answer = _answer(table, freed, model, book, bar)
    plan, moved = refocus(freed, table[ours & (table["verdict"] == "pursue")])
    findings, notes = _findings(book, model, settings, moment)
    proof = read_proof(replayed) if replayed else None
    earlier = previous if previous is not None and len(previous) and previous["as_of"].max() <= moment else None
    ledger, settled_overrides = proof.ledger if proof else previous, pd.DataFrame()
    if decisions is not None and ledger is not None:
        settled_overrides = settle_decisions(decisions, ledger, book, moment)
    return Content(
        answer=answer,
        wording=wording,
        curve=curve_frame(model.curve),
        neighbours=neighbours(model, table, bar),
        calls=table,
        plan=plan,
        moved=moved,
        productivity=productivity(book, moment),
        signs=tuple(early_signs(book, model, moment, wording)),
        whole=portfolio_of(book, model, calls.table, attribution),
        rollup=rollup(table, book),
        stories=_stories(book, model, calls, table, ours, settings.report.locale, answer.assumed_hours_share),
        findings=findings,
        proof=proof,
        changes=None if earlier is None else changes(earlier, table, known(book, moment)),
        since=None if earlier is None else earlier["as_of"].max(),
        overrides=table[(table["decision"] != "")],
        settled_overrides=settled_overrides,
        quality=_quality(book, answer, wording),
        notes=notes,
    )
