"""Figures of a training: one function makes the tidy frame of a figure, another draws it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from walkaway.economics import Curve
from walkaway.evaluation import judged
from walkaway.formatting import LocaleFormat
from walkaway.training import Trained

__all__ = ["calibration_frame", "curve_frame", "draw_calibration", "draw_curve", "training_figures"]


def calibration_frame(calls: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Settled calls in bins of equal size: the predicted share, the share won, and the number of calls.

    >>> calls = pd.DataFrame({"win_probability": [0.2, 0.4], "won": [0.0, 1.0]})
    >>> calibration_frame(calls, 1)
       predicted  won  calls
    0        0.3  0.5      2
    """
    ordered = calls.sort_values("win_probability", kind="stable")
    bin_of_row = np.minimum(np.arange(len(ordered)) * bins // max(len(ordered), 1), bins - 1)
    grouped = ordered.groupby(bin_of_row)
    return grouped.agg(predicted=("win_probability", "mean"), won=("won", "mean"), calls=("won", "size")).reset_index(
        drop=True
    )


def draw_calibration(frame: pd.DataFrame) -> Figure:
    """The share won against the predicted share; on the diagonal, a predicted 80% is 80% won."""
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(frame["predicted"], frame["won"], marker="o", color="C0")
    axes.set(
        xlabel="predicted win probability",
        ylabel="share won",
        title="Calibration on later deals",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    return figure


def curve_frame(curve: Curve) -> pd.DataFrame:
    """One row per bar: bar (money per hour), value_forgone and hours_saved (shares), hours_per_week."""
    return pd.DataFrame(
        {
            "bar": curve.bars,
            "value_forgone": curve.value_forgone,
            "hours_saved": curve.hours_saved,
            "hours_per_week": curve.hours_per_week,
        }
    )


def draw_curve(frame: pd.DataFrame, fmt: LocaleFormat) -> Figure:
    """Hours saved (or deals let go) against value lost, as the bar rises."""
    figure = Figure(figsize=(5.5, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="dropping at random")
    axes.plot(frame["value_forgone"], frame["hours_saved"], color="C0", label="below the bar")
    saved = "share of hours saved" if fmt.by_hour else "share of deals let go"
    axes.set(xlabel=f"share of {fmt.won} that is lost", ylabel=saved, title="What walking away saves and costs")
    axes.legend()
    return figure


def training_figures(trained: Trained) -> dict[str, Figure]:
    """The figures of one training, by file name; none if the model was not tested."""
    if trained.calls.empty:
        return {}
    rows = trained.calls[judged(trained.calls)]
    figures = {"calibration.png": draw_calibration(calibration_frame(rows))} if len(rows) else {}
    if trained.model.curve.bars:
        figures["curve.png"] = draw_curve(curve_frame(trained.model.curve), trained.model.facts.wording("en"))
    return figures
