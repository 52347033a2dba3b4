"""Early qualification: signs of a deal's first week, or of its creation, that separated good and poor chances."""

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
from walkaway.models import Model, Rows, learn_base_rates, read_rows, read_rows_without_dates

__all__ = ["EarlySign", "early_signs", "signs_without_dates"]

FIRST_DAYS = 7.0
LEAST_DEALS_A_SIGN = 30  # settled deals that showed it
BEYOND_CHANCE = 3.0  # standard errors from the overall rate; strict, because many cells are tested
MOST_SHARE = 0.9  # of the deals; a sign that nearly all deals show separates nothing
MUCH_THE_SAME = 0.7  # of the deals of two signs; beyond this overlap, only the stronger sign is shown
TIME = ("timing", "effort")  # themes left out: at a fixed age they only say how old a deal is, or what we did


@dataclass(frozen=True)
class EarlySign:
    """One sign at the end of a deal's first week, or in a book without dates.

    deals: settled deals that showed it. won: how many of them were won. hours_lost: hours booked from then on by those
    that were lost, which stopping them at once would have saved. rate: share won. all: share won of
    all deals then open. ours: whether the sign is something we did or did not do. That may be a response to how the
    deal looked rather than a predictor of how it ends.
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
    """Deals settled by `until` that were still open at the end of their first week: deal_id, as_of."""
    deals = book.deals[book.deals["outcome"].notna() & (book.deals["closed_at"] <= until)]
    as_of = deals["created_at"] + pd.Timedelta(days=FIRST_DAYS)
    still_open = as_of < deals["closed_at"]
    rows = pd.DataFrame({"deal_id": deals["deal_id"][still_open], "as_of": as_of[still_open]})
    return rows.sort_values("deal_id", kind="stable").reset_index(drop=True)


@dataclass(frozen=True)
class _Candidate:
    """A cell of a feature: its sign, its distance from chance (z), and which deals are in it."""

    sign: EarlySign
    z: float
    inside: npt.NDArray[np.bool_]

    def repeats(self, other: _Candidate) -> bool:
        """Whether this sign and another apply to largely the same deals."""
        both, either = (self.inside & other.inside).sum(), (self.inside | other.inside).sum()
        return bool(both >= MUCH_THE_SAME * either)


def _ours(planned: PlannedFeature, signs: set[str]) -> bool:
    """Whether a feature is about what we do; `signs` are the activity kinds that come from buyers."""
    if planned.declared.per == "direction":
        return planned.word != "inbound"
    return planned.declared.per in ("step", "kind") and str(planned.word).partition(" / ")[0] not in signs


def _candidates(
    model: Model, rows: Rows, ends: pd.DataFrame, signs: set[str], wording: LocaleFormat
) -> Iterator[_Candidate]:
    """Cells with enough deals whose win rate differs from the overall rate by more than chance."""
    n = len(rows.X)
    rates = learn_base_rates(rows.X, model.plan, pd.Series([None] * n, dtype="str"), np.arange(n), ends)
    overall, lost, hours = float(ends["won"].mean()), ends["won"].to_numpy() == 0, ends["remaining_hours"].to_numpy()
    for i, planned in enumerate(model.plan.features):
        of_column, values = rates.columns[planned.column], rows.X[:, i]
        cells = of_column.cells(values)
        for at, (deals, won) in enumerate(zip(of_column.deals[0], of_column.won[0], strict=True)):
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
    """The strongest signs: up to `most` of deals with poor chances, then up to `most` of deals with good chances.

    Args:
        book: any book with dates.
        model: its plan lists the features.
        until: only deals settled by then are used.
        wording: how the reader writes numbers and money.
    """
    book = known(book, until)
    snapshots = _week_old(book, until)
    if len(snapshots) < LEAST_DEALS_A_SIGN:
        return []
    rows, ends = read_rows(History(book), snapshots, model.plan), label(book, snapshots)
    inbound = book.activities["direction"] == "inbound"
    signs = set(book.activities.loc[inbound, "kind"].dropna().astype("str"))
    return _strongest(_candidates(model, rows, ends, signs, wording), most)


def signs_without_dates(book: Book, model: Model, wording: LocaleFormat, most: int = 8) -> list[EarlySign]:
    """The strongest signs of closed deals in a book without dates, in the order of `early_signs`.

    Args:
        book: one without dates.
        model: its plan lists the features.
        wording: how the reader writes numbers and money.
        most: signs of each side.
    """
    closed = book.deals[book.deals["outcome"].notna()].reset_index(drop=True)
    if len(closed) < LEAST_DEALS_A_SIGN:
        return []
    rows = read_rows_without_dates(book, closed, model.plan)
    won = (closed["outcome"] == "won").astype("float64")
    ends = pd.DataFrame({"won": won, "remaining_hours": 1.0, "worth": won})
    return _strongest(_candidates(model, rows, ends, set(), wording), most)


def _strongest(candidates: Iterator[_Candidate], most: int) -> list[EarlySign]:
    """Up to `most` signs of each side that do not repeat each other, poor chances first."""
    kept: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: -abs(candidate.z)):
        same_side = sum((candidate.z < 0) == (other.z < 0) for other in kept)
        if same_side < most and not any(candidate.repeats(other) for other in kept):
            kept.append(candidate)
    return [candidate.sign for candidate in sorted(kept, key=lambda candidate: (candidate.z > 0, -abs(candidate.z)))]
