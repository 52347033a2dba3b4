"""What the terminal shows of a check: a summary, then the findings, worst first."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.formatting import LocaleFormat
from walkaway.monitoring import LEVELS, NAMES, Check, Finding, Level

__all__ = ["show_check"]

_STYLE: dict[Level, str] = {"act": "bold red", "watch": "bold yellow", "cannot_tell": "cyan", "ok": "green"}
_SUMMARY: dict[Level, str] = {
    "act": "The data has changed since training. Train again, and find out what changed.",
    "watch": "Something has changed since training. Keep an eye on it.",
    "cannot_tell": "There is not enough data to tell whether anything has changed.",
    "ok": "The data looks as it did in training.",
}
_OLD = "The data looks as it did in training, but the model is old. Train again."


def _advice(check: Check) -> str:
    """What to do. An old model (D7) is no evidence that the data has changed, so it has a sentence of its own."""
    changed = [finding.code for finding in check.findings if finding.level in ("act", "watch")]
    return _OLD if changed == ["D7"] else _SUMMARY[check.level]


def _level(level: Level) -> str:
    return level.replace("_", " ")


def _counts(check: Check, fmt: LocaleFormat) -> str:
    levels = [finding.level for finding in check.findings]
    return ", ".join(f"{fmt.whole(levels.count(level))} {_level(level)}" for level in LEVELS if level in levels)


def _summary(check: Check, fmt: LocaleFormat) -> Text:
    when = "" if check.looked_at is None else f" at {fmt.moment(check.looked_at)} UTC"
    learned = "" if check.known_until is None else f" (trained on data until {fmt.date(check.known_until)})"
    return Text.assemble(
        (_advice(check), _STYLE[check.level]),
        f" {fmt.whole(check.open_deals)} open deals{when}, model {check.model_version}{learned}: "
        f"{_counts(check, fmt)}.",
    )


def _sentence(finding: Finding) -> Text:
    note = [("\n" + finding.note, "dim")] if finding.note else []
    return Text.assemble(finding.sentence, *note)


def show_check(check: Check, fmt: LocaleFormat) -> RenderableType:
    """The summary, and one row per finding: its level, its code and name, its sentence."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for style in ({"min_width": 11}, {"min_width": 14}, {"ratio": 1, "overflow": "fold"}):
        table.add_column(**style)
    for finding in check.findings:
        name = Text(f"{finding.code} {NAMES[finding.code]}")
        table.add_row(Text(_level(finding.level), style=_STYLE[finding.level]), name, _sentence(finding))
    return Group(_summary(check, fmt), "", table)
