"""Renders the page: all text is escaped, style and script are inline, and nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from walkaway.book import is_link
from walkaway.formatting import LocaleFormat, plain_activity
from walkaway.report.html.content import Content
from walkaway.report.html.phrases import capital
from walkaway.report.html.sections import shown as shown_on_page
from walkaway.report.html.undated_page import UndatedContent, undated_shown

__all__ = ["page", "undated_page"]

TEMPLATES = Path(__file__).parent / "templates"
LONGEST = 400  # characters of a text; longer ones are cut
CONTENTS = (
    ("trade-off", "Trade-off"),
    ("let-go", "Deals to stop"),
    ("nurture", "Nurture"),
    ("check", "Check first"),
    ("refocus", "Refocus"),
    ("exits", "After the moment to stop"),
    ("qualify", "Qualify early"),
    ("changes", "Since the last report"),
    ("trust", "Can I trust it?"),
    ("words", "What the words mean"),
    ("groups", "By team and segment"),
    ("cards", "Cards"),
)


def _or_blank(write: Any) -> Any:
    """A filter that shows a missing value as blank."""
    return lambda value: "" if value is None or pd.isna(value) else write(value)


def _bounded(value: Any) -> Any:
    """The value, with text cut to LONGEST characters; the lists have the full text.

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
        "worth": _or_blank(wording.worth),
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
        "sign": plain_activity,
        "words": lambda text: str(text).replace("_", " "),
        "sentence": lambda text: f"{capital(text)}.",
        "capital": capital,
        "is_link": is_link,
    }
    return env


def _policy(css: str, js: str) -> str:
    """The Content-Security-Policy, which allows this style and this script only."""
    style, script = (base64.b64encode(sha256(text.encode()).digest()).decode() for text in (css, js))
    allowed = f"style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def page(content: Content, for_print: bool = False) -> str:
    """The report as one self-contained HTML page.

    Args:
        content: the content of the report.
        for_print: shorter lists, and only the first cards, all open.
    """
    has_exits = content.records_work or (content.proof is not None and len(content.proof.exits) > 0)
    left_out = {anchor for anchor, shown in {"exits": has_exits, "nurture": content.records_signs}.items() if not shown}
    contents = [(anchor, title) for anchor, title in CONTENTS if anchor not in left_out]
    return _rendered("report.html", content.wording, shown_on_page(content, for_print) | {"contents": contents})


def undated_page(content: UndatedContent, for_print: bool = False) -> str:
    """The page of a book without dates; arguments as of `page`."""
    return _rendered("undated.html", content.wording, undated_shown(content, for_print))


def _rendered(template: str, wording: LocaleFormat, shown: dict[str, Any]) -> str:
    css, js = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    env = _environment(wording)
    env.globals |= shown
    return env.get_template(template).render(policy=_policy(css, js), css=css, js=js)
