"""The command line: parse, call one function, print. Data goes to stdout, progress and errors to stderr.

Exit codes: 0 ok, 2 usage, 3 bad data, 4 gate not passed, 5 locked, 6 something asked for is missing from the output.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from walkaway import __version__
from walkaway.errors import UsageError, WalkawayError

if TYPE_CHECKING:
    import pandas as pd

    from walkaway.config import Settings
    from walkaway.importers.imported import Imported

app = typer.Typer(
    help="What is an hour spent on this deal from now on worth, and is that more than it earns elsewhere?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
importers = typer.Typer(help="Read a foreign export as a book.", no_args_is_help=True)
app.add_typer(importers, name="import")
configuration = typer.Typer(help="The settings in force.", no_args_is_help=True)
app.add_typer(configuration, name="config")

BookOption = Annotated[Path, typer.Option("--book", help="Folder of the book.")]
ModelsOption = Annotated[Path, typer.Option("--models", help="Folder of the models.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors and the data asked for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]
Forgo = Annotated[
    float | None, typer.Option(min=0.0, max=1.0, help="Share of won value the bar may forgo [setting: score.forgo].")
]
Bar = Annotated[float | None, typer.Option(min=0.0, help="Money per hour, in place of --forgo [setting: score.bar].")]
Reasons = Annotated[
    int | None, typer.Option(min=0, max=20, help="Reasons a call, at most; 0 is fastest [setting: score.reasons].")
]
BOOK, MODELS = Path("data/book"), Path("models")
DAYS_OF_UNIT = {"h": 1 / 24, "d": 1.0, "w": 7.0}


def _moment(text: str | None, option: str) -> pd.Timestamp | None:
    """A UTC moment; a date alone is its midnight, and a moment without offset is UTC."""
    import pandas as pd

    if text is None:
        return None
    try:
        moment = pd.Timestamp(text)
    except ValueError:
        moment = pd.NaT
    if pd.isna(moment):
        raise UsageError(f"{option} {text}: must be a moment in ISO 8601, such as 2026-01-31 or 2026-01-31T06:00.")
    return (moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")).as_unit("us")


def _settings(context: typer.Context) -> Settings:
    """The settings in force, from the file that --config names, if any."""
    from walkaway.config import Settings

    return Settings.from_environment(context.obj)


def _days(text: str) -> float:
    number, unit = text[:-1], text[-1:]
    try:
        days = float(number) * DAYS_OF_UNIT[unit]
    except (ValueError, KeyError):
        days = 0.0
    if not 0 < days < float("inf"):
        raise UsageError(f"--every {text}: must be a length of time above 0, such as 1d, 7d or 12h.")
    return days


def _print(renderable: Any, quiet: bool) -> None:
    if not quiet:
        from rich.console import Console

        Console(stderr=True, highlight=False).print(renderable)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON objects; what is not a number is null."""
    rows = table.reset_index().astype("object")
    return rows.where(rows.notna(), None).to_dict("records")


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr; it shows nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn())
    with Progress(
        *columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty(), transient=True
    ) as bar:
        task = bar.add_task("starting", total=None, count="")

        def step(name: str, done: int, total: int) -> None:
            count = f"{done:,} of {total:,}" if total > 1 else f"{done:,}" if total == 0 else ""
            bar.update(task, description=name, completed=done, total=total if total > 1 else None, count=count)

        yield step


@importers.command("xes")
def import_log(
    file: Annotated[Path, typer.Argument(help="An XES event log, .xes or .xes.gz.")],
    mapping: Annotated[str, typer.Option(help="A mapping file (TOML), or the name of a mapping that ships.")],
    out: Annotated[Path, typer.Option(help="Folder of the book to write.")] = BOOK,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Read an XES event log as a book."""
    import pandas as pd

    from walkaway.importers.mapping import XesMapping, mapping_for
    from walkaway.importers.xes import import_xes
    from walkaway.storage import write_book

    fits = mapping_for(XesMapping, mapping)
    with _progress(quiet) as step:
        read = import_xes(file, fits, pd.Timestamp.now("UTC"), mapping, lambda n: step("reading cases", n, 0))
        step("writing the book", 0, 1)
        write_book(read.book, out, read.quarantine)
    _print_import(read, out, quiet, as_json)


@importers.command("table")
def import_tables(
    files: Annotated[list[Path], typer.Argument(help="CSV, Parquet or XLSX files; those not mapped are left alone.")],
    mapping: Annotated[str | None, typer.Option(help="A mapping file (TOML), or the name of one that ships.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the book to write.")] = BOOK,
    suggest: Annotated[bool, typer.Option("--suggest", help="Draft a mapping of these files to stdout.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Read a flat export as a book, or draft its mapping."""
    import pandas as pd

    from walkaway.importers.mapping import mapping_for
    from walkaway.importers.table import import_table
    from walkaway.importers.table_mapping import TableMapping
    from walkaway.storage import write_book

    if suggest:
        from walkaway.importers.suggest import suggest as draft

        sys.stdout.write(draft(files))
        return
    if mapping is None:
        raise UsageError("--mapping is required: name a mapping, or draft one with --suggest.")
    fits = mapping_for(TableMapping, mapping)
    with _progress(quiet) as step:
        read = import_table(files, fits, pd.Timestamp.now("UTC"), mapping, lambda name: step(f"reading {name}", 0, 1))
        step("writing the book", 0, 1)
        write_book(read.book, out, read.quarantine)
    _print_import(read, out, quiet, as_json)


def _print_import(read: Imported, out: Path, quiet: bool, as_json: bool) -> None:
    if as_json:
        _print_json(read.as_json() | {"book": str(out)})
    else:
        from walkaway.report.imports import show_import

        _print(show_import(read, str(out)), quiet)


@app.command()
def sample(
    out: Annotated[Path, typer.Option(help="Folder of the book to write.")] = BOOK,
    deals: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many deals, over four years.")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same book.")] = 0,
    stationary: Annotated[bool, typer.Option("--stationary", help="No drift over the years, no seasons.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make a synthetic book whose truth is known: what each open deal was worth, Monday by Monday."""
    from walkaway.sample import describe, make_sample
    from walkaway.storage import write_book

    with _progress(quiet) as step:
        step("living the deals", 0, 1)
        made = make_sample(deals, seed, stationary)
        step("writing the book", 0, 1)
        write_book(made.book, out, truth=made.truth)
    if as_json:
        _print_json(describe(made) | {"book": str(out)})
    else:
        from walkaway.report.terminal import show_sample

        _print(show_sample(describe(made), str(out)), quiet)


@app.command()
def train(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    until: Annotated[str | None, typer.Option(help="Train on what was known by this moment (UTC).")] = None,
    promote: Annotated[bool, typer.Option("--promote", help="Use the new model though there is a champion.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on won and lost deals, judge it out of time, and register it."""
    from walkaway.report.figures import training_figures
    from walkaway.retrain import retrain

    moment = _moment(until, "--until")
    with _progress(quiet) as step:
        settings = _settings(context)
        done = retrain(book, models, moment, settings, promote=promote, figures=training_figures, step=step)
    if as_json:
        tables = {name: _records(table) for name, table in done.trained.tables.items()}
        named = {"version": done.folder.name, "champion": done.champion, "signal": done.trained.model.signal}
        _print_json(named | {"summary": done.trained.summary, "metrics": tables})
    else:
        from walkaway.report.terminal import show_training

        _print(show_training(done), quiet)


@app.command()
def score(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    as_of: Annotated[str | None, typer.Option(help="Call at this moment (UTC); default: the newest record.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First of many moments.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last of many moments.")] = None,
    every: Annotated[str, typer.Option(help="Step between moments: 1d, 7d, 12h.")] = "1d",
    out: Annotated[str, typer.Option(help="CSV, Parquet or JSON by extension; - for stdout.")] = "-",
    forgo: Forgo = None,
    bar: Bar = None,
    reasons: Reasons = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Call every open deal: win probability, value per remaining hour, verdict and reasons."""
    from walkaway.storage import check_extension, read_book, write_frame

    check_extension(out)
    every_days = _days(every)
    from walkaway.bundle import load_champion
    from walkaway.score import score as score_book
    from walkaway.score import summary

    settings = _settings(context)
    dial = settings.score.overruled_by(forgo=forgo, bar=bar, reasons=reasons)
    with _progress(quiet) as step:
        step("reading book and model", 0, 1)
        read, model = read_book(book).with_hours(settings.hours), load_champion(models)
        at = _moments(read.last_recorded_at(), as_of, start, end, every_days)
        step("calling open deals", 0, 1)
        table = score_book(read, model, at, forgo=dial.forgo, bar=dial.bar, reasons=dial.reasons)
    write_frame(table, "-.json" if as_json and out == "-" else out)
    if out != "-" and as_json:
        _print_json(summary(table) | {"out": out})
    elif out != "-":
        from walkaway.report.terminal import show_score

        _print(show_score(table, model, out), quiet)


@app.command()
def batch(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    out: Annotated[Path | None, typer.Option("--out-dir", help="Folder of the output [setting: batch.folder].")] = None,
    now: Annotated[str | None, typer.Option(help="Run as of this moment (UTC); default: the clock's.")] = None,
    forgo: Forgo = None,
    bar: Bar = None,
    reasons: Reasons = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Call every open deal for a scheduler: calls, what changed since the last run, and a record of the run."""
    from walkaway.batch import run_batch

    settings, moment = _settings(context), _moment(now, "--now")
    dial = settings.score.overruled_by(forgo=forgo, bar=bar, reasons=reasons)
    settings = settings.model_copy(update={"score": dial})
    with _progress(quiet) as step:
        step("calling open deals", 0, 1)
        done = run_batch(book, models, out or settings.batch.folder, settings, now=moment)
    if as_json:
        _print_json(done.record)
    else:
        from walkaway.report.batch import show_batch

        _print(show_batch(done), quiet)
    if done.problem:
        raise done.problem


def _moments(
    newest: pd.Timestamp, as_of: str | None, start: str | None, end: str | None, every_days: float
) -> pd.DatetimeIndex:
    """The moments asked for: one, or from --from to --to."""
    import pandas as pd

    from walkaway.snapshots import moments

    if (start is None) != (end is None):
        raise UsageError("--from and --to go together: give both, or --as-of alone.")
    if start is None:
        return pd.DatetimeIndex([_moment(as_of, "--as-of") or newest])
    if as_of is not None:
        raise UsageError("--as-of names one moment, --from and --to many: give one or the other.")
    first, last = _moment(start, "--from"), _moment(end, "--to")
    if first is None or last is None or first > last:
        raise UsageError(f"--from {start} lies after --to {end}. Swap them.")
    return moments(first, last, every_days)


@app.command()
def explain(
    context: typer.Context,
    deal_id: Annotated[str, typer.Argument(help="The deal.")],
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    as_of: Annotated[str | None, typer.Option(help="At this moment (UTC); default: the newest record.")] = None,
    forgo: Forgo = None,
    bar: Bar = None,
    as_json: AsJson = False,
) -> None:
    """Tell one deal's story: what an hour on it is worth, and what makes it so."""
    from walkaway.bundle import load_champion
    from walkaway.score import explain_deals
    from walkaway.storage import read_book

    settings = _settings(context)
    read, model = read_book(book).with_hours(settings.hours), load_champion(models)
    moment = _moment(as_of, "--as-of") or read.last_recorded_at()
    dial = settings.score.overruled_by(forgo=forgo, bar=bar)
    [story] = explain_deals(read, model, [deal_id], moment, forgo=dial.forgo, bar=dial.bar)
    if as_json:
        _print_json(story.as_json())
    else:
        from rich.console import Console

        from walkaway.report.terminal import show_story

        Console(highlight=False).print(show_story(story))


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"walkaway {__version__}")
        raise typer.Exit


@configuration.command("show")
def show_config(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every setting in force and where it comes from; secrets are masked."""
    from walkaway.config import read_settings

    rows = read_settings(context.obj).rows()
    if as_json:
        _print_json({name: {"value": value, "from": origin} for name, value, origin in rows})
    else:
        from rich.console import Console

        from walkaway.report.settings import show_settings

        Console(highlight=False).print(show_settings(rows))


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", help="Settings file; default walkaway.toml, where there is one.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Common to all commands."""
    context.obj = config


def main() -> None:
    """Entry point: errors raised on purpose become one sentence and an exit code, never a traceback."""
    try:
        app()
    except WalkawayError as error:
        sys.stderr.write(f"walkaway: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("walkaway: interrupted; nothing half-written was kept\n")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("WALKAWAY_DEBUG"):
            raise
        sys.stderr.write(f"walkaway: unexpected {type(error).__name__}: {error}. Set WALKAWAY_DEBUG=1 to see where.\n")
        sys.exit(1)
