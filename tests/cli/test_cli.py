import os
import sys
from subprocess import run

import pytest
from tests.cli.conftest import assert_refused

from walkaway import __version__, cli
from walkaway.models.registry import champion_version

pytest_plugins = ("tests.books",)

COMMANDS = ["import", "audit", "train", "rollback", "score", "batch", "replay", "explain", "check", "config"]


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_command_on_stdout(walkaway, option):
    code, out, err = walkaway(option)

    assert (code, err) == (0, "")
    assert [name for name in COMMANDS if f" {name} " not in out] == []
    assert "Rate open deals by the value of an hour spent on them" in " ".join(out.split())


@pytest.mark.parametrize(
    "command",
    [
        ["sample"],
        ["import"],
        ["import", "xes"],
        ["import", "table"],
        ["train"],
        ["score"],
        ["batch"],
        ["replay"],
        ["explain"],
        ["config", "show"],
    ],
)
def test_each_command_has_help(walkaway, command):
    code, out, err = walkaway(*command, "--help")

    assert (code, err) == (0, "")
    assert f"walkaway {' '.join(command)}" in out


def test_no_line_of_help_is_longer_than_80_columns(walkaway):
    commands = ([], ["sample"], ["train"], ["score"], ["batch"], ["replay"], ["explain"], ["config", "show"])
    screens = [walkaway(*command, "--help")[1] for command in (*commands, ["import", "xes"], ["import", "table"])]

    assert [line for out in screens for line in out.splitlines() if len(line) > 80] == []


def test_the_version_is_printed(walkaway):
    assert walkaway("--version") == (0, f"walkaway {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["score", "--forgo", "1.5"],
        ["score", "--bar", "-1"],
        ["score", "--reasons", "21"],
        ["score", "--no-such-option"],
        ["explain"],
        ["sing"],
        ["import", "csv"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(walkaway, arguments):
    assert_refused(walkaway(*arguments), 2, "Usage: ", "for help.", "Error")


@pytest.mark.parametrize("command", [["train"], ["score"], ["explain", "d001"]])
def test_no_book_exits_with_3(walkaway, models, command):
    ended = walkaway(*command, "--book", "nowhere", "--models", models)

    assert_refused(
        ended, 3, "walkaway: nowhere is not a book: it has no manifest.json. Make one with `walkaway import`."
    )


@pytest.mark.parametrize("command", [["score"], ["explain", "d001"]])
def test_no_champion_exits_with_3(walkaway, saved_book, tmp_path, command):
    ended = walkaway(*command, "--book", saved_book, "--models", tmp_path / "none")

    assert_refused(
        ended, 3, "none has no model in use (no champion.json). Train one: walkaway train --book BOOK --models"
    )


@pytest.mark.parametrize("name", ["win-0.txt", "model.json", "bundle.json", "champion.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_bundle_exits_with_3(walkaway, here, models, name, damage):
    path = models / name if name == "champion.json" else models / champion_version(models) / name
    path.write_bytes(path.read_bytes()[:-9])
    if damage == "gone":
        path.unlink()

    assert_refused(walkaway("score", *here), 3, "walkaway: ", name)


def test_an_unexpected_error_becomes_one_line_and_exit_code_1(walkaway, here, monkeypatch):
    monkeypatch.setattr("walkaway.book.read_book", lambda *_: 1 / 0)
    code, out, err = walkaway("score", *here)

    assert (code, out) == (1, "")
    assert err == (
        "walkaway: unexpected ZeroDivisionError: division by zero. Set WALKAWAY_DEBUG=1 to see the traceback.\n"
    )


def test_with_debug_on_an_unexpected_error_shows_its_traceback(monkeypatch, here):
    monkeypatch.setattr("walkaway.book.read_book", lambda *_: 1 / 0)
    monkeypatch.setenv("WALKAWAY_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["walkaway", "score", *here])

    with pytest.raises(ZeroDivisionError, match="division by zero"):
        cli.main()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["score", "--as-of", "x"], 3), (["sing"], 2)],
)
def test_the_installed_command_ends_with_the_code_and_no_traceback(tmp_path, arguments, code):
    done = run([sys.executable, "-m", "walkaway", *arguments], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert (done.stdout == "") == (code != 0)
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_openmp_is_told_how_to_install_it(tmp_path):
    """The import of LightGBM fails as it does where libgomp is absent."""
    (tmp_path / "lightgbm.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')")
    ended = run(
        [sys.executable, "-m", "walkaway", "train", "--book", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert "it needs the system library OpenMP, and found libgomp.so.1: cannot open" in ended.stderr
    assert "apt-get install libgomp1" in ended.stderr
