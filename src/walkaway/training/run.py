"""All of `walkaway train` and `rollback`: one lock, train, save, ask the gate, log to MLflow, move the pointer."""

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
from walkaway.training.promotion import Decision, decide, forced
from walkaway.training.train import Trained, train
from walkaway.training.tune import Budget, Tuned, tune
from walkaway.training.undated import train_timeless

__all__ = ["Retrained", "retrain", "roll_back"]


@dataclass(frozen=True)
class Retrained:
    """A training that was kept: what it found, where its bundle lies, what was decided, and the version in use now.

    `registered` is its version in MLflow, None where MLflow is not installed.
    """

    trained: Trained
    folder: Path
    registered: str | None
    champion: str
    decision: Decision
    tuned: Tuned | None = None

    @property
    def promoted(self) -> bool:
        """Whether this model is the one in use."""
        return self.champion == self.folder.name


def _train(book: Book, until: pd.Timestamp | None, train_settings: TrainSettings, step: Step) -> Trained:
    if until is None:
        return train_timeless(book, train_settings, step)
    return train(book, until, train_settings, step)


def _tune(book: Book, until: pd.Timestamp | None, train_settings: TrainSettings, budget: Budget, step: Step) -> Tuned:
    if until is None:
        raise UsageError("--tune: this book has no dates, so there are no folds in time. Leave --tune out.")
    return tune(book, until, train_settings, budget, step)


def _texts(trained: Trained, decision: Decision, card: str) -> dict[str, str]:
    """What MLflow keeps beside metrics and figures, by file name."""
    audit = trained.audit
    return {
        "model_card.md": card,
        "audit/sources.csv": audit.sources.to_csv(),
        "audit/features.csv": audit.features.to_csv(),
        "decision.json": json.dumps(decision.as_json(), indent=1),
    }


def _decide(
    book: Book,
    until: pd.Timestamp | None,
    trained: Trained,
    folder: Path,
    train_settings: TrainSettings,
    step: Step,
    tuned_until: pd.Timestamp | None,
) -> Decision:
    """The gate's decision; the first model passes, and one without dates cannot be compared in time."""
    champions = load_champions(folder.parent)
    if not champions:
        return forced("the first model")
    if champions[0].version == folder.name:
        return forced("it is the champion already, to the byte")
    if until is None:
        return Decision(
            False, "without dates nothing says which deals the champion has not seen, so nothing is compared"
        )
    return decide(book, until, trained, champions, train_settings, step, tuned_until)


def _advised(book: Book, until: pd.Timestamp | None, advice: Path | None) -> Book:
    """The book as known at the moment of training, with deals that were dropped on advice marked."""
    if advice is None:
        return book
    if until is None:
        raise UsageError("--advice: this book has no dates, so nothing tells what came after. Leave --advice out.")
    return with_advice(known(book, until), read_advice(advice))


def retrain(
    book: Book,
    models: Path,
    until: pd.Timestamp | None,
    settings: Settings,
    *,
    promote: bool = False,
    budget: Budget | None = None,
    advice: Path | None = None,
    figures: Callable[[Trained], dict[str, Any]] = lambda trained: {},
    card: Callable[[Trained, str, Decision], str] = lambda trained, version, decision: "",
    step: Step = no_step,
) -> Retrained:
    """Train on a book, keep the model, and use it if it passes the gate.

    Args:
        book: with the hours that are set.
        models: where bundles, the champion pointer and MLflow's SQLite store live.
        until: train on what was known by then (UTC); None for a book without dates.
        settings: of the project.
        promote: make the new model champion without asking the gate; the first model always becomes champion.
        budget: tune the win head for so long first.
        advice: what batch advised (its advice.csv): deals dropped on it teach no losses (`walkaway.scoring.advice`).
        figures: draws what MLflow keeps.
        card: writes the model card, which MLflow keeps and MODELS/cards.
        step: told how far it is.

    Raises:
        LockedError: another training runs on `models`.
        UsageError: a tracking URI is set, and MLflow is not installed.
        DataError: the book cannot be used, or the champion is damaged (and `promote` is off).
    """
    logged = can_log(settings.tracking_uri)
    with exclusive(models):
        if not promote and champion_version(models):
            load_champion(models)  # a damaged one shows before the work, not after
        clear_unfinished(models)
        read = _advised(book, until, advice)
        tuned = _tune(read, until, settings.train, budget, step) if budget else None
        asked = tuned.settings if tuned else settings.train
        trained = _train(read, until, asked, step)
        folder = save_bundle(trained.model, models)
        decision = forced("a person decided (--promote)")
        if not promote:
            seen = pd.Timestamp(tuned.unseen["since"]) if tuned and tuned.used else None
            decision = _decide(read, until, trained, folder, asked, step, seen)
        told = card(trained, folder.name, decision)
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
                texts=_texts(trained, decision, told),
                tags={"promoted": str(decision.promoted), "decision": decision.reason},
                tuned=tuned,
            )
        if told:
            save_card(models, folder.name, told)
        now = pd.Timestamp.now("UTC").isoformat(timespec="seconds")
        record_decision(models, {"decided_at": now, "version": folder.name} | decision.as_json())
        if decision.promoted:
            set_champion(models, folder.name)
        champion = str(champion_version(models))
        mirror_champion(champion, models=models, uri=settings.tracking_uri)
    return Retrained(trained, folder, registered, champion, decision, tuned)


def roll_back(models: Path, settings: Settings) -> tuple[str, str]:
    """Return to the champion before the one in use, and let MLflow's alias follow.

    Returns:
        The version that was in use, and the one that is now.

    Raises:
        LockedError: a training runs on `models`.
        UsageError: no champion is remembered, or a tracking URI is set and MLflow is not installed.
        BundleError: the pointer or the bundle to return to is damaged.
    """
    can_log(settings.tracking_uri)  # refuses before the pointer moves
    with exclusive(models):
        was = str(champion_version(models))
        now = rollback(models)
        mirror_champion(now, models=models, uri=settings.tracking_uri)
    return was, now
