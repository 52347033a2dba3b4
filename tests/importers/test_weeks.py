import pandas as pd
import pytest

from walkaway.importers.weeks import assumed_weeks

NEWEST = pd.Timestamp("2026-01-20", tz="UTC")


@pytest.fixture
def weeks(table):
    """When the weeks of a deal are recorded: day and hour."""

    def of(created: str, closed: str = "-") -> list[str]:
        deals = table(f"deal_id | created_at | closed_at\nd1 | {created} | {closed}")
        typed = deals.assign(**{c: pd.to_datetime(deals[c], utc=True) for c in ("created_at", "closed_at")})
        return [f"{at:%m-%dT%H}" for at in assumed_weeks(typed, NEWEST)["recorded_at"]]

    return of


def test_each_begun_week_of_a_closed_deal_is_recorded_at_its_end_or_at_the_close(weeks):
    assert weeks("2026-01-01", "2026-01-10T12:00") == ["01-08T00", "01-10T12"]


def test_a_deal_closed_at_the_end_of_a_week_has_no_week_more(weeks):
    assert weeks("2026-01-01", "2026-01-08") == ["01-08T00"]


def test_a_deal_closed_at_once_has_one_week(weeks):
    assert weeks("2026-01-01", "2026-01-01") == ["01-01T00"]


def test_the_running_week_of_an_open_deal_is_not_recorded_yet(weeks):
    assert weeks("2026-01-01") == ["01-08T00", "01-15T00"]
    assert weeks("2026-01-19") == []


def test_weeks_have_no_hours_of_their_own_and_an_id_each(table):
    deals = table("deal_id | created_at | closed_at\nd1 | 2026-01-01 | 2026-01-09\nd2 | 2026-01-12 | 2026-01-13")
    found = assumed_weeks(deals, NEWEST)

    assert found["activity_id"].tolist() == ["d1/week 1", "d1/week 2", "d2/week 1"]
    assert found["kind"].unique().tolist() == ["assumed week"]
    assert found["hours"].isna().all()
    assert found["occurred_at"].dt.strftime("%m-%d").tolist() == ["01-01", "01-08", "01-12"]
