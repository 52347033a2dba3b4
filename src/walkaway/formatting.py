"""Numbers, money, spans of time and steps as a reader writes them: by the reader's locale, in the book's currency.

Sentences are English; what is written by locale are separators, percent signs and where the currency stands. Currencies
are named by their code, which no reader takes for another's dollar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property, lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import NumberPattern, format_decimal, format_percent, parse_pattern

from walkaway.errors import UsageError

__all__ = ["Wording", "locale_named", "plain_step", "times"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CURRENCY, CODE, SPACE = "¤", "¤¤", "\xa0"
FEW = ("never", "once", "twice")


@lru_cache
def locale_named(name: str) -> Locale:
    """The locale of a name such as en, en_IN or de-CH.

    Raises:
        UsageError: there is none of that name.
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
    """The locale's pattern of money in whole units, with the currency's code a space away from the number."""
    pattern = locale.currency_formats["standard"].pattern.split(";")[0].replace(".00", "").replace(CURRENCY, CODE)
    return parse_pattern(pattern.replace(f"{CODE}#", f"{CODE}{SPACE}#"))


def plain_step(word: str) -> str:
    """A step as a reader says it: what is done needs no saying.

    >>> plain_step("offer_sent / done"), plain_step("call after offer / planned")
    ('offer sent', 'call after offer, planned')
    """
    return word.removesuffix(" / done").replace(" / ", ", ").replace("_", " ")


def times(count: float) -> str:
    """How often: never, once, twice, 3 times.

    >>> times(1.0), times(4.0)
    ('once', '4 times')
    """
    whole = round(count)
    return FEW[whole] if 0 <= whole < len(FEW) else f"{whole} times"


class Wording:
    """How one reader writes.

    >>> Wording("de_DE", "EUR").money(5000.4).replace(chr(160), " ")
    '5.000 EUR'
    """

    def __init__(self, locale: str = "en_GB", currency: str = "") -> None:
        self.currency, self._locale = currency, locale_named(locale)

    @cached_property
    def locale(self) -> str:
        """The name of the locale, such as en or de_DE."""
        return str(self._locale)

    def money(self, value: float) -> str:
        """Whole units of the currency; a plain number where the book names none.

        >>> Wording("en", "EUR").money(-1234.5).replace(chr(160), " "), Wording("en").money(5000)
        ('-EUR 1,234', '5,000')
        """
        if not self.currency:
            return self.number(round(value))
        told = _money_pattern(self._locale).apply(value, self._locale, currency=self.currency, currency_digits=False)
        spaced: str = told.replace(SPACE, " ")
        return spaced

    def number(self, value: float, digits: int | None = None) -> str:
        """A number with the reader's separators; `digits` after the point, else as many as it has, up to ten.

        >>> Wording("de_DE").number(1234.5), Wording("en").number(2.0, digits=1)
        ('1.234,5', '2.0')
        """
        pattern = "#,##0.##########" if digits is None else "#,##0." + "0" * digits if digits else "#,##0"
        return format_decimal(value, pattern, locale=self._locale)

    def percent(self, share: float, digits: int = 0) -> str:
        """A share in percent, to so many digits after the point.

        >>> Wording("de_DE").percent(0.123).replace(chr(160), " "), Wording("en").percent(0.1234, 1)
        ('12 %', '12.3%')
        """
        rounded = round(share, 2 + digits)
        return format_percent(rounded, locale=self._locale, decimal_quantization=False).replace(SPACE, " ")

    def date(self, moment: datetime) -> str:
        """A day.

        >>> Wording("en_GB").date(datetime(2026, 3, 1))
        '1 Mar 2026'
        """
        return format_date(moment, "medium", locale=self._locale)

    def moment(self, moment: datetime) -> str:
        """A day with its time.

        >>> Wording("en_GB").moment(datetime(2026, 3, 1, 6))
        '1 Mar 2026, 06:00'
        """
        return f"{self.date(moment)}, {format_time(moment, 'short', locale=self._locale)}"

    def days(self, value: float) -> str:
        """A span of days, in hours where it is short.

        >>> [Wording().days(days) for days in (0.01, 0.04, 0.5, 1.0, 41.2, -2.0)]
        ['less than an hour', 'about an hour', '12 hours', '1 day', '41 days', '-2 days']
        """
        if value < 0:
            return f"-{self.days(-value)}"
        if value < 1:
            hours = value * 24
            return f"{hours:.0f} hours" if hours >= 1.5 else "about an hour" if hours >= 0.5 else "less than an hour"
        return "1 day" if round(value) == 1 else f"{self.number(round(value))} days"

    def hours(self, value: float) -> str:
        """Hours of work, to a tenth; less than one in minutes.

        >>> Wording().hours(1.0), Wording().hours(12.34), Wording().hours(0.2)
        ('1.0 hour', '12.3 hours', '12 minutes')
        """
        minutes = round(value * 60)
        if minutes < 60:
            return "1 minute" if minutes == 1 else f"{minutes} minutes"
        told = self.number(round(value, 1), digits=1)
        return f"{told} hour" if round(value, 1) == 1 else f"{told} hours"

    def value(self, value: float, unit: str, categories: Sequence[str] = ()) -> str:
        """A feature's value with its unit (`walkaway.features.declare.Unit`).

        >>> told, values = Wording("en", "EUR"), {"days": 41.2, "days ahead": -2.0, "weekday": 2.0, "times": 2.0}
        >>> [told.value(value, unit) for unit, value in values.items()]
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
        }.get(unit, lambda count: self.number(round(count)))
        return write(value)

    def _ahead(self, days: float) -> str:
        return f"in {self.days(days)}" if days >= 0 else f"{self.days(-days)} ago"

    def _moved(self, days: float) -> str:
        return f"pushed by {self.days(days)}" if days >= 0 else f"brought forward by {self.days(-days)}"
