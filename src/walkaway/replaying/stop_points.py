"""The last cheap exit: when a deal fell below the bar for good, the hours worked after it, and what that rule costs.

For a lost deal these hours could have been saved. Whether a deal is below the bar for good nobody knows at the time, so
the price of the rule is the value of all won deals that were ever below it, and no hours are told without it.
"""

from __future__ import annotations

import pandas as pd

from walkaway.book import Book
from walkaway.economics import DROPPED

__all__ = ["stop_points", "stop_points_by"]

ALL = "all"
MISSING = "(none)"


def stop_points(calls: pd.DataFrame) -> pd.DataFrame:
    """Where each deal that was ever below the bar should have been left.

    Args:
        calls: of `measures.judged`; sorted by deal_id and as_of.

    Returns:
        One row a deal: deal_id, as_of (of the first call of its last stretch below the bar; if it came back above it,
        of its first call below), for_good (it did not come back), stage, outcome, ending, hours_after (booked after
        it), value_after (won after it, 0 if lost).
    """
    dropped = calls["verdict"].isin(DROPPED)
    last_stretch = dropped[::-1].groupby(calls["deal_id"][::-1]).cummin()[::-1]
    calls = calls.assign(for_good=last_stretch.groupby(calls["deal_id"]).transform("max"))
    found = calls[last_stretch | (dropped & ~calls["for_good"])].drop_duplicates("deal_id")
    return pd.DataFrame(
        {
            "deal_id": found["deal_id"],
            "as_of": found["as_of"],
            "for_good": found["for_good"],
            "stage": found["stage"],
            "outcome": found["outcome"],
            "ending": found["ending"],
            "hours_after": found["remaining_hours_truth"],
            "value_after": found["worth_truth"].clip(lower=0),
        }
    ).reset_index(drop=True)


def _group(table: pd.DataFrame) -> dict[str, float]:
    lost, won = (table["outcome"] == "lost") & table["for_good"], table["outcome"] == "won"
    return {
        "lost_deals": int(lost.sum()),
        "hours_after": float(table.loc[lost, "hours_after"].sum()),
        "won_deals": int(won.sum()),
        "value_forgone": float(table.loc[won, "value_after"].sum()),
    }


def stop_points_by(found: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Exits rolled up: over all, by month, by stage, by team and by each text attribute fixed at creation.

    Args:
        found: of `stop_points`.
        book: says what the deals are.

    Returns:
        Indexed by dimension and value: lost_deals that fell below the bar for good, and the hours worked on them after
        it; won_deals that were ever below it, and their value.
    """
    deals = book.deals.set_index("deal_id").reindex(found["deal_id"])
    groups = {"month": found["as_of"].dt.strftime("%Y-%m"), "stage": found["stage"]}
    groups |= {name: pd.Series(deals[name].to_numpy()) for name in dict.fromkeys(["team", *book.attributes("text")])}
    rows = {(ALL, ALL): _group(found)}
    for dimension, values in groups.items():
        rows |= {
            (dimension, str(value)): _group(part) for value, part in found.groupby(values.fillna(MISSING), sort=True)
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["dimension", "value"])
