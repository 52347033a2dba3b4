"""The answer as fifteen lines of Markdown, for mail and chat."""

from __future__ import annotations

import re

from walkaway.report.html import confidence, phrases
from walkaway.report.html.annotated_calls import CALLS
from walkaway.report.html.content import Content
from walkaway.report.html.main_reason import leg_told

__all__ = ["board_sentence", "digest", "plain"]

MOST_NAMED = 5
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def plain(text: str, most: int = 120) -> str:
    """Text from a CRM as Markdown shows it as text: one line, nothing of it a command.

    >>> plain("*Acme*\\n# <b>")
    '\\\\*Acme\\\\* \\\\# \\\\<b\\\\>'
    """
    line = " ".join(text.split())
    return SPECIAL.sub(r"\\\1", line if len(line) <= most else f"{line[: most - 1]}…")


def board_sentence(content: Content) -> str:
    """The whole in one sentence that a board can repeat."""
    answer, told = content.answer, content.wording
    if not answer.let_go:
        return f"None of {told.number(answer.open_deals)} open deals is worth less an hour than the bar: keep them all."
    up_to = "up to " if answer.some_later else ""
    at_once = f", {told.number(round(answer.at_once))} of them at once," if answer.some_later else ""
    return (
        f"Letting go of {told.number(answer.let_go)} of {told.number(answer.open_deals)} open deals frees "
        f"{up_to}{told.number(round(answer.hours_freed))} of {told.number(round(answer.hours))} hours{at_once} and "
        f"puts {told.money(answer.value_at_risk)} at risk, {told.percent(answer.share_at_risk)} of what the pipeline "
        "is expected to bring."
    )


def digest(content: Content) -> str:
    """At most fifteen lines: the answer, the largest deals to let go, where the hours go, and how far to trust it."""
    told, freed = content.wording, content.of(*CALLS)
    may, what = confidence.use(content)
    level, why = confidence.confidence(content)
    lines = [
        f"**{board_sentence(content)}**",
        "",
        f"May it be acted on today? {may.capitalize()}. {what}",
        "",
        f"{phrases.bar(content)} How sure: {level}; {why}" if level != "unproved" else phrases.bar(content),
        "",
    ]
    for deal in freed.head(MOST_NAMED).to_dict("records"):
        worth = f"{told.hours(deal['remaining_hours'])}, {told.money(deal['value_per_hour'])} an hour"
        lines.append(f"- {plain(deal['deal_id'], 40)}: {worth}; {leg_told(deal, content.typical, told)}")
    if len(content.plan):
        best = content.plan.drop_duplicates("deal_id").sort_values("value_per_hour", ascending=False).head(3)
        lines.append(f"- Instead: {', '.join(plain(name, 40) for name in best['deal_id'])}.")
    if content.changes is not None:
        counts = content.changes["change"].value_counts()
        fresh, back = int(counts.get("newly_below_bar", 0)), int(counts.get("back_above_bar", 0))
        lines.append(f"- Since the last report: {fresh} newly below the bar, {back} back above it.")
    return "\n".join([*lines, "", "A person decides; people are not scored."]) + "\n"
