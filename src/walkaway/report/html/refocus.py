"""Refocus: a plan that moves freed hours to other deals, highest value per hour first."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["refocus", "work_first"]

NOBODY = ""
COLUMNS = ["owner_id", "deal_id", "deal_owner", "team", "hours", "value_per_hour", "expected"]
SHORTEST = 1 / 60  # hours; shorter pieces are not worth planning


def refocus(freed: pd.DataFrame, kept: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Where freed hours earn most: the owner's own deals first, then the team's, then any; each by value per hour.

    A deal gets no more hours than it is expected to need, so the plan brings valuable work forward and adds no work.
    Hours that no kept deal needs stay free for finding new deals.

    Args:
        freed: deals to stop: owner_id, team, remaining_hours.
        kept: deals to pursue: deal_id, owner_id, team, remaining_hours, value_per_hour, expected_value.

    Returns:
        The plan, one row per owner and deal: owner_id (whose hours), deal_id, deal_owner, team, hours, value_per_hour,
        expected (the share of the deal's expected value for these hours). And the sums per owner: owner_id,
        hours_freed, hours_placed.

    >>> freed = pd.DataFrame({"owner_id": ["ann", "bob"], "team": "t", "remaining_hours": [3.0, 1.0]})
    >>> kept = pd.DataFrame({"deal_id": ["x", "y"], "owner_id": ["bob", "ann"], "team": "t",
    ...     "remaining_hours": [2.0, 1.0], "value_per_hour": [90.0, 50.0], "expected_value": [180.0, 50.0]})
    >>> refocus(freed, kept)[0][["owner_id", "deal_id", "hours"]].values.tolist()
    [['ann', 'y', 1.0], ['bob', 'x', 1.0], ['ann', 'x', 1.0]]
    """
    hours = freed.groupby(["owner_id", "team"], sort=True)["remaining_hours"].sum()
    left = {key: float(value) for key, value in hours.items() if value >= SHORTEST}
    need = kept.sort_values("value_per_hour", ascending=False, kind="stable")
    need = need.assign(an_hour=need["expected_value"] / need["remaining_hours"].clip(lower=SHORTEST))
    columns = ["deal_id", "owner_id", "team", "remaining_hours", "value_per_hour", "an_hour"]
    deals = need[columns].to_dict("records")
    rows: list[dict[str, object]] = []
    for near in (_own, _of_the_team, _any):
        for owner, team in list(left):
            for deal in deals:
                if left[owner, team] < SHORTEST:
                    break
                taken = min(left[owner, team], deal["remaining_hours"])
                if taken >= SHORTEST and near(owner, team, deal):
                    left[owner, team] -= taken
                    deal["remaining_hours"] -= taken
                    row = (owner, deal["deal_id"], deal["owner_id"], deal["team"], taken, deal["value_per_hour"])
                    rows.append(dict(zip(COLUMNS, (*row, taken * deal["an_hour"]), strict=True)))
    plan = pd.DataFrame(rows, columns=COLUMNS)
    return plan, _sums(hours, plan)


def work_first(kept: pd.DataFrame) -> pd.DataFrame:
    """The plan where no hours are known: the deals to pursue, with no hours, highest expected value first.

    Args:
        kept: deals to pursue: deal_id, owner_id, team, expected_value.

    >>> kept = pd.DataFrame({"deal_id": ["x", "y"], "owner_id": "", "team": "", "expected_value": [50.0, 90.0]})
    >>> work_first(kept)["deal_id"].tolist()
    ['y', 'x']
    """
    ranked = kept.sort_values("expected_value", ascending=False, kind="stable").reset_index(drop=True)
    plan = ranked.assign(deal_owner=ranked["owner_id"], hours=float("nan"), value_per_hour=float("nan"))
    return plan.assign(expected=plan["expected_value"])[COLUMNS]


def _own(owner: str, team: str, deal: dict[str, Any]) -> bool:
    return owner != NOBODY and deal["owner_id"] == owner


def _of_the_team(owner: str, team: str, deal: dict[str, Any]) -> bool:
    return team != NOBODY and deal["team"] == team


def _any(owner: str, team: str, deal: dict[str, Any]) -> bool:
    return True


def _sums(hours: pd.Series, plan: pd.DataFrame) -> pd.DataFrame:
    freed = hours.groupby(level="owner_id").sum()
    placed = plan.groupby("owner_id")["hours"].sum().rename("hours_placed")
    sums = pd.DataFrame({"hours_freed": freed}).join(placed).fillna(0.0)
    return sums.sort_values("hours_freed", ascending=False).reset_index()
