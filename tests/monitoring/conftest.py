"""A sample book that does not drift, and changes planted in it after the moment of training."""

import pandas as pd
import pytest
from tests.conftest import at

from walkaway.book.schema import Book
from walkaway.config import CheckSettings
from walkaway.models.model import Model
from walkaway.monitoring import check
from walkaway.monitoring.finding import Finding
from walkaway.sample import make_sample

SETTINGS = CheckSettings(draws=200)
WEEK = pd.Timedelta(days=7)
UNTIL = at("2025-06-23")


@pytest.fixture(scope="session")
def stationary() -> Book:
    return make_sample(3000, seed=3, stationary=True).book


def found_by(
    model: Model, book: Book, weeks: int | None = None, settings: CheckSettings = SETTINGS
) -> dict[str, Finding]:
    """Findings by code of a check of a book at its end, or so many weeks after the training."""
    found = check(book, model, settings, book.last_recorded_at() if weeks is None else UNTIL + weeks * WEEK)
    return {finding.code: finding for finding in found.findings}


def alarms(findings: dict[str, Finding]) -> dict[str, str]:
    return {code: one.level for code, one in sorted(findings.items()) if one.level in ("watch", "act")}


def deals_since(book: Book, **columns) -> Book:
    """The book, with these columns of deals created since the training made from what they were."""
    fresh = book.deals["created_at"] > UNTIL
    made = {name: book.deals[name].mask(fresh, change(book.deals[name])) for name, change in columns.items()}
    return book.with_tables(deals=book.deals.assign(**made))


def changes_since(book: Book, field: str, change) -> Book:
    """The book, with new values of a field recorded since made from what they were."""
    rows = (book.changes["recorded_at"] > UNTIL) & (book.changes["field"] == field)
    values = book.changes["new_value"].copy()
    values[rows] = change(values[rows])
    return book.with_tables(changes=book.changes.assign(new_value=values))
