"""Every call of a report, with what readers need beside it: the deal, the reasons, the wait, and people's decisions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from walkaway.asof import recorded_by
from walkaway.book import MOMENT, NAMES, Book
from walkaway.economics import DROPPED
from walkaway.explaining import Attribution, Reasons, reasons_table
from walkaway.formatting import LocaleFormat
from walkaway.models import Calls, Model
from walkaway.report.html.check_first import alike_earned, check_first
from walkaway.report.html.main_reason import typical_deal, weakest_leg
from walkaway.scoring import decisions_in_force, kept_to_learn, without_hours

__all__ = ["CALLS", "CHECK_FIRST", "REASONS", "called"]

CHECK_FIRST = "check_first"
CALLS = (
    "walk_away",
    "nurture",
    CHECK_FIRST,
)  # the calls of deals to stop, in the order they are shown: the most certain first
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
    """One row per call, with the columns that the report shows beside it.

    Args:
        book: the book of the deals.
        model: the model that made the calls.
        calls: calls of one moment.
        attribution: the attribution of their rows.
        wording: how the reader writes numbers and money.
        keep_share: the share of the deals below the bar that is kept to learn from.
        decisions: from `walkaway.scoring.decisions.read_decisions`.
        advice: from `walkaway.scoring.advice.read_advice`.

    Returns:
        The table of the calls, with empty hours and value per hour where no hours are known (bar_unit: deal), and with
        these columns added: those of NAMES ("" where not recorded); call (the verdict, or CHECK_FIRST if a person
        checks the deal before work stops); alike_value_per_hour (`check_first.alike_earned`); owner_id, team, pipeline,
        stage, amount, margin, last_activity (a date), age_days; leg (`main_reason.weakest_leg`); reason_k, factor_k,
        base_rate_k; kept_to_learn; decision, by, why (of a person); advised_since; sign, sign_came, chance_if_heard.
    """
    as_of = calls.table["as_of"].iloc[0]
    kept = calls.table["verdict"].isin(DROPPED) & kept_to_learn(calls.table["deal_id"], keep_share)
    reasons = reasons_table(Reasons(model, calls.rows, attribution, wording), REASONS)
    table = calls.table.join(_deal_columns(book, calls, as_of)).join(reasons).join(_wait_columns(model, calls))
    table = table.assign(wait_for=calls.wait_sentences(wording))
    table = table.assign(alike_value_per_hour=alike_earned(model, calls.table, attribution))
    table = table.assign(call=table["verdict"].mask(check_first(table), CHECK_FIRST), bar_unit=wording.unit)
    table = without_hours(table)
    table = table.assign(
        leg=weakest_leg(table, typical_deal(table)),
        kept_to_learn=kept,
        advised_since=_advised_since(calls.table, advice),
    )
    if decisions is None:
        return table.assign(decision="", by="", why="")
    rows = decisions_in_force(decisions, as_of).set_index("deal_id").reindex(table["deal_id"])
    names = {"decision": "decision", "by": "by", "why": "reason"}
    return table.assign(**{name: rows[column].fillna("").to_numpy() for name, column in names.items()})


def _deal_columns(book: Book, calls: Calls, as_of: pd.Timestamp) -> pd.DataFrame:
    """What identifies a deal to readers, in the order of the calls: owner, team, stage, amount, last activity, age.

    last_activity is "" where there was none, and missing where the book records no work.
    """
    deals = book.deals.set_index("deal_id").reindex(calls.table["deal_id"])
    texts = {name: deals[name].fillna("").astype("str").to_numpy() for name in ("owner_id", "team", "pipeline")}
    names = book.names_of(calls.table["deal_id"]).reindex(columns=list(NAMES)).astype("str").fillna("")
    terms = calls.rows.terms
    last = recorded_by(book, "activities", as_of).groupby("deal_id")["at"].max()
    contact = last.reindex(calls.table["deal_id"]).dt.strftime("%Y-%m-%d").fillna("" if book.records_work else pd.NA)
    age = (as_of - deals["created_at"]).dt.total_seconds().to_numpy() / SECONDS_PER_DAY
    return pd.DataFrame(
        texts
        | {"stage": terms["stage_name"].fillna("").to_numpy()}
        | {name: terms[name].to_numpy() for name in ("amount", "margin")}
        | {"last_activity": contact.to_numpy(), "age_days": age}
        | {name: names[name].to_numpy() for name in NAMES}
    )


def _wait_columns(model: Model, calls: Calls) -> pd.DataFrame:
    """What each deal to nurture waits for: sign, sign_came, chance_if_heard.

    sign_came is the share of equally silent past deals in which the sign came. chance_if_heard is the chance to win
    after the sign.
    """
    table, terms = calls.table, calls.rows.terms
    place = model.wait_table.place(terms["silent_days"].to_numpy(dtype=np.float64), terms["stage_name"])
    waits = pd.DataFrame([(wait.sign, wait.came) for wait in model.wait_table.waits], columns=["sign", "sign_came"])
    place = np.where(table["verdict"] == "nurture", place, -1)
    rows = waits.reindex(place).reset_index(drop=True).astype({"sign": "str"})
    chance = table["win_probability"].to_numpy()
    return rows.assign(chance_if_heard=np.where(place >= 0, chance * model.wait_table.lift(chance, place), np.nan))


def _advised_since(calls: pd.DataFrame, advice: pd.DataFrame | None) -> pd.Series:
    """When stopping each dropped deal was first advised; NaT for other deals, or if it is not known."""
    known_by = advice[advice["advised_at"] <= calls["as_of"].iloc[0]] if advice is not None else None
    first = pd.Series(dtype=MOMENT) if known_by is None else known_by.set_index("deal_id")["advised_at"]
    since = first.reindex(calls["deal_id"]).set_axis(calls.index).astype(MOMENT)
    return since.where(calls["verdict"].isin(DROPPED))
