"""Each rule speaks of a column that knows the end, and is silent about its honest likeness."""

import sys

import numpy as np
import pandas as pd
import pytest

from walkaway.audit.rules import RULES
from walkaway.audit.sources import Deals, Looks, sources_of
from walkaway.book.schema import Book, Manifest
from walkaway.features import plan_features
from walkaway.formatting import LocaleFormat

N = 300
START = pd.Timestamp("2025-01-06", tz="UTC")
RNG = np.random.default_rng(5)
WON = RNG.random(N) < 0.4
LIFE = RNG.uniform(20, 80, N)
CREATED = START + pd.to_timedelta(np.arange(N), unit="D")
CLOSED = CREATED + pd.to_timedelta(LIFE, unit="D")
OPEN = np.asarray(CREATED[-1] < CLOSED)
LUCK = RNG.random(N)
GROUP = RNG.integers(0, 30, N)


def book_with(column: pd.Series | None = None, changes: pd.DataFrame | None = None, **more) -> Book:
    """300 deals, one a day, some sixty of them still open; up to eight calls each, spread over its life."""
    names = [f"d{i:03}" for i in range(N)]
    deals = pd.DataFrame(
        {
            "deal_id": names,
            "created_at": CREATED,
            "closed_at": pd.Series(CLOSED).where(~OPEN),
            "outcome": np.where(OPEN, None, np.where(WON, "won", "lost")),
        }
    )
    fixed = tuple(more)
    deals = deals.assign(**more)
    if column is not None:
        deals, fixed = deals.assign(column=np.asarray(column)), (*fixed, "column")
    places = np.linspace(0.1, 0.8, 8)
    calls = pd.DataFrame({"deal": np.repeat(np.arange(N), 8), "at": np.tile(places, N)})
    calls = calls[calls["at"] < 0.1 + 0.8 * LUCK[calls["deal"]]]
    at = CREATED[calls["deal"]] + pd.to_timedelta(LIFE[calls["deal"]] * calls["at"].to_numpy(), unit="D")
    rows = pd.DataFrame({"deal_id": [names[i] for i in calls["deal"]], "kind": "call", "occurred_at": at})
    rows = rows.assign(activity_id=[f"a{i}" for i in range(len(rows))], recorded_at=at)
    tables = {"activities": rows[rows["recorded_at"] <= CREATED[-1]]}
    if changes is not None:
        tables["changes"] = changes
    return Book.of(Manifest(fixed_at_creation=fixed), deals=deals, **tables)


ENGLISH = LocaleFormat("en")


def said_of(book: Book, name: str, at: pd.DatetimeIndex | None = None, fmt: LocaleFormat = ENGLISH) -> dict[str, str]:
    """What each rule says of a source, by code."""
    from walkaway.asof.history import History

    deals = Deals(History(book), plan_features(book), fmt)
    looks = Looks.of(book, pd.date_range(START, CREATED[-1], freq="7D").as_unit("us") if at is None else at)
    [source] = [one for one in sources_of(deals, looks) if one.name == name]
    said = {code: rule(source, deals) for code, rule in RULES.items()}
    return {code: sentence for code, sentence in said.items() if sentence}


def says(code: str, column, **more) -> str:
    """What one rule says of a column declared fixed at creation; an empty text for nothing."""
    return said_of(book_with(column, **more), "deals.column").get(code, "")


def test_noise_is_accused_of_nothing():
    assert said_of(book_with(RNG.random(N)), "deals.column") == {}


def test_an_honest_forecast_is_accused_of_nothing():
    honest = np.clip(0.4 + 0.25 * (WON - 0.4) + RNG.normal(0, 0.15, N), 0, 1).round(2)

    assert said_of(book_with(honest), "deals.column") == {}


def test_an_honest_segment_is_accused_of_nothing():
    """A segment that wins 80% beside one that wins 20%."""
    segment = np.where(RNG.random(N) < np.where(WON, 0.8, 0.2), "renewal", "new business")

    assert said_of(book_with(segment), "deals.column") == {}


def test_l1_a_column_that_separates_new_deals():
    text = np.where(OPEN, "proposal", np.where(WON, "Closed Won", "Closed Lost"))

    assert says("L1", text).startswith("alone predicts the outcome with AUC 1.00 when a deal is new")


def test_l2_filled_for_winners_only():
    filled = np.where(WON & ~OPEN & (LUCK < 0.5), "Kim", None)
    n = int((WON & ~OPEN & (LUCK < 0.5)).sum())

    assert says("L2", filled) == f"of {n} settled deals that have it, 98% or more were won (of all, 41%)"


def test_evidence_writes_its_numbers_by_locale():
    text = np.where(OPEN, "proposal", np.where(WON, "Closed Won", "Closed Lost"))
    said = said_of(book_with(text), "deals.column", fmt=LocaleFormat("de_DE"))

    assert said["L1"].startswith("alone predicts the outcome with AUC 1,00 when")
    assert said["L3"].endswith("with the value Closed Won, 98 % or more were won")


def test_l2_filled_for_losers_only():
    assert "were lost" in says("L2", np.where(~WON & ~OPEN & (LUCK < 0.5), "price", None))


def test_l2_is_silent_about_a_handful():
    few = np.zeros(N, dtype=bool)
    few[np.flatnonzero(WON & ~OPEN)[:19]] = True

    assert says("L2", np.where(few, "Kim", None)) == ""


def test_l3_a_value_of_winners():
    words = np.where(WON & ~OPEN & (LUCK < 0.5), "signed", np.where(LUCK < 0.8, "mail", "phone"))

    assert "with the value signed, 98% or more were won" in says("L3", words)


def test_l3_a_value_of_losers_may_be_an_honest_misfit():
    assert says("L3", np.where(~WON & (LUCK < 0.5), "hobby", "firm")) == ""


@pytest.mark.parametrize("back", [True, False], ids=["dated back", "recorded after the close"])
def test_l4_an_activity_of_winners_before_the_close(back):
    book = book_with()
    who = np.flatnonzero(WON & ~OPEN)
    at = CLOSED[who] + pd.Timedelta(days=-5 if back else 5)
    rows = pd.DataFrame({"deal_id": [f"d{i:03}" for i in who], "kind": "onboarding", "occurred_at": at})
    rows = rows.assign(activity_id=[f"b{i}" for i in who], recorded_at=at)
    late = Book.of(deals=book.deals, activities=pd.concat([book.activities, rows]))

    assert ("L4" in said_of(late, "activities.onboarding")) is back


def test_l5_open_deals_have_other_values():
    column = np.where(OPEN, LUCK * 10, 20 + LUCK * 10)

    assert says("L5", column).startswith("open deals created at the same time have other values (AUC 1.00)")


def test_l5_is_silent_about_a_column_that_changes_with_the_seasons():
    """Open deals are the newest ones; only those created at the same time are compared."""
    assert says("L5", np.arange(N) // 60) == ""


def test_l5_is_silent_about_what_the_date_of_creation_tells_as_well(monkeypatch):
    """Fast sales: the open deals are the newest, and a number that rises with time tells them apart."""
    fast = CREATED + pd.to_timedelta(LIFE / 20, unit="D")
    monkeypatch.setattr(sys.modules[__name__], "CLOSED", fast)
    monkeypatch.setattr(sys.modules[__name__], "OPEN", np.arange(N) >= N - 25)

    assert says("L5", np.arange(N) + 100.0) == ""


def test_l6_a_count_of_all_calls_there_will_be():
    book = book_with()
    column = book.deals["deal_id"].map(book.activities["deal_id"].value_counts()).fillna(0)

    assert "as it stood at the close" in says("L6", column)


def test_l7_declared_fixed_though_its_history_moves():
    first = (LUCK * 1000).round(2)
    names = [f"d{i:03}" for i in range(N)]
    changes = pd.DataFrame(
        {"deal_id": names, "field": "column", "recorded_at": CREATED, "new_value": first.astype(str)}
    )

    assert said_of(book_with(first, changes), "deals.column").get("L7", "") == ""
    said = said_of(book_with(np.where(LUCK < 0.3, first * 0.8, first), changes), "deals.column")["L7"]
    assert said.endswith(f"another first value for {int((LUCK < 0.3).sum())} of 300 deals")


def test_l7_looks_at_the_old_value_where_the_history_keeps_one():
    """A list price, then a discount: the first value stands on the left of the first change."""
    price = (LUCK * 1000).round(2)
    rows = {"deal_id": [f"d{i:03}" for i in range(N)], "field": "column", "recorded_at": CREATED}
    changes = pd.DataFrame(rows | {"old_value": price.astype(str), "new_value": (price * 0.9).astype(str)})

    assert said_of(book_with(price, changes), "deals.column").get("L7", "") == ""


def test_l8_is_silent_about_the_date_of_creation_of_fast_sales(monkeypatch):
    fast = CREATED + pd.to_timedelta(LIFE / 200, unit="D")
    monkeypatch.setattr(sys.modules[__name__], "CLOSED", fast)

    assert says("L8", pd.Series(CREATED).dt.strftime("%Y-%m-%d")) == ""


@pytest.mark.parametrize("days", [40, 0], ids=["on hold", "closed lost"])
def test_l4_a_stage_of_losers_is_accused_on_the_last_day_only(days):
    book = book_with()
    who = np.flatnonzero(~WON & ~OPEN & (LIFE > 45))
    at = CLOSED[who] - pd.Timedelta(days=days) - pd.Timedelta(hours=12)
    rows = pd.DataFrame({"deal_id": [f"d{i:03}" for i in who], "field": "stage", "recorded_at": at, "new_value": "out"})
    daily = pd.date_range(START, CREATED[-1], freq="6h").as_unit("us")
    found = said_of(Book.of(deals=book.deals, activities=book.activities, changes=rows), "changes.stage=out", daily)

    assert ("L4" in found) is (days == 0)


def test_l8_a_date_that_is_the_close():
    dates = pd.Series(CLOSED).dt.strftime("%Y-%m-%d")

    assert "within a day of it" in says("L8", dates)


def test_l8_a_date_that_follows_the_close():
    dates = (pd.Series(CLOSED) + pd.to_timedelta(LUCK * 10 + 10, unit="D")).dt.strftime("%Y-%m-%d")

    assert says("L8", dates).startswith("follows the day of the close")


def test_l8_a_guess_of_the_close_is_kept():
    dates = (pd.Series(CREATED) + pd.to_timedelta(30 + LUCK * 60, unit="D")).dt.strftime("%Y-%m-%d")

    assert says("L8", dates) == ""


def _rate(own: bool) -> pd.Series:
    won, group = pd.Series(np.where(OPEN, np.nan, WON)), pd.Series(GROUP)
    total, count = (won.groupby(group).transform(how) for how in ("sum", "count"))
    return total / count if own else (total - won.fillna(0)) / (count - won.notna()).clip(lower=1)


def test_l9_the_win_rate_of_its_own_group():
    assert "too exactly for a forecast" in says("L9", _rate(own=True))


def test_l12_the_win_rate_of_the_rest_of_its_group():
    said = says("L12", _rate(own=False), territory=[f"t{g}" for g in GROUP])

    assert said.startswith("among deals of the same territory it predicts the outcome")


def test_l12_is_silent_where_the_groups_know_the_end_themselves():
    """A misdeclared column beside an honest one: the honest one must not answer for it."""
    reason = np.where(OPEN, None, np.where(WON, "signed", np.where(LUCK < 0.5, "price", "timing")))

    assert says("L12", LUCK, reason=reason) == ""


def test_l10_deals_that_share_a_value_end_alike():
    groups = np.where(WON, GROUP, GROUP + 1000)

    assert says("L10", np.where(OPEN, np.nan, groups)).startswith(
        "deals with the same value have the same outcome (100% of pairs"
    )


def test_l11_a_number_that_counts_wins():
    assert "in the order of their creation, its steps from deal to deal predict the outcome" in says(
        "L11", np.cumsum(WON & ~OPEN) + 100.0
    )


def test_l11_a_running_number_of_deals_is_kept():
    assert says("L11", np.arange(N) + 100.0) == ""
