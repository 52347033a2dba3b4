"""What --help prints is what the commands say of themselves: nothing is lost on the way to the screen."""

import re

import pytest
import typer
from typer.testing import CliRunner

from walkaway.cli import app
from walkaway.config.refusals import known_names


def commands(command, path=()):
    """Every command with the words that call it."""
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    context = typer.Context(command)
    for name in command.list_commands(context):
        yield from commands(command.get_command(context, name), (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def plain(text: str) -> str:
    """Words alone, without the lines and the frame of a terminal."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def printed(path) -> str:
    return plain(CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"}).output)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_shows_all_that_each_option_says(path):
    shown = printed(path)
    told = [option.help for option in COMMANDS[path].params if getattr(option, "help", None)]

    assert told
    assert [text for text in told if plain(text.replace("\\[", "[")) not in shown] == []


def test_every_setting_that_help_names_exists():
    helps = " ".join(str(getattr(option, "help", "")) for command in COMMANDS.values() for option in command.params)
    named = set(re.findall(r"\[setting: ([\w.]+)\]", helps))

    assert {"score.forgo", "batch.folder", "replay.retrain_days"} <= named
    assert named - set(known_names()) == set()
