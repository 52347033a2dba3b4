"""Accounts, products, owners and new deals of the sample.

Besides its state, only two things influence how a deal ends: the industry of its account (fit) and the account's size.
Both are recorded when the deal is created. The product sets only margin and price; source, owner and team have no
effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.sample.chain import YEAR, class_of

__all__ = ["PRODUCTS", "SIZES", "Market", "draw_market", "typical_amount"]

INDUSTRIES = {"retail": 0, "media": 0, "logistics": 1, "education": 1, "pharma": 2, "manufacturing": 2}  # fit of each
SIZES = ("small", "medium", "large")
SOURCES = ("cold call", "inbound", "partner", "referral")
TEAMS = ("east", "north", "south", "west")
OWNERS_A_TEAM = 6
DEALS_AN_ACCOUNT = 4


@dataclass(frozen=True)
class Product:
    """A product: its price level (median amount of a small account), margin rate, and share of deals."""

    name: str
    price: float
    margin: float
    share: float


PRODUCTS = (
    Product("analytics", 18_000, 0.42, 0.25),
    Product("platform", 45_000, 0.31, 0.20),
    Product("starter", 4_000, 0.24, 0.30),
    Product("hardware", 22_000, 0.07, 0.17),
    Product("legacy support", 9_000, -0.08, 0.08),
)
SIZE_FACTORS = np.array([1.0, 2.0, 4.5])
SPREAD = 0.6  # standard deviation of the logarithm of amounts
_PRICES = np.array([product.price for product in PRODUCTS])
_KNOWN_EARLY = 0.3  # share of deals whose amount is recorded at creation


@dataclass(frozen=True)
class Market:
    """New deals: one row per deal, in order of creation.

    Args:
        deals: the columns of the book that are fixed at creation.
        accounts: the book's accounts table.
        created: microseconds after the book's first moment.
        first_week: the first week at whose start the deal is open, int64.
        class_: class of the chain, int64.
        amount: the first amount, whether it is recorded yet or not.
        typical: the expected amount for that product and size.
        known_early: whether the first amount is recorded at creation, rather than once the deal is qualified.
    """

    deals: pd.DataFrame
    accounts: pd.DataFrame
    created: npt.NDArray[np.int64]
    first_week: npt.NDArray[np.int64]
    class_: npt.NDArray[np.int64]
    amount: npt.NDArray[np.float64]
    typical: npt.NDArray[np.float64]
    known_early: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.deals)


def typical_amount(product: npt.NDArray[np.int64], size: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The expected first amount of a product sold to an account of a size.

    >>> typical_amount(np.array([2]), np.array([0])).round()
    array([4789.])
    """
    typical: npt.NDArray[np.float64] = _PRICES[product] * SIZE_FACTORS[size] * np.exp(SPREAD**2 / 2)
    return typical


def _accounts(
    rng: np.random.Generator, deals: int
) -> tuple[pd.DataFrame, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    count = max(deals // DEALS_AN_ACCOUNT, 1)
    industry = rng.integers(0, len(INDUSTRIES), count)
    size = rng.choice(len(SIZES), count, p=[0.5, 0.35, 0.15])
    names = [f"account {number:05d}" for number in range(count)]
    table = pd.DataFrame(
        {
            "account_id": [f"acc-{number:05d}" for number in range(count)],
            "name": names,
            "industry": np.array(list(INDUSTRIES))[industry],
            "size": np.array(SIZES)[size],
        }
    )
    return table, industry, size


def _creation_weeks(rng: np.random.Generator, deals: int, weeks: int) -> npt.NDArray[np.int64]:
    """The creation week of each deal, ascending: more deals every year, fewer in summer."""
    week = np.arange(weeks)
    rate = (1 + 0.15 * week / YEAR) * (1 + 0.2 * np.cos(2 * np.pi * (week / YEAR - 0.1)))
    return np.sort(rng.choice(weeks, deals, p=rate / rate.sum()))


def draw_market(rng: np.random.Generator, deals: int, weeks: int) -> Market:
    """Draw that many new deals, created over that many weeks."""
    accounts, industry_of, size_of = _accounts(rng, deals)
    week = _creation_weeks(rng, deals, weeks)
    hour = rng.integers(0, 5, deals) * 24 + 8 + rng.random(deals) * 9  # working hours, Monday to Friday
    created = ((week * 168 + hour) * 3600).astype(np.int64) * 1_000_000
    order = np.argsort(created, kind="stable")
    created, week = created[order], week[order]
    account = rng.integers(0, len(accounts), deals)
    industry, size = industry_of[account], size_of[account]
    product = rng.choice(len(PRODUCTS), deals, p=[p.share for p in PRODUCTS])
    owner = rng.integers(0, len(TEAMS) * OWNERS_A_TEAM, deals)
    amount = _PRICES[product] * SIZE_FACTORS[size] * np.exp(SPREAD * rng.standard_normal(deals))
    rounded = np.round(amount, -2).clip(100)
    table = pd.DataFrame(
        {
            "deal_id": [f"deal-{number:06d}" for number in range(deals)],
            "currency": "EUR",
            "margin": np.array([p.margin for p in PRODUCTS])[product],
            "account_id": accounts["account_id"].to_numpy()[account],
            "owner_id": [f"seller-{number:02d}" for number in owner],
            "team": np.array(TEAMS)[owner // OWNERS_A_TEAM],
            "pipeline": "new business",
            "industry": np.array(list(INDUSTRIES))[industry],
            "account_size": np.array(SIZES)[size],
            "product": np.array([p.name for p in PRODUCTS])[product],
            "source": np.array(SOURCES)[rng.integers(0, len(SOURCES), deals)],
        }
    )
    fit = np.array(list(INDUSTRIES.values()))[industry]
    return Market(
        deals=table,
        accounts=accounts,
        created=created,
        first_week=week + 1,
        class_=class_of(fit, size),
        amount=rounded,
        typical=typical_amount(product, size),
        known_early=rng.random(deals) < _KNOWN_EARLY,
    )
