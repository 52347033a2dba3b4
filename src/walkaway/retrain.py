"""All of `walkaway train` and `rollback`: one lock, train, save the bundle, log to MLflow, move the pointer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from walkaway.bundle import champion_version, clear_unfinished, rollback, save_bundle, set_champion
from walkaway.config import Settings, TrainSettings
from walkaway.errors import UsageError
from walkaway.schema import Book
from walkaway.storage import exclusive, read_book
from walkaway.timeless import train_timeless
from walkaway.tracking import log_training, mirror_champion
from walkaway.train import Step, Trained, train

__all__ = ["Retrained", "retrain", "roll_back"]


@dataclass(frozen=True)
class Retrained:
    """A training that was kept: what it found, where its bundle lies, and which version is in use now."""

    trained: Trained
    folder: Path
    registered: str
    champion: str

    @property
    def promoted(self) -> bool:
        """Whether this model is the one in use."""
        return self.champion == self.folder.name


def _train(book: Book, until: pd.Timestamp | None, settings: TrainSettings, step: Step) -> Trained:
    if not book.manifest.timeless:
        return train(book, until or book.last_recorded_at(), settings, step)
    if until is not None:
        raise UsageError("--until: this book has no dates, so nothing can be left out by one. Leave --until out.")
    return train_timeless(book, settings, step)


def retrain(
    book: Path,
    models: Path,
    until: pd.Timestamp | None,
    settings: Settings,
    *,
    promote: bool = False,
    figures: Callable[[Trained], dict[str, Any]] = lambda trained: {},
    step: Step = lambda name, done, total: None,
) -> Retrained:
    """Train on a book and keep the model.

    Args:
        book: folder of the book.
        models: where bundles, the champion pointer and MLflow's SQLite store live.
        until: train on what was known by then; None for all the book knows. A book without dates takes None only.
        settings: of the project.
        promote: make the new model champion though there is one already; the first model always becomes champion.
        figures: draws what MLflow keeps.
        step: told how far it is.

    Raises:
        LockedError: another training runs on `models`.
        DataError: the book cannot be used.
    """
    with exclusive(models):
        current = None if promote else champion_version(models)  # a damaged pointer shows before the work, not after
        clear_unfinished(models)
        read = read_book(book).with_hours(settings.hours)
        trained = _train(read, until, settings.train, step)
        folder = save_bundle(trained.model, models)
        step("logging to MLflow", 0, 1)
        registered = log_training(
            trained.model, folder, trained.tables, figures(trained), models=models, uri=settings.tracking_uri
        )
        if current in (None, folder.name):
            set_champion(models, folder.name)
        champion = str(champion_version(models))
        mirror_champion(champion, models=models, uri=settings.tracking_uri)
    return Retrained(trained, folder, registered, champion)


def roll_back(models: Path, settings: Settings) -> tuple[str, str]:
    """Return to the champion before the one in use, and let MLflow's alias follow.

    Returns:
        The version that was in use, and the one that is now.

    Raises:
        LockedError: a training runs on `models`.
        UsageError: no champion is remembered.
        BundleError: the pointer or the bundle to return to is damaged.
    """
    with exclusive(models):
        was = str(champion_version(models))
        now = rollback(models)
        mirror_champion(now, models=models, uri=settings.tracking_uri)
    return was, now
