"""Sentences of the page: what its figures and tables say, in words a leader repeats."""

from __future__ import annotations

from walkaway.report.page.content import Content
from walkaway.report.page.proof import Proof
from walkaway.wording import Wording

__all__ = [
    "NO_CURVE",
    "NO_PROOF",
    "differing",
    "past",
    "plan",
    "price",
    "proved",
    "questions",
    "well_called",
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


def past(content: Content) -> str:
    """What this bar would have saved and forgone."""
    answer, told = content.answer, content.wording
    saved, forgone = told.percent(answer.saved), told.percent(answer.forgone)
    would = f"{saved} of hours would have been saved and {forgone} of the value won forgone"
    return f"Each point is a bar. At {told.money(answer.bar)} an hour {would}."


def plan(content: Content) -> str:
    """How many of the freed hours the plan places, and what they are worth there."""
    told, moved = content.wording, content.moved
    if content.plan.empty:
        return "No hours are freed, or no deal above the bar needs any."
    placed, freed = float(moved["hours_placed"].sum()), float(moved["hours_freed"].sum())
    hours = f"{told.number(round(placed))} of the {told.number(round(freed))} freed hours"
    worth = f"worth {told.money(float(moved['worth'].sum()))}"
    rest = round(freed - placed)
    left = f" The other {told.number(rest)} are free for finding new deals." if rest else ""
    return f"{hours} bring forward deals above the bar, {worth}; own deals first, then the team's.{left}"


def proved(proof: Proof, told: Wording) -> str:
    """Realised beside expected, had the verdicts been followed."""
    share = {name: told.percent(value) if value == value else "unknown" for name, value in proof.followed.items()}
    saved = f"{share['hours_saved']} of hours would have been saved (expected: {share['expected_hours_saved']})"
    forgone = f"{share['value_forgone']} of value forgone (expected: {share['expected_value_forgone']})"
    period = f"From {proof.begin} to {proof.end}"
    called = f"{period} every open deal was called by models that knew no more than was known then."
    back = f"{share['turned_back']} of the deals dropped were called worth their hours again later."
    return f"{called} Had the verdicts been followed, {saved} and {forgone}. {back}"


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


def questions(content: Content) -> list[str]:
    """What to ask in the first week: of the themes whose signs told, then of those that cost the pipeline most."""
    themes = dict.fromkeys([sign.theme for sign in content.signs] + list(content.whole.themes.index))
    return [QUESTIONS[theme] for theme in themes if theme in QUESTIONS]


def without_columns(sentence: str) -> str:
    """A finding without the names of columns, which say nothing to a reader.

    >>> without_columns("5 of 82 columns look otherwise: touches_in[1] (median 0, now 4). Train again.")
    '5 of 82 columns look otherwise.'
    >>> without_columns("Scores are spread as in training (remaining_hours, value_per_hour).")
    'Scores are spread as in training (remaining hours, value per hour).'
    """
    return f"{sentence.partition(':')[0].rstrip('.')}." if "[" in sentence else sentence.replace("_", " ")


def differing(content: Content) -> str:
    """Groups dropped more or less often than all beyond chance, each with its share."""
    drops, told = content.whole.drops, content.wording
    if drops.empty:
        return ""
    rows = drops[drops["differs"].astype(bool)].iterrows()
    named = [f"{name.replace('_', ' ')} {group} ({told.percent(row['shrunk'])})" for (name, group), row in rows]
    return "; ".join(named)
