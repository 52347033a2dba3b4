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

MOST_GROUPS = 12  # of one dimension, on screen
COUNTS = {"deals": "deals", "hours": "hours to come", "worked": "hours, last 30 days"}  # of a theme, as far as known
NO_LEDGER = "Calibration by group needs settled calls: name a replay with --replay."
NO_GROUPS = "No team, pipeline or attribute has two groups with at least five open deals each."
NONE_DIFFERS = "No group differs from all deals by more than chance (90% confidence)."


def _themes_table(portfolio: Portfolio, fmt: LocaleFormat) -> Table:
    shown = [name for name in COUNTS if name in portfolio.themes]
    headers = ("main reason against", *(COUNTS[name] for name in shown), "cost")
    table = plain_table(*headers, title="Deals below the bar, by theme")
    for theme, row in portfolio.themes.iterrows():
        table.add_row(str(theme), *(fmt.whole(row[name]) for name in shown), fmt.money(row["cost"]))
    return table


def _cost(themes: pd.DataFrame, more: str, fmt: LocaleFormat) -> str:
    """What the deals below the bar cost, beside deals at the bar."""
    if not fmt.by_hour:
        return f"As many deals at the bar would bring {more} more."
    hours = fmt.whole(themes["hours"].sum())
    return f"They still take {hours} hours. Deals at the bar would earn {more} more in these hours."


def _group_tables(
    groups: pd.DataFrame, fmt: LocaleFormat, headers: tuple[str, ...], title: str
) -> Iterator[RenderableType]:
    """One table per dimension, groups that differ first.

    Each row has the observed shares, then the share shrunk towards all deals with its interval.
    """
    for dimension, part in groups.groupby(level="dimension", sort=False):
        shown = part.sort_values(["differs", "deals"], ascending=False, kind="stable").head(MOST_GROUPS)
        table = plain_table(str(dimension).replace("_", " "), *headers, "", title=title)
        for (_, group), row in shown.iterrows():
            shares = [fmt.percent(row[name]) for name in ("dropped", "predicted", "won") if name in row]
            shrunk = f"{fmt.percent(row['shrunk'])} ({fmt.percent(row['low'])} to {fmt.percent(row['high'])})"
            table.add_row(str(group), fmt.whole(row["deals"]), *shares, shrunk, "differs" if row["differs"] else "")
        yield table
        if len(part) > len(shown):
            yield Text(f"and {fmt.whole(len(part) - len(shown))} more groups (--json shows all)", style="dim")
        yield Text("")


def show_portfolio(portfolio: Portfolio, fmt: LocaleFormat, settled: bool) -> RenderableType:
    """Themes by what they cost, then groups of deals: how often they are dropped, and how well they are predicted.

    Args:
        portfolio: the open deals as a whole.
        fmt: writes the numbers, in the model's currency.
        settled: whether its calibration comes from settled calls.
    """
    below_bar, more = int(portfolio.themes["deals"].sum()), fmt.money(portfolio.themes["cost"].sum())
    summary = Text(
        f"{fmt.whole(portfolio.open_deals)} deals open at {fmt.moment(portfolio.as_of)} UTC; {fmt.whole(below_bar)} of "
        f"them are below the bar of {fmt.rate(portfolio.bar)}. {_cost(portfolio.themes, more, fmt)}"
    )
    first = [Text(caveat.sentence, style="bold yellow") for caveat in portfolio.caveats]
    body: list[RenderableType] = [*first, summary, Text(""), _themes_table(portfolio, fmt), Text("")]
    if portfolio.drops.empty:
        return Group(*body, Text(NO_GROUPS, style="dim"))
    headers: tuple[str, ...] = ("deals", "dropped", "adjusted for chance (90%)")
    body += _group_tables(portfolio.drops, fmt, headers, "How often deals are dropped")
    if settled:
        headers = ("deals", "predicted", "won", "too high by (90%)")
        body += _group_tables(portfolio.calibration, fmt, headers, "Calibration, from settled calls")
    else:
        body += [Text(NO_LEDGER, style="dim"), Text("")]
    if not portfolio.drops["differs"].any():
        body.append(Text(NONE_DIFFERS, style="dim"))
    return Group(*body)
