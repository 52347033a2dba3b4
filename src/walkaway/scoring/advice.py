"""Feedback: deals dropped on advice must not teach the next model that such deals are lost.

If nobody worked on a deal after it was called below the bar, its loss proves nothing: the outcome with work is unknown,
as for an open deal. So that models still learn about such deals, a random few are worked on all the same. In training,
each of these stands for all the dropped deals like it (Horvitz and Thompson, 1952).
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
GRACE = pd.Timedelta(days=7)  # work already under way when the advice came is not a refusal of it


def kept_to_learn(deal_id: pd.Series, share: float) -> npt.NDArray[np.bool_]:
    """Which deals are worked on whatever the advice: a random share, the same deals every night.

    >>> kept_to_learn(pd.Series([f"d{n}" for n in range(1000)]), 0.1).mean()
    np.float64(0.088)
    """
    chances = [int.from_bytes(sha256(f"keep {name}".encode()).digest()[:8]) / 2**64 for name in deal_id]
    return np.array(chances, dtype=np.float64) < share


def more_advice(before: pd.DataFrame | None, calls: pd.DataFrame, keep_share: float) -> pd.DataFrame:
    """The advice of earlier runs and of these calls: each deal's first walk_away or nurture.

    Args:
        before: ADVICE of earlier runs, if any.
        calls: of one moment.
        keep_share: share of the deals below the bar that are worked on all the same.
    """
    known = set() if before is None else set(before["deal_id"])
    fresh = calls[calls["verdict"].isin(DROPPED) & ~calls["deal_id"].isin(known)].sort_values("deal_id")
    kept = kept_to_learn(fresh["deal_id"], keep_share)
    fresh = fresh.rename(columns={"as_of": "advised_at"}).assign(keep_share=keep_share, kept=kept)[ADVICE]
    return fresh.reset_index(drop=True) if before is None else pd.concat([before, fresh], ignore_index=True)


def read_advice(path: Path) -> pd.DataFrame:
    """The advice that batch wrote, typed.

    Raises:
        UsageError: the file cannot be read, a column is missing, a value has the wrong type, or a deal appears twice.
    """
    give = "Give the advice.csv that walkaway batch writes."
    try:
        frame = read_text_frame(path)
        missing = [column for column in ADVICE if column not in frame]
        if missing:
            raise UsageError(f"{path}: column {missing[0]} is missing. {give}")
        typed = frame[ADVICE].assign(
            advised_at=pd.to_datetime(frame["advised_at"], utc=True, format="ISO8601").astype(MOMENT),
            keep_share=frame["keep_share"].astype("float64"),
            kept=frame["kept"].astype("str") == "True",
        )
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path}: cannot be read as advice; {error}. {give}") from error
    twice = typed["deal_id"][typed["deal_id"].duplicated()]
    if len(twice):
        raise UsageError(f"{path}: deal {twice.iloc[0]} appears twice. Keep its first advice.")
    return typed


def _worked_after(book: Book, advised_at: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether hours were booked on each deal after the advice to drop it (NaT: no advice) and a week of grace."""
    late = last_worked_at(book).to_numpy() > (advised_at + GRACE).to_numpy()
    worked: npt.NDArray[np.bool_] = late & advised_at.notna().to_numpy()
    return worked


def settle_advice(advice: pd.DataFrame, book: Book, as_of: pd.Timestamp) -> pd.DataFrame:
    """What happened to the deals that the advice said to drop.

    Args:
        advice: of `read_advice`; deals that are not in the book are ignored.
        book: has the hours booked on them and how they ended.
        as_of: UTC moment; later advice and later outcomes are ignored.

    Returns:
        By verdict: since (the first advice), deals, followed (no hours booked after a week of grace), open, lost, won,
        hours_lost (booked after the advice on deals that were lost), value_won (of deals that were won all the same).
    """
    book = known(book, as_of)
    usable = (advice["advised_at"] <= as_of) & advice["deal_id"].isin(book.deals["deal_id"])
    advised = advice[usable].rename(columns={"advised_at": "as_of"}).reset_index(drop=True)
    ends = label(book, advised[["deal_id", "as_of"]])
    at = advised.set_index("deal_id")["as_of"].reindex(book.deals["deal_id"]).reset_index(drop=True)
    worked = book.deals["deal_id"][_worked_after(book, at)]
    lost, won = ends["won"] == 0, ends["won"] == 1
    rows = advised[["verdict"]].assign(
        since=advised["as_of"],
        deals=1,
        followed=~advised["deal_id"].isin(worked),
        open=~ends["settled"],
        lost=lost,
        won=won,
        hours_lost=ends["remaining_hours"].where(lost, 0.0),
        value_won=ends["worth"].where(won, 0.0).fillna(0.0).clip(lower=0.0),
    )
    how = {name: "min" if name == "since" else "sum" for name in rows.columns[1:]}
    return rows.groupby("verdict").agg(how).reset_index()


def with_advice(book: Book, advice: pd.DataFrame) -> Book:
    """The book in which deals that were dropped on advice have no outcome.

    A deal was dropped on advice if it was called below the bar, was not kept to learn from, was not won, and no hours
    were booked on it after the advice. It ends at the advice, without an outcome. A deal that was worked on all the
    same keeps its outcome.

    Args:
        book: as known at the moment of training.
        advice: of `read_advice`; deals that are not in the book are ignored.

    Returns:
        The book, with two more columns of deals: advised_at and chance_worked. chance_worked is 1 for a deal without
        advice, or if no deals were to be kept. For a deal that was kept at random it is the share of deals that were
        kept, and 0 for the others.
    """
    deals = book.deals
    per_deal = advice.drop_duplicates("deal_id").set_index("deal_id").reindex(deals["deal_id"])
    advised_at = pd.Series(per_deal["advised_at"].to_numpy(), index=deals.index).astype(MOMENT)
    advised_at = advised_at.where(~(deals["closed_at"] <= advised_at))
    kept = per_deal["kept"].eq(True).to_numpy()
    advised = advised_at.notna().to_numpy()
    dropped = advised & ~kept & ~_worked_after(book, advised_at) & (deals["outcome"] != "won").to_numpy()
    share = per_deal["keep_share"].fillna(0.0).to_numpy()
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
    """The weight of each snapshot, (rows,): how many deals its deal stands for, 1 / chance_worked.

    0 for a deal that others stand for; 1 if the book has no advice. Advice after `until` is ignored.

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
