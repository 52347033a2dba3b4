import re

import numpy as np
import pandas as pd
import pytest
from tests.books import settings_of

from walkaway.book import Book, Manifest
from walkaway.config import BoosterSettings, HeadSettings, TrainSettings
from walkaway.errors import UsageError
from walkaway.explaining import explain
from walkaway.report.deal_card import show_story
from walkaway.report.html import write_undated_report
from walkaway.report.html.digest import plain
from walkaway.report.html.markup import undated_page
from walkaway.report.html.undated_page import answer_sentence, gather_undated, undated_digest
from walkaway.training.undated import train_undated

FEW = BoosterSettings(trees=30, learning_rate=0.1, leaves=4, least_rows_in_leaf=5)
SETTINGS = TrainSettings(folds=3, bootstrap=50, heads=HeadSettings(menu={}, members=2, threads=1, timeless=FEW))
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module", params=[True, False], ids=["amounts", "no amounts"])
def book(request):
    """Deals with a budget are won three times in four, others once; every eighth is open, and one has a bad name."""
    rng, deals = np.random.default_rng(0), 240
    budget = rng.choice(["yes", "no"], deals)
    won = rng.random(deals) < np.where(budget == "yes", 0.75, 0.25)
    rows = {
        "deal_id": [f"d{i:03d}" for i in range(deals)],
        "created_at": pd.NaT,
        "outcome": np.where(np.arange(deals) % 8 == 0, None, np.where(won, "won", "lost")),
        "budget": budget,
        "product": rng.choice(["a", "b", "c"], len(budget)),
        "amount": rng.choice([100.0, 900.0], deals) if request.param else np.nan,
        "name": [EVIL if i == 8 else f"Firm {i}" for i in range(deals)],
        "url": "https://crm.example/record",
    }
    fixed = ("budget", "product", *(["amount"] if request.param else []))
    return Book.of(Manifest(currency="EUR", timeless=True, fixed_at_creation=fixed), deals=pd.DataFrame(rows))


@pytest.fixture(scope="module")
def model(book):
    return train_undated(book, SETTINGS).model


@pytest.fixture(scope="module")
def content(book, model):
    return gather_undated(book, model, settings_of())


def test_open_deals_are_listed_by_what_they_are_expected_to_bring(content, book):
    open_deals = book.deals["deal_id"][book.deals["outcome"].isna()]

    assert sorted(content.calls["deal_id"]) == sorted(open_deals)
    assert content.calls["expected_value"].is_monotonic_decreasing
    assert content.groups["deals"].sum() == len(open_deals) == 30
    assert content.groups["share"].sum() == pytest.approx(1.0)


def test_the_signs_of_winning_are_told_with_their_counts(content, book):
    closed = book.deals[book.deals["outcome"].notna()]
    with_budget = closed[closed["budget"] == "yes"]
    [good] = [sign for sign in content.signs if sign.sentence == "budget: yes"]

    assert (good.deals, good.won) == (len(with_budget), (with_budget["outcome"] == "won").sum())
    assert good.rate > good.all


def test_the_page_shows_each_deal_by_name_and_escapes_it(content):
    page = undated_page(content)

    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Firm 16" in page
    assert 'href="https://crm.example/record"' in page


def test_the_page_says_first_that_there_are_no_dates_and_what_cannot_be_said(content):
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", "", undated_page(content), flags=re.DOTALL))

    assert text.index("No dates: nothing shows what was known when") < text.index(answer_sentence(content))
    assert "Can you act on this today?  No." in re.sub(r"\s{2,}", "  ", text)
    assert "Columns that the model reads:" in text
    assert "an hour" in text  # only where it is said what cannot be said
    assert re.findall(r"\d[\d,.]* hours?", text) == []


def test_the_digest_names_the_first_deals(content):
    first = content.calls.iloc[0]

    named = plain(f"{first['name']} ({first['deal_id']})")
    assert f"- {named}: " in undated_digest(content)
    assert undated_digest(content).startswith("**No dates: ")


def test_the_report_is_written_and_the_same_again(book, model, tmp_path):
    once = write_undated_report(book, model, settings_of(), tmp_path / "a", "html")
    write_undated_report(book, model, settings_of(), tmp_path / "b", "html")

    assert set(once.files) == {"report.html", "deals.csv", "deals.xlsx"}
    for name in ("report.html", "deals.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    deals = pd.read_csv(tmp_path / "a" / "deals.csv")
    assert deals["expected_value"].is_monotonic_decreasing
    assert not {"bar", "verdict", "remaining_hours", "wait_for"} & set(deals)


def test_a_deal_is_explained_by_factors_that_multiply_to_its_value(book, model):
    [story] = explain(book, model, ["d008"], None)
    factors = np.prod([factor.factor for factor in story.factors])

    assert (story.as_of, story.bar, story.verdict) == (None, None, "unsure")
    assert story.typical_value_per_hour * factors == pytest.approx(story.expected_value)
    assert story.as_json()["remaining_hours"] is None
    assert show_story(story).title.plain == f"Deal {EVIL} (d008)"


def test_only_open_deals_of_the_book_are_explained(book, model):
    with pytest.raises(UsageError, match=r"deal d001 is closed \((won|lost)\), so there is nothing to explain"):
        explain(book, model, ["d001"], None)
    with pytest.raises(UsageError, match="deal d999 is not in the book"):
        explain(book, model, ["d999"], None)
