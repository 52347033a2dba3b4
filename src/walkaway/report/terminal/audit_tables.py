"""What the terminal shows of the leak audit."""

from __future__ import annotations

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.audit import Audit
from walkaway.formatting import LocaleFormat
from walkaway.report.terminal.plain_table import plain_table

__all__ = ["doubt_sentences", "show_audit", "show_suspects"]

_STYLE = {"left out": "bold red", "allowed": "yellow", "cannot tell": "yellow"}
SOURCE_NOTES = (
    "filled: share of settled deals with a value (for events: at the last snapshot). while open: the same for open "
    "deals. AUC: how well this alone separates won from lost deals when a deal is new. at close: share last recorded "
    "less than a day before the close, or later; earlier snapshots do not see these records."
)
FEATURE_NOTES = (
    "first and last: the first and the last snapshot of a deal. earlier: four snapshots before the last. The AUC of an "
    "honest feature is lower at earlier snapshots."
)
ALLOW = "To keep one, name it in the settings: train.audit.allowed = [{!r}]"
MOST_NAMED = 12  # columns in one sentence


def _share(value: float, fmt: LocaleFormat) -> str:
    return "" if pd.isna(value) else fmt.percent(value)


def _auc(value: float, fmt: LocaleFormat) -> str:
    return "" if pd.isna(value) else fmt.number(value, 2)


def _sources_table(sources: pd.DataFrame, fmt: LocaleFormat) -> Table:
    table = plain_table("recorded", "verdict", "filled", "while open", "AUC", "at close", title="What the book records")
    for name, row in sources.iterrows():
        verdict = Text(str(row["verdict"]), style=_STYLE.get(str(row["verdict"]), ""))
        filled = (_share(row["filled"], fmt), _share(row["filled_open"], fmt))
        table.add_row(Text(str(name)), verdict, *filled, _auc(row["separation"], fmt), _share(row["at_close"], fmt))
    return table


def _features_table(features: pd.DataFrame, fmt: LocaleFormat) -> Table:
    table = plain_table("AUC of a feature alone", "verdict", "first", "earlier", "last", title="Features")
    for name, row in features.sort_values("separation_last", ascending=False, kind="stable").iterrows():
        verdict = Text(str(row["verdict"]), style=_STYLE.get(str(row["verdict"]), ""))
        areas = (_auc(row[f"separation_{snapshot}"], fmt) for snapshot in ("first", "earlier", "last"))
        table.add_row(Text(str(name)), verdict, *areas)
    return table


def _named(names: list[str], fmt: LocaleFormat) -> str:
    """Columns, without the name of their table; of many only the first."""
    shown = ", ".join(name.removeprefix("deals.") for name in names[:MOST_NAMED])
    return shown + (f" and {fmt.whole(len(names) - MOST_NAMED)} more" if len(names) > MOST_NAMED else "")


def doubt_sentences(audit: Audit, fmt: LocaleFormat) -> list[str]:
    """What the audit cannot tell, and the columns whose names speak of the end, for the user to decide.

    Args:
        audit: of a book.
        fmt: writes the numbers.
    """
    sentences = [
        f"Cannot tell when these were filled in, since {why}: {_named(names, fmt)}."
        for why, names in audit.cannot_tell.items()
    ]
    if words := audit.to_decide:
        names = _named([f"{name} ({word})" for name, word in words.items()], fmt)
        first = next(iter(words))
        sentences.append(
            f"To decide: the names of these speak of the end of a deal: {names}. Leave out what is filled in or "
            "counted later: take it out of the mapping. If it is known from the start, name it in the settings: "
            f"train.audit.allowed = [{first!r}]"
        )
    return sentences


def show_suspects(audit: Audit, fmt: LocaleFormat) -> RenderableType:
    """Each suspect with its evidence, or one sentence that there is none."""
    sources, features = fmt.whole(len(audit.sources)), fmt.whole(len(audit.features))
    checked = f"checked {sources} columns, fields, kinds and roles, and {features} features"
    doubts = [Text(f"  {sentence}", style="yellow") for sentence in doubt_sentences(audit, fmt)]
    if audit.suspects.empty:
        none = "None leaks the outcome, as far as it can be told." if doubts else "None leaks the outcome."
        return Group(Text(f"Leak audit: {checked}. {none}"), *doubts)
    parts: list[RenderableType] = [Text(f"Leak audit: {checked}.", style="bold")]
    for name, row in audit.suspects.iterrows():
        line = Text(f"  {row['verdict']}: ", style=_STYLE[str(row["verdict"])])
        parts.append(line.append(f"{name} ", style="bold").append(f"[{row['rules']}] {row['evidence']}", style=""))
    left_out = [str(name) for name in (*audit.left_out, *(f"features.{column}" for column in audit.denied))]
    return Group(*parts, *([Text("  " + ALLOW.format(left_out[0]), style="dim")] if left_out else []), *doubts)


def show_audit(audit: Audit, fmt: LocaleFormat) -> RenderableType:
    """Everything that was checked, with the evidence."""
    parts: list[RenderableType] = [_sources_table(audit.sources, fmt), Text(SOURCE_NOTES, style="dim"), ""]
    if len(audit.features):
        parts += [_features_table(audit.features, fmt), Text(FEATURE_NOTES, style="dim"), ""]
    return Group(*parts, show_suspects(audit, fmt))
