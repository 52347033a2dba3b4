"""Factors as sentences for sellers, without feature names or log-odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from walkaway.explaining.attribution import ASSUMED, MARGIN, SIZE, Attribution
from walkaway.features import PlannedFeature
from walkaway.formatting import LocaleFormat, plain_activity, plain_step
from walkaway.models import Model, Rows

__all__ = ["Factor", "Said", "factors_of", "said_of", "say", "say_term", "sold_at_a_loss"]

DIRECTIONS = {"inbound": "from the buyer", "outbound": "to the buyer", "internal": "on our own side"}
THEMES = {SIZE: "price and profit", MARGIN: "price and profit"}


@dataclass(frozen=True)
class Factor:
    """One factor of a deal's value per hour: above 1 it raises the value, below 1 it lowers it.

    `agreed` says whether the ensemble's members agree on the group of features that this one belongs to.
    """

    theme: str
    feature: str
    factor: float
    sentence: str
    agreed: bool = True

    def __str__(self) -> str:
        return f"{self.sentence}: ×{self.factor:.2f}"


@dataclass(frozen=True)
class Said:
    """A sentence about a feature, split into predicate and subject; the subject may be empty."""

    predicate: str
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.predicate}" if self.subject else self.predicate


def said_of(planned: PlannedFeature, value: float, wording: LocaleFormat) -> Said:
    """The sentence of a feature at a value, split into subject and predicate.

    >>> said_of(PlannedFeature(feature="step_count", word="offer sent / done"), 2.0, LocaleFormat())
    Said(predicate='twice so far', subject='offer sent')
    """
    declared = planned.declared
    missing = np.isnan(value)
    template = declared.absent if missing else declared.none if value == 0 else declared.sentence
    amount = "unknown" if missing else _value(planned, value, wording)
    *subject, predicate = (part.format(of=_about(planned), value=amount) for part in template.split(": ", 1))
    return Said(predicate, *subject)


def _about(planned: PlannedFeature) -> str:
    """What a feature repeated over a vocabulary is about, in words."""
    word = planned.word or ""
    if planned.declared.per == "direction" and word in DIRECTIONS:
        return DIRECTIONS[word]
    return plain_activity(word) if planned.declared.per in ("step", "kind") else plain_step(word)


def _value(planned: PlannedFeature, value: float, wording: LocaleFormat) -> str:
    """A feature's value in words."""
    if planned.declared.categories_from == "step":
        return plain_activity(planned.categories[int(value)])
    return wording.value(value, planned.declared.unit, planned.categories)


def say(planned: PlannedFeature, value: float, wording: LocaleFormat) -> str:
    """The sentence of a feature at a value. Missing values and 0 have their own sentences if the feature declares them.

    >>> touched = PlannedFeature(feature="days_since_touch_by", word="inbound")
    >>> say(touched, 41.0, LocaleFormat()), say(touched, float("nan"), LocaleFormat())
    ('nothing from the buyer for 41 days', 'nothing from the buyer yet')
    """
    return str(said_of(planned, value, wording))


def say_term(name: str, rows: Rows, row: int, model: Model, wording: LocaleFormat) -> str:
    """The sentence of an arithmetic factor: deal size, margin rate, assumed hours, or the floor under hours."""
    if name == SIZE:
        known = float(rows.terms["amount"].iloc[row])
        missing = f"no amount recorded yet, assumed to be {wording.money(model.heads.worth.typical_amount)}"
        return missing if np.isnan(known) else f"deal size of {wording.money(known)}"
    if name == MARGIN:
        rate = float(rows.terms["margin"].iloc[row])
        none = "no margin recorded, so the whole amount counts"
        return none if np.isnan(rate) else f"margin rate of {wording.percent(rate)}"
    if name == ASSUMED:
        return f"assumed to take {wording.hours(float(rows.terms['assumed_hours'].iloc[row]))}"
    return "minimum time that any deal takes"


def sold_at_a_loss(rows: Rows, row: int, value_if_won: float, wording: LocaleFormat) -> str:
    """Why a deal is worth no hours even if it is likely to be won: a single sentence without factors."""
    amount, margin = (float(rows.terms[name].iloc[row]) for name in ("amount", "margin"))
    size = "no amount recorded yet" if np.isnan(amount) else f"amount of {wording.money(amount)}"
    rate = "" if np.isnan(margin) else f", margin of {wording.percent(margin)}"
    return f"sold at a loss, worth {wording.money(value_if_won)} even if won: {size}{rate}"


def factors_of(model: Model, rows: Rows, attribution: Attribution, row: int, wording: LocaleFormat) -> list[Factor]:
    """All factors of one row, in the order of the attribution's columns; empty if value_if_won <= 0."""
    if not attribution.explained[row]:
        return []
    factors = np.exp(attribution.terms[row])
    agreed = np.ones(len(attribution.columns), dtype=bool)
    for group, group_agreed in zip(attribution.groups, attribution.agreed[row], strict=True):
        agreed[list(group)] = group_agreed
    out = [
        Factor(p.declared.theme, p.column, float(f), say(p, float(x), wording), bool(a))
        for p, f, x, a in zip(model.plan.features, factors, rows.X[row], agreed, strict=False)
    ]
    first = len(model.plan.features)
    for i, name in enumerate(attribution.columns[first:], start=first):
        out.append(
            Factor(THEMES.get(name, "effort"), name, float(factors[i]), say_term(name, rows, row, model, wording))
        )
    return out
