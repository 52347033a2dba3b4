"""All of a replay: train, call and freeze, stretch by stretch; then settle, measure, and write ledger and summary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from walkaway import __version__
from walkaway.bundle import VERSION, load_bundle, save_bundle
from walkaway.calls import Model
from walkaway.config import ScoreSettings, Settings
from walkaway.economics import Curve
from walkaway.errors import DataError, UsageError
from walkaway.folds import Step, no_step
from walkaway.history import History
from walkaway.labels import label
from walkaway.replay.exits import exits, exits_by
from walkaway.replay.ledger import frozen_calls, settle
from walkaway.replay.measures import judged, measure, settled_curve
from walkaway.replay.plan import Period, Stretch
from walkaway.schema import Book
from walkaway.snapshots import open_snapshots
from walkaway.storage import clear_leftovers, exclusive, json_bytes, write_frame, write_json
from walkaway.train import train

__all__ = ["LEDGER", "SUMMARY", "Replayed", "replay"]

ASKED, LEDGER, SUMMARY, EXITS = "replay.json", "ledger.parquet", "summary.json", "exits.csv"
PARTS, MODELS = "calls", "models"
OURS = re.compile(rf"{VERSION.pattern}|\d{{4}}\.parquet|{'|'.join(map(re.escape, (ASKED, LEDGER, SUMMARY, EXITS)))}")
ANOTHER = "Name another --out, or remove that folder."


@dataclass(frozen=True)
class Replayed:
    """What a replay found.

    ledger: every call, settled (`replay.ledger`). calls: those that are judged. measures: of `replay.measures`, empty
    where nothing can be judged. curve: bar -> what it would have freed and forgone; teams: the same for each team.
    exits: of `replay.exits`, one row a deal that fell below the bar for good.
    summary: all of it in plain numbers, as summary.json holds it; its `notes` are sentences.
    """

    ledger: pd.DataFrame
    calls: pd.DataFrame
    measures: dict[str, Any]
    curve: Curve
    teams: dict[str, Curve]
    exits: pd.DataFrame
    summary: dict[str, Any]


def _check(book: Book, period: Period) -> None:
    if book.manifest.timeless:
        raise DataError("this book has no dates, so there is no past to replay.")
    first, newest = book.deals["created_at"].min(), book.last_recorded_at()
    if period.begin < first:
        raise UsageError(
            f"--from {period.begin:%Y-%m-%dT%H:%M}Z lies before the first deal was created ({first:%Y-%m-%dT%H:%M}Z). "
            "Use a later one."
        )
    if period.end > newest:
        raise UsageError(
            f"--to {period.end:%Y-%m-%dT%H:%M}Z lies after the newest record of the book ({newest:%Y-%m-%dT%H:%M}Z). "
            "Use an earlier one."
        )


def _claim(out: Path, asked: dict[str, Any]) -> None:
    """Note what was asked for; a folder that holds another replay is refused, so that two never mix."""
    path, data = out / ASKED, json_bytes(asked)
    begun = any((out / PARTS).iterdir())
    if begun and (not path.is_file() or path.read_bytes() != data):
        raise UsageError(f"{out} holds a replay of another book, period or settings (see {path}). {ANOTHER}")
    write_json(path, asked)


def _asked(book: Book, period: Period, settings: Settings) -> dict[str, Any]:
    """What shapes the calls; how they are measured does not."""
    manifest = book.manifest.model_dump(mode="json")
    return {
        "version": __version__,
        "book": book.manifest.fingerprint,
        "manifest": sha256(json_bytes(manifest)).hexdigest(),
        "source": book.manifest.source,
        "currency": book.manifest.currency or "",
        "period": period.as_json(),
        "score": settings.score.model_dump(mode="json", exclude={"reasons"}),
        "train": settings.train.model_dump(mode="json", exclude={"heads": {"threads"}}),
    }


def _trained(book: Book, stretch: Stretch, out: Path, settings: Settings) -> Model:
    """The model of a stretch, trained on what was known at its first moment, and kept."""
    try:
        model = train(book, stretch.trained_at, settings.train).model
    except DataError as error:
        raise DataError(
            f"no model can be trained as of {stretch.trained_at:%Y-%m-%dT%H:%M}Z, so nothing can be replayed from "
            f"then on (--until is --from here): {error}"
        ) from error
    return load_bundle(save_bundle(model, out / MODELS))


def _made(path: Path, out: Path) -> bool:
    """Whether the calls of a stretch are there, and the model that made them."""
    if not path.is_file():
        return False
    return all((out / MODELS / version).is_dir() for version in pd.read_parquet(path)["model_version"].unique())


def _parts(book: Book, period: Period, out: Path, settings: Settings, step: Step) -> Iterator[pd.DataFrame]:
    """The frozen calls of each stretch; those that are there already are read, not made again."""
    history, stretches = History(book), period.stretches()
    for number, stretch in enumerate(stretches):
        step(f"replaying, models trained as of {stretch.trained_at:%Y-%m-%d}", number, len(stretches))
        path = out / PARTS / f"{number:04d}.parquet"
        if not _made(path, out):
            model = _trained(book, stretch, out, settings)
            bar = model.curve.bar_of(**settings.score.dial())
            snapshots = open_snapshots(book, stretch.at)
            write_frame(frozen_calls(history, model, snapshots, bar), str(path))
        yield pd.read_parquet(path)


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
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "bars": list(curve.bars),
        "hours_per_week": list(curve.hours_per_week),
        "hours_saved": list(curve.hours_saved),
        "value_forgone": list(curve.value_forgone),
    }


def _expected(ledger: pd.DataFrame, out: Path) -> dict[str, float]:
    """What the models' own curves expected of their bars, in the mean over calls; without signal they expect nothing."""
    told = []
    for (version, bar), calls in ledger.groupby(["model_version", "bar"]):
        model = load_bundle(out / MODELS / str(version))
        if model.signal and model.curve.bars:
            told.append((len(calls), *model.curve.at(float(bar))[1:]))
    if not told:
        return {"hours_saved": float("nan"), "value_forgone": float("nan")}
    count, saved, forgone = np.array(told).T
    return {
        "hours_saved": float(np.average(saved, weights=count)),
        "value_forgone": float(np.average(forgone, weights=count)),
    }


def _model_notes(ledger: pd.DataFrame, out: Path, dial: ScoreSettings) -> list[str]:
    """What the models could not do, in sentences."""
    models = [load_bundle(out / MODELS / str(version)) for version in sorted(ledger["model_version"].unique())]
    silent = sum(not model.signal for model in models)
    notes = []
    if silent:
        notes.append(f"{silent} of {len(models)} models saw no signal; of what they call every verdict is unsure.")
    if dial.guarantee:
        refused = {model.version: model.curve.refusal(dial.forgo) for model in models}
        notes += [f"Model {version}: {told}" for version, told in refused.items() if told]
    return notes


def replay(book: Book, out: Path, period: Period, settings: Settings, step: Step = no_step) -> Replayed:
    """Replay a period of a book, and write what it proves: OUT/ledger.parquet, OUT/exits.csv and
    OUT/summary.json.

    Models (OUT/models) and the calls of each stretch (OUT/calls) stay there, so that a replay that was killed, or is
    asked for again, makes only what is missing.

    Args:
        book: any book with dates.
        out: a folder of this replay's own.
        period: what to replay.
        settings: of training, of the dial (`score`), and of the replay.
        step: told how far it is.

    Raises:
        UsageError: the period ends after the newest record, no deal is open in it, or the folder holds another replay.
        DataError: the book has no dates, or nothing to learn from at the beginning of the period.
        LockedError: another run writes to the folder.
    """
    _check(book, period)
    with exclusive(out):
        for folder in (out, out / PARTS, out / MODELS):
            folder.mkdir(exist_ok=True)
            clear_leftovers(folder, OURS)
        _claim(out, _asked(book, period, settings))
        parts = [part for part in _parts(book, period, out, settings, step) if len(part)]
        if not parts:
            raise UsageError(
                f"no deal is open from {period.begin:%Y-%m-%d} to {period.end:%Y-%m-%d}. Use another period."
            )
        step("settling", 0, 1)
        ledger = settle(pd.concat(parts, ignore_index=True), book)
        replayed = _measured(ledger, book, period, settings, out)
        write_frame(ledger, str(out / LEDGER))
        write_frame(replayed.exits, str(out / EXITS))
        write_json(out / SUMMARY, replayed.summary)
    return replayed


def _measured(ledger: pd.DataFrame, book: Book, period: Period, settings: Settings, out: Path) -> Replayed:
    until = book.last_recorded_at() - pd.Timedelta(days=settings.replay.grace_days)
    calls = judged(ledger, until)
    provable = len(calls) > 0 and calls["settled"].any() and calls["won"].nunique() == 2
    measures = measure(calls, settings.replay.bootstrap) if provable else {}
    curve, teams = _curves(calls, book, period.every_days) if provable else (Curve((), (), (), ()), {})
    found = exits(calls)
    settled = calls[["deal_id", "settled"]].drop_duplicates("deal_id")
    summary = _asked(book, period, settings) | {
        "grace_days": settings.replay.grace_days,
        "calls": len(ledger),
        "judged_until": until.isoformat(),
        "judged_calls": len(calls),
        "deals": len(settled),
        "moments": calls["as_of"].nunique(),
        "unsettled_share": float(1 - settled["settled"].mean()) if len(settled) else None,
        "models": sorted(ledger["model_version"].unique()),
        "expected": _expected(ledger, out),
        "measures": measures,
        "curve": _curve(curve),
        "teams": {name: _curve(one) for name, one in teams.items()},
        "exits": exits_by(found, book),
        "notes": [*_notes(ledger, calls), *_model_notes(ledger, out, settings.score)],
    }
    return Replayed(ledger, calls, measures, curve, teams, found, _plain(summary))
