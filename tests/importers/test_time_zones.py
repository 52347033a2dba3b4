"""Days whose midnight comes twice or not at all, in every time zone of the tz database."""

from functools import cache
from zoneinfo import available_timezones

import pandas as pd
import pytest

from walkaway.book.schema import Book, Manifest
from walkaway.config import MoneySettings
from walkaway.importers import load_mapping
from walkaway.importers.cells import moments
from walkaway.importers.currencies import in_one_currency
from walkaway.importers.table import import_table

DAYS = pd.date_range("1995-01-01", "2037-12-31")
EUR = MoneySettings(currency="EUR", rates=[{"currency": "BRL", "from": "1990-01-01", "rate": 0.5}])
NOW = pd.Timestamp("2038-01-05", tz="UTC")


@cache
def odd_days(timezone: str) -> pd.DatetimeIndex:
    """The days that begin twice, or not at midnight; and whole days that do not exist."""
    return DAYS[DAYS.tz_localize(timezone, nonexistent="NaT", ambiguous="NaT").isna()]


ZONES = sorted(zone for zone in available_timezones() if zone != "localtime")


def test_there_are_many_such_days():
    assert len(odd_days("America/Sao_Paulo")) > 10
    assert "2018-10-28" in odd_days("Atlantic/Azores")
    assert sum(len(odd_days(zone)) > 0 for zone in ZONES) > 50


@pytest.mark.parametrize("zone", [zone for zone in ZONES if len(odd_days(zone))])
def test_a_deal_created_on_such_a_day_has_a_moment_and_a_rate(zone):
    days = odd_days(zone)
    written = pd.Series(days.strftime("%Y-%m-%d"))
    created = moments(written, "%Y-%m-%d", zone)
    ends = moments(written, "%Y-%m-%d", zone, end_of_day=True)
    ids = [f"d{number}" for number in range(len(days))]
    deals = pd.DataFrame({"deal_id": ids, "created_at": created, "amount": 100.0, "currency": "BRL"})
    found, refused, _ = in_one_currency(Book.of(Manifest(currency="EUR"), deals=deals), EUR, zone)

    assert found.deals["amount"].tolist() == [50.0] * len(days)
    assert refused.empty
    assert (created <= ends + pd.Timedelta(microseconds=1)).all()  # a day that was skipped is empty


def test_a_day_begins_at_the_first_of_two_midnights_and_the_day_before_ends_there():
    day, before = (pd.Series([text]) for text in ("2018-10-28", "2018-10-27"))
    start = moments(day, "%Y-%m-%d", "Atlantic/Azores")
    end = moments(before, "%Y-%m-%d", "Atlantic/Azores", end_of_day=True)

    assert start.tolist() == [pd.Timestamp("2018-10-28T00:00Z")]
    assert end.tolist() == [pd.Timestamp("2018-10-27T23:59:59.999999Z")]


@pytest.mark.parametrize(("mapping", "file"), [("dst3.toml", "dst.csv"), ("azores.toml", "azores.csv")])
def test_the_shared_cases_are_imported_whole(shared, mapping, file):
    folder = "cases/60-clock-changes-at-midnight"
    export = shared(f"{folder}/{file}")
    found = import_table([export], load_mapping(str(shared(f"{folder}/{mapping}"))), NOW)

    assert len(found.book.deals) == 2
    assert found.quarantine.empty
