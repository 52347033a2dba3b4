"""Training and scoring see the same: one function reads both, at one and the same as_of."""

from dataclasses import replace

import pandas as pd
import pytest
from tests.books import TINY, UNTIL, day

from walkaway.asof.history import History, known
from walkaway.config import ScoreSettings
from walkaway.models.model import make_calls, read_rows
from walkaway.scoring.score import score
from walkaway.training.fitting import fit_as_of

pytest_plugins = ("tests.books",)


@pytest.fixture(scope="module", params=[UNTIL, day(120)], ids=["day 210", "day 120"])
def fitted(request, book):
    """Fitted on what was known by then, with nothing later in the book at all."""
    return fit_as_of(History(known(book, request.param)), request.param, TINY)


def contents(fitted) -> list:
    """All numbers of the heads: the texts of their boosters, and the rest."""
    heads = (fitted.heads.win, fitted.heads.worth, fitted.heads.hours)
    return [(replace(head, bag=None), head.bag and head.bag.texts()) for head in heads]


def test_scored_rows_equal_training_rows_to_the_bit(fitted, book):
    """The book of scoring is longer: it knows how every training deal ended, and many more deals."""
    scored = read_rows(History(book), fitted.snapshots, fitted.plan)

    assert len(book.activities) > len(known(book, fitted.until).activities)
    assert scored.X.dtype == fitted.rows.X.dtype
    assert scored.X.tobytes() == fitted.rows.X.tobytes()


def test_scored_terms_equal_training_terms_to_the_bit(fitted, book):
    scored = read_rows(History(book), fitted.snapshots, fitted.plan)

    pd.testing.assert_frame_equal(scored.terms, fitted.rows.terms, check_exact=True)


def test_the_longer_book_fits_the_same_heads_at_the_same_moment(fitted, book):
    longer = fit_as_of(History(book), fitted.until, TINY)

    pd.testing.assert_frame_equal(longer.snapshots, fitted.snapshots)
    assert contents(longer) == contents(fitted)


def test_a_nightly_score_says_what_a_call_on_the_training_row_says(fitted, book):
    model = fitted.model(TINY)
    last = fitted.snapshots["as_of"] == fitted.until
    trained_on = make_calls(
        model, read_rows(History(known(book, fitted.until)), fitted.snapshots[last], fitted.plan), 9.0
    )
    nightly = score(book, model, pd.DatetimeIndex([fitted.until]), ScoreSettings(forgo=0.1, bar=9.0, reasons=0))
    columns = trained_on.table.columns.tolist()

    pd.testing.assert_frame_equal(
        nightly[columns].sort_values("deal_id").reset_index(drop=True),
        trained_on.table.reset_index(drop=True),
        check_exact=True,
    )
