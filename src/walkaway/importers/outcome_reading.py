"""The outcome of each row by what a mapping says: won, lost, open, or a reason why it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from walkaway.importers.cells import as_texts
from walkaway.importers.outcome_mapping import Condition, OutcomePart, Wanted

__all__ = ["NEITHER", "Outcomes", "outcomes_of"]

NEITHER = "is not among the outcomes of the mapping"
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


@dataclass(frozen=True)
class Outcomes:
    """What each row says: masks of won, lost and open rows, of those that say two of them, and of those that say none.

    column: the columns that tell the outcome, by name. found: their cells as text, for messages.
    """

    won: pd.Series
    lost: pd.Series
    open: pd.Series
    contradicts: pd.Series
    neither: pd.Series
    column: str
    found: pd.Series


def _is(texts: pd.Series, wanted: str | bool | float) -> pd.Series:
    """Whether each text is the wanted value; a flag in any spelling, a number however it is written."""
    if isinstance(wanted, bool):
        return texts.str.lower().isin(TRUE if wanted else FALSE)
    if isinstance(wanted, float):
        return pd.to_numeric(texts.str.replace(",", "."), errors="coerce") == wanted
    return texts == wanted


def _any_of(texts: pd.Series, values: Wanted) -> pd.Series:
    held = pd.Series(False, index=texts.index)
    for value in values:
        held |= _is(texts, value)
    return held


def _holds(texts: dict[str, pd.Series], conditions: tuple[Condition, ...], index: pd.Index) -> pd.Series:
    """Whether any of the conditions holds; a condition holds if all its columns have a wanted value."""
    held = pd.Series(False, index=index)
    for condition in conditions:
        whole = pd.Series(True, index=index)
        for column, values in condition.items():
            whole &= _any_of(texts[column], values)
        held |= whole
    return held


def _shown(texts: dict[str, pd.Series], index: pd.Index) -> pd.Series:
    """The cells that tell the outcome, as one text: the cell itself, or `column: cell` for each of several."""
    if len(texts) == 1:
        [cells] = texts.values()
        return cells.replace("", None)
    shown = pd.Series("", index=index)
    for place, (column, cells) in enumerate(texts.items()):
        shown += (", " if place else "") + f"{column}: " + cells.replace("", "nothing")
    return shown


def outcomes_of(cells: pd.DataFrame, part: OutcomePart) -> Outcomes:
    """What each row of a sheet says of how its deal ended.

    Args:
        cells: rows of a file, with the columns that the part names.
        part: what the mapping says.

    >>> part = OutcomePart(won_if={"IsWon": True}, lost_if={"IsClosed": True, "IsWon": False}, others="open")
    >>> cells = pd.DataFrame({"IsClosed": ["1", "1", "0"], "IsWon": ["1", "0", "0"]})
    >>> found = outcomes_of(cells, part)
    >>> found.won.tolist(), found.lost.tolist(), found.open.tolist()
    ([True, False, False], [False, True, False], [False, False, True])
    """
    texts = {column: as_texts(cells[column]).fillna("").astype("object") for column in part.columns}
    index, listed = cells.index, {"won": part.won, "lost": part.lost or (), "open": part.open}
    conditions = {"won": part.won_if, "lost": part.lost_if, "open": part.open_if}
    filled = {"won": part.won_if_filled, "lost": part.lost_if_filled, "open": None}
    says = {}
    for name in listed:
        mask = pd.Series(part.every == name, index=index) | _holds(texts, conditions[name], index)
        if part.column is not None:
            mask |= texts[part.column].isin(listed[name])
        if column := filled[name]:
            mask |= texts[column] != ""
        says[name] = mask
    times = says["won"].astype(int) + says["lost"] + says["open"]
    neither = (times == 0) & (not part.others_are_open)
    says["open"] |= (times == 0) & part.others_are_open
    column = " and ".join(part.columns)
    return Outcomes(**says, contradicts=times > 1, neither=neither, column=column, found=_shown(texts, index))
