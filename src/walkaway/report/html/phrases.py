"""The sentences of the page, which explain its figures and tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from walkaway.formatting import LocaleFormat, plain_activity
from walkaway.models import awaited
from walkaway.report.html.check_first import CLOSE
from walkaway.report.html.content import Content
from walkaway.report.html.proof import Proof

__all__ = [
    "NO_CURVE",
    "NO_PROOF",
    "NO_TRADE_OFF",
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
    "words",
]

NO_PROOF = (
    "No replay was given, so these calls have not been tested on your own past deals. Run walkaway replay and pass its "
    "folder with --replay or score.replay."
)
NO_CURVE = (
    "There is no trade-off curve, because too few deals have been settled to test a bar on. The bar was set by hand."
)
NO_TRADE_OFF = (
    "There is no bar to choose, because the model cannot tell which deals will be won: stopping those that it thinks "
    "least likely would be no better than stopping any others."
)
INSTEAD = 3  # deals named on the first page
QUESTIONS = {
    "fit": "Is this buyer like those who bought from us? What does this deal have in common with those we won?",
    "need": "What happens to the buyer if they do nothing?",
    "decision makers": "Who signs, and have we spoken with them?",
    "engagement": "What did the buyer do this week on their own initiative?",
    "timing": "Which date did the buyer name, and why that date?",
    "price and profit": "Is the deal worth our time at the amount and margin they expect?",
    "effort": "How many of our hours will this deal take until it closes?",
}
_WORDS = (
    ("call", "the model's verdict on a deal: walk away, nurture, check first, unsure or pursue"),
    (
        "bar",
        "the lowest value per hour at which a deal is kept; below it, the hour is better spent on another deal",
    ),
    (
        "value per hour",
        "the chance to win times the value if won, divided by the hours still to spend plus a few minutes for any deal",
    ),
    ("deals kept", "deals whose value per hour is the bar or more; the typical one has the median of each figure"),
    ("walk away", "stop work on the deal, because its value per hour is below the bar"),
    (
        "nurture",
        "do no work for now and wait for a sign from the buyer. The deal is below the bar too, but one of two "
        "things is true: the sign would lift it over the bar, and the buyer has not been silent for longer than such a "
        "sign took to come in the past; or the deal is likely to end undecided rather than with a no. If the sign does "
        "not come, walk away",
    ),
    (
        "check first",
        "the deal is below the bar, but close to it, or deals like it earned more than the bar. A person checks it "
        "before work stops",
    ),
    ("unsure", "the models disagree on whether the deal is above the bar; it is kept until a person decides"),
    ("pursue", "keep working on the deal, because its value per hour is the bar or more"),
    ("at risk", "the value that the deals to stop were still expected to bring"),
    ("value lost", "the value of won deals that a bar would have stopped"),
    ("hours saved", "hours that were worked on deals after a bar would have stopped them"),
    (
        "replay",
        "a test on past deals: models that knew only what was known then call every deal, and the calls are "
        "compared with what really happened",
    ),
)


OF_HOURS = ("value per hour", "hours saved")
_WORDS_OF_DEALS = {
    "bar": "the lowest expected value at which a deal is kept",
    "deals kept": "deals whose expected value is the bar or more; the typical one has the median of each figure",
    "walk away": "stop work on the deal, because its expected value is below the bar",
    "pursue": "keep working on the deal, because its expected value is the bar or more",
    "at risk": "the value that the deals to stop were still expected to bring",
}


def words(wording: LocaleFormat, records_signs: bool = True) -> list[tuple[str, str]]:
    """The words of the page with their meanings; those of hours and of signs only where the book records them."""
    if not records_signs:
        return [(word, text.replace("nurture, ", "")) for word, text in words(wording) if word != "nurture"]
    if wording.by_hour:
        return list(_WORDS)
    expected = [] if wording.by_chance else [("expected value", "the chance to win times the value if won")]
    others = [
        (word, _WORDS_OF_DEALS.get(word, meaning).replace("expected value", wording.ranked_by))
        for word, meaning in _WORDS
        if word not in OF_HOURS
    ]
    return expected + others


def _dial(dial: dict[str, Any], wording: LocaleFormat) -> str:
    """What set the bar."""
    if dial.get("bar") is not None:
        return "set by hand"
    if dial.get("capacity") is not None:
        return f"as low as possible while the team needs no more than {wording.number(dial['capacity'])} hours a week"
    share = wording.percent(dial["forgo"])
    if dial.get("guarantee"):
        return f"as high as possible while losing no more than {share} of the {wording.won}, at 90% confidence"
    return f"as high as possible while no more than {share} of the {wording.won} is expected to be lost"


def bar(content: Content) -> str:
    """Where the bar stands, what set it, what it means, and what it would have gained if it was set by hand."""
    return f"{_bar_means(content)} {content.by_hand}".rstrip()


def _bar_means(content: Content) -> str:
    answer, wording = content.answer, content.wording
    if content.no_bar and not answer.let_go:
        return f"No bar can be set for the open deals, {content.no_bar}."
    dial, at = _dial(answer.dial, wording), wording.worth(answer.bar)
    if wording.by_chance:
        return f"Each deal to stop has a chance to win below the bar ({at}). The bar is {dial}."
    if not wording.by_hour:
        return f"Each deal to stop is expected to bring less than the bar ({at}). The bar is {dial}."
    return (
        f"Each hour on a deal to stop is worth less than the bar ({at}), so it is better spent on another deal. "
        f"The bar is {dial}."
    )


def value(content: Content) -> str:
    """What value means on this page."""
    known = content.answer.margin_known
    if content.wording.counts_wins:
        return "No amounts are recorded, so each win counts 1."
    if known == 0:
        return "Value means a deal's whole amount, because no margin is recorded and so the profit is not known."
    if known == 1:
        return "Value means a deal's amount times its margin."
    share = content.wording.percent(known)
    return (
        f"Value means a deal's amount times its margin. A margin is recorded for {share} of open deals; for the "
        "others, the whole amount counts."
    )


def keeps(content: Content) -> str:
    """What happens to the deals that are kept."""
    answer, wording = content.answer, content.wording
    kept = f"The other {wording.number(answer.open_deals - answer.let_go)} deals are kept."
    if not answer.unsure:
        return kept
    return f"{kept} The model is unsure about {wording.number(answer.unsure)} of them; a person decides."


def instead(content: Content) -> str:
    """Where the freed hours go first."""
    plan, wording = content.plan, content.wording
    if plan.empty:
        return ""
    if not wording.by_hour:
        best, least = plan.head(INSTEAD), wording.worth(float(plan["expected"].head(INSTEAD).min()))
        each = f"each with a chance to win of {least}" if wording.by_chance else f"each expected to bring {least}"
        return f"{', '.join(content.named(best['deal_id']))}, {each} or more."
    best = plan.drop_duplicates("deal_id").sort_values("value_per_hour", ascending=False, kind="stable").head(INSTEAD)
    least = wording.money(float(best["value_per_hour"].min()))
    named = ", ".join(content.named(best["deal_id"]))
    return (
        f"{named}, each worth {least} or more an hour. They would be worked on in any case; the freed hours bring them "
        "forward."
    )


def cost(content: Content) -> str:
    """What may be lost by stopping deals, and what value means."""
    answer, wording = content.answer, content.wording
    share = wording.percent(answer.share_at_risk)
    return (
        f"The deals to stop are still expected to bring {wording.money(answer.value_at_risk)}, which is {share} of the "
        f"{'wins expected' if wording.counts_wins else 'expected value'} of all open deals. {value(content)}"
    )


def past(content: Content) -> str:
    """What this bar saves and loses over the whole life of deals."""
    answer, wording = content.answer, content.wording
    how = "estimated" if answer.estimated else "measured on settled deals"
    saved, forgone = wording.percent(answer.saved, 1), wording.percent(answer.forgone, 1)
    does = f"saves {saved} of all hours" if wording.by_hour else f"lets {saved} of all deals go"
    return f"it {does} and loses {forgone} of all {wording.won} ({how})"


def check_rule(content: Content) -> str:
    """Which deals are to be checked first, and why."""
    return (
        f"These deals are close to the bar ({content.wording.percent(CLOSE)} of it or more), or deals like them earned "
        "more than the bar."
    )


def plan(content: Content) -> str:
    """How many of the freed hours the plan assigns, and what these hours are expected to bring."""
    wording, moved = content.wording, content.moved
    if not wording.by_hour:
        return (
            "Which deals need more work is not known, because hours are not recorded."
            if len(content.plan)
            else ("No deal is above the bar for sure.")
        )
    if content.plan.empty:
        return "Either no hours are freed, or no deal above the bar needs more hours."
    placed, freed = float(moved["hours_placed"].sum()), float(moved["hours_freed"].sum())
    deals = wording.number(content.plan["deal_id"].nunique())
    worth = wording.money(float(content.plan["expected"].sum()))
    rest = round(freed - placed)
    go = f"{wording.number(round(placed))} of them go" if rest else "they go"
    left = f" The other {wording.number(rest)} are free for finding new deals." if rest else ""
    return (
        f"If all {wording.number(round(freed))} hours become free, {go} to the {deals} deals below, where the value "
        f"per hour is highest. These hours are expected to bring {worth}. That is not extra value, because these deals "
        "need the hours in any case. The benefit is that they do not have to wait; how much that is worth is not known."
        f"{left}"
    )


def waits(nurture: pd.DataFrame, wording: LocaleFormat) -> list[str]:
    """What the deals to nurture wait for, and how often it came in equally silent past deals: a sentence per sign.

    Args:
        nurture: sign, sign_came.
    """
    rows = []
    for sign, part in nurture.groupby("sign"):
        low, high = (wording.percent(share) for share in (part["sign_came"].min(), part["sign_came"].max()))
        share = low if low == high else f"{low} to {high}"
        deals = "deal" if len(part) == 1 else "deals"
        rows.append(
            f"{awaited(str(sign))} ({wording.number(len(part))} {deals}): it came in {share} of past "
            "deals that had been silent as long and that nobody was working on"
        )
    return rows


def waits_in_short(nurture: pd.DataFrame, wording: LocaleFormat) -> str:
    """How many deals to nurture will probably stay silent, the sign most of them wait for, and until when.

    Args:
        nurture: sign, sign_came, wait_until.
    """
    if nurture.empty:
        return ""
    signs = nurture["sign"].value_counts()
    sign, usually = plain_activity(str(signs.index[0])), "usually " if len(signs) > 1 else ""
    last = nurture["wait_until"].max()
    until = "" if pd.isna(last) else f", until {wording.date(last)} at the latest"
    silent = wording.percent(1.0 - float(nurture["sign_came"].mean()))
    return f"judging by past deals, {silent} will; the sign to wait for is {usually}{sign}{until}"


def judged(proof: Proof, wording: LocaleFormat) -> str:
    """For how many calls the outcome is known."""
    return (
        f"Of the {wording.number(proof.judged)} calls that are old enough to judge, {wording.number(proof.ended)} are "
        "on deals that have been won or lost since; the figure shows these."
    )


def price(proof: Proof, wording: LocaleFormat) -> str:
    """What stopping at that moment would have lost. The hours are never shown without it."""
    forgone = wording.money(float(proof.drops["value_forgone"].sum()) if len(proof.drops) else 0.0)
    return (
        "At that moment, nobody knows that a deal will stay below the bar. Over the whole replay, the same rule would "
        f"also have stopped deals that were won; that costs {forgone}."
    )


def well_called(proof: Proof, wording: LocaleFormat, worked_on: bool = True) -> str:
    """How many stopped deals were lost in any case, and the work on them if it is recorded; no person is ranked."""
    deals, hours = (wording.number(round(proof.good_calls[name])) for name in ("deals", "hours"))
    worked = f"; {hours} more hours were worked on them" if worked_on else ""
    return (
        f"{deals} deals fell below the bar, stayed there and were lost in the end{worked}. Deals that rose above the "
        "bar again, or were won, are not included. Only deals are counted; people are not ranked."
    )


def advised(content: Content) -> str:
    """What happened after the advice of the nightly run."""
    rows, wording = content.advised, content.wording
    if rows.empty:
        return ""
    since = wording.date(rows["since"].min())
    deals, followed = (wording.number(rows[name].sum()) for name in ("deals", "followed"))
    no_work = f"; {followed} had no more work" if content.records_work else ""
    return f"Since {since}, the nightly run has advised stopping {deals} deals{no_work}."


def waited(proof: Proof | None, wording: LocaleFormat) -> str:
    """How the deals ended that the replay first called nurture."""
    rows = proof.drops[proof.drops["verdict"] == "nurture"] if proof and len(proof.drops) else pd.DataFrame()
    if rows.empty:
        return ""
    deals, won = wording.number(int(rows["deals"].iloc[0])), wording.percent(float(rows["won"].iloc[0]))
    return f"In the replay, {won} of the {deals} deals first called nurture were won; in reality, work on them went on."


def questions(content: Content) -> list[str]:
    """What to ask in the first week: first on themes with early signs, then on those that cost the pipeline most."""
    themes = dict.fromkeys([sign.theme for sign in content.signs] + list(content.whole.themes.index))
    return [QUESTIONS[theme] for theme in themes if theme in QUESTIONS]


def capital(text: str) -> str:
    """The text with its first letter in upper case.

    >>> capital("won EUR 5")
    'Won EUR 5'
    """
    return f"{text[:1].upper()}{text[1:]}"


def differing(content: Content) -> str:
    """Groups dropped more or less often than all deals, by more than chance, each with its share."""
    drops, wording = content.whole.drops, content.wording
    if drops.empty:
        return ""
    rows = drops[drops["differs"].astype(bool)].iterrows()
    named = [f"{name.replace('_', ' ')} {group} ({wording.percent(row['shrunk'])})" for (name, group), row in rows]
    return "; ".join(named)
