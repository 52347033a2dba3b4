import numpy as np
import pytest

from walkaway.evaluation import fit_logistic, fit_naive_bayes, rate_by_category


def test_the_logistic_baseline_predicts_where_values_are_missing():
    X = np.array([[0.0, np.nan], [0.1, np.nan], [1.0, np.nan], [0.9, np.nan]] * 25)
    say = fit_logistic(X, np.array([0.0, 0.0, 1.0, 1.0] * 25), [])
    low, unknown, high = say(np.array([[0.0, 1.0], [np.nan, np.nan], [1.0, 1.0]]))

    assert low < unknown < high
    assert low + high == pytest.approx(1.0, abs=0.02)


def test_naive_bayes_multiplies_the_shares_of_each_category():
    """By hand: of 4 won, 3 are a; of 4 lost, 1 is; with 0.1 added to each of 3 codes (none, a, b)."""
    X = np.array([[0.0], [0.0], [0.0], [1.0], [0.0], [1.0], [1.0], [1.0]])
    say = fit_naive_bayes(X, np.array([1.0] * 4 + [0.0] * 4), [0])

    a = (3.1 / 4.3) / (3.1 / 4.3 + 1.1 / 4.3)
    assert say(np.array([[0.0], [1.0], [np.nan], [9.0]])).tolist() == pytest.approx([a, 1 - a, 0.5, 0.5])


def test_naive_bayes_looks_at_no_number_and_without_categories_is_the_base_rate():
    X = np.column_stack([np.random.default_rng(0).normal(size=40), np.arange(40) % 2])
    won = (np.arange(40) % 4 == 0).astype(np.float64)
    say = fit_naive_bayes(X, won, [1])

    assert say(X + np.array([5.0, 0.0])).tolist() == say(X).tolist()
    assert set(fit_naive_bayes(X, won, [])(X)) == {0.25}


def test_the_logistic_baseline_takes_categories_for_names_not_for_numbers():
    X = np.array([[0.0], [1.0], [2.0], [np.nan]] * 100)
    say = fit_logistic(X, np.array([1.0, 0.0, 1.0, 0.0] * 100), [0])
    first, second, third, missing, unseen = say(np.array([[0.0], [1.0], [2.0], [np.nan], [7.0]]))

    assert second < 0.45 < unseen < 0.55 < first
    assert (third, missing) == pytest.approx((first, second), abs=1e-3)


def test_without_any_column_the_logistic_baseline_says_the_base_rate():
    assert fit_logistic(np.empty((4, 0)), np.array([1.0, 0.0, 0.0, 0.0]), [])(np.empty((2, 0))).tolist() == [0.25, 0.25]


def test_the_rate_of_a_category_is_its_share_won_and_of_an_unknown_one_that_of_all():
    say = rate_by_category(np.array([0.0, 0.0, 1.0, np.nan]), np.array([1.0, 0.0, 1.0, 0.0]))

    assert say(np.array([0.0, 1.0, 2.0, np.nan])).tolist() == [0.5, 1.0, 0.5, 0.5]
