"""What the terminal shows of the pipeline as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.explaining import Portfolio
from walkaway.formatting import LocaleFormat
from walkaway.report.terminal.plain_table import plain_table

__all__ = ["show_portfolio"]

ON_SCREEN = 12  # groups of one dimension
NO_LEDGER = "Calibration by group needs calls that have settled since: name a replay with --replay."
NO_GROUPS = "The book records no team, pipeline or attribute of which two groups have five open deals each."
ALIKE = "No group differs beyond chance from all deals (90%)."


def _themes(found: Portfolio, wording: LocaleFormat) -> Table:
    table = plain_table(
        "weighs most against it", "deals", "hours to come", "worked, 30 days", "would cost", title="Themes"
    )
    for theme, row in found.themes.iterrows():
        hours = (wording.number(round(row["hours"])), wording.number(round(row["worked"])))
        table.add_row(str(theme), f"{row['deals']:,.0f}", *hours, wording.money(row["cost"]))
    return table


def _groups(
    table: pd.DataFrame, wording: LocaleFormat, headers: tuple[str, ...], title: str
) -> Iterator[RenderableType]:
    """Groups by dimension, those that differ first; each with its raw figures, the shrunk one and its interval."""
    for dimension, part in table.groupby(level="dimension", sort=False):
        shown = part.sort_values(["differs", "deals"], ascending=False, kind="stable").head(ON_SCREEN)
        drawn = plain_table(str(dimension).replace("_", " "), *headers, "", title=title)
        for (_, group), row in shown.iterrows():
            shares = [wording.percent(row[name]) for name in ("dropped", "predicted", "won") if name in row]
            between = (
                f"{wording.percent(row['shrunk'])} ({wording.percent(row['low'])} to {wording.percent(row['high'])})"
            )
            drawn.add_row(str(group), f"{row['deals']:,.0f}", *shares, between, "differs" if row["differs"] else "")
        yield drawn
        if len(part) > len(shown):
            yield Text(f"and {len(part) - len(shown)} more groups (--json has all)", style="dim")
        yield Text("")


def show_portfolio(found: Portfolio, locale: str, currency: str, settled: bool) -> RenderableType:
    """Themes by what they cost, then groups of deals by how often they are dropped and how well they are called."""
    wording = LocaleFormat(locale, currency)
    dropped, hours = int(found.themes["deals"].sum()), found.themes["hours"].sum()
    said = Text(
        f"{found.open_deals:,} deals open at {wording.moment(found.as_of)} UTC; {dropped:,} of them below the bar of "
        f"{wording.money(found.bar)} per hour. To their ends they take {wording.number(round(hours))} hours, which at "
        f"the bar would earn {wording.money(found.themes['cost'].sum())} more."
    )
    body: list[RenderableType] = [said, Text(""), _themes(found, wording), Text("")]
    if found.drops.empty:
        return Group(*body, Text(NO_GROUPS, style="dim"))
    body += _groups(found.drops, wording, ("deals", "dropped", "drawn towards all (90%)"), "Drops")
    if settled:
        headers = ("deals", "predicted", "won", "too high by (90%)")
        body += _groups(found.calibration, wording, headers, "Calibration, of settled calls")
    else:
        body += [Text(NO_LEDGER, style="dim"), Text("")]
    if not found.drops["differs"].any():
        body.append(Text(ALIKE, style="dim"))
    return Group(*body)
