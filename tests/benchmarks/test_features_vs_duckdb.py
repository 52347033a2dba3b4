import numpy as np
import pytest
from tests.scripts import script


@pytest.fixture(scope="module")
def benchmark(needs):
    needs("duckdb")
    with script("benchmarks/features_vs_duckdb.py") as module:
        yield module


@pytest.mark.parametrize("seed", [1, 2])
def test_walkaway_and_duckdb_give_the_same_columns(benchmark, seed):
    book, snapshots = benchmark.synthetic_book(events=2000, snapshots=600, seed=seed)
    result = benchmark.run(book, snapshots, threads=1)
    assert result.differences == []
    assert result.rows == len(snapshots) > 300
    assert result.columns > 60


def test_every_planned_column_is_compared(benchmark):
    book, _ = benchmark.synthetic_book(events=3000, snapshots=2000)
    plan = benchmark.plan_features(book)
    kept, left_out = benchmark.competitor_plan(plan)
    assert sorted([*kept.columns, *left_out]) == sorted(plan.columns)
    assert left_out == []


def test_a_wrong_value_is_reported(benchmark):
    book, snapshots = benchmark.synthetic_book(events=2000, snapshots=600)
    plan, _ = benchmark.competitor_plan(benchmark.plan_features(book))
    connection = benchmark.load_duckdb(book, snapshots, threads=1)
    benchmark.duckdb_features(connection, book, plan)
    frame = benchmark.build_features(benchmark.History(book).at(snapshots), plan)
    frame.loc[3, "touches"] += 1
    frame.loc[5, "age_days"] *= np.float32(1.00001)
    found = benchmark.differences(frame, connection, plan)
    assert [line.split(":")[0] for line in found] == ["touches", "age_days"]
