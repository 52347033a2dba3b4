"""Write the parts of the docs that the code knows best: the feature catalogue and the CLI reference.

    python docs/generate.py

A test holds the files to what this writes.
"""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

from walkaway.cli import app
from walkaway.features import REGISTRY, Feature

DOCS = Path(__file__).parent
BY = "Written by `make docs` from the code; change it there."


def _first_line(documented: Any) -> str:
    return (inspect.getdoc(documented) or "").split("\n\n")[0].replace("\n", " ")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _table(headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield _row(*headers)
    yield "|" + "---|" * len(headers)
    yield from (_row(*row) for row in rows)
    yield ""


def _repeated(feature: Feature) -> str:
    return f"`{feature.name}[{feature.per}]`" if feature.per else f"`{feature.name}`"


def feature_catalogue() -> str:
    """Every feature by family: its unit, its theme, what it counts, and what a seller reads."""
    lines = ["# Features", "", BY, ""]
    lines += [
        "Each is computed at a moment from what was recorded by then, by one function that training and scoring share.",
        "A name with brackets stands for one column a word: a stage, a kind of activity, an attribute of the deal.",
        "Which of them a book gets depends on what it records; `train.features` allows and denies by feature, family",
        "or column. In sentences, {value} is the value with its unit and {of} the word.",
        "",
    ]
    families = sorted({feature.family for feature in REGISTRY.values()})
    for family in families:
        lines += [f"## {family}", "", _first_line(import_module(f"walkaway.features.{family}")), ""]
        rows = [
            (_repeated(f), f.unit, f.theme, _first_line(f.compute), f.sentence)
            for f in REGISTRY.values()
            if f.family == family
        ]
        lines += _table(("feature", "unit", "theme", "what it is", "what a seller reads"), rows)
    return "\n".join(lines)


def cli_reference() -> str:
    """Every command with its arguments, options and defaults, as typer tells them, and the exit codes."""
    command = typer.main.get_command(app)
    told = get_docs_for_click(obj=command, ctx=typer.Context(command), name="walkaway", title="Commands")
    title, rest = html.unescape(told).replace("\\[", "[").split("\n", 1)  # escaped for rich
    codes = (inspect.getdoc(import_module("walkaway.cli")) or "").split("\n\n")[1].replace("\n", " ")
    return "\n".join([title, "", BY, "", codes, rest.rstrip() + "\n"])


PAGES = {"features.md": feature_catalogue, "commands.md": cli_reference}


if __name__ == "__main__":
    for name, write in PAGES.items():
        (DOCS / name).write_text(write(), encoding="utf-8")
