"""Commands about the settings: config show."""

from __future__ import annotations

import typer

from walkaway.cli.options import AsJson, print_json

configuration = typer.Typer(help="Show the settings in force.", no_args_is_help=True)


@configuration.command("show")
def show_config(context: typer.Context, as_json: AsJson = False) -> None:
    """Print every setting in force and its source; secrets are masked."""
    from walkaway.config import read_settings

    rows = read_settings(context.obj).rows()
    if as_json:
        print_json({name: {"value": value, "from": origin} for name, value, origin in rows})
    else:
        from rich.console import Console

        from walkaway.report.terminal.settings_table import show_settings

        Console(highlight=False).print(show_settings(rows))
