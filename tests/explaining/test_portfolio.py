import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.books import END_DAY, UNTIL, day

from walkaway.asof.history import History
from walkaway.asof.snapshots import open_snapshots
from walkaway.config import ScoreSettings
from walkaway.errors import UsageError
from walkaway.explaining import portfolio
from walkaway.explaining.portfolio import shrunk_gaps, shrunk_shares
from walkaway.models.model import make_calls, read_rows

pytest_plugins = ("tests.books",)

DIAL = ScoreSettings(bar=150.0)


@pytest.fixture(scope="module")
def teams(book):
    """The book with a team a deal, at random; it is declared fixed."""
    team = np.random.default_rng(0).choice(["north", "south"], len(book.deals))
    manifest = book.manifest.model_copy(update={"fixed_at_creation": (*book.manifest.fixed_at_creation, "team")})
    return replace(book.with_tables(deals=book.deals.assign(team=pd.Series(team, dtype="str"))), manifest=manifest)


@pytest.fixture(scope="module")
def found(teams, trained):
    return portfolio(teams, trained.model, UNTIL, DIAL)


@pytest.fixture(scope="module")
def calls(teams, trained):
    snapshots = open_snapshots(teams, pd.DatetimeIndex([UNTIL]))
    return make_calls(trained.model, read_rows(History(teams), snapshots, trained.model.plan), 150.0).table


def test_every_dropped_deal_stands_under_one_theme(found, calls):
    dropped = calls[calls["verdict"].isin(["walk_away", "nurture"])]

    assert (found.open_deals, found.bar, found.as_of) == (len(calls), 150.0, UNTIL)
    assert found.themes["deals"].sum() == len(dropped)
    assert found.themes["hours"].sum() == pytest.approx(dropped["remaining_hours"].sum())
    cost = 150.0 * dropped["remaining_hours"] - dropped["expected_value"]
    assert found.themes["cost"].sum() == pytest.approx(cost.sum())
    assert "sold at a loss" in found.themes.index


def test_hours_worked_are_those_booked_in_the_month_before(found, calls, teams):
    dropped = calls.loc[calls["verdict"].isin(["walk_away", "nurture"]), "deal_id"]
    rows = teams.activities[teams.activities["deal_id"].isin(dropped)]
    rows = rows[(rows["recorded_at"] <= UNTIL) & (rows["recorded_at"] > UNTIL - pd.Timedelta(days=30))]
    hours = rows["hours"].fillna(rows["kind"].map(teams.manifest.assumed_hours))

    assert found.themes["worked"].sum() == pytest.approx(hours.sum(), rel=1e-3)


def test_groups_are_counted_and_their_shares_drawn_towards_that_of_all(found, calls, teams):
    team = calls["deal_id"].map(teams.deals.set_index("deal_id")["team"])
    dropped = calls["verdict"].isin(["walk_away", "nurture"])
    by_team = found.drops.loc["team"]

    assert by_team["deals"].to_dict() == team.value_counts().to_dict()
    assert by_team["dropped"].to_dict() == pytest.approx(dropped.groupby(team).mean().to_dict())
    assert (by_team["shrunk"] - dropped.mean()).abs().max() < (by_team["dropped"] - dropped.mean()).abs().max()


def test_owners_are_grouped_by_in_an_audit_only(found, teams, trained):
    audit = portfolio(teams, trained.model, UNTIL, DIAL, owners=True)

    assert "owner_id" not in found.drops.index.get_level_values("dimension")
    assert audit.drops.loc["owner_id", "deals"].ge(5).all()
    assert set(audit.drops.loc["owner_id"].index) <= {f"o{n}" for n in range(5)}


def test_calibration_by_group_rests_on_settled_calls_a_mean_a_deal(teams, trained):
    ids = teams.deals["deal_id"].iloc[:60]
    north = (teams.deals["team"].iloc[:60] == "north").to_numpy()
    ledger = pd.DataFrame({"deal_id": ids, "win_probability": np.where(north, 0.9, 0.2), "outcome": "lost"})
    twice = pd.concat([ledger, ledger.assign(outcome="nan"), ledger[north]], ignore_index=True)
    told = portfolio(teams, trained.model, UNTIL, DIAL, settled=twice).calibration.loc["team"]

    assert told["deals"].to_dict() == {"north": north.sum(), "south": 60 - north.sum()}
    assert told["gap"].to_dict() == pytest.approx({"north": 0.9, "south": 0.2})
    assert told["differs"].tolist() == [True, True]


def test_without_settled_calls_nothing_is_said_of_calibration(found):
    assert found.calibration.empty


def test_a_portfolio_as_json_is_plain(found):
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))

    assert told["as_of"] == UNTIL.isoformat()
    assert {row["group"] for row in told["drops"] if row["dimension"] == "team"} == {"north", "south"}


def test_where_no_deal_is_open_there_is_no_pipeline(teams, trained):
    closed = teams.deals.assign(closed_at=teams.deals["closed_at"].fillna(day(END_DAY)))
    with pytest.raises(UsageError, match="no deal is open at 2026-01-01T00:00Z, so there is nothing to score"):
        portfolio(teams.with_tables(deals=closed), trained.model, pd.Timestamp("2026-01-01", tz="UTC"), DIAL)


def test_groups_that_do_not_differ_are_drawn_together_and_those_that_do_stay_apart():
    rng = np.random.default_rng(0)
    deals = np.full(20, 50.0)
    alike = shrunk_shares(rng.binomial(50, 0.3, 20).astype(float), deals)
    apart = shrunk_shares(np.r_[np.full(10, 5.0), np.full(10, 40.0)], deals)

    assert alike["shrunk"].std() < 0.03
    assert apart["shrunk"].iloc[[0, 19]].tolist() == pytest.approx([0.1, 0.8], abs=0.03)
    assert apart["high"].iloc[0] < 0.45 < apart["low"].iloc[19]


def test_shares_of_all_or_nothing_have_no_interval():
    assert shrunk_shares(np.zeros(3), np.full(3, 9.0)).to_numpy().tolist() == [[0.0, 0.0, 0.0]] * 3


def test_a_gap_of_few_deals_is_drawn_further_than_one_of_many():
    told = shrunk_gaps(np.array([0.3, 0.3, -0.3, -0.3]), np.array([0.02, 0.3, 0.02, 0.3]), 0.0)

    assert told["shrunk"].iloc[0] > 0.28 > told["shrunk"].iloc[1] > 0.1
    assert (told["low"] < told["shrunk"]).all()
