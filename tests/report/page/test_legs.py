import pandas as pd
import pytest

from walkaway.report.page.legs import counted_legs, leg_said, typical_legs, weakest_leg
from walkaway.wording import Wording

TYPICAL = pd.Series({"win_probability": 0.5, "value_if_won": 1000.0, "remaining_hours": 4.0})


def calls_of(*rows: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["win_probability", "value_if_won", "remaining_hours"])


@pytest.mark.parametrize(
    ("row", "leg"),
    [
        ((0.1, 900.0, 5.0), "too unlikely"),
        ((0.4, 200.0, 5.0), "too small"),
        ((0.4, 900.0, 40.0), "too much work"),
        ((0.9, -5.0, 1.0), "sold at a loss"),
        ((0.0, 900.0, 0.0), "too unlikely"),
    ],
)
def test_the_leg_furthest_behind_the_typical_deal_is_told(row, leg):
    assert weakest_leg(calls_of(row), TYPICAL).tolist() == [leg]


def test_the_typical_deal_is_one_to_pursue_if_there_are_any():
    calls = calls_of((0.5, 100.0, 1.0), (0.7, 300.0, 3.0), (0.1, 1.0, 9.0))

    assert typical_legs(calls.assign(verdict=["pursue", "pursue", "walk_away"])).tolist() == [0.6, 200.0, 2.0]
    assert typical_legs(calls.assign(verdict="walk_away")).tolist() == [0.5, 100.0, 3.0]


def test_the_leg_is_told_beside_the_typical_deals():
    told = {"win_probability": 0.123, "value_if_won": 250.0, "remaining_hours": 40.0}
    said = [leg_said(told, leg, TYPICAL, Wording("en", "EUR")) for leg in ("too unlikely", "too much work")]

    assert said == [
        "too unlikely: 12% to win, above the bar 50%",
        "too much work: 40.0 hours still to spend, above the bar 4.0 hours",
    ]
    assert (
        leg_said({"value_if_won": -5.0}, "sold at a loss", TYPICAL, Wording("en")) == "sold at a loss: -5 even if won"
    )


def test_legs_are_counted_with_their_hours_and_no_value_below_zero():
    calls = pd.DataFrame(
        {"leg": ["a", "b", "a"], "remaining_hours": [1.0, 5.0, 2.0], "expected_value": [10.0, 7.0, -4.0]}
    )

    assert counted_legs(calls).to_dict("records") == [
        {"leg": "b", "deals": 1, "hours": 5.0, "expected_value": 7.0},
        {"leg": "a", "deals": 2, "hours": 3.0, "expected_value": 10.0},
    ]
