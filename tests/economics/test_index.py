import numpy as np
import pytest

from walkaway.economics import expected_value, value_per_hour, verdicts, walk_away_above


def test_expected_value_is_probability_times_value_and_may_be_negative():
    assert expected_value(np.array([0.5, 0.5, 0.0]), np.array([100.0, -100.0, 100.0])).tolist() == [50.0, -50.0, 0.0]


def test_the_floor_keeps_a_deal_without_work_left_from_an_endless_index():
    assert value_per_hour(np.array([50.0]), np.array([0.0]), 0.5).tolist() == [100.0]


def five(below: int) -> np.ndarray:
    """Value per hour of one deal by a bag of five, that many of them below a bar of 3."""
    return np.array([[1.0]] * below + [[9.0]] * (5 - below))


@pytest.mark.parametrize(
    ("below", "verdict"),
    [(0, "pursue"), (1, "pursue"), (2, "unsure"), (3, "unsure"), (4, "walk_away"), (5, "walk_away")],
)
def test_four_of_five_on_one_side_of_the_bar_make_a_call(below, verdict):
    assert verdicts(five(below), np.array([5.0]), 3.0, signal=True).tolist() == [verdict]


@pytest.mark.parametrize("worth", [0.0, -1.0])
def test_a_deal_sold_at_a_loss_is_walked_away_from_before_anything_else(worth):
    assert verdicts(five(0), np.array([worth]), 3.0, signal=False).tolist() == ["walk_away"]


@pytest.mark.parametrize("below", [0, 5])
def test_without_a_signal_a_deal_worth_something_is_unsure_on_either_side_of_the_bar(below):
    assert verdicts(five(below), np.array([5.0]), 3.0, signal=False).tolist() == ["unsure"]


def test_an_index_at_the_bar_is_pursued():
    assert verdicts(np.array([[3.0]]), np.array([5.0]), 3.0, signal=True).tolist() == ["pursue"]


def test_a_deal_without_a_value_per_hour_is_unsure():
    assert verdicts(np.array([[np.nan]]), np.array([5.0]), 3.0, signal=True).tolist() == ["unsure"]


@pytest.mark.parametrize(
    ("below", "worth", "verdict"),
    [(5, 0.5, "nurture"), (4, 5.0, "nurture"), (5, 0.0, "walk_away"), (3, 5.0, "unsure"), (0, 5.0, "pursue")],
)
def test_a_deal_that_may_wait_is_nurtured_only_below_the_bar_and_never_at_a_loss(below, worth, verdict):
    waits = np.array([True])

    assert verdicts(five(below), np.array([worth]), 3.0, signal=True, waits=waits).tolist() == [verdict]


def test_a_call_is_a_drop_above_what_four_of_five_members_stay_at_or_below():
    mixed = np.array([[4.0], [1.0], [9.0], [2.0], [3.0]])

    assert walk_away_above(mixed, np.array([5.0]), signal=True).tolist() == [4.0]
    assert walk_away_above(mixed[[1, 3, 4]], np.array([5.0]), signal=True).tolist() == [3.0]


@pytest.mark.parametrize(("signal", "worth_something"), [(True, 9.0), (False, np.inf)])
def test_a_deal_sold_at_a_loss_is_a_drop_at_every_bar_and_without_signal_no_other_is(signal, worth_something):
    index = np.full((5, 4), 9.0)
    found = walk_away_above(index, np.array([-1.0, 0.0, 0.5, 1.0]), signal)

    assert found.tolist() == [-np.inf, -np.inf, worth_something, worth_something]


def test_members_are_counted_for_each_call_by_itself():
    index = np.array([[1.0, 8.0], [2.0, 9.0], [3.0, 10.0], [4.0, 11.0], [5.0, 12.0]])

    assert walk_away_above(index, np.array([5.0, 5.0]), signal=True).tolist() == [4.0, 11.0]
