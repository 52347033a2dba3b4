"""The page itself: content into the template, all text escaped, style and script inside, nothing fetched."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from walkaway.formatting import LocaleFormat, plain_step
from walkaway.report.html.content import Content
from walkaway.report.html.phrases import capital
from walkaway.report.html.sections import shown

__all__ = ["page"]

TEMPLATES = Path(__file__).parent / "templates"
LONGEST = 400  # letters of a text
CONTENTS = (
    ("trade-off", "What a bar frees and costs"),
    ("let-go", "Let these go"),
    ("nurture", "Nurture"),
    ("check", "Check first"),
    ("refocus", "Refocus"),
    ("exits", "Hours after the moment to stop"),
    ("qualify", "Qualify early"),
    ("changes", "Since the last report"),
    ("trust", "Can I trust it?"),
    ("words", "The words"),
    ("groups", "By team and segment"),
    ("cards", "Cards"),
)


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


def _environment(wording: LocaleFormat) -> Environment:
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
        "tenth": _or_blank(lambda value: wording.number(value, 1)),
        "hours": _or_blank(wording.hours),
        "decimal": _or_blank(lambda value: wording.number(value, 2)),
        "age": _or_blank(wording.days),
        "percent": _or_blank(wording.percent),
        "percent1": _or_blank(lambda share: wording.percent(share, 1)),
        "factor": _or_blank(lambda value: wording.number(value, 2)),
        "date": _or_blank(wording.date),
        "moment": _or_blank(wording.moment),
        "step": plain_step,
        "words": lambda text: str(text).replace("_", " "),
        "sentence": lambda text: f"{capital(text)}.",
        "capital": capital,
    }
    return env


def _policy(css: str, js: str) -> str:
    """The Content-Security-Policy: this style, this script, and nothing else."""
    style, script = (base64.b64encode(sha256(text.encode()).digest()).decode() for text in (css, js))
    allowed = f"style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def page(content: Content, signal: bool = True, for_print: bool = False) -> str:
    """The report as one page of HTML that needs nothing else.

    Args:
        content: what it says.
        signal: whether the model knows more than the base rate.
        for_print: lists are shorter, and only the first cards are there, standing open.
    """
    css, js = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    env = _environment(content.wording)
    env.globals |= shown(content, for_print)
    return env.get_template("report.html").render(
        policy=_policy(css, js), css=css, js=js, signal=signal, contents=CONTENTS
    )
