import numpy as np
import pandas as pd
import pytest

from walkaway.book import Book, Manifest
from walkaway.config import BoosterSettings, HeadSettings, ScoreSettings, TrainSettings
from walkaway.scoring import score_undated, summary_undated
from walkaway.training.undated import train_undated

FEW = BoosterSettings(trees=30, learning_rate=0.1, leaves=4, least_rows_in_leaf=5)
SETTINGS = TrainSettings(folds=3, bootstrap=50, heads=HeadSettings(menu={}, members=2, threads=1, timeless=FEW))


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(0)
    budget = rng.choice(["yes", "no"], 240)
    won = rng.random(240) < np.where(budget == "yes", 0.75, 0.25)
    rows = {
        "deal_id": [f"d{i:03d}" for i in range(240)],
        "created_at": pd.NaT,
        "outcome": np.where(np.arange(240) % 8 == 0, None, np.where(won, "won", "lost")),
        "budget": budget,
        "product": rng.choice(["a", "b", "c"], len(budget)),
        "name": [f"Firm {i}" for i in range(240)],
    }
    book = Book.of(Manifest(timeless=True, fixed_at_creation=("budget", "product")), deals=pd.DataFrame(rows))
    model = train_undated(book, SETTINGS).model
    return book, score_undated(book, model, ScoreSettings(reasons=2))


def test_each_call_has_its_reasons_and_its_name(scored):
    book, table = scored
    has_budget = table["deal_id"].map(book.deals.set_index("deal_id")["budget"]) == "yes"

    assert (table["reason_1"] == has_budget.map({True: "budget: yes", False: "budget: no"})).all()
    assert ((table["factor_1"] > 1) == has_budget).all()
    assert table["base_rate_1"].str.fullmatch(r"\d+ of \d+ such deals were won").all()
    assert table["name"].str.startswith("Firm ").all()


def test_what_needs_dates_or_hours_is_empty(scored):
    table = scored[1]

    assert table[["as_of", "bar", "remaining_hours", "value_per_hour"]].isna().all(axis=None)
    assert set(table["verdict"]) == {"unsure"}
    assert set(table["caveats"]) == {"no_dates"}


def test_the_summary_counts_what_is_expected(scored):
    told = summary_undated(scored[1])

    assert told["open_deals"] == 30
    assert told["expected_value"] == pytest.approx(scored[1]["win_probability"].sum())
    assert told["caveats"] == ["no_dates"]
