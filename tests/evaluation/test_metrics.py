from math import log

import numpy as np
import pandas as pd
import pytest

from walkaway.evaluation import DealDraws, brier_parts, deal_weights, has_signal, interval, log_loss_rows, win_metrics


def calls_of(won, probability, base=0.5, deal=None, **others):
    deal = [f"d{i}" for i in range(len(won))] if deal is None else deal
    frame = pd.DataFrame({"deal_id": deal, "won": np.array(won, dtype=float), "win_probability": probability})
    return frame.assign(base_rate=base, **others)


def test_the_log_loss_of_a_row_is_minus_the_logarithm_of_the_probability_of_its_outcome():
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

    parts = {"discrimination": 0.25, "uncertainty": 0.25}
    assert found.loc["win_probability"].to_dict() == dict.fromkeys(found.columns, 0.0) | {"auc": 1.0} | parts
    brier = {"brier": 0.25, "brier_low": 0.25, "brier_high": 0.25}
    half = round(log(2), 6)
    assert found.loc["base_rate"].to_dict() == {"auc": 0.5} | brier | {
        "log_loss": half,
        "log_loss_low": half,
        "log_loss_high": half,
        "gain": half,
        "gain_low": half,
        "gain_high": half,
        "miscalibration": 0.0,
        "discrimination": 0.0,
        "uncertainty": 0.25,
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


def test_a_gain_from_one_deal_with_many_rows_is_not_a_signal():
    won = np.r_[np.ones(90), [1, 0] * 5]
    p = np.r_[np.full(90, 0.99), [0.4, 0.6] * 5]
    deal = ["big"] * 90 + [f"d{i}" for i in range(10)]

    assert has_signal(calls_of(won, p), 200) is True
    assert has_signal(calls_of(won, p, deal=deal), 200) is False


def test_the_parts_of_a_brier_score_add_up_to_it():
    rng = np.random.default_rng(0)
    p = rng.random(300)
    won = (rng.random(300) < p**2).astype(float)
    wrong, sharp, base = brier_parts(won, p)

    assert wrong - sharp + base == pytest.approx(np.mean((p - won) ** 2), abs=1e-12)
    assert wrong > 0.02
    assert base == pytest.approx(won.mean() * (1 - won.mean()))


def test_a_calibrated_forecast_of_two_values_has_no_miscalibration():
    won = np.r_[[1.0, 0, 0, 0], [1.0, 1, 1, 0]]

    assert brier_parts(won, np.repeat([0.25, 0.75], 4)) == pytest.approx((0.0, 0.0625, 0.25))


def test_sums_and_means_of_draws_count_whole_deals():
    drawn = DealDraws(np.array([0, 0, 1]), np.array([[2.0, 0.0], [1.0, 1.0]]))

    assert drawn.sums(np.array([1.0, 2.0, 4.0])).tolist() == [6.0, 7.0]
    assert drawn.means(np.array([1.0, 2.0, 4.0])).tolist() == [1.5, 7 / 3]
    assert drawn.rows().tolist() == [[2.0, 2.0, 0.0], [1.0, 1.0, 1.0]]
