"""The command that monitors the model in use: check."""

from __future__ import annotations

import typer

from walkaway.cli.options import (
    BOOK,
    MODELS,
    AsJson,
    AsOf,
    BookOption,
    ModelsOption,
    Quiet,
    formatter_of,
    newest_or,
    print_json,
    progress,
    settings_in_force,
    tell,
)
from walkaway.errors import UsageError


def check(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    as_of: AsOf = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Check whether the model in use still fits the data: drift, calibration and age."""
    from walkaway.book import read_book
    from walkaway.models import load_champion
    from walkaway.monitoring import check as check_model

    settings = settings_in_force(context)
    with progress(quiet) as step:
        step("reading book and model", 0, 1)
        read = read_book(book, settings.lost_after_days).assuming(settings.hours, settings.effort)
        model = load_champion(models)
        if read.manifest.timeless and as_of is not None:
            raise UsageError(f"--as-of {as_of}: needs a book with dates, and this book has none. Leave --as-of out.")
        moment = None if read.manifest.timeless else newest_or(as_of, "--as-of", read)
        step("comparing with training", 0, 1)
        found = check_model(read, model, settings.check, moment, settings.report.locale)
    if as_json:
        print_json(found.as_json())
    else:
        from walkaway.report.terminal.drift_tables import show_check

        tell(show_check(found, formatter_of(settings)), quiet)
