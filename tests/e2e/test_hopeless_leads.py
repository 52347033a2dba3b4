"""A lead book without hours or amounts, of which 4% are won: trained, scored and reported, and nobody is misled."""

import pandas as pd
import pytest
from tests.books import TINY
from tests.screens import shown, words

from walkaway.book import Book
from walkaway.config import ScoreSettings, Settings
from walkaway.report.html import digest, gather, page
from walkaway.report.terminal.score_tables import show_score
from walkaway.sample import Durations, FlatShape, make_flat_sample
from walkaway.scoring import score
from walkaway.training import train

SETTINGS = Settings(train=TINY, score=ScoreSettings(reasons=1))


def leads(deals: int, won: Durations, lost: Durations, effect: float) -> Book:
    shape = FlatShape(days=365, win_rate=0.04, effect=effect, won=won, lost=lost)
    book = make_flat_sample(deals, 5, shape).book
    manifest = book.manifest.model_copy(update={"currency": ""})
    return Book.of(manifest, deals=book.deals.assign(amount=float("nan")))


@pytest.fixture(scope="module")
def hopeless():
    """Nothing but noise tells which leads will be won."""
    book = leads(800, Durations(40), Durations(40), effect=0.0)
    until = book.last_recorded_at()
    return book, until, train(book, until, TINY).model


def test_the_model_has_no_signal(hopeless):
    assert hopeless[2].signal is False


def test_the_report_does_not_advise_to_keep_them_all(hopeless):
    book, until, model = hopeless
    content = gather(book, model, until, SETTINGS)
    expected = round(content.calls["win_probability"].sum())
    open_deals = len(content.calls)
    answer = (
        f"No bar can be set for {open_deals} open deals, because the model cannot tell which of them will be won. "
        f"About {expected} of them are expected to be won. This does not mean that all are worth keeping."
    )

    assert 2 <= expected <= 8
    for told in (digest(content), page(content), page(content, for_print=True)):
        assert answer in told
        assert "keep them all" not in told
        assert f"None of {open_deals} open deals" not in told


def test_the_score_screen_promises_nothing_of_a_bar(hopeless):
    book, until, model = hopeless
    table = score(book, model, pd.DatetimeIndex([until]), SETTINGS.score)
    told = words(shown(show_score(table, model, "calls.csv", model.facts.wording("en"))))

    assert set(table["verdict"]) == {"unsure"}
    assert "No bar can be set for them, because the model cannot tell which of them will be won." in told
    assert "On past deals" not in told


def test_where_wins_are_quick_the_rule_of_age_is_told():
    """Wins take 12 days and losses 40, so that old leads are hardly ever won, and nothing else tells them apart."""
    book = leads(1_500, Durations(12), Durations(40), effect=0.0)
    until = book.last_recorded_at()
    content = gather(book, train(book, until, TINY).model, until, SETTINGS)

    assert len(content.by_age) > 3
    assert any(
        sentence.startswith("A rule that needs no model: stop work on deals older than") for sentence in content.beaten
    )
