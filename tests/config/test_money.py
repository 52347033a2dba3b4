import datetime as dt

import pytest
from pydantic import ValidationError

from walkaway.config import MoneySettings, rate_on
from walkaway.errors import DataError

RATES = [
    {"currency": "USD", "from": "2026-01-01", "rate": 0.9},
    {"currency": "USD", "from": "2026-03-01", "rate": 0.8},
    {"currency": "GBP", "from": "2026-01-01", "rate": 1.2},
]


@pytest.mark.parametrize(
    ("currency", "day", "rate"),
    [("USD", (2026, 1, 1), 0.9), ("USD", (2026, 2, 28), 0.9), ("USD", (2026, 3, 1), 0.8), ("EUR", (1999, 1, 1), 1.0)],
)
def test_the_rate_in_force_is_the_newest_dated_that_day_or_before(currency, day, rate):
    assert rate_on(MoneySettings(currency="EUR", rates=RATES), currency, dt.date(*day)) == rate


@pytest.mark.parametrize(("currency", "day"), [("USD", "2025-12-31"), ("CHF", "2026-05-01")])
def test_no_rate_is_an_error_that_names_currency_and_date(currency, day):
    money = MoneySettings(currency="EUR", rates=RATES)

    with pytest.raises(
        DataError, match=rf"a rate from {currency} to EUR is needed for {day}, found none\. Add one dated that day"
    ):
        rate_on(money, currency, dt.date.fromisoformat(day))


def test_two_rates_of_one_currency_and_day_are_refused():
    with pytest.raises(
        ValidationError, match="must hold one rate per currency and day, found two for USD on 2026-01-01"
    ):
        MoneySettings(rates=[RATES[0], RATES[0] | {"rate": 0.7}])


def test_a_rate_of_the_reporting_currency_itself_is_refused():
    with pytest.raises(ValidationError, match="into EUR, found one for EUR itself"):
        MoneySettings(currency="EUR", rates=[*RATES, RATES[0] | {"currency": "EUR"}])
