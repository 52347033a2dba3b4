"""Commands that make books: import xes, import table, sample."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walkaway.cli.options import BOOK, AsJson, Quiet, print_json, progress, settings_in_force, tell
from walkaway.errors import UsageError

if TYPE_CHECKING:
    from walkaway.importers.imported import Imported

importers = typer.Typer(help="Read a foreign export as a book.", no_args_is_help=True)


@importers.command("xes")
def import_log(
    context: typer.Context,
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
    with progress(quiet) as step:
        money = settings_in_force(context).money
        read = import_xes(file, fits, pd.Timestamp.now("UTC"), mapping, lambda n: step("reading cases", n, 0), money)
        step("writing the book", 0, 1)
        write_book(read.book, out, read.quarantine)
    _print_import(read, out, quiet, as_json)


@importers.command("table")
def import_tables(
    context: typer.Context,
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
    with progress(quiet) as step:
        now, money = pd.Timestamp.now("UTC"), settings_in_force(context).money
        read = import_table(files, fits, now, mapping, lambda name: step(f"reading {name}", 0, 1), money)
        step("writing the book", 0, 1)
        write_book(read.book, out, read.quarantine)
    _print_import(read, out, quiet, as_json)


def _print_import(read: Imported, out: Path, quiet: bool, as_json: bool) -> None:
    if as_json:
        print_json(read.as_json() | {"book": str(out)})
    else:
        from walkaway.report.imports import show_import

        tell(show_import(read, str(out)), quiet)


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

    with progress(quiet) as step:
        step("living the deals", 0, 1)
        made = make_sample(deals, seed, stationary)
        step("writing the book", 0, 1)
        write_book(made.book, out, truth=made.truth)
    if as_json:
        print_json(describe(made) | {"book": str(out)})
    else:
        from walkaway.report.terminal import show_sample

        tell(show_sample(describe(made), str(out)), quiet)
