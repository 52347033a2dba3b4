"""Commands about the settings: config show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from walkaway.cli.options import MODELS, AsJson, ModelsOption, print_json, tell

if TYPE_CHECKING:
    from walkaway.config import Settings

configuration = typer.Typer(help="Show the settings in force.", no_args_is_help=True)


@configuration.command("show")
def show_config(context: typer.Context, models: ModelsOption = MODELS, as_json: AsJson = False) -> None:
    """Print every setting in force and its source; secrets are masked. A bar set by hand is judged by the model."""
    from walkaway.config import read_settings

    read = read_settings(context.obj)
    rows = read.rows()
    if as_json:
        print_json({name: {"value": value, "from": origin} for name, value, origin in rows})
    else:
        from rich.console import Console

        from walkaway.report.terminal.settings_table import show_settings

        Console(highlight=False).print(show_settings(rows))
        if read.settings.score.bar is not None and (sentence := _bar_by_hand(models, read.settings)):
            tell(sentence, quiet=False)


def _bar_by_hand(models: Path, settings: Settings) -> str:
    """What the bar of the settings would have gained on past deals, by the model in use; empty where there is none."""
    from walkaway.errors import WalkawayError
    from walkaway.models import gain_of_bar_by_hand, load_champion
    from walkaway.scoring import with_replay_curve

    try:
        model = with_replay_curve(load_champion(models), settings.score.replay)
    except WalkawayError:
        return ""
    return gain_of_bar_by_hand(model, settings.score.bar, model.facts.wording(settings.report.locale))
