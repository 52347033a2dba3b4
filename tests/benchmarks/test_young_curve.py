import pytest
from tests.books import TINY, plain_model
from tests.scripts import script


@pytest.fixture(scope="module")
def benchmark():
    with script("benchmarks/young_curve.py") as module:
        yield module


def test_the_curve_is_taught_by_all_folds_and_by_experienced_ones(benchmark):
    rows = benchmark.of_seed(3, 60, TINY.model_copy(update={"folds": 3}), deals_a_day=10)

    assert [row["taught by"] for row in rows] == ["all folds", "experienced folds"]
    assert [row["folds"] for row in rows] == [3, 1]
    assert all(row["lost, expected"] <= 0.10 for row in rows)


def test_what_a_bar_really_saves_and_loses_is_counted_after_training(benchmark, make_book, moment):
    """Both have an even chance and two and a half hours to go by this model: they are worth 20 and 10 an hour."""
    book = make_book(
        deals="deal_id | created_at | closed_at | outcome | amount\n"
        "d1 | 2026-01-01 | 2026-01-20 | won | 100\nd2 | 2026-01-01 | 2026-01-21 | lost | 50",
        activities="activity_id | deal_id | kind | occurred_at | recorded_at | hours\n"
        "a1 | d1 | call | 2026-01-15 | 2026-01-15 | 1\na2 | d2 | call | 2026-01-16 | 2026-01-16 | 3",
        fixed=("amount",),
    )
    found = benchmark.real_curve(book, plain_model(), moment("2026-01-10"))

    assert (found.bars, found.hours_saved, found.value_forgone) == (
        (0.0, 10.0, 20.0),
        (0.0, 0.0, 0.75),
        (0.0, 0.0, 0.0),
    )
