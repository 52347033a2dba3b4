"""All of `walkaway train` and `rollback`: lock, train, save, decide on promotion, log to MLflow, move the pointer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from walkaway.asof import known
from walkaway.book import Book
from walkaway.config import Settings, TrainSettings
from walkaway.errors import UsageError
from walkaway.files import exclusive
from walkaway.models import (
    champion_version,
    clear_unfinished,
    load_champion,
    load_champions,
    record_decision,
    rollback,
    save_bundle,
    save_card,
    set_champion,
)
from walkaway.scoring import read_advice, with_advice
from walkaway.training.backtest import Step, no_step
from walkaway.training.mlflow_log import can_log, log_training, mirror_champion
from walkaway.training.promotion import Promotion, decide_promotion, promoted_without_comparison
from walkaway.training.train import Trained, train
from walkaway.training.undated import train_undated

__all__ = ["Retrained", "retrain", "roll_back"]


@dataclass(frozen=True)
class Retrained:
    """A saved training: its result, its bundle's folder, whether it was promoted and why, and the version in use now.

    `registered` is its version in MLflow, None where MLflow is not installed.
    """

    trained: Trained
    folder: Path
    registered: str | None
    champion: str
    decision: Promotion

    @property
    def promoted(self) -> bool:
        """Whether this model is the one in use."""
        return self.champion == self.folder.name


def _train(book: Book, until: pd.Timestamp | None, train_settings: TrainSettings, step: Step) -> Trained:
    if until is None:
        return train_undated(book, train_settings, step)
    return train(book, until, train_settings, step)


def _texts(trained: Trained, decision: Promotion, card: str) -> dict[str, str]:
    """What MLflow stores besides metrics and figures, by file name."""
    audit = trained.audit
    return {
        "model_card.md": card,
        "audit/sources.csv": audit.sources.to_csv(),
        "audit/features.csv": audit.features.to_csv(),
        "decision.json": json.dumps(decision.as_json(), indent=1),
    }


def _decide(
    book: Book, until: pd.Timestamp | None, trained: Trained, folder: Path, train_settings: TrainSettings, step: Step
) -> Promotion:
    """Whether the new model is promoted: the first one is; one without dates cannot be compared in time."""
    champions = load_champions(folder.parent)
    if not champions:
        return promoted_without_comparison("the first model")
    if champions[0].version == folder.name:
        return promoted_without_comparison("it is the same, byte for byte, as the model in use")
    if until is None:
        return Promotion(
            False, "without dates nobody can tell which deals the model in use has not seen, so nothing is compared"
        )
    return decide_promotion(book, until, trained, champions, train_settings, step)


def _advised(book: Book, until: pd.Timestamp | None, advice: Path | None) -> Book:
    """The book as known at the moment of training, with deals that were dropped on advice marked."""
    if advice is None:
        return book
    if until is None:
        raise UsageError(
            "--advice: this book has no dates, so what came after the advice is unknown. Leave --advice out."
        )
    return with_advice(known(book, until), read_advice(advice))


def retrain(
    book: Book,
    models: Path,
    until: pd.Timestamp | None,
    settings: Settings,
    *,
    promote: bool = False,
    advice: Path | None = None,
    figures: Callable[[Trained], dict[str, Any]] = lambda trained: {},
    card: Callable[[Trained, str, Promotion], str] = lambda trained, version, decision: "",
    step: Step = no_step,
) -> Retrained:
    """Train on a book, keep the model, and use it if it is better than the one in use.

    Args:
        book: with the hours that are set.
        models: where bundles, the champion pointer and MLflow's SQLite store live.
        until: train on what was known by then (UTC); None for a book without dates.
        settings: of the project.
        promote: make the new model champion without a comparison; the first model always becomes champion.
        advice: what batch advised (its advice.csv): deals dropped on this advice are not counted as losses
            (`walkaway.scoring.advice`).
        figures: makes the figures that MLflow keeps, by file name.
        card: writes the model card, kept in MLflow and in MODELS/cards.
        step: called with the progress.

    Raises:
        LockedError: another training runs on `models`.
        UsageError: a tracking URI is set, and MLflow is not installed.
        DataError: the book cannot be used, or the champion is damaged (and `promote` is off).
    """
    logged = can_log(settings.tracking_uri)
    with exclusive(models):
        if not promote and champion_version(models):
            load_champion(models)  # a damaged one is refused before the work begins
        clear_unfinished(models)
        known_book = _advised(book, until, advice)
        trained = _train(known_book, until, settings.train, step)
        folder = save_bundle(trained.model, models)
        decision = promoted_without_comparison("a person asked for it (--promote)")
        if not promote:
            decision = _decide(known_book, until, trained, folder, settings.train, step)
        card_text = card(trained, folder.name, decision)
        registered = None
        if logged:
            step("logging to MLflow", 0, 1)
            registered = log_training(
                trained.model,
                folder,
                trained.tables,
                figures(trained),
                models=models,
                uri=settings.tracking_uri,
                texts=_texts(trained, decision, card_text),
                tags={"promoted": str(decision.promoted), "decision": decision.reason},
            )
        if card_text:
            save_card(models, folder.name, card_text)
        now = pd.Timestamp.now("UTC").isoformat(timespec="seconds")
        record_decision(models, {"decided_at": now, "version": folder.name} | decision.as_json())
        if decision.promoted:
            set_champion(models, folder.name)
        champion = str(champion_version(models))
        mirror_champion(champion, models=models, uri=settings.tracking_uri)
    return Retrained(trained, folder, registered, champion, decision)


def roll_back(models: Path, settings: Settings) -> tuple[str, str]:
    """Return to the champion before the one in use, and let MLflow's alias follow.

    Returns:
        The version that was in use, and the one that is now.

    Raises:
        LockedError: a training runs on `models`.
        UsageError: there is no former champion, or a tracking URI is set and MLflow is not installed.
        BundleError: the pointer or the bundle to return to is damaged.
    """
    can_log(settings.tracking_uri)  # refuses before the pointer moves
    with exclusive(models):
        was = str(champion_version(models))
        now = rollback(models)
        mirror_champion(now, models=models, uri=settings.tracking_uri)
    return was, now
