"""Feedback: deals dropped on advice must not teach the next model that such deals are lost.

A deal that nobody worked on any more after it was called below the bar was not lost by itself: what it would have come
to is unknown, as with a deal still open. And a random few of those deals go on being worked, so that models learn what
becomes of them; each of these stands for all that were dropped like it (Horvitz and Thompson, 1952).
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import known
from walkaway.asof.labels import label, last_worked_at
from walkaway.book import MOMENT, Book
from walkaway.economics import DROPPED
from walkaway.errors import UsageError
from walkaway.files import read_text_frame

__all__ = ["ADVICE", "chance_weights", "kept_to_learn", "more_advice", "read_advice", "settle_advice", "with_advice"]

ADVICE = ["deal_id", "advised_at", "verdict", "value_per_hour", "bar", "model_version", "keep_share", "kept"]
GRACE = pd.Timedelta(days=7)  # work that was under way when the advice came is no refusal of it


def kept_to_learn(deal_id: pd.Series, share: float) -> npt.NDArray[np.bool_]:
    """Which deals go on being worked whatever the advice: a random share, the same deals every night.

    >>> kept_to_learn(pd.Series([f"d{n}" for n in range(1000)]), 0.1).mean()
    np.float64(0.088)
    """
    drawn = [int.from_bytes(sha256(f"keep {name}".encode()).digest()[:8]) / 2**64 for name in deal_id]
    return np.array(drawn, dtype=np.float64) < share


def more_advice(before: pd.DataFrame | None, calls: pd.DataFrame, keep_share: float) -> pd.DataFrame:
    """The advice given so far: each deal's first walk_away or nurture, that of these calls added.

    Args:
        before: ADVICE of earlier runs, if any.
        calls: of one moment.
        keep_share: of the deals below the bar that go on being worked.
    """
    known = set() if before is None else set(before["deal_id"])
    fresh = calls[calls["verdict"].isin(DROPPED) & ~calls["deal_id"].isin(known)].sort_values("deal_id")
    kept = kept_to_learn(fresh["deal_id"], keep_share)
    fresh = fresh.rename(columns={"as_of": "advised_at"}).assign(keep_share=keep_share, kept=kept)[ADVICE]
    return fresh.reset_index(drop=True) if before is None else pd.concat([before, fresh], ignore_index=True)


def read_advice(path: Path) -> pd.DataFrame:
    """The advice that batch wrote, typed.

    Raises:
        UsageError: it cannot be read, a column is absent, a value is not what it must be, or a deal is there twice.
    """
    give = "Give the advice.csv that walkaway batch writes."
    try:
        frame = read_text_frame(path)
        absent = [column for column in ADVICE if column not in frame]
        if absent:
            raise UsageError(f"{path}: column {absent[0]} is absent. {give}")
        typed = frame[ADVICE].assign(
            advised_at=pd.to_datetime(frame["advised_at"], utc=True, format="ISO8601").astype(MOMENT),
            keep_share=frame["keep_share"].astype("float64"),
            kept=frame["kept"].astype("str") == "True",
        )
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path}: cannot be read as advice; {error}. {give}") from error
    twice = typed["deal_id"][typed["deal_id"].duplicated()]
    if len(twice):
        raise UsageError(f"{path}: deal {twice.iloc[0]} is there twice. Keep its first advice.")
    return typed


def _worked_after(book: Book, advised_at: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether hours were booked on each deal once it had been advised to drop it; NaT where it never was."""
    after: npt.NDArray[np.bool_] = (
        last_worked_at(book).to_numpy() > (advised_at + GRACE).to_numpy()
    ) & advised_at.notna().to_numpy()
    return after


def settle_advice(advice: pd.DataFrame, book: Book, as_of: pd.Timestamp) -> pd.DataFrame:
    """What became of the deals that were advised to be dropped.

    Args:
        advice: of `read_advice`; deals that the book does not hold are left aside.
        book: says what was booked on them and how they ended, by `as_of`.
        as_of: UTC moment; later advice is left aside.

    Returns:
        By verdict: since (the first advice), deals, followed (no hours were booked on them after a week of grace),
        open, lost, won, hours_lost (booked after the advice on those that were lost), value_won (won all the same).
    """
    book = known(book, as_of)
    there = (advice["advised_at"] <= as_of) & advice["deal_id"].isin(book.deals["deal_id"])
    told = advice[there].rename(columns={"advised_at": "as_of"}).reset_index(drop=True)
    ends = label(book, told[["deal_id", "as_of"]])
    at = told.set_index("deal_id")["as_of"].reindex(book.deals["deal_id"]).reset_index(drop=True)
    worked = book.deals["deal_id"][_worked_after(book, at)]
    lost, won = ends["won"] == 0, ends["won"] == 1
    rows = told[["verdict"]].assign(
        since=told["as_of"],
        deals=1,
        followed=~told["deal_id"].isin(worked),
        open=~ends["settled"],
        lost=lost,
        won=won,
        hours_lost=ends["remaining_hours"].where(lost, 0.0),
        value_won=ends["worth"].where(won, 0.0).fillna(0.0).clip(lower=0.0),
    )
    how = {name: "min" if name == "since" else "sum" for name in rows.columns[1:]}
    return rows.groupby("verdict").agg(how).reset_index()


def with_advice(book: Book, advice: pd.DataFrame) -> Book:
    """The book with deals that were dropped on advice marked as such, their outcome unknown.

    Dropped on advice is a deal that was called below the bar, not kept to learn from, not won, and on which no hours
    were booked afterwards: it leaves the book at the advice, without an outcome. A deal worked on all the same keeps
    its own.

    Args:
        book: as known at the moment of training.
        advice: of `read_advice`; deals that the book does not hold are left aside.

    Returns:
        The book; its deals have two columns more: advised_at, and chance_worked, the share of deals advised like this
        one that went on being worked by chance (1 where none was to be, or the deal was never advised; 0 where it was
        not drawn itself).
    """
    deals = book.deals
    told = advice.drop_duplicates("deal_id").set_index("deal_id").reindex(deals["deal_id"])
    advised_at = pd.Series(told["advised_at"].to_numpy(), index=deals.index).astype(MOMENT)
    advised_at = advised_at.where(~(deals["closed_at"] <= advised_at))
    kept = told["kept"].eq(True).to_numpy()
    advised = advised_at.notna().to_numpy()
    dropped = advised & ~kept & ~_worked_after(book, advised_at) & (deals["outcome"] != "won").to_numpy()
    share = told["keep_share"].fillna(0.0).to_numpy()
    chance = np.where(advised & (share > 0), np.where(kept, share, 0.0), 1.0)
    marked = deals.assign(
        closed_at=deals["closed_at"].mask(dropped, advised_at),
        outcome=deals["outcome"].mask(dropped),
        loss_reason=deals["loss_reason"].mask(dropped),
        advised_at=advised_at,
        chance_worked=chance,
    )
    return book.with_tables(deals=marked)


def chance_weights(deals: pd.DataFrame, deal_id: pd.Series, until: pd.Timestamp) -> npt.NDArray[np.float64]:
    """By how many deals each snapshot's deal stands for, by what was known at `until`: 1 / chance_worked, (rows,).

    0 where others stand for it; 1 where the book knows of no advice.

    >>> deals = pd.DataFrame({"deal_id": ["a", "b", "c"], "chance_worked": [0.1, 0.0, 1.0],
    ...     "advised_at": pd.to_datetime(["2026-01-01", "2026-01-01", None], utc=True)})
    >>> chance_weights(deals, deals["deal_id"], pd.Timestamp("2026-02-01", tz="UTC")).tolist()
    [10.0, 0.0, 1.0]
    """
    if "chance_worked" not in deals:
        return np.ones(len(deal_id))
    advised = (deals["advised_at"] <= until).to_numpy()
    chance = np.where(advised, deals["chance_worked"], 1.0)
    weight = np.divide(1.0, chance, out=np.zeros(len(chance)), where=chance > 0)
    found: npt.NDArray[np.float64] = pd.Series(weight, index=deals["deal_id"]).reindex(deal_id).to_numpy()
    return found
