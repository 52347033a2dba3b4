"""Rows that cannot be used: which, by which rule, with what value, and what to do. Nothing is silently lost.

Each rule is a tiny function that returns the mask of the rows it refuses. A refused deal takes its rows in the other
tables with it, since they could no longer be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from walkaway.book.schema import SOURCE_ROW, TABLES, Book
from walkaway.errors import BookError

__all__ = ["COLUMNS", "RULES", "Rule", "admit", "entries"]

COLUMNS = ["table", "row", "deal_id", "column", "value", "rule", "remedy"]
_MOMENTS = ("created_at", "closed_at")
_ORPHAN = ("belongs to no admitted deal", "correct the deal it names, or leave the row out")


@dataclass(frozen=True)
class Rule:
    """One rule over one table: the column it reads, the mask it refuses, and what to do about it."""

    table: str
    column: str
    says: str
    remedy: str
    refuses: Callable[[pd.DataFrame, pd.Timestamp], pd.Series]


def _missing(column: str) -> Callable[[pd.DataFrame, pd.Timestamp], pd.Series]:
    return lambda rows, now: rows[column].isna()


def _future(column: str) -> Callable[[pd.DataFrame, pd.Timestamp], pd.Series]:
    return lambda rows, now: rows[column] > now


def _not_allowed(column: str, allowed: tuple[str, ...]) -> Callable[[pd.DataFrame, pd.Timestamp], pd.Series]:
    return lambda rows, now: rows[column].notna() & ~rows[column].isin(allowed)


def _repeated(key: tuple[str, ...]) -> Callable[[pd.DataFrame, pd.Timestamp], pd.Series]:
    return lambda rows, now: rows.duplicated(list(key), keep="first")


def _negative_or_infinite(column: str) -> Callable[[pd.DataFrame, pd.Timestamp], pd.Series]:
    return lambda rows, now: (rows[column] < 0) | np.isinf(rows[column])


def _declared_rules() -> list[Rule]:
    """Rules that follow from the tables' declarations: required, allowed, not in the future, unique key."""
    rules = []
    for table in TABLES.values():
        for c in table.columns:
            if c.required:
                rules.append(Rule(table.name, c.name, "is required", "fill it in at the source", _missing(c.name)))
            if c.allowed:
                says = f"must be one of {', '.join(c.allowed)}"
                rules.append(Rule(table.name, c.name, says, "map it to one of these", _not_allowed(c.name, c.allowed)))
            if c.kind == "moment" and c.name != "occurred_at":
                remedy = "correct the clock or the time zone at the source"
                rules.append(Rule(table.name, c.name, "lies in the future", remedy, _future(c.name)))
        rules.append(Rule(table.name, table.key[0], "repeats a key", "keep one row a key", _repeated(table.key)))
    return rules


RULES: list[Rule] = [
    *_declared_rules(),
    Rule(
        "deals",
        "closed_at",
        "lies before created_at",
        "correct one of the two dates",
        lambda rows, now: rows["closed_at"] < rows["created_at"],
    ),
    Rule(
        "deals",
        "closed_at",
        "is missing though the deal has an outcome",
        "add the moment of the close, or clear the outcome",
        lambda rows, now: rows["outcome"].notna() & rows["closed_at"].isna(),
    ),
    Rule(
        "deals",
        "outcome",
        "is missing though the deal is closed",
        "say won or lost, or clear closed_at",
        lambda rows, now: rows["outcome"].isna() & rows["closed_at"].notna(),
    ),
    Rule("deals", "amount", "must be a finite amount of 0 or more", "correct it", _negative_or_infinite("amount")),
    Rule(
        "deals",
        "margin",
        "must be a rate between -10 and 1",
        "write 30% as 0.3, and money of margin over the amount",
        lambda rows, now: ~rows["margin"].fillna(0.0).between(-10.0, 1.0),
    ),
    Rule("activities", "hours", "must be finite hours of 0 or more", "correct it", _negative_or_infinite("hours")),
]


def entries(table: str, rows: pd.DataFrame, column: str, says: str, remedy: str) -> pd.DataFrame:
    """Quarantine entries for these rows of a table, one a row: COLUMNS, all text.

    SOURCE_ROW, where the importer gave it, says where the row stands in the source; else its index does.
    """
    labels = rows[SOURCE_ROW] if SOURCE_ROW in rows else rows.index.astype(str)
    values = (
        rows[column].astype("object").where(rows[column].notna(), "nothing").astype(str)
        if column in rows
        else "nothing"
    )
    deal = rows["deal_id"].astype("object") if "deal_id" in rows else ""
    found = {"table": table, "row": labels, "deal_id": deal, "column": column, "value": values}
    out = pd.DataFrame(found | {"rule": says, "remedy": remedy}, index=rows.index, columns=COLUMNS)
    return out.astype("object").where(out.notna(), "").astype("str").reset_index(drop=True)


def _rules(name: str, undated: bool) -> list[Rule]:
    """The rules of a table; those on moments do not hold for a book without any."""
    return [rule for rule in RULES if rule.table == name and not (undated and rule.column in _MOMENTS)]


def _apply_rules(rules: list[Rule], rows: pd.DataFrame, now: pd.Timestamp) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Rows that pass every rule, and the entries of those that do not (first rule met)."""
    refused: list[pd.DataFrame] = []
    for rule in rules:
        mask = rule.refuses(rows, now).to_numpy(dtype=bool)
        if mask.any():
            refused.append(entries(rule.table, rows[mask], rule.column, rule.says, rule.remedy))
            rows = rows[~mask]
    return rows, refused


def admit(book: Book, now: pd.Timestamp) -> tuple[Book, pd.DataFrame]:
    """The rows of a book that can be used, and the quarantine of the others.

    Args:
        book: conformed tables, SOURCE_ROW allowed in each.
        now: the moment of the import; anything recorded later is refused.

    Returns:
        The admitted book, and one row a refused row (COLUMNS). For each table: rows in = admitted + refused.

    Raises:
        BookError: no deal is left.

    >>> deals = pd.DataFrame({"deal_id": ["d1", "d1"], "created_at": ["2026-01-05T09:00Z"] * 2})
    >>> kept, refused = admit(Book.of(deals=deals), pd.Timestamp("2026-02-01", tz="UTC"))
    >>> len(kept.deals), refused[["row", "column", "value", "rule"]].values.tolist()
    (1, [['1', 'deal_id', 'd1', 'repeats a key']])
    """
    tables: dict[str, pd.DataFrame] = {}
    refused: list[pd.DataFrame] = []
    for name, rows in book.tables().items():
        if name != "deals" and "deal_id" in rows:
            orphan = ~rows["deal_id"].isin(tables["deals"]["deal_id"]).to_numpy()
            if orphan.any():
                refused.append(entries(name, rows[orphan], "deal_id", *_ORPHAN))
                rows = rows[~orphan]
        tables[name], found = _apply_rules(_rules(name, book.manifest.timeless), rows, now)
        refused += found
    if tables["deals"].empty:
        why = refused[0].iloc[0] if refused else None
        first = (
            f" The first: row {why['row']}, {why['column']} {why['rule']} (found {why['value']})."
            if why is not None
            else ""
        )
        raise BookError(f"table deals: no deal can be used.{first} Check the mapping and the file.")
    frame = pd.concat(refused, ignore_index=True) if refused else pd.DataFrame(columns=COLUMNS, dtype="str")
    tables = {n: t.drop(columns=SOURCE_ROW, errors="ignore").reset_index(drop=True) for n, t in tables.items()}
    return book.with_tables(**tables), frame
