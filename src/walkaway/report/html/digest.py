"""The answer as a few lines of Markdown, for mail and chat."""

from __future__ import annotations

import re

from walkaway.book import shown_deal
from walkaway.report.html import confidence, phrases
from walkaway.report.html.annotated_calls import CALLS
from walkaway.report.html.content import Content
from walkaway.report.html.kept import kept_sentence
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
        return kept_sentence(content)
    at_risk = (
        f"puts {wording.money(answer.value_at_risk)} at risk, {wording.percent(answer.share_at_risk)} of the "
        f"pipeline's {'expected wins' if wording.counts_wins else 'expected value'}."
    )
    stopping = f"Stopping work on {wording.number(answer.let_go)} of {wording.number(answer.open_deals)} open deals"
    if not wording.by_hour:
        return f"{stopping} {at_risk}"
    up_to = "up to " if answer.some_later else ""
    right_away = f" ({wording.number(round(answer.at_once))} of them right away)" if answer.some_later else ""
    freed, hours = (wording.number(round(hours)) for hours in (answer.hours_freed, answer.hours))
    return f"{stopping} frees {up_to}{freed} of {hours} hours{right_away} and {at_risk}"


def digest(content: Content) -> str:
    """A few lines: what to know first, the answer, the first deals to stop, where the hours go, how far to trust it."""
    wording, freed = content.wording, content.of(*CALLS)
    can_act, what = confidence.use(content)
    level, why = confidence.confidence(content)
    lines = [line for caveat in content.caveats for line in (f"**{caveat.sentence}**", "")]
    lines += [
        f"**{board_sentence(content)}**",
        "",
        f"Can you act on this today? {can_act.capitalize()}. {what}",
        "",
        f"{phrases.bar(content)} Confidence: {level}; {why}" if level != "untested" else phrases.bar(content),
        "",
    ]
    for deal in freed.head(MOST_NAMED).to_dict("records"):
        worth = f"{wording.money(deal['expected_value'])} expected"
        if wording.by_hour:
            worth = f"{wording.hours(deal['remaining_hours'])}, {wording.money(deal['value_per_hour'])} an hour"
        why = leg_told(deal, content.typical, wording)
        who = plain(shown_deal(deal["deal_id"], deal["name"]), 80)
        lines.append(f"- {who}: {why if wording.by_chance else f'{worth}; {why}'}")
    if len(content.plan):
        best = (
            content.plan.sort_values("value_per_hour", ascending=False, kind="stable")
            .drop_duplicates("deal_id")
            .head(3)
        )
        instead = ", ".join(plain(named, 80) for named in content.named(best["deal_id"]))
        lines.append(f"- Instead: {instead}.")
    if content.changes is not None:
        counts = content.changes["change"].value_counts()
        fresh, back = (wording.whole(counts.get(kind, 0)) for kind in ("newly_below_bar", "back_above_bar"))
        lines.append(f"- Since the last report: {fresh} newly below the bar, {back} back above it.")
    return "\n".join([*lines, "", "A person decides; people are not scored."]) + "\n"
