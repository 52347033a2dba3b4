"""Do today's deals still look like those the champion was trained on? Seven findings, each with a level and a sentence.

Training looks at deals on a grid of moments, for example every Monday. Deals on a Thursday look different from deals on
Mondays, so a check uses the newest moment of the training grid that is not after as_of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from walkaway.asof import History, check_not_far_ahead, known, moments, open_snapshots
from walkaway.asof.labels import label
from walkaway.book import Book
from walkaway.config import CheckSettings
from walkaway.errors import UsageError
from walkaway.features import unknown_words
from walkaway.formatting import LocaleFormat
from walkaway.models import Model, check_fits, make_calls, read_rows, read_rows_without_dates
from walkaway.monitoring.finding import LEVELS, Finding, Level, cannot_tell, worst
from walkaway.monitoring.outcomes import age_finding, outcome_findings
from walkaway.monitoring.population import OpenDeals, population_findings

__all__ = ["Check", "Finding", "Level", "check"]

DAY = pd.Timedelta(days=1)
WITHOUT_DATES = "this book has no dates, so only the attributes of its deals can be compared."


@dataclass(frozen=True)
class Check:
    """The findings of a check, worst first. `looked_at` is the moment of the training grid; None without dates."""

    findings: tuple[Finding, ...]
    model_version: str
    open_deals: int
    known_until: pd.Timestamp | None = None
    looked_at: pd.Timestamp | None = None

    @property
    def level(self) -> Level:
        """The worst level. `cannot_tell` is returned only if no finding could be made."""
        levels: list[Level] = [finding.level for finding in self.findings if finding.level != "cannot_tell"]
        return worst(levels) if levels else "cannot_tell"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "level": self.level,
            "model_version": self.model_version,
            "known_until": self.known_until and self.known_until.isoformat(),
            "looked_at": self.looked_at and self.looked_at.isoformat(),
            "open_deals": self.open_deals,
            "findings": [finding.as_json() for finding in self.findings],
        }


def check(
    book: Book, model: Model, check_settings: CheckSettings, as_of: pd.Timestamp | None, locale: str = "en_GB"
) -> Check:
    """Compare a book with the data a model was trained on.

    Args:
        book: a newer book of the same team; records after `as_of` are ignored.
        model: usually the champion.
        check_settings: thresholds.
        as_of: UTC; None for a book without dates.
        locale: of the numbers in the sentences.

    Raises:
        UsageError: `as_of` is before the model's known_until, or more than a year after the newest record; or the
            locale is unknown.
        DataError: the book does not fit the model.
    """
    check_fits(book, model)
    fmt = LocaleFormat(locale)
    if model.undated or as_of is None:
        return _check_undated(book, model, check_settings, fmt)
    check_not_far_ahead(book, as_of, "--as-of")
    until = model.known_until
    if as_of < until:
        raise UsageError(
            f"--as-of {as_of:%Y-%m-%dT%H:%M}Z is before {until:%Y-%m-%dT%H:%M}Z, the moment until which the model was "
            "trained, so there is nothing to compare yet. Use a later moment or a newer export."
        )
    return _check_dated(book, model, check_settings, until, as_of, fmt)


def _check_dated(
    book: Book,
    model: Model,
    check_settings: CheckSettings,
    until: pd.Timestamp,
    as_of: pd.Timestamp,
    fmt: LocaleFormat,
) -> Check:
    reference = model.reference
    grid = moments(until, as_of, reference.every_days)
    book = known(book, grid[-1])
    history = History(book)
    now = open_snapshots(book, grid[-1:])
    calls = make_calls(model, read_rows(history, now, model.plan), bar=0.0)
    words = unknown_words(history.without(model.plan.left_out).at(now), reference.words)
    deals = OpenDeals(model.plan, calls.rows.X, words, calls.table)
    looks = _first_looks(history, model, grid, calls.table)
    findings = population_findings(reference, deals, check_settings, fmt)
    findings += outcome_findings(looks, model.signal, reference.errors, check_settings, fmt, book.records_work)
    age, settled = (as_of - until) / DAY, int(looks["settled"].sum())
    findings.append(age_finding(age, reference.history_days, reference.every_days, settled, check_settings, fmt))
    return Check(_worst_first(findings), model.version, len(now), until, grid[-1])


def _first_looks(history: History, model: Model, grid: pd.DatetimeIndex, now: pd.DataFrame) -> pd.DataFrame:
    """One row per deal that was open at a grid moment before the last: the model's first prediction, and the outcome.

    The first prediction is used because nothing that happened later can influence which one is picked, and because it
    leaves the most time for an outcome.
    """
    looks = open_snapshots(history.book, grid[:-1]).drop_duplicates("deal_id").reset_index(drop=True)
    then = make_calls(model, read_rows(history, looks, model.plan), bar=0.0).table
    labels = label(history.book, looks)
    latest = now.set_index("deal_id").reindex(looks["deal_id"])
    return labels[["settled", "won"]].assign(
        win_then=then["win_probability"],
        hours_then=then["remaining_hours"],
        win_now=latest["win_probability"].to_numpy(),
        hours_now=latest["remaining_hours"].to_numpy(),
        hours_booked=labels["remaining_hours"],
    )


def _check_undated(book: Book, model: Model, check_settings: CheckSettings, fmt: LocaleFormat) -> Check:
    rows = read_rows_without_dates(book, book.deals[book.deals["outcome"].isna()], model.plan)
    history = History(book).without(model.plan.left_out)
    unknown = unknown_words(history.at(rows.snapshots), model.reference.words)
    deals = OpenDeals(model.plan, rows.X, unknown, pd.DataFrame())
    findings = population_findings(model.reference, deals, check_settings, fmt)[:3]
    findings += [cannot_tell(code, WITHOUT_DATES) for code in ("D4", "D5", "D6", "D7")]
    return Check(_worst_first(findings), model.version, len(rows.X))


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (LEVELS.index(finding.level), finding.code)))
