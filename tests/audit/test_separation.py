import numpy as np
import pytest

from walkaway.audit.separation import binned, separation

HALF = np.repeat([0.0, 1.0], 50)


def test_a_column_that_equals_the_outcome_separates_it_wholly():
    found = separation(HALF, HALF)

    assert (found.auc, found.low) == (1.0, 1.0)


def test_a_column_of_noise_separates_nothing():
    noise = np.random.default_rng(1).random(2000)

    assert 0.45 < separation(noise, np.repeat([0.0, 1.0], 1000)).auc < 0.55


def test_being_missing_is_a_value_too():
    assert separation(np.where(HALF == 1, 7.0, np.nan), HALF).auc == 1.0


def test_a_column_may_separate_in_any_shape():
    values = np.arange(400.0)
    outcome = ((values >= 100) & (values < 300)).astype(float)

    assert separation(values, outcome).auc > 0.95


def test_categories_are_not_put_in_order():
    codes = np.tile([0.0, 1.0, 2.0], 40)
    found = separation(codes, (codes == 1).astype(float), categorical=True)

    assert found.auc == 1.0


def test_too_few_deals_of_one_kind_say_nothing():
    found = separation(np.arange(60.0), np.r_[np.ones(19), np.zeros(41)])

    assert np.isnan(found.auc)
    assert np.isnan(found.low)


def test_open_deals_are_left_out():
    values, outcome = np.r_[HALF, np.zeros(10)], np.r_[HALF, np.full(10, np.nan)]

    assert separation(values, outcome).auc == 1.0


def test_the_error_of_the_area_is_that_of_hanley_and_mcneil():
    values, outcome = np.tile([0.0, 1.0], 100), np.tile([0.0, 1.0, 1.0, 1.0], 50)
    found = separation(values, outcome, categorical=True)
    one, two = found.auc / (2 - found.auc), 2 * found.auc**2 / (1 + found.auc)
    variance = found.auc * (1 - found.auc) + 149 * (one - found.auc**2) + 49 * (two - found.auc**2)

    assert found.low == pytest.approx(found.auc - 1.645 * (variance / (150 * 50)) ** 0.5)


def test_weights_count_rows():
    """The same column, once with the rows that contradict it, once with those weighing next to nothing."""
    values, outcome = np.r_[HALF, np.ones(50)], np.r_[HALF, np.zeros(50)]
    heavy = separation(values, outcome, categorical=True)
    light = separation(values, outcome, categorical=True, weight=np.r_[np.ones(100), np.full(50, 1e-6)])

    assert heavy.auc < 0.8
    assert light.auc > 0.99


def test_numbers_are_binned_by_quantile_and_missing_is_bin_0():
    assert binned(np.array([np.nan, 1.0, 1.0, 2.0]), categorical=False).tolist()[0] == 0
    assert len(np.unique(binned(np.arange(1000.0), categorical=False))) == 17
