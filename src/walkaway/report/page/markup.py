"""The page itself: content into the template, all text escaped, style and script inside, nothing fetched."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from walkaway.report.card import INTENDED, NOT_INTENDED
from walkaway.report.page.content import Content
from walkaway.report.page.digest import board_sentence
from walkaway.report.page.drawings import calibration_svg, curve_svg, productivity_svg
from walkaway.report.story import steps_of
from walkaway.wording import Wording

__all__ = ["page"]

TEMPLATES = Path(__file__).parent / "templates"
ROWS, ROWS_IN_PRINT, CARDS_IN_PRINT = 50, 25, 10
REASONS_A_ROW, STEPS = 2, 6
NO_PROOF = (
    "No replay is named, so nothing here is proved on your own past. Run walkaway replay, and name its folder with "
    "--replay or score.replay."
)
NO_CURVE = "The model has no curve: too few settled deals to try a bar on. The bar was set by hand."
QUESTIONS = {
    "fit": "Is this a buyer like those who bought from us? What of this deal is like the ones we won?",
    "need": "What happens to the buyer if they do nothing?",
    "decision makers": "Who signs, and have we spoken with them?",
    "engagement": "What did the buyer do by themselves this week, that others can see?",
    "timing": "What date did the buyer name, and why that one?",
    "price and profit": "Is it worth our hours at the amount and margin they expect?",
    "effort": "How many hours of ours will this take to its end?",
}
CONTENTS = (
    ("trade-off", "What a bar frees and costs"),
    ("let-go", "Let these go"),
    ("nurture", "Not now"),
    ("refocus", "Refocus"),
    ("exits", "Hours after the moment to stop"),
    ("qualify", "Qualify early"),
    ("changes", "Since the last report"),
    ("trust", "Can I trust it?"),
    ("groups", "By team and segment"),
    ("cards", "Cards"),
)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _or_blank(write: Any) -> Any:
    """A filter that leaves what is not known blank."""
    return lambda value: "" if value is None or pd.isna(value) else write(value)


def _environment(wording: Wording) -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "money": _or_blank(wording.money),
        "number": _or_blank(lambda value: wording.number(value)),
        "whole": _or_blank(lambda value: wording.number(round(value))),
        "hours": _or_blank(wording.hours),
        "percent": _or_blank(wording.percent),
        "percent1": _or_blank(lambda share: f"{wording.number(100 * share, 1)}%"),
        "factor": _or_blank(lambda value: wording.number(value, 2)),
        "date": _or_blank(wording.date),
        "moment": _or_blank(wording.moment),
        "words": lambda text: str(text).replace("_", " "),
        "sentence": _sentence,
    }
    return env


def _policy(css: str, js: str) -> str:
    """The Content-Security-Policy: this style, this script, and nothing else."""
    style, script = (base64.b64encode(sha256(text.encode()).digest()).decode() for text in (css, js))
    return f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"


def _rows(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows of a frame, what is not a time left out."""
    if table is None or table.empty:
        return []
    return [{k: None if v is pd.NaT else v for k, v in row.items()} for row in table.to_dict("records")]


def _told_reasons(wording: Wording) -> Any:
    """The strongest reasons against a deal, each with its factor."""

    def told(call: dict[str, Any]) -> list[str]:
        pairs = [(call[f"reason_{k}"], float(call[f"factor_{k}"])) for k in range(1, 4)]
        against = [(text, factor) for text, factor in pairs if isinstance(text, str) and not factor >= 1]
        shown = against[:REASONS_A_ROW]
        return [text if pd.isna(factor) else f"{text} ×{wording.number(factor, 2)}" for text, factor in shown]

    return told


def _most(table: pd.DataFrame, by: str, rows: int, wording: Wording) -> tuple[list[dict[str, Any]], str]:
    """The rows shown, and how many there are where not all are."""
    ordered = table.sort_values(by, ascending=False, kind="stable")
    more = "" if len(table) <= rows else f"The first {rows} of {wording.number(len(table))} are shown."
    return _rows(ordered.head(rows)), more


def _curve(content: Content) -> tuple[str, str]:
    answer, told = content.answer, content.wording
    here = content.neighbours[content.neighbours["here"]]
    if content.curve.empty or here.empty:
        return "", NO_CURVE
    said = (
        f"Each point is a bar. At {told.money(answer.bar)} an hour {told.percent(answer.saved)} of hours would have been saved "
        f"and {told.percent(answer.forgone)} of the value won forgone."
    )
    return curve_svg(content.curve, here.iloc[0], told, said), said


def _plan_said(content: Content) -> str:
    told, moved = content.wording, content.moved
    if content.plan.empty:
        return "No hours are freed, or no deal above the bar needs any."
    placed, freed = float(moved["hours_placed"].sum()), float(moved["hours_freed"].sum())
    worth = float(moved["worth"].sum())
    return (
        f"{told.number(round(placed))} of the {told.number(round(freed))} freed hours bring forward deals above the bar, worth "
        f"{told.money(worth)}; own deals first, then the team's. The other {told.number(round(freed - placed))} are free for "
        "finding new deals."
    )


def _proof(content: Content) -> dict[str, Any]:
    proof, told = content.proof, content.wording
    if proof is None:
        return {"proof": None, "no_proof": NO_PROOF, "exits": [], "drops": [], "bins": [], "calibration": ""}
    share = {
        name: told.percent(value) if value == value else "an unknown share" for name, value in proof.followed.items()
    }
    forgone = float(proof.drops["value_forgone"].sum()) if len(proof.drops) else 0.0
    return {
        "proof": proof,
        "no_proof": NO_PROOF,
        "proof_said": (
            f"From {proof.begin} to {proof.end} every open deal was called by models that knew no more than was known then. Had "
            f"the verdicts been followed, {share['hours_saved']} of hours would have been saved (expected: "
            f"{share['expected_hours_saved']}) and {share['value_forgone']} of value forgone (expected: "
            f"{share['expected_value_forgone']}). {share['turned_back']} of the deals dropped were called worth their hours "
            "again later."
        ),
        "drops": _rows(proof.drops),
        "exits": _rows(proof.exits),
        "exits_said": (
            "Nobody knows at the time that a deal is below the bar for good. The same rule would have let go of deals that "
            f"were won, worth {told.money(forgone)} over the whole replay: that is its price."
        ),
        "good_calls": (
            f"{told.number(round(proof.good_calls['deals']))} deals that the verdicts would have let go for good were lost in the end; "
            f"{told.number(round(proof.good_calls['hours']))} hours were worked on them after that. Deals are counted, nobody is "
            "ranked."
        ),
        "bins": _rows(proof.calibration),
        "calibration": calibration_svg(proof.calibration, "Predicted chance of winning against the share won.")
        if len(proof.calibration)
        else "",
    }


def _signs(content: Content) -> dict[str, Any]:
    hopeless = [sign for sign in content.signs if sign.rate < sign.all]
    fruitful = [sign for sign in content.signs if sign.rate >= sign.all]
    themes = dict.fromkeys([sign.theme for sign in content.signs] + list(content.whole.themes.index))
    questions = [QUESTIONS[theme] for theme in themes if theme in QUESTIONS]
    return {"signs": content.signs, "hopeless": hopeless, "fruitful": fruitful, "questions": questions}


def _differing(content: Content) -> str:
    differs = (
        content.whole.drops[content.whole.drops["differs"].astype(bool)]
        if len(content.whole.drops)
        else content.whole.drops
    )
    told = content.wording
    return "; ".join(
        f"{dimension.replace('_', ' ')} {group} ({told.percent(row['shrunk'])})"
        for (dimension, group), row in differs.iterrows()
    )


def page(content: Content, signal: bool = True, for_print: bool = False) -> str:
    """The report as one page of HTML that needs nothing else.

    Args:
        content: what it says.
        signal: whether the model knows more than the base rate.
        for_print: cards stand open, and only the first of them are there.
    """
    told, css, js = (
        content.wording,
        *((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js")),
    )
    stories = content.stories[:CARDS_IN_PRINT] if for_print else content.stories
    rows = ROWS_IN_PRINT if for_print else ROWS
    cards = {story.deal_id: f"card-{number}" for number, story in enumerate(stories)}
    curve, curve_said = _curve(content)
    let_go, let_go_said = _most(content.of("walk_away"), "remaining_hours", rows, told)
    nurture, nurture_said = _most(content.of("nurture"), "remaining_hours", rows, told)
    months = content.productivity
    env = _environment(told)
    env.globals |= {"told_reasons": _told_reasons(told), "open_cards": for_print}
    dropped = len(content.of("walk_away", "nurture"))
    return env.get_template("report.html").render(
        answer=content.answer,
        owner=[("owner", "")] if (content.calls["owner_id"] != "").any() else [],
        board=board_sentence(content),
        policy=_policy(css, js),
        css=Markup(css),
        js=Markup(js),
        signal=signal,
        contents=CONTENTS,
        curve=curve,
        curve_said=curve_said,
        neighbours=_rows(content.neighbours),
        let_go=let_go,
        let_go_said=let_go_said,
        nurture=nurture,
        nurture_said=nurture_said,
        plan=_most(content.plan, "value_per_hour", rows, told)[0],
        plan_said=_plan_said(content),
        productivity=productivity_svg(months, told, "Value won per hour worked, by month.") if len(months) > 1 else "",
        months=_rows(months),
        changes=None if content.changes is None else _rows(content.changes.head(rows)),
        since=content.since,
        overrides=_rows(content.overrides.head(rows)),
        settled_overrides=_rows(content.settled_overrides),
        findings=content.findings.findings if content.findings else (),
        notes=content.notes,
        quality=content.quality,
        purposes=INTENDED.split("\n\n"),
        limits=[line.removeprefix("- ").replace("\n  ", " ") for line in NOT_INTENDED.split("\n- ")],
        rollup=_rows(content.rollup),
        differing=_differing(content),
        cards=cards,
        cards_said=f"{told.number(len(stories))} of {told.number(dropped)} deals to let go or to nurture, those that would take "
        "most hours first. The lists have all.",
        stories=[(story, cards[story.deal_id], _rows(steps_of(story, STEPS))) for story in stories],
        **_proof(content),
        **_signs(content),
    )
