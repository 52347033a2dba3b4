import numpy as np
import pytest

from walkaway.economics import Curve, settle_drops

# Two deals: d0 (lost) falls to 3 and then 1, with 4 and 2 hours to go; d1 (won, 100) stands at 2 with 6 hours to go.
DEAL = np.array([0, 0, 1])
INDEX = np.array([3.0, 1.0, 2.0])
HOURS = np.array([4.0, 2.0, 6.0])
WORTH = np.array([0.0, 0.0, 100.0])


CURVE = Curve((1.0, 2.0, 3.0), (9.0, 5.0, 2.0), (0.1, 0.5, 0.8), (0.0, 0.1, 0.4))


@pytest.mark.parametrize(("share", "bar"), [(0.0, 1.0), (0.09, 1.0), (0.1, 2.0), (0.39, 2.0), (1.0, 3.0)])
def test_the_bar_for_a_forgone_share_is_the_highest_that_stays_at_or_below_it(share, bar):
    assert CURVE.bar_for_forgo(share) == bar


def test_where_no_bar_stays_below_the_share_it_is_zero():
    assert Curve((1.0,), (9.0,), (0.1,), (0.3,)).bar_for_forgo(0.1) == 0.0


@pytest.mark.parametrize(
    ("bar", "worked", "saved", "forgone"),
    [(0.0, 9.0, 0.1, 0.0), (0.5, 9.0, 0.1, 0.0), (1.0, 9.0, 0.1, 0.0), (2.5, 3.5, 0.65, 0.25), (9.0, 2.0, 0.8, 0.4)],
)
def test_the_curve_between_its_bars_is_straight_and_level_outside_them(bar, worked, saved, forgone):
    assert CURVE.at(bar) == pytest.approx((worked, saved, forgone), abs=1e-12)


@pytest.mark.parametrize(("bar", "expected"), [(-5.0, (9.0, 0.1, 0.0)), (1.0, (5.0, 0.5, 0.1)), (2.0, (2.0, 0.8, 0.4))])
def test_a_curve_whose_first_bar_is_negative_still_says_at_each_bar_what_it_holds(bar, expected):
    curve = Curve((-5.0, 1.0, 2.0), (9.0, 5.0, 2.0), (0.1, 0.5, 0.8), (0.0, 0.1, 0.4))

    assert curve.at(bar) == pytest.approx(expected, abs=1e-12)


def test_a_curve_without_bars_frees_and_forgoes_nothing():
    worked, *rest = Curve((), (), (), ()).at(5.0)

    assert (np.isnan(worked), rest) == (True, [0.0, 0.0])


def test_a_curve_of_drops_is_in_shares_and_hours_a_week():
    curve = Curve.of(settle_drops(DEAL, INDEX, HOURS, WORTH, bars=np.array([1.5, 2.5])), weeks=2.0)

    assert curve == Curve((1.5, 2.5), (4.0, 1.0), (0.2, 0.8), (0.0, 1.0), estimated=True)


def test_a_thinned_curve_keeps_its_first_and_last_bar():
    drops = settle_drops(DEAL, INDEX, HOURS, WORTH, bars=np.arange(1.0, 9.0))

    assert Curve.of(drops, weeks=1.0, points=3).bars == (1.0, 5.0, 8.0)
