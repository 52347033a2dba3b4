"""A replay that is killed, at moments drawn at random, and then let run: the same bytes as one left alone."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest_plugins = ("tests.books",)

SETTINGS = """
[train]
cadence_days = 7
folds = 2
bootstrap = 20
heads = { members = 2, completion_rounds = 1, threads = 1, win = { trees = 12 }, hours = { trees = 12 }, worth = \
{ trees = 12 } }

[replay]
bootstrap = 20
"""


@pytest.fixture(scope="module")
def command(saved_book, tmp_path_factory):
    """The command line of a replay into a folder."""
    settings = tmp_path_factory.mktemp("settings") / "walkaway.toml"
    settings.write_text(SETTINGS)

    def of(out: Path) -> list[str]:
        period = ["--from", "2025-06-30T06:00", "--to", "2025-09-01T06:00", "--every", "7d", "--retrain", "14d"]
        asked = ["--config", str(settings), "replay", "--book", str(saved_book), "--out", str(out), "--quiet", *period]
        return [sys.executable, "-m", "walkaway", *asked]

    return of


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.hard)])
def test_killed_several_times_a_replay_ends_with_the_same_bytes(command, tmp_path, kills):
    begun = time.monotonic()
    subprocess.run(command(tmp_path / "alone"), check=True)
    whole, chance, killed = time.monotonic() - begun, np.random.default_rng(3), 0
    for _ in range(kills):
        running = subprocess.Popen(command(tmp_path / "killed"))
        time.sleep(chance.uniform(0.2, 1.0) * whole)
        running.kill()
        killed += running.wait() != 0
    subprocess.run(command(tmp_path / "killed"), check=True)

    assert killed > 0
    assert bytes_of(tmp_path / "killed") == bytes_of(tmp_path / "alone")
