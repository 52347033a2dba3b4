"""Sentences of the page: what its figures and tables say, in words a leader repeats."""

from __future__ import annotations

from typing import Any

import pandas as pd

from walkaway.formatting import LocaleFormat, plain_step
from walkaway.report.html.check_first import CLOSE
from walkaway.report.html.content import Content
from walkaway.report.html.proof import Proof

__all__ = [
    "NO_CURVE",
    "NO_PROOF",
    "WORDS",
    "advised",
    "bar",
    "capital",
    "check_rule",
    "cost",
    "differing",
    "instead",
    "judged",
    "keeps",
    "past",
    "plan",
    "price",
    "questions",
    "value",
    "waited",
    "waits",
    "waits_in_short",
    "well_called",
]

NO_PROOF = (
    "No replay is named, so nothing here is proved on your own past. Run walkaway replay, and name its folder with "
    "--replay or score.replay."
)
NO_CURVE = "The model has no curve: too few settled deals to try a bar on. The bar was set by hand."
INSTEAD = 3  # deals named on the first page
QUESTIONS = {
    "fit": "Is this a buyer like those who bought from us? What of this deal is like the ones we won?",
    "need": "What happens to the buyer if they do nothing?",
    "decision makers": "Who signs, and have we spoken with them?",
    "engagement": "What did the buyer do by themselves this week, that others can see?",
    "timing": "What date did the buyer name, and why that one?",
    "price and profit": "Is it worth our hours at the amount and margin they expect?",
    "effort": "How many hours of ours will this take to its end?",
}
WORDS = (
    ("bar", "the worth of an hour below which it is better spent on another deal"),
    (
        "an hour is worth",
        "the chance to win, times the value if won, over the hours still to spend and a few minutes any deal takes",
    ),
    ("deals kept", "those worth the bar or more an hour; the typical one has the median of each figure"),
    ("walk away", "stop work on the deal: an hour on it is worth less than the bar"),
    (
        "nurture",
        "no hours now: below the bar too, but the buyer has not been silent for longer than a sign took to come that "
        "would lift it over the bar, or the deal would end undecided rather than with a no; without it, walk away",
    ),
    (
        "check first",
        "to walk away from or to nurture, but close to the bar, or deals like it earned more than the bar: a person "
        "looks before it is let go",
    ),
    ("unsure", "the models disagree about the bar; a person decides, and until then it is kept"),
    ("pursue", "an hour on it is worth the bar or more"),
    ("at risk", "what the deals let go were still expected to bring"),
    ("forgone", "won value of deals that a bar would have let go"),
    ("saved", "hours that were worked on deals after a bar would have let them go"),
    ("replay", "the past run again: every deal called by models that knew only what was known then, settled later"),
)


def _dial(dial: dict[str, Any], told: LocaleFormat) -> str:
    """What set the bar."""
    if dial.get("bar") is not None:
        return "set by hand"
    if dial.get("capacity") is not None:
        return f"as low as it can be while the team needs no more than {told.number(dial['capacity'])} hours a week"
    share = told.percent(dial["forgo"])
    if dial.get("guarantee"):
        promised = f"to lose no more than {share} of the value won by it"
        return f"as high as it can be with the promise, at 90% confidence, {promised}"
    return f"as high as it can be while no more than {share} of the value won is expected to be lost by it"


def bar(content: Content) -> str:
    """Where the bar stands, what set it, and what it means."""
    answer, told = content.answer, content.wording
    return (
        f"An hour on a deal let go is worth less than the bar, {told.money(answer.bar)}, and better spent on another "
        f"deal. The bar is {_dial(answer.dial, told)}."
    )


def value(content: Content) -> str:
    """What value means on this page."""
    known = content.answer.margin_known
    if known == 0:
        return "Value is a deal's whole amount: no margin is recorded, so what is left of it as profit is not known."
    if known == 1:
        return "Value is a deal's amount times its margin."
    share = content.wording.percent(known)
    return f"Value is a deal's amount times its margin; {share} of open deals have one, of the others all counts."


def keeps(content: Content) -> str:
    """What happens to the deals that are not let go."""
    answer, told = content.answer, content.wording
    kept = f"The other {told.number(answer.open_deals - answer.let_go)} are kept"
    if not answer.unsure:
        return f"{kept}."
    return f"{kept}; of {told.number(answer.unsure)} of them the model is unsure, and a person decides."


def instead(content: Content) -> str:
    """Where the freed hours go first."""
    plan, told = content.plan, content.wording
    if plan.empty:
        return ""
    best = plan.drop_duplicates("deal_id").sort_values("value_per_hour", ascending=False, kind="stable").head(INSTEAD)
    least = told.money(float(best["value_per_hour"].min()))
    return (
        f"{', '.join(best['deal_id'])}: an hour on each is worth {least} or more. They are worked on in any case; with "
        "the freed hours, sooner."
    )


def cost(content: Content) -> str:
    """What may be lost by letting go, and what value means."""
    answer, told = content.answer, content.wording
    share = told.percent(answer.share_at_risk)
    return (
        f"The deals let go are still expected to bring {told.money(answer.value_at_risk)}, {share} of what all open "
        f"deals are. {value(content)}"
    )


def past(content: Content) -> str:
    """What is expected of this bar over whole deals."""
    answer, told = content.answer, content.wording
    how = "an estimate" if answer.estimated else "settled"
    saved, forgone = told.percent(answer.saved, 1), told.percent(answer.forgone, 1)
    return f"it saves {saved} of all hours and forgoes {forgone} of all value won ({how})"


def check_rule(content: Content) -> str:
    """Which deals are to be checked first, and why."""
    return (
        f"Check first are those worth {content.wording.percent(CLOSE)} of the bar or more an hour, and those whose "
        "like earned more than the bar."
    )


def plan(content: Content) -> str:
    """How many of the freed hours the plan places, and what the deals they go to are expected to bring."""
    told, moved = content.wording, content.moved
    if content.plan.empty:
        return "No hours are freed, or no deal above the bar needs any."
    placed, freed = float(moved["hours_placed"].sum()), float(moved["hours_freed"].sum())
    deals = told.number(content.plan["deal_id"].nunique())
    worth = told.money(float(content.plan["expected"].sum()))
    rest = round(freed - placed)
    go = f"{told.number(round(placed))} of them go" if rest else "they go"
    left = f" The other {told.number(rest)} are free for finding new deals." if rest else ""
    return (
        f"If all {told.number(round(freed))} hours come free, {go} to the {deals} deals below, where an hour is worth "
        f"most; {worth} are expected of these hours. They are among the hours of the whole pipeline, so this is no "
        "gain by itself: the gain is that none of them is left waiting, and what that is worth is not known."
        f"{left}"
    )


def waits(nurture: pd.DataFrame, told: LocaleFormat) -> list[str]:
    """What the deals to nurture wait for, and how often it came to past deals as silent: a sentence a sign.

    Args:
        nurture: sign, sign_came.
    """
    rows = []
    for sign, part in nurture.groupby("sign"):
        low, high = (told.percent(share) for share in (part["sign_came"].min(), part["sign_came"].max()))
        share = low if low == high else f"{low} to {high}"
        rows.append(
            f"{plain_step(str(sign))} from the buyer ({told.number(len(part))} deals): it came to {share} of past "
            "deals that had been silent as long and that nobody worked on"
        )
    return rows


def waits_in_short(nurture: pd.DataFrame, told: LocaleFormat) -> str:
    """How many deals to nurture the past lets expect to stay silent, the sign most of them lack, and until when.

    Args:
        nurture: sign, sign_came, wait_until.
    """
    if nurture.empty:
        return ""
    signs = nurture["sign"].value_counts()
    sign, mostly = plain_step(str(signs.index[0])), "mostly " if len(signs) > 1 else ""
    last = nurture["wait_until"].max()
    until = "" if pd.isna(last) else f", until {told.date(last)} at the latest"
    silent = told.percent(1.0 - float(nurture["sign_came"].mean()))
    return f"going by the past, {silent} will; the sign to wait for is {mostly}{sign}{until}"


def judged(proof: Proof, told: LocaleFormat) -> str:
    """Of how many calls the end is known."""
    return (
        f"Of the {told.number(proof.judged)} calls that are judged, {told.number(proof.ended)} are of deals that have "
        "ended since, and stand here."
    )


def price(proof: Proof, told: LocaleFormat) -> str:
    """What the rule of the last cheap exit costs; no hours are told without it."""
    forgone = told.money(float(proof.drops["value_forgone"].sum()) if len(proof.drops) else 0.0)
    return (
        "Nobody knows at the time that a deal is below the bar for good. The same rule would have let go of deals that "
        f"were won, worth {forgone} over the whole replay: that is its price."
    )


def well_called(proof: Proof, told: LocaleFormat) -> str:
    """Deals let go that died anyway; nobody is ranked."""
    deals, hours = (told.number(round(proof.good_calls[name])) for name in ("deals", "hours"))
    return (
        f"{deals} deals that fell below the bar and stayed there were lost in the end; {hours} hours were worked on "
        "them after that. Deals that rose above the bar again, or were won, are not among them. Deals are counted, "
        "nobody is ranked."
    )


def advised(content: Content) -> str:
    """What became of the nightly batch's own advice."""
    rows, told = content.advised, content.wording
    if rows.empty:
        return ""
    since = told.date(rows["since"].min())
    deals, followed = (told.number(rows[name].sum()) for name in ("deals", "followed"))
    return f"Since {since} the nightly run advised to let go of {deals} deals; on {followed} nobody worked any more."


def waited(proof: Proof | None, told: LocaleFormat) -> str:
    """What became of the deals that the replay would have let wait."""
    rows = proof.drops[proof.drops["verdict"] == "nurture"] if proof and len(proof.drops) else pd.DataFrame()
    if rows.empty:
        return ""
    deals, won = told.number(int(rows["deals"].iloc[0])), told.percent(float(rows["won"].iloc[0]))
    return f"In the replay {won} of the {deals} deals first let go to nurture were won, worked on as they were."


def questions(content: Content) -> list[str]:
    """What to ask in the first week: of the themes whose signs told, then of those that cost the pipeline most."""
    themes = dict.fromkeys([sign.theme for sign in content.signs] + list(content.whole.themes.index))
    return [QUESTIONS[theme] for theme in themes if theme in QUESTIONS]


def capital(text: str) -> str:
    """The text with a capital at its beginning, all else as it is.

    >>> capital("won EUR 5")
    'Won EUR 5'
    """
    return f"{text[:1].upper()}{text[1:]}"


def differing(content: Content) -> str:
    """Groups dropped more or less often than all beyond chance, each with its share."""
    drops, told = content.whole.drops, content.wording
    if drops.empty:
        return ""
    rows = drops[drops["differs"].astype(bool)].iterrows()
    named = [f"{name.replace('_', ' ')} {group} ({told.percent(row['shrunk'])})" for (name, group), row in rows]
    return "; ".join(named)
