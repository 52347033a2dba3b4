"""The results of a replay, as tables and as plain values: measures, curves, stop points, and limits of the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from walkaway.asof.labels import label
from walkaway.book import Book
from walkaway.config import ScoreSettings, Settings
from walkaway.economics import Curve
from walkaway.formatting import LocaleFormat
from walkaway.models import Model, bar_by_hand
from walkaway.replaying.measures import judged, measure, settled_curve, with_cohort
from walkaway.replaying.period import Period
from walkaway.replaying.stop_points import stop_points, stop_points_by

__all__ = ["Replayed", "measured"]


@dataclass(frozen=True)
class Replayed:
    """The results of a replay.

    ledger: every call, settled (`ledger.settle`). calls: the measured ones (`measures.judged`). measures: of
    `measures.measure`, empty if nothing can be measured. curve: hours saved and value lost by bar; teams: the same for
    each team. stop_points: of `stop_points.stop_points`, one row per deal that was ever below the bar. summary: all of
    it as plain values, as written to summary.json; its `notes` are sentences.
    """

    ledger: pd.DataFrame
    calls: pd.DataFrame
    measures: dict[str, Any]
    curve: Curve
    teams: dict[str, Curve]
    stop_points: pd.DataFrame
    summary: dict[str, Any]


def measured(
    ledger: pd.DataFrame,
    book: Book,
    period: Period,
    settings: Settings,
    models: Sequence[Model],
    asked: dict[str, Any],
) -> Replayed:
    """Measure a settled ledger.

    Args:
        ledger: of `ledger.settle`.
        book: with the outcomes.
        period: that was replayed.
        settings: of the dial and of the replay; the notes are written in its locale.
        models: that made the calls.
        asked: what was replayed; the summary begins with it.
    """
    fmt = book.wording(settings.report.locale)
    until = book.last_recorded_at() - pd.Timedelta(days=settings.replay.grace_days)
    calls, cohort = with_cohort(judged(ledger, until), book.deals, book.last_recorded_at())
    measurable = len(calls) > 0 and calls["settled"].any() and calls["won"].nunique() == 2
    measures = measure(calls, settings.replay.bootstrap, settings.train.no_decision_reasons) if measurable else {}
    curve, teams = _curves(calls, book, period.every_days) if measurable else (Curve((), (), (), ()), {})
    stops = stop_points(calls)
    settled = calls[["deal_id", "settled"]].drop_duplicates("deal_id")
    summary = asked | {
        "unit": fmt.unit,
        "records_work": book.records_work,
        "grace_days": settings.replay.grace_days,
        "calls": len(ledger),
        "judged_until": until.isoformat(),
        "judged_calls": len(calls),
        "deals": len(settled),
        "moments": calls["as_of"].nunique(),
        "unsettled_share": float(1 - settled["settled"].mean()) if len(settled) else None,
        "models": [model.version for model in models],
        "expected": _expected(ledger, models),
        "cohort": cohort.as_json() if cohort else None,
        "measures": measures,
        "curve": asdict(curve),
        "teams": {name: asdict(of_team) for name, of_team in teams.items()},
        "stop_points": stop_points_by(stops, book),
        "notes": [
            *_notes(ledger, calls, fmt),
            *_model_notes(models, settings.score, fmt),
            *_bar_notes(curve, settings.score, fmt),
        ],
    }
    return Replayed(ledger, calls, measures, curve, teams, stops, _plain(summary))


def _curves(calls: pd.DataFrame, book: Book, every_days: float) -> tuple[Curve, dict[str, Curve]]:
    """The curve of all deals, and of each team that the book names."""
    end = calls["as_of"].max() + pd.Timedelta(days=every_days)
    weeks = (end - calls["as_of"].min()) / pd.Timedelta(days=7)
    after = label(book, calls[["deal_id"]].assign(as_of=end))["remaining_hours"]
    team = calls["deal_id"].map(book.deals.set_index("deal_id")["team"])
    teams = {}
    for name in sorted(team.dropna().unique()):
        mine = (team == name).to_numpy()
        teams[str(name)] = settled_curve(calls[mine], after[mine], weeks)
    return settled_curve(calls, after, weeks), teams


def _notes(ledger: pd.DataFrame, calls: pd.DataFrame, fmt: LocaleFormat) -> list[str]:
    """Limits of the evidence, in sentences."""
    notes = []
    if calls.empty:
        notes.append("No call is early enough to be measured: all are in the last days of the book.")
    elif not calls["settled"].any():
        notes.append("No deal of the period has settled, so nothing can be measured yet.")
    elif calls["won"].nunique() < 2:
        outcome = calls["outcome"].dropna().iloc[0]
        notes.append(f"Every settled deal of the period was {outcome}, so good and bad calls look the same.")
    if late := len(ledger) - len(calls):
        of_all = f"{fmt.whole(late)} of {fmt.whole(len(ledger))} calls"
        notes.append(f"{of_all} are in the last days of the book and are not measured.")
    drops = int(ledger["first_drop"].sum())
    if drops in (0, ledger["deal_id"].nunique()):
        notes.append(f"The bar dropped {'every' if drops else 'no'} deal.")
    return notes


def _plain(value: Any) -> Any:
    """Tables as rows, numbers as plain numbers, and NaN or infinity as null."""
    if isinstance(value, pd.DataFrame):
        rows = value.reset_index().to_dict("records")
        return [_plain(row) for row in rows]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _expected(ledger: pd.DataFrame, models: Sequence[Model]) -> dict[str, float]:
    """What the models' own curves expected of their bars, averaged over calls. Models without signal expect nothing."""
    expected = []
    for model in models:
        calls = ledger[ledger["model_version"] == model.version]
        if model.signal and model.curve.bars:
            expected.append((len(calls), *model.curve.at(float(calls["bar"].iloc[0]))[1:]))
    if not expected:
        return {"hours_saved": float("nan"), "value_forgone": float("nan")}
    count, saved, lost = np.array(expected).T
    return {
        "hours_saved": float(np.average(saved, weights=count)),
        "value_forgone": float(np.average(lost, weights=count)),
    }


def _bar_notes(curve: Curve, dial: ScoreSettings, fmt: LocaleFormat) -> list[str]:
    """What a bar set by hand would have gained in the replay, if anything can be measured."""
    return [bar_by_hand(curve, dial.bar, fmt)] if curve.bars and dial.bar is not None else []


def _model_notes(models: Sequence[Model], dial: ScoreSettings, fmt: LocaleFormat) -> list[str]:
    """Models without signal or with too short a history, and guarantees that no bar meets, in sentences."""
    without_signal = sum(not model.signal for model in models)
    notes = []
    if without_signal:
        count = f"{fmt.whole(without_signal)} of {fmt.whole(len(models))}"
        notes.append(f"{count} models found no signal. All their verdicts are unsure.")
    if young := sum(model.facts.young_curve for model in models):
        count = f"{fmt.whole(young)} of {fmt.whole(len(models))}"
        notes.append(f"{count} models had a history too short to test a bar well, so their bars may lose more value.")
    if dial.guarantee:
        refused = {model.version: model.curve.refusal(dial.forgo, fmt) for model in models}
        notes += [f"Model {version}: {refusal}" for version, refusal in refused.items() if refusal]
    return notes
