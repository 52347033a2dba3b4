from datetime import datetime

import pandas as pd
import pytest

from walkaway.config import ReportSettings
from walkaway.errors import UsageError
from walkaway.formatting import LocaleFormat, locale_named

EUROS = LocaleFormat("en_GB", "EUR")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (41.2, "days", "41 days"),
        (1.4, "days", "1 day"),
        (1.0, "days", "1 day"),
        (1.6, "days", "2 days"),
        (0.5, "days", "12 hours"),
        (1 / 24, "days", "about an hour"),
        (0.01, "days", "less than an hour"),
        (0.0, "days", "less than an hour"),
        (-3.0, "days", "-3 days"),
        (-0.5, "days", "-12 hours"),
        (3.0, "days ahead", "in 3 days"),
        (-3.0, "days ahead", "3 days ago"),
        (1234567.4, "money", "EUR 1,234,567"),
        (0.825, "ratio", "82%"),
        (0.0, "weekday", "Monday"),
        (6.0, "weekday", "Sunday"),
        (3.0, "count", "3"),
        (96.0, "days moved", "pushed by 96 days"),
        (-12.0, "days moved", "brought forward by 12 days"),
        (1.0, "times", "once"),
        (2.0, "times", "twice"),
        (5.0, "times", "5 times"),
        (1.0, "category", "offer"),
        (2.0, "category", "call, begun"),
    ],
)
def test_a_value_is_written_with_its_unit(value, unit, text):
    assert EUROS.value(value, unit, ("new / done", "offer / done", "call / begun")) == text


def test_an_overdue_hour_is_not_written_as_less_than_an_hour_to_come():
    assert EUROS.value(-2 / 24, "days") == "-2 hours"
    assert EUROS.value(-1 / 24, "days") != EUROS.value(0.0, "days")


def test_money_without_a_currency_has_no_space_in_front():
    assert LocaleFormat().value(900.0, "money") == "900"


@pytest.mark.parametrize(
    ("locale", "money", "percent", "date"),
    [
        ("en_GB", "EUR 1,234,568", "83%", "1 Mar 2026"),
        ("en", "EUR 1,234,568", "83%", "Mar 1, 2026"),
        ("en_IN", "EUR 12,34,568", "83%", "1 Mar 2026"),
        ("de-DE", "1.234.568 EUR", "83 %", "01.03.2026"),
        ("fr_FR", "1\u202f234\u202f568 EUR", "83 %", "1 mars 2026"),
    ],
)
def test_numbers_money_and_dates_are_written_as_the_reader_writes_them(locale, money, percent, date):
    told = LocaleFormat(locale, "EUR")

    assert told.money(1234567.8) == money
    assert told.percent(0.83).replace("\u202f", " ") == percent
    assert told.date(datetime(2026, 3, 1)) == date


def test_a_moment_of_pandas_is_written_like_any_other():
    assert EUROS.moment(pd.Timestamp("2026-03-01T06:00Z")) == "1 Mar 2026, 06:00"


@pytest.mark.parametrize("name", ["", "xx_YY", "english please", "../etc"])
def test_an_unknown_locale_is_refused_with_examples(name):
    with pytest.raises(UsageError, match=r"report\.locale: .* names no locale\. Use a language, .*en_IN"):
        locale_named(name)


def test_a_setting_that_names_no_locale_is_refused():
    with pytest.raises(ValueError, match="must name a locale"):
        ReportSettings(locale="klingon")


def test_a_short_piece_of_work_is_told_in_minutes():
    assert [EUROS.hours(hours) for hours in (0.0, 1 / 60, 0.99, 1.0, 1234.56)] == [
        "0 minutes",
        "1 minute",
        "59 minutes",
        "1.0 hour",
        "1,234.6 hours",
    ]
