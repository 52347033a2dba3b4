from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.books import TINY
from tests.scripts import script

from walkaway.config import BoosterSettings

P = np.array([0.1, 0.5, 0.9, 0.3])
FEW = BoosterSettings(trees=12, leaves=4, least_rows_in_leaf=10)
QUICK = TINY.model_copy(update={"heads": TINY.heads.model_copy(update={"timeless": FEW})})


@pytest.fixture(scope="module")
def benchmark():
    with script("benchmarks/books.py") as module:
        yield module


def calls(ours, rival):
    deals = {"deal_id": ["a", "a", "b", "c"], "p": P, "win_probability": ours, "base_rate": np.full(4, 0.45)}
    return pd.DataFrame(deals | dict.fromkeys(("plain_lightgbm", "logistic", "random_forest"), rival))


def table_of(benchmark, ours, rival):
    methods = ("win_probability", *benchmark.RIVALS, "base_rate")
    return benchmark.judged(calls(ours, rival), methods).reset_index().assign(book="a book")


def test_the_truth_loses_least_and_the_gain_is_paired(benchmark):
    found = table_of(benchmark, P, np.full(4, 0.45)).set_index("method")

    assert found.loc["win_probability", ["gain", "gain_low", "gain_high"]].tolist() == [0.0, 0.0, 0.0]
    assert (found.loc[list(benchmark.RIVALS), "gain_low"] > 0).all()
    assert found.loc["win_probability", "brier"] == pytest.approx((P * (1 - P)).mean())
    assert found.loc["logistic", "auc"] == 0.5


def test_a_rival_that_loses_less_is_named_for_the_book_and_for_the_sum(benchmark):
    sentences = benchmark.beaten(table_of(benchmark, np.full(4, 0.95), P))

    assert [sentence.split(" loses")[0] for sentence in sentences] == [
        *(f"a book: {rival}" for rival in benchmark.RIVALS),
        *(f"on the sum: {rival}" for rival in sorted(benchmark.RIVALS)),
    ]
    assert benchmark.beaten(table_of(benchmark, P, np.full(4, 0.95))) == []


def test_the_table_has_one_row_a_book_with_the_gain_over_each_rival(benchmark):
    table = table_of(benchmark, P, np.full(4, 0.45)).assign(deals=1_200, signal=True, seconds=3.2)
    header, _, row = benchmark.markdown(table).splitlines()

    assert header.startswith("| book | deals | signal | AUC | Brier | log loss | gain over plain_lightgbm |")
    assert row.startswith("| a book | 1,200 | yes | 0.828 |")
    assert row.endswith("| 3 |")


@pytest.mark.parametrize("dated", [True, False])
def test_all_methods_call_the_same_deals(benchmark, dated):
    asked = benchmark._flat(250, benchmark.FlatShape(days=200), dated=dated)
    found, _ = benchmark.out_of_time(asked, QUICK)
    methods = ["win_probability", *benchmark.RIVALS, "base_rate", "p"]

    assert len(found) > 50
    assert np.isfinite(found[methods]).all(axis=None)
    assert found[methods].T.duplicated().sum() == 0


def test_a_book_with_a_known_truth_is_judged_by_it_on_open_deals_too(benchmark):
    asked = benchmark._flat(250, benchmark.FlatShape(days=200))
    by_truth, _ = benchmark.out_of_time(asked, QUICK)
    by_outcome, _ = benchmark.out_of_time(replace(asked, truth=None), QUICK)

    assert set(by_outcome["p"]) == {0.0, 1.0}
    assert by_truth["p"].between(0, 1, inclusive="neither").all()
    assert by_truth["deal_id"].nunique() > by_outcome["deal_id"].nunique()
