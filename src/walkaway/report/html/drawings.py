"""Figures as inline SVG, with real text, a title, and ink that follows the page's text colour."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
from matplotlib import rc_context
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from walkaway.formatting import LocaleFormat

__all__ = ["calibration_svg", "curve_svg", "inline_svg", "productivity_svg"]

INK, MARK, SOFT = (
    "#010203",
    "#0b6e4f",
    "#7a869a",
)  # INK is replaced by the text colour of the page, which may be dark or light
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "walkaway",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def inline_svg(figure: Figure, name: str, title: str, description: str) -> str:
    """A figure as SVG for use in a page: its ids are unique, it scales, and screen readers can read it out.

    Args:
        figure: a figure; parts drawn in INK follow the text colour of the page.
        name: the name of the figure, letters only; its ids begin with it.
        title: a few words.
        description: a sentence that says what it shows.
    """
    buffer = StringIO()
    with rc_context(STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'style="([^"]*)"', lambda found: _attributes(found[1]), svg)
    svg = re.sub(r'(?<=\bid=")|(?<=href="#)|(?<=url\(#)', f"{name}-", svg).replace(INK, "currentColor")
    box = re.search(r'viewBox="[^"]*"', svg)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0] if box else ""} '
        f'stroke-linejoin="round" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
    )
    return head + svg[svg.index(">") + 1 :]


def _attributes(style: str) -> str:
    """A style as presentation attributes, because the Content-Security-Policy forbids inline styles.

    >>> _attributes("fill: none; font: 11px 'sans-serif'; text-anchor: middle")
    'fill="none" font-size="11px" font-family="inherit" text-anchor="middle"'
    """
    out = []
    for declaration in filter(None, (part.strip() for part in style.split(";"))):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            size = re.search(r"[\d.]+px", value)
            out.append(f'font-size="{size[0] if size else "11px"}" font-family="inherit"')
        else:
            out.append(f'{name}="{value}"')
    return " ".join(out)


def curve_svg(curve: pd.DataFrame, here: pd.Series, wording: LocaleFormat, description: str) -> str:
    """Hours saved (or deals let go) against value lost, with a point at the current bar."""
    with rc_context(STYLE):
        figure = Figure(figsize=(6.2, 3.8), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=":")
        axes.annotate("stopping deals at random", (0.6, 0.6), xytext=(6, -14), textcoords="offset points", color=SOFT)
        axes.plot(curve["value_forgone"], curve["hours_saved"], color=MARK, linewidth=2)
        point = (float(here["value_forgone"]), float(here["hours_saved"]))
        axes.plot(*point, "o", color=INK, markersize=8)
        axes.annotate(
            f"you are here: {wording.rate(float(here['bar']))}",
            point,
            xytext=(10, -4),
            textcoords="offset points",
        )
        saved = "share of hours saved" if wording.by_hour else "share of deals let go"
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=f"share of {wording.won} that is lost", ylabel=saved)
        _percent(wording, axes.xaxis, axes.yaxis)
    freed = "hours freed" if wording.by_hour else "deals let go"
    return inline_svg(figure, "curve", f"Trade-off: {freed} and {wording.lost}", description)


def productivity_svg(months: pd.DataFrame, wording: LocaleFormat, description: str) -> str:
    """Value won per hour worked, by month."""
    with rc_context(STYLE):
        figure = Figure(figsize=(6.2, 2.8), layout="constrained")
        axes = figure.subplots()
        axes.bar(range(len(months)), months["value_per_hour"], color=MARK, width=0.7)
        axes.set_xticks(range(len(months)), months["month"], rotation=40, ha="right")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: wording.money(value)))
        axes.set(ylabel="won per hour worked")
    return inline_svg(figure, "productivity", "Quality over quantity: value won per hour worked", description)


def calibration_svg(bins: pd.DataFrame, wording: LocaleFormat, description: str) -> str:
    """Predicted against realised share of wins; on the diagonal, 80% means 80%."""
    with rc_context(STYLE):
        figure = Figure(figsize=(6.2, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=":")
        axes.plot(bins["predicted"], bins["won"], marker="o", color=MARK)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted chance of winning", ylabel="share won")
        _percent(wording, axes.xaxis, axes.yaxis)
    return inline_svg(figure, "calibration", "Predicted and realised wins", description)


def _percent(wording: LocaleFormat, *axes: Axis) -> None:
    for axis in axes:
        axis.set_major_formatter(FuncFormatter(lambda share, _: wording.percent(share)))
