"""Commands that score deals: score and batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walkaway.cli.options import (
    BOOK,
    MODELS,
    NO_DIAL,
    AsJson,
    BookOption,
    Dial,
    ModelsOption,
    Quiet,
    Reasons,
    book_and_model,
    days_of,
    moment_of,
    newest_or,
    print_json,
    progress,
    refuse_with_dates,
    settings_in_force,
    span_of,
    takes_dial,
    tell,
)
from walkaway.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from walkaway.book import Book
    from walkaway.models import Model


@takes_dial
def score(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    as_of: Annotated[
        str | None, typer.Option(help="Score as of this moment (UTC); default: the newest record in the book.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="First of several moments.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last of several moments.")] = None,
    every: Annotated[str, typer.Option(help="Step between moments: 1d, 7d, 12h.")] = "1d",
    out: Annotated[str, typer.Option(help="CSV, Parquet or JSON by extension; - for stdout.")] = "-",
    dial: Dial = NO_DIAL,
    reasons: Reasons = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Score every open deal: win probability, value per remaining hour, verdict and reasons."""
    from walkaway.files import check_extension, write_frame

    check_extension(out)
    every_days = days_of(every)
    from walkaway.scoring import score as score_book
    from walkaway.scoring import score_undated

    settings = dial.over(settings_in_force(context), reasons)
    with progress(quiet) as step:
        step("reading book and model", 0, 1)
        read, model = book_and_model(book, models, settings)
        step("scoring open deals", 0, 1)
        if read.manifest.timeless:
            refuse_with_dates({"as-of": as_of, "from": start, "to": end, **dial.given()})
            table = score_undated(read, model, settings.score, settings.report.locale)
        else:
            at = _moments(read, as_of, start, end, every_days)
            table = score_book(read, model, at, settings.score, settings.report.locale)
    write_frame(table, "-.json" if as_json and out == "-" else out)
    if out != "-" and as_json:
        _print_summary(table, model, {"unusable_deals": read.unusable_deals, "out": out})
    elif out != "-":
        from walkaway.models import gain_of_bar_by_hand
        from walkaway.report.terminal.score_tables import show_score, show_undated_score

        fmt = model.facts.wording(settings.report.locale)
        shown = show_undated_score(table, model, out, fmt) if model.undated else show_score(table, model, out, fmt)
        tell(shown, quiet)
        if by_hand := gain_of_bar_by_hand(model, settings.score.bar, fmt):
            tell(by_hand, quiet)
        if settings.score.guarantee and (refused := model.curve.refusal(settings.score.forgo, fmt)):
            tell(refused, quiet)
        if read.unusable_deals:
            unusable = fmt.whole(read.unusable_deals)
            tell(f"{unusable} deals of the export could not be used. See {book}/quarantine.parquet.", quiet)


def _print_summary(table: pd.DataFrame, model: Model, more: dict[str, object]) -> None:
    from walkaway.scoring import summary, summary_undated

    print_json((summary_undated if model.undated else summary)(table) | more)


@takes_dial
def batch(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    out: Annotated[Path | None, typer.Option("--out-dir", help="Folder to write to \\[setting: batch.folder].")] = None,
    now: Annotated[str | None, typer.Option(help="Run as of this moment (UTC); default: the current time.")] = None,
    dial: Dial = NO_DIAL,
    reasons: Reasons = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Score every open deal from a scheduler; write calls, changes since the last run and a record of the run."""
    import pandas as pd

    from walkaway.scoring import run_batch

    settings = dial.over(settings_in_force(context), reasons)
    moment = moment_of(now, "--now") or pd.Timestamp.now("UTC")
    with progress(quiet) as step:
        step("scoring open deals", 0, 1)
        done = run_batch(book, models, out or settings.batch.folder, settings, moment)
    if as_json:
        print_json(done.record)
    else:
        from walkaway.report.terminal.batch_tables import show_batch

        tell(show_batch(done, done.model.facts.wording(settings.report.locale)), quiet)
    if done.problem:
        raise done.problem


def _moments(book: Book, as_of: str | None, start: str | None, end: str | None, every_days: float) -> pd.DatetimeIndex:
    """The moments to score at: --as-of, or those from --from to --to."""
    import pandas as pd

    from walkaway.asof import moments

    if (start is None) != (end is None):
        raise UsageError("--from and --to go together, and only one was given. Give both, or --as-of alone.")
    if start is None:
        return pd.DatetimeIndex([newest_or(as_of, "--as-of", book)])
    if as_of is not None:
        raise UsageError(
            "--as-of scores at one moment, --from and --to at several, and both were given. Give one or the other."
        )
    return moments(*span_of(start, end), every_days)
