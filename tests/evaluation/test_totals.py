import numpy as np
import pandas as pd
import pytest

from walkaway.evaluation import hours_metrics, worth_metrics

HOURS = pd.DataFrame(
    {
        "deal_id": [f"d{i}" for i in range(40)] * 2,
        "age_days": [0.0] * 40 + [10.0] * 40,
        "remaining_hours": [3.0] * 40 + [1.0] * 40,
        "mean_hours": 2.0,
        "remaining_hours_truth": [2.0] * 40 + [1.0] * 40,
    }
)


def test_hours_are_summed_and_compared_in_all_and_by_age():
    found = hours_metrics(HOURS, 20).round(9)

    assert found.loc[("all", "all")].to_dict() == {
        "calls": 80,
        "deals": 40,
        "predicted": 160.0,
        "realised": 120.0,
        "ratio": round(160 / 120, 9),
        "ratio_low": round(160 / 120, 9),
        "ratio_high": round(160 / 120, 9),
        "error": 0.5,
        "error_base": 0.5,
    }
    assert found.loc[("age", "0 to 1 days"), ["ratio", "error", "error_base"]].tolist() == [1.5, 1.0, 0.0]
    assert found.loc[("age", "7 to 14 days"), ["ratio", "error", "error_base"]].tolist() == [1.0, 0.0, 1.0]


def test_nothing_booked_gives_a_ratio_of_no_number():
    assert np.isnan(hours_metrics(HOURS.assign(remaining_hours_truth=0.0), 20).loc[("all", "all"), "ratio"])


WORTH = pd.DataFrame(
    {
        "deal_id": list("abcd"),
        "won": [1.0, 1.0, 1.0, 0.0],
        "value_if_won": [90.0, 60.0, 50.0, 10.0],
        "plain_worth": [100.0, 100.0, 50.0, 10.0],
        "amount_imputed": [False, False, True, True],
        "worth_recorded": True,
        "worth_truth": [90.0, 50.0, 100.0, 0.0],
    }
)


def test_worth_is_compared_on_won_deals_with_and_without_an_amount():
    found = worth_metrics(WORTH, 20)

    assert found.index.tolist() == ["all", "recorded", "not recorded yet"]
    assert found.loc["recorded", ["calls", "predicted", "realised", "error", "error_base"]].tolist() == [
        2,
        150.0,
        140.0,
        5.0,
        30.0,
    ]
    assert found.loc["not recorded yet", "ratio"] == 0.5
    assert found.loc["all", "ratio"] == pytest.approx(200 / 240)


def test_a_win_whose_worth_nobody_recorded_is_left_out():
    found = worth_metrics(WORTH.assign(worth_recorded=[True, False, True, True]), 20)

    assert found.loc["recorded", ["calls", "realised"]].tolist() == [1, 90.0]


def test_without_a_won_deal_there_is_nothing_to_say():
    assert worth_metrics(WORTH.assign(won=0.0), 20).empty
