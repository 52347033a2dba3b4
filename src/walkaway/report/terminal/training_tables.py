"""What the terminal shows of a training: the data, how good the model is, and whether it is in use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from walkaway.economics import Curve
from walkaway.evaluation import failures
from walkaway.formatting import LocaleFormat
from walkaway.models import Facts, Model, caveats_of
from walkaway.report.age_advice import AGE_HEADERS, AGE_TITLE, age_rows, age_sentences
from walkaway.report.terminal.audit_tables import show_suspects
from walkaway.report.terminal.plain_table import interval, plain_table
from walkaway.training import NOT_LOGGED, Promotion, Retrained, Trained

__all__ = [
    "SAVED",
    "WHO",
    "beaten_sentences",
    "capacity_sentences",
    "cohort_sentence",
    "curve_table",
    "pooling_sentence",
    "same_rankings",
    "show_training",
]

NO_BAR = "No bar can be set, because the model cannot tell which deals will be won."
LEAST_POOLING = 0.1  # a head that pools less is not mentioned
HEADS = {"win": "Win head", "hours": "Hours head", "worth": "Value head", "no_decision": "No-decision head"}
SAVED = {"hour": "Hours saved", "deal": "Deals let go"}
WHO = {
    "win_probability": "this model",
    "crm_probability": "the CRM's own",
    "plain_lightgbm": "plain LightGBM",
    "logistic": "logistic regression",
    "naive_bayes": "naive Bayes, as in Odoo",
    "stage_rate": "win rate of the stage",
    "base_rate": "base rate",
    "value_per_hour": "value per hour",
    "expected_value": "expected value",
    "amount": "amount",
    "younger": "youngest first",
    "no_decision_if_lost": "this model",
    "no_decision_rate": "share of losses without a decision",
}


def _win_table(metrics: pd.DataFrame, title: str, fmt: LocaleFormat) -> Table:
    """How well the model and each baseline predict one outcome."""
    table = plain_table("prediction by", "AUC", "Brier", "90% interval", "log loss", title=title)
    three_digits, four_digits = partial(fmt.number, digits=3), partial(fmt.number, digits=4)
    for name, row in metrics.iterrows():
        brier = (four_digits(row["brier"]), interval(row, "brier", three_digits))
        table.add_row(WHO[str(name)], three_digits(row["auc"]), *brier, four_digits(row["log_loss"]))
    return table


def _brier_parts(metrics: pd.DataFrame, fmt: LocaleFormat) -> Text:
    """The Brier score of this model as the sum of its parts."""
    row = metrics.loc["win_probability"]
    names = ("miscalibration", "discrimination", "uncertainty")
    miscalibration, discrimination, uncertainty = (fmt.number(row[name], 4) for name in names)
    sentence = (
        f"Brier score of this model: {miscalibration} miscalibration - {discrimination} discrimination + "
        f"{uncertainty} uncertainty of the deals."
    )
    return Text(sentence, style="dim")


def same_rankings(fmt: LocaleFormat) -> tuple[str, ...]:
    """Rankings that are the same as another: where no hours are known, and where wins are counted.

    >>> same_rankings(LocaleFormat()), same_rankings(LocaleFormat(unit="deal"))
    ((), ('value_per_hour',))
    """
    hours = () if fmt.by_hour else ("value_per_hour",)
    return (*hours, "expected_value", "amount") if fmt.counts_wins else hours


def _skill_table(metrics: pd.DataFrame, fmt: LocaleFormat) -> Table:
    title = "Walk-away skill (0 random, 1 perfect foresight)"
    table = plain_table("ranking deals by", "skill", "90% interval", "up to 20%", title=title)
    three_digits = partial(fmt.number, digits=3)
    for name, row in metrics.iterrows():
        if name in same_rankings(fmt):
            continue
        ranking = "win probability" if name == "win_probability" else WHO[str(name)]
        skill = (three_digits(row["skill"]), interval(row, "skill", three_digits))
        table.add_row(ranking, *skill, three_digits(row["skill_up_to_0.2"]))
    return table


def _with_interval(row: pd.Series | dict[str, float], name: str, digits: int, fmt: LocaleFormat) -> str:
    """A signed number with its 90% interval."""
    signed = partial(fmt.signed, digits=digits)
    return f"{signed(row[name])} ({interval(row, name, signed)})"


def _chances_by_age(facts: Facts, fmt: LocaleFormat) -> list[RenderableType]:
    """The chance of deals by age, where age alone ranks as well as the model."""
    rows = age_rows(facts, fmt)
    if not rows:
        return []
    table = plain_table(*AGE_HEADERS, title=AGE_TITLE)
    for row in rows:
        table.add_row(*row)
    return [table, ""]


def _age_table(metrics: pd.DataFrame, fmt: LocaleFormat) -> Table:
    headers = ("age of the deal", "calls", "won", "predicted", "error, points (90%)", "Brier", "base rate")
    table = plain_table(*headers, title="By age")
    for (dimension, value), row in metrics.iterrows():
        if dimension in ("all", "age"):
            points = {name: 100 * row[name] for name in ("off", "off_low", "off_high")}
            shares = (fmt.percent(row["won"], 1), fmt.percent(row["predicted"], 1))
            scores = (fmt.number(row["brier"], 3), fmt.number(row["brier_base"], 3))
            error = _with_interval(points, "off", 1, fmt)
            table.add_row(str(value), fmt.whole(row["calls"]), *shares, error, *scores)
    return table


def _failing_slices(metrics: pd.DataFrame, fmt: LocaleFormat) -> RenderableType:
    """The slices where the model fails, by name."""
    sentences = failures(metrics, fmt)
    if not sentences:
        count = fmt.whole(len(metrics))
        return Text(f"None of the {count} slices (age, stage, segment) fails by more than chance.", style="dim")
    title = Text("Where the model fails:", style="bold yellow")
    return Group(title, *(Text(f"  {sentence}") for sentence in sentences))


def _totals_table(hours: pd.DataFrame | None, worth: pd.DataFrame | None, fmt: LocaleFormat) -> list[RenderableType]:
    """Predicted beside actual totals; nothing where neither hours nor amounts are recorded."""
    if hours is None and worth is None:
        return []
    headers = ("total", "calls", "ratio", "90% interval", "error per call", "of a simple guess")
    table = plain_table(*headers, title="Predicted totals over actual totals")
    two_digits = partial(fmt.number, digits=2)

    def add(total: str, row: pd.Series, in_hours: bool) -> None:
        errors = [row["error"], row["error_base"]]
        written = [f"{two_digits(error)} h" if in_hours else fmt.money(error) for error in errors]
        ratio = (two_digits(row["ratio"]), interval(row, "ratio", two_digits))
        table.add_row(total, fmt.whole(row["calls"]), *ratio, *written)

    if hours is not None:
        add("remaining hours", hours.loc[("all", "all")], in_hours=True)
    shown = pd.DataFrame() if worth is None else worth
    for value, row in (shown if len(shown) > 2 else shown.iloc[:1]).iterrows():
        add("value of wins" if value == "all" else f"  amount {value}", row, in_hours=False)
    return [table, ""]


def _staleness_table(metrics: pd.DataFrame, fmt: LocaleFormat) -> Table:
    headers = ("model older by", "calls", "rise in log loss (90%)", "loss of skill (90%)")
    table = plain_table(*headers, title="What retraining less often costs")
    for _, row in metrics.iterrows():
        losses = [_with_interval(row, name, digits, fmt) for name, digits in (("log_loss_lost", 4), ("skill_lost", 3))]
        table.add_row(fmt.days(row["days_older"]), fmt.whole(row["calls"]), *losses)
    return table


def _ending_table(metrics: pd.DataFrame, fmt: LocaleFormat) -> Table:
    hours = ["hours predicted / booked"] if "hours_ratio" in metrics else []
    table = plain_table("ending", "calls", "predicted to win", "Brier", *hours, title="By how the deal ended")
    for ending, row in metrics.iterrows():
        scores = [fmt.percent(row["predicted"], 1), fmt.number(row["brier"], 4)]
        scores += [fmt.number(row["hours_ratio"], 2)] if hours else []
        table.add_row(str(ending), fmt.whole(row["calls"]), *scores)
    return table


def _dropped_on_advice(count: int, fmt: LocaleFormat) -> str:
    if not count:
        return ""
    return f" {fmt.whole(count)} of the open deals were dropped on advice. How they would have ended is not known."


def _outcomes(facts: Facts, fmt: LocaleFormat) -> str:
    return f"{fmt.whole(facts.won)} won, {fmt.whole(facts.lost)} lost, {fmt.whole(facts.open)} open"


def _data(facts: Facts, fmt: LocaleFormat) -> Text:
    """What the model learned from."""
    until = "" if facts.until is None else f" known until {fmt.moment(facts.until)} UTC"
    assumed = f" {fmt.percent(facts.assumed_hours_share or 0.0)} of the hours are assumed, not recorded."
    events = f"{fmt.whole(facts.events)} events, " if facts.events else ""
    return Text(
        f"{fmt.whole(facts.deals)} deals{until}: {_outcomes(facts, fmt)}. "
        f"{events}{fmt.whole(facts.features)} features, {fmt.whole(facts.snapshots)} "
        f"snapshots ({fmt.percent(facts.open_snapshots_share)} of them from deals that are still open)."
        f"{assumed if fmt.by_hour else ''}{_dropped_on_advice(facts.dropped_on_advice, fmt)}"
    )


def show_training(done: Retrained, fmt: LocaleFormat) -> RenderableType:
    """The data, how good the model is beside simple baselines, what each bar does, and which model is in use.

    Args:
        done: a training, with the decision whether its model is used.
        fmt: writes the numbers, in the book's currency.
    """
    trained = done.trained
    tables = _timeless_training(trained, fmt) if trained.model.undated else _dated_training(trained, fmt)
    use = "in use (champion)" if done.promoted else f"saved, not in use. In use is {done.champion}"
    return Group(
        *tables,
        *_gate(done.decision, fmt),
        show_suspects(trained.audit, fmt),
        "",
        Text(f"Model {done.folder.name}, {_registered(done)}: {use}"),
        *([] if done.registered else [Text(NOT_LOGGED)]),
    )


def _registered(done: Retrained) -> str:
    return f"version {done.registered} in MLflow" if done.registered else "no version in MLflow"


def _gate(decision: Promotion, fmt: LocaleFormat) -> list[RenderableType]:
    """How the new model compares with the model in use, and whether it replaces it."""
    verdict = "Promoted" if decision.promoted else "Not promoted"
    sentence = Text(f"{verdict}: {decision.reason}.", style="bold")
    if not decision.comparisons:
        return [sentence, ""]
    parts: list[RenderableType] = [Text("The new model compared on the same deals (90%)", style="bold")]
    for comparison in decision.comparisons:
        gains, deals = vars(comparison), fmt.whole(comparison.settled_deals)
        since = fmt.date(pd.Timestamp(comparison.since))
        loss, skill = _with_interval(gains, "log_loss_gain", 4, fmt), _with_interval(gains, "skill_gain", 3, fmt)
        parts.append(Text(f"  with {comparison.against}, by {comparison.by}: {deals} settled deals from {since}"))
        parts.append(Text(f"    log loss gain {loss}; skill gain {skill}"))
    return [*parts, sentence, ""]


def beaten_sentences(facts: Facts, fmt: LocaleFormat) -> list[str]:
    """What predicts or ranks better than the model, beyond noise, on deals it had not seen."""
    deals = "later" if facts.until else "other"
    sentences = []
    for found in facts.beaten_by:
        digits = 4 if found["measure"] == "log loss" else 3
        lead = {name: -float(found[name]) for name in ("gain", "low", "high")}
        numbers = (fmt.number(lead[name], digits) for name in ("gain", "high", "low"))
        amount = "{} (90%: {} to {})".format(*numbers)
        does = "predicts better" if found["measure"] == "log loss" else "ranks deals better"
        better = "lower" if found["measure"] == "log loss" else "higher"
        who = WHO[str(found["by"])]
        who = f"{who[0].upper()}{who[1:]} {does} than this model on {deals} deals"
        sentences.append(f"{who}: its {found['measure']} is {better} by {amount}.")
    return sentences


def capacity_sentences(facts: Facts, fmt: LocaleFormat) -> list[str]:
    """For each head whose shape could be chosen: what was chosen, by what margin, and at what cost."""
    sentences = []
    for head, chosen in facts.capacity.items():
        if not chosen["losses"]:
            continue
        share = chosen["linear_share"]
        what = "a linear model" if share == 1 else f"outcomes mixed with {fmt.percent(share)} of a linear model"
        kind = f"{what}, learned by " if share else ""
        shape = f"{chosen['entry']}, {kind}{fmt.whole(chosen['trees'])} trees of {chosen['leaves']} leaves"
        gain, error = (fmt.number(chosen[name], 4) for name in ("margin", "error"))
        margin = f"its loss is lower than that of the usual shape by {gain} (standard error {error})"
        margin = "the usual shape was best" if chosen["entry"] == "usual" else margin
        deals, grown = fmt.whole(chosen["deals"]), fmt.whole(chosen["trees_grown"])
        sentences.append(f"{HEADS[head]}: {shape}. On {deals} held-out deals {margin}. The choice grew {grown} trees.")
    return sentences


def cohort_sentence(facts: Facts, fmt: LocaleFormat) -> str:
    """Which calls metrics of wins are of, and how many; or why there are no such metrics."""
    calls, settled = fmt.whole(facts.out_of_time_calls), fmt.whole(facts.out_of_time_settled)
    if facts.cohort is None:
        days = fmt.days(facts.mature_days or 0.0)
        return (
            f"AUC and Brier score cannot be told yet. Deals of this book need up to {days} to end, and too few won and "
            f"lost deals were called that long before its last day. Of {calls} out-of-time calls {settled} are on "
            "deals that have ended, mostly those that end quickly; figures of these alone would mislead."
        )
    cohort = facts.cohort
    share, days = fmt.percent(cohort["share"]), fmt.days(cohort["days"])
    deals, still_open = fmt.whole(cohort["deals"]), fmt.whole(cohort["still_open"])
    are = "is" if cohort["still_open"] == 1 else "are"
    ended = f"{still_open} of the {deals} deals called by then {are} still open and left out."
    made_by = fmt.date(pd.Timestamp(cohort["made_by"]))
    return (
        f"Measured on {fmt.whole(cohort['calls'])} of {calls} out-of-time calls: those made by {made_by}, early enough "
        f"for {share} of deals to end, which takes {days}. "
        f"{ended if cohort['still_open'] else f'All {deals} deals called by then have ended.'}"
    )


def pooling_sentence(facts: Facts, signal: bool, fmt: LocaleFormat) -> str:
    """With few deals: how much of each head comes from a linear model. Empty if that is little."""
    shares = {"win": facts.pooled_win if signal else 0.0, "hours": facts.pooled_hours if facts.unit == "hour" else 0.0}
    parts = [f"{fmt.percent(share)} of the {head} head" for head, share in shares.items() if share >= LEAST_POOLING]
    if not parts:
        return ""
    verb = "comes" if len(parts) == 1 else "come"
    return f"There are few deals, so {' and '.join(parts)} {verb} from a regularised linear model of the same deals."


def _pooling(facts: Facts, signal: bool, fmt: LocaleFormat) -> list[RenderableType]:
    sentence = pooling_sentence(facts, signal, fmt)
    return [Text(sentence, style="yellow"), ""] if sentence else []


def _beaten(facts: Facts, fmt: LocaleFormat) -> list[RenderableType]:
    """First of all: what is better than the model, and the rule that age alone amounts to."""
    sentences = [*beaten_sentences(facts, fmt), *age_sentences(facts, fmt)]
    return [Text(sentence, style="bold yellow") for sentence in sentences]


def _capacity(facts: Facts, fmt: LocaleFormat) -> list[RenderableType]:
    """The shapes of boosters that were chosen."""
    sentences = capacity_sentences(facts, fmt)
    if not sentences:
        return []
    title = Text("Shape of the trees, chosen on deals that were held out:", style="bold")
    return [title, *(Text(f"  {sentence}") for sentence in sentences), ""]


def _caveats(model: Model, fmt: LocaleFormat) -> list[RenderableType]:
    """First of all: what must be known before anyone acts on the model's calls."""
    return [line for caveat in caveats_of(model, fmt) for line in (Text(caveat.sentence, style="bold yellow"), "")]


def _timeless_training(trained: Trained, fmt: LocaleFormat) -> list[RenderableType]:
    """A training without dates: the warning first."""
    facts, by_creation = trained.model.facts, trained.model.facts.tested_by_creation
    of_closes = " of the close" if by_creation else ""
    tested = "were created later than all" if by_creation else "are unlike any"
    data = (
        f"{fmt.whole(facts.deals)} deals without dates{of_closes}: {_outcomes(facts, fmt)}. "
        f"{fmt.whole(facts.distinct or 0)} of the closed deals are not copies of others. "
        f"{fmt.whole(facts.features)} attributes. The test deals {tested} training deals."
    )
    first = [*_caveats(trained.model, fmt), *_beaten(facts, fmt)]
    parts: list[RenderableType] = [*first, Text(data), ""]
    parts += _capacity(facts, fmt)
    for name, title in (
        ("win", f"Win probability, {'deals created later' if by_creation else 'all closed deals'}"),
        ("win_distinct", "Without copies"),
    ):
        parts += [_win_table(trained.tables[name], title, fmt), ""]
    return parts


def _dated_training(trained: Trained, fmt: LocaleFormat) -> list[RenderableType]:
    model, tables = trained.model, trained.tables
    first = [*_caveats(model, fmt), *_beaten(model.facts, fmt)]
    parts: list[RenderableType] = [*first, _data(model.facts, fmt), ""]
    parts += [*_pooling(model.facts, model.signal, fmt), *_capacity(model.facts, fmt)]
    if tables:
        parts += _test_tables(tables, model.facts, fmt)
    return [*parts, _curve_table(model.curve, fmt) if model.signal else Text(NO_BAR), ""]


def _test_tables(tables: dict[str, pd.DataFrame], facts: Facts, fmt: LocaleFormat) -> list[RenderableType]:
    """How good the model is on deals after those it learned from."""
    parts: list[RenderableType] = []
    if "win" in tables:
        parts += _tables_of_wins(tables, facts, fmt)
    else:
        parts += [Text(cohort_sentence(facts, fmt), style="bold yellow"), ""]
    calls = fmt.whole(facts.out_of_time_calls)
    completed = f"Of all {calls} out-of-time calls; an open deal counts with what the model expects of it."
    parts += _totals_table(tables.get("hours"), tables.get("worth"), fmt)
    parts += [_skill_table(tables["skill"], fmt), Text(completed, style="dim"), "", *_chances_by_age(facts, fmt)]
    return parts + ([_staleness_table(tables["staleness"], fmt), ""] if "staleness" in tables else [])


def _tables_of_wins(tables: dict[str, pd.DataFrame], facts: Facts, fmt: LocaleFormat) -> list[RenderableType]:
    """How good the model is at telling which deals will be won, and which deals that was measured on."""
    win = _win_table(tables["win"], "Win probability, tested on later deals", fmt)
    parts: list[RenderableType] = [
        win,
        Text(cohort_sentence(facts, fmt), style="dim"),
        _brier_parts(tables["win"], fmt),
    ]
    parts += ["", _age_table(tables["by_slice"], fmt), _failing_slices(tables["by_slice"], fmt), ""]
    parts += [_ending_table(tables["by_ending"], fmt), ""]
    if "no_decision" in tables:
        parts += [_win_table(tables["no_decision"], "If lost: did nobody decide?", fmt), ""]
    return parts


def curve_table(curve: Curve, shares: Sequence[float], title: str, fmt: LocaleFormat) -> Table:
    """What the bar for each of these shares of lost value saves; hours a week only where hours are known."""
    worked_header = ["hours worked a week"] if fmt.by_hour else []
    bar_header = "bar, chance to win" if fmt.by_chance else f"bar per {fmt.unit}"
    headers = (fmt.lost, bar_header, SAVED[fmt.unit].lower(), *worked_header)
    table = plain_table(*headers, title=title)
    for share in shares:
        bar = curve.bar_for_forgo(share)
        worked, saved, lost = curve.at(bar)
        cells = (fmt.percent(lost, 1), fmt.worth(bar), fmt.percent(saved), fmt.whole(worked))
        table.add_row(*cells[: len(headers)])
    return table


def _curve_table(curve: Curve, fmt: LocaleFormat) -> RenderableType:
    if not curve.bars:
        return Text("No curve: too few settled deals to test a bar on. Set a bar by hand with --bar.")
    title = f"{SAVED[fmt.unit]} and {fmt.lost} by a bar{' (an estimate)' if curve.estimated else ''}"
    return curve_table(curve, (0.01, 0.02, 0.05, 0.10, 0.20), title, fmt)
