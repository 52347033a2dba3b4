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
from walkaway.report.page import said
from walkaway.report.page.content import Content
from walkaway.report.page.digest import board_sentence
from walkaway.report.page.drawings import calibration_svg, curve_svg, productivity_svg
from walkaway.report.page.legs import leg_said
from walkaway.report.page.proof import Proof
from walkaway.report.story import LOOK_TWICE, steps_of
from walkaway.wording import Wording

__all__ = ["page"]

TEMPLATES = Path(__file__).parent / "templates"
ROWS, ROWS_IN_PRINT, CARDS_IN_PRINT = 50, 20, 10
FIRST_ROWS, REASONS_A_ROW, LONGEST = 5, 2, 400
STEPS, STEPS_IN_PRINT = 5, 3
CALIBRATION = "Predicted chance of winning against the share won."
CONTENTS = (
    ("trade-off", "What a bar frees and costs"),
    ("let-go", "Let these go"),
    ("nurture", "Not now"),
    ("refocus", "Refocus"),
    ("exits", "Hours after the moment to stop"),
    ("qualify", "Qualify early"),
    ("changes", "Since the last report"),
    ("trust", "Can I trust it?"),
    ("words", "The words"),
    ("groups", "By team and segment"),
    ("cards", "Cards"),
)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _or_blank(write: Any) -> Any:
    """A filter that leaves what is not known blank."""
    return lambda value: "" if value is None or pd.isna(value) else write(value)


def _bounded(value: Any) -> Any:
    """What is shown, cut where it is longer than anybody reads on a page; the lists have it all.

    >>> len(_bounded("x" * 10_000)), _bounded("short")
    (400, 'short')
    """
    if isinstance(value, str) and not isinstance(value, Markup) and len(value) > LONGEST:
        return f"{value[: LONGEST - 1]}…"
    return value


def _environment(wording: Wording) -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_bounded,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "money": _or_blank(wording.money),
        "number": _or_blank(lambda value: wording.number(value)),
        "whole": _or_blank(lambda value: wording.number(round(value))),
        "hours": _or_blank(wording.hours),
        "decimal": _or_blank(lambda value: wording.number(value, 2)),
        "age": _or_blank(wording.days),
        "percent": _or_blank(wording.percent),
        "percent1": _or_blank(lambda share: wording.percent(share, 1)),
        "factor": _or_blank(lambda value: wording.number(value, 2)),
        "date": _or_blank(wording.date),
        "moment": _or_blank(wording.moment),
        "words": lambda text: str(text).replace("_", " "),
        "sentence": _sentence,
        "capital": lambda text: f"{text[:1].upper()}{text[1:]}",
    }
    return env


def _policy(css: str, js: str) -> str:
    """The Content-Security-Policy: this style, this script, and nothing else."""
    style, script = (base64.b64encode(sha256(text.encode()).digest()).decode() for text in (css, js))
    allowed = f"style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _rows(table: pd.DataFrame | None) -> list[dict[str, Any]]:
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


def _against(wording: Wording) -> Any:
    """The strongest reasons against a deal, each with its factor; none where it is sold at a loss."""

    def told(call: dict[str, Any]) -> list[str]:
        pairs = [(call[f"reason_{k}"], float(call[f"factor_{k}"])) for k in range(1, 4)]
        against = [f"{text} ×{wording.number(factor, 2)}" for text, factor in pairs if factor < 1]
        return against[:REASONS_A_ROW]

    return told


def _lacks(content: Content) -> Any:
    """What a deal lacks, in a sentence; the reason itself where it is sold at a loss."""

    def told(call: dict[str, Any]) -> str:
        loss = isinstance(call["reason_1"], str) and pd.isna(call["factor_1"])
        return call["reason_1"] if loss else leg_said(call, call["leg"], content.typical, content.wording)

    return told


def _most(table: pd.DataFrame, by: str, rows: int, wording: Wording) -> tuple[list[dict[str, Any]], str]:
    """The rows shown, and how many there are where not all are."""
    ordered = table.sort_values(by, ascending=False, kind="stable")
    more = "" if len(table) <= rows else f"The first {rows} of {wording.number(len(table))} are shown."
    return _rows(ordered.head(rows)), more


def _curve(content: Content) -> tuple[str, str]:
    """The figure of the trade-off and what it says; no figure where there is no curve."""
    here = content.neighbours[content.neighbours["here"]]
    if content.curve.empty or here.empty:
        return "", said.NO_CURVE
    bar = content.wording.money(content.answer.bar)
    told = f"Each point is a bar: a higher one frees and costs more. Expected of {bar} an hour: {said.past(content)}."
    return curve_svg(content.curve, here.iloc[0], content.wording, told), told


def _proof(proof: Proof | None, told: Wording) -> dict[str, Any]:
    """What the template shows of a replay."""
    empty: dict[str, Any] = {"proof": proof, "no_proof": said.NO_PROOF, "exits": [], "drops": [], "bins": []}
    if proof is None:
        return empty | {"calibration": ""}
    drawn = calibration_svg(proof.calibration, CALIBRATION) if len(proof.calibration) else ""
    tables = {"drops": _rows(proof.drops), "exits": _rows(proof.exits), "bins": _rows(proof.calibration)}
    texts = {"proof_said": said.proved(proof, told), "exits_said": said.price(proof, told)}
    return empty | tables | texts | {"good_calls": said.well_called(proof, told), "calibration": drawn}


def _signs(content: Content) -> dict[str, Any]:
    hopeless = [sign for sign in content.signs if sign.rate < sign.all]
    fruitful = [sign for sign in content.signs if sign.rate >= sign.all]
    return {"signs": content.signs, "hopeless": hopeless, "fruitful": fruitful, "questions": said.questions(content)}


def _waits(nurture: list[dict[str, Any]]) -> tuple[list[tuple[str, str, int]], dict[str, int]]:
    """What deals wait for: (sign, what came of such waits, deals) of each wait, the commonest first; and its number."""
    counts = pd.Series([call["wait_for"] for call in nurture], dtype="str").value_counts()
    parts = [(*str(wait).partition(": ")[::2], int(deals)) for wait, deals in counts.items()]
    return parts, {str(wait): number for number, wait in enumerate(counts.index, start=1)}


def _plan(content: Content, rows: int) -> tuple[list[dict[str, Any]], bool]:
    """The plan, the most valuable hour first; without owners, a row a deal."""
    plan, owners = content.plan, bool((content.plan["owner_id"] != "").any())
    if not owners:
        plan = plan.groupby("deal_id").agg(hours=("hours", "sum"), value_per_hour=("value_per_hour", "first"))
    return _most(plan.reset_index(), "value_per_hour", rows, content.wording)[0], owners


def _findings(content: Content) -> list[tuple[str, str]]:
    found = content.findings.findings if content.findings else ()
    return [(one.level, said.without_columns(one.sentence)) for one in found]


def _limits() -> list[str]:
    """What the model must not be used for, from the Markdown of its card."""
    return [line.removeprefix("- ").replace("\n  ", " ").replace("`", "") for line in NOT_INTENDED.split("\n- ")]


def _cards_said(shown: int, dropped: int, told: Wording) -> str:
    counts = f"{told.number(shown)} of {told.number(dropped)} deals to let go or to nurture"
    return f"{counts}, those that would take most hours first. The lists have all."


def page(content: Content, signal: bool = True, for_print: bool = False) -> str:
    """The report as one page of HTML that needs nothing else.

    Args:
        content: what it says.
        signal: whether the model knows more than the base rate.
        for_print: cards stand open, and only the first of them are there.
    """
    told = content.wording
    css, js = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    stories = content.stories[:CARDS_IN_PRINT] if for_print else content.stories
    rows, steps = (ROWS_IN_PRINT, STEPS_IN_PRINT) if for_print else (ROWS, STEPS)
    cards = {story.deal_id: f"card-{number}" for number, story in enumerate(stories)}
    curve, curve_said = _curve(content)
    let_go, let_go_said = _most(content.of("walk_away"), "remaining_hours", rows, told)
    nurture, nurture_said = _most(content.of("nurture"), "remaining_hours", rows, told)
    waits, wait_number = _waits(nurture)
    plan, plan_owners = _plan(content, rows)
    first = _most(content.of("walk_away", "nurture"), "remaining_hours", FIRST_ROWS, told)[0]
    months = content.productivity
    env = _environment(told)
    lacks = _lacks(content)
    env.globals |= {"against": _against(told), "open_cards": for_print, "lacks": lacks}
    dropped = len(content.of("walk_away", "nurture"))
    return env.get_template("report.html").render(
        answer=content.answer,
        owner=[("owner", "")] if (content.calls["owner_id"] != "").any() else [],
        board=board_sentence(content),
        policy=_policy(css, js),
        css=css,
        js=js,
        signal=signal,
        contents=CONTENTS,
        curve=curve,
        curve_said=curve_said,
        neighbours=_rows(content.neighbours),
        let_go=let_go,
        let_go_said=let_go_said,
        nurture=nurture,
        nurture_said=nurture_said,
        plan=plan,
        plan_owners=plan_owners,
        waits=waits,
        waited=said.waited(content.proof, told),
        doubtful={story.deal_id for story in content.stories if story.look_twice},
        lacks_of={call["deal_id"]: lacks(call) for call in _rows(content.of("walk_away", "nurture"))},
        wait_number=wait_number,
        first=first,
        legs=_rows(content.legs),
        by_verdict=_rows(content.answer.by_verdict),
        bar_said=said.bar(content),
        value_said=said.value(content),
        why_said=said.why(content),
        sure=said.sure(content),
        advised=_rows(content.advised),
        advised_said=said.advised(content),
        words=said.WORDS,
        look_twice=LOOK_TWICE,
        themes=_rows(content.whole.themes.reset_index()),
        plan_said=said.plan(content),
        productivity=productivity_svg(months, told, "Value won per hour worked, by month.") if len(months) > 1 else "",
        months=_rows(months),
        changes=None if content.changes is None else _rows(content.changes.head(rows)),
        since=content.since,
        overrides=_rows(content.overrides.head(rows)),
        settled_overrides=_rows(content.settled_overrides),
        findings=_findings(content),
        notes=content.notes,
        quality=content.quality,
        purposes=INTENDED.replace("`", "").split("\n\n"),
        limits=_limits(),
        rollup=_rows(content.rollup),
        differing=said.differing(content),
        cards=cards,
        cards_said=_cards_said(len(stories), dropped, told),
        stories=[(story, cards[story.deal_id], _rows(steps_of(story, steps))) for story in stories],
        **_proof(content.proof, told),
        **_signs(content),
    )
