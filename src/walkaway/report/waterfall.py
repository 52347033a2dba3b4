"""A waterfall chart: the steps from the value per hour of a typical deal to that of one deal, with the bar."""

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
from walkaway.report.deal_card import at_moment, steps_of, worth_of_it

__all__ = ["check_figure", "draw_waterfall", "waterfall_frame", "write_waterfall"]

FORMATS = (".png", ".svg", ".pdf")
MOST_REASONS = 8
WIDTH = 44  # characters per line


def waterfall_frame(story: DealStory, most: int = MOST_REASONS) -> pd.DataFrame:
    """The steps of a story, each one beginning where the step before it ended.

    Returns:
        sentence, factor, begin and end (money per hour). The first row goes from 0 to the typical value. The last but
        one ends at the deal's value. The last row is the deal's value itself, from 0.
    """
    steps = steps_of(story, most)
    begin = steps["value_per_hour"].shift(fill_value=0.0)
    bars = steps[["sentence", "factor"]].assign(begin=begin, end=steps["value_per_hour"])
    deal = {"sentence": "this deal", "factor": 1.0, "begin": 0.0, "end": story.value_per_hour}
    return pd.concat([bars, pd.DataFrame([deal])], ignore_index=True)


def draw_waterfall(frame: pd.DataFrame, story: DealStory) -> Figure:
    """The steps from top to bottom as horizontal bars, and the bar (value per hour) as a dashed line."""
    figure = Figure(figsize=(8, 1.2 + 0.55 * len(frame)), layout="constrained")
    axes, fmt = figure.subplots(), story.wording
    last = len(frame) - 1
    for at, step in enumerate(frame.to_dict("records")):
        colour = "0.55" if at in (0, last) else "C2" if step["end"] >= step["begin"] else "C3"
        axes.barh(at, step["end"] - step["begin"], left=step["begin"], color=colour, height=0.6)
        label = fmt.money(step["end"]) if at in (0, last) else f"×{fmt.number(step['factor'], 2)}"
        right = (max(step["begin"], step["end"]), at)
        axes.annotate(label, right, xytext=(4, 0), textcoords="offset points", va="center")
    if story.bar is not None:
        axes.axvline(story.bar, color="k", linestyle="--", linewidth=1)
        axes.annotate(f"bar {fmt.worth(story.bar)}", (story.bar, -0.6), xytext=(3, 0), textcoords="offset points")
    axes.set_yticks(range(len(frame)), [fill(sentence, WIDTH) for sentence in frame["sentence"]])
    axes.set_ylim(last + 0.6, -1.0)
    axes.set_xlim(0, 1.15 * max(frame["end"].max(), story.bar or 0.0))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: fmt.worth(value)))
    axes.tick_params(axis="x", rotation=30)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel=worth_of_it(fmt), title=f"Deal {story.deal_id}{at_moment(story)}")
    return figure


def check_figure(path: Path) -> None:
    """Check that a figure can be written to a file of this name.

    Raises:
        UsageError: its extension is not one of FORMATS.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--waterfall {path}: figures are {', '.join(FORMATS)} files. Use one of these endings.")


def write_waterfall(story: DealStory, path: Path) -> None:
    """Draw a story into a file; the same story gives the same bytes.

    Raises:
        UsageError: the file's extension is not one of FORMATS, or the deal is sold at a loss.
    """
    check_figure(path)
    if not story.factors:
        raise UsageError(
            f"--waterfall: deal {story.deal_id} is sold at a loss, so it has no factors to draw. Leave out --waterfall."
        )
    buffer, kind = BytesIO(), path.suffix.lower().removeprefix(".")
    stamp = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    with rc_context({"svg.hashsalt": "walkaway"}):  # otherwise the ids in an SVG are random
        draw_waterfall(waterfall_frame(story), story).savefig(buffer, format=kind, dpi=150, metadata=stamp)
    write_bytes(path, buffer.getvalue())
