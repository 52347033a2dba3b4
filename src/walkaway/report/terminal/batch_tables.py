"""What a batch says on the terminal: the calls in a sentence, and what changed since the last run."""

from __future__ import annotations

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.report.terminal.score_tables import show_score
from walkaway.scoring import CHANGES, KINDS, Batch

__all__ = ["show_batch", "show_changes"]

_SAID = {
    "newly_below_bar": "newly below the bar",
    "back_above_bar": "back above the bar",
    "newly_open": "newly open",
    "closed": "closed",
    "gone": "no longer in the book",
    "not_called": "open, without a call",
}
NAMED = 6  # deals named a kind; changes.csv has them all


def _names(rows: pd.DataFrame) -> str:
    told = [
        deal if pd.isna(outcome) else f"{deal} {outcome}"
        for deal, outcome in zip(rows["deal_id"], rows["outcome"], strict=True)
    ]
    return ", ".join(told[:NAMED]) + (", ..." if len(told) > NAMED else "")


def show_changes(changes: pd.DataFrame) -> RenderableType:
    """How many deals changed, by kind, and the first of each."""
    if changes.empty:
        return Text("Nothing changed.")
    table = Table("change", "deals", "which", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for kind in KINDS:
        rows = changes[changes["change"] == kind]
        if len(rows):
            table.add_row(_SAID[kind], f"{len(rows):,}", Text(_names(rows)))
    return table


def show_batch(done: Batch) -> RenderableType:
    """The calls in a sentence, the deals most worth dropping, and the changes."""
    notes = [Text(note) for note in done.notes]
    parts = [show_score(done.calls, done.model, str(done.out)), "", *notes]
    if done.changes is not None:
        parts += [show_changes(done.changes), Text(f"All of them: {done.out.parent / CHANGES}", style="dim")]
    return Group(*parts)
