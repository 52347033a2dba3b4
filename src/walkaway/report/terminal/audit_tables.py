"""What the terminal shows of the leak audit."""

from __future__ import annotations

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.audit import Audit
from walkaway.report.terminal.plain_table import plain_table

__all__ = ["show_audit", "show_suspects"]

_STYLE = {"left out": "bold red", "allowed": "yellow"}
NOTES = (
    "filled: share of settled deals that have it (of events: at their last look); while open: of open deals. AUC: how "
    "well it alone tells won from lost when a deal is new. at close: last recorded within a day of the close or later; "
    "no earlier snapshot sees such a record."
)
ALLOW = "To keep one, name it in the settings: train.audit.allowed = [{!r}]"


def _share(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.0%}"


def _auc(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.2f}"


def _sources(table: pd.DataFrame) -> Table:
    out = plain_table("recorded", "verdict", "filled", "while open", "AUC", "at close", title="What the book records")
    for name, row in table.iterrows():
        style = _STYLE.get(str(row["verdict"]), "")
        shares = (_share(row["filled"]), _share(row["filled_open"]), _auc(row["separation"]), _share(row["at_close"]))
        out.add_row(Text(str(name)), Text(str(row["verdict"]), style=style), *shares)
    return out


def _features(table: pd.DataFrame) -> Table:
    out = plain_table("AUC of a feature alone", "verdict", "at first", "earlier", "last", title="Features")
    for name, row in table.sort_values("separation_last", ascending=False, kind="stable").iterrows():
        told = (_auc(row[f"separation_{look}"]) for look in ("first", "earlier", "last"))
        out.add_row(Text(str(name)), Text(str(row["verdict"]), style=_STYLE.get(str(row["verdict"]), "")), *told)
    return out


def show_suspects(audit: Audit) -> RenderableType:
    """What the audit accuses, each with its evidence; or that it accuses nothing."""
    looked = f"{len(audit.sources)} columns, fields, kinds and roles and {len(audit.features)} features looked at"
    if audit.suspects.empty:
        return Text(f"Leak audit: {looked}; none knows the end before it could.")
    parts: list[RenderableType] = [Text(f"Leak audit: {looked}.", style="bold")]
    for name, row in audit.suspects.iterrows():
        verdict = Text(f"  {row['verdict']}: ", style=_STYLE[str(row["verdict"])])
        parts.append(verdict.append(f"{name} ", style="bold").append(f"[{row['rules']}] {row['evidence']}", style=""))
    left_out = [str(name) for name in (*audit.left_out, *(f"features.{column}" for column in audit.denied))]
    return Group(*parts, *([Text("  " + ALLOW.format(left_out[0]), style="dim")] if left_out else []))


def show_audit(audit: Audit) -> RenderableType:
    """Everything that was looked at, with the evidence."""
    parts: list[RenderableType] = [_sources(audit.sources), Text(NOTES, style="dim"), ""]
    if len(audit.features):
        lag = "first and last: looks at a deal; earlier: four looks before the last. An honest one falls when lagged."
        parts += [_features(audit.features), Text(lag, style="dim"), ""]
    return Group(*parts, show_suspects(audit))
