"""Figures of a replay, from calls by hand."""

import numpy as np
import pandas as pd
import pytest
from tests.replaying.test_measures import BY_HAND, DAY

from walkaway.economics import Curve
from walkaway.formatting import LocaleFormat
from walkaway.replaying import Replayed
from walkaway.replaying.measures import judged, measure
from walkaway.report.replay_figures import (
    PERFECT_FORESIGHT,
    draw_trade_off,
    replay_figures,
    stop_points_frame,
    trade_off_frame,
    write_figures,
)

EUR = LocaleFormat("en_GB", "EUR")
STOP_POINTS = [
    {"dimension": "all", "value": "all", "hours_after": 9.0, "value_forgone": 10.0},
    {"dimension": "month", "value": "2026-01", "hours_after": 4.0, "value_forgone": 0.0},
    {"dimension": "month", "value": "2026-02", "hours_after": 5.0, "value_forgone": 10.0},
]


@pytest.fixture(scope="module")
def done() -> Replayed:
    calls = judged(BY_HAND, DAY + pd.Timedelta(days=9))
    summary = {"stop_points": STOP_POINTS, "currency": "EUR", "records_work": True}
    return Replayed(BY_HAND, calls, measure(calls, 20), Curve((), (), (), ()), {}, pd.DataFrame(), summary)


def test_the_trade_off_of_each_ranking_rises_from_nothing_to_all(done):
    frame = trade_off_frame(done.calls)
    names = frame["ranking"].unique().tolist()

    assert names == ["value per hour", "expected value", "win probability", "random", PERFECT_FORESIGHT]
    for _, part in frame.groupby("ranking"):
        assert (np.diff(part["hours_saved"]) >= 0).all()
        assert part["hours_saved"].iloc[-1] == 1.0
    at_a_tenth = frame[np.isclose(frame["value_forgone"], 0.1)].set_index("ranking")["hours_saved"]
    assert at_a_tenth["value per hour"] == pytest.approx(8 / 12)  # all but gold's four hours, for small's 100
    assert at_a_tenth[PERFECT_FORESIGHT] >= at_a_tenth["value per hour"]


def test_the_point_of_the_verdicts_lies_where_they_came_out(done):
    [axes] = draw_trade_off(trade_off_frame(done.calls), done.measures["followed"], EUR).axes
    [point] = [line for line in axes.get_lines() if line.get_label() == "the verdicts, followed"]

    assert point.get_xydata().tolist() == [[0.1, pytest.approx(4 / 12)]]


def test_stop_points_are_shown_by_month_with_their_price(done):
    assert stop_points_frame(done.summary).to_dict("list") == {
        "month": ["2026-01", "2026-02"],
        "hours_after": [4.0, 5.0],
        "value_forgone": [0.0, 10.0],
    }


def test_figures_are_written_and_the_same_again(done, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_figures(done, tmp_path / folder, EUR)
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n / "figures").iterdir()} for n in ("one", "two"))

    assert sorted(one) == ["calibration.png", "stop_points.png", "trade_off.png"]
    assert one == two
    assert all(data.startswith(b"\x89PNG") for data in one.values())


def test_without_measures_there_are_no_figures(done, tmp_path):
    empty = Replayed(done.ledger, done.calls, {}, done.curve, {}, done.stop_points, done.summary)
    write_figures(empty, tmp_path, EUR)

    assert replay_figures(empty, EUR) == {}
    assert list(tmp_path.iterdir()) == []
