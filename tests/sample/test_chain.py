import numpy as np
import pytest

from walkaway.sample.chain import (
    ASLEEP,
    CLASSES,
    CUT,
    SHAPE,
    Calendar,
    _moves,
    backward,
    class_of,
    parts,
    state_of,
    week_of,
)

STILL = Calendar(4, drifts=False)


@pytest.fixture(scope="module")
def truth():
    return backward(Calendar(4, drifts=False))


def test_a_state_and_its_parts_name_each_other():
    assert state_of(*parts()).tolist() == list(range(int(np.prod(SHAPE))))


def test_what_may_happen_in_a_week_are_chances():
    week = week_of(Calendar(208), 100)

    assert week.goes_on.min() > 0
    assert [name for name, c in vars(week).items() if name != "rates" and not ((c >= 0) & (c <= 1)).all()] == []


def test_the_moves_of_a_deal_that_goes_on_add_up_to_one():
    for table in _moves(week_of(STILL, 0)):
        np.testing.assert_allclose(table.sum(axis=-1), 1.0, rtol=0, atol=1e-12)


def test_a_deal_asleep_takes_no_hours_and_is_not_won_this_week():
    asleep = parts()[1] == ASLEEP
    week = week_of(STILL, 0)

    assert (week.hours[:, asleep].max(), week.won[:, asleep].max()) == (0.0, 0.0)


def test_without_drift_the_truth_of_every_week_is_the_same(truth):
    np.testing.assert_allclose(truth.win_probability[0], truth.win_probability[-1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(truth.remaining_hours[0], truth.remaining_hours[-1], rtol=0, atol=1e-5)


def test_with_drift_later_deals_are_won_less_often():
    truth = backward(Calendar(105))

    assert truth.win_probability[104].mean() < truth.win_probability[0].mean()  # the same season, two years later


def test_the_truth_is_its_own_expectation_a_week_ahead(truth):
    """Written once more, state by state, from the tables of moves."""
    week = week_of(STILL, 0)
    to_quiet, to_others = _moves(week)
    class_, state = int(class_of(2, 1)), int(state_of(3, 1, 1, 0, 1))
    ahead = 0.0
    for quiet in range(5):
        for other in np.flatnonzero(to_others[class_, state]):
            stage, decider, pushed, cut = np.unravel_index(other, (4, 2, 3, 3))
            chance = to_quiet[class_, state, quiet] * to_others[class_, state, other]
            ahead += chance * truth.win_probability[1][class_, state_of(stage, quiet, decider, pushed, cut)]
    expected = week.won[class_, state] + week.goes_on[class_, state] * ahead

    assert truth.win_probability[0][class_, state] == pytest.approx(expected, abs=1e-9)


def test_of_an_amount_cut_twice_just_that_is_left_at_signing(truth):
    twice = parts()[-1] == 2

    np.testing.assert_allclose(truth.share_if_won[:, :, twice], CUT**2, rtol=1e-9)
    assert (truth.share_if_won[:, :, ~twice] > CUT**2).all()


def test_a_better_fit_wins_more_and_a_larger_account_takes_more_hours(truth):
    state = int(state_of(2, 1, 0, 0, 0))
    won, hours = truth.win_probability[0][:, state], truth.remaining_hours[0][:, state]

    assert won.shape == (CLASSES,)
    assert won[class_of(0, 1)] < won[class_of(1, 1)] < won[class_of(2, 1)]
    assert hours[class_of(1, 0)] < hours[class_of(1, 1)] < hours[class_of(1, 2)]
