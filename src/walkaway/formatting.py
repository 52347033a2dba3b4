"""Numbers, money, dates and durations in the reader's locale and the book's currency.

Sentences stay English. The locale sets separators, dates, percent signs and the place of the currency. Currencies are
shown by code, because the sign $ stands for several.
"""

from __future__ import annotations

import math
from collections.abc import (
    Callable,
    Sequence,
)
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import NumberPattern, format_decimal, parse_pattern

from walkaway.errors import UsageError

__all__ = ["LocaleFormat", "locale_named", "plain_activity", "plain_step", "times"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CURRENCY, CODE, SPACE = "¤", "¤¤", "\xa0"
FEW = ("never", "once", "twice")
NOT_KNOWN = "n/a"
PHONE_CALL = "phone call"


@lru_cache
def locale_named(name: str) -> Locale:
    """The locale of a name such as en, en_IN or de-CH.

    Raises:
        UsageError: no locale has that name.
    """
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError) as error:
        raise UsageError(
            f"report.locale: {name!r} names no locale. Use a language, with a territory if numbers differ: en, en_IN, "
            "de_CH, fr_FR."
        ) from error


@lru_cache
def _money_pattern(locale: Locale) -> NumberPattern:
    """The locale's pattern for money in whole units, with a space between currency code and number."""
    pattern = locale.currency_formats["standard"].pattern.split(";")[0].replace(".00", "").replace(CURRENCY, CODE)
    return parse_pattern(pattern.replace(f"{CODE}#", f"{CODE}{SPACE}#"))


def _decimals(digits: int) -> str:
    return "." + "0" * digits if digits else ""


def plain_step(word: str) -> str:
    """A step in plain words; "done" is left out.

    >>> plain_step("offer_sent / done"), plain_step("call after offer / planned")
    ('offer sent', 'call after offer, planned')
    """
    return word.removesuffix(" / done").replace(" / ", ", ").replace("_", " ")


def plain_activity(word: str) -> str:
    """A kind of activity, or a kind with its status, in plain words. The kind "call" is named a phone call.

    Elsewhere, "call" means the verdict on a deal.

    >>> plain_activity("call"), plain_activity("call / planned"), plain_activity("offer_sent / done")
    ('phone call', 'phone call, planned', 'offer sent')
    """
    kind, slash, status = word.partition(" / ")
    return plain_step(f"{PHONE_CALL if kind == 'call' else kind}{slash}{status}")


def times(count: float) -> str:
    """How often something happened: never, once, twice, 3 times.

    >>> times(1.0), times(4.0)
    ('once', '4 times')
    """
    whole = round(count)
    return FEW[whole] if 0 <= whole < len(FEW) else f"{whole} times"


class LocaleFormat:
    """Formats values for one reader: in their locale, with money in one currency, or counted in wins.

    `unit` is what effort is counted in: hours, or deals where each is taken to need the same.

    A number that is missing (NaN) or infinite is written n/a.

    >>> LocaleFormat("de_DE", "EUR").money(5000.4).replace(chr(160), " ")
    '5.000 EUR'
    """

    def __init__(
        self,
        locale: str = "en_GB",
        currency: str = "",
        *,
        unit: Literal["hour", "deal"] = "hour",
        counts_wins: bool = False,
    ) -> None:
        self.currency, self.unit, self.counts_wins, self._locale = currency, unit, counts_wins, locale_named(locale)

    @cached_property
    def locale(self) -> str:
        """The name of the locale, such as en or de_DE."""
        return str(self._locale)

    def money(self, value: float) -> str:
        """Whole units of the currency; a plain number where the book names none.

        >>> LocaleFormat("en", "EUR").money(-1234.5).replace(chr(160), " "), LocaleFormat("en").money(5000)
        ('-EUR 1,234', '5,000')
        """
        if not math.isfinite(value):
            return NOT_KNOWN
        if self.counts_wins:
            return self._wins(value)
        if not self.currency:
            return self.whole(value)
        pattern = _money_pattern(self._locale)
        text = str(pattern.apply(value, self._locale, currency=self.currency, currency_digits=False))
        return text.replace(SPACE, " ")

    def _wins(self, wins: float) -> str:
        """A number of wins, with two digits that count.

        >>> LocaleFormat("en", counts_wins=True).money(0.0312), LocaleFormat("en", counts_wins=True).money(12.4)
        ('0.031 wins', '12 wins')
        """
        digits = 0 if abs(wins) >= 10 or wins == 0 else min(max(1 - math.floor(math.log10(abs(wins))), 1), 4)
        return f"{self.number(wins, digits=digits)} wins"

    @property
    def by_hour(self) -> bool:
        """Whether effort is counted in hours; else no hours are shown."""
        return self.unit == "hour"

    @property
    def by_chance(self) -> bool:
        """Whether deals are compared by their chance to win alone: neither hours nor amounts are recorded."""
        return self.counts_wins and not self.by_hour

    @property
    def ranked_by(self) -> str:
        """In words, what the bar is compared with.

        >>> [LocaleFormat(unit=unit, counts_wins=wins).ranked_by for unit, wins in (("hour", False), ("deal", True))]
        ['value per hour', 'chance to win']
        """
        return "value per hour" if self.by_hour else "chance to win" if self.by_chance else "expected value"

    def worth(self, value: float) -> str:
        """What a deal, or an hour on it, is worth: money or wins; or its chance, where only that is known.

        >>> LocaleFormat("en").worth(120.0), LocaleFormat("en", unit="deal", counts_wins=True).worth(0.142)
        ('120', '14%')
        """
        return self.percent(value, 0 if value >= 0.1 else 1) if self.by_chance else self.money(value)

    @property
    def won(self) -> str:
        """In words, what deals bring: the value won, or wins where no amounts are recorded."""
        return "wins" if self.counts_wins else "value won"

    @property
    def lost(self) -> str:
        """In words, what a bar costs: value lost, or wins lost where no amounts are recorded."""
        return "wins lost" if self.counts_wins else "value lost"

    @property
    def per(self) -> str:
        """In words, what a bar is for: an hour, or a deal where each deal is taken to need the same."""
        return "an hour" if self.by_hour else "to win" if self.by_chance else "a deal"

    def rate(self, value: float) -> str:
        """A bar, or what is compared with it, with what it is for.

        >>> LocaleFormat("en").rate(120.0), LocaleFormat("en", unit="deal").rate(120.0)
        ('120 an hour', '120 a deal')
        >>> LocaleFormat("en", unit="deal", counts_wins=True).rate(0.142)
        '14% to win'
        """
        return f"{self.worth(value)} {self.per}"

    def effort(self, amount: float) -> str:
        """An amount of effort: hours, or deals where each is taken to need the same.

        >>> LocaleFormat("en").effort(12.0), LocaleFormat("en", unit="deal").effort(12.0)
        ('12.0 hours', '12 deals')
        """
        if self.by_hour:
            return self.hours(amount)
        return "1 deal" if round(amount) == 1 else f"{self.whole(amount)} deals"

    def number(self, value: float, digits: int | None = None) -> str:
        """A number with exactly `digits` decimals; by default with the decimals that it has, up to ten.

        >>> LocaleFormat("de_DE").number(1234.5), LocaleFormat("en").number(2.0, digits=1)
        ('1.234,5', '2.0')
        """
        return self._decimal(value, f"#,##0{'.##########' if digits is None else _decimals(digits)}")

    def whole(self, value: float) -> str:
        """A number without decimals.

        >>> LocaleFormat("en").whole(1234.5), LocaleFormat("en").whole(float("nan"))
        ('1,234', 'n/a')
        """
        return self.number(value, digits=0)

    def signed(self, value: float, digits: int) -> str:
        """A difference: a number that shows its sign even if it is positive.

        >>> LocaleFormat("de_DE").signed(0.0123, 3), LocaleFormat("en").signed(-1.0, 1)
        ('+0,012', '-1.0')
        """
        return self._decimal(value, f"+#,##0{_decimals(digits)};-#,##0{_decimals(digits)}")

    def percent(self, share: float, digits: int = 0) -> str:
        """A share in percent, with exactly `digits` decimals.

        >>> LocaleFormat("de_DE").percent(0.123).replace(chr(160), " "), LocaleFormat("en").percent(0.12, 1)
        ('12 %', '12.0%')
        """
        pattern = self._locale.percent_formats[None].pattern.replace("0", f"0{_decimals(digits)}")
        return self._decimal(round(share, 2 + digits), pattern).replace(SPACE, " ")

    def _decimal(self, value: float, pattern: str) -> str:
        return format_decimal(value, pattern, locale=self._locale) if math.isfinite(value) else NOT_KNOWN

    def date(self, moment: datetime) -> str:
        """A day.

        >>> LocaleFormat("en_GB").date(datetime(2026, 3, 1))
        '1 Mar 2026'
        """
        return format_date(moment, "medium", locale=self._locale)

    def moment(self, moment: datetime) -> str:
        """A day with its time.

        >>> LocaleFormat("en_GB").moment(datetime(2026, 3, 1, 6))
        '1 Mar 2026, 06:00'
        """
        return f"{self.date(moment)}, {format_time(moment, 'short', locale=self._locale)}"

    def days(self, value: float) -> str:
        """A duration given in days, in hours if it is shorter than a day.

        >>> [LocaleFormat().days(days) for days in (0.01, 0.04, 0.5, 1.0, 41.2, -2.0)]
        ['less than an hour', 'about an hour', '12 hours', '1 day', '41 days', '-2 days']
        """
        if value < 0:
            return f"-{self.days(-value)}"
        if value < 1:
            hours = value * 24
            if round(hours) == 24:
                return "1 day"
            return f"{hours:.0f} hours" if hours >= 1.5 else "about an hour" if hours >= 0.5 else "less than an hour"
        return "1 day" if round(value) == 1 else f"{self.whole(value)} days"

    def hours(self, value: float) -> str:
        """Hours of work, to a tenth of an hour; in minutes if it is less than an hour.

        >>> LocaleFormat().hours(1.0), LocaleFormat().hours(12.34), LocaleFormat().hours(0.2)
        ('1.0 hour', '12.3 hours', '12 minutes')
        """
        minutes = round(value * 60)
        if minutes < 60:
            return "1 minute" if minutes == 1 else f"{minutes} minutes"
        rounded = round(value, 1)
        return f"{self.number(rounded, digits=1)} {'hour' if rounded == 1 else 'hours'}"

    def value(self, value: float, unit: str, categories: Sequence[str] = ()) -> str:
        """A feature's value with its unit (`walkaway.features.declare.Unit`).

        >>> english = LocaleFormat("en", "EUR")
        >>> values = {"days": 41.2, "days ahead": -2.0, "weekday": 2.0, "times": 2.0}
        >>> [english.value(value, unit) for unit, value in values.items()]
        ['41 days', '2 days ago', 'Wednesday', 'twice']
        """
        if unit == "category":
            return plain_step(categories[int(value)])
        write: Callable[[float], str] = {
            "days": self.days,
            "days ahead": self._ahead,
            "days moved": self._moved,
            "money": self.money,
            "number": self.number,
            "ratio": self.percent,
            "times": times,
            "weekday": lambda day: WEEKDAYS[int(day)],
        }.get(unit, self.whole)
        return write(value)

    def _ahead(self, days: float) -> str:
        return f"in {self.days(days)}" if days >= 0 else f"{self.days(-days)} ago"

    def _moved(self, days: float) -> str:
        return f"pushed by {self.days(days)}" if days >= 0 else f"brought forward by {self.days(-days)}"
