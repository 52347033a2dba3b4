"""The model card, in Markdown: what a model is for, what it learned from, how good it is and where it fails.

After Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from textwrap import fill

import pandas as pd

from walkaway.evaluation import failures
from walkaway.formatting import LocaleFormat
from walkaway.models import Facts, caveats_of
from walkaway.report.age_advice import AGE_HEADERS, AGE_TITLE, age_rows, age_sentences
from walkaway.report.terminal.audit_tables import doubt_sentences
from walkaway.report.terminal.plain_table import interval
from walkaway.report.terminal.training_tables import (
    WHO,
    beaten_sentences,
    capacity_sentences,
    cohort_sentence,
    pooling_sentence,
    same_rankings,
)
from walkaway.training import Promotion, Trained

__all__ = ["NOT_INTENDED", "intended", "model_card"]

NOT_INTENDED = (
    "It must not decide alone: a person confirms before a deal is closed or a customer turned away.",
    "It must not score people. Who owns a deal is not a feature unless the settings say so, and the numbers compare "
    "deals, not sellers or buyers.",
    "It must not be used for deals of teams that it did not learn from, or when `walkaway check` says that the data "
    "has changed.",
    "It must not be used to justify work already done. It never counts.",
)


def intended(fmt: LocaleFormat) -> str:
    """What a model is for; of a book whose hours are not known, without hours.

    >>> intended(LocaleFormat(unit="deal"))[:64]
    'It tells a sales team what each open deal is expected to bring, '
    """
    of_hour = "an hour spent on an open deal from now on is worth"
    told = of_hour if fmt.by_hour else "each open deal is expected to bring"
    advice = "The verdict is advice with its reasons, and `unsure` is a valid answer."
    return fill(
        f"It tells a sales team what {told}, and which deals to walk away from. A person decides. {advice}", 120
    )


def _item(text: str) -> str:
    """An item of a Markdown list, wrapped at 120 characters."""
    return fill(text, 120, initial_indent="- ", subsequent_indent="  ")


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(headers)]
    lines += [["---"] + ["---:"] * (len(lines[0]) - 1), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _with_interval(row: pd.Series, name: str, digits: int, fmt: LocaleFormat) -> str:
    """A number with its 90% interval."""
    number = partial(fmt.number, digits=digits)
    return f"{number(row[name])} ({interval(row, name, number)})"


def _win(table: pd.DataFrame, fmt: LocaleFormat) -> str:
    rows = [
        (
            WHO[str(name)],
            fmt.number(row["auc"], 3),
            _with_interval(row, "log_loss", 4, fmt),
            _with_interval(row, "brier", 4, fmt),
        )
        for name, row in table.iterrows()
    ]
    return _table(("prediction by", "AUC", "log loss (90%)", "Brier score (90%)"), rows)


def _ages(table: pd.DataFrame, fmt: LocaleFormat) -> str:
    rows = [
        (
            str(value),
            fmt.whole(row["calls"]),
            fmt.percent(row["won"], 1),
            fmt.percent(row["predicted"], 1),
            _points(row, fmt),
        )
        for (dimension, value), row in table.iterrows()
        if dimension in ("all", "age")
    ]
    return _table(("age", "calls", "won", "predicted", "error, points (90%)"), rows)


def _points(row: pd.Series, fmt: LocaleFormat) -> str:
    """The error in percentage points, with its interval."""
    points = {name: 100 * row[name] for name in ("off", "off_low", "off_high")}
    signed = partial(fmt.signed, digits=1)
    return f"{signed(points['off'])} ({interval(points, 'off', signed)})"


def _skill(table: pd.DataFrame, fmt: LocaleFormat) -> str:
    rows = [
        (WHO.get(str(name), str(name)), _with_interval(row, "skill", 3, fmt))
        for name, row in table.iterrows()
        if name not in same_rankings(fmt)
    ]
    return _table(("ranking deals by", "walk-away skill (90%)"), rows)


def _totals(tables: dict[str, pd.DataFrame], fmt: LocaleFormat) -> str:
    rows = []
    if "hours" in tables:
        rows.append(("remaining hours", _with_interval(tables["hours"].loc[("all", "all")], "ratio", 2, fmt)))
    if "worth" in tables:
        rows.append(("value of wins", _with_interval(tables["worth"].loc["all"], "ratio", 2, fmt)))
    return _table(("predicted total over actual total", "ratio (90%)"), rows)


def _staleness(table: pd.DataFrame, fmt: LocaleFormat) -> str:
    rows = [
        (
            fmt.days(row["days_older"]),
            _with_interval(row, "log_loss_lost", 4, fmt),
            _with_interval(row, "skill_lost", 3, fmt),
        )
        for _, row in table.iterrows()
    ]
    return _table(("model older by", "rise in log loss (90%)", "loss of skill (90%)"), rows)


def _data(facts: Facts, signal: bool, fmt: LocaleFormat) -> str:
    """What the model learned from, as a Markdown list."""
    until = f" known until {fmt.moment(facts.until)} UTC" if facts.until else " without dates"
    outcomes = f"{fmt.whole(facts.won)} won, {fmt.whole(facts.lost)} lost, {fmt.whole(facts.open)} open"
    currency = f", money in {facts.currency}" if facts.currency else ""
    lines = [
        f"- {fmt.whole(facts.deals)} deals{until}: {outcomes}.",
        f"- Source: {facts.source}, fingerprint {facts.book}{currency}.",
    ]
    if facts.effort is None and facts.assumed_hours_share is not None:
        hours = ", ".join(f"{kind} {fmt.number(value)} h" for kind, value in sorted(facts.assumed_hours.items()))
        share = fmt.percent(facts.assumed_hours_share)
        lines.append(f"- {share} of the hours are assumed, not recorded ({hours}).")
    pooling = pooling_sentence(facts, signal, fmt) if facts.until else ""
    return "\n".join([*lines, *([f"- {pooling}"] if pooling else [])])


def _audit(trained: Trained, fmt: LocaleFormat) -> str:
    checked = f"Checked {fmt.whole(len(trained.audit.sources))} columns, fields, kinds and roles."
    suspects = trained.audit.suspects
    doubts = [_item(sentence) for sentence in doubt_sentences(trained.audit, fmt)]
    if suspects.empty:
        none = "None leaks the outcome, as far as it can be told." if doubts else "None leaks the outcome."
        return "\n".join([f"{checked} {none}", *(["", *doubts] if doubts else [])])
    rows = [f"- `{name}`: {row['verdict']} [{row['rules']}] {row['evidence']}." for name, row in suspects.iterrows()]
    return "\n".join([checked, "", *rows, *doubts])


def _failing_slices(tables: dict[str, pd.DataFrame], fmt: LocaleFormat) -> str:
    if "by_slice" not in tables:
        return "Not measured by slice."
    sentences = failures(tables["by_slice"], fmt)
    if not sentences:
        return "No slice (age, stage, segment) fails by more than chance."
    return "\n".join(f"- {sentence}." for sentence in sentences)


def _test_results(trained: Trained, fmt: LocaleFormat) -> list[tuple[str, str]]:
    """Title and text of each section with measures."""
    tables = trained.tables
    later = trained.model.tested_on == "later"
    win = "Win probability, tested on later deals" if later else "Win probability"
    sections = {
        "win": (win, _win),
        "by_slice": ("Calibration", _ages),
        "skill": ("Ranking", _skill),
        "staleness": ("Retraining less often", _staleness),
    }
    parts = [(title, write(tables[name], fmt)) for name, (title, write) in sections.items() if name in tables]
    if tables and not trained.model.undated:
        table = [parts.pop(0)[1]] if "win" in tables else []
        parts = [(win, "\n\n".join([*table, fill(cohort_sentence(trained.model.facts, fmt), 120)])), *parts]
    return [*parts, ("Hours and value", _totals(tables, fmt))] if tables.keys() & {"hours", "worth"} else parts


def model_card(trained: Trained, version: str, decision: Promotion, fmt: LocaleFormat) -> str:
    """The card of a training, in Markdown.

    Args:
        trained: the model with its tables and audit.
        version: of its bundle.
        decision: whether the model is used, and why.
        fmt: writes the numbers.
    """
    facts = trained.model.facts
    known_first = [
        *(caveat.sentence for caveat in caveats_of(trained.model, fmt)),
        *beaten_sentences(facts, fmt),
        *age_sentences(facts, fmt),
    ]
    better = f"It predicts better than the base rate on {trained.model.tested_on} deals."
    first = [f"**{sentence}**" for sentence in known_first] + ([better] if trained.model.signal else [])
    capacity = "\n".join(f"- {sentence}" for sentence in capacity_sentences(facts, fmt))
    parts = [
        (f"Model card: walkaway {version}", "\n\n".join(first)),
        ("Intended use", intended(fmt)),
        ("What it must not be used for", "\n".join(_item(limit) for limit in NOT_INTENDED)),
        ("What it learned from", _data(facts, trained.model.signal, fmt)),
        *([("Shape of the trees, chosen on deals that were held out", capacity)] if capacity else []),
        ("Leak audit", _audit(trained, fmt)),
        *_test_results(trained, fmt),
        *([(AGE_TITLE, _table(AGE_HEADERS, age_rows(facts, fmt)))] if facts.chance_by_age else []),
        ("Where it fails", _failing_slices(trained.tables, fmt)),
        ("Promotion", f"{'Promoted' if decision.promoted else 'Not promoted'}: {decision.reason}."),
    ]
    return "\n\n".join(f"{'#' if at == 0 else '##'} {title}\n\n{text}" for at, (title, text) in enumerate(parts)) + "\n"
