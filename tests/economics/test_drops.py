import importlib.util
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from walkaway.economics import (
    area,
    clairvoyant_index,
    hours_saved_at,
    lowest_calls,
    settle_drops,
    skill,
    skill_of,
    trade_off,
)

# Two deals: d0 (lost) falls to 3 and then 1, with 4 and 2 hours to go; d1 (won, 100) stands at 2 with 6 hours to go.
DEAL = np.array([0, 0, 1])
INDEX = np.array([3.0, 1.0, 2.0])
HOURS = np.array([4.0, 2.0, 6.0])
WORTH = np.array([0.0, 0.0, 100.0])


def test_a_deal_is_dropped_at_its_first_call_below_the_bar():
    drops = settle_drops(DEAL, INDEX, HOURS, WORTH, bars=np.array([1.0, 1.5, 2.5, 3.5]))

    assert drops.hours_saved.tolist() == [0.0, 2.0, 8.0, 10.0]
    assert drops.value_forgone.tolist() == [0.0, 0.0, 100.0, 100.0]
    assert (drops.hours, drops.value) == (10.0, 100.0)


def test_a_call_at_the_bar_is_not_below_it():
    assert settle_drops(DEAL, INDEX, HOURS, WORTH, bars=np.array([2.0])).hours_saved.tolist() == [2.0]


def test_a_deal_once_dropped_stays_dropped_though_its_index_recovers():
    drops = settle_drops(
        np.zeros(3, int), np.array([5.0, 1.0, 9.0]), np.array([4.0, 3.0, 2.0]), np.ones(3), np.array([2.0])
    )

    assert drops.hours_saved.tolist() == [3.0]


def test_without_bars_every_finite_value_of_the_index_is_one():
    drops = settle_drops(DEAL, np.array([3.0, -np.inf, np.inf]), HOURS, WORTH)

    assert (drops.bars.tolist(), drops.hours_saved.tolist()) == ([3.0], [2.0])


@pytest.mark.parametrize("never", [np.inf, np.nan])
def test_an_endless_or_missing_index_is_never_dropped(never):
    assert settle_drops(DEAL, np.array([3.0, 1.0, never]), HOURS, WORTH, np.array([9.0])).value_forgone.tolist() == [
        0.0
    ]


def test_dropping_a_deal_won_at_a_loss_forgoes_nothing():
    drops = settle_drops(DEAL, INDEX, HOURS, np.array([0.0, 0.0, -100.0]), np.array([9.0]))

    assert (drops.value_forgone.tolist(), drops.value) == ([0.0], 0.0)


def test_a_weight_counts_a_deal_that_often():
    drops = settle_drops(DEAL, INDEX, HOURS, WORTH, np.array([2.5]), weight=np.array([3.0, 3.0, 2.0]))

    assert (drops.hours_saved.tolist(), drops.value_forgone.tolist()) == ([18.0], [200.0])
    assert (drops.hours, drops.value) == (24.0, 200.0)


def test_without_calls_nothing_is_dropped():
    drops = settle_drops(np.zeros(0, int), np.zeros(0), np.zeros(0), np.zeros(0), np.array([1.0]))

    assert (drops.hours_saved.tolist(), drops.hours, drops.value) == ([0.0], 0.0, 0.0)


small = st.integers(0, 5)
calls = st.lists(st.tuples(small, small, small), min_size=1, max_size=4)
deals_drawn = st.lists(st.tuples(calls, st.integers(-3, 5), st.integers(0, 3)), min_size=1, max_size=5)


def _columns(drawn):
    """deal, index, hours, worth and weight, one number a call."""
    rows = [(d, i, h, worth, weight) for d, (own, worth, weight) in enumerate(drawn) for i, h, _ in own]
    deal, *rest = (np.array(column) for column in zip(*rows, strict=True))
    return deal, *(column.astype(float) for column in rest)


def _slow(drawn, bar):
    """Hours saved and value forgone, deal by deal and call by call."""
    hours, value = 0, 0
    for own, worth, weight in drawn:
        dropped = [h for index, h, _ in own if index < bar]
        if dropped:
            hours += dropped[0] * weight
            value += max(worth, 0) * weight
    return hours, value


@given(deals_drawn)
def test_settling_all_bars_at_once_says_what_settling_call_by_call_says(drawn):
    deal, index, hours, worth, weight = _columns(drawn)
    bars = np.arange(-1.0, 7.5, 0.5)
    drops = settle_drops(deal, index, hours, worth, bars, weight)

    assert [*zip(drops.hours_saved, drops.value_forgone, strict=True)] == [_slow(drawn, bar) for bar in bars]


@given(deals_drawn)
def test_the_value_forgone_never_falls_as_the_bar_rises(drawn):
    drops = settle_drops(*_columns(drawn)[:4])

    assert (np.diff(drops.value_forgone) >= 0).all()


def test_the_trade_off_runs_from_nothing_to_everything_and_hours_never_fall():
    forgone, saved = trade_off(settle_drops(DEAL, INDEX, HOURS, WORTH, np.array([1.5, 2.5, 3.5])))

    assert (forgone.tolist(), saved.tolist()) == ([0.0, 0.0, 1.0, 1.0, 1.0], [0.0, 0.2, 0.8, 1.0, 1.0])


def test_hours_saved_earlier_are_not_lost_by_a_bar_that_drops_earlier():
    # d0 still needs 1 hour at its first call and 5 at its second: the higher bar saves less
    drops = settle_drops(
        np.array([0, 0]), np.array([2.0, 1.0]), np.array([1.0, 5.0]), np.zeros(2), np.array([1.5, 2.5])
    )

    assert drops.hours_saved.tolist() == [5.0, 1.0]
    assert trade_off(drops)[1].tolist() == [0.0, 1.0, 5.0, 5.0]


def test_without_won_value_nothing_is_forgone_and_without_hours_none_are_saved():
    lost = settle_drops(DEAL, INDEX, HOURS, np.zeros(3), np.array([1.5, 3.5]))
    effortless = settle_drops(DEAL, INDEX, np.zeros(3), WORTH, np.array([1.5, 3.5]))

    assert [part.tolist() for part in trade_off(lost)] == [[0.0, 0.0, 0.0, 1.0], [0.0, 0.2, 1.0, 1.0]]
    assert [part.tolist() for part in trade_off(effortless)] == [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]]


def test_the_lowest_call_of_each_deal_is_the_smallest_index_it_was_called_with():
    assert lowest_calls(DEAL, INDEX).tolist() == [1.0, 2.0]
    assert lowest_calls(np.array([0, 0, 0]), np.array([2.0, 1.0, 3.0])).tolist() == [1.0]
    assert lowest_calls(np.zeros(0, int), np.zeros(0)).tolist() == []


@pytest.mark.parametrize(("share", "saved"), [(0.0, 0.2), (0.99, 0.2), (1.0, 1.0)])
def test_hours_saved_at_a_share_are_the_most_at_which_no_more_is_forgone(share, saved):
    drops = settle_drops(DEAL, INDEX, HOURS, WORTH, bars=np.array([1.5, 2.5, 3.5]))

    assert hours_saved_at(drops, share) == saved


@pytest.mark.parametrize("missing", [{"remaining_hours": np.zeros(3)}, {"worth": np.zeros(3)}])
def test_without_hours_or_without_won_value_no_share_of_hours_is_saved_at_a_share_forgone(missing):
    drops = settle_drops(DEAL, INDEX, **({"remaining_hours": HOURS, "worth": WORTH} | missing))

    assert np.isnan(hours_saved_at(drops, 0.1))


def test_the_clairvoyant_ranks_by_worth_over_hours_and_an_hour_is_at_least_a_thousandth():
    assert clairvoyant_index(np.array([0.0, 2.0]), np.array([9.0, 9.0])).tolist() == [9_000.0, 4.5]


def test_the_area_of_one_straight_line_is_half():
    assert area(settle_drops(np.array([0]), np.array([1.0]), np.array([1.0]), np.array([1.0]))) == pytest.approx(
        0.5, abs=1e-12
    )


def test_the_area_up_to_a_fifth_of_one_straight_line_is_a_fiftieth():
    drops = settle_drops(np.array([0]), np.array([1.0]), np.array([1.0]), np.array([1.0]))

    assert area(drops, up_to=0.2) == pytest.approx(0.02, abs=1e-12)


FIVE = {"remaining_hours": np.array([5.0, 3.0, 1.0, 4.0, 2.0]), "worth": np.array([0.0, 100.0, 400.0, 0.0, 200.0])}


@pytest.mark.parametrize("up_to", [1.0, 0.2])
def test_the_skill_of_the_clairvoyant_is_one(up_to):
    assert skill(np.arange(5), FIVE["worth"] / FIVE["remaining_hours"], **FIVE, up_to=up_to) == pytest.approx(
        1.0, abs=1e-12
    )


@pytest.mark.parametrize("up_to", [1.0, 0.2])
def test_a_ranking_that_frees_as_much_as_it_forgoes_has_no_skill(up_to):
    straight = settle_drops(np.array([0]), np.array([1.0]), np.array([1.0]), np.array([1.0]))
    best = settle_drops(np.arange(5), FIVE["worth"] / FIVE["remaining_hours"], **FIVE)

    assert skill_of(straight, best, up_to) == pytest.approx(0.0, abs=1e-12)


def test_skill_is_of_the_settled_drops_over_the_whole_curve_or_up_to_a_share():
    index = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    own = settle_drops(np.arange(5), index, **FIVE)
    best = settle_drops(np.arange(5), clairvoyant_index(**FIVE), **FIVE)

    assert skill(np.arange(5), index, **FIVE) == skill_of(own, best) == skill_of(own, best, 1.0)
    assert skill(np.arange(5), index, **FIVE, up_to=0.2) == skill_of(own, best, 0.2)
    assert skill_of(own, best, 0.2) != skill_of(own, best)


def test_the_skill_of_dropping_in_a_random_order_is_zero_over_all_orders():
    # Turning an order round reflects its curve at (1/2, 1/2), so that the areas of both add up to 1. Only the jumps at
    # forgone = 0 and 1 break this on the grid of 401 points: at most half a step (1/800) each of a jump of at most 1.
    found = [skill(np.arange(5), np.array(order, dtype=float), **FIVE) for order in itertools.permutations(range(5))]
    best = area(settle_drops(np.arange(5), FIVE["worth"] / FIVE["remaining_hours"], **FIVE)) - 0.5

    assert abs(np.mean(found)) <= 2 / 800 / best
    assert (min(found) < -0.5, max(found)) == (True, pytest.approx(1.0, abs=1e-12))


def test_the_skill_of_random_draws_is_zero_within_four_standard_errors_and_the_grid():
    rng = np.random.default_rng(7)
    hours, worth = rng.exponential(5.0, 60), np.where(rng.random(60) < 0.3, rng.exponential(100.0, 60), 0.0)
    found = np.array([skill(np.arange(60), rng.random(60), hours, worth) for _ in range(400)])

    assert abs(found.mean()) <= 4 * found.std() / np.sqrt(400) + 2 / 800


def test_the_skill_of_the_wrong_way_round_is_negative():
    assert skill(np.arange(5), -FIVE["worth"] / FIVE["remaining_hours"], **FIVE) < -0.9


def test_skill_depends_on_the_order_of_the_index_only():
    index = np.array([3.0, 1.0, 2.0, 5.0, 4.0])

    assert skill(np.arange(5), np.exp(index), **FIVE) == skill(np.arange(5), index, **FIVE)


def test_a_weight_of_two_is_a_deal_that_is_there_twice():
    index, weight = np.array([3.0, 1.0, 2.0, 5.0, 4.0]), np.array([2.0, 1.0, 1.0, 1.0, 1.0])
    twice = {name: np.r_[column, column[:1]] for name, column in FIVE.items()}

    assert skill(np.arange(5), index, **FIVE, weight=weight) == pytest.approx(
        skill(np.arange(6), np.r_[index, index[:1]], **twice), abs=1e-12
    )


def test_skill_is_missing_where_even_the_clairvoyant_saves_nothing():
    assert np.isnan(skill(np.array([0]), np.array([1.0]), np.array([1.0]), np.array([1.0])))


def test_the_skill_of_the_shared_calls_is_the_judges(shared):
    spec = importlib.util.spec_from_file_location("judge_bpic2012", shared("tools/judge_bpic2012.py"))
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    deals, work, end = judge.read_log(shared("data/bpic2012/bpic2012_to_2012-01-15.xes.gz"))
    grid = judge.due_calls(deals, work, "2011-11-21", end)
    rows, missing = judge.load(shared("data/bpic2012/floor_calls_from_2011-11-21.parquet"), grid)
    truth, _ = judge.judge(rows, np.random.default_rng(0), boot=1)
    deal, hours, worth = pd.factorize(rows["deal_id"])[0], rows["rem"].to_numpy(), rows["worth"].to_numpy(dtype=float)

    assert (len(rows), missing) == (17_827, 0)
    for name in ("value_per_hour", "expected_value", "win_probability", "amount"):
        index = rows[name].to_numpy(dtype=float)
        assert skill(deal, index, hours, worth) == pytest.approx(truth[name]["skill"], abs=0.005)
        assert skill(deal, index, hours, worth, up_to=0.2) == pytest.approx(truth[name]["skill_up_to_0.2"], abs=0.005)
