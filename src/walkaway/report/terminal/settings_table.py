"""The settings in force, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

__all__ = ["show_settings"]


def show_settings(rows: Iterable[tuple[str, object, str]]) -> Table:
    """One row a setting: name, value as JSON, and where it comes from; what is no default stands out."""
    table = Table("setting", "value", "from", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value, origin in rows:
        plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        table.add_row(Text(name), Text(plain), Text(origin), style="dim" if origin == "default" else "bold")
    return table
