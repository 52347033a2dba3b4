"""A seeded synthetic CRM with known truth: a book, and the exact expectations for each open deal on every Monday."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.book import MOMENT, Book, Manifest
from walkaway.sample.chain import CUT, HOURS, Calendar, backward, parts
from walkaway.sample.life import Lived, live
from walkaway.sample.market import Market, draw_market

__all__ = ["FIRST_DAY", "WEEKS", "Sample", "describe", "make_sample"]

FIRST_DAY = pd.Timestamp("2022-01-03", tz="UTC")  # a Monday
WEEKS = 208
FIXED = (
    "margin",
    "account_id",
    "owner_id",
    "team",
    "pipeline",
    "industry",
    "account_size",
    "product",
    "source",
)


@dataclass(frozen=True)
class Sample:
    """A book and its truth.

    `truth` has one row per open deal and Monday, 00:00 UTC: deal_id, as_of, win_probability, value_if_won,
    remaining_hours. All are exact expectations given what the book has recorded by then.
    """

    book: Book
    truth: pd.DataFrame


def _moments(at: npt.NDArray[np.int64]) -> pd.Series:
    return pd.Series(FIRST_DAY + pd.to_timedelta(at, unit="us")).astype(MOMENT)


def _changes(lived: Lived, names: npt.NDArray[np.object_]) -> pd.DataFrame:
    rows = lived.changes.frame()
    rows = rows.sort_values(["deal", "field", "at"], kind="stable")
    old = rows.groupby(["deal", "field"])["value"].shift()
    columns = {"deal_id": names[rows["deal"]], "field": rows["field"].to_numpy(), "recorded_at": _moments(rows["at"])}
    return pd.DataFrame(columns | {"old_value": old.to_numpy(), "new_value": rows["value"].to_numpy()}, copy=False)


def _activities(lived: Lived, market: Market, names: npt.NDArray[np.object_]) -> pd.DataFrame:
    rows = lived.activities.frame().sort_values("at", kind="stable").reset_index(drop=True)
    inbound = rows["inbound"].to_numpy(dtype=bool)
    internal = (rows["kind"] == "task").to_numpy()
    direction = np.where(inbound, "inbound", np.where(internal, "internal", "outbound"))
    at = _moments(rows["at"].to_numpy())
    return pd.DataFrame(
        {
            "activity_id": [f"act-{number:08d}" for number in range(len(rows))],
            "deal_id": names[rows["deal"]],
            "kind": rows["kind"],
            "status": "done",
            "direction": direction,
            "occurred_at": at,
            "recorded_at": at,
            "hours": rows["hours"],
            "owner_id": market.deals["owner_id"].to_numpy()[rows["deal"]],
        }
    )


def _contacts(lived: Lived, names: npt.NDArray[np.object_]) -> pd.DataFrame:
    rows = lived.contacts.frame()
    contact_ids = [f"{deal}-c{number}" for deal, number in zip(names[rows["deal"]], rows["number"], strict=True)]
    return pd.DataFrame(
        {
            "deal_id": names[rows["deal"]],
            "contact_id": contact_ids,
            "role": rows["role"].to_numpy(),
            "recorded_at": _moments(rows["at"].to_numpy()),
        }
    )


def _deals(lived: Lived, market: Market) -> pd.DataFrame:
    closes = lived.closes.frame().set_index("deal")
    amounts = lived.changes.frame().query("field == 'amount'").groupby("deal")["value"].last().astype("float64")
    number = np.arange(len(market))
    closed = closes.reindex(number)
    won = closed["won"].map({True: "won", False: "lost"})
    return market.deals.assign(
        created_at=_moments(market.created),
        closed_at=_moments(closed["at"].fillna(0).to_numpy(dtype=np.int64)).where(closed["at"].notna().to_numpy()),
        outcome=won.to_numpy(),
        loss_reason=closed["loss_reason"].replace("", None).to_numpy(),
        amount=amounts.reindex(number).to_numpy(),
    )


def _truth(lived: Lived, market: Market, calendar: Calendar, names: npt.NDArray[np.object_]) -> pd.DataFrame:
    rows = lived.snapshots.frame()
    deal, week, state = (rows[name].to_numpy() for name in ("deal", "week", "state"))
    truth = backward(calendar)
    position = week, market.class_[deal], state
    amount = np.where(np.isnan(rows["amount"]), market.typical[deal], rows["amount"])
    cut = CUT ** parts()[-1][state]
    margin = market.deals["margin"].to_numpy()[deal]
    table = pd.DataFrame(
        {
            "deal_id": names[deal],
            "as_of": _moments(week * 7 * 86_400_000_000),
            "win_probability": truth.win_probability[position],
            "value_if_won": amount / cut * truth.share_if_won[position] * margin,
            "remaining_hours": truth.remaining_hours[position],
        }
    )
    return table.sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True)


def make_sample(deals: int, seed: int, stationary: bool = False) -> Sample:
    """Make a sample book of that many deals over four years.

    Args:
        deals: 1 or more.
        seed: 0 or more; the same seed gives the same book.
        stationary: no drift over the years and no seasons.

    >>> sample = make_sample(50, seed=1)
    >>> len(sample.book.deals), sample.truth.columns.tolist()
    (50, ['deal_id', 'as_of', 'win_probability', 'value_if_won', 'remaining_hours'])
    """
    rng = np.random.default_rng(seed)
    calendar = Calendar(WEEKS, drifts=not stationary)
    market = draw_market(rng, deals, WEEKS)
    lived = live(market, calendar, rng, FIRST_DAY)
    names = market.deals["deal_id"].to_numpy()
    manifest = Manifest(
        source=f"sample of {deals} deals, seed {seed}{', stationary' if stationary else ''}",
        currency="EUR",
        fixed_at_creation=FIXED,
        assumed_hours=HOURS,
    )
    book = Book.of(
        manifest,
        deals=_deals(lived, market),
        changes=_changes(lived, names),
        activities=_activities(lived, market, names),
        contacts=_contacts(lived, names),
        accounts=market.accounts,
    )
    return Sample(book, _truth(lived, market, calendar, names))


def describe(sample: Sample) -> dict[str, object]:
    """Counts that describe a sample book.

    >>> describe(make_sample(50, seed=1))["deals"]
    50
    """
    book, truth = sample.book, sample.truth
    outcome = book.deals["outcome"]
    return {
        "source": book.manifest.source,
        "deals": len(book.deals),
        "won": int((outcome == "won").sum()),
        "lost": int((outcome == "lost").sum()),
        "open": int(outcome.isna().sum()),
        "activities": len(book.activities),
        "changes": len(book.changes),
        "contacts": len(book.contacts),
        "snapshots_with_truth": len(truth),
        "last_recorded_at": book.last_recorded_at().isoformat(),
    }
