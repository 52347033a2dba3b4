import pandas as pd
import pytest

from walkaway.report.html.refocus import refocus


def freed(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["owner_id", "team", "remaining_hours"])


def kept(*rows: tuple) -> pd.DataFrame:
    """Deals whose expected value is that of their hours and a tenth of an hour besides, as with a floor."""
    told = pd.DataFrame(rows, columns=["deal_id", "owner_id", "team", "remaining_hours", "value_per_hour"])
    return told.assign(expected_value=told["value_per_hour"] * (told["remaining_hours"] + 0.1))


def plan_of(free: pd.DataFrame, deals: pd.DataFrame) -> list:
    return refocus(free, deals)[0][["owner_id", "deal_id", "hours"]].values.tolist()


def test_an_owners_own_deals_come_first_the_most_valuable_hour_first():
    deals = kept(("low", "ann", "n", 5.0, 10.0), ("high", "ann", "n", 2.0, 90.0), ("other", "bob", "n", 9.0, 500.0))

    assert plan_of(freed(("ann", "n", 4.0)), deals) == [["ann", "high", 2.0], ["ann", "low", 2.0]]


def test_then_the_teams_deals_and_then_any():
    deals = kept(("far", "cy", "south", 9.0, 900.0), ("near", "bob", "north", 1.0, 50.0))

    assert plan_of(freed(("ann", "north", 4.0)), deals) == [["ann", "near", 1.0], ["ann", "far", 3.0]]


def test_no_deal_is_given_more_hours_than_it_needs():
    deals = kept(("x", "bob", "n", 1.5, 50.0))
    plan, sums = refocus(freed(("ann", "n", 1.0), ("bob", "n", 3.0)), deals)

    assert plan.groupby("deal_id")["hours"].sum().to_dict() == {"x": 1.5}
    assert sums.set_index("owner_id")["hours_freed"].to_dict() == {"bob": 3.0, "ann": 1.0}
    assert sums["hours_placed"].sum() == 1.5


def test_deals_without_owner_or_team_are_anybodys():
    assert plan_of(freed(("", "", 1.0)), kept(("x", "", "", 2.0, 50.0))) == [["", "x", 1.0]]


@pytest.mark.parametrize("free", [freed(), freed(("ann", "n", 0.001))])
def test_without_hours_there_is_no_plan(free):
    assert plan_of(free, kept(("x", "ann", "n", 2.0, 50.0))) == []


def test_the_plan_counts_the_share_of_expected_value_of_the_hours_it_assigns():
    plan, _ = refocus(freed(("ann", "n", 3.0)), kept(("x", "ann", "n", 2.0, 50.0), ("y", "bob", "n", 9.0, 10.0)))

    assert plan["expected"].tolist() == pytest.approx([105.0, 91.0 / 9])
