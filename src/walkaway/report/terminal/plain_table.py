"""Tables for the terminal."""

from __future__ import annotations

from rich.table import Table

__all__ = ["money", "plain_table"]


def plain_table(*headers: str, title: str | None = None) -> Table:
    """A table without lines: the first column to the left, the others to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, header in enumerate(headers):
        table.add_column(header, justify="left" if i == 0 else "right", overflow="fold")
    return table


def money(value: float, currency: str) -> str:
    """Money in whole units, the currency before it."""
    return f"{currency} {value:,.0f}".strip()
