"""The command that replays a past period: replay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from walkaway.cli.options import (
    BOOK,
    NO_DIAL,
    AsJson,
    BookOption,
    Dial,
    Quiet,
    days_of,
    print_json,
    progress,
    settings_in_force,
    span_of,
    takes_dial,
    tell,
)


@takes_dial
def replay(
    context: typer.Context,
    start: Annotated[str, typer.Option("--from", help="First moment to train and score at (UTC).")],
    end: Annotated[str, typer.Option("--to", help="Last moment to score at (UTC).")],
    book: BookOption = BOOK,
    every: Annotated[str, typer.Option(help="Time between scorings: 1d, 7d.")] = "1d",
    retrain: Annotated[
        str | None, typer.Option(help="Time between trainings: 14d, 30d \\[setting: replay.retrain_days].")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for ledger, summary, figures and models.")] = Path("reports/replay"),
    dial: Dial = NO_DIAL,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Replay a past period: train on what was known then, score open deals, and compare with how they ended."""
    from walkaway.book import read_book
    from walkaway.replaying import Period
    from walkaway.replaying import replay as replay_book
    from walkaway.report.replay_figures import write_figures

    settings = dial.over(settings_in_force(context))
    days = settings.replay.retrain_days if retrain is None else days_of(retrain, "--retrain")
    period = Period(*span_of(start, end), days_of(every), days)
    with progress(quiet) as step:
        step("reading the book", 0, 1)
        read = read_book(book, settings.lost_after_days).assuming(settings.hours, settings.effort)
        done = replay_book(read, out, period, settings, step)
        step("drawing figures", 0, 1)
        fmt = read.wording(settings.report.locale)
        write_figures(done, out, fmt)
    if as_json:
        print_json(done.summary)
    else:
        from walkaway.report.terminal.replay_tables import show_replay

        tell(show_replay(done, out, fmt), quiet)
