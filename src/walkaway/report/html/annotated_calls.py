"""Every call of a report with what readers know the deal by, why, what it waits for, and what people made of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from walkaway.asof import recorded_by
from walkaway.book import MOMENT, Book
from walkaway.economics import DROPPED
from walkaway.explaining import Attribution, Reasons, reasons_table
from walkaway.formatting import LocaleFormat
from walkaway.models import Calls, Model
from walkaway.report.html.check_first import alike_earned, check_first
from walkaway.report.html.main_reason import typical_deal, weakest_leg
from walkaway.scoring import decisions_in_force, kept_to_learn

__all__ = ["CALLS", "CHECK_FIRST", "called"]

CHECK_FIRST = "check_first"
CALLS = ("walk_away", "nurture", CHECK_FIRST)  # of the deals let go, in the order they are told: the surest first
REASONS = 3
SECONDS_PER_DAY = 86_400


def called(
    book: Book,
    model: Model,
    calls: Calls,
    attribution: Attribution,
    wording: LocaleFormat,
    keep_share: float,
    decisions: pd.DataFrame | None = None,
    advice: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """A row a call, with what is told of it besides.

    Args:
        book: the deals are of.
        model: that called them.
        calls: of one moment.
        attribution: of their rows.
        wording: of the reasons.
        keep_share: the share of the deals below the bar that is kept to learn from.
        decisions: of `walkaway.scoring.decisions.read_decisions`.
        advice: of `walkaway.scoring.advice.read_advice`.

    Returns:
        The table of the calls and: call (the verdict, or CHECK_FIRST where a person looks before it is let go);
        alike_value_per_hour (`doubt.alike_earned`);
        owner_id, team, pipeline, stage, amount, margin, last_activity (a day), age_days; leg (`legs`); reason_k,
        factor_k, base_rate_k; kept_to_learn; decision, by, why (of a person); advised_since; sign, sign_came,
        chance_if_heard.
    """
    as_of = calls.table["as_of"].iloc[0]
    kept = calls.table["verdict"].isin(DROPPED) & kept_to_learn(calls.table["deal_id"], keep_share)
    reasons = reasons_table(Reasons(model, calls.rows, attribution, wording), REASONS)
    told = calls.table.join(_known_of(book, calls, as_of)).join(reasons).join(_waits_of(model, calls))
    told = told.assign(alike_value_per_hour=alike_earned(model, calls.table, attribution))
    told = told.assign(
        call=told["verdict"].mask(check_first(told), CHECK_FIRST),
        leg=weakest_leg(told, typical_deal(told)),
        kept_to_learn=kept,
        advised_since=_advised_since(calls.table, advice),
    )
    if decisions is None:
        return told.assign(decision="", by="", why="")
    rows = decisions_in_force(decisions, as_of).set_index("deal_id").reindex(told["deal_id"])
    names = {"decision": "decision", "by": "by", "why": "reason"}
    return told.assign(**{name: rows[column].fillna("").to_numpy() for name, column in names.items()})


def _known_of(book: Book, calls: Calls, as_of: pd.Timestamp) -> pd.DataFrame:
    """What readers know a deal by, in the order of the calls: owner, team, stage, amount, when last worked on."""
    deals = book.deals.set_index("deal_id").reindex(calls.table["deal_id"])
    texts = {name: deals[name].fillna("").astype("str").to_numpy() for name in ("owner_id", "team", "pipeline")}
    terms = calls.rows.terms
    last = recorded_by(book, "activities", as_of).groupby("deal_id")["at"].max()
    contact = last.reindex(calls.table["deal_id"]).dt.strftime("%Y-%m-%d").fillna("").to_numpy()
    age = (as_of - deals["created_at"]).dt.total_seconds().to_numpy() / SECONDS_PER_DAY
    return pd.DataFrame(
        texts
        | {"stage": terms["stage_name"].fillna("").to_numpy()}
        | {name: terms[name].to_numpy() for name in ("amount", "margin")}
        | {"last_activity": contact, "age_days": age}
    )


def _waits_of(model: Model, calls: Calls) -> pd.DataFrame:
    """What each deal to nurture waits for: sign, sign_came, chance_if_heard.

    sign_came is the share of past deals as silent that it came to.
    """
    table, terms = calls.table, calls.rows.terms
    place = model.wait_table.place(terms["silent_days"].to_numpy(dtype=np.float64), terms["stage_name"])
    waits = pd.DataFrame([(wait.sign, wait.came) for wait in model.wait_table.waits], columns=["sign", "sign_came"])
    place = np.where(table["verdict"] == "nurture", place, -1)
    told = waits.reindex(place).reset_index(drop=True).astype({"sign": "str"})
    chance = table["win_probability"].to_numpy()
    return told.assign(chance_if_heard=np.where(place >= 0, chance * model.wait_table.lift(chance, place), np.nan))


def _advised_since(calls: pd.DataFrame, advice: pd.DataFrame | None) -> pd.Series:
    """When each deal that is let go was first advised to be; NaT where it is not, or nobody knows."""
    known_by = advice[advice["advised_at"] <= calls["as_of"].iloc[0]] if advice is not None else None
    first = pd.Series(dtype=MOMENT) if known_by is None else known_by.set_index("deal_id")["advised_at"]
    since = first.reindex(calls["deal_id"]).set_axis(calls.index).astype(MOMENT)
    return since.where(calls["verdict"].isin(DROPPED))
