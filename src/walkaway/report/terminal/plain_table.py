"""What the terminal's tables share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
from rich.table import Table

__all__ = ["interval", "plain_table"]


def plain_table(*headers: str, title: str | None = None) -> Table:
    """A table without lines: the first column is left-aligned, the others are right-aligned."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, header in enumerate(headers):
        table.add_column(header, justify="left" if i == 0 else "right", overflow="fold")
    return table


def interval(row: pd.Series | Mapping[str, float], name: str, write: Callable[[float], str]) -> str:
    """The interval of a measure, from the columns NAME_low and NAME_high.

    >>> interval({"skill_low": 0.1, "skill_high": 0.3}, "skill", str)
    '0.1 to 0.3'
    """
    return f"{write(row[f'{name}_low'])} to {write(row[f'{name}_high'])}"
