import pandas as pd
import pytest
from tests.scripts import script


@pytest.fixture(scope="module")
def benchmark():
    with script("benchmarks/guarantee.py") as module:
        yield module


def test_a_guarantee_is_broken_where_more_was_lost_than_guaranteed(benchmark):
    rows = pd.DataFrame(
        {
            "share": 0.1,
            "guaranteed_bar": [0.0, 5.0, 6.0, 7.0],
            "forgone": [0.0, 0.05, 0.1, 0.2],
            "forgone_by_estimate": [0.2, 0.2, 0.0, 0.0],
        }
    )
    told = benchmark.verdict(rows).loc[0.1]

    assert told[["books", "with a bar", "broken", "broken by the estimate"]].tolist() == [4, 3, 1, 2]
    assert told["may be broken"] == 2  # of four books, one in ten each: three or more have a chance below 5%


def test_what_a_bar_forgoes_lies_between_nothing_and_all(benchmark):
    small, large = benchmark.kept(benchmark.FIRST_SEED, 700, (0.1, 0.4))

    assert small["guaranteed_bar"] <= large["guaranteed_bar"]
    assert 0 <= small["forgone"] <= large["forgone"] <= 1
