"""The command run in this process, and what tests of several commands ask of it."""

import os
import sys

import pytest
from tests.books import UNTIL, settings_of

from walkaway import cli
from walkaway.config import InForce


@pytest.fixture
def walkaway(monkeypatch, capsys, tmp_path):
    """Runs the command in this process, in an empty folder: its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    ours = [name for name in os.environ if name.startswith("WALKAWAY_")]
    for name in (*ours, "MLFLOW_TRACKING_URI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["walkaway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return command


@pytest.fixture
def here(saved_book, models) -> list[str]:
    """The options that name a book and a models folder with a champion."""
    return ["--book", str(saved_book), "--models", str(models)]


@pytest.fixture
def tiny(monkeypatch):
    """Trainings of tiny settings."""
    monkeypatch.setattr("walkaway.config.read_settings", lambda file=None: InForce(settings_of(), {}))


def open_deal(book, as_of=UNTIL) -> str:
    deals = book.deals
    still = deals[(deals["created_at"] <= as_of) & ~(deals["closed_at"] <= as_of)]
    return still["deal_id"].iloc[0]


def assert_refused(ended: tuple[int, str, str], code: int, *parts: str) -> None:
    """One sentence on stderr that holds these parts, nothing on stdout, no traceback."""
    found, out, err = ended
    said = " ".join(err.replace("│", " ").split())

    assert (found, out) == (code, "")
    assert [part for part in parts if part not in said] == []
    assert "Traceback" not in err
    assert "unexpected" not in err
