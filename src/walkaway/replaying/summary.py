"""What a replay found, in tables and in plain numbers: measures, curves, stop_points, and what limits the proof."""

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
from walkaway.models import Model
from walkaway.replaying.measures import judged, measure, settled_curve
from walkaway.replaying.period import Period
from walkaway.replaying.stop_points import stop_points, stop_points_by

__all__ = ["Replayed", "measured"]


@dataclass(frozen=True)
class Replayed:
    """What a replay found.

    ledger: every call, settled (`replay.ledger`). calls: those that are judged. measures: of `replay.measures`, empty
    where nothing can be judged. curve: bar -> what it would have freed and forgone; teams: the same for each team.
    stop_points: of `replay.stop_points`, one row a deal that fell below the bar for good.
    summary: all of it in plain numbers, as summary.json holds it; its `notes` are sentences.
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
    """All that a settled ledger tells.

    Args:
        ledger: of `ledger.settle`.
        book: the one it was settled by.
        period: that was replayed.
        settings: of the dial and the replay.
        models: those that made the calls.
        asked: what the summary begins with.
    """
    until = book.last_recorded_at() - pd.Timedelta(days=settings.replay.grace_days)
    calls = judged(ledger, until)
    provable = len(calls) > 0 and calls["settled"].any() and calls["won"].nunique() == 2
    measures = measure(calls, settings.replay.bootstrap, settings.train.no_decision_reasons) if provable else {}
    curve, teams = _curves(calls, book, period.every_days) if provable else (Curve((), (), (), ()), {})
    found = stop_points(calls)
    settled = calls[["deal_id", "settled"]].drop_duplicates("deal_id")
    summary = asked | {
        "grace_days": settings.replay.grace_days,
        "calls": len(ledger),
        "judged_until": until.isoformat(),
        "judged_calls": len(calls),
        "deals": len(settled),
        "moments": calls["as_of"].nunique(),
        "unsettled_share": float(1 - settled["settled"].mean()) if len(settled) else None,
        "models": [model.version for model in models],
        "expected": _expected(ledger, models),
        "measures": measures,
        "curve": asdict(curve),
        "teams": {name: asdict(one) for name, one in teams.items()},
        "stop_points": stop_points_by(found, book),
        "notes": [*_notes(ledger, calls), *_model_notes(models, settings.score)],
    }
    return Replayed(ledger, calls, measures, curve, teams, found, _plain(summary))


def _curves(calls: pd.DataFrame, book: Book, every_days: float) -> tuple[Curve, dict[str, Curve]]:
    """The curve of all deals, and of each team where the book says whose deals are whose."""
    end = calls["as_of"].max() + pd.Timedelta(days=every_days)
    weeks = (end - calls["as_of"].min()) / pd.Timedelta(days=7)
    after = label(book, calls[["deal_id"]].assign(as_of=end))["remaining_hours"]
    team = calls["deal_id"].map(book.deals.set_index("deal_id")["team"])
    teams = {}
    for name in sorted(team.dropna().unique()):
        mine = (team == name).to_numpy()
        teams[str(name)] = settled_curve(calls[mine], after[mine], weeks)
    return settled_curve(calls, after, weeks), teams


def _notes(ledger: pd.DataFrame, calls: pd.DataFrame) -> list[str]:
    """What limits the proof, in sentences."""
    notes = []
    if calls.empty:
        notes.append("No call lies early enough to be judged: all are in the last days of the book.")
    elif not calls["settled"].any():
        notes.append("No deal of the period has settled, so nothing can be measured yet.")
    elif calls["won"].nunique() < 2:
        one = calls["outcome"].dropna().iloc[0]
        notes.append(f"Every settled deal of the period was {one}, so nothing tells good calls from bad.")
    if late := len(ledger) - len(calls):
        notes.append(f"{late:,} of {len(ledger):,} calls lie in the last days of the book and are not judged.")
    drops = int(ledger["first_drop"].sum())
    if drops in (0, ledger["deal_id"].nunique()):
        notes.append(f"The bar dropped {'every' if drops else 'no'} deal.")
    return notes


def _plain(value: Any) -> Any:
    """Tables as rows, numbers as JSON has them; what is no number is null."""
    if isinstance(value, pd.DataFrame):
        rows = value.reset_index().to_dict("records")
        return [_plain(row) for row in rows]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _expected(ledger: pd.DataFrame, models: Sequence[Model]) -> dict[str, float]:
    """What the models' own curves expected of their bars, in the mean over calls; without signal nothing."""
    told = []
    for model in models:
        calls = ledger[ledger["model_version"] == model.version]
        if model.signal and model.curve.bars:
            told.append((len(calls), *model.curve.at(float(calls["bar"].iloc[0]))[1:]))
    if not told:
        return {"hours_saved": float("nan"), "value_forgone": float("nan")}
    count, saved, forgone = np.array(told).T
    return {
        "hours_saved": float(np.average(saved, weights=count)),
        "value_forgone": float(np.average(forgone, weights=count)),
    }


def _model_notes(models: Sequence[Model], dial: ScoreSettings) -> list[str]:
    """What the models could not do, in sentences."""
    silent = sum(not model.signal for model in models)
    notes = []
    if silent:
        notes.append(f"{silent} of {len(models)} models saw no signal; of what they call every verdict is unsure.")
    if dial.guarantee:
        refused = {model.version: model.curve.refusal(dial.forgo) for model in models}
        notes += [f"Model {version}: {told}" for version, told in refused.items() if told]
    return notes
