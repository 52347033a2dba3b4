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
    if abs(value) < 1:
        hours = value * 24
        return f"{hours:.0f} hours" if abs(hours) >= 1.5 else "about an hour" if hours >= 0.5 else "less than an hour"
    return "1 day" if round(value) == 1 else f"{value:.0f} days"


def written(value: float, unit: str, currency: str, categories: tuple[str, ...] = ()) -> str:
    """A value with its unit, for a reader.

    >>> written(41.2, "days", "EUR"), written(5000.0, "money", "EUR"), written(2.0, "weekday", "")
    ('41 days', 'EUR 5,000', 'Wednesday')
    """
    match unit:
        case "days":
            return _days(value)
        case "minutes":
            return f"{value:.0f} minutes" if value >= 9.5 else f"{value:.1f} minutes"
        case "money":
            return f"{currency} {value:,.0f}".strip()
        case "ratio":
            return f"{value:.0%}"
        case "category":
            return categories[int(value)].removesuffix(" / done").replace(" / ", ", ")
        case "hour of day":
            return f"{value:02.0f}:00 UTC"
        case "weekday":
            return WEEKDAYS[int(value)]
    return f"{value:.0f}"


def say(planned: PlannedFeature, value: float, currency: str) -> str:
    """The sentence of a feature at a value; its sentence for "absent" where the value is missing."""
    declared = planned.declared
    of = (planned.word or "").removesuffix(" / done").replace(" / ", ", ")
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
    """Columns of each row's strongest agreed terms, strongest first, (rows, most)."""
    floor_column = len(attribution.columns) - 1  # the floor is arithmetic, not a reason
    size = np.where(attribution.agreed, np.abs(attribution.terms), 0.0)
    size[:, floor_column] = 0.0
    size = np.nan_to_num(size)
    return np.argsort(-size, axis=1, kind="stable")[:, :most]


def reasons_table(model: Model, rows: Rows, attribution: Attribution, most: int) -> pd.DataFrame:
    """Up to `most` reasons a row, strongest first, only where the bag agrees: reason_1 ... with factor_1 ...

    A deal whose value_if_won is zero or negative has one plain reason and no factor.
    """
    order = _strongest(attribution, most)
    width = len(model.plan.features)
    currency = str(model.facts.get("currency", ""))
    out: dict[str, list[object]] = {}
    for k in range(most):
        out[f"reason_{k + 1}"], out[f"factor_{k + 1}"] = [], []
    for row in range(len(rows.X)):
        for k, column in enumerate(order[row]):
            term = attribution.terms[row, column]
            text, factor = None, np.nan
            if not attribution.explained[row]:
                text = "worth nothing or less if won: sold at a loss" if k == 0 else None
            elif attribution.agreed[row, column] and abs(np.expm1(term)) >= LEAST_EFFECT:
                factor = float(np.exp(term))
                if column < width:
                    text = say(model.plan.features[column], float(rows.X[row, column]), currency)
                else:
                    text = _term_factor(TERMS[column - width], rows, row, model, factor).sentence
            out[f"reason_{k + 1}"].append(text)
            out[f"factor_{k + 1}"].append(factor)
    return pd.DataFrame(out).astype({f"reason_{k + 1}": "str" for k in range(most)})
