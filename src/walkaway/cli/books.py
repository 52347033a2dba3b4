"""Commands that make books: import, with one subcommand per importer, and sample."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from walkaway.cli.options import BOOK, AsJson, Quiet, formatter_of, print_json, progress, settings_in_force, tell

if TYPE_CHECKING:
    from walkaway.config import Settings
    from walkaway.importers import Imported, Importer

Mapping = Annotated[str | None, typer.Option(help="A mapping file (TOML), or the name of a built-in mapping.")]
BookOut = Annotated[Path, typer.Option(help="Folder of the book to write.")]
Suggest = Annotated[bool, typer.Option("--suggest", help="Draft a mapping of these files to stdout.")]


class ImporterCommands(TyperGroup):
    """`walkaway import NAME`: one subcommand per importer. Importers are loaded on first use."""

    def list_commands(self, context: Any) -> list[str]:
        """Names of all importers."""
        from walkaway.importers import importers

        return sorted(importers())

    def get_command(self, context: Any, name: str) -> Any:
        """The command of one importer; None if no importer has that name."""
        from walkaway.importers import importers

        found = importers().get(name)
        return None if found is None else _command_of(found)


import_group = typer.Typer(cls=ImporterCommands, help="Import a CRM export as a book.", no_args_is_help=True)


@import_group.callback()
def _import_group() -> None:
    """Import a CRM export as a book."""


def _command_of(importer: Importer) -> Any:
    """The subcommand that runs an importer."""

    def command(
        context: typer.Context,
        files: list[Path],
        mapping: Mapping = None,
        out: BookOut = BOOK,
        suggest: Suggest = False,
        quiet: Quiet = False,
        as_json: AsJson = False,
    ) -> None:
        if suggest:
            sys.stdout.write(importer.suggest(files))
        else:
            _import(importer, files, mapping, out, settings_in_force(context), quiet, as_json)

    single = typer.Typer(add_completion=False)
    command.__annotations__["files"] = Annotated[list[Path], typer.Argument(help=importer.paths)]
    single.command(importer.name, help=importer.purpose)(command)
    return typer.main.get_command(single)


def _import(
    importer: Importer,
    files: list[Path],
    mapping: str | None,
    out: Path,
    settings: Settings,
    quiet: bool,
    as_json: bool,
) -> None:
    """Read the export, write the book, and print a summary."""
    import pandas as pd

    from walkaway.book import write_book
    from walkaway.importers import Export

    with progress(quiet) as step:
        now = pd.Timestamp.now("UTC")

        def advance(task: str, count: int) -> None:
            step(task, count, 0 if count else 1)

        read = importer.read(Export(files, mapping, now, settings.money, advance, settings.lost_after_days))
        step("writing the book", 0, 1)
        write_book(read.book, out, read.quarantine)
    _print_import(read, out, settings, quiet, as_json)


def _print_import(read: Imported, out: Path, settings: Settings, quiet: bool, as_json: bool) -> None:
    if as_json:
        print_json(read.as_json() | {"book": str(out)})
    else:
        from walkaway.report.terminal.import_tables import show_import

        tell(show_import(read, str(out), formatter_of(settings)), quiet)


def sample(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder of the book to write.")] = BOOK,
    deals: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of deals, over four years.")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same book.")] = 0,
    stationary: Annotated[bool, typer.Option("--stationary", help="No drift over the years and no seasons.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make a synthetic book, with the true value of each open deal on every Monday."""
    from walkaway.book import write_book
    from walkaway.sample import describe, make_sample

    settings = settings_in_force(context)
    with progress(quiet) as step:
        step("simulating deals", 0, 1)
        made = make_sample(deals, seed, stationary)
        step("writing the book", 0, 1)
        write_book(made.book, out, truth=made.truth)
    if as_json:
        print_json(describe(made) | {"book": str(out)})
    else:
        from walkaway.report.terminal.import_tables import show_sample

        tell(show_sample(describe(made), str(out), formatter_of(settings)), quiet)
