"""Tables that roll things up: bars beside this one, value per hour by month, open deals by team and attribute."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import recorded_by
from walkaway.book import SECONDS_PER_HOUR, Book, effort_seconds
from walkaway.economics import DROPPED
from walkaway.evaluation import PRICES
from walkaway.models import Model

__all__ = ["neighbours", "productivity", "rollup"]

MONTHS = 12
ROLLED_UP = ("team", "pipeline")
NONE = "(none)"


def neighbours(model: Model, calls: pd.DataFrame, walk_away_above: npt.NDArray[np.float64], bar: float) -> pd.DataFrame:
    """What this bar and its neighbours mean: in the past, and for the deals open now.

    Args:
        model: its curve tells of the past.
        calls: of the open deals that the bar decides: remaining_hours.
        walk_away_above: the bar above which each of them is let go (`Calls`).
        bar: money per hour.
    """
    bars = sorted({bar, *(model.curve.bar_for_forgo(price) for price in PRICES)} - {0.0})
    rows = []
    for one in bars:
        worked, saved, forgone = model.curve.at(one)
        below = walk_away_above < one
        now = {"deals_let_go": int(below.sum()), "hours_freed": float(calls.loc[below, "remaining_hours"].sum())}
        rows.append({"bar": one, "hours_saved": saved, "value_forgone": forgone, "hours_per_week": worked} | now)
    told = pd.DataFrame(
        rows, columns=["bar", "hours_saved", "value_forgone", "hours_per_week", *("deals_let_go", "hours_freed")]
    )
    return told.assign(here=told["bar"] == bar)


def productivity(book: Book, as_of: pd.Timestamp) -> pd.DataFrame:
    """Value won over hours worked by whole months, a year at most: month, hours, won_value, value_per_hour."""
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
    """Open deals, hours, and what letting go frees, by team, pipeline and attribute, where there are two groups."""
    deals = book.deals.set_index("deal_id").reindex(calls["deal_id"])
    dropped = calls["verdict"].isin(DROPPED).to_numpy()
    parts = []
    for name in dict.fromkeys((*ROLLED_UP, *book.attributes("text"))):
        groups = pd.Series(deals[name].to_numpy(), name="group") if name in deals else pd.Series(dtype="str")
        if len(groups.dropna().unique()) > 1:
            told = pd.DataFrame({"deals": 1, "hours": calls["remaining_hours"], "let_go": dropped})
            told = told.assign(hours_freed=told["hours"] * dropped, expected_value=calls["expected_value"])
            summed = told.groupby(groups.fillna(NONE).to_numpy()).sum().sort_values("hours", ascending=False)
            parts.append(summed.rename_axis("group").reset_index().assign(dimension=name))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["dimension", "group"])
