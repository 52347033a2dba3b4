from dataclasses import replace
from math import prod

import numpy as np
import pytest
from tests.books import UNTIL, plain_model, rows_of

from walkaway.config import ScoreSettings
from walkaway.errors import UsageError
from walkaway.explaining import deal_stories, explain
from walkaway.models.model import make_calls
from walkaway.report.waterfall import draw_waterfall, waterfall_frame, write_waterfall

pytest_plugins = ("tests.books",)


@pytest.fixture(scope="module")
def story(trained, book):
    worthy = book.deals[(book.deals["closed_at"] > UNTIL) & (book.deals["created_at"] <= UNTIL)]["deal_id"].iloc[0]
    [told] = explain(book, trained.model, [worthy], UNTIL, ScoreSettings(bar=120.0))
    return told


def test_each_step_begins_where_the_one_before_ended_and_the_last_is_the_deal(story):
    frame = waterfall_frame(story, 4)

    assert frame["begin"].iloc[[0, -1]].tolist() == [0.0, 0.0]
    assert frame["begin"].iloc[1:-1].tolist() == frame["end"].iloc[:-2].tolist()
    assert frame["end"].iloc[0] == story.typical_value_per_hour
    assert frame["end"].iloc[-2:].tolist() == [story.value_per_hour] * 2
    assert story.typical_value_per_hour * prod(frame["factor"]) == pytest.approx(story.value_per_hour, rel=1e-12)


def test_the_figure_has_a_bar_a_step_and_a_line_at_the_bar(story):
    frame = waterfall_frame(story, 4)
    [axes] = draw_waterfall(frame, story).axes

    np.testing.assert_allclose([patch.get_width() for patch in axes.patches], frame["end"] - frame["begin"])
    assert axes.lines[0].get_xdata()[0] == 120.0
    assert [text.get_text() for text in axes.texts if "bar" in text.get_text()] == ["bar EUR 120"]
    assert axes.get_title() == f"Deal {story.deal_id} at 4 Aug 2025, 00:00 UTC"


@pytest.mark.parametrize(("name", "magic"), [("w.png", b"\x89PNG"), ("w.svg", b"<?xml"), ("W.PDF", b"%PDF")])
def test_the_same_story_gives_the_same_bytes(story, tmp_path, name, magic):
    write_waterfall(story, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    write_waterfall(story, tmp_path / name)

    assert first.startswith(magic)
    assert (tmp_path / name).read_bytes() == first


def test_a_file_of_another_kind_is_refused(story, tmp_path):
    with pytest.raises(UsageError, match=r"--waterfall .*w\.xlsx: figures are \.png, \.svg, \.pdf files"):
        write_waterfall(story, tmp_path / "w.xlsx")


def test_a_deal_sold_at_a_loss_has_no_steps(tmp_path):
    [loss] = deal_stories(plain_model(), make_calls(plain_model(), rows_of([100.0], [-0.5]), 0.0), 0.125)
    with pytest.raises(UsageError, match="deal d0 is sold at a loss, so it has no factors to draw"):
        write_waterfall(replace(loss, deal_id="d0"), tmp_path / "w.png")
