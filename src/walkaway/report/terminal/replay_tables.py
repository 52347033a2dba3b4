"""What the terminal shows of a replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.economics import Curve
from walkaway.replaying import INDICES, Replayed
from walkaway.report.terminal.plain_table import plain_table

__all__ = ["show_replay"]

PRICES = ("0.01", "0.02", "0.05", "0.10", "0.20")


def _between(row: pd.Series | dict[str, float], name: str, form: str) -> str:
    return f"{row[f'{name}_low']:{form}} to {row[f'{name}_high']:{form}}"


def _indices(table: pd.DataFrame) -> list[RenderableType]:
    title = "Walk-away skill (0 random, 1 clairvoyant)"
    skill = plain_table("ranking deals by", "skill", "90% interval", "up to 20%", "90% interval", title=title)
    title = "Hours saved at value forgone of"
    saved = plain_table("ranking deals by", *(f"{float(price):.0%}" for price in PRICES), title=title)
    for name, row in table.iterrows():
        who = INDICES[str(name)].replace("_", " ")
        whole = (f"{row['skill']:.3f}", _between(row, "skill", ".2f"))
        skill.add_row(who, *whole, f"{row['skill_up_to_0.2']:.3f}", _between(row, "skill_up_to_0.2", ".2f"))
        saved.add_row(who, *(f"{row[f'saved_at_{price}']:.0%}" for price in PRICES))
    return [skill, "", saved]


def _heads(measures: dict[str, Any]) -> list[RenderableType]:
    """How true the win head and the hours head were."""
    model, base, hours = *(measures["win"].loc[who] for who in ("win_probability", "base_rate")), measures["hours"]
    brier = f"Brier {model['brier']:.4f} ({_between(model, 'brier', '.4f')}; base rate {base['brier']:.4f})"
    ratio = f"{hours['predicted_over_booked']:.2f} ({_between(hours, 'predicted_over_booked', '.2f')})"
    return [
        Text(f"Winning: AUC {model['auc']:.3f}, {brier}, log loss {model['log_loss']:.4f}."),
        Text(f"Hours: predicted over booked {ratio}, {hours['error']:.2f} h off a call."),
    ]


def _ages(table: pd.DataFrame) -> Table:
    shown = plain_table("age of the deal", "calls", "won", "predicted", "off, 90%", title="By age")
    for (dimension, value), row in table.iterrows():
        if dimension in ("all", "age"):
            off = f"{100 * row['off']:+.1f} ({100 * row['off_low']:+.1f} to {100 * row['off_high']:+.1f})"
            shown.add_row(str(value), f"{row['calls']:,.0f}", f"{row['won']:.1%}", f"{row['predicted']:.1%}", off)
    return shown


def _expected(done: Replayed, name: str) -> str:
    value = done.summary["expected"][name]
    return "" if value is None else f"; the models expected {value:.1%}"


def _promised(done: Replayed, name: str) -> str:
    """What the guarantee promised, where it was asked for."""
    dial = done.summary["score"]
    return f"; promised was at most {dial['forgo']:.0%}" if dial["guarantee"] and name == "value_forgone" else ""


def _drops(table: pd.DataFrame, currency: str) -> Table:
    headers = ("first dropped as", "deals", "won", "no decision, if lost", "hours saved", "value forgone")
    shown = plain_table(*headers, title="What became of deals that the verdicts dropped")
    for verdict, row in table.iterrows():
        undecided = "" if pd.isna(row["no_decision"]) else f"{row['no_decision']:.0%}"
        money = f"{currency} {row['value_forgone']:,.0f}"
        shown.add_row(
            str(verdict), f"{row['deals']:,.0f}", f"{row['won']:.0%}", undecided, f"{row['hours_saved']:,.0f}", money
        )
    return shown


def _followed(done: Replayed) -> list[RenderableType]:
    told, currency = done.measures["followed"], done.summary["currency"]
    shares = {"deals dropped": "deals_dropped", "hours saved": "hours_saved", "value forgone": "value_forgone"}
    lines = [
        f"  {said:<14} {told[name]:.1%} ({_between(told, name, '.1%')})"
        f"{'' if name == 'deals_dropped' else _expected(done, name)}{_promised(done, name)}"
        for said, name in shares.items()
    ]
    if told["hours_saved"] > 0:
        worth = f"{currency} {told['value_per_hour_kept']:,.0f}, an hour saved {currency} "
        lines.append(f"  an hour kept was worth {worth}{told['value_per_hour_dropped']:,.0f}")
        lines.append(f"  {told['turned_back']:.0%} of the deals dropped were called worth their hours again later")
    return [Text("Had the verdicts been followed", style="bold"), *(Text(line) for line in lines)]


def _exits(summary: dict[str, Any]) -> list[RenderableType]:
    """Hours worked after the last cheap exit, beside their price, over all and by stage."""
    rows = [row for row in summary["stop_points"] if row["dimension"] in ("all", "stage")]
    headers = ("stage", "lost, below for good", "hours after it", "won, ever below", "value forgone")
    table = plain_table(*headers, title="The last cheap exit, and the price of taking it")
    for row in rows:
        hours, value = f"{row['hours_after']:,.0f}", f"{summary['currency']} {row['value_forgone']:,.0f}"
        table.add_row(row["value"], f"{row['lost_deals']:,}", hours, f"{row['won_deals']:,}", value)
    return ["", table] if rows else []


def _curve(curve: Curve, currency: str) -> Table:
    table = plain_table(
        "value forgone", "bar per hour", "hours saved", "hours worked a week", title="What each bar would have done"
    )
    for price in PRICES:
        bar = curve.bar_for_forgo(float(price))
        worked, saved, forgone = curve.at(bar)
        table.add_row(f"{forgone:.1%}", f"{currency} {bar:,.0f}", f"{saved:.0%}", f"{worked:,.0f}")
    return table


def _period(summary: dict[str, Any]) -> Text:
    period, open_still = summary["period"], summary["unsettled_share"] or 0.0
    when = f"{period['from'][:16]} to {period['to'][:16]}, every {period['every_days']:g} days"
    return Text(
        f"{when}: {summary['calls']:,} calls by {len(summary['models'])} models. Judged are "
        f"{summary['judged_calls']:,} calls of {summary['deals']:,} deals, {open_still:.1%} of which have not settled."
    )


def show_replay(done: Replayed, out: Path) -> RenderableType:
    """Skill beside other rankings, what following the verdicts did beside what was expected, and the curve."""
    notes = [Text(note, style="yellow") for note in done.summary["notes"]]
    parts: list[RenderableType] = [_period(done.summary), *notes]
    if done.measures:
        measures, currency = done.measures, done.summary["currency"]
        parts += ["", *_indices(measures["indices"]), "", *_heads(measures), "", _ages(measures["age"])]
        parts += ["", *_followed(done)]
        if len(measures["drops"]):
            parts += ["", _drops(measures["drops"], currency)]
        parts += ["", _curve(done.curve, currency), *_exits(done.summary)]
    return Group(*parts, "", Text(f"Ledger, summary and models: {out}"))
