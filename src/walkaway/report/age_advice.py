"""Where age alone ranks deals as well as the model: the rule it amounts to, and the chance of deals by age."""

from __future__ import annotations

from walkaway.evaluation import YOUNGEST, AgeChance, age_rule
from walkaway.formatting import LocaleFormat
from walkaway.models import Facts

__all__ = ["AGE_HEADERS", "AGE_TITLE", "age_rows", "age_sentences"]

AGE_TITLE = "Deals that had time to end, by age"
AGE_HEADERS = ("still open after", "deals", "won later", "share won later", "share of all wins")


def _chances(facts: Facts) -> list[AgeChance]:
    return [AgeChance(*row) for row in facts.chance_by_age]


def age_sentences(facts: Facts, fmt: LocaleFormat) -> list[str]:
    """That age alone ranks as well, and the rule that any team can adopt; none where the model ranks better.

    Where age ranks better beyond noise, `Facts.beaten_by` says so, and only the rule is added.

    >>> facts = Facts(chance_by_age=((0, 1000, 40), (30, 500, 4)))
    >>> for sentence in age_sentences(facts, LocaleFormat()): print(sentence)
    Age alone ranks deals as well as this model: the youngest first.
    A rule that needs no model: stop work on deals older than 30 days. 0.8% of them are won (4 of 500), of all deals
    4.0%. These are 10% of all wins.
    """
    chances = _chances(facts)
    if not chances:
        return []
    worse = any(found["measure"] == "walk-away skill" and found["by"] == YOUNGEST for found in facts.beaten_by)
    sentences = [] if worse else ["Age alone ranks deals as well as this model: the youngest first."]
    if rule := age_rule(chances):
        share, of_all = fmt.percent(rule.chance, 1), fmt.percent(chances[0].chance, 1)
        counts = f"{fmt.whole(rule.won)} of {fmt.whole(rule.open)}"
        wins = fmt.percent(rule.won / chances[0].won)
        sentences.append(
            f"A rule that needs no model: stop work on deals older than {fmt.days(rule.age_days)}. {share} of them are "
            f"won ({counts}), of all deals {of_all}. These are {wins} of all wins."
        )
    return sentences


def age_rows(facts: Facts, fmt: LocaleFormat) -> list[tuple[str, ...]]:
    """The table under AGE_HEADERS; empty where the model ranks better than age.

    >>> age_rows(Facts(chance_by_age=((0, 1000, 40), (30, 500, 4))), LocaleFormat())[1]
    ('30 days', '500', '4', '0.8%', '10%')
    """
    chances = _chances(facts)
    return [
        (
            fmt.days(row.age_days) if row.age_days else "all",
            fmt.whole(row.open),
            fmt.whole(row.won),
            fmt.percent(row.chance, 1),
            fmt.percent(row.won / chances[0].won if chances[0].won else 0.0),
        )
        for row in chances
    ]
