"""The model card: what a model is for and not for, what it was taught, how good it is and where it fails, in Markdown.

After Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill

import pandas as pd

from walkaway.evaluation import failures
from walkaway.models import Facts
from walkaway.report.terminal.training_tables import WHO, pooling_sentence
from walkaway.training import Promotion, Trained

__all__ = ["model_card"]

INTENDED = """\
It tells a sales team what an hour spent on an open deal from now on is worth, and which deals to walk away from. A
person decides: the verdict is advice with its reasons, and `unsure` is an answer."""
NOT_INTENDED = (
    "It must not decide alone: no deal is closed, no customer turned away without a person.",
    "It must not score people: who owns a deal is no feature unless the settings say so, and its figures compare "
    "deals, not sellers or buyers.",
    "It must not be used for other teams' deals than those it learned from, nor where `walkaway check` says that the "
    "world has changed.",
    "Hours already spent never count, and must not be argued with.",
)


def _item(text: str) -> str:
    """An item of a Markdown list, in lines that a terminal shows whole."""
    return fill(text, 120, initial_indent="- ", subsequent_indent="  ")


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(headers)]
    lines += [["---"] + ["---:"] * (len(lines[0]) - 1), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _between(row: pd.Series, name: str, places: int) -> str:
    return f"{row[name]:.{places}f} ({row[f'{name}_low']:.{places}f} to {row[f'{name}_high']:.{places}f})"


def _win(table: pd.DataFrame) -> str:
    rows = [
        (WHO[str(name)], f"{row['auc']:.3f}", _between(row, "log_loss", 4), _between(row, "brier", 4))
        for name, row in table.iterrows()
    ]
    return _table(("out of time", "AUC", "log loss (90%)", "Brier score (90%)"), rows)


def _slices(table: pd.DataFrame) -> str:
    rows = [
        (str(value), f"{row['calls']:,.0f}", f"{row['won']:.1%}", f"{row['predicted']:.1%}", _points(row))
        for (dimension, value), row in table.iterrows()
        if dimension in ("all", "age")
    ]
    return _table(("age", "calls", "won", "predicted", "off, points (90%)"), rows)


def _points(row: pd.Series) -> str:
    return f"{100 * row['off']:+.1f} ({100 * row['off_low']:+.1f} to {100 * row['off_high']:+.1f})"


def _skill(table: pd.DataFrame) -> str:
    rows = [(WHO.get(str(name), str(name)), _between(row, "skill", 3)) for name, row in table.iterrows()]
    return _table(("ranking deals by", "walk-away skill (90%)"), rows)


def _totals(tables: dict[str, pd.DataFrame]) -> str:
    rows = [("remaining hours", _between(tables["hours"].loc[("all", "all")], "ratio", 2))]
    if "worth" in tables:
        rows.append(("worth of wins", _between(tables["worth"].loc["all"], "ratio", 2)))
    return _table(("predicted over realised", "ratio (90%)"), rows)


def _staleness(table: pd.DataFrame) -> str:
    rows = [
        (f"{row['days_older']:,.0f} days", _between(row, "log_loss_lost", 4), _between(row, "skill_lost", 3))
        for _, row in table.iterrows()
    ]
    return _table(("older by", "log loss lost (90%)", "skill lost (90%)"), rows)


def _data(facts: Facts, signal: bool) -> str:
    window = f" known until {facts.until:%Y-%m-%dT%H:%M} UTC" if facts.until else " without dates"
    counts = f"{facts.deals:,} deals{window}: {facts.won:,} won, {facts.lost:,} lost, {facts.open:,} open"
    money = f", money in {facts.currency}" if facts.currency else ""
    lines = [f"- {counts}.", f"- Source: {facts.source}, fingerprint {facts.book}{money}."]
    if facts.assumed_hours_share is not None:
        hours = ", ".join(f"{kind} {value:g} h" for kind, value in sorted(facts.assumed_hours.items()))
        lines.append(f"- Share of hours assumed rather than recorded: {facts.assumed_hours_share:.0%} ({hours}).")
    if facts.until:
        said = pooling_sentence(facts, signal)
        lines += [f"- {said}"] if said else []
    return "\n".join(lines)


def _audit(trained: Trained) -> str:
    looked = f"{len(trained.audit.sources)} columns, fields, kinds and roles looked at"
    suspects = trained.audit.suspects
    if suspects.empty:
        return f"{looked}; none knows the end before it could."
    rows = [f"- `{name}`: {row['verdict']} [{row['rules']}] {row['evidence']}." for name, row in suspects.iterrows()]
    return "\n".join([f"{looked}.", "", *rows])


def _fails(tables: dict[str, pd.DataFrame]) -> str:
    if "by_slice" not in tables:
        return "Not judged by slice."
    said = failures(tables["by_slice"])
    if not said:
        return "No slice (age, stage, segment) fails beyond luck."
    return "\n".join(f"- {sentence}." for sentence in said)


def _judged(trained: Trained) -> list[tuple[str, str]]:
    tables = trained.tables
    makers = {"win": _win, "by_slice": _slices, "skill": _skill, "staleness": _staleness}
    titles = {
        "win": "Win probability",
        "by_slice": "Calibration",
        "skill": "Ranking",
        "staleness": "Retraining less often",
    }
    parts = [(titles[name], make(tables[name])) for name, make in makers.items() if name in tables]
    return [*parts, ("Hours and worth", _totals(tables))] if "hours" in tables else parts


def model_card(trained: Trained, version: str, decision: Promotion) -> str:
    """The card of a training, in Markdown.

    Args:
        trained: the model with its tables and audit.
        version: of its bundle.
        decision: whether the model was promoted, and why.
    """
    facts = trained.model.facts
    signal = (
        f"It predicts better than the base rate, {'on unlike deals' if trained.model.undated else 'out of time'}."
        if trained.model.signal
        else "**No signal**: it is no better than the base rate, which is published instead; every verdict is unsure."
    )
    parts = [
        (f"Model card: walkaway {version}", signal),
        ("Intended use", INTENDED),
        ("What it must not be used for", "\n".join(_item(limit) for limit in NOT_INTENDED)),
        ("What it learned from", _data(facts, trained.model.signal)),
        ("Leak audit", _audit(trained)),
        *_judged(trained),
        ("Where it fails", _fails(trained.tables)),
        ("Promotion", f"{'Promoted' if decision.promoted else 'Not promoted'}: {decision.reason}."),
    ]
    return "\n\n".join(f"{'#' if at == 0 else '##'} {title}\n\n{text}" for at, (title, text) in enumerate(parts)) + "\n"
