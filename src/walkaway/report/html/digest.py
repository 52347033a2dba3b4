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
    """Text from a CRM, escaped so that Markdown shows it as plain text on one line.

    >>> plain("*Acme*\\n# <b>")
    '\\\\*Acme\\\\* \\\\# \\\\<b\\\\>'
    """
    line = " ".join(text.split())
    return SPECIAL.sub(r"\\\1", line if len(line) <= most else f"{line[: most - 1]}…")


def board_sentence(content: Content) -> str:
    """The answer in one sentence, for a board."""
    answer, wording = content.answer, content.wording
    if not answer.let_go:
        return f"None of {wording.number(answer.open_deals)} open deals is below the bar: keep them all."
    up_to = "up to " if answer.some_later else ""
    right_away = f" ({wording.number(round(answer.at_once))} of them right away)" if answer.some_later else ""
    freed, hours = (wording.number(round(hours)) for hours in (answer.hours_freed, answer.hours))
    return (
        f"Stopping work on {wording.number(answer.let_go)} of {wording.number(answer.open_deals)} open deals frees "
        f"{up_to}{freed} of {hours} hours{right_away} and puts {wording.money(answer.value_at_risk)} at risk, "
        f"{wording.percent(answer.share_at_risk)} of the pipeline's expected value."
    )


def digest(content: Content) -> str:
    """At most fifteen lines: the answer, the largest deals to stop, where the hours go, and how far to trust it."""
    wording, freed = content.wording, content.of(*CALLS)
    can_act, what = confidence.use(content)
    level, why = confidence.confidence(content)
    lines = [
        f"**{board_sentence(content)}**",
        "",
        f"Can you act on this today? {can_act.capitalize()}. {what}",
        "",
        f"{phrases.bar(content)} Confidence: {level}; {why}" if level != "untested" else phrases.bar(content),
        "",
    ]
    for deal in freed.head(MOST_NAMED).to_dict("records"):
        worth = f"{wording.hours(deal['remaining_hours'])}, {wording.money(deal['value_per_hour'])} an hour"
        lines.append(f"- {plain(deal['deal_id'], 40)}: {worth}; {leg_told(deal, content.typical, wording)}")
    if len(content.plan):
        best = content.plan.drop_duplicates("deal_id").sort_values("value_per_hour", ascending=False).head(3)
        lines.append(f"- Instead: {', '.join(plain(name, 40) for name in best['deal_id'])}.")
    if content.changes is not None:
        counts = content.changes["change"].value_counts()
        fresh, back = (wording.whole(counts.get(kind, 0)) for kind in ("newly_below_bar", "back_above_bar"))
        lines.append(f"- Since the last report: {fresh} newly below the bar, {back} back above it.")
    return "\n".join([*lines, "", "A person decides; people are not scored."]) + "\n"
