"""Reasons: features that say much the same told as one, strongest first, only where the bag agrees, with base rates."""

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
LEAST_OF_LEAD = 1 / 3  # the next feature of a reason is told too if it carries this much of what the first does


@dataclass(frozen=True)
class Reason:
    """One reason of a call.

    features: what is told together, strongest first. factor: of the value per hour, all of them together. deals: how
    many settled deals of the same stage were once so (0: too few to say), by the strongest feature. won: how many of
    those were won. value_per_hour: what an hour on them earned from then on.
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
    """What became of deals that were once so; empty where too few were. Of a price it tells what an hour earned, too.

    >>> base_rate(Reason("need", (), 0.5, "", deals=212, won=9, value_per_hour=31.0), LocaleFormat("en", "EUR"))
    '9 of 212 such deals were won'
    """
    if not reason.deals:
        return ""
    told = f"{wording.number(reason.won)} of {wording.number(reason.deals)} {deals} were won"
    earned = f", at {wording.money(reason.value_per_hour)} an hour" if reason.theme == PRICE else ""
    return told + earned


def joined(said: list[Said]) -> str:
    """Sentences as one: a subject they share is said once, and what is no news is left out.

    >>> joined([Said("once so far", "call"), Said("3 days ago", "call")])
    'call: once so far, 3 days ago'
    >>> joined([Said("not yet", "offer sent"), Said("not yet", "offer made")])
    'offer sent: not yet'
    """
    first, *rest = said
    told = [str(first)]
    for one in rest:
        if one.subject and one.subject == first.subject:
            told.append(one.predicate)
        elif not one.subject or not first.subject or one.predicate != first.predicate:
            told.append(str(one))
    return ", ".join(told)


class Reasons:
    """The reasons of calls.

    Args:
        model: that made them.
        rows: snapshots they rest on.
        attribution: of these rows.
        wording: of the reader.
    """

    def __init__(self, model: Model, rows: Rows, attribution: Attribution, wording: LocaleFormat) -> None:
        self.model, self.rows, self.attribution, self.wording = model, rows, attribution, wording
        self._became: dict[int, PastOutcomes] = {}

    @cached_property
    def order(self) -> IntArray:
        """Positions of each row's groups, the strongest on which the bag agrees first, (rows, groups)."""
        told = [self.attribution.columns[group[0]] != FLOOR for group in self.attribution.groups]
        size = np.abs(self._group_terms) * (self.attribution.agreed & np.array(told))
        return np.argsort(-np.nan_to_num(size), axis=1, kind="stable")

    @cached_property
    def _group_terms(self) -> npt.NDArray[np.float64]:
        return self.attribution.group_terms()

    @cached_property
    def _losses(self) -> dict[int, float]:
        """What each row that no factors explain would be worth if won: 0 or less."""
        at = np.flatnonzero(~self.attribution.explained)
        worth = self.model.heads.worth.value(self.rows.X[at], self.rows.terms.iloc[at])
        return dict(zip(at.tolist(), worth.tolist(), strict=True))

    def of(self, row: int, most: int) -> list[Reason]:
        """Up to `most` reasons of a row, strongest first; one plain sentence where value_if_won <= 0."""
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
        said = [self._say(row, column) for column in self._told(columns, along)]
        deals, won, rate = (float(told[row]) for told in self._became_of(columns[0]))
        names = tuple(self.attribution.columns[column] for column in columns)
        return Reason(self._theme(columns[0]), names, float(np.exp(total)), joined(said), int(deals), int(won), rate)

    def _told(self, columns: IntArray, along: npt.NDArray[np.float64]) -> IntArray:
        """What a reason says of a group: its strongest feature, and the next of another kind if that carries enough."""
        enough = along >= max(LEAST_OF_LEAD * along[0], np.log1p(LEAST_EFFECT))
        kinds = np.array([self.attribution.columns[column].partition("[")[0] for column in columns])
        told: IntArray = np.r_[columns[:1], columns[enough & (kinds != kinds[0])][:1]]
        return told

    def _became_of(self, column: int) -> PastOutcomes:
        """What became of deals once like each row by that column; asked for once."""
        if column not in self._became:
            rates = self.model.past_deals.rates
            known = column < self.rows.X.shape[1]
            values = self.rows.X[:, column] if known else np.full(len(self.rows.X), np.nan)
            self._became[column] = rates.of(self.attribution.columns[column], values, self.rows.terms["stage_name"])
        return self._became[column]

    def typical(self, row: int) -> Reason:
        """What became of all settled deals once in the stage of a row's deal: what its base rates are held against."""
        rates = self.model.past_deals.rates
        deals, won, rate = (float(told[0]) for told in rates.of_all(self.rows.terms["stage_name"].iloc[[row]]))
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
    """Up to `most` reasons a row, strongest first: reason_1, factor_1, base_rate_1, reason_2 ...

    A deal whose value_if_won is zero or negative has one plain reason and no factor.
    """
    told = [reasons.of(row, most) for row in range(len(reasons.rows.X))]
    padded = [[*found, *[None] * (most - len(found))] for found in told]
    out = {}
    for k in range(most):
        at = [found[k] for found in padded]
        rates = [base_rate(one, reasons.wording) or None if one else None for one in at]
        out[f"reason_{k + 1}"] = pd.Series([one.sentence if one else None for one in at], dtype="str")
        out[f"factor_{k + 1}"] = pd.Series([one.factor if one else np.nan for one in at], dtype="float64")
        out[f"base_rate_{k + 1}"] = pd.Series(rates, dtype="str")
    return pd.DataFrame(out)
