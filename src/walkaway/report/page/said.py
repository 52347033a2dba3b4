"""Sentences of the page: what its figures and tables say, in words a leader repeats."""

from __future__ import annotations

from typing import Any

import pandas as pd

from walkaway.report.page.content import Content
from walkaway.report.page.proof import Proof
from walkaway.wording import Wording

__all__ = [
    "NO_CURVE",
    "NO_PROOF",
    "WORDS",
    "advised",
    "bar",
    "differing",
    "past",
    "plan",
    "price",
    "proved",
    "questions",
    "sure",
    "value",
    "waited",
    "well_called",
    "why",
    "without_columns",
]

NO_PROOF = (
    "No replay is named, so nothing here is proved on your own past. Run walkaway replay, and name its folder with "
    "--replay or score.replay."
)
NO_CURVE = "The model has no curve: too few settled deals to try a bar on. The bar was set by hand."
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
    ("an hour is worth", "the chance to win, times the value if won, over the hours still to spend"),
    ("walk away", "stop work on the deal: an hour on it is worth less than the bar"),
    ("nurture", "no hours now: below the bar, but a sign of the buyer would change that; without it, walk away"),
    ("unsure", "the models disagree about the bar; a person decides, and until then it is kept"),
    ("pursue", "an hour on it is worth the bar or more"),
    ("at risk", "what the deals let go were still expected to bring"),
    ("forgone", "won value of deals that a bar would have let go"),
    ("saved", "hours that were worked on deals after a bar would have let them go"),
    ("replay", "the past run again: every deal called by models that knew only what was known then, settled later"),
)


def _dial(dial: dict[str, Any], told: Wording) -> str:
    """What set the bar."""
    if dial.get("bar") is not None:
        return "set by hand"
    if dial.get("capacity") is not None:
        return f"as low as it can be while the team needs no more than {told.number(dial['capacity'])} hours a week"
    share = told.percent(dial["forgo"])
    if dial.get("guarantee"):
        return f"as high as it can be with the promise, at 90% confidence, to forgo no more than {share} of value"
    return f"as high as it can be while no more than {share} of the value won is expected to be forgone"


def bar(content: Content) -> str:
    """Where the bar stands, what set it, and what it means."""
    answer, told = content.answer, content.wording
    where = f"The bar is {told.money(answer.bar)} an hour, {_dial(answer.dial, told)}."
    return f"{where} An hour on a deal that is worth less is better spent on another."


def value(content: Content) -> str:
    """What value means on this page."""
    known = content.answer.margin_known
    if known == 0:
        return "Value is a deal's whole amount: no margin is recorded, so what is left of it as profit is not known."
    if known == 1:
        return "Value is a deal's amount times its margin."
    share = content.wording.percent(known)
    return f"Value is a deal's amount times its margin; {share} of open deals have one, of the others all counts."


def why(content: Content) -> str:
    """What the deals let go lack, held against the deals above the bar."""
    told, usual = content.wording, content.typical
    against = (
        f"{told.percent(usual['win_probability'])} to win, {told.money(usual['value_if_won'])} if won, "
        f"{told.hours(usual['remaining_hours'])} still to spend"
    )
    legs = ", ".join(f"{told.number(row['deals'])} are {row['leg']}" for _, row in content.legs.iterrows())
    return f"Held against the typical deal above the bar ({against}), {legs}." if legs else ""


def past(content: Content) -> str:
    """What is expected of this bar over whole deals."""
    answer, told = content.answer, content.wording
    how = "an estimate" if answer.estimated else "settled"
    saved, forgone = told.percent(answer.saved, 1), told.percent(answer.forgone, 1)
    return f"it saves {saved} of all hours and forgoes {forgone} of all value won ({how})"


def _track_record(proof: Proof, told: Wording) -> str:
    """What following the verdicts would have done, with 90% intervals, beside what had been expected of it."""

    def share(name: str) -> str:
        part = proof.followed.get(name, float("nan"))
        return told.percent(part, 1) if part == part else "unknown"

    def with_interval(name: str) -> str:
        low, high = (share(f"{name}_{end}") for end in ("low", "high"))
        return share(name) if "unknown" in (low, high) else f"{share(name)} ({low} to {high})"

    period = f"{told.date(pd.Timestamp(proof.begin))} to {told.date(pd.Timestamp(proof.end))}"
    earned = [proof.followed.get(f"value_per_hour_{name}", float("nan")) for name in ("kept", "dropped")]
    kept, dropped = (told.money(rate) if rate == rate else "nothing known" for rate in earned)
    return (
        f"Tried on your own past, {period}: calls like these would have saved {with_interval('hours_saved')} of the "
        f"hours and forgone {with_interval('value_forgone')} of the value won (in brackets: 90% intervals). Expected "
        f"had been {share('expected_hours_saved')} and {share('expected_value_forgone')}. An hour on the deals kept "
        f"earned {kept}, on those let go {dropped}. {share('turned_back')} of these came back above the bar."
    )


def sure(content: Content) -> list[tuple[str, str]]:
    """How sure the answer is: what was achieved, what is expected, and what speaks against acting on it; (kind, text).

    Kinds: act (something to do first), watch, told.
    """
    answer, told = content.answer, content.wording
    found = content.findings.findings if content.findings else ()
    warned = [(level, [one.sentence for one in found if one.level == level]) for level in ("act", "watch")]
    rows = [(level, " ".join(map(without_columns, sentences))) for level, sentences in warned if sentences]
    rows.append(("told", _track_record(content.proof, told) if content.proof else NO_PROOF))
    if len(content.curve):
        learned = told.date(pd.Timestamp(answer.known_until)) if answer.known_until else "an unknown day"
        freed = told.number(round(answer.hours_freed))
        share = told.percent(answer.hours_freed / answer.hours) if answer.hours else told.percent(0.0)
        rows.append(
            (
                "told",
                f"Expected of this bar over whole deals, by model {answer.model_version}, which learned until "
                f"{learned}: {past(content)}. The {freed} hours above are {share} of those that the "
                "deals open now still take.",
            )
        )
    twice = sum(story.look_twice for story in content.stories)
    if twice:
        rows.append(
            (
                "told",
                f"{told.number(twice)} of the deals let go are in doubt, because deals like them earned more than the "
                "bar: look twice at these, which are marked.",
            )
        )
    if answer.day_old:
        rows.append(
            (
                "told",
                f"{told.number(answer.day_old)} of the deals let go are not a day old: little is known of them yet.",
            )
        )
    rows.append(("told", f"{told.percent(answer.assumed_hours_share)} of the hours are assumed rather than recorded."))
    return rows


def plan(content: Content) -> str:
    """How many of the freed hours the plan places, and what they are worth there, beside what is at risk."""
    told, moved, answer = content.wording, content.moved, content.answer
    if content.plan.empty:
        return "No hours are freed, or no deal above the bar needs any."
    placed, freed = float(moved["hours_placed"].sum()), float(moved["hours_freed"].sum())
    hours = f"{told.number(round(placed))} of the {told.number(round(freed))} freed hours"
    worth, risk = told.money(float(moved["worth"].sum())), told.money(answer.value_at_risk)
    rest = round(freed - placed)
    left = f" The other {told.number(rest)} are free for finding new deals." if rest else ""
    return (
        f"{hours} go to the deals above the bar where an hour is worth most: {worth} there, against {risk} at risk. It "
        f"is a gain only where these deals would otherwise wait for hours.{left}"
    )


def proved(proof: Proof, told: Wording) -> str:
    """Realised beside expected, had the verdicts been followed."""
    return f"{_track_record(proof, told)} Models knew no more than was known at each call."


def price(proof: Proof, told: Wording) -> str:
    """What the rule of the last cheap exit costs; no hours are told without it."""
    forgone = told.money(float(proof.drops["value_forgone"].sum()) if len(proof.drops) else 0.0)
    return (
        "Nobody knows at the time that a deal is below the bar for good. The same rule would have let go of deals that "
        f"were won, worth {forgone} over the whole replay: that is its price."
    )


def well_called(proof: Proof, told: Wording) -> str:
    """Deals let go that died anyway; nobody is ranked."""
    deals, hours = (told.number(round(proof.good_calls[name])) for name in ("deals", "hours"))
    return (
        f"{deals} deals that the verdicts would have let go for good were lost in the end; {hours} hours were worked "
        "on them after that. Deals are counted, nobody is ranked."
    )


def advised(content: Content) -> str:
    """What became of the nightly batch's own advice."""
    rows, told = content.advised, content.wording
    if rows.empty:
        return ""
    since = told.date(rows["since"].min())
    deals, followed = (told.number(rows[name].sum()) for name in ("deals", "followed"))
    return f"Since {since} the nightly run advised to let go of {deals} deals; on {followed} nobody worked any more."


def waited(proof: Proof | None, told: Wording) -> str:
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


def without_columns(sentence: str) -> str:
    """A finding without the names of columns, which say nothing to a reader.

    >>> without_columns("5 of 82 columns look otherwise: touches_in[1] (median 0, now 4). Train again.")
    '5 of 82 signs look otherwise.'
    >>> without_columns("Scores are spread as in training (remaining_hours, value_per_hour).")
    'Scores are spread as in training (remaining hours, value per hour).'
    """
    told = f"{sentence.partition(':')[0].rstrip('.')}." if "[" in sentence else sentence.replace("_", " ")
    return told.replace(" columns ", " signs ")


def differing(content: Content) -> str:
    """Groups dropped more or less often than all beyond chance, each with its share."""
    drops, told = content.whole.drops, content.wording
    if drops.empty:
        return ""
    rows = drops[drops["differs"].astype(bool)].iterrows()
    named = [f"{name.replace('_', ' ')} {group} ({told.percent(row['shrunk'])})" for (name, group), row in rows]
    return "; ".join(named)
