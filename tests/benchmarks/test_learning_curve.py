import numpy as np
import pandas as pd
import pytest
from tests.books import TINY
from tests.scripts import script

TRUE = np.array([0.1, 0.5, 0.9, 0.3])
DEALS = pd.DataFrame({"deal_id": ["a", "a", "b", "c"]})


@pytest.fixture(scope="module")
def benchmark():
    with script("benchmarks/learning_curve.py") as module:
        yield module


def run_of(benchmark, ours, lightgbm):
    win = dict.fromkeys(benchmark.WIN, np.full(4, 0.45)) | {"ours": ours, "lightgbm": lightgbm, "truth": TRUE}
    rest = dict.fromkeys(benchmark.REST, np.full(4, 3.0)) | {"ours": np.full(4, 2.0), "truth": np.full(4, 2.0)}
    return benchmark.Run(True, pd.DataFrame(win), pd.DataFrame(rest), pd.DataFrame(rest))


def test_the_truth_loses_least_and_ranks_as_well_as_can_be(benchmark):
    loss = benchmark.expected_log_loss(TRUE, TRUE)

    for other in (TRUE * 0.9, TRUE + 0.05, np.full(4, 0.45)):
        assert (benchmark.expected_log_loss(TRUE, other) > loss).all()

    assert benchmark.expected_auc(TRUE, TRUE) > benchmark.expected_auc(TRUE, TRUE[::-1])
    assert benchmark.expected_auc(np.array([1.0, 0.0]), np.array([0.8, 0.2])) == 1.0


def test_an_interval_of_the_same_loss_everywhere_is_a_point(benchmark):
    assert benchmark.intervals([np.full(4, 0.5)] * 3, np.array([0, 0, 1, 2]), draws=50) == (0.5, 0.5, 0.5)


def test_a_rival_that_loses_less_is_named(benchmark):
    good, bad = TRUE, np.full(4, 0.9)
    win = benchmark.judge_win([run_of(benchmark, bad, good)] * 2, DEALS)

    assert win.loc["lightgbm", "ours_is_better_by"] < 0
    assert [sentence.split()[0] for sentence in benchmark.missed(win)] == ["lightgbm", "base_rate"]
    assert benchmark.missed(benchmark.judge_win([run_of(benchmark, good, bad)] * 2, DEALS)) == []


def test_totals_and_errors_of_hours(benchmark):
    rest = benchmark.judge_rest([run_of(benchmark, TRUE, TRUE)], "hours")

    assert rest.loc["ours"].tolist() == [1.0, 0.0, 0.0]
    assert rest.loc["simple", ["ratio", "error"]].tolist() == [1.5, 0.5]


def test_books_put_together_share_no_deal_account_or_owner(benchmark):
    one = benchmark.make_sample(30, 1)
    both = benchmark.together([one, one])

    for name in ("deal_id", "account_id", "owner_id"):
        assert both.book.deals[name].nunique() == 2 * one.book.deals[name].nunique()
    assert len(both.truth) == 2 * len(one.truth)


def test_a_run_calls_the_unseen_deals_in_all_ways(benchmark):
    others = benchmark.unseen(100, test_deals=100)
    found = benchmark.run(100, 5, TINY, others)

    assert found.win.columns.tolist() == list(benchmark.WIN)
    assert len(found.win) == len(found.hours) == len(found.value) == len(others.truth)
    assert np.isfinite(pd.concat([found.win, found.hours, found.value], axis=1)).all(axis=None)
