"""What the terminal shows of scored deals: a summary, and the deals to drop first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.book import shown_deal
from walkaway.economics import DROPPED
from walkaway.formatting import LocaleFormat
from walkaway.models import Model, awaited, caveats_of, no_bar
from walkaway.report.terminal.plain_table import plain_table
from walkaway.scoring import summary

__all__ = ["show_score", "show_undated_score"]

MOST_DEALS = 10  # in the table of deals to drop
MOST_REASONS = 2  # of a deal
MOST_CHANCES = 5  # deals with the highest, and with the lowest chance, of a book without dates


def _hindsight(table: pd.DataFrame, model: Model, fmt: LocaleFormat) -> str:
    """A warning if the model was trained on data from after the moments it calls."""
    known_until = model.facts.until
    late = 0 if known_until is None else int((table["as_of"] < known_until).sum())
    if known_until is None or not late:
        return ""
    return (
        f"\n{fmt.whole(late)} of them are from before {fmt.moment(known_until)} UTC, the end of the training data. "
        "The model has seen what happened next, so these calls prove nothing. Train with --until to test on the past."
    )


def _reasons(call: dict[str, Any], fmt: LocaleFormat) -> list[tuple[str, float]]:
    """The reasons of a call, strongest first: in words with the factor, and the factor (NaN if sold at a loss)."""
    numbers = [column.removeprefix("reason_") for column in call if column.startswith("reason_")]
    pairs = [(call[f"reason_{number}"], float(call[f"factor_{number}"])) for number in numbers]
    return [
        (f"{reason} ×{fmt.number(factor, 2)}" if factor == factor else str(reason), factor)
        for reason, factor in pairs
        if pd.notna(reason)
    ]


def _why_dropped(call: dict[str, Any], fmt: LocaleFormat) -> list[str]:
    """The strongest reasons against a deal, and for a nurtured deal what to wait for."""
    lines = [told for told, factor in _reasons(call, fmt) if not factor >= 1][:MOST_REASONS]
    if call["verdict"] == "nurture":
        lines.append(f"wait for: {awaited(call['wait_sign'])}, until {fmt.date(call['wait_until'])}")
    return lines


def _why_so_likely(call: dict[str, Any], fmt: LocaleFormat) -> list[str]:
    """The strongest reasons for or against a deal."""
    return [told for told, _ in _reasons(call, fmt)][:MOST_REASONS]


def _kept_to_learn(count: int, fmt: LocaleFormat) -> str:
    return f"Keep working on {fmt.whole(count)} deals below the bar, so that the model can learn. " if count else ""


def _deals_table(
    calls: pd.DataFrame, title: str, why: Callable[[dict[str, Any], LocaleFormat], list[str]], fmt: LocaleFormat
) -> Table:
    """Deals with what they are worth, as far as that is known, and why."""
    expected = "at risk" if fmt.by_hour else "expected"
    hours, money = ["value/hour", "hours"] if fmt.by_hour else [], [] if fmt.by_chance else [expected]
    table = plain_table("deal", *hours, *money, "win", title=title)
    table.add_column("why", ratio=1, min_width=22, overflow="fold")
    for call in calls.to_dict("records"):
        figures = [fmt.money(call["value_per_hour"]), fmt.number(call["remaining_hours"], 1)] if hours else []
        figures += [fmt.money(call["expected_value"])] if money else []
        named = Text(shown_deal(call["deal_id"], call.get("name")))
        table.add_row(named, *figures, fmt.percent(call["win_probability"]), Text("\n".join(why(call, fmt))))
    return table


def _worst_table(dropped: pd.DataFrame, fmt: LocaleFormat) -> Table:
    """The deals to drop that would take most hours; where no hours are known, those with the least expected value."""
    which = "that would take the most hours" if fmt.by_hour else f"with the least {fmt.ranked_by}"
    return _deals_table(_first_to_drop(dropped, fmt).head(MOST_DEALS), f"Deals to drop {which}", _why_dropped, fmt)


def _first_to_drop(dropped: pd.DataFrame, fmt: LocaleFormat) -> pd.DataFrame:
    if fmt.by_hour:
        return dropped.sort_values("remaining_hours", ascending=False)
    return dropped.sort_values("expected_value", kind="stable")


def _freed(numbers: dict[str, Any], fmt: LocaleFormat) -> str:
    """What walking away does, up to the value that it puts at risk."""
    if not fmt.by_hour:
        return f"from {fmt.whole(numbers['dropped'])} deals puts"
    return f"frees {fmt.whole(numbers['hours_freed'])} of {fmt.whole(numbers['hours'])} expected hours and puts"


def _bar(model: Model, bar: float, fmt: LocaleFormat) -> str:
    """The bar and what it did on past deals; without signal, that none can be set."""
    if not model.signal:
        return f"No bar can be set for them, {no_bar(model, bar, by_hand=False)}."
    _, saved, lost = model.curve.at(bar)
    did = f"saved {fmt.percent(saved)} of the hours" if fmt.by_hour else f"let {fmt.percent(saved)} of the deals go"
    source = "an estimate" if model.curve.estimated else "from settled deals"
    past = f"On past deals this bar {did} and lost {fmt.percent(lost, 1)} of the {fmt.won} ({source})."
    return f"Bar: {fmt.rate(bar)}. {past}"


def show_score(table: pd.DataFrame, model: Model, out: str, fmt: LocaleFormat) -> RenderableType:
    """What following the verdicts would free and put at risk, and the deals to drop first.

    Args:
        table: of `walkaway.scoring.score`.
        model: that made the calls.
        out: where they were written.
        fmt: writes the numbers, in the model's currency.
    """
    numbers: dict[str, Any] = summary(table)
    newest = table["as_of"] == table["as_of"].max()
    dropped = table[newest & table["verdict"].isin(DROPPED) & ~table["kept_to_learn"]]
    counts = ", ".join(
        f"{fmt.whole(count)} {verdict.replace('_', ' ')}" for verdict, count in numbers["verdicts"].items()
    )
    of_value = "" if fmt.counts_wins else "of expected value "
    sentences = Text(
        f"{fmt.whole(numbers['open_deals'])} deals open at {fmt.moment(pd.Timestamp(numbers['as_of']))} UTC: {counts}. "
        f"Walking away {_freed(numbers, fmt)} {fmt.money(numbers['value_at_risk'])} {of_value}at risk. "
        f"{_bar(model, numbers['bar'], fmt)} "
        f"{_kept_to_learn(numbers['kept_to_learn'], fmt)}Model {numbers['model_version']}."
    )
    written = Text(f"{fmt.whole(len(table))} calls written to {out}{_hindsight(table, model, fmt)}")
    worst: list[RenderableType] = [_worst_table(dropped, fmt), ""] if len(dropped) else []
    first = [Text(caveat.sentence, style="bold yellow") for caveat in caveats_of(model, fmt)]
    return Group(*first, sentences, "", *worst, written)


def show_undated_score(table: pd.DataFrame, model: Model, out: str, fmt: LocaleFormat) -> RenderableType:
    """Calls of a book without dates: how likely each deal is to be won, and why; nothing about hours.

    Args:
        table: of `walkaway.scoring.score_undated`.
        model: that made the calls.
        out: where they were written.
        fmt: writes the numbers, in the model's currency.
    """
    win = table["win_probability"]
    low, high, mean = (fmt.percent(share) for share in (win.min(), win.max(), win.mean()))
    deals = fmt.whole(len(table))
    sentences = Text(
        f"{deals} open deals, win probability {low} to {high}, {mean} on average. "
        f"Model {table['model_version'].iloc[0]}."
    )
    first = [Text(caveat.sentence, style="bold yellow") for caveat in caveats_of(model, fmt)]
    rows = min(MOST_CHANCES, len(table) // 2)
    best: list[RenderableType] = []
    if rows:
        ends = (("Highest", table.head(rows)), ("Lowest", table.tail(rows).iloc[::-1]))
        tables = (_deals_table(part, f"{end} {fmt.ranked_by}", _why_so_likely, fmt) for end, part in ends)
        best = [line for shown in tables for line in (shown, "")]
    return Group(*first, sentences, "", *best, Text(f"{deals} calls written to {out}"))
