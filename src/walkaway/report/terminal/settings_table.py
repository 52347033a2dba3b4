"""The settings in force, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

__all__ = ["show_settings"]


def show_settings(rows: Iterable[tuple[str, object, str]]) -> Table:
    """One row per setting: its name, its value and where the value comes from; defaults are dimmed.

    Values are shown as they are typed into a settings file, whatever the locale.
    """
    table = Table("setting", "value", "from", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value, origin in rows:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        table.add_row(Text(name), Text(text), Text(origin), style="dim" if origin == "default" else "bold")
    return table
