"""A report on the book with signal, some of whose words a CRM should never have let in.

A plugin of the tests that need it, as tests/books.py is: PYTEST_DONT_REWRITE.
"""

import numpy as np
import pandas as pd
import pytest
from tests.books import UNTIL, book_with_signal, settings_of, trained_until_day_210

from walkaway.book.schema import Book
from walkaway.config import Settings
from walkaway.models.model import Model
from walkaway.report.html import Content, gather

pytest_plugins = ("tests.books",)

SCRIPT = "<script>alert('x')</script>"
FORMULA = '=HYPERLINK("http://evil.example","click")'
ARABIC = "\u202eشركة النخيل\u202c"
LONG = "w" * 10_000
EVIL = (SCRIPT, FORMULA, ARABIC, LONG, "{{ 7*7 }}", "&amp; <b>bold</b>")


@pytest.fixture(scope="session")
def hostile() -> Book:
    """Owners, teams and products that hold HTML, scripts, formulas, right-to-left text and 10,000 letters."""
    book = book_with_signal()
    deals, rng = book.deals, np.random.default_rng(0)
    words = {
        name: pd.Series(rng.choice(np.array(EVIL, dtype=object), len(deals)), dtype="str")
        for name in ("team", "product")
    }
    manifest = book.manifest.model_copy(update={"fixed_at_creation": (*book.manifest.fixed_at_creation, "product")})
    owners = deals["owner_id"].replace({"o1": SCRIPT, "o2": FORMULA})
    told = deals.assign(owner_id=owners, **words)
    return Book(told, book.changes, book.activities, book.contacts, book.accounts, manifest)


@pytest.fixture(scope="session")
def model() -> Model:
    return trained_until_day_210().model


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Tiny settings, at a bar that drops some deals of each verdict."""
    told = settings_of()
    return told.model_copy(update={"score": told.score.model_copy(update={"bar": 600.0})})


@pytest.fixture(scope="session")
def content(hostile, model, settings) -> Content:
    decided = pd.DataFrame(
        {"deal_id": ["d150", "d151"], "decision": "pursue", "by": SCRIPT, "reason": FORMULA, "date": UNTIL}
    )
    return gather(hostile, model, UNTIL, settings, decisions=decided)
