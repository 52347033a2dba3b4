"""The reporting currency, and dated exchange rates into it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from walkaway.errors import DataError

__all__ = ["AS_IT_IS", "MoneySettings", "Rate", "rate_on"]

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Rate(BaseModel):
    """An exchange rate from a day on: reporting currency per unit of another currency."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    currency: Currency
    since: dt.date = Field(alias="from")
    rate: float = Field(gt=0, allow_inf_nan=False)


class MoneySettings(BaseModel):
    """The reporting currency (ISO 4217; None means the book's currency), and exchange rates into it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Currency | None = None
    rates: tuple[Rate, ...] = ()

    @model_validator(mode="after")
    def _one_rate_a_day_of_other_money(self) -> MoneySettings:
        seen: set[tuple[str, dt.date]] = set()
        for rate in self.rates:
            if rate.currency == self.currency:
                raise ValueError(
                    f"must hold rates from other currencies into {self.currency}, found one for {rate.currency} itself"
                )
            if (rate.currency, rate.since) in seen:
                raise ValueError(
                    f"must hold one rate per currency and day, found two for {rate.currency} on {rate.since}"
                )
            seen.add((rate.currency, rate.since))
        return self


AS_IT_IS = MoneySettings()  # keep the currency of the book; no rates


def rate_on(money: MoneySettings, currency: str, day: dt.date) -> float:
    """The rate of a currency into the reporting currency on a day: the newest one dated that day or before.

    Raises:
        DataError: there is no such rate.

    >>> money = MoneySettings(currency="EUR", rates=[{"currency": "USD", "from": "2026-01-01", "rate": 0.85}])
    >>> rate_on(money, "USD", dt.date(2026, 3, 1)), rate_on(money, "EUR", dt.date(2026, 3, 1))
    (0.85, 1.0)
    """
    if currency == money.currency:
        return 1.0
    by_then = [rate for rate in money.rates if rate.currency == currency and rate.since <= day]
    if not by_then:
        raise DataError(
            f"money.rates: a rate from {currency} to {money.currency or 'the reporting currency'} is needed for "
            f"{day:%Y-%m-%d}, found none. Add one dated that day or before."
        )
    return max(by_then, key=lambda rate: rate.since).rate
