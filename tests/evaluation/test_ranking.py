import pandas as pd
import pytest

from walkaway.evaluation import skills
from walkaway.evaluation.ranking import paired_skill

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
    assert found["gain"].to_dict() == pytest.approx({"right": 0.0, "wrong": 2.0}, abs=0.006)
    prices = ("0.01", "0.02", "0.05", "0.10", "0.20")
    names = ["skill", "skill_up_to_0.2", *(f"saved_at_{price}" for price in prices), "gain"]
    assert found.columns.tolist() == [name + end for name in names for end in ("", "_low", "_high")]
    assert found.loc["right", ["skill_low", "skill_high", "skill_up_to_0.2"]].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("empty", ["worth_truth", "remaining_hours_truth"])
def test_without_any_value_or_hours_there_is_a_skill_of_no_number(empty):
    found = skills(SETTLED.assign(**{empty: 0.0}), ["right"], draws=20)

    assert found.isna().all(axis=None)


def test_the_gain_of_one_index_over_another_is_the_difference_of_their_skills():
    gain, low, high = paired_skill(SETTLED, "right", "wrong", draws=50)

    assert gain == pytest.approx(2.0, abs=0.006)
    assert low <= gain <= high + 1e-9


def test_an_index_gains_nothing_over_itself():
    assert paired_skill(SETTLED, "right", "right", draws=20) == (0.0, 0.0, 0.0)
