"""What each section of the page shows: rows, sentences and figures by the names the template uses, a function each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from walkaway.formatting import LocaleFormat
from walkaway.report.cards import steps_of
from walkaway.report.html import confidence, phrases
from walkaway.report.html.annotated_calls import CALLS, CHECK_FIRST
from walkaway.report.html.content import Content
from walkaway.report.html.digest import board_sentence
from walkaway.report.html.drawings import calibration_svg, curve_svg, productivity_svg
from walkaway.report.html.main_reason import leg_shown, leg_told
from walkaway.report.model_card import INTENDED, NOT_INTENDED

__all__ = ["Shown", "shown"]

Shown = dict[str, Any]
ROWS, ROWS_IN_PRINT, CARDS_IN_PRINT = 50, 20, 10
FIRST_ROWS, REASONS_A_ROW = 5, 2
STEPS, STEPS_IN_PRINT = 5, 3
LEVELS = {"ok": "within limits", "watch": "watch", "act": "act", "cannot_tell": "cannot tell"}
CALL_NAMED = {
    "walk_away": "walk away: freed at once",
    "nurture": "nurture: freed if the buyer stays silent",
    CHECK_FIRST: "check first, close calls: freed if a person agrees",
}
CALIBRATION = "Predicted chance of winning against the share won."
PRODUCTIVITY = "Value won per hour worked, by month."


def _rows(table: pd.DataFrame | None) -> list[Shown]:
    """The rows of a frame; what is missing is None, but for numbers, which stay not a number.

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
    """The first rows, and how many there are of how many in all."""
    all_of = wording.number(len(table))
    shown = f"All {all_of} are shown." if len(table) <= rows else f"The first {rows} of {all_of} are shown."
    return {"rows": _rows(table.head(rows)), "said": shown}


def _against(wording: LocaleFormat) -> Callable[[Shown], list[str]]:
    """The strongest reasons against a deal, each with its factor; none where it is sold at a loss."""

    def told(call: Shown) -> list[str]:
        pairs = [(call[f"reason_{k}"], float(call[f"factor_{k}"])) for k in range(1, 4)]
        against = [f"{text} ×{wording.number(factor, 2)}" for text, factor in pairs if factor < 1]
        return against[:REASONS_A_ROW]

    return told


def _lacks(content: Content) -> Callable[..., str]:
    """What a deal lacks, in a sentence; the reason itself where it is sold at a loss."""

    def told(call: Shown, beside: bool = True) -> str:
        loss = isinstance(call["reason_1"], str) and pd.isna(call["factor_1"])
        return call["reason_1"] if loss else leg_told(call, content.typical, content.wording, beside)

    return told


def _answer(content: Content) -> Shown:
    """The first page: the answer, which deals and why, how sure."""
    told, freed = content.wording, content.of(*CALLS)
    legs = [
        row | {"has": leg_shown(row["leg"], row, told), "kept": leg_shown(row["leg"], content.typical, told)}
        for row in _rows(content.legs)
    ]
    return {
        "answer": content.answer,
        "board": board_sentence(content),
        "use": confidence.use(content),
        "bar_said": phrases.bar(content),
        "call_named": CALL_NAMED,
        "keeps_said": phrases.keeps(content),
        "cost_said": phrases.cost(content),
        "wait_said": phrases.waits_in_short(content.of("nurture"), told),
        "check_rule": phrases.check_rule(content),
        "by_call": _rows(content.answer.by_call),
        "legs": legs,
        "typical": content.typical,
        "first": _rows(freed.head(FIRST_ROWS)),
        "instead": phrases.instead(content),
        "confidence": confidence.confidence(content),
        "period": confidence.period(content.proof, told) if content.proof else "",
        "tried": confidence.tried(content.proof, told) if content.proof else [],
        "sure": confidence.sure(content),
    }


def _trade_off(content: Content) -> Shown:
    """The figure of the trade-off and what it says; no figure where there is no curve."""
    bars = {"neighbours": _rows(content.neighbours)}
    here = content.neighbours[content.neighbours["here"]]
    if content.curve.empty or here.empty:
        return bars | {"curve": "", "curve_said": phrases.NO_CURVE}
    bar = content.wording.money(content.answer.bar)
    told = (
        f"Each point is a bar: a higher one frees and costs more. Expected of {bar} an hour: {phrases.past(content)}."
    )
    return bars | {"curve": curve_svg(content.curve, here.iloc[0], content.wording, told), "curve_said": told}


def _plan(content: Content, rows: int) -> tuple[list[Shown], bool]:
    """The plan, the most valuable hour first; without owners, a row a deal."""
    plan, owners = content.plan, bool((content.plan["owner_id"] != "").any())
    if not owners:
        how = {"hours": "sum", "value_per_hour": "first", "expected": "sum"}
        plan = plan.groupby("deal_id").agg(how).reset_index()
    return _rows(plan.sort_values("value_per_hour", ascending=False, kind="stable").head(rows)), owners


def _lists(content: Content, rows: int) -> Shown:
    """Deals to let go, to nurture, to check first, that people decide on, and where the hours go."""
    told, calls = content.wording, content.calls
    plan, plan_owners = _plan(content, rows)
    return {
        "owner": [("owner", "")] if (calls["owner_id"] != "").any() else [],
        "since_known": [("advised since", "")] if calls["advised_since"].notna().any() else [],
        "listed": {name: _most(content.of(name), rows, told) for name in (*CALLS, "unsure")},
        "themes": _rows(content.whole.themes.reset_index()),
        "waits": phrases.waits(content.of("nurture"), told),
        "waited": phrases.waited(content.proof, told),
        "plan": plan,
        "plan_owners": plan_owners,
        "plan_said": phrases.plan(content),
    }


def _past(content: Content) -> Shown:
    """What a replay settled, what the nightly run advised, and value per hour by month."""
    proof, told, months = content.proof, content.wording, content.productivity
    drawn = productivity_svg(months, told, PRODUCTIVITY) if len(months) > 1 else ""
    always = {
        "proof": proof,
        "no_proof": phrases.NO_PROOF,
        "advised": _rows(content.advised),
        "advised_said": phrases.advised(content),
        "months": _rows(months),
        "productivity": drawn,
    }
    if proof is None:
        return always | {"exits": [], "drops": [], "bins": [], "calibration": ""}
    return always | {
        "proof_said": confidence.proved(proof, told),
        "judged_said": phrases.judged(proof, told),
        "drops": _rows(proof.drops),
        "exits": _rows(proof.exits),
        "quarter": f"{told.date(proof.exits_since)} to {told.date(pd.Timestamp(proof.end))}",
        "exits_said": phrases.price(proof, told),
        "good_calls": phrases.well_called(proof, told),
        "bins": _rows(proof.calibration),
        "calibration": calibration_svg(proof.calibration, CALIBRATION) if len(proof.calibration) else "",
    }


def _signs(content: Content) -> Shown:
    """Signs of the first week, and what to ask in it."""
    hopeless = [sign for sign in content.signs if sign.rate < sign.all]
    fruitful = [sign for sign in content.signs if sign.rate >= sign.all]
    return {"signs": content.signs, "hopeless": hopeless, "fruitful": fruitful, "questions": phrases.questions(content)}


def _changes(content: Content, rows: int) -> Shown:
    """What changed since the last report, and what people decided."""
    return {
        "changes": None if content.changes is None else _rows(content.changes.head(rows)),
        "since": content.since,
        "overrides": _rows(content.overrides.head(rows)),
        "settled_overrides": _rows(content.settled_overrides),
    }


def _trust(content: Content) -> Shown:
    """Drift, what the figures rest on, what the model is for, the words, and groups."""
    found = content.findings.findings if content.findings else ()
    return {
        "findings": list(dict.fromkeys((LEVELS[one.level], one.plain_advice) for one in found)),
        "notes": content.notes,
        "quality": content.quality,
        "purposes": INTENDED.replace("`", "").split("\n\n"),
        "limits": [limit.replace("`", "") for limit in NOT_INTENDED],
        "words": phrases.WORDS,
        "rollup": _rows(content.rollup),
        "differing": phrases.differing(content),
    }


def _cards(content: Content, for_print: bool) -> Shown:
    """A card a deal; in print only the first, standing open."""
    told, lacks = content.wording, _lacks(content)
    stories = content.stories[:CARDS_IN_PRINT] if for_print else content.stories
    steps = STEPS_IN_PRINT if for_print else STEPS
    freed = content.of(*CALLS)
    cards = {story.deal_id: f"card-{number}" for number, story in enumerate(stories)}
    return {
        "cards": cards,
        "cards_said": f"{told.number(len(stories))} of {told.number(len(freed))} deals let go, in the order of the "
        "lists, which have all.",
        "stories": [(story, cards[story.deal_id], _rows(steps_of(story, steps))) for story in stories],
        "open_cards": for_print,
        "lacks": lacks,
        "lacks_of": {call["deal_id"]: lacks(call) for call in _rows(freed)},
        "against": _against(told),
        "doubtful": set(freed.loc[freed["call"] == CHECK_FIRST, "deal_id"]),
    }


def shown(content: Content, for_print: bool) -> Shown:
    """All that the template shows of a report.

    Args:
        content: what it says.
        for_print: lists are shorter, and only the first cards are there, standing open.
    """
    rows = ROWS_IN_PRINT if for_print else ROWS
    return {
        **_answer(content),
        **_trade_off(content),
        **_lists(content, rows),
        **_past(content),
        **_signs(content),
        **_changes(content, rows),
        **_trust(content),
        **_cards(content, for_print),
    }
