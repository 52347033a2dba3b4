import pandas as pd
import pytest

from walkaway.formatting import LocaleFormat
from walkaway.report.html.main_reason import counted_legs, leg_told, typical_deal, weakest_leg

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
def test_the_main_reason_is_the_figure_furthest_behind_the_typical_deal(row, leg):
    assert weakest_leg(calls_of(row), TYPICAL).tolist() == [leg]


def test_the_typical_deal_is_one_to_pursue_if_there_are_any():
    calls = calls_of((0.5, 100.0, 1.0), (0.7, 300.0, 3.0), (0.1, 1.0, 9.0))

    calls = calls.assign(expected_value=[50.0, 210.0, 0.1], value_per_hour=[50.0, 70.0, 1.0])
    pursued = calls.assign(verdict=["pursue", "pursue", "walk_away"])
    assert typical_deal(pursued).tolist() == [0.6, 200.0, 2.0, 130.0, 60.0]
    assert typical_deal(calls.assign(verdict="walk_away")).tolist() == [0.5, 100.0, 3.0, 50.0, 50.0]


def test_hours_that_are_not_known_are_never_the_main_reason():
    assert weakest_leg(calls_of((0.6, 1100.0, float("nan"))), TYPICAL).tolist() == ["too small"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((0.123, 950.0, 4.0), "too unlikely: 12% to win (deals kept: 50%)"),
        ((0.5, 1000.0, 40.0), "too much work: 40.0 hours still to spend (deals kept: 4.0 hours)"),
        (
            (0.25, 500.0, 4.0),
            "too unlikely: 25% to win (deals kept: 50%); too small: EUR 500 if won (deals kept: EUR 1,000)",
        ),
        ((0.4, 250.0, 4.0), "too small: EUR 250 if won (deals kept: EUR 1,000)"),
        ((0.9, -5.0, 1.0), "sold at a loss: -EUR 5 even if won"),
        ((0.6, 1100.0, 3.0), "too small: EUR 1,100 if won (deals kept: EUR 1,000)"),
    ],
)
def test_a_deal_says_what_it_lacks_beside_the_typical_one_and_whatever_it_lacks_nearly_as_much(row, words):
    call = calls_of(row).iloc[0]

    assert leg_told(call, TYPICAL, LocaleFormat("en", "EUR")) == words
    assert "deals kept" not in leg_told(call, TYPICAL, LocaleFormat("en", "EUR"), beside=False)


def test_legs_are_counted_with_their_hours_no_value_below_zero_and_what_is_typical_of_them():
    calls = calls_of((0.1, 10.0, 1.0), (0.9, 7.0, 5.0), (0.3, 30.0, 2.0))
    told = counted_legs(calls.assign(leg=["a", "b", "a"], expected_value=[10.0, 7.0, -4.0]))

    assert told[["leg", "deals", "hours", "expected_value"]].to_dict("records") == [
        {"leg": "b", "deals": 1, "hours": 5.0, "expected_value": 7.0},
        {"leg": "a", "deals": 2, "hours": 3.0, "expected_value": 10.0},
    ]
    assert told["value_if_won"].tolist() == [7.0, 20.0]
