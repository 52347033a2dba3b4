"""Decisions of people on deals: shown beside the model's calls, never overwritten, and settled like calls."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from walkaway.book import MOMENT, Book
from walkaway.economics import DROPPED
from walkaway.errors import UsageError
from walkaway.files import read_text_frame

__all__ = ["CHOICES", "COLUMNS", "decisions_in_force", "read_decisions", "settle_decisions"]

COLUMNS = ["deal_id", "decision", "by", "reason", "date"]
CHOICES = ("pursue", "walk_away", "nurture")
KEEP, STOP = "keep", "stop"


def read_decisions(path: Path) -> pd.DataFrame:
    """The decisions of a file: deal_id, decision (CHOICES), by, reason, date (UTC); in the order of the file.

    Raises:
        UsageError: the file cannot be read, a column is missing, or a decision or a date is not valid.
    """
    try:
        frame = read_text_frame(path)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: cannot be read as decisions; {error}. Give a CSV of {', '.join(COLUMNS)}."
        ) from error
    for column in COLUMNS:
        if column not in frame:
            raise UsageError(f"{path}: column {column} is missing, found {', '.join(map(str, frame))}. Add it.")
    rows = frame[COLUMNS].astype("str")
    choice = rows["decision"].str.strip().str.casefold().str.replace(r"[\s-]+", "_", regex=True)
    for row in rows.index[~choice.isin(CHOICES)]:
        found = rows.loc[row, "decision"]
        raise UsageError(f"{path}: row {row + 2}, decision must be {', '.join(CHOICES)}, found {found!r}. Correct it.")
    when = pd.to_datetime(rows["date"], utc=True, format="ISO8601", errors="coerce")
    for row in rows.index[when.isna()]:
        found = rows.loc[row, "date"]
        raise UsageError(f"{path}: row {row + 2}, date must be a day such as 2026-03-31, found {found!r}. Correct it.")
    return rows.assign(decision=choice, date=when.astype(MOMENT))


def decisions_in_force(decisions: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The newest decision on each deal by a moment; of two on the same day, the later row counts.

    >>> columns = {"deal_id": ["a", "a"], "decision": ["pursue", "nurture"], "by": "x", "reason": "", "date": pd.NaT}
    >>> rows = pd.DataFrame(columns).assign(date=pd.to_datetime(["2026-01-02", "2026-01-02"], utc=True))
    >>> decisions_in_force(rows, pd.Timestamp("2026-02-01", tz="UTC"))["decision"].tolist()
    ['nurture']
    """
    known = decisions[decisions["date"] <= as_of]
    return known.sort_values("date", kind="stable").drop_duplicates("deal_id", keep="last").reset_index(drop=True)


def settle_decisions(decisions: pd.DataFrame, calls: pd.DataFrame, book: Book, as_of: pd.Timestamp) -> pd.DataFrame:
    """How deals ended, by what the model and a person said about them.

    Args:
        decisions: of `read_decisions`.
        calls: earlier calls of the model: deal_id, as_of, verdict. The newest call by each decision counts.
        book: says how deals ended by `as_of`.
        as_of: UTC moment.

    Returns:
        model and person (KEEP or STOP), deals, settled, won; one row per combination.
    """
    rows = decisions_in_force(decisions, as_of).sort_values("date", kind="stable")
    verdicts = calls[["deal_id", "as_of", "verdict"]].sort_values("as_of", kind="stable")
    both = pd.merge_asof(rows, verdicts, left_on="date", right_on="as_of", by="deal_id").dropna(subset="verdict")
    deals = book.deals.set_index("deal_id")
    ended = deals["outcome"].where(deals["closed_at"] <= as_of).reindex(both["deal_id"])
    compared = pd.DataFrame(
        {
            "model": both["verdict"].isin(DROPPED).map({True: STOP, False: KEEP}).to_numpy(),
            "person": both["decision"].isin(DROPPED).map({True: STOP, False: KEEP}).to_numpy(),
            "deals": 1,
            "settled": ended.notna().to_numpy(),
            "won": (ended == "won").to_numpy(),
        }
    )
    return compared.groupby(["model", "person"])[["deals", "settled", "won"]].sum().reset_index()
