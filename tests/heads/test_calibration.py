from math import log

import numpy as np
import pytest
from scipy.special import logit

from walkaway.heads.calibration import IDENTITY, Calibration, fit_calibration, fit_scale

TINY_ODDS = -800.0  # a log-odds whose probability is 0 in floating point


def test_the_identity_is_the_logistic_function():
    assert IDENTITY.probability(np.array([-log(3.0), 0.0, log(3.0)])).round(15).tolist() == [0.25, 0.5, 0.75]


def test_slope_and_shift_act_on_the_log_odds():
    assert Calibration(0.5, log(3.0)).probability(np.array([0.0, -2 * log(3.0)])).round(15).tolist() == [0.75, 0.5]


def test_the_logarithm_of_a_probability_too_small_to_write_is_exact():
    assert Calibration(0.5, 1.0).log_probability(np.array([TINY_ODDS * 4])).tolist() == [TINY_ODDS * 2 + 1]


def test_the_logarithm_of_a_probability_near_one_keeps_its_last_digits():
    assert Calibration().log_probability(np.array([40.0])).tolist() == [-np.exp(-40.0)]


def test_the_logarithm_is_that_of_the_probability():
    raw, calibration = np.linspace(-20, 20, 81), Calibration(0.7, -0.3)

    np.testing.assert_allclose(np.exp(calibration.log_probability(raw)), calibration.probability(raw), rtol=1e-13)


@pytest.mark.parametrize("outcome", [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0], [0.5] * 4])
def test_a_fitted_calibration_is_strictly_increasing_even_where_the_outcomes_fall(outcome):
    fitted = fit_calibration(np.array([-2.0, -1.0, 1.0, 2.0]), np.array(outcome), np.full(4, 1e4), 1.0)

    assert fitted.slope > 0
    assert (np.diff(fitted.log_probability(np.linspace(-30, 5, 200))) > 0).all()


def test_outcomes_as_predicted_change_nothing():
    raw = np.array([-1.0, 0.5, 2.0])
    fitted = fit_calibration(raw, IDENTITY.probability(raw), np.ones(3), 1.0)

    assert (fitted.slope, fitted.shift) == pytest.approx((1.0, 0.0), abs=1e-6)


def test_with_many_deals_the_fit_recovers_the_slope_and_shift_that_made_the_outcomes():
    raw = np.linspace(-3, 3, 61)
    truth = Calibration(0.6, -0.4).probability(raw)
    fitted = fit_calibration(raw, truth, np.full(61, 1e5), 100.0)

    assert (fitted.slope, fitted.shift) == pytest.approx((0.6, -0.4), abs=2e-3)


def test_without_any_weight_the_prior_leaves_everything_as_it_is():
    fitted = fit_calibration(np.array([3.0]), np.array([0.0]), np.zeros(1), 100.0)

    assert (fitted.slope, fitted.shift) == (1.0, 0.0)


def test_a_shift_is_drawn_half_way_by_as_much_evidence_as_the_prior_holds():
    raw, prior, weight = np.zeros(1), 100.0, np.full(1, 400.0)
    shift = fit_calibration(raw, np.array([1.0]), weight, prior).shift

    assert 400 * (1 - Calibration().probability(np.array([shift]))[0]) == pytest.approx(prior * shift, rel=1e-4)
    assert 0 < shift < logit(0.999)


def test_weights_of_a_deal_that_sum_to_one_make_it_count_once():
    once = fit_calibration(np.array([1.0, -1.0]), np.array([0.0, 1.0]), np.ones(2), 5.0)
    split = fit_calibration(np.array([1.0, 1.0, -1.0]), np.array([0.0, 0.0, 1.0]), np.array([0.5, 0.5, 1.0]), 5.0)

    assert (split.slope, split.shift) == pytest.approx((once.slope, once.shift), rel=1e-6)


def scale_of(*folds):
    """The scale where each fold (predicted, came) is one row."""
    predicted, came = np.array(folds, dtype=np.float64).T
    return fit_scale(predicted, came, np.arange(len(folds)))


def test_the_scale_of_folds_that_agree_is_not_shrunk():
    assert scale_of((10.0, 11.0), (20.0, 22.0), (5.0, 5.5)) == pytest.approx(1.1, rel=1e-12)


def test_folds_that_cancel_out_change_nothing():
    assert scale_of((10.0, 20.0), (20.0, 10.0)) == 1.0


def test_the_more_folds_differ_the_less_they_change():
    # logarithms +-s around m = ln 1.1, two folds: the standard error of the mean is s
    m = log(1.1)
    for s in (0.05, 0.2, 1.0):
        found = scale_of((1.0, np.exp(m + s)), (1.0, np.exp(m - s)))
        assert log(found) == pytest.approx(m * m**2 / (m**2 + s**2), rel=1e-9)


def test_totals_of_folds_count_not_their_rows():
    rows = fit_scale(np.array([1.0, 9.0, 5.0]), np.array([9.0, 1.0, 5.0]), np.array(["a", "a", "b"]))

    assert rows == 1.0


@pytest.mark.parametrize("folds", [[(10.0, 30.0)], [(10.0, 30.0), (0.0, 5.0)], [(10.0, 30.0), (5.0, 0.0)]])
def test_one_fold_that_tells_anything_is_not_enough(folds):
    assert scale_of(*folds) == 1.0
