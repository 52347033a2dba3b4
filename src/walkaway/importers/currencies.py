"""Conversion of all money of a book to one currency, at dated rates. A deal without a rate is quarantined.

A deal has one rate, that of the day it was created, so that a move of the rate does not look like a change of amount.
"""

from __future__ import annotations

import pandas as pd

from walkaway.book import COLUMNS, Book, entries
from walkaway.config import MoneySettings, rate_on
from walkaway.errors import DataError
from walkaway.importers.columns import AT_CREATION

__all__ = ["in_one_currency"]


def _rate(money: MoneySettings, currency: str, created: pd.Timestamp) -> float:
    """The rate of the day; NaN if there is none."""
    if pd.isna(created):
        return 1.0 if currency == money.currency else float("nan")
    try:
        return rate_on(money, currency, created.date())
    except DataError:
        return float("nan")


def _rates(own: pd.Series, created_at: pd.Series, money: MoneySettings) -> pd.Series:
    """The rate of each deal, with one look-up per currency and day.

    Days are written without a time zone: where clocks change at midnight, a day may begin twice or at one o'clock.
    """
    keys = pd.DataFrame({"currency": own, "day": created_at.dt.tz_localize(None).dt.floor("D")})
    distinct = keys.drop_duplicates()
    found = [_rate(money, c, day) for c, day in zip(distinct["currency"], distinct["day"], strict=True)]
    return keys.merge(distinct.assign(rate=found), on=["currency", "day"], how="left")["rate"].set_axis(own.index)


def _changes(changes: pd.DataFrame, rate: pd.Series) -> pd.DataFrame:
    """The changes with amounts converted at their deal's rate, still as text."""
    factor = changes["deal_id"].map(rate).where(changes["field"] == "amount", 1.0).fillna(1.0)
    moved = factor != 1.0

    def converted(texts: pd.Series) -> pd.Series:
        numbers = pd.to_numeric(texts.where(moved), errors="coerce") * factor
        return texts.where(numbers.isna(), numbers.astype("str"))

    return changes.assign(old_value=converted(changes["old_value"]), new_value=converted(changes["new_value"]))


def _without_rate(deals: pd.DataFrame, own: pd.Series, created: pd.Series, target: str) -> pd.DataFrame:
    """Quarantine entries of deals whose money cannot be converted."""
    dated = created.notna()
    needed = deals.assign(currency=own.where(~dated, own + " of " + created.dt.strftime("%Y-%m-%d")))
    rule, remedy = (
        f"has no rate into {target} by the day the deal was created",
        "add a rate to money.rates in the settings",
    )
    undated = "cannot be converted without a date", f"convert it to {target} at the source"
    parts = (
        entries("deals", needed[dated], "currency", rule, f"{remedy}, dated that day or before"),
        entries("deals", needed[~dated], "currency", *undated),
    )
    return pd.concat(parts, ignore_index=True)


def _notes(own: pd.Series, named: str, target: str) -> list[str]:
    notes = [] if named else [f"The mapping names no currency. All money is assumed to be in {target}."]
    foreign = own[own != target]
    counts = ", ".join(f"{n:,} from {currency}" for currency, n in foreign.value_counts().items())
    return [*notes, f"Money of {len(foreign):,} deals was converted to {target} ({counts})."] if len(foreign) else notes


def in_one_currency(
    book: Book, money: MoneySettings, timezone: str | None = None, measures: tuple[str, ...] = ()
) -> tuple[Book, pd.DataFrame, list[str]]:
    """Convert every amount to the reporting currency: that of the settings, else that of the book.

    Args:
        book: conformed tables; `deals.currency` is the currency of a deal's money, missing means the book's currency.
        money: the reporting currency, and dated rates into it.
        timezone: time zone of the days of the rates; None for UTC.
        measures: further money columns of deals.

    Returns:
        The book in one currency, quarantine entries of deals without a rate, and notes on the conversion. If the book
        names no currency, its money is assumed to be in the reporting currency, and a note says so.

    Raises:
        DataError: no deal has a rate.

    >>> deals = pd.DataFrame({"deal_id": ["a", "b"], "created_at": ["2026-01-05"] * 2, "amount": [100.0, 100.0],
    ...     "currency": ["USD", "EUR"]})
    >>> money = MoneySettings(currency="EUR", rates=[{"currency": "USD", "from": "2026-01-01", "rate": 0.85}])
    >>> in_one_currency(Book.of(deals=deals), money)[0].deals["amount"].tolist()
    [85.0, 100.0]
    """
    none = pd.DataFrame(columns=COLUMNS, dtype="str")
    target = money.currency or book.manifest.currency
    if not target:
        return book, none, []
    manifest = book.manifest.model_copy(update={"currency": target})
    own = book.deals["currency"].fillna(book.manifest.currency or target).str.strip().str.upper()
    created = book.deals["created_at"].dt.tz_convert(timezone or "UTC")
    rate = _rates(own, created, money.model_copy(update={"currency": target}))
    known = (
        rate.notna() | (created.isna() & (not manifest.timeless))
    ).to_numpy()  # deals without a date are refused later
    refused = _without_rate(book.deals[~known], own[~known], created[~known], target)
    if len(refused) == len(book.deals):
        first = refused.iloc[0]
        raise DataError(
            f"no deal can be converted to {target}. The first: {first['row']}, {first['value']} {first['rule']}. "
            f"Remedy: {first['remedy']}."
        )
    deals, factor = book.deals[known], rate[known].fillna(1.0)
    amounts = {name: deals[name] * factor for name in ("amount", AT_CREATION, *measures) if name in deals}
    by_deal = pd.Series(factor.to_numpy(), index=deals["deal_id"].to_numpy())
    by_deal = by_deal[~by_deal.index.duplicated()]
    converted = book.with_tables(
        deals=deals.assign(currency=target, **amounts), changes=_changes(book.changes, by_deal), manifest=manifest
    )
    return converted, refused, _notes(own[known], book.manifest.currency, target)
