"""What the terminal shows of a batch: a summary of the calls, and what changed since the last run."""

from __future__ import annotations

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.book import shown_deal
from walkaway.formatting import LocaleFormat
from walkaway.report.terminal.score_tables import show_score
from walkaway.scoring import CHANGES, KINDS, Batch

__all__ = ["show_batch", "show_changes"]

_LABELS = {
    "newly_below_bar": "newly below the bar",
    "back_above_bar": "back above the bar",
    "newly_open": "newly open",
    "closed": "closed",
    "gone": "no longer in the book",
    "not_called": "open, without a call",
}
MOST_NAMED = 6  # deals of one kind of change; changes.csv lists them all


def _names(rows: pd.DataFrame) -> str:
    deals = [shown_deal(row["deal_id"], row.get("name")) for row in rows.to_dict("records")]
    names = [
        deal if pd.isna(outcome) else f"{deal} {outcome}" for deal, outcome in zip(deals, rows["outcome"], strict=True)
    ]
    return ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")


def show_changes(changes: pd.DataFrame, fmt: LocaleFormat) -> RenderableType:
    """How many deals changed, by kind of change, and the first few of each kind."""
    if changes.empty:
        return Text("Nothing changed.")
    table = Table("change", "deals", "which", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for kind in KINDS:
        rows = changes[changes["change"] == kind]
        if len(rows):
            table.add_row(_LABELS[kind], fmt.whole(len(rows)), Text(_names(rows)))
    return table


def show_batch(done: Batch, fmt: LocaleFormat) -> RenderableType:
    """A summary of the calls, the deals to drop that would take the most hours, and the changes."""
    notes = [Text(note) for note in done.notes]
    parts = [show_score(done.calls, done.model, str(done.out), fmt), "", *notes]
    if done.changes is not None:
        all_changes = Text(f"All changes: {done.out.parent / CHANGES}", style="dim")
        parts += [show_changes(done.changes, fmt), all_changes]
    return Group(*parts)
