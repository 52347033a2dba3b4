"""Plant twelve kinds of leak, strong and faint, and see which the audit finds; also run it on clean books.

The books: two samples, a flat book whose losses come late and of whose deals many are open, and the same without dates.
Without dates, columns of the end of a cycle are planted too, under their usual names and under names that say nothing.

Run: `make leaks`, or python benchmarks/leak_audit.py --book BOOK to add a book of your own to the samples.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from walkaway.audit import Audit
from walkaway.book.io import read_book
from walkaway.book.schema import MOMENT, Book
from walkaway.config import TrainSettings
from walkaway.sample import Durations, FlatShape, make_flat_sample, make_sample
from walkaway.training.fitting import audit_as_of

SLOW_LOSSES = FlatShape(days=300, won=Durations(12), lost=Durations(20, after=100), calls_a_day=0.1)
NEW_DAYS = 40  # a campaign that began so many days before the last one has only wins so far
STAGE_CHANCE = {"lead": 10.0, "qualified": 25.0, "proposal": 50.0, "negotiation": 75.0}


@dataclass(frozen=True)
class Deals:
    """A book's deals by position, from which planted columns are computed."""

    book: Book
    rng: np.random.Generator

    @property
    def table(self) -> pd.DataFrame:
        """The deals, as they stand today."""
        return self.book.deals

    @property
    def won(self) -> pd.Series:
        """Whether each was won; missing while open."""
        return self.table["outcome"].map({"won": 1.0, "lost": 0.0})

    @property
    def end(self) -> pd.Series:
        """The close, or while open the newest record."""
        return self.table["closed_at"].fillna(self.book.last_recorded_at())

    @property
    def life_days(self) -> pd.Series:
        """Days from creation to the close, or so far."""
        return (self.end - self.table["created_at"]) / pd.Timedelta(days=1)

    def some(self, share: float) -> np.ndarray:
        """A random share of the deals."""
        return self.rng.random(len(self.table)) < share

    def days(self, low: float, high: float) -> pd.Series:
        """Random lengths of time."""
        return pd.Series(pd.to_timedelta(self.rng.uniform(low, high, len(self.table)), unit="D"), self.table.index)

    def last_stage(self) -> pd.Series:
        """The newest stage recorded."""
        rows = self.book.changes.query("field == 'stage'").sort_values("recorded_at")
        return self.table["deal_id"].map(rows.groupby("deal_id")["new_value"].last())

    def with_column(self, name: str, values: pd.Series) -> Book:
        """The book with one more column, declared fixed at creation."""
        fixed = (*self.book.manifest.fixed_at_creation, name)
        deals = self.table.assign(**{name: values})
        return self.book.with_tables(
            deals=deals, manifest=self.book.manifest.model_copy(update={"fixed_at_creation": fixed})
        )

    def with_history(self, field: str, values: pd.Series) -> Book:
        """The book with the history of a field replaced by one change per deal, dated back to its creation."""
        rows = pd.DataFrame(
            {
                "deal_id": self.table["deal_id"],
                "field": field,
                "recorded_at": self.table["created_at"],
                "old_value": None,
                "new_value": values.astype("str").where(values.notna()),
            }
        )
        kept = self.book.changes[self.book.changes["field"] != field]
        return self.book.with_tables(changes=pd.concat([kept, rows.dropna(subset="new_value")], ignore_index=True))

    def with_activity(self, kind: str, who: pd.Series, at: pd.Series) -> Book:
        """The book with one more activity of the deals in `who`, recorded `at`."""
        of = self.table[who]
        rows = pd.DataFrame(
            {
                "activity_id": [f"planted-{i}" for i in range(len(of))],
                "deal_id": of["deal_id"].to_numpy(),
                "kind": kind,
                "status": "done",
                "direction": "outbound",
                "occurred_at": at[who].to_numpy(),
                "recorded_at": at[who].to_numpy(),
                "hours": 0.5,
            }
        ).astype({"occurred_at": MOMENT, "recorded_at": MOMENT})
        return self.book.with_tables(activities=pd.concat([self.book.activities, rows], ignore_index=True))


def _dates(moments_: pd.Series) -> pd.Series:
    return moments_.dt.strftime("%Y-%m-%d")


def _with_rate(d: Deals, own: bool) -> Book:
    """Territories of some thirty deals, and the share won of each, with or without the deal's own end."""
    group = pd.Series(d.rng.integers(0, max(len(d.table) // 30, 1), len(d.table)), d.table.index)
    won = d.won
    total, count = (won.groupby(group).transform(how) for how in ("sum", "count"))
    mine, one = (0.0, 0) if own else (won.fillna(0.0), won.notna().astype(int))
    book = d.with_column("territory_rate", (total - mine) / (count - one).clip(lower=1))
    return Deals(book, d.rng).with_column("territory", "territory " + group.astype(str))


def _wins_so_far(d: Deals, by: str) -> pd.Series:
    order = d.table[by].sort_values(kind="stable").index
    return 1000 + d.won.fillna(0.0).loc[order].cumsum().reindex(d.table.index)


def _days_in_stage(d: Deals) -> pd.Series:
    rows = d.book.changes.query("field == 'stage'").groupby("deal_id")["recorded_at"].max()
    return (d.end - d.table["deal_id"].map(rows)) / pd.Timedelta(days=1)


def _count(d: Deals) -> pd.Series:
    """How many activities of the most frequent kind each deal has today."""
    kinds = d.book.activities["kind"]
    rows = d.book.activities[kinds == kinds.mode()[0]]
    return d.table["deal_id"].map(rows["deal_id"].value_counts()).fillna(0.0)


def _probability(d: Deals) -> pd.Series:
    return (d.won * 100).fillna(d.last_stage().map(STAGE_CHANCE).fillna(40.0))


def _first_amount(d: Deals) -> pd.Series:
    rows = d.book.changes.query("field == 'amount'").sort_values("recorded_at")
    return d.table["deal_id"].map(rows.groupby("deal_id")["new_value"].first().astype("float64"))


def _stage_now(d: Deals) -> pd.Series:
    return d.won.map({1.0: "Closed Won", 0.0: "Closed Lost"}).fillna(d.last_stage())


def _close_date(d: Deals, jitter: float) -> pd.Series:
    open_guess = d.table["created_at"] + d.days(30, 120)
    return _dates((d.table["closed_at"] + d.days(-jitter, jitter)).where(d.won.notna(), open_guess))


def _close_reason(d: Deals) -> pd.Series:
    return d.table["loss_reason"].fillna(d.won.map({1.0: "signed", 0.0: "no reason"}))


def _loss_reason(d: Deals) -> pd.Series:
    """Of lost deals; drawn where the book has none."""
    if d.table["loss_reason"].notna().any():
        return d.table["loss_reason"]
    drawn = pd.Series(d.rng.choice(["price", "timing", "competitor"], len(d.table)), d.table.index)
    return drawn.where(d.won == 0)


def _invoiced(d: Deals, share: float) -> pd.Series:
    return _dates((d.table["closed_at"] + d.days(3, 20)).where((d.won == 1) & d.some(share)))


def _back_dated(d: Deals, share: float) -> Book:
    return d.with_activity(
        "onboarding", (d.won == 1) & d.some(share), (d.end - d.days(1, 8)).clip(d.table["created_at"])
    )


def _overwritten(d: Deals) -> pd.Series:
    return d.table["amount"].where(d.won != 0, 0.0).fillna(_first_amount(d))


def _left_at_the_close(d: Deals) -> Book | None:
    """The amount as it stands today, though the book's history knows others; None for a book without such history."""
    if not (d.book.changes["field"] == "amount").any():
        return None
    return d.with_column("amount", d.table["amount"].fillna(_first_amount(d)))


def _steward(d: Deals, share: float) -> pd.Series:
    names = pd.Series(d.rng.choice(["Kim", "Lee", "Noor", "Sam"], len(d.table)), d.table.index)
    return names.where((d.won == 1) & d.some(share))


Plant = Callable[[Deals], Book | None]
PLANTS: dict[str, tuple[str, Plant, Plant]] = {
    "close reason": (
        "deals.close_reason",
        lambda d: d.with_column("close_reason", _close_reason(d)),
        lambda d: d.with_column("close_reason", _loss_reason(d).where(d.some(0.6))),
    ),
    "invoice date": (
        "deals.invoiced_on",
        lambda d: d.with_column("invoiced_on", _invoiced(d, 1.0)),
        lambda d: d.with_column("invoiced_on", _invoiced(d, 0.3)),
    ),
    "amount overwritten at the close": (
        "deals.amount",
        lambda d: d.with_column("amount", _overwritten(d)),
        _left_at_the_close,
    ),
    "activity logged after the close": (
        "activities.onboarding",
        lambda d: _back_dated(d, 1.0),
        lambda d: _back_dated(d, 0.3),
    ),
    "stage text on today's row": (
        "stage",
        lambda d: d.with_column("stage_now", _stage_now(d)),
        lambda d: d.with_history("stage", _stage_now(d)),
    ),
    "count as of today": (
        "deals.logged",
        lambda d: d.with_column("logged", _count(d)),
        lambda d: d.with_column("logged", _count(d) + pd.Series(d.rng.integers(0, 2, len(d.table)))),
    ),
    "target encoding": (
        "deals.territory_rate",
        lambda d: _with_rate(d, own=True),
        lambda d: _with_rate(d, own=False),
    ),
    "id that grows with wins": (
        "deals.customer_number",
        lambda d: d.with_column("customer_number", _wins_so_far(d, "created_at")),
        lambda d: d.with_column("customer_number", _wins_so_far(d, "closed_at").where(d.won.notna())),
    ),
    "close date that is the real one": (
        "close_date",
        lambda d: d.with_column("close_date", _close_date(d, 0.0)),
        lambda d: d.with_history("expected_close_date", _close_date(d, 4.0)),
    ),
    "probability set to 0 or 100": (
        "deals.probability",
        lambda d: d.with_column("probability", _probability(d)),
        lambda d: d.with_column("probability", _probability(d).where(d.some(0.7), 40.0)),
    ),
    "days in stage computed at the end": (
        "deals.stage_days",
        lambda d: d.with_column("stage_days", _days_in_stage(d)),
        lambda d: d.with_column("stage_days", _days_in_stage(d).round()),
    ),
    "post-sale field": (
        "deals.steward",
        lambda d: d.with_column("steward", _steward(d, 0.9)),
        lambda d: d.with_column("steward", _steward(d, 0.2)),
    ),
}


NEEDS = {  # what a book must record for these to be planted
    "stage text on today's row": lambda book: (book.changes["field"] == "stage").any(),
    "days in stage computed at the end": lambda book: (book.changes["field"] == "stage").any(),
    "count as of today": lambda book: len(book.activities) > 0,
}
EndOfCycle = Callable[[Deals], pd.Series]
# Counted at the end of a deal, with the name under which exports ship it.
END_OF_CYCLE: dict[str, EndOfCycle] = {
    "Total Days Identified Through Closing": lambda d: d.life_days.round(),
    "Elapsed Days In Sales Stage": lambda d: (d.life_days * d.rng.uniform(0.1, 0.5, len(d.table))).round(),
    "Ratio Days Validated To Total Days": lambda d: pd.Series(d.rng.uniform(0, 1, len(d.table)), d.table.index),
    "Sales Stage Change Count": lambda d: 1 + pd.Series(d.rng.poisson(2 + d.won.fillna(0.5)), d.table.index),
    "Stage Reached": lambda d: pd.Series(
        d.rng.choice(["demo", "offer"], len(d.table), p=[0.5, 0.5]), d.table.index
    ).where((d.won == 0) | d.some(0.2), "offer"),
    "Opportunity Result": lambda d: d.won.map({1.0: "signed", 0.0: "declined"}),
    "Verlustgrund": lambda d: _loss_reason(d).where(d.some(0.6)),
}


def slow_losses(deals: int, seed: int, shape: FlatShape = SLOW_LOSSES) -> Book:
    """A flat book whose losses come late, with a campaign of the last days that has only wins and open deals so far."""
    book = make_flat_sample(deals, seed, shape).book
    recent = book.deals["created_at"] > book.last_recorded_at() - pd.Timedelta(days=NEW_DAYS)
    drawn = Deals(book, np.random.default_rng(seed))
    return drawn.with_column("campaign", book.deals["campaign"].where(~(recent & drawn.some(0.5)), "spring"))


def undated(book: Book) -> Book:
    """A flat book without dates and activities."""
    deals = book.deals.assign(created_at=pd.NaT, closed_at=pd.NaT)
    return Book.of(book.manifest.model_copy(update={"timeless": True}), deals=deals)


def audit_now(book: Book) -> Audit:
    """The audit as in training, of everything in the book."""
    until = None if book.manifest.timeless else book.last_recorded_at()
    return audit_as_of(book, until, TrainSettings())


def _planted(book: Book, kind: str, plant: Plant, seed: int) -> Book | None:
    """The book with a leak; None if it does not record what the leak needs."""
    if not NEEDS.get(kind, lambda _: True)(book):
        return None
    return plant(Deals(book, np.random.default_rng(seed)))


def end_of_cycle(books: dict[str, Book], seed: int = 0) -> pd.DataFrame:
    """What the audit says of columns of the end of a cycle in books without dates.

    The columns are computed while the book has its dates. Each is planted under its own name, and as "figure".
    """
    rows = {}
    for name, column in END_OF_CYCLE.items():
        row = {}
        for label, book in books.items():
            values = column(Deals(book, np.random.default_rng(seed)))
            for shown in (name, "figure"):
                planted = Deals(book, np.random.default_rng(seed)).with_column(shown, values)
                row[f"{label}, {'as shipped' if shown == name else 'named figure'}"] = _answer(undated(planted), shown)
        rows[name] = row
    return pd.DataFrame(rows).T


def _answer(book: Book, column: str) -> str:
    """The rules that leave a column out, the word of its name to decide on, or that it cannot be told."""
    found, name = audit_now(book), f"deals.{column}"
    others = [other for other in found.suspects.index if other != name]
    accused = f", and accused {', '.join(others)}" if others else ""
    if found.sources.loc[name, "rules"]:
        return f"left out: {found.sources.loc[name, 'rules']}{accused}"
    if name in found.to_decide:
        return f"to decide: {found.to_decide[name]}{accused}"
    return f"{found.sources.loc[name, 'verdict']}{accused}"


def _said(planted: Book | None, name: str) -> str:
    if planted is None:
        return "cannot be planted"
    found = audit_now(planted).suspects
    mine = found[found.index.str.contains(name)]
    others = found.index.difference(mine.index)
    said = " ".join(dict.fromkeys(" ".join(mine["rules"]).split())) if len(mine) else "missed"
    return said + (f", and accused {', '.join(others)}" if len(others) else "")


def table_of(books: dict[str, Book], seed: int = 0) -> pd.DataFrame:
    """One row per kind of leak, one column per book and strength: the rules that found it, and false alarms."""
    rows = {}
    for kind, (name, *plants) in PLANTS.items():
        row = {}
        for label, book in books.items():
            for strength, plant in zip(("full", "faint"), plants, strict=True):
                row[f"{label}, {strength}"] = _said(_planted(book, kind, plant, seed), name)
        rows[kind] = row
    rows["nothing planted"] = {
        f"{label}, full": ", ".join(audit_now(book).suspects.index) or "nothing accused"
        for label, book in books.items()
    }
    return pd.DataFrame(rows).T.fillna("")


def markdown(table: pd.DataFrame, first: str = "kind of leak") -> str:
    """The table as Markdown."""
    lines = [[first, *table.columns], ["---"] * (len(table.columns) + 1)]
    lines += [[str(name), *map(str, row)] for name, row in zip(table.index, table.to_numpy(), strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--book", type=Path, action="append", default=[], help="a book to plant leaks in, too")
    parser.add_argument("--deals", type=int, default=3000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[7, 8])
    asked = parser.parse_args()
    books = {f"sample {seed}": make_sample(asked.deals, seed).book for seed in asked.seeds}
    late = slow_losses(asked.deals, asked.seeds[0])
    books |= {"slow losses": late} | {str(path.name): read_book(path) for path in asked.book}
    print(f"slow losses: {late.deals['outcome'].isna().mean():.0%} of {len(late.deals):,} deals are open")
    print(markdown(table_of(books)))
    print()
    alike = make_flat_sample(
        asked.deals, asked.seeds[0], FlatShape(days=300, won=Durations(30), lost=Durations(30))
    ).book
    print(markdown(end_of_cycle({"slow losses": late, "wins as slow as losses": alike}), "column without dates"))


if __name__ == "__main__":
    main()
