"""The steps from what an hour on a typical deal is worth to what one on this deal is, drawn, with the bar."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from walkaway.errors import UsageError
from walkaway.explaining import DealStory
from walkaway.files import write_bytes
from walkaway.report.cards import steps_of

__all__ = ["check_figure", "draw_waterfall", "waterfall_frame", "write_waterfall"]

FORMATS = (".png", ".svg", ".pdf")
MOST = 8
WIDTH = 44  # letters a line


def waterfall_frame(story: DealStory, most: int = MOST) -> pd.DataFrame:
    """The steps of a story, each a bar from where the one before ended.

    Returns:
        sentence, factor, begin and end (money per hour); the first row begins at 0 and ends at the typical value, the
        last but one ends at the deal's, and the last is the deal's value itself, from 0.
    """
    steps = steps_of(story, most)
    begin = steps["value_per_hour"].shift(fill_value=0.0)
    told = steps[["sentence", "factor"]].assign(begin=begin, end=steps["value_per_hour"])
    deal = {"sentence": "this deal", "factor": 1.0, "begin": 0.0, "end": story.value_per_hour}
    return pd.concat([told, pd.DataFrame([deal])], ignore_index=True)


def draw_waterfall(frame: pd.DataFrame, story: DealStory) -> Figure:
    """The steps as bars from the top down, and the bar as a line."""
    figure = Figure(figsize=(8, 1.2 + 0.55 * len(frame)), layout="constrained")
    axes = figure.subplots()
    last = len(frame) - 1
    for at, step in enumerate(frame.to_dict("records")):
        colour = "0.55" if at in (0, last) else "C2" if step["end"] >= step["begin"] else "C3"
        axes.barh(at, step["end"] - step["begin"], left=step["begin"], color=colour, height=0.6)
        said = story.wording.money(step["end"]) if at in (0, last) else f"×{story.wording.number(step['factor'], 2)}"
        axes.annotate(
            said, (max(step["begin"], step["end"]), at), xytext=(4, 0), textcoords="offset points", va="center"
        )
    axes.axvline(story.bar, color="k", linestyle="--", linewidth=1)
    axes.annotate(f"bar {story.wording.money(story.bar)}", (story.bar, -0.6), xytext=(3, 0), textcoords="offset points")
    axes.set_yticks(range(len(frame)), [fill(sentence, WIDTH) for sentence in frame["sentence"]])
    axes.set_ylim(last + 0.6, -1.0)
    axes.set_xlim(0, 1.15 * max(frame["end"].max(), story.bar))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: story.wording.money(value)))
    axes.tick_params(axis="x", rotation=30)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel="an hour on it is worth", title=f"Deal {story.deal_id} at {story.wording.moment(story.as_of)} UTC")
    return figure


def check_figure(path: Path) -> None:
    """Refuse a file that no figure can be written to.

    Raises:
        UsageError: not one of FORMATS.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--waterfall {path}: a figure is written as {', '.join(FORMATS)}. Name a file that ends so.")


def write_waterfall(story: DealStory, path: Path) -> None:
    """Draw a story into a file; the same story gives the same bytes.

    Raises:
        UsageError: the file's name says no format a figure is written in, or the deal is sold at a loss.
    """
    check_figure(path)
    if not story.factors:
        raise UsageError(
            f"--waterfall: deal {story.deal_id} is sold at a loss, which no factors explain. Leave it out."
        )
    buffer, kind = BytesIO(), path.suffix.lower().removeprefix(".")
    stamp = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    with rc_context({"svg.hashsalt": "walkaway"}):  # else the ids of an SVG are drawn at random
        draw_waterfall(waterfall_frame(story), story).savefig(buffer, format=kind, dpi=150, metadata=stamp)
    write_bytes(path, buffer.getvalue())
