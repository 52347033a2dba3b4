import numpy as np
import pandas as pd
import pytest

from walkaway.evaluation import staleness

DAY0 = pd.Timestamp("2026-01-01", tz="UTC")
N = 60
FRESH = pd.DataFrame(
    {
        "deal_id": [f"d{i:02}" for i in range(N)],
        "as_of": DAY0 + pd.Timedelta(days=30),
        "known_until": DAY0 + pd.Timedelta(days=20),
        "settled": [True] * (N - 1) + [False],
        "won": np.where(np.arange(N) % 2 == 0, 1.0, 0.0),
        "win_probability": np.where(np.arange(N) % 2 == 0, 0.8, 0.2),
        "value_per_hour": np.where(np.arange(N) % 2 == 0, 80.0, 20.0),
        "remaining_hours_truth": 1.0,
        "worth_truth": np.where(np.arange(N) % 2 == 0, 100.0, 0.0),
    }
)


def older(periods: int, probability, index) -> pd.DataFrame:
    known = DAY0 + pd.Timedelta(days=20 - 10 * periods)
    columns = {"known_until": known, "periods_older": periods, "win_probability": probability, "value_per_hour": index}
    return FRESH[["deal_id", "as_of"]].assign(**columns)


def test_a_model_that_says_the_same_has_lost_nothing():
    found = staleness(FRESH, older(1, FRESH["win_probability"], FRESH["value_per_hour"]), 20).loc[1]

    assert found["days_older"] == 10.0
    assert found[["log_loss_lost", "log_loss_lost_low", "log_loss_lost_high", "skill_lost"]].tolist() == [0, 0, 0, 0]


def test_what_an_older_model_has_lost_is_paired_on_the_same_settled_calls():
    found = staleness(FRESH, older(2, 0.5, 50.0), 50)

    assert found.index.tolist() == [2]
    assert found.loc[2, ["days_older", "calls", "deals"]].tolist() == [20.0, N, N]
    assert found.loc[2, "log_loss_lost"] == pytest.approx(np.log(2) + np.log(0.8))
    assert found.loc[2, "skill_lost"] == pytest.approx(1.0, abs=0.01)


def test_without_older_models_there_is_no_curve():
    assert staleness(FRESH, older(1, 0.5, 1.0).iloc[:0], 20).empty
