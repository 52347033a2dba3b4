"""A whole replay: for each stretch, train, call and freeze; then settle, measure, and write ledger and summary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from walkaway import __version__
from walkaway.asof import History, open_snapshots
from walkaway.book import Book
from walkaway.config import Settings
from walkaway.errors import DataError, UsageError
from walkaway.files import clear_leftovers, exclusive, json_bytes, write_frame, write_json
from walkaway.models import VERSION, Model, load_bundle, save_bundle
from walkaway.replaying.ledger import LEDGER, frozen_calls, settle
from walkaway.replaying.period import Period, Stretch
from walkaway.replaying.summary import Replayed, measured
from walkaway.training import Step, no_step, train_to_call

__all__ = ["LEDGER", "SUMMARY", "Replayed", "replay"]

ASKED, SUMMARY, STOP_POINTS = "replay.json", "summary.json", "stop_points.csv"
PARTS, MODELS = "calls", "models"
OUR_FILES = re.compile(
    rf"{VERSION.pattern}|\d{{4}}\.parquet|{'|'.join(map(re.escape, (ASKED, LEDGER, SUMMARY, STOP_POINTS)))}"
)
ANOTHER = "Name another --out, or remove that folder."


def _check(book: Book, period: Period) -> None:
    if book.manifest.timeless:
        raise DataError("this book has no dates, so there is no past to replay.")
    first, newest = book.deals["created_at"].min(), book.last_recorded_at()
    if period.begin < first:
        raise UsageError(
            f"--from {period.begin:%Y-%m-%dT%H:%M}Z is before the first deal was created ({first:%Y-%m-%dT%H:%M}Z). "
            "Use a later one."
        )
    if period.end > newest:
        raise UsageError(
            f"--to {period.end:%Y-%m-%dT%H:%M}Z is after the newest record of the book ({newest:%Y-%m-%dT%H:%M}Z). "
            "Use an earlier one."
        )


def _claim(out: Path, asked: dict[str, Any]) -> None:
    """Write down what was asked for, and refuse a folder that holds another replay, so that two never mix."""
    path, data = out / ASKED, json_bytes(asked)
    begun = any((out / PARTS).iterdir())
    if begun and (not path.is_file() or path.read_bytes() != data):
        raise UsageError(f"{out} holds a replay of another book, period or settings (see {path}). {ANOTHER}")
    write_json(path, asked)


def _asked(book: Book, period: Period, settings: Settings) -> dict[str, Any]:
    """Everything that decides the calls; not how they are measured."""
    manifest = book.manifest.model_dump(mode="json")
    return {
        "version": __version__,
        "book": book.manifest.fingerprint,
        "manifest": sha256(json_bytes(manifest)).hexdigest(),
        "source": book.manifest.source,
        "currency": book.manifest.currency or "",
        "period": period.as_json(),
        "score": settings.score.dial(),
        "train": settings.train.model_dump(mode="json", exclude={"heads": {"threads"}}),
    }


def _trained(book: Book, stretch: Stretch, out: Path, settings: Settings) -> Model:
    """The model of a stretch, trained on what was known at its first moment, and saved."""
    try:
        model = train_to_call(book, stretch.trained_at, settings.train)
    except DataError as error:
        raise DataError(
            f"no model can be trained as of {stretch.trained_at:%Y-%m-%dT%H:%M}Z, so nothing can be replayed from "
            f"then on (here, --until means --from): {error}"
        ) from error
    return load_bundle(save_bundle(model, out / MODELS))


def _saved_calls(path: Path, out: Path) -> pd.DataFrame | None:
    """The calls of a stretch, if they and the model that made them were saved."""
    if not path.is_file():
        return None
    calls = pd.read_parquet(path)
    return calls if all((out / MODELS / version).is_dir() for version in calls["model_version"].unique()) else None


def _parts(book: Book, period: Period, out: Path, settings: Settings, step: Step) -> Iterator[pd.DataFrame]:
    """The frozen calls of each stretch; saved ones are read, not made again."""
    history, stretches = History(book), period.stretches()
    for number, stretch in enumerate(stretches):
        step(f"replaying, models trained as of {stretch.trained_at:%Y-%m-%d}", number, len(stretches))
        path = out / PARTS / f"{number:04d}.parquet"
        calls = _saved_calls(path, out)
        if calls is None:
            model = _trained(book, stretch, out, settings)
            bar = model.curve.bar_of(**settings.score.dial())
            write_frame(frozen_calls(history, model, open_snapshots(book, stretch.at), bar), str(path))
            calls = pd.read_parquet(path)  # with the types that a resumed replay reads
        yield calls


def replay(book: Book, out: Path, period: Period, settings: Settings, step: Step = no_step) -> Replayed:
    """Replay a period of a book, and write the results: ledger.parquet, stop_points.csv and summary.json.

    Models (models/) and the calls of each stretch (calls/) are kept. A replay that was killed, or is run again, makes
    only what is missing.

    Args:
        book: any book with dates.
        out: folder of the results, used by this replay alone.
        period: what to replay.
        settings: of training, of the dial (`score`), and of the replay.
        step: receives the progress.

    Raises:
        UsageError: the period ends after the newest record, no deal is open in it, or the folder holds another replay.
        DataError: the book has no dates, or no model can be trained at the beginning of the period.
        LockedError: another run writes to the folder.
    """
    _check(book, period)
    own = {"calls_every_days": period.every_days, "remembered_snapshots": 0}  # its models are not used for explanations
    settings = settings.model_copy(update={"train": settings.train.model_copy(update=own)})
    with exclusive(out):
        for folder in (out, out / PARTS, out / MODELS):
            folder.mkdir(exist_ok=True)
            clear_leftovers(folder, OUR_FILES)
        asked = _asked(book, period, settings)
        _claim(out, asked)
        parts = [part for part in _parts(book, period, out, settings, step) if len(part)]
        if not parts:
            raise UsageError(
                f"no deal is open from {period.begin:%Y-%m-%d} to {period.end:%Y-%m-%d}. Use another period."
            )
        step("adding outcomes and measuring", 0, 1)
        ledger = settle(pd.concat(parts, ignore_index=True), book)
        models = [load_bundle(out / MODELS / version) for version in ledger["model_version"].unique()]
        models.sort(key=lambda model: model.known_until)
        replayed = measured(ledger, book, period, settings, models, asked)
        write_frame(ledger, str(out / LEDGER))
        write_frame(replayed.stop_points, str(out / STOP_POINTS))
        write_json(out / SUMMARY, replayed.summary)
    return replayed
