"""What each section of the page shows: rows, sentences and figures, by the names the template uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from walkaway.book import NAMES
from walkaway.formatting import LocaleFormat
from walkaway.models import NO_SIGNAL
from walkaway.report.age_advice import AGE_HEADERS, AGE_TITLE
from walkaway.report.deal_card import steps_of
from walkaway.report.html import confidence, phrases
from walkaway.report.html.annotated_calls import CALLS, CHECK_FIRST, REASONS
from walkaway.report.html.content import Content
from walkaway.report.html.digest import board_sentence
from walkaway.report.html.drawings import calibration_svg, curve_svg, productivity_svg
from walkaway.report.html.main_reason import leg_shown, leg_told
from walkaway.report.model_card import NOT_INTENDED, intended

__all__ = ["Shown", "reasons_told", "shown"]

Shown = dict[str, Any]
ROWS, ROWS_IN_PRINT, CARDS_IN_PRINT = 50, 20, 10
FIRST_ROWS, REASONS_A_ROW = 5, 2
STEPS, STEPS_IN_PRINT = 5, 3
LEVELS = {"ok": "within limits", "watch": "watch", "act": "act", "cannot_tell": "cannot tell"}
CALL_NAMED = {
    "walk_away": "walk away: hours free right away",
    "nurture": "nurture: hours free if the buyer stays silent",
    CHECK_FIRST: "check first: hours free if a person agrees",
}
CALL_OF_DEALS_NAMED = {
    "walk_away": "walk away: stop now",
    "nurture": "nurture: stop if the buyer stays silent",
    CHECK_FIRST: "check first: stop if a person agrees",
}
BY_HOURS = ", which would take the most hours. Value per hour is chance × value, divided by hours plus a few minutes."
CALIBRATION = "Predicted chance of winning against the share won."
PRODUCTIVITY = "Value won per hour worked, by month."


def _rows(table: pd.DataFrame | None) -> list[Shown]:
    """The rows of a frame. Missing values are None, except in number columns, where they stay NaN.

    >>> _rows(pd.DataFrame({"outcome": ["won", None], "hours": [1.0, float("nan")]}))
    [{'outcome': 'won', 'hours': 1.0}, {'outcome': None, 'hours': nan}]
    """
    if table is None or table.empty:
        return []
    numbers = set(table.select_dtypes("number").columns)
    return [
        {name: None if name not in numbers and pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _most(table: pd.DataFrame, rows: int, wording: LocaleFormat) -> Shown:
    """The first rows, and a sentence that says how many of all rows they are."""
    all_of = wording.number(len(table))
    shown = f"All {all_of} are shown." if len(table) <= rows else f"The first {rows} of {all_of} are shown."
    return {"rows": _rows(table.head(rows)), "count_sentence": shown}


def reasons_told(call: Shown, wording: LocaleFormat) -> list[tuple[str, float]]:
    """The reasons of a call, strongest first, each with its factor in words and as a number."""
    pairs = [(call[f"reason_{k}"], float(call[f"factor_{k}"])) for k in range(1, REASONS + 1)]
    return [(f"{text} ×{wording.number(factor, 2)}", factor) for text, factor in pairs if factor == factor]


def _against(wording: LocaleFormat) -> Callable[[Shown], list[str]]:
    """The strongest reasons against a deal, each with its factor; none if the deal is sold at a loss."""
    return lambda call: [told for told, factor in reasons_told(call, wording) if factor < 1][:REASONS_A_ROW]


def _lacks(content: Content) -> Callable[..., str]:
    """The main reason why a deal is below the bar, in a sentence; for a deal sold at a loss, that reason."""

    def main_reason(call: Shown, beside: bool = True) -> str:
        loss = isinstance(call["reason_1"], str) and pd.isna(call["factor_1"])
        return call["reason_1"] if loss else leg_told(call, content.typical, content.wording, beside)

    return main_reason


def _answer(content: Content) -> Shown:
    """The first page: the answer, which deals, why, and how sure."""
    wording, freed = content.wording, content.of(*CALLS)
    legs = [
        row | {"has": leg_shown(row["leg"], row, wording), "kept": leg_shown(row["leg"], content.typical, wording)}
        for row in _rows(content.legs)
    ]
    return {
        "answer": content.answer,
        "caveats": content.caveats,
        "beaten": content.beaten,
        "by_age": content.by_age,
        "age_title": AGE_TITLE,
        "age_headers": [(header, "n" if at else "") for at, header in enumerate(AGE_HEADERS)],
        "board": board_sentence(content),
        "use": confidence.use(content),
        "bar_sentence": phrases.bar(content),
        "call_named": CALL_NAMED if wording.by_hour else CALL_OF_DEALS_NAMED,
        "keeps_sentence": phrases.keeps(content),
        "cost_sentence": phrases.cost(content),
        "wait_sentence": phrases.waits_in_short(content.of("nurture"), wording),
        "check_rule": phrases.check_rule(content),
        "by_call": _rows(content.answer.by_call),
        "legs": legs,
        "typical": content.typical.to_dict(),
        "first": _rows(freed.head(FIRST_ROWS)),
        "first_rule": BY_HOURS if wording.by_hour else f", which have the lowest {wording.ranked_by}.",
        "instead": phrases.instead(content),
        "confidence": confidence.confidence(content),
        "period": confidence.period(content.proof, wording) if content.proof else "",
        "tried": confidence.tried(content.proof, wording) if content.proof else [],
        "sure": confidence.sure(content),
    }


def _trade_off(content: Content) -> Shown:
    """The trade-off figure and a sentence about it; no figure if there is no curve, or no signal to choose a bar by."""
    if NO_SIGNAL in {caveat.code for caveat in content.caveats}:
        return {"neighbours": [], "curve": "", "curve_sentence": phrases.NO_TRADE_OFF}
    bars = {"neighbours": _rows(content.neighbours)}
    here = content.neighbours[content.neighbours["here"]]
    if content.curve.empty or here.empty:
        return bars | {"curve": "", "curve_sentence": phrases.NO_CURVE}
    bar = content.wording.rate(content.answer.bar)
    frees = "frees more hours" if content.wording.by_hour else "lets more deals go"
    sentence = (
        f"Each point is a bar. A higher bar {frees} and loses more value. Expected of a bar of "
        f"{bar}: {phrases.past(content)}."
    )
    return bars | {
        "curve": curve_svg(content.curve, here.iloc[0], content.wording, sentence),
        "curve_sentence": sentence,
    }


def _plan(content: Content, rows: int) -> tuple[list[Shown], bool]:
    """The plan, highest value per hour first; without owners, one row per deal."""
    plan, owners = content.plan, bool((content.plan["owner_id"] != "").any())
    if not content.wording.by_hour:
        return _with_names(content, plan.head(rows)), False
    if not owners:
        sums = {"hours": "sum", "value_per_hour": "first", "expected": "sum"}
        plan = plan.groupby("deal_id").agg(sums).reset_index()
    plan = plan.sort_values("value_per_hour", ascending=False, kind="stable")
    return _with_names(content, plan.head(rows)), owners


def _with_names(content: Content, table: pd.DataFrame) -> list[Shown]:
    """The rows with the names of their deals, as far as these are called."""
    names = content.calls.set_index("deal_id")[list(NAMES)].reindex(table["deal_id"]).reset_index(drop=True)
    return _rows(table.drop(columns=list(NAMES), errors="ignore").reset_index(drop=True).join(names))


def _lists(content: Content, rows: int) -> Shown:
    """Deals to walk away from, to nurture, to check first, and to leave to people; and where the hours go."""
    wording, calls = content.wording, content.calls
    plan, plan_owners = _plan(content, rows)
    return {
        "owner": [("owner", "")] if (calls["owner_id"] != "").any() else [],
        "stage": [("stage", "")] if (calls["stage"] != "").any() else [],
        "since_known": [("advised since", "")] if calls["advised_since"].notna().any() else [],
        "listed": {name: _most(content.of(name), rows, wording) for name in (*CALLS, "unsure")},
        "themes": _rows(content.whole.themes.reset_index()),
        "waits": phrases.waits(content.of("nurture"), wording),
        "waited": phrases.waited(content.proof, wording),
        "plan": plan,
        "plan_owners": plan_owners,
        "owner_names": dict(zip(calls["owner_id"], calls["owner_name"], strict=True)),
        "plan_sentence": phrases.plan(content),
    }


def _past(content: Content) -> Shown:
    """Results of a replay, advice of the nightly run, and value per hour by month."""
    proof, wording, months = content.proof, content.wording, content.productivity
    figure = productivity_svg(months, wording, PRODUCTIVITY) if len(months) > 1 else ""
    without_replay = {
        "proof": proof,
        "no_proof": phrases.NO_PROOF,
        "advised": _rows(content.advised),
        "advised_sentence": phrases.advised(content),
        "months": _rows(months),
        "productivity": figure,
    }
    if proof is None:
        return without_replay | {"exits": [], "drops": [], "bins": [], "calibration": ""}
    return without_replay | {
        "proof_sentence": confidence.proved(proof, wording),
        "judged_sentence": phrases.judged(proof, wording),
        "drops": _rows(proof.drops),
        "exits": _rows(proof.exits),
        "quarter": f"{wording.date(proof.exits_since)} to {wording.date(pd.Timestamp(proof.end))}",
        "exits_sentence": phrases.price(proof, wording),
        "good_calls": phrases.well_called(proof, wording, content.records_work),
        "bins": _rows(proof.calibration),
        "calibration": calibration_svg(proof.calibration, wording, CALIBRATION) if len(proof.calibration) else "",
    }


def _signs(content: Content) -> Shown:
    """Signs of the first week, and questions to ask in it."""
    hopeless = [sign for sign in content.signs if sign.rate < sign.all]
    fruitful = [sign for sign in content.signs if sign.rate >= sign.all]
    return {"signs": content.signs, "hopeless": hopeless, "fruitful": fruitful, "questions": phrases.questions(content)}


def _all_names(table: pd.DataFrame) -> pd.DataFrame:
    """The table with every column of NAMES, empty where the book does not record it."""
    return table.assign(**{name: "" for name in NAMES if name not in table})


def _changes(content: Content, rows: int) -> Shown:
    """What changed since the last report, and what people decided."""
    return {
        "changes": None if content.changes is None else _rows(_all_names(content.changes.head(rows))),
        "since": content.since,
        "overrides": _rows(content.overrides.head(rows)),
        "settled_overrides": _rows(content.settled_overrides),
    }


def _trust(content: Content) -> Shown:
    """Drift, the data behind the figures, the intended use of the model, definitions, and groups."""
    findings = content.findings.findings if content.findings else ()
    return {
        "findings": list(dict.fromkeys((LEVELS[finding.level], finding.plain_advice) for finding in findings)),
        "notes": content.notes,
        "quality": content.quality,
        "purposes": [intended(content.wording).replace("`", "")],
        "limits": [limit.replace("`", "") for limit in NOT_INTENDED],
        "words": phrases.words(content.wording, content.records_signs),
        "rollup": _rows(content.rollup),
        "differing": phrases.differing(content),
    }


def _cards(content: Content, for_print: bool) -> Shown:
    """One card per deal; in print only the first ones, all open."""
    wording, lacks = content.wording, _lacks(content)
    stories = content.stories[:CARDS_IN_PRINT] if for_print else content.stories
    steps = STEPS_IN_PRINT if for_print else STEPS
    freed = content.of(*CALLS)
    cards = {story.deal_id: f"card-{number}" for number, story in enumerate(stories)}
    return {
        "cards": cards,
        "cards_sentence": f"{wording.number(len(stories))} of {wording.number(len(freed))} deals to stop have a card, "
        "in the order of the lists. All deals are in deals.xlsx.",
        "stories": [(story, cards[story.deal_id], _rows(steps_of(story, steps))) for story in stories],
        "open_cards": for_print,
        "lacks": lacks,
        "lacks_of": {call["deal_id"]: lacks(call) for call in _rows(freed)},
        "against": _against(wording),
        "doubtful": set(freed.loc[freed["call"] == CHECK_FIRST, "deal_id"]),
    }


def shown(content: Content, for_print: bool) -> Shown:
    """Everything that the template shows.

    Args:
        content: the content of the report.
        for_print: shorter lists, and only the first cards, all open.
    """
    rows = ROWS_IN_PRINT if for_print else ROWS
    return {
        "by_hour": content.wording.by_hour,
        "ranked_by": content.wording.ranked_by,
        "per": content.wording.per,
        "records_work": content.records_work,
        "records_signs": content.records_signs,
        "counts_wins": content.wording.counts_wins,
        "by_chance": content.wording.by_chance,
        "lost": content.wording.lost,
        **_answer(content),
        **_trade_off(content),
        **_lists(content, rows),
        **_past(content),
        **_signs(content),
        **_changes(content, rows),
        **_trust(content),
        **_cards(content, for_print),
    }
