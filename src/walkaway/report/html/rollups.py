"""Summary tables: bars near the current one, value per hour by month, open deals by team and attribute."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import recorded_by
from walkaway.book import SECONDS_PER_HOUR, Book, effort_seconds
from walkaway.economics import DROPPED
from walkaway.models import Model

__all__ = ["neighbours", "productivity", "rollup"]

LOSSES = (0.01, 0.02, 0.05, 0.10, 0.20)
MONTHS = 12
ROLLED_UP = ("team", "pipeline")
NONE = "(none)"


def neighbours(model: Model, calls: pd.DataFrame, walk_away_above: npt.NDArray[np.float64], bar: float) -> pd.DataFrame:
    """This bar and others near it: what they saved and lost in the past, and what they mean for deals open now.

    Args:
        model: its curve gives the results of the past.
        calls: the calls of open deals that depend on the bar: remaining_hours.
        walk_away_above: for each call, the bar above which the deal is dropped (`Calls`).
        bar: money per hour.
    """
    bars = sorted({bar, *(model.curve.bar_for_forgo(loss) for loss in LOSSES)} - {0.0})
    rows = []
    for near in bars:
        worked, saved, forgone = model.curve.at(near)
        below = walk_away_above < near
        now = {"deals_let_go": int(below.sum()), "hours_freed": float(calls.loc[below, "remaining_hours"].sum())}
        rows.append({"bar": near, "hours_saved": saved, "value_forgone": forgone, "hours_per_week": worked} | now)
    table = pd.DataFrame(
        rows, columns=["bar", "hours_saved", "value_forgone", "hours_per_week", *("deals_let_go", "hours_freed")]
    )
    return table.assign(here=table["bar"] == bar)


def productivity(book: Book, as_of: pd.Timestamp) -> pd.DataFrame:
    """Value won and hours worked per whole month, at most a year: month, hours, won_value, value_per_hour.

    Empty where the book records no work.
    """
    if not book.records_work:
        return pd.DataFrame(columns=["month", "hours", "won_value", "value_per_hour"])
    acts = recorded_by(book, "activities", as_of)
    hours = pd.Series(effort_seconds(acts, book.manifest.assumed_hours) / SECONDS_PER_HOUR, index=acts.index)
    month: Callable[[pd.Series], pd.Series] = lambda moments: moments.dt.tz_localize(None).dt.to_period("M")  # noqa: E731
    deals = book.deals[(book.deals["outcome"] == "won") & (book.deals["closed_at"] <= as_of)]
    worth = (deals["amount"] * deals["margin"].fillna(1.0)).fillna(0.0)
    table = pd.DataFrame(
        {
            "hours": hours.groupby(month(acts["at"])).sum(),
            "won_value": worth.groupby(month(deals["closed_at"])).sum(),
        }
    ).fillna(0.0)
    first, this = month(pd.Series([book.deals["created_at"].min()]))[0], month(pd.Series([as_of]))[0]
    whole = table[(table.index > first) & (table.index < this)].tail(MONTHS)
    rate = np.divide(whole["won_value"], whole["hours"], out=np.zeros(len(whole)), where=whole["hours"] > 0)
    return (
        whole.assign(value_per_hour=rate)
        .rename_axis("month")
        .reset_index()
        .assign(month=lambda t: t["month"].astype("str"))
    )


def rollup(calls: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Open deals, hours, and hours freed, by team, pipeline and attribute, for each with two groups or more.

    Most hours first, or most deals where no hours are known.
    """
    deals = book.deals.set_index("deal_id").reindex(calls["deal_id"])
    dropped = calls["verdict"].isin(DROPPED).to_numpy()
    parts = []
    for name in dict.fromkeys((*ROLLED_UP, *book.attributes("text"))):
        groups = pd.Series(deals[name].to_numpy(), name="group") if name in deals else pd.Series(dtype="str")
        if len(groups.dropna().unique()) > 1:
            columns = pd.DataFrame({"deals": 1, "hours": calls["remaining_hours"], "let_go": dropped})
            columns = columns.assign(hours_freed=columns["hours"] * dropped, expected_value=calls["expected_value"])
            summed = (
                columns.groupby(groups.fillna(NONE).to_numpy()).sum().sort_values(["hours", "deals"], ascending=False)
            )
            parts.append(summed.rename_axis("group").reset_index().assign(dimension=name))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["dimension", "group"])
