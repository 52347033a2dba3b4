"""Factors told as sentences a seller understands. No feature name and no log-odds reaches a reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.calls import Model, Rows
from walkaway.explain.attribution import TERMS, Attribution
from walkaway.features import PlannedFeature

__all__ = ["Factor", "factors_of", "reasons_table", "say", "written"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEAST_EFFECT = 0.02  # a factor within 2% of 1 is not a reason
SOLD_AT_A_LOSS = "worth nothing or less if won: sold at a loss"
Reason = tuple[str | None, float]  # a sentence and its factor
_TERM_SENTENCES = {
    "deal size": ("price and profit", "deal size of {value}"),
    "margin rate": ("price and profit", "margin rate of {value}"),
    "floor under hours": ("effort", "least time any deal takes"),
}


@dataclass(frozen=True)
class Factor:
    """One factor of a deal's value per hour: above 1 it lifts it, below 1 it lowers it."""

    theme: str
    feature: str
    factor: float
    sentence: str
    agreed: bool = True

    def __str__(self) -> str:
        return f"{self.sentence}: ×{self.factor:.2f}"


def _days(value: float) -> str:
    if value < 0:
        return f"-{_days(-value)}"
    if value < 1:
        hours = value * 24
        return f"{hours:.0f} hours" if hours >= 1.5 else "about an hour" if hours >= 0.5 else "less than an hour"
    return "1 day" if round(value) == 1 else f"{value:.0f} days"


def written(value: float, unit: str, currency: str, categories: tuple[str, ...] = ()) -> str:
    """A value with its unit, for a reader.

    >>> written(41.2, "days", "EUR"), written(5000.0, "money", "EUR"), written(2.0, "weekday", "")
    ('41 days', 'EUR 5,000', 'Wednesday')
    """
    match unit:
        case "days":
            return _days(value)
        case "days ahead":
            return f"in {_days(value)}" if value >= 0 else f"{_days(-value)} ago"
        case "money":
            return f"{currency} {value:,.0f}".strip()
        case "number":
            return f"{value:,.10g}"
        case "ratio":
            return f"{value:.0%}"
        case "category":
            return _plain(categories[int(value)])
        case "weekday":
            return WEEKDAYS[int(value)]
    return f"{value:.0f}"


def _plain(word: str) -> str:
    """A step as a reader says it: what is done needs no saying."""
    return word.removesuffix(" / done").replace(" / ", ", ")


def say(planned: PlannedFeature, value: float, currency: str) -> str:
    """The sentence of a feature at a value; its sentence for "absent" where the value is missing."""
    declared = planned.declared
    of = _plain(planned.word or "").replace("_", " ")
    if np.isnan(value):
        return declared.absent.format(of=of, value="unknown")
    return declared.sentence.format(of=of, value=written(value, declared.unit, currency, planned.categories))


def _term_factor(name: str, rows: Rows, row: int, model: Model, factor: float) -> Factor:
    theme, sentence = _TERM_SENTENCES[name]
    currency = str(model.facts.get("currency", ""))
    if name == "deal size":
        known = float(rows.terms["amount"].iloc[row])
        missing = f"no amount recorded yet, taken as {written(model.heads.worth.typical_amount, 'money', currency)}"
        text = missing if np.isnan(known) else sentence.format(value=written(known, "money", currency))
    else:
        known = float(rows.terms["margin"].iloc[row]) if name == "margin rate" else np.nan
        text = sentence.format(value="1, since none is recorded" if np.isnan(known) else f"{known:.0%}")
    return Factor(theme, name, factor, text)


def factors_of(model: Model, rows: Rows, attribution: Attribution, row: int) -> list[Factor]:
    """All factors of one row, in the order of the attribution's columns; none where value_if_won <= 0."""
    if not attribution.explained[row]:
        return []
    currency = str(model.facts.get("currency", ""))
    factors = np.exp(attribution.terms[row])
    told = [
        Factor(p.declared.theme, p.column, float(f), say(p, float(x), currency), bool(a))
        for p, f, x, a in zip(model.plan.features, factors, rows.X[row], attribution.agreed[row], strict=False)
    ]
    first = len(model.plan.features)
    return told + [_term_factor(n, rows, row, model, float(factors[first + i])) for i, n in enumerate(TERMS)]


def _strongest(attribution: Attribution, most: int) -> npt.NDArray[np.int64]:
    """Columns of each row's strongest agreed terms, strongest first, (rows, up to most)."""
    reasons = attribution.terms[:, :-1]  # the last, the floor, is arithmetic and no reason
    size = np.nan_to_num(np.where(attribution.agreed[:, :-1], np.abs(reasons), 0.0))
    return np.argsort(-size, axis=1, kind="stable")[:, :most]


def _reasons_of(model: Model, rows: Rows, attribution: Attribution, row: int, columns: npt.NDArray) -> list[Reason]:
    """The reasons of one row among these columns, each a sentence with its factor."""
    if not attribution.explained[row]:
        return [(SOLD_AT_A_LOSS, np.nan)]
    width, currency = len(model.plan.features), str(model.facts.get("currency", ""))
    out: list[Reason] = []
    for column in columns:
        term = attribution.terms[row, column]
        if not attribution.agreed[row, column] or abs(np.expm1(term)) < LEAST_EFFECT:
            continue
        factor = float(np.exp(term))
        if column < width:
            text = say(model.plan.features[column], float(rows.X[row, column]), currency)
        else:
            text = _term_factor(TERMS[column - width], rows, row, model, factor).sentence
        out.append((text, factor))
    return out


def reasons_table(model: Model, rows: Rows, attribution: Attribution, most: int) -> pd.DataFrame:
    """Up to `most` reasons a row, strongest first, only where the bag agrees: reason_1, factor_1, reason_2 ...

    A deal whose value_if_won is zero or negative has one plain reason and no factor.
    """
    order = _strongest(attribution, most)
    told = [_reasons_of(model, rows, attribution, row, order[row]) for row in range(len(rows.X))]
    padded = [reasons + [(None, np.nan)] * (most - len(reasons)) for reasons in told]
    out = {}
    for k in range(most):
        out[f"reason_{k + 1}"] = pd.Series([reasons[k][0] for reasons in padded], dtype="str")
        out[f"factor_{k + 1}"] = pd.Series([reasons[k][1] for reasons in padded], dtype="float64")
    return pd.DataFrame(out)
