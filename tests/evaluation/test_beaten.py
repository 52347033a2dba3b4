import pandas as pd
import pytest

from walkaway.evaluation import beaten_by

COLUMNS = ["gain", "gain_low", "gain_high"]


def table(**rows):
    return pd.DataFrame(rows.values(), rows.keys(), COLUMNS)


def test_a_baseline_beats_the_model_only_if_its_whole_interval_is_below_0():
    win = table(
        win_probability=[0.0, 0.0, 0.0],
        plain_lightgbm=[-0.02, -0.03, -0.01],
        logistic=[-0.02, -0.04, 0.0],
        stage_rate=[0.1, 0.05, 0.2],
        base_rate=[-0.02, -0.03, -0.01],
    )

    assert beaten_by({"win": win}) == (
        {"measure": "log loss", "by": "plain_lightgbm", "gain": -0.02, "low": -0.03, "high": -0.01},
    )


@pytest.mark.parametrize(("index", "named"), [("younger", True), ("amount", True), ("expected_value", False)])
def test_a_ranking_beats_the_model_unless_it_is_its_own(index, named):
    skill = table(value_per_hour=[0.0, 0.0, 0.0], **{index: [-0.2, -0.3, -0.1]})

    assert [found["by"] for found in beaten_by({"skill": skill})] == [index] * named


def test_nothing_beats_a_model_that_was_not_measured():
    assert beaten_by({}) == ()
