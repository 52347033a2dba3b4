"""What is printed of a book with late endings agrees with its truth, and what all settled deals show does not."""

import numpy as np
import pandas as pd
import pytest
from tests.scripts import script

with script("benchmarks/late_endings.py") as late:
    pass

DAY0 = pd.Timestamp("2026-01-01", tz="UTC")


def measured(book: str, seed: int = 1) -> dict[str, float]:
    deals, shape = late.BOOKS[book]
    return late.errors(*late.calls_of(deals, shape, seed))


def test_the_calls_that_had_time_show_the_truth_where_losses_come_late():
    found = measured("slow losses, 300 days")

    assert abs(found["called_brier"]) < 0.004
    assert abs(found["called_auc"]) < 0.025
    assert found["settled_brier"] > 0.012
    assert found["settled_auc"] < -0.03


def test_the_calls_that_had_time_show_the_truth_where_wins_come_late():
    found = measured("slow wins, two years")

    assert abs(found["called_brier"]) < 0.008
    assert abs(found["called_auc"]) < 0.015


@pytest.mark.parametrize("book", ["slow losses, 160 days", "slow wins, 160 days", "late cancellations, 60 days"])
def test_a_book_too_young_for_its_slow_endings_shows_nothing(book):
    found = measured(book)

    assert found["judged"] == 0
    assert np.isnan(found["called_auc"])


def test_what_a_young_book_would_print_of_its_settled_deals_flatters():
    assert measured("slow losses, 160 days")["settled_auc"] > 0.07


def test_the_expected_scores_of_certain_rows_are_those_of_their_outcomes():
    won, q = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.2, 0.1])

    assert late.expected(won, q, np.ones(3)) == (0.5, pytest.approx((0.01 + 0.04 + 0.81) / 3))
    assert late.expected(won, q, np.array([1.0, 1.0, 0.0])) == (1.0, pytest.approx((0.01 + 0.04) / 2))
    assert np.isnan(late.expected(won, q, np.array([1.0, 0.0, 1.0]))[0])


def test_a_slow_ending_counts_for_the_calls_that_were_not_followed_for_so_long():
    """Followed for 10, 20, 30 and 40 days; the third ended after 25 days, the fourth after 5."""
    as_of = [DAY0 + pd.Timedelta(days=40 - days) for days in (10, 20, 30, 40)]
    ended = [pd.NaT, pd.NaT, as_of[2] + pd.Timedelta(days=25), as_of[3] + pd.Timedelta(days=5)]
    calls = pd.DataFrame({"as_of": as_of, "closed_at": ended, "settled": [False, False, True, True]})

    assert late.followed(calls, DAY0 + pd.Timedelta(days=40)).tolist() == [0.0, 0.0, 2.0, 1.0]


def test_a_book_on_which_the_printed_figures_are_off_is_named():
    row = {"called_auc": 0.02, "called_brier": 0.001}
    table = pd.DataFrame({"one": row, "two": row | {"called_auc": np.nan, "called_brier": np.nan}}).T

    assert late.missed(table) == ["one: auc off by +0.0200"]
