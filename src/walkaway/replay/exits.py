"""The last cheap exit: when a deal fell below the bar for good, the hours worked after it, and what that rule costs.

For a lost deal these hours could have been saved. The same rule would have dropped some deals that were won: their
value is the price, and no hours are told without it.
"""

from __future__ import annotations

import pandas as pd

from walkaway.economics import DROPPED
from walkaway.schema import Book

__all__ = ["exits", "exits_by"]

ALL = "all"
MISSING = "(none)"


def exits(calls: pd.DataFrame) -> pd.DataFrame:
    """The first call of each deal's last stretch below the bar; deals that stood above it at their last call have none.

    Args:
        calls: of `measures.judged`; sorted by deal_id and as_of.

    Returns:
        One row a deal: deal_id, as_of, stage, outcome, ending, hours_after (booked after it), value_after (won after
        it, 0 if lost).
    """
    dropped = calls["verdict"].isin(DROPPED)
    for_good = dropped[::-1].groupby(calls["deal_id"][::-1]).cummin()[::-1]
    found = calls[for_good].drop_duplicates("deal_id")
    return pd.DataFrame(
        {
            "deal_id": found["deal_id"],
            "as_of": found["as_of"],
            "stage": found["stage"],
            "outcome": found["outcome"],
            "ending": found["ending"],
            "hours_after": found["remaining_hours_truth"],
            "value_after": found["worth_truth"].clip(lower=0),
        }
    ).reset_index(drop=True)


def _group(table: pd.DataFrame) -> dict[str, float]:
    lost, won = table["outcome"] == "lost", table["outcome"] == "won"
    return {
        "lost_deals": int(lost.sum()),
        "hours_after": float(table.loc[lost, "hours_after"].sum()),
        "won_deals": int(won.sum()),
        "value_forgone": float(table.loc[won, "value_after"].sum()),
    }


def exits_by(found: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Exits rolled up: over all, by month, by stage, by team and by each text attribute fixed at creation.

    Args:
        found: of `exits`.
        book: says what the deals are.

    Returns:
        Indexed by dimension and value: lost_deals and the hours worked on them after their exit; won_deals and the
        value that the same rule would have forgone.
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
