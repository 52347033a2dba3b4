"""Commands that train and select models: audit, train, rollback."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from walkaway.cli.options import (
    BOOK,
    MODELS,
    AsJson,
    BookOption,
    ModelsOption,
    Quiet,
    formatter_of,
    print_json,
    progress,
    settings_in_force,
    tell,
    training_moment,
)
from walkaway.errors import PromotionError


def audit(
    context: typer.Context,
    book: BookOption = BOOK,
    until: Annotated[str | None, typer.Option(help="Audit what was known by this moment (UTC).")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Find fields that leak the outcome. Training leaves them out."""
    from walkaway.book import read_book
    from walkaway.training import audit_as_of

    settings = settings_in_force(context)
    read = read_book(book, settings.lost_after_days)
    found = audit_as_of(read, training_moment(until, read), settings.train, settings.report.locale)
    if as_json:
        tables = {"sources": found.sources, "features": found.features}
        doubts = {"cannot_tell": found.cannot_tell, "to_decide": found.to_decide}
        print_json({"left_out": found.left_out, "denied": found.denied} | doubts | tables)
    else:
        from walkaway.report.terminal.audit_tables import show_audit

        tell(show_audit(found, formatter_of(settings)), quiet)


def train(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    until: Annotated[str | None, typer.Option(help="Train on what was known by this moment (UTC).")] = None,
    advice: Annotated[
        Path | None,
        typer.Option(help="advice.csv of walkaway batch. Deals dropped on this advice are not counted as losses."),
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Use the new model even if it is not better than the one in use.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on won and lost deals, test it on later deals, and use it if it is better than the one in use."""
    from walkaway.book import read_book
    from walkaway.report.figures import training_figures
    from walkaway.report.model_card import model_card
    from walkaway.training import retrain

    settings = settings_in_force(context)
    with progress(quiet) as step:
        step("reading the book", 0, 1)
        read = read_book(book, settings.lost_after_days).assuming(settings.hours, settings.effort)
        fmt = read.wording(settings.report.locale)
        done = retrain(
            read,
            models,
            training_moment(until, read),
            settings,
            promote=promote,
            advice=advice,
            figures=training_figures,
            card=partial(model_card, fmt=fmt),
            step=step,
        )
    if as_json:
        named = {"version": done.folder.name, "champion": done.champion, "signal": done.trained.model.signal}
        named |= {"decision": done.decision.as_json()}
        found = {"summary": done.trained.model.facts.counts(), "audit": done.trained.audit.suspect_rows()}
        print_json(named | found | {"registered": done.registered, "metrics": done.trained.tables})
    else:
        from walkaway.report.terminal.training_tables import show_training

        tell(show_training(done, fmt), quiet)
    if not done.promoted:
        raise PromotionError(
            f"{done.folder.name} is saved, not in use: {done.decision.reason}. Still in use: {done.champion}. "
            "Add --promote to use the new model anyway."
        )


def rollback(
    context: typer.Context,
    models: ModelsOption = MODELS,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Return to the model that was in use before this one."""
    from walkaway.training import roll_back

    was, now = roll_back(models, settings_in_force(context))
    if as_json:
        print_json({"was": was, "champion": now})
    else:
        tell(f"In use now: {now} (was {was}).", quiet)
