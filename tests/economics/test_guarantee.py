"""The guarantee holds where it is hardest: it is a test, so it is asked of worlds in which the bar is just too high."""

import numpy as np
import pytest

from walkaway.economics import guaranteed_bar, guaranteed_bars

BAR = 5.0


def wrongly_guaranteed(rng: np.random.Generator, deals: int, chance: float, large: float, share: float) -> float:
    """How often a bar is guaranteed that drops just the large deals, of which there are enough to forgo too much."""
    wrong = 0
    for _ in range(300):
        big = rng.random(deals) < chance
        lowest = np.where(big, BAR - 1.0, BAR + rng.random(deals))
        wrong += guaranteed_bar(np.where(big, large, 1.0), lowest, share, cap=large) > BAR - 1.0
    return wrong / 300


@pytest.mark.parametrize(("deals", "chance", "large"), [(300, 0.055, 2.0), (1_000, 0.052, 2.13), (60, 0.02, 5.72)])
def test_a_bar_that_forgoes_too_much_is_guaranteed_no_more_often_than_once_in_ten(deals, chance, large):
    share = chance * large / (chance * large + 1 - chance)
    assert share > 0.10

    assert wrongly_guaranteed(np.random.default_rng(1), deals, chance, large, 0.10) <= 0.10


def test_many_deals_of_which_few_are_forgone_are_guaranteed_nearly_all_of_the_share():
    lowest = np.arange(2_000.0)

    assert 0.07 < guaranteed_bar(np.ones(2_000), lowest, 0.10, cap=1.0) / 2_000 < 0.10


def test_with_few_deals_nothing_is_guaranteed():
    assert guaranteed_bar(np.ones(10), np.arange(10.0), 0.10, cap=1.0) == 0.0
    assert guaranteed_bar(np.zeros(0), np.zeros(0), 0.10, cap=1.0) == 0.0


def test_a_deal_that_has_not_ended_speaks_only_against_a_bar():
    """Dropped it may have been won; kept it may be lost."""
    lowest, settled = np.arange(300.0), np.arange(300) >= 5
    all_ended = guaranteed_bar(np.ones(300), lowest, 0.10, cap=1.0)

    assert guaranteed_bar(np.ones(300), lowest, 0.10, 1.0, settled) <= all_ended
    assert guaranteed_bar(np.ones(300), lowest, 0.10, 1.0, lowest < 150) < guaranteed_bar(
        np.ones(150), lowest[:150], 0.15, 1.0
    )


def test_a_larger_share_is_guaranteed_a_higher_bar():
    shares, bars = zip(*guaranteed_bars(np.ones(200), np.arange(200.0), cap=1.0), strict=True)

    assert list(bars) == sorted(bars)
    assert shares[0] > 0.01
    assert shares[-1] == 0.5


def test_each_share_has_the_bar_that_is_guaranteed_for_it_with_the_same_deals_still_open():
    lowest, settled = np.arange(200) / 400, np.arange(200) < 150
    bars = guaranteed_bars(np.ones(200), lowest, 1.0, settled)

    assert bars == tuple((share, guaranteed_bar(np.ones(200), lowest, share, 1.0, settled)) for share, _ in bars)
    assert bars != guaranteed_bars(np.ones(200), lowest, 1.0)
    assert [share for share, _ in bars][-3:] == [0.48, 0.49, 0.5]


def test_thousands_of_deals_do_not_overflow():
    assert guaranteed_bar(np.ones(50_000), np.arange(50_000.0), 0.10, cap=1.0) > 4_000


def test_where_every_bar_keeps_the_limit_the_highest_is_guaranteed():
    lowest = np.r_[0.25, np.full(99, 0.5)]  # a bar of 0.5 drops one deal of a hundred

    assert guaranteed_bar(np.ones(100), lowest, 0.10, cap=1.0) == 0.5
    assert guaranteed_bar(np.ones(100), -lowest, 0.10, cap=1.0) == 0.0
