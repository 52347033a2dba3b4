from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.books import CURVE

from walkaway.economics import Curve
from walkaway.formatting import LocaleFormat
from walkaway.report.figures import calibration_frame, curve_frame, draw_calibration, draw_curve, training_figures

pytest_plugins = ("tests.books",)

CALLS = pd.DataFrame({"win_probability": [0.9, 0.1, 0.5, 0.3], "won": [1.0, 0.0, 1.0, 0.0]})


def test_calls_are_binned_by_their_probability_in_bins_of_equal_size():
    assert calibration_frame(CALLS, 2).round(9).to_dict("records") == [
        {"predicted": 0.2, "won": 0.0, "calls": 2},
        {"predicted": 0.7, "won": 1.0, "calls": 2},
    ]


def test_fewer_calls_than_bins_give_a_bin_each():
    assert calibration_frame(CALLS, 10)["predicted"].tolist() == [0.1, 0.3, 0.5, 0.9]


def test_bins_of_an_uneven_number_of_calls_differ_by_one_at_most():
    calls = pd.DataFrame({"win_probability": np.linspace(0, 1, 23), "won": 0.0})

    assert sorted(calibration_frame(calls, 10)["calls"].tolist()) == [2] * 7 + [3] * 3


def test_no_calls_give_no_bins():
    assert calibration_frame(CALLS.iloc[:0]).to_dict("list") == {"predicted": [], "won": [], "calls": []}


def test_calls_are_left_in_their_order():
    calibration_frame(CALLS, 2)

    assert CALLS["win_probability"].tolist() == [0.9, 0.1, 0.5, 0.3]


def test_the_calibration_figure_shows_its_frame_and_the_diagonal():
    frame = calibration_frame(CALLS, 2)
    [axes] = draw_calibration(frame).axes
    diagonal, points = axes.get_lines()

    assert diagonal.get_xydata().tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert points.get_xydata().tolist() == frame[["predicted", "won"]].to_numpy().tolist()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted win probability", "share won")
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, 1.0), (0.0, 1.0))


def test_the_frame_of_a_curve_has_a_row_a_bar():
    assert curve_frame(CURVE).to_dict("records") == [
        {"bar": 10.0, "value_forgone": 0.0, "hours_saved": 0.1, "hours_per_week": 9.0},
        {"bar": 20.0, "value_forgone": 0.1, "hours_saved": 0.5, "hours_per_week": 5.0},
        {"bar": 30.0, "value_forgone": 0.4, "hours_saved": 0.8, "hours_per_week": 2.0},
    ]


def test_the_curve_figure_shows_hours_saved_over_value_forgone():
    [axes] = draw_curve(curve_frame(CURVE), LocaleFormat()).axes
    _, line = axes.get_lines()

    assert line.get_xydata().tolist() == [[0.0, 0.1], [0.1, 0.5], [0.4, 0.8]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["dropping at random", "below the bar"]


def test_a_training_has_both_figures_of_its_judged_calls_and_its_curve(trained):
    figures = training_figures(trained)
    settled = trained.calls[trained.calls["settled"].astype(bool) & trained.calls["had_time"]]

    assert list(figures) == ["calibration.png", "curve.png"]
    points = figures["calibration.png"].axes[0].get_lines()[1].get_xydata()
    assert points.tolist() == calibration_frame(settled)[["predicted", "won"]].to_numpy().tolist()
    line = figures["curve.png"].axes[0].get_lines()[1].get_xydata()
    assert line[:, 1].tolist() == list(trained.model.curve.hours_saved)


def test_a_training_without_calls_has_no_figures(trained):
    assert training_figures(replace(trained, calls=pd.DataFrame())) == {}


@pytest.mark.parametrize("curve", [Curve((), (), (), ())])
def test_an_empty_curve_draws_an_empty_line(curve):
    [axes] = draw_curve(curve_frame(curve), LocaleFormat()).axes

    assert axes.get_lines()[1].get_xydata().tolist() == []
