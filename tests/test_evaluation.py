from math import log

import numpy as np
import pandas as pd
import pytest

from walkaway.evaluation import (
    by_age,
    by_ending,
    deal_weights,
    fit_logistic,
    fit_naive_bayes,
    has_signal,
    interval,
    log_loss_rows,
    skills,
    win_metrics,
)


def calls_of(won, probability, base=0.5, deal=None, **others):
    deal = [f"d{i}" for i in range(len(won))] if deal is None else deal
    frame = pd.DataFrame({"deal_id": deal, "won": np.array(won, dtype=float), "win_probability": probability})
    return frame.assign(base_rate=base, **others)


def test_the_log_loss_of_a_row_is_minus_the_logarithm_of_what_was_said_of_its_end():
    loss = log_loss_rows(np.array([1.0, 0.0, 0.5]), np.array([0.25, 0.25, 0.25]))

    assert loss.round(12).tolist() == [round(x, 12) for x in (-log(0.25), -log(0.75), -(log(0.25) + log(0.75)) / 2)]


@pytest.mark.parametrize(("won", "probability"), [(1.0, 0.0), (0.0, 1.0)])
def test_a_certainty_that_was_wrong_costs_much_but_not_infinitely(won, probability):
    assert log_loss_rows(np.array([won]), np.array([probability]))[0] == pytest.approx(-log(1e-9), rel=1e-6)


def test_all_rows_of_a_deal_count_alike_in_each_draw():
    weights = deal_weights(np.array(["a", "b", "a", "c", "b"]), draws=50)

    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()  # as many deals drawn as there are
    assert len(np.unique(weights, axis=0)) > 3


def test_the_same_seed_draws_the_same_deals_and_another_seed_others():
    deal = np.arange(20)

    assert deal_weights(deal, 5, seed=1).tolist() == deal_weights(deal, 5, seed=1).tolist()
    assert deal_weights(deal, 5, seed=1).tolist() != deal_weights(deal, 5, seed=2).tolist()


def test_the_interval_holds_the_middle_nine_tenths():
    assert interval(np.arange(101.0)) == pytest.approx([5.0, 95.0], abs=1e-12)


def test_draws_without_a_number_are_left_out_of_the_interval():
    assert interval(np.r_[np.arange(101.0), np.nan, np.inf]) == pytest.approx([5.0, 95.0], abs=1e-12)


def test_an_interval_of_no_number_is_no_number():
    assert np.isnan(interval(np.array([np.nan, np.nan]))).tolist() == [True, True]


def test_metrics_of_a_perfect_and_a_constant_prediction_are_exact():
    calls = calls_of([1, 1, 0, 0], [1.0, 1.0, 0.0, 0.0])
    found = win_metrics(calls, ["win_probability", "base_rate"], draws=20).round(6)

    assert found.loc["win_probability"].to_dict() == dict.fromkeys(found.columns, 0.0) | {"auc": 1.0}
    brier = {"brier": 0.25, "brier_low": 0.25, "brier_high": 0.25}
    half = round(log(2), 6)
    assert found.loc["base_rate"].to_dict() == {"auc": 0.5} | brier | {
        "log_loss": half,
        "log_loss_low": half,
        "log_loss_high": half,
    }


def test_the_auc_is_no_number_where_all_deals_ended_alike():
    assert np.isnan(win_metrics(calls_of([1, 1], [0.2, 0.9]), ["win_probability"], 20)["auc"].item())


def test_a_metrics_interval_counts_deals_and_not_rows():
    won = np.repeat([1.0, 0.0, 1.0, 0.0], 25)
    p = np.repeat([0.9, 0.4, 0.2, 0.3], 25)
    grouped = win_metrics(calls_of(won, p, deal=np.repeat(list("abcd"), 25)), ["win_probability"], 200)
    each_alone = win_metrics(calls_of(won, p), ["win_probability"], 200)

    width = [(m["brier_high"] - m["brier_low"]).item() for m in (grouped, each_alone)]
    assert width[0] > 3 * width[1]
    assert grouped["brier"].item() == pytest.approx(each_alone["brier"].item(), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_noise_around_the_base_rate_is_no_signal(seed):
    rng = np.random.default_rng(seed)
    won = rng.random(400) < 0.5

    assert has_signal(calls_of(won, np.clip(0.5 + rng.normal(0, 0.1, 400), 0.01, 0.99)), 200) is False


def test_the_base_rate_itself_is_no_signal():
    assert has_signal(calls_of([1, 0] * 50, [0.5] * 100), 20) is False


def test_predictions_that_tell_won_from_lost_are_signal():
    won = np.array([1, 0] * 50)

    assert has_signal(calls_of(won, np.where(won == 1, 0.7, 0.3)), 20) is True


def test_a_gain_that_rests_on_one_deal_of_many_rows_is_no_signal():
    won = np.r_[np.ones(90), [1, 0] * 5]
    p = np.r_[np.full(90, 0.99), [0.4, 0.6] * 5]
    deal = ["big"] * 90 + [f"d{i}" for i in range(10)]

    assert has_signal(calls_of(won, p), 200) is True
    assert has_signal(calls_of(won, p, deal=deal), 200) is False


def test_calls_are_counted_by_age_with_the_lower_edge_included():
    calls = calls_of(
        [1, 0, 1, 1], [0.5, 0.5, 1.0, 0.0], base=0.5, deal=["a", "b", "a", "b"], age_days=[0.0, 0.99, 1.0, 120.0]
    )

    assert by_age(calls).round(9).reset_index().to_numpy().tolist() == [
        ["0 to 1 days", 2, 2, 0.5, 0.5, 0.25, 0.25],
        ["1 to 3 days", 1, 1, 1.0, 1.0, 0.0, 0.25],
        ["90 days and more", 1, 1, 1.0, 0.0, 1.0, 0.25],
    ]


def test_the_columns_by_age_are_named():
    table = by_age(calls_of([1], [0.5], age_days=[0.0]))

    assert [table.index.name, *table.columns] == ["age", "calls", "deals", "won", "predicted", "brier", "brier_base"]


def test_calls_are_counted_by_how_the_deal_ended_with_the_hours_predicted_over_those_booked():
    calls = calls_of(
        [1, 0, 0, 0],
        [0.5, 0.5, 0.0, 0.2],
        deal=["a", "b", "b", "c"],
        ending=["won", "no_decision", "no_decision", "competitor"],
        remaining_hours=[3.0, 1.0, 2.0, 4.0],
        remaining_hours_truth=[2.0, 4.0, 0.0, 0.0],
    )

    assert by_ending(calls).round(9).fillna(-1.0).to_dict("index") == {
        "competitor": {"calls": 1, "deals": 1, "predicted": 0.2, "brier": 0.04, "hours_ratio": -1.0},
        "no_decision": {"calls": 2, "deals": 1, "predicted": 0.25, "brier": 0.125, "hours_ratio": 0.75},
        "won": {"calls": 1, "deals": 1, "predicted": 0.5, "brier": 0.25, "hours_ratio": 1.5},
    }


SETTLED = pd.DataFrame(
    {
        "deal_id": ["a", "b", "c", "d"],
        "remaining_hours_truth": [1.0, 1.0, 1.0, 1.0],
        "worth_truth": [0.0, 0.0, 9.0, 9.0],
        "right": [1.0, 2.0, 3.0, 4.0],
        "wrong": [4.0, 3.0, 2.0, 1.0],
    }
)


def test_a_clairvoyant_index_has_a_skill_of_one_and_its_reverse_of_minus_one():
    found = skills(SETTLED, ["right", "wrong"], draws=20)

    assert found["skill"].to_dict() == pytest.approx({"right": 1.0, "wrong": -1.0}, abs=0.003)  # areas on a grid
    assert found.columns.tolist() == ["skill", "skill_low", "skill_high", "skill_up_to_0.2"]
    assert found.loc["right", ["skill_low", "skill_high", "skill_up_to_0.2"]].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("empty", ["worth_truth", "remaining_hours_truth"])
def test_without_any_value_or_hours_there_is_a_skill_of_no_number(empty):
    found = skills(SETTLED.assign(**{empty: 0.0}), ["right"], draws=20)

    assert found.isna().all(axis=None)


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
