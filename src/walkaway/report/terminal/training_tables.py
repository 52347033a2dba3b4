"""What the terminal shows of a training: what went in, how good the model is, and whether it is in use."""

from __future__ import annotations

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.economics import Curve
from walkaway.evaluation import failures
from walkaway.models import Facts, Model
from walkaway.report.terminal.audit_tables import show_suspects
from walkaway.report.terminal.plain_table import money, plain_table
from walkaway.training import NOT_LOGGED, Promotion, Retrained, Trained, Tuned

__all__ = ["WHO", "pooling_sentence", "show_training"]

ERRORS = ("error", "error_base")
TOLD_POOLING = 0.1  # of a head; a smaller share is not worth a line
WHO = {
    "win_probability": "this model",
    "crm_probability": "the CRM's own",
    "logistic": "logistic regression",
    "naive_bayes": "naive Bayes, as Odoo",
    "stage_rate": "win rate of the stage",
    "base_rate": "base rate",
    "value_per_hour": "value per hour",
    "expected_value": "expected value",
    "amount": "amount",
    "younger": "youngest first",
    "no_decision_if_lost": "this model",
    "no_decision_rate": "rate of such losses",
}


def _win_table(metrics: pd.DataFrame, title: str = "How good", what: str = "out-of-time prediction") -> Table:
    table = plain_table(what, "AUC", "Brier", "90% interval", "log loss", title=title)
    for name, row in metrics.iterrows():
        between = f"{row['brier_low']:.3f} to {row['brier_high']:.3f}"
        table.add_row(WHO[str(name)], f"{row['auc']:.3f}", f"{row['brier']:.4f}", between, f"{row['log_loss']:.4f}")
    return table


def _parts_of_brier(metrics: pd.DataFrame) -> Text:
    """The Brier score of this model, taken apart."""
    row = metrics.loc["win_probability"]
    said = (
        f"Its Brier score: {row['miscalibration']:.4f} miscalibration - {row['discrimination']:.4f} discrimination + "
        f"{row['uncertainty']:.4f} uncertainty of the deals."
    )
    return Text(said, style="dim")


def _skill_table(metrics: pd.DataFrame) -> Table:
    table = plain_table(
        "ranking deals by", "skill", "90% interval", "up to 20%", title="Walk-away skill (0 random, 1 clairvoyant)"
    )
    for name, row in metrics.iterrows():
        who = "win probability" if name == "win_probability" else WHO[str(name)]
        between = f"{row['skill_low']:.3f} to {row['skill_high']:.3f}"
        table.add_row(who, f"{row['skill']:.3f}", between, f"{row['skill_up_to_0.2']:.3f}")
    return table


def _off(row: pd.Series) -> str:
    return f"{100 * row['off']:+.1f} ({100 * row['off_low']:+.1f} to {100 * row['off_high']:+.1f})"


def _age_table(metrics: pd.DataFrame) -> Table:
    table = plain_table("age of the deal", "calls", "won", "predicted", "off, 90%", "Brier", "base", title="By age")
    for (dimension, value), row in metrics.iterrows():
        if dimension in ("all", "age"):
            shares = (f"{row['won']:.1%}", f"{row['predicted']:.1%}", _off(row))
            table.add_row(
                str(value), f"{row['calls']:,.0f}", *shares, f"{row['brier']:.3f}", f"{row['brier_base']:.3f}"
            )
    return table


def _failing(metrics: pd.DataFrame) -> RenderableType:
    """Slices where the model fails, by name."""
    said = failures(metrics)
    if not said:
        return Text(f"No slice of {len(metrics)} (age, stage, segment) fails beyond luck.", style="dim")
    return Group(Text("Where it fails:", style="bold yellow"), *(Text(f"  {sentence}") for sentence in said))


def _totals_table(hours: pd.DataFrame, worth: pd.DataFrame | None, currency: str) -> Table:
    title = "Totals predicted over realised"
    table = plain_table("what", "calls", "ratio", "90% interval", "error a call", "plain guess", title=title)

    def add(what: str, row: pd.Series, unit: str) -> None:
        between = f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}"
        errors = [f"{row[name]:,.2f} h" if unit == "h" else money(row[name], currency) for name in ERRORS]
        table.add_row(what, f"{row['calls']:,.0f}", f"{row['ratio']:.2f}", between, *errors)

    add("remaining hours", hours.loc[("all", "all")], "h")
    shown = worth if worth is not None else hours.iloc[:0]
    for value, row in (shown if len(shown) > 2 else shown.iloc[:1]).iterrows():
        add("worth of wins" if value == "all" else f"  amount {value}", row, "money")
    return table


def _staleness_table(metrics: pd.DataFrame) -> Table:
    headers = ("model older by", "calls", "log loss lost, 90%", "skill lost, 90%")
    table = plain_table(*headers, title="What retraining less often costs")
    for _, row in metrics.iterrows():
        lost = [
            f"{row[name]:+.{places}f} ({row[f'{name}_low']:+.{places}f} to {row[f'{name}_high']:+.{places}f})"
            for name, places in (("log_loss_lost", 4), ("skill_lost", 3))
        ]
        table.add_row(f"{row['days_older']:,.0f} days", f"{row['calls']:,.0f}", *lost)
    return table


def _ending_table(metrics: pd.DataFrame) -> Table:
    headers = ("ending", "calls", "predicted to win", "Brier", "hours predicted / booked")
    table = plain_table(*headers, title="By kind of ending")
    for ending, row in metrics.iterrows():
        told = (f"{row['calls']:,.0f}", f"{row['predicted']:.1%}", f"{row['brier']:.4f}", f"{row['hours_ratio']:.2f}")
        table.add_row(str(ending), *told)
    return table


def _dropped_on_advice(count: int) -> str:
    return f" Of the open, {count:,} were dropped on advice: how they would have ended is not known." if count else ""


def _went_in(facts: Facts) -> Text:
    return Text(
        f"{facts.deals:,} deals known until {facts.until:%Y-%m-%dT%H:%M}: "
        f"{facts.won:,} won, {facts.lost:,} lost, {facts.open:,} open. "
        f"{facts.events:,} events, {facts.snapshots:,} snapshots "
        f"({facts.open_snapshots_share:.0%} of them of deals still open), {facts.features} features. "
        f"Share of hours assumed: {facts.assumed_hours_share:.0%}."
        f"{_dropped_on_advice(facts.dropped_on_advice)}"
    )


def show_training(done: Retrained) -> RenderableType:
    """What went in, how good it is beside simple baselines, where the bar lies, and which model is in use."""
    facts = done.trained.model.facts
    shown = _undated_training(done.trained) if done.trained.model.undated else _dated_training(done.trained, facts)
    use = "in use (champion)" if done.promoted else f"kept; in use is {done.champion}"
    shown = [*(show_tuning(done.tuned) if done.tuned else ()), *shown, *_promotion(done.decision)]
    return Group(
        *shown,
        show_suspects(done.trained.audit),
        "",
        Text(f"Model {done.folder.name}, {_registered(done)}: {use}"),
        *([] if done.registered else [Text(NOT_LOGGED)]),
    )


def _registered(done: Retrained) -> str:
    return f"version {done.registered} in MLflow" if done.registered else "no version in MLflow"


def show_tuning(tuned: Tuned) -> list[RenderableType]:
    """How many trials, what the best one gained on deals that none of them saw, and how to keep it."""
    tried = tuned.trials["state"].value_counts()
    counts = ", ".join(f"{count:,} {state}" for state, count in tried.items())
    gain, values = tuned.unseen, tuned.values()
    parts = [Text(f"Tuning: {len(tuned.trials):,} trials ({counts}).", style="bold")]
    if "log_loss_gain" in gain:
        loss = f"{gain['log_loss_gain']:+.4f} ({gain['log_loss_gain_low']:+.4f} to {gain['log_loss_gain_high']:+.4f})"
        skill = f"{gain['skill_gain']:+.3f} ({gain['skill_gain_low']:+.3f} to {gain['skill_gain_high']:+.3f})"
        since = f"On {gain['settled_deals']:,} deals after {gain['since'][:10]}, which no trial saw"
        parts.append(Text(f"{since}, the best gains in log loss {loss}, in skill {skill} (90%)."))
    if not tuned.used:
        return [*parts, Text("That is no gain, so the settings given were trained with."), ""]
    win = ", ".join(f"{name} = {value:.4g}" for name, value in values.items() if name != "decay")
    keep = f"train.heads = {{ decay = {values['decay']:.4g}, win = {{ {win} }} }}"
    return [*parts, Text("To keep what was tuned, put into walkaway.toml:"), Text(f"  {keep}", style="bold"), ""]


def _promotion(decision: Promotion) -> list[RenderableType]:
    """The new model beside the one in use, and whether it was promoted."""
    outcome = "Promoted" if decision.promoted else "Not promoted: saved, not in use"
    said = Text(f"{outcome}. Reason: {decision.reason}.", style="bold")
    if not decision.comparisons:
        return [said, ""]
    parts: list[RenderableType] = [Text("Challenger and champion on the same deals", style="bold")]
    for one in decision.comparisons:
        loss = f"{one.log_loss_gain:+.4f} (90%: {one.log_loss_gain_low:+.4f} to {one.log_loss_gain_high:+.4f})"
        skill = f"{one.skill_gain:+.3f} (90%: {one.skill_gain_low:+.3f} to {one.skill_gain_high:+.3f})"
        parts.append(
            Text(f"  beside {one.against} by {one.by}, {one.settled_deals:,} deals settled, from {one.since}:")
        )
        parts.append(Text(f"    log loss gain {loss}; skill gain {skill}"))
    return [*parts, said, ""]


def pooling_sentence(facts: Facts, signal: bool) -> str:
    """Where deals are few: how much of the heads is not their own; empty where that is little."""
    shares = {"win": facts.pooled_win if signal else 0.0, "hours": facts.pooled_hours}
    told = [f"{share:.0%} of what the {head} head learns" for head, share in shares.items() if share >= TOLD_POOLING]
    said = f"Few deals, so heads pool: {' and '.join(told)} is what a regularised linear model says of the same deals."
    return said if told else ""


def _leaning(facts: Facts, signal: bool) -> list[RenderableType]:
    said = pooling_sentence(facts, signal)
    return [Text(said, style="yellow"), ""] if said else []


def _no_signal(model: Model) -> list[RenderableType]:
    said = "No signal: out of time no better than the base rate. It is published instead; each verdict is unsure."
    if model.undated:
        said = "No signal: on unlike deals no better than the base rate. It is published instead."
    return [] if model.signal else [Text(said, style="bold yellow"), ""]


def _undated_training(trained: Trained) -> list[RenderableType]:
    """A book without dates: the warning first."""
    facts = trained.model.facts
    went_in = (
        f"{facts.deals:,} deals without dates: {facts.won:,} won, {facts.lost:,} lost, {facts.open:,} "
        f"open; {facts.distinct:,} of the closed ones are no copy of another. {facts.features} attributes."
    )
    warning = (
        "Time-less: what was known when is not known. value_per_hour stays empty and every verdict is unsure; a column "
        "filled in after the outcome would look like skill. Judged on deals that no training deal is like."
    )
    parts: list[RenderableType] = [Text(went_in), Text(warning, style="bold yellow"), ""]
    for name, title in (("win", "All closed deals"), ("win_distinct", "Without copies")):
        parts += [_win_table(trained.tables[name], title, "prediction on unlike deals"), ""]
    return [*parts, *_no_signal(trained.model)]


def _dated_training(trained: Trained, facts: Facts) -> list[RenderableType]:
    parts: list[RenderableType] = [_went_in(facts), "", *_leaning(facts, trained.model.signal)]
    tables = trained.tables
    if tables:
        judged = f"{facts.out_of_time_calls:,} out-of-time calls, {facts.out_of_time_settled:,} of them settled since"
        parts += [_win_table(tables["win"]), Text(judged, style="dim"), _parts_of_brier(tables["win"]), ""]
        parts += [_age_table(tables["by_slice"]), _failing(tables["by_slice"]), ""]
        parts += [_ending_table(tables["by_ending"]), ""]
        if "no_decision" in tables:
            parts += [_win_table(tables["no_decision"], "If lost, for lack of a decision?"), ""]
        parts += [_totals_table(tables["hours"], tables.get("worth"), trained.model.facts.currency), ""]
        parts += [_skill_table(tables["skill"]), ""]
        parts += [_staleness_table(tables["staleness"]), ""] if "staleness" in tables else []
    parts += _no_signal(trained.model)
    return [*parts, _curve_table(trained.model.curve, trained.model.facts.currency), ""]


def _curve_table(curve: Curve, currency: str) -> RenderableType:
    if not curve.bars:
        return Text("No curve: too few settled deals to try a bar on. Set one by hand with --bar.")
    title = "What a bar frees and forgoes (an estimate)" if curve.estimated else "What a bar frees and forgoes"
    table = plain_table("value forgone", "bar per hour", "hours saved", "hours worked a week", title=title)
    for share in (0.01, 0.02, 0.05, 0.10, 0.20):
        bar = curve.bar_for_forgo(share)
        worked, saved, forgone = curve.at(bar)
        table.add_row(f"{forgone:.1%}", money(bar, currency), f"{saved:.0%}", f"{worked:,.0f}")
    return table
