"""What the report says, in tidy frames: every figure, list and sentence rests on one of these, and tests read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from walkaway.batch import changes
from walkaway.calls import Calls, Model, call_open
from walkaway.config import Settings
from walkaway.decisions import settle_decisions, standing
from walkaway.drift import Check, check
from walkaway.economics import DROPPED
from walkaway.errors import UsageError
from walkaway.explain import DealStory, Reasons, attribute, reasons_table, tell
from walkaway.explain.early import EarlySign, early_signs
from walkaway.explain.portfolio import Portfolio, portfolio_of
from walkaway.feedback import kept_to_learn, settle_advice
from walkaway.history import known
from walkaway.report.figures import curve_frame
from walkaway.report.page.answer import Answer, answer_of, quality_of
from walkaway.report.page.doubt import check_first
from walkaway.report.page.legs import counted_legs, typical_legs, weakest_leg
from walkaway.report.page.plan import refocus
from walkaway.report.page.proof import Proof, read_proof
from walkaway.report.page.rollups import neighbours, productivity, rollup
from walkaway.schema import MOMENT, Book
from walkaway.wording import Wording

__all__ = ["Content", "earlier", "gather"]

REASONS = 3
SECONDS_PER_DAY = 86_400
CARDS = {"walk_away": 200, "nurture": 100}  # about 3 kB each; the lists have all


@dataclass(frozen=True)
class Content:
    """The report. Frames have one row a line of what is shown; `stories` have a card each.

    typical: the median legs of the deals to pursue, and legs: which of them the deals let go lack (`legs`).
    """

    answer: Answer
    wording: Wording
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
    age = (as_of - deals["created_at"]).dt.total_seconds().to_numpy() / SECONDS_PER_DAY
    return pd.DataFrame(
        texts
        | {"stage": terms["stage_name"].fillna("").to_numpy()}
        | {name: terms[name].to_numpy() for name in ("amount", "margin")}
        | {"last_activity": contact, "age_days": age}
    )


def _called(
    book: Book, calls: Calls, reasons: pd.DataFrame, decisions: pd.DataFrame | None, keep_share: float
) -> pd.DataFrame:
    """Every call with what readers know the deal by, its reasons, and what a person decided, if anyone did."""
    as_of = calls.table["as_of"].iloc[0]
    kept = calls.table["verdict"].isin(DROPPED) & kept_to_learn(calls.table["deal_id"], keep_share)
    told = calls.table.join(_known_of(book, calls, as_of)).join(reasons).assign(kept_to_learn=kept)
    told = told.assign(leg=weakest_leg(told, typical_legs(told)))
    if decisions is None:
        return told.assign(decision="", by="", why="")
    rows = standing(decisions, as_of).set_index("deal_id").reindex(told["deal_id"])
    names = {"decision": "decision", "by": "by", "why": "reason"}
    return told.assign(**{name: rows[column].fillna("").to_numpy() for name, column in names.items()})


def _waits_of(model: Model, calls: Calls) -> pd.DataFrame:
    """What each deal to nurture waits for: sign; sign_came, the share of past deals as silent that it came to; chance_if_heard."""
    table, terms = calls.table, calls.rows.terms
    place = model.silence.place(terms["silent_days"].to_numpy(dtype=np.float64), terms["stage_name"])
    waits = pd.DataFrame([(wait.sign, wait.came) for wait in model.silence.waits], columns=["sign", "sign_came"])
    place = np.where(table["verdict"] == "nurture", place, -1)
    told = waits.reindex(place).reset_index(drop=True).astype({"sign": "str"})
    chance = table["win_probability"].to_numpy()
    return told.assign(chance_if_heard=np.where(place >= 0, chance * model.silence.lift(chance, place), np.nan))


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
    """The stories of the dropped deals: the clear ones first, by hours."""
    places: list[int] = []
    for verdict, most in CARDS.items():
        mine = table[content_of & (table["verdict"] == verdict)].sort_values(
            ["check_first", "remaining_hours"], ascending=[True, False], kind="stable"
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


def _advised_since(calls: pd.DataFrame, advice: pd.DataFrame | None) -> pd.Series:
    """When each deal that is let go was first advised to be; NaT where it is not, or nobody knows."""
    known_by = advice[advice["advised_at"] <= calls["as_of"].iloc[0]] if advice is not None else None
    first = pd.Series(dtype=MOMENT) if known_by is None else known_by.set_index("deal_id")["advised_at"]
    since = first.reindex(calls["deal_id"]).set_axis(calls.index).astype(MOMENT)
    return since.where(calls["verdict"].isin(DROPPED))


def earlier(previous: pd.DataFrame | None, moment: pd.Timestamp) -> pd.DataFrame | None:
    """The calls of the newest report before this moment; a report made twice is not compared with itself."""
    before = previous[previous["as_of"] < moment] if previous is not None else pd.DataFrame()
    return before[before["as_of"] == before["as_of"].max()] if len(before) else None


def gather(
    book: Book,
    model: Model,
    as_of: pd.Timestamp | None,
    settings: Settings,
    replayed: Path | None = None,
    decisions: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
    advice: pd.DataFrame | None = None,
) -> Content:
    """All that the report says.

    Args:
        book: any book with dates.
        model: the champion, its curve refined by a replay if one is in force.
        as_of: UTC moment; the book's newest record by default.
        settings: of the project.
        replayed: folder of a finished replay, whose ledger is the proof.
        decisions: of `walkaway.decisions.read_decisions`.
        previous: calls of earlier reports (deal_id, as_of, verdict, value_per_hour, bar), the newest before as_of
            counting.
        advice: of `walkaway.feedback.read_advice`: what the nightly batch advised.

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
    table = table.assign(
        advised_since=_advised_since(table, advice), check_first=check_first(model, calls, attribution)
    ).join(_waits_of(model, calls))
    ours = ~table["kept_to_learn"] & (table["decision"] == "")
    freed = table[ours & table["verdict"].isin(DROPPED)]
    answer = answer_of(table, freed, model, book, settings.score.dial())
    plan, moved = refocus(freed, table[ours & (table["verdict"] == "pursue")])
    findings, notes = _findings(book, model, settings, moment)
    proof = read_proof(replayed) if replayed else None
    before = earlier(previous, moment)
    ledger, settled_overrides = proof.ledger if proof else previous, pd.DataFrame()
    if decisions is not None and ledger is not None:
        settled_overrides = settle_decisions(decisions, ledger, book, moment)
    return Content(
        answer=answer,
        wording=wording,
        curve=curve_frame(model.curve),
        typical=typical_legs(table),
        legs=counted_legs(freed),
        neighbours=neighbours(model, table[ours], calls.walk_away_above[ours], bar),
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
        advised=pd.DataFrame() if advice is None else settle_advice(advice, book, moment),
        changes=None if before is None else changes(before, table, known(book, moment)),
        since=None if before is None else before["as_of"].max(),
        overrides=table[(table["decision"] != "")],
        settled_overrides=settled_overrides,
        quality=quality_of(book, answer, wording),
        notes=notes,
    )
