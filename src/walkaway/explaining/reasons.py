"""Reasons: similar features combined, strongest first, only if the ensemble's members agree, each with a base rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.explaining.attribution import FLOOR, Attribution
from walkaway.explaining.sentences import THEMES, Said, said_of, say_term, sold_at_a_loss
from walkaway.formatting import LocaleFormat
from walkaway.models import (
    Model,
    PastOutcomes,
    Rows,
)

__all__ = ["Reason", "Reasons", "base_rate", "reasons_table"]

IntArray = npt.NDArray[np.int64]
TYPICAL = "a typical open deal"
LEAST_EFFECT = 0.02  # a factor within 2% of 1 is not a reason
PRICE = "price and profit"
LEAST_OF_LEAD = 1 / 3  # the second feature of a reason is named too if its effect is at least this share of the first's


@dataclass(frozen=True)
class Reason:
    """One reason for a call.

    features: the features combined in it, strongest first. factor: their joint factor of the value per hour. deals: how
    many settled deals of the same stage once had the same value of the strongest feature (0: too few to say). won: how
    many of those were won. value_per_hour: what those deals earned per hour from then on.
    """

    theme: str
    features: tuple[str, ...]
    factor: float
    sentence: str
    deals: int = 0
    won: int = 0
    value_per_hour: float = 0.0

    def __str__(self) -> str:
        return f"{self.sentence}: ×{self.factor:.2f}"


def base_rate(reason: Reason, wording: LocaleFormat, deals: str = "such deals") -> str:
    """How deals with the same sign ended; empty if there were too few. For price, also what they earned.

    >>> base_rate(Reason("need", (), 0.5, "", deals=212, won=9, value_per_hour=31.0), LocaleFormat("en", "EUR"))
    '9 of 212 such deals were won'
    """
    if not reason.deals:
        return ""
    counts = f"{wording.number(reason.won)} of {wording.number(reason.deals)} {deals} were won"
    if reason.theme != PRICE or wording.counts_wins:
        return counts
    earned = wording.money(reason.value_per_hour)
    return f"{counts}; they {f'earned {earned} an hour' if wording.by_hour else f'brought {earned} each'}"


def joined(parts: list[Said]) -> str:
    """Sentences joined into one. A shared subject is named once, and a repeated predicate is left out.

    >>> joined([Said("once so far", "call"), Said("3 days ago", "call")])
    'call: once so far, 3 days ago'
    >>> joined([Said("not yet", "offer sent"), Said("not yet", "offer made")])
    'offer sent: not yet'
    """
    first, *rest = parts
    texts = [str(first)]
    for part in rest:
        if part.subject and part.subject == first.subject:
            texts.append(part.predicate)
        elif not part.subject or not first.subject or part.predicate != first.predicate:
            texts.append(str(part))
    return ", ".join(texts)


class Reasons:
    """The reasons for calls.

    Args:
        model: the model that made the calls.
        rows: the snapshots of the calls.
        attribution: the attribution of these rows.
        wording: how the reader writes numbers and money.
    """

    def __init__(self, model: Model, rows: Rows, attribution: Attribution, wording: LocaleFormat) -> None:
        self.model, self.rows, self.attribution, self.wording = model, rows, attribution, wording
        self._outcomes: dict[int, PastOutcomes] = {}

    @cached_property
    def order(self) -> IntArray:
        """Positions of each row's groups, the strongest agreed one first, (rows, groups)."""
        not_floor = [self.attribution.columns[group[0]] != FLOOR for group in self.attribution.groups]
        size = np.abs(self._group_terms) * (self.attribution.agreed & np.array(not_floor))
        return np.argsort(-np.nan_to_num(size), axis=1, kind="stable")

    @cached_property
    def _group_terms(self) -> npt.NDArray[np.float64]:
        return self.attribution.group_terms()

    @cached_property
    def _losses(self) -> dict[int, float]:
        """The value if won of each row that factors cannot explain; it is 0 or less."""
        at = np.flatnonzero(~self.attribution.explained)
        worth = self.model.heads.worth.value(self.rows.X[at], self.rows.terms.iloc[at])
        return dict(zip(at.tolist(), worth.tolist(), strict=True))

    def of(self, row: int, most: int) -> list[Reason]:
        """Up to `most` reasons of a row, strongest first; a single sentence if value_if_won <= 0."""
        if not self.attribution.explained[row]:
            return [Reason(PRICE, (), np.nan, sold_at_a_loss(self.rows, row, self._losses[row], self.wording))]
        out = []
        for group in self.order[row, :most]:
            if not self.attribution.agreed[row, group] or abs(np.expm1(self._group_terms[row, group])) < LEAST_EFFECT:
                continue
            if self.attribution.columns[self.attribution.groups[group][0]] != FLOOR:
                out.append(self._reason(row, int(group)))
        return out

    def _reason(self, row: int, group: int) -> Reason:
        total = float(self._group_terms[row, group])
        columns = np.array(self.attribution.groups[group])
        along = self.attribution.terms[row, columns] * np.sign(total)
        order = np.argsort(-along, kind="stable")
        columns, along = columns[order], along[order]
        parts = [self._say(row, column) for column in self._named(columns, along)]
        deals, won, rate = (float(values[row]) for values in self._outcomes_of(columns[0]))
        names = tuple(self.attribution.columns[column] for column in columns)
        return Reason(self._theme(columns[0]), names, float(np.exp(total)), joined(parts), int(deals), int(won), rate)

    def _named(self, columns: IntArray, along: npt.NDArray[np.float64]) -> IntArray:
        """The features of a group to name: the strongest, and the next of another kind if it has enough effect."""
        enough = along >= max(LEAST_OF_LEAD * along[0], np.log1p(LEAST_EFFECT))
        kinds = np.array([self.attribution.columns[column].partition("[")[0] for column in columns])
        named: IntArray = np.r_[columns[:1], columns[enough & (kinds != kinds[0])][:1]]
        return named

    def _outcomes_of(self, column: int) -> PastOutcomes:
        """How deals with the same value of that column as each row ended; computed once per column."""
        if column not in self._outcomes:
            rates = self.model.past_deals.rates
            known = column < self.rows.X.shape[1]
            values = self.rows.X[:, column] if known else np.full(len(self.rows.X), np.nan)
            self._outcomes[column] = rates.of(self.attribution.columns[column], values, self.rows.terms["stage_name"])
        return self._outcomes[column]

    def typical(self, row: int) -> Reason:
        """How all settled deals once at the row's stage ended, to compare the base rates of its reasons with."""
        rates = self.model.past_deals.rates
        deals, won, rate = (float(values[0]) for values in rates.of_all(self.rows.terms["stage_name"].iloc[[row]]))
        return Reason("", (), 1.0, TYPICAL, int(deals), int(won), rate)

    def _theme(self, column: int) -> str:
        features = self.model.plan.features
        if column < len(features):
            return features[column].declared.theme
        return THEMES.get(self.attribution.columns[column], "effort")

    def _say(self, row: int, column: int) -> Said:
        features = self.model.plan.features
        if column < len(features):
            return said_of(features[column], float(self.rows.X[row, column]), self.wording)
        return Said(say_term(self.attribution.columns[column], self.rows, row, self.model, self.wording))


def reasons_table(reasons: Reasons, most: int) -> pd.DataFrame:
    """Up to `most` reasons per row, strongest first: reason_1, factor_1, base_rate_1, reason_2 ...

    A deal whose value_if_won is zero or negative has a single reason and no factor.
    """
    by_row = [reasons.of(row, most) for row in range(len(reasons.rows.X))]
    padded = [[*of_row, *[None] * (most - len(of_row))] for of_row in by_row]
    out = {}
    for k in range(most):
        kth = [of_row[k] for of_row in padded]
        rates = [base_rate(reason, reasons.wording) or None if reason else None for reason in kth]
        out[f"reason_{k + 1}"] = pd.Series([reason.sentence if reason else None for reason in kth], dtype="str")
        out[f"factor_{k + 1}"] = pd.Series([reason.factor if reason else np.nan for reason in kth], dtype="float64")
        out[f"base_rate_{k + 1}"] = pd.Series(rates, dtype="str")
    return pd.DataFrame(out)
