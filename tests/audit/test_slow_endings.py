"""Case 61 of the shared cases and its relatives: where one kind of ending comes late, nothing honest is accused.

In all of them `campaign` has nothing to do with winning, and neither has the time of creation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from tests.books import TINY

from walkaway.audit import audit_book
from walkaway.book import Book, Manifest
from walkaway.config import AuditSettings, TrainSettings
from walkaway.importers import load_mapping
from walkaway.importers.table import import_table
from walkaway.training.fitting import audit_as_of
from walkaway.training.recipe import fit_and_backtest

DAY0 = pd.Timestamp("2023-01-02", tz="UTC")
NEW, NAMES = "spring", ("fair", "mail", "web")
Lengths = Callable[[np.random.Generator, int], np.ndarray]


def between(low: float, high: float) -> Lengths:
    return lambda rng, n: rng.uniform(low, high, n)


def lognormal(days: float, spread: float = 0.7) -> Lengths:
    return lambda rng, n: days * np.exp(spread * rng.standard_normal(n))


def two_ways(days: float, late: float, share: float) -> Lengths:
    """Most end within `days`; a share of them only after `late`."""
    return lambda rng, n: np.where(rng.random(n) < share, late, 0.0) + rng.uniform(1, days, n)


QUICK, SLOW = between(2, 24), between(120, 199)


def book_of(
    won: Lengths = QUICK,
    lost: Lengths = SLOW,
    *,
    deals: int = 2_500,
    days: int = 455,
    win_rate: float = 0.15,
    new_since: int = 90,
    bulk: tuple[int, ...] = (),
    abandoned: float = 0.0,
    growth: float = 1.0,
    monthly: bool = False,
    seed: int = 0,
) -> Book:
    """A flat book.

    new_since: the campaign `spring` began so many days before the last one. bulk: days on which someone closes every
    open deal that will be lost and is older than 60 days. abandoned: share of the lost deals that nobody ever closes.
    growth: above 1, more deals are created towards the end. monthly: each month has a campaign of its own.
    """
    rng = np.random.default_rng(seed)
    created = np.sort(days * rng.random(deals) ** (1 / growth))
    wins = rng.random(deals) < win_rate
    closed = created + np.where(wins, won(rng, deals), lost(rng, deals))
    for day in bulk:
        swept = ~wins & (created < day - 60) & (closed > day)
        closed = np.where(swept, day, closed)
    closed = np.where(~wins & (rng.random(deals) < abandoned), np.inf, closed)
    ended = closed <= days
    campaign = np.where((created > days - new_since) & (rng.random(deals) < 0.5), NEW, rng.choice(NAMES, deals))
    if monthly:
        campaign = np.array([f"month {int(day // 30)}" for day in created])
    table = pd.DataFrame(
        {
            "deal_id": [f"d{i:04}" for i in range(deals)],
            "created_at": DAY0 + pd.to_timedelta(created, unit="D").floor("s"),
            "closed_at": DAY0 + pd.to_timedelta(np.where(ended, closed, np.nan), unit="D").floor("s"),
            "outcome": pd.Series(np.where(wins, "won", "lost")).where(ended),
            "amount": np.exp(rng.normal(9, 0.5, deals)).round(),
            "campaign": campaign,
            "region": rng.choice(["north", "south"], deals),
        }
    )
    fixed = ("amount", "campaign", "region")
    return Book.of(Manifest(source="test", currency="EUR", fixed_at_creation=fixed), deals=table)


RELATIVES = {
    "wins quick, losses slow": {},
    "wins slow, losses quick": {"won": SLOW, "lost": QUICK, "win_rate": 0.4},
    "losses slow and few": {"win_rate": 0.7},
    "losses of a long tail": {"lost": lognormal(110)},
    "wins of a long tail": {"won": lognormal(90), "lost": lognormal(15), "win_rate": 0.4},
    "some losses at once, most late": {"lost": two_ways(20, 140, 0.7)},
    "some wins at once, some late": {"won": two_ways(20, 140, 0.5), "win_rate": 0.4},
    "losses closed in one batch": {"lost": between(60, 400), "bulk": (300, 430)},
    "losses closed in one batch on the last day": {"lost": between(150, 300), "bulk": (454,)},
    "a campaign new in the last month": {"new_since": 30, "deals": 6_000},
    "a campaign new in the last week": {"won": between(1, 5), "new_since": 7, "deals": 8_000, "win_rate": 0.3},
    "one deal in five is never closed": {"abandoned": 0.2},
    "the book grows": {"growth": 2.5},
    "a young book": {"days": 240, "win_rate": 0.3},
    "each month has its own campaign, in a young book": {"days": 180, "monthly": True, "win_rate": 0.4},
    "two years": {"days": 730, "deals": 3_000},
}


def audited(book: Book):
    return audit_as_of(book, book.last_recorded_at(), TrainSettings())


@pytest.fixture(scope="module")
def case(shared) -> Book:
    folder, now = shared("cases/61-slow-losses-no-leak"), pd.Timestamp("2027-01-01", tz="UTC")
    return import_table([folder / "l3.csv"], load_mapping(str(folder / "l3.toml")), now, "l3").book


def test_case_61_is_accused_of_nothing(case):
    found = audited(case)

    assert (found.left_out, found.denied) == ((), ())
    assert found.suspects.empty


def test_case_61_judges_the_calls_that_had_time_to_end(case):
    until = case.last_recorded_at()
    fitted = fit_and_backtest(case, until, TINY.model_copy(update={"cadence_days": 14}), baselines={})
    cohort, calls = fitted.backtest.cohort, fitted.backtest.calls
    early = calls[calls["as_of"] <= until - pd.Timedelta(days=195)]

    assert (cohort.share, round(cohort.days)) == (0.95, 195)
    assert (cohort.deals, cohort.still_open) == (early["deal_id"].nunique(), 0)
    assert calls["had_time"].sum() == len(early) == cohort.calls
    # among all settled calls won deals are too many: slow losses are still open
    assert early["won"].mean() < 0.9 * calls.loc[calls["settled"], "won"].mean()


@pytest.mark.parametrize("name", RELATIVES)
def test_nothing_honest_is_accused(name):
    found = audited(book_of(**RELATIVES[name]))

    assert found.suspects.empty


@pytest.mark.parametrize("name", RELATIVES)
def test_a_real_leak_among_them_is_found(name):
    """A reason that is filled in for half of the lost deals, when they close."""
    book = book_of(**RELATIVES[name])
    lost = (book.deals["outcome"] == "lost") & (np.arange(len(book.deals)) % 2 == 0)
    fixed = (*book.manifest.fixed_at_creation, "why")
    manifest = book.manifest.model_copy(update={"fixed_at_creation": fixed})
    reason = pd.Series(np.where(np.arange(len(lost)) % 3, "price", "timing")).where(lost)
    leaky = book.with_tables(deals=book.deals.assign(why=reason), manifest=manifest)

    assert audited(leaky).left_out == ("deals.why",)


def undated_with(won: int, lost: int, still_open: int) -> Book:
    """A book without dates in which `spring` has so many deals, and other campaigns 600 won, 600 lost and 200 open."""
    ends = {"won": (600, won), "lost": (600, lost), None: (200, still_open)}
    outcome = [end for end, counts in ends.items() for count in counts for _ in range(count)]
    campaign = [
        name for counts in ends.values() for name, n in zip(("mail", NEW), counts, strict=True) for _ in range(n)
    ]
    deals = pd.DataFrame({"outcome": outcome, "campaign": campaign, "created_at": pd.NaT, "closed_at": pd.NaT})
    deals.insert(0, "deal_id", [f"d{i:04}" for i in range(len(deals))])
    fixed = ("campaign", "region")
    region = np.where(np.arange(len(deals)) % 2, "north", "south")
    manifest = Manifest(source="test", timeless=True, fixed_at_creation=fixed)
    return Book.of(manifest, deals=deals.assign(region=region))


@pytest.mark.parametrize(
    ("won", "lost", "still_open", "left_out"),
    [(21, 0, 424, ()), (40, 0, 60, ()), (21, 0, 0, ("deals.campaign",)), (40, 0, 2, ("deals.campaign",))],
)
def test_a_value_of_winners_is_a_leak_only_where_its_deals_are_not_still_open(won, lost, still_open, left_out):
    """Without dates: `spring` has so many won, lost and open deals."""
    assert audit_book(undated_with(won, lost, still_open), None, AuditSettings()).left_out == left_out
