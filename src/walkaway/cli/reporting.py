"""The command that writes the report for sales leaders: report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from walkaway.cli.options import (
    BOOK,
    MODELS,
    NO_DIAL,
    AsOf,
    BookOption,
    Dial,
    ModelsOption,
    Quiet,
    book_and_model,
    newest_or,
    progress,
    refuse_with_dates,
    settings_in_force,
    takes_dial,
    tell,
)


class Format(StrEnum):
    """The formats to write."""

    ALL = "all"
    HTML = "html"
    PDF = "pdf"
    MD = "md"


@takes_dial
def report(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    as_of: AsOf = None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("reports/report"),
    form: Annotated[
        Format, typer.Option("--format", help="html, pdf, md (a digest for mail and chat), or all of them.")
    ] = Format.ALL,
    replayed: Annotated[
        Path | None, typer.Option("--replay", help="Folder of a replay; the report shows its results.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option(help="Decisions of the team: a CSV of deal_id, decision, by, reason, date.")
    ] = None,
    advice: Annotated[
        Path | None, typer.Option(help="advice.csv of walkaway batch; the report shows how those deals ended.")
    ] = None,
    dial: Dial = NO_DIAL,
    quiet: Quiet = False,
) -> None:
    """Write the report: deals to stop, hours freed, value lost, where the hours go instead, and the evidence."""
    from walkaway.report.html import write_report, write_undated_report
    from walkaway.scoring import read_advice, read_decisions

    settings = dial.over(settings_in_force(context))
    decided = read_decisions(decisions) if decisions else None
    advised = read_advice(advice) if advice else None
    with progress(quiet) as step:
        step("reading book and model", 0, 1)
        folder = replayed or settings.score.replay
        read, model = book_and_model(book, models, settings, folder)
        step("writing the report", 0, 1)
        if read.manifest.timeless:
            files = {"replay": replayed, "decisions": decisions, "advice": advice}
            refuse_with_dates({"as-of": as_of, **dial.given(), **files})
            done = write_undated_report(read, model, settings, out, form.value)
        else:
            moment = newest_or(as_of, "--as-of", read)
            done = write_report(read, model, moment, settings, out, form.value, folder, decided, advised)
    if form is Format.MD:
        typer.echo(done.digest, nl=False)
    else:
        tell(done.summary(), quiet)
