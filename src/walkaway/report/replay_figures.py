"""Figures of a replay: one function makes the tidy frame of a figure, another draws it."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from walkaway.economics import Drops, clairvoyant_index, settle_drops, trade_off
from walkaway.files import write_bytes
from walkaway.formatting import LocaleFormat
from walkaway.replaying import INDICES, Replayed
from walkaway.report.figures import calibration_frame, draw_calibration

__all__ = [
    "draw_stop_points",
    "draw_trade_off",
    "replay_figures",
    "stop_points_frame",
    "trade_off_frame",
    "write_figures",
]

PERFECT_FORESIGHT = "perfect foresight"
SHOWN = {"value_per_hour": "C0", "expected_value": "C1", "win_probability": "C2", "random": "0.6"}
POINTS = 201


def _thinned(drops: Drops, name: str) -> pd.DataFrame:
    """The trade-off at even steps of lost value."""
    share = np.linspace(0.0, 1.0, POINTS)
    return pd.DataFrame({"ranking": name, "value_forgone": share, "hours_saved": np.interp(share, *trade_off(drops))})


def trade_off_frame(calls: pd.DataFrame) -> pd.DataFrame:
    """Hours saved at each share of lost value, for each ranking of deals.

    Args:
        calls: of `Replayed`.

    Returns:
        ranking, value_forgone and hours_saved (shares of 1), at 201 steps per ranking. The last ranking is perfect
        foresight, by the value per hour that each deal earned in the end.
    """
    deal = pd.factorize(calls["deal_id"])[0]
    hours, worth = calls["remaining_hours_truth"].to_numpy(), calls["worth_truth"].to_numpy()
    rankings = {INDICES[name].replace("_", " "): calls[name].to_numpy(dtype=float) for name in SHOWN}
    rankings[PERFECT_FORESIGHT] = clairvoyant_index(hours, worth)
    parts = [_thinned(settle_drops(deal, index, hours, worth), name) for name, index in rankings.items()]
    return pd.concat(parts, ignore_index=True)


def draw_trade_off(frame: pd.DataFrame, followed: Mapping[str, float], fmt: LocaleFormat) -> Figure:
    """Hours saved against value lost for each ranking, and the point that following the verdicts reached.

    Args:
        frame: of `trade_off_frame`.
        followed: value_forgone and hours_saved of the verdicts.
        fmt: writes the axes.
    """
    figure = Figure(figsize=(6.5, 4.5), layout="constrained")
    axes = figure.subplots()
    colours = [*SHOWN.values(), "0.3"]
    for (name, part), colour in zip(frame.groupby("ranking", sort=False), colours, strict=True):
        style = ":" if name == PERFECT_FORESIGHT else "-"
        axes.plot(part["value_forgone"], part["hours_saved"], style, color=colour, label=str(name))
    axes.plot(followed["value_forgone"], followed["hours_saved"], "o", color="C3", label="the verdicts, followed")
    saved = "share of hours saved" if fmt.by_hour else "share of deals let go"
    axes.set(xlabel=f"share of {fmt.won} that is lost", ylabel=saved, title="What walking away saved and cost")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda share, _: fmt.percent(share)))
    axes.legend(loc="lower right")
    return figure


def stop_points_frame(summary: Mapping[str, Any]) -> pd.DataFrame:
    """Stop points by month.

    Args:
        summary: of `Replayed`.

    Returns:
        month, hours_after (worked on lost deals after their stop point), value_forgone (lost by stopping: the price).
    """
    rows = [row for row in summary["stop_points"] if row["dimension"] == "month"]
    table = pd.DataFrame(rows, columns=["value", "hours_after", "value_forgone"])
    return table.rename(columns={"value": "month"})


def draw_stop_points(frame: pd.DataFrame, fmt: LocaleFormat) -> Figure:
    """Hours worked on lost deals after their stop point, beside the value lost by stopping there, by month.

    Args:
        frame: of `stop_points_frame`.
        fmt: writes the axes, in the book's currency.
    """
    figure = Figure(figsize=(6.5, 3.5), layout="constrained")
    hours, price = figure.subplots(1, 2)
    hours.bar(frame["month"], frame["hours_after"], color="C0")
    hours.set(ylabel="hours", title="Worked on lost deals after they\nfell below the bar for good")
    price.bar(frame["month"], frame["value_forgone"], color="C3")
    price.set(ylabel=f"won value, {fmt.currency}".rstrip(", "), title="Lost value, if all deals were\ndropped then")
    for axes in (hours, price):
        axes.tick_params(axis="x", rotation=45)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: fmt.whole(value)))
    return figure


def replay_figures(done: Replayed, fmt: LocaleFormat) -> dict[str, Figure]:
    """The figures of a replay, by file name; none if nothing could be measured."""
    if not done.measures:
        return {}
    settled = done.calls[done.calls["settled"]]
    figures = {
        "trade_off.png": draw_trade_off(trade_off_frame(done.calls), done.measures["followed"], fmt),
        "calibration.png": draw_calibration(calibration_frame(settled)),
    }
    by_month = stop_points_frame(done.summary)
    worked = len(by_month) > 0 and done.summary["records_work"]
    return figures | ({"stop_points.png": draw_stop_points(by_month, fmt)} if worked else {})


def write_figures(done: Replayed, out: Path, fmt: LocaleFormat) -> None:
    """Write the figures into `out`/figures; the same replay gives the same bytes."""
    figures = replay_figures(done, fmt)
    if figures:
        (out / "figures").mkdir(exist_ok=True)
    for name, figure in figures.items():
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
        write_bytes(out / "figures" / name, buffer.getvalue())
