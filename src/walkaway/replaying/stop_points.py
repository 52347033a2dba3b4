"""Stop points: when a deal fell below the bar for good, the hours worked after that, and what stopping there costs.

On a lost deal, these hours could have been saved. But at the time nobody knows whether a deal is below the bar for
good. So the price of stopping is the value of all won deals that were ever below the bar. Always show hours and price
together.
"""

from __future__ import annotations

import pandas as pd

from walkaway.book import Book
from walkaway.economics import DROPPED

__all__ = ["stop_points", "stop_points_by"]

ALL = "all"
MISSING = "(none)"


def stop_points(calls: pd.DataFrame) -> pd.DataFrame:
    """The stop point of each deal that was ever below the bar.

    Args:
        calls: of `measures.judged`; sorted by deal_id and as_of.

    Returns:
        One row per deal: deal_id; as_of, the stop point: the first call since which all calls were below the bar, or
        the first call below it if the deal rose above it again; for_good (it never rose above it again); stage;
        outcome; ending; hours_after (booked after as_of); value_after (won after as_of, 0 if lost).
    """
    dropped = calls["verdict"].isin(DROPPED)
    last_stretch = dropped[::-1].groupby(calls["deal_id"][::-1]).cummin()[::-1]
    calls = calls.assign(for_good=last_stretch.groupby(calls["deal_id"]).transform("max"))
    stops = calls[last_stretch | (dropped & ~calls["for_good"])].drop_duplicates("deal_id")
    return pd.DataFrame(
        {
            "deal_id": stops["deal_id"],
            "as_of": stops["as_of"],
            "for_good": stops["for_good"],
            "stage": stops["stage"],
            "outcome": stops["outcome"],
            "ending": stops["ending"],
            "hours_after": stops["remaining_hours_truth"],
            "value_after": stops["worth_truth"].clip(lower=0),
        }
    ).reset_index(drop=True)


def _totals(table: pd.DataFrame) -> dict[str, float]:
    lost, won = (table["outcome"] == "lost") & table["for_good"], table["outcome"] == "won"
    return {
        "lost_deals": int(lost.sum()),
        "hours_after": float(table.loc[lost, "hours_after"].sum()),
        "won_deals": int(won.sum()),
        "value_forgone": float(table.loc[won, "value_after"].sum()),
    }


def stop_points_by(stops: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Totals of stop points: over all deals, by month, stage, team and each text attribute fixed at creation.

    Args:
        stops: of `stop_points`.
        book: has the teams and attributes of the deals.

    Returns:
        Indexed by dimension and value: lost_deals (they fell below the bar for good), hours_after (worked on them after
        that), won_deals (they were ever below the bar), value_forgone (their value).
    """
    deals = book.deals.set_index("deal_id").reindex(stops["deal_id"])
    groups = {"month": stops["as_of"].dt.strftime("%Y-%m"), "stage": stops["stage"]}
    groups |= {name: pd.Series(deals[name].to_numpy()) for name in dict.fromkeys(["team", *book.attributes("text")])}
    rows = {(ALL, ALL): _totals(stops)}
    for dimension, values in groups.items():
        rows |= {
            (dimension, str(value)): _totals(part) for value, part in stops.groupby(values.fillna(MISSING), sort=True)
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["dimension", "value"])
