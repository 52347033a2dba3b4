"""Qualify early: which signs of a deal's first week told, in settled deals, the fruitful from the hopeless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import History, known
from walkaway.asof.labels import label
from walkaway.book import Book
from walkaway.explaining.sentences import say
from walkaway.features import PlannedFeature
from walkaway.formatting import LocaleFormat
from walkaway.models import Model, Rows, learn_base_rates, read_rows

__all__ = ["EarlySign", "early_signs"]

FIRST_DAYS = 7.0
LEAST_DEALS_A_SIGN = 30  # settled deals that showed it: a rate further from all others than chance needs some
BEYOND_CHANCE = 3.0  # standard errors from the rate of all: many cells are looked at
MOST_SHARE, MUCH_THE_SAME = 0.9, 0.7  # of the deals
TIME = ("timing", "effort")  # themes that only say how old a deal is at a fixed age, or what we did


@dataclass(frozen=True)
class EarlySign:
    """One sign at the end of a deal's first week.

    deals: settled deals that showed it. won: how many were won. hours_lost: booked from then on those that were lost:
    what letting them go at once would have saved. rate: share won, all: that of all deals then open. ours: it tells
    what we did or left undone, which may follow from how the deal looked rather than foretell how it ends.
    """

    theme: str
    sentence: str
    deals: int
    won: int
    hours_lost: float
    rate: float
    all: float
    ours: bool


def _week_old(book: Book, until: pd.Timestamp) -> pd.DataFrame:
    """Deals settled by a moment that were open at the end of their first week: deal_id, as_of."""
    deals = book.deals[book.deals["outcome"].notna() & (book.deals["closed_at"] <= until)]
    as_of = deals["created_at"] + pd.Timedelta(days=FIRST_DAYS)
    there = as_of < deals["closed_at"]
    rows = pd.DataFrame({"deal_id": deals["deal_id"][there], "as_of": as_of[there]})
    return rows.sort_values("deal_id", kind="stable").reset_index(drop=True)


@dataclass(frozen=True)
class _Candidate:
    """A cell of a feature: the sign it is, how far beyond chance, and which deals showed it."""

    sign: EarlySign
    z: float
    inside: npt.NDArray[np.bool_]

    def repeats(self, other: _Candidate) -> bool:
        """Whether it is told of much the same deals as another."""
        both, either = (self.inside & other.inside).sum(), (self.inside | other.inside).sum()
        return bool(both >= MUCH_THE_SAME * either)


def _ours(planned: PlannedFeature, signs: set[str]) -> bool:
    """Whether a feature is about what we do; `signs` are the kinds of activity that come from buyers."""
    if planned.declared.per == "direction":
        return planned.word != "inbound"
    return planned.declared.per in ("step", "kind") and str(planned.word).partition(" / ")[0] not in signs


def _candidates(
    model: Model, rows: Rows, ends: pd.DataFrame, signs: set[str], wording: LocaleFormat
) -> Iterator[_Candidate]:
    """All cells of all features that enough deals were in, and that win otherwise than all beyond chance."""
    n = len(rows.X)
    rates = learn_base_rates(rows.X, model.plan, pd.Series([None] * n, dtype="str"), np.arange(n), ends)
    overall, lost, hours = float(ends["won"].mean()), ends["won"].to_numpy() == 0, ends["remaining_hours"].to_numpy()
    for i, planned in enumerate(model.plan.features):
        told, values = rates.columns[planned.column], rows.X[:, i]
        cells = told.cells(values)
        for at, (deals, won) in enumerate(zip(told.deals[0], told.won[0], strict=True)):
            if planned.declared.theme in TIME or not LEAST_DEALS_A_SIGN <= deals <= MOST_SHARE * n:
                continue
            z = (won / deals - overall) / np.sqrt(overall * (1 - overall) / deals)
            if abs(z) >= BEYOND_CHANCE:
                inside = cells == at
                typical = values[inside][np.argsort(values[inside], kind="stable")[deals // 2]]
                sentence = say(planned, float(typical), wording)
                counts = (deals, won, float(hours[inside & lost].sum()), won / deals, overall, _ours(planned, signs))
                yield _Candidate(EarlySign(planned.declared.theme, sentence, *counts), float(z), inside)


def early_signs(book: Book, model: Model, until: pd.Timestamp, wording: LocaleFormat, most: int = 5) -> list[EarlySign]:
    """The signs that tell most, hopeless ones first, then fruitful ones; up to `most` of each.

    Args:
        book: any book with dates.
        model: says which features there are.
        until: only deals settled by then are looked at.
        wording: of the reader.
    """
    book = known(book, until)
    snapshots = _week_old(book, until)
    if len(snapshots) < LEAST_DEALS_A_SIGN:
        return []
    rows, ends = read_rows(History(book), snapshots, model.plan), label(book, snapshots)
    inbound = book.activities["direction"] == "inbound"
    signs = set(book.activities.loc[inbound, "kind"].dropna().astype("str"))
    kept: list[_Candidate] = []
    for one in sorted(_candidates(model, rows, ends, signs, wording), key=lambda one: -abs(one.z)):
        alike = sum((one.z < 0) == (other.z < 0) for other in kept)
        if alike < most and not any(one.repeats(other) for other in kept):
            kept.append(one)
    return [one.sign for one in sorted(kept, key=lambda one: (one.z > 0, -abs(one.z)))]
