"""The quarantine: rows that cannot be used, each with the rule it breaks, the value found and the remedy.

No row is dropped silently. Each rule is a small function that returns the mask of the rows it refuses. Rows of a
refused deal in the other tables are refused too.
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
_ORPHAN = ("belongs to no admitted deal", "correct its deal_id, or leave the row out")


@dataclass(frozen=True)
class Rule:
    """A rule for one table: its column, its text, the remedy, and the mask of refused rows."""

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
    """Rules derived from the table declarations: required, allowed values, not in the future, unique key."""
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
                rules.append(Rule(table.name, c.name, "is in the future", remedy, _future(c.name)))
        rules.append(Rule(table.name, table.key[0], "repeats a key", "keep one row per key", _repeated(table.key)))
    return rules


RULES: list[Rule] = [
    *_declared_rules(),
    Rule(
        "deals",
        "closed_at",
        "is before created_at",
        "correct one of the two dates",
        lambda rows, now: rows["closed_at"] < rows["created_at"],
    ),
    Rule(
        "deals",
        "closed_at",
        "is missing though the deal has an outcome",
        "fill in closed_at, or clear the outcome",
        lambda rows, now: rows["outcome"].notna() & rows["closed_at"].isna(),
    ),
    Rule(
        "deals",
        "outcome",
        "is missing though the deal is closed",
        "set it to won or lost, or clear closed_at",
        lambda rows, now: rows["outcome"].isna() & rows["closed_at"].notna(),
    ),
    Rule("deals", "amount", "must be a finite amount of 0 or more", "correct it", _negative_or_infinite("amount")),
    Rule(
        "deals",
        "margin",
        "must be a rate between -10 and 1",
        "write 30% as 0.3; divide margin in money by the amount",
        lambda rows, now: ~rows["margin"].fillna(0.0).between(-10.0, 1.0),
    ),
    Rule("activities", "hours", "must be finite hours of 0 or more", "correct it", _negative_or_infinite("hours")),
]


def entries(table: str, rows: pd.DataFrame, column: str, says: str, remedy: str) -> pd.DataFrame:
    """Quarantine entries for rows of a table, one per row, with COLUMNS as text.

    The place in the source is SOURCE_ROW if the importer set it, else the index.
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


def _rules(name: str, timeless: bool) -> list[Rule]:
    """The rules of a table; a book without dates has no rules on moments."""
    return [rule for rule in RULES if rule.table == name and not (timeless and rule.column in _MOMENTS)]


def _apply_rules(rules: list[Rule], rows: pd.DataFrame, now: pd.Timestamp) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Rows that pass every rule, and entries for the others by the first rule they break."""
    refused: list[pd.DataFrame] = []
    for rule in rules:
        mask = rule.refuses(rows, now).to_numpy(dtype=bool)
        if mask.any():
            refused.append(entries(rule.table, rows[mask], rule.column, rule.says, rule.remedy))
            rows = rows[~mask]
    return rows, refused


def admit(book: Book, now: pd.Timestamp) -> tuple[Book, pd.DataFrame]:
    """Split a book into usable rows and the quarantine.

    Args:
        book: conformed tables, optionally with SOURCE_ROW.
        now: the moment of the import; rows recorded later are refused.

    Returns:
        The admitted book, and an entry per refused row (COLUMNS). For each table: rows in = admitted + refused.

    Raises:
        BookError: no deal can be used.

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
        entry = refused[0].iloc[0] if refused else None
        first = (
            f" The first: row {entry['row']}, {entry['column']} {entry['rule']} (found {entry['value']})."
            if entry is not None
            else ""
        )
        raise BookError(f"table deals: no deal can be used.{first} Correct the mapping or the file.")
    frame = pd.concat(refused, ignore_index=True) if refused else pd.DataFrame(columns=COLUMNS, dtype="str")
    tables = {n: t.drop(columns=SOURCE_ROW, errors="ignore").reset_index(drop=True) for n, t in tables.items()}
    return book.with_tables(**tables), frame
