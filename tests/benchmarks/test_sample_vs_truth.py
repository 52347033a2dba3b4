import numpy as np
import pandas as pd
import pytest
from tests.books import TINY
from tests.scripts import script


@pytest.fixture(scope="module")
def benchmark():
    with script("benchmarks/sample_vs_truth.py") as module:
        yield module


def calls_like_the_truth(rng, deals=400):
    probability, hours = rng.random(deals), rng.gamma(2.0, 5.0, deals)
    value = probability * 1000.0
    truth = {
        "win_probability": probability,
        "remaining_hours": hours,
        "expected_value": value,
        "value_per_hour": value / (hours + 0.1),
    }
    both = truth | {f"{name}_true": column for name, column in truth.items()}
    won = (rng.random(deals) < probability).astype(float)
    return pd.DataFrame({"deal_id": [f"d{i}" for i in range(deals)], "won": won} | both)


def test_the_truth_itself_misses_nothing(benchmark):
    figures = benchmark.judge(calls_like_the_truth(np.random.default_rng(0)))

    assert (figures["ece"], figures["auc"], figures["hours"]) == (0.0, figures["auc_true"], 1.0)
    assert figures["corr"] == pytest.approx(1.0, rel=1e-12)
    assert [figures[f"gain_{bar:g}"] for bar in benchmark.BARS] == [1.0] * 3
    assert benchmark.missed(figures) == []


def test_each_way_to_miss_is_told(benchmark):
    rng = np.random.default_rng(0)
    calls = calls_like_the_truth(rng)
    blind = calls.assign(
        win_probability=rng.random(len(calls)),
        remaining_hours=calls["remaining_hours"] * 0.9,
        value_per_hour=rng.permutation(calls["value_per_hour"]),
    )

    told = benchmark.missed(benchmark.judge(blind))
    assert [sentence.split()[0] for sentence in told] == ["ECE", "AUC", "hours", "gains"]


def test_a_deal_is_dropped_once_at_its_first_call_below_the_bar(benchmark):
    calls = pd.DataFrame(
        {
            "deal_id": ["a", "a", "a", "b"],
            "index": [9.0, 1.0, 0.5, 9.0],
            "remaining_hours_true": [4.0, 3.0, 2.0, 7.0],
            "expected_value_true": [5.0, 4.0, 3.0, 2.0],
        }
    )

    assert benchmark.net_gain(calls, "index", 2.0) == 2.0 * 3.0 - 4.0


def test_a_run_trains_calls_a_year_and_judges_it(benchmark):
    figures = benchmark.run(400, 5, TINY)

    assert figures["calls"] > 500
    assert 0.5 < figures["auc"] < 1
    assert 0.5 < figures["hours"] < 2
    assert figures["uncorrected"] != figures["hours"]
