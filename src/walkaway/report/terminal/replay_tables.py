"""What the terminal shows of a replay."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.economics import Curve
from walkaway.formatting import LocaleFormat
from walkaway.replaying import INDICES, Replayed
from walkaway.report.terminal.plain_table import interval, plain_table
from walkaway.report.terminal.training_tables import SAVED, curve_table, same_rankings

__all__ = ["show_replay"]

LOST_SHARES = ("0.01", "0.02", "0.05", "0.10", "0.20")


def _ranking_tables(indices: pd.DataFrame, fmt: LocaleFormat) -> list[RenderableType]:
    title = "Walk-away skill (0 random, 1 perfect foresight)"
    skill = plain_table("ranking deals by", "skill", "90% interval", "up to 20%", "90% interval", title=title)
    title = f"{SAVED[fmt.unit]}, if this share of the {fmt.won} is lost"
    saved = plain_table("ranking deals by", *(fmt.percent(float(share)) for share in LOST_SHARES), title=title)
    two_digits = partial(fmt.number, digits=2)
    for name, row in indices.iterrows():
        if name in same_rankings(fmt):
            continue
        ranking = INDICES[str(name)].replace("_", " ")
        whole = (fmt.number(row["skill"], 3), interval(row, "skill", two_digits))
        early = (fmt.number(row["skill_up_to_0.2"], 3), interval(row, "skill_up_to_0.2", two_digits))
        skill.add_row(ranking, *whole, *early)
        saved.add_row(ranking, *(fmt.percent(row[f"saved_at_{share}"]) for share in LOST_SHARES))
    return [skill, "", saved]


def _measured_on(cohort: dict[str, Any] | None, fmt: LocaleFormat) -> str:
    """Which calls the accuracy of winning is of."""
    if cohort is None:
        return "Of all calls; deals that are still open count as not won, and few had time to end."
    calls, deals, days = fmt.whole(cohort["calls"]), fmt.whole(cohort["deals"]), fmt.days(cohort["days"])
    share, still_open = fmt.percent(cohort["share"]), fmt.whole(cohort["still_open"])
    return (
        f"Of the {calls} calls made early enough for {share} of deals to end, which takes {days}; {still_open} of "
        f"their {deals} deals are still open and left out."
    )


def _accuracy(done: Replayed, fmt: LocaleFormat) -> list[RenderableType]:
    """How accurate the predictions of winning were, and those of hours if work is recorded."""
    measures = done.measures
    win, hours = measures.get("win_in_time", measures["win"]), measures["hours"]
    model, base = (win.loc[name] for name in ("win_probability", "base_rate"))
    four_digits, two_digits = partial(fmt.number, digits=4), partial(fmt.number, digits=2)
    brier = f"{four_digits(model['brier'])} ({interval(model, 'brier', four_digits)}"
    brier += f"; base rate {four_digits(base['brier'])})"
    ratio = two_digits(hours["predicted_over_booked"])
    ratio += f" ({interval(hours, 'predicted_over_booked', two_digits)})"
    winning = f"Winning: AUC {fmt.number(model['auc'], 3)}, Brier {brier}, log loss {four_digits(model['log_loss'])}."
    measured_on = Text(_measured_on(done.summary.get("cohort"), fmt), style="dim")
    if not done.summary["records_work"]:
        return [Text(winning), measured_on]
    error = f"mean error per call {two_digits(hours['error'])} h"
    return [Text(winning), measured_on, Text(f"Hours: predicted over booked {ratio}; {error}.")]


def _age_table(slices: pd.DataFrame, fmt: LocaleFormat) -> Table:
    one_digit = partial(fmt.signed, digits=1)
    table = plain_table("age of the deal", "calls", "won", "predicted", "error, points (90%)", title="By age")
    for (dimension, value), row in slices.iterrows():
        if dimension in ("all", "age"):
            points = {name: 100 * row[name] for name in ("off", "off_low", "off_high")}
            error = f"{one_digit(points['off'])} ({interval(points, 'off', one_digit)})"
            shares = (fmt.percent(row["won"], 1), fmt.percent(row["predicted"], 1))
            table.add_row(str(value), fmt.whole(row["calls"]), *shares, error)
    return table


def _expected(done: Replayed, name: str, fmt: LocaleFormat) -> str:
    value = done.summary["expected"].get(name)  # shares of hours and value are expected, not of deals
    return "" if value is None else f"; the models expected {fmt.percent(value, 1)}"


def _guaranteed(done: Replayed, name: str, fmt: LocaleFormat) -> str:
    """The limit that was guaranteed, if a guarantee was asked for."""
    dial = done.summary["score"]
    guaranteed = dial["guarantee"] and name == "value_forgone"
    return f"; the guarantee was at most {fmt.percent(dial['forgo'])}" if guaranteed else ""


def _drops_table(drops: pd.DataFrame, fmt: LocaleFormat) -> Table:
    headers = ("first dropped as", "deals", "won", "no decision, if lost", fmt.lost)
    hours_header = ["hours saved"] if fmt.by_hour else []
    table = plain_table(*headers[:-1], *hours_header, headers[-1], title="How dropped deals ended")
    for verdict, row in drops.iterrows():
        undecided = "" if pd.isna(row["no_decision"]) else fmt.percent(row["no_decision"])
        shares = (fmt.whole(row["deals"]), fmt.percent(row["won"]), undecided)
        hours = [fmt.whole(row["hours_saved"])] if fmt.by_hour else []
        table.add_row(str(verdict).replace("_", " "), *shares, *hours, fmt.money(row["value_forgone"]))
    return table


def _followed(done: Replayed, fmt: LocaleFormat) -> list[RenderableType]:
    """What following every verdict would have saved and lost."""
    followed, one_digit = done.measures["followed"], partial(fmt.percent, digits=1)
    shares = {"deals dropped": "deals_dropped", SAVED[fmt.unit].lower(): "hours_saved", fmt.lost: "value_forgone"}
    lines = [
        f"  {label:<14} {one_digit(followed[name])} ({interval(followed, name, one_digit)})"
        f"{_expected(done, name, fmt)}{_guaranteed(done, name, fmt)}"
        for label, name in shares.items()
    ]
    if followed["hours_saved"] > 0:
        kept, dropped = (fmt.money(followed[f"value_per_hour_{which}"]) for which in ("kept", "dropped"))
        lines.append(f"  value {fmt.per} {kept} on deals kept, {dropped} on deals dropped")
        lines.append(f"  {fmt.percent(followed['turned_back'])} of the dropped deals rose above the bar again later")
    return [Text("If every verdict had been followed", style="bold"), *(Text(line) for line in lines)]


def _stop_points_table(summary: dict[str, Any], fmt: LocaleFormat) -> list[RenderableType]:
    """Hours worked after the stop point beside the value lost by stopping there: for all deals, and by stage."""
    rows = [row for row in summary["stop_points"] if row["dimension"] in ("all", "stage")]
    worked = bool(summary["records_work"])
    title = "Work after lost deals fell below the bar for good" if worked else "Deals that fell below the bar"
    headers = ("stage", "lost deals", *(["hours afterwards"] if worked else []), "won, ever below", "value of these")
    table = plain_table(*headers, title=title)
    for row in rows:
        lost = [fmt.whole(row["lost_deals"]), *([fmt.whole(row["hours_after"])] if worked else [])]
        table.add_row(row["value"], *lost, fmt.whole(row["won_deals"]), fmt.money(row["value_forgone"]))
    return ["", table] if rows else []


def _curve_table(curve: Curve, fmt: LocaleFormat) -> Table:
    return curve_table(curve, [float(share) for share in LOST_SHARES], "What each bar would have done", fmt)


def _period(summary: dict[str, Any], fmt: LocaleFormat) -> Text:
    period, open_still = summary["period"], summary["unsettled_share"] or 0.0
    begin, end = (fmt.moment(pd.Timestamp(period[name])) for name in ("from", "to"))
    every = "every day" if period["every_days"] == 1 else f"every {fmt.number(period['every_days'])} days"
    return Text(
        f"{begin} to {end} UTC, {every}: {fmt.whole(summary['calls'])} calls by {fmt.whole(len(summary['models']))} "
        f"models. Measured on {fmt.whole(summary['judged_calls'])} calls of {fmt.whole(summary['deals'])} deals; "
        f"{fmt.percent(open_still, 1)} of these deals are still open."
    )


def show_replay(done: Replayed, out: Path, fmt: LocaleFormat) -> RenderableType:
    """Skill beside other rankings, what following the verdicts did beside what was expected, and the curve."""
    notes = [Text(note, style="yellow") for note in done.summary["notes"]]
    parts: list[RenderableType] = [_period(done.summary, fmt), *notes]
    if done.measures:
        measures = done.measures
        parts += ["", *_ranking_tables(measures["indices"], fmt), "", *_accuracy(done, fmt)]
        parts += ["", _age_table(measures["age"], fmt), "", *_followed(done, fmt)]
        if len(measures["drops"]):
            parts += ["", _drops_table(measures["drops"], fmt)]
        parts += ["", _curve_table(done.curve, fmt), *_stop_points_table(done.summary, fmt)]
    return Group(*parts, "", Text(f"Ledger, summary and models: {out}"))
