"""What a check says on the terminal: a summary, then the findings, worst first."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.monitoring import LEVELS, NAMES, Check, Finding, Level

__all__ = ["show_check"]

_STYLE: dict[Level, str] = {"act": "bold red", "watch": "bold yellow", "cannot_tell": "cyan", "ok": "green"}
_SAID: dict[Level, str] = {
    "act": "The world has changed: train again, and look into what changed.",
    "watch": "Something has moved: keep an eye on it.",
    "cannot_tell": "Nothing can be told.",
    "ok": "The world looks as it did in training.",
}


_OLD = "The world looks as it did in training, but the model is old: train again."


def _said(check: Check) -> str:
    """What to make of it: an old model alone is no news of the world."""
    moved = [finding.code for finding in check.findings if finding.level in ("act", "watch")]
    return _OLD if moved == ["D7"] else _SAID[check.level]


def _level(level: Level) -> str:
    return level.replace("_", " ")


def _counts(check: Check) -> str:
    levels = [finding.level for finding in check.findings]
    return ", ".join(f"{levels.count(level)} {_level(level)}" for level in LEVELS if level in levels)


def _summary(check: Check) -> Text:
    when = "" if check.looked_at is None else f" at {check.looked_at:%Y-%m-%d %H:%M} UTC"
    learned = "" if check.known_until is None else f", which learned until {check.known_until:%Y-%m-%d}"
    return Text.assemble(
        (_said(check), _STYLE[check.level]),
        f" {check.open_deals:,} open deals{when}, model {check.model_version}{learned}: {_counts(check)}.",
    )


def _told(finding: Finding) -> Text:
    note = [("\n" + finding.note, "dim")] if finding.note else []
    return Text.assemble(finding.sentence, *note)


def show_check(check: Check) -> RenderableType:
    """The summary, and one row a finding: its level, its code and name, its sentence."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for style in ({"min_width": 11}, {"min_width": 14}, {"ratio": 1, "overflow": "fold"}):
        table.add_column(**style)
    for finding in check.findings:
        name = Text(f"{finding.code} {NAMES[finding.code]}")
        table.add_row(Text(_level(finding.level), style=_STYLE[finding.level]), name, _told(finding))
    return Group(_summary(check), "", table)
