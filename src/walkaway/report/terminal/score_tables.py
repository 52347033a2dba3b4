"""What the terminal shows of scored deals: the answer in a sentence, and the deals most worth dropping."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from walkaway.economics import DROPPED
from walkaway.models import Model, awaited
from walkaway.report.terminal.plain_table import money, plain_table
from walkaway.scoring import summary

__all__ = ["show_score", "show_undated_score"]


def _hindsight(table: pd.DataFrame, model: Model) -> str:
    """A warning where the model was trained on what happened after the moments it calls."""
    known_until = model.facts.until
    late = 0 if known_until is None else int((table["as_of"] < known_until).sum())
    if not late:
        return ""
    return (
        f"\n{late:,} of them lie before {known_until:%Y-%m-%d %H:%M}, until when this model learned: it has seen "
        "what came next, so they prove nothing. Train with --until to test on the past."
    )


def _why(call: dict[str, Any], most: int = 2) -> str:
    """The strongest reasons against a deal, a line each; what to wait for, if it is nurtured."""
    numbers = [k.removeprefix("reason_") for k in call if k.startswith("reason_")]
    told = [(call[f"reason_{k}"], call[f"factor_{k}"]) for k in numbers]
    against = [(reason, factor) for reason, factor in told if pd.notna(reason) and not factor >= 1]
    lines = [f"{r} ×{f:.2f}" if pd.notna(f) else str(r) for r, f in against[:most]]
    if call["verdict"] == "nurture":
        lines.append(f"until {call['wait_until']:%Y-%m-%d}: wait for {awaited(call['wait_sign'])}")
    return "\n".join(lines)


def _kept(count: int) -> str:
    return f"{count:,} below the bar are to be worked all the same, to learn from. " if count else ""


def show_score(table: pd.DataFrame, model: Model, out: str) -> RenderableType:
    """One sentence on what following the verdicts would free and forgo, and the deals most worth dropping."""
    curve, currency = model.curve, model.facts.currency
    told: dict[str, Any] = summary(table)
    drop = table[(table["as_of"] == table["as_of"].max()) & table["verdict"].isin(DROPPED) & ~table["kept_to_learn"]]
    _, saved, forgone = curve.at(told["bar"])
    counts = ", ".join(f"{n:,} {verdict}" for verdict, n in told["verdicts"].items())
    sentence = Text(
        f"{told['open_deals']:,} deals open at {pd.Timestamp(told['as_of']):%Y-%m-%d %H:%M} UTC: {counts}. "
        f"Walking away frees {told['hours_freed']:,.0f} of {told['hours']:,.0f} expected hours, with "
        f"{money(told['value_at_risk'], currency)} of expected value at risk. "
        f"Bar: {money(told['bar'], currency)} per hour; in the past it saved {saved:.0%} of hours "
        f"and forwent {forgone:.1%} of value ({'an estimate' if curve.estimated else 'settled'}). "
        f"{_kept(told['kept_to_learn'])}Model {told['model_version']}."
    )
    worst = plain_table("deal", "value/hour", "hours", "at risk", "win", title="Most worth dropping")
    worst.add_column("why", ratio=1, min_width=22, overflow="fold")
    for row in drop.sort_values("remaining_hours", ascending=False).head(10).to_dict("records"):
        amounts = (
            money(row["value_per_hour"], currency),
            f"{row['remaining_hours']:.1f}",
            money(row["expected_value"], currency),
        )
        worst.add_row(row["deal_id"], *amounts, f"{row['win_probability']:.0%}", _why(row))
    where = Text(f"{len(table):,} calls written to {out}{_hindsight(table, model)}")
    return Group(sentence, "", worst, "", where) if len(drop) else Group(sentence, "", where)


def show_undated_score(table: pd.DataFrame, out: str) -> RenderableType:
    """Calls without dates: who is likely to win, and nothing on hours."""
    win = table["win_probability"]
    said = Text(
        f"{len(table):,} open deals, win probability {win.min():.0%} to {win.max():.0%}, {win.mean():.0%} on average. "
        f"Model {table['model_version'].iloc[0]}."
    )
    warning = Text("Time-less: value_per_hour is empty and every verdict is unsure.", style="bold yellow")
    return Group(said, warning, "", Text(f"{len(table):,} calls written to {out}"))
