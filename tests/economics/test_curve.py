import dataclasses
import json

import numpy as np
import pytest

from walkaway.economics import Curve, equal_wins, settle_drops
from walkaway.formatting import LocaleFormat

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

    assert curve == Curve((1.5, 2.5), (4.0, 1.0), (0.2, 0.8), (0.0, 1.0), estimated=True, hours=10.0, value=100.0)


def test_a_thinned_curve_keeps_its_first_and_last_bar():
    drops = settle_drops(DEAL, INDEX, HOURS, WORTH, bars=np.arange(1.0, 9.0))

    assert Curve.of(drops, weeks=1.0, points=3).bars == (1.0, 5.0, 8.0)


# Three deals over two weeks: d0 is sold at a loss (dropped at every bar), d1 is dropped above 2, d2 above 5.
PAST = {
    "deal": np.array([0, 1, 2]),
    "walk_away_above": np.array([-np.inf, 2.0, 5.0]),
    "hours": np.array([60.0, 20.0, 40.0]),
    "worth": np.array([0.0, 10.0, 90.0]),
}
BOOKED = np.array([4.0, 10.0, 6.0])  # of these hours, within the two weeks


def test_a_settled_curve_begins_where_no_bar_is_set_and_only_the_deal_sold_at_a_loss_is_dropped():
    curve = Curve.settled(**PAST, booked=BOOKED, weeks=2.0)

    assert curve.bars == (0.0, 2.0, 5.0)
    assert curve.hours_per_week == (8.0, 8.0, 3.0)
    assert curve.hours_saved == (0.5, 0.5, 80 / 120)
    assert curve.value_forgone == (0.0, 0.0, 0.1)
    assert curve.at(0.0) == (8.0, 0.5, 0.0)


@pytest.mark.parametrize(("capacity", "bar"), [(16.0, 0.0), (9.0, 0.0), (8.0, 0.0), (7.9, 5.0), (3.0, 5.0), (2.0, 5.0)])
def test_no_bar_is_set_where_all_booked_hours_but_those_of_deals_sold_at_a_loss_fit(capacity, bar):
    assert Curve.settled(**PAST, booked=BOOKED, weeks=2.0).bar_for_capacity(capacity) == bar


@pytest.mark.parametrize(("capacity", "bar"), [(12.0, 0.0), (11.0, 2.0), (9.0, 2.0), (8.9, 4.0), (1.0, 4.0)])
def test_a_bar_is_set_where_hours_without_one_do_not_fit_though_a_share_of_all_hours_would_say_so(capacity, bar):
    """The first bar's 9 hours over 90% are 10, and without a bar 12 are worked."""
    curve = Curve((0.0, 2.0, 4.0), (12.0, 9.0, 4.0), (0.0, 0.1, 0.5), (0.0, 0.0, 0.1))

    assert curve.bar_for_capacity(capacity) == bar


def test_below_its_first_bar_a_curve_needs_the_hours_of_that_bar_and_no_share_is_added_to_them():
    curve = Curve((2.0, 4.0), (8.0, 3.0), (0.5, 0.8), (0.0, 0.1))

    assert [curve.bar_for_capacity(hours) for hours in (16.0, 9.0, 8.0, 7.0)] == [0.0, 0.0, 0.0, 4.0]


def test_a_settled_curve_says_whether_some_ends_are_only_expected():
    assert Curve.settled(**PAST, booked=BOOKED, weeks=2.0).estimated
    assert not Curve.settled(**PAST, booked=BOOKED, weeks=2.0, estimated=False).estimated


def test_a_curve_without_won_value_or_without_hours_forgoes_and_saves_nothing():
    lost = Curve.of(settle_drops(DEAL, INDEX, HOURS, np.zeros(3), np.array([1.5, 2.5])), weeks=2.0)
    effortless = Curve.of(settle_drops(DEAL, INDEX, np.zeros(3), WORTH, np.array([1.5, 2.5])), weeks=2.0)

    assert lost == Curve((1.5, 2.5), (4.0, 1.0), (0.2, 0.8), (0.0, 0.0), hours=10.0)
    assert effortless == Curve((1.5, 2.5), (0.0, 0.0), (0.0, 0.0), (0.0, 1.0), value=100.0)


def test_a_long_curve_is_thinned_to_200_bars_unless_told_otherwise():
    drops = settle_drops(np.arange(300), np.arange(300.0) + 1, np.ones(300), np.ones(300))

    assert len(Curve.of(drops, weeks=1.0).bars) == 200


def test_a_curve_of_one_bar_of_0_or_of_two_bars_keeps_them():
    one = settle_drops(DEAL, INDEX, HOURS, WORTH, bars=np.array([0.0]))
    two = settle_drops(DEAL, INDEX, HOURS, WORTH, bars=np.array([0.0, 2.0]))

    assert Curve.of(one, weeks=1.0).bars == (0.0,)
    assert Curve.of(two, weeks=1.0).bars == (0.0, 2.0)


def test_calls_that_no_bar_drops_give_a_curve_without_bars():
    never = PAST | {"walk_away_above": np.array([-np.inf, np.inf, np.inf])}

    found = Curve.settled(**never, booked=BOOKED, weeks=2.0)

    assert found == Curve((), (), (), (), hours=120.0, value=100.0)


def test_a_settled_curve_is_thinned_above_no_bar():
    deal, above = np.arange(9), np.arange(1.0, 10.0)
    drops = settle_drops(deal, above, np.ones(9), np.ones(9), bars=np.r_[0.0, above])

    assert Curve.of(drops, weeks=1.0, points=3).bars == (0.0, 1.0, 5.0, 9.0)


DIALS = Curve(
    CURVE.bars,
    CURVE.hours_per_week,
    CURVE.hours_saved,
    CURVE.value_forgone,
    guaranteed=((0.08, 1.5), (0.15, 4.0)),
    wins=7.0,
)


@pytest.mark.parametrize(
    ("dial", "bar"),
    [
        ({"forgo": 0.1}, 2.0),
        ({"forgo": 0.1, "bar": 7.0}, 7.0),
        ({"forgo": 0.1, "bar": 7.0, "capacity": 2.0, "guarantee": True}, 7.0),
        ({"forgo": 0.1, "capacity": 2.0}, 3.0),
        ({"forgo": 0.1, "capacity": 2.0, "guarantee": True}, 3.0),
        ({"forgo": 0.1, "guarantee": True}, 1.5),
    ],
)
def test_a_bar_set_by_hand_goes_before_capacity_and_capacity_before_the_share_forgone(dial, bar):
    assert DIALS.bar_of(**dial) == bar


@pytest.mark.parametrize(("share", "bar"), [(0.07, 0.0), (0.08, 1.5), (0.149, 1.5), (0.15, 4.0), (1.0, 4.0)])
def test_the_guaranteed_bar_is_the_highest_whose_share_is_at_or_below_that_asked_for(share, bar):
    assert DIALS.guaranteed_bar_for(share) == bar


def test_a_curve_comes_back_from_json_as_it_was():
    described = json.loads(json.dumps(dataclasses.asdict(DIALS)))

    assert Curve.from_json(described) == DIALS
    assert Curve.from_json(described | {"estimated": False, "guaranteed": []}) == dataclasses.replace(
        DIALS, estimated=False, guaranteed=()
    )
    for name in ("guaranteed", "hours", "value", "wins"):
        del described[name]
    old = Curve.from_json(described)
    assert (old.guaranteed, old.hours, old.value, old.wins) == ((), 0.0, 0.0, 0.0)


TOTALS = Curve((0.0, 2.0, 4.0), (9.0, 5.0, 2.0), (0.0, 0.5, 0.8), (0.0, 0.1, 0.4), hours=100.0, value=900.0)


@pytest.mark.parametrize(
    ("bar", "gain", "total"), [(2.0, (50.0, 100.0, 90.0), 10.0), (4.0, (80.0, 320.0, 360.0), -40.0)]
)
def test_a_bar_gains_the_saved_hours_at_its_price_less_the_lost_value(bar, gain, total):
    found = TOTALS.gain_at(bar)

    assert found == pytest.approx(gain)
    assert found.total == pytest.approx(total)


@pytest.mark.parametrize("curve", [Curve((), (), (), (), hours=5.0), dataclasses.replace(TOTALS, hours=0.0)])
def test_without_bars_or_hours_what_a_bar_gains_is_not_known(curve):
    assert curve.gain_at(2.0) is None


@pytest.mark.parametrize("name", ["bars", "hours_per_week", "hours_saved", "value_forgone", "estimated"])
def test_a_curve_without_one_of_its_columns_is_refused(name):
    described = dataclasses.asdict(DIALS)
    del described[name]

    with pytest.raises(KeyError, match=name):
        Curve.from_json(described)


def test_a_refusal_writes_its_shares_by_locale():
    refused = Curve((), (), (), (), guaranteed=((0.36, 5.0),)).refusal(0.10, LocaleFormat("de_DE"))

    assert refused == (
        "No bar meets a 10 % loss limit at 90 % confidence; none is set. The smallest limit that one meets is 36 %."
    )


@pytest.mark.parametrize(
    ("values", "wins"), [([5.0, 5.0, 0.0, -3.0], 2.0), ([3.0, 1.0], 16 / 10), ([0.0], 0.0), ([], 0.0)]
)
def test_wins_of_unequal_value_tell_as_much_as_fewer_of_equal_value(values, wins):
    assert equal_wins(np.array(values)) == pytest.approx(wins)
