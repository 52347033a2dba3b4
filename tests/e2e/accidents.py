"""Real processes of the command line that die, or stop, at a chosen place. Run as a program it is their parent.

Importing everything takes longer than a tiny training, so one process imports it once and forks a child a command. A
child passes places in a fixed order: each file it writes, renames or removes under MODELS, each half-written file, each
statement and commit of the database, each step that training tells. At a place it can be sent a signal.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from walkaway.book.schema import Book
    from walkaway.config import TrainSettings
    from walkaway.training.train import Step, Trained

ROOT = Path(__file__).parents[2]
CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
STOPPED = "stopped"


# The side of the tests


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (below 0: the signal that ended it), what it said, the places it passed."""

    code: int
    out: str
    err: str
    places: list[str]


class Running:
    """A command that was started."""

    def __init__(self, parent: Parent, pid: int, folder: Path) -> None:
        self._parent, self.pid, self._folder = parent, pid, folder

    def wait(self) -> Ended | None:
        """How it ended, or None where it stopped in its tracks; `go_on` wakes it."""
        code = self._parent.ask({"wait": self.pid})
        if code == STOPPED:
            return None
        out, err = ((self._folder / name).read_text() for name in ("out", "err"))
        places = self._folder / "places"
        return Ended(code, out, err, json.loads(places.read_text()) if places.exists() else [])

    def go_on(self) -> Ended:
        """Wake it, and how it ended."""
        os.kill(self.pid, signal.SIGCONT)
        return self.wait()


class Parent:
    """The process that imported everything, and forks a child a command."""

    def __init__(self, folder: Path, settings: Path) -> None:
        self._folder, self._settings, self._number = folder, settings, 0
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("WALKAWAY_", "MLFLOW_"))}
        one = {"OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"}  # a process of many threads must not fork
        environment = ours | one | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.accidents"],
            cwd=ROOT,
            env=environment | {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, wish: dict) -> object:
        """Its answer to one wish."""
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the parent of the commands has ended")
        return json.loads(answer)

    def learn(self, book: Path, models: Path, untils: list[str]) -> None:
        """Train a first model, import all that took, and remember these trainings, so that later ones take no time."""
        done = self.run("train", "--book", book, "--models", models, "--until", untils[0])
        if done.code:
            raise RuntimeError(done.err)
        self.ask({"learn": str(book), "untils": untils, "settings": str(self._settings), "folder": str(self._folder)})

    def start(self, *command: object, at: int | str | None = None, send: int = signal.SIGKILL) -> Running:
        """Start a command; at that place (its number from 0, or the first whose name holds that text) send a signal."""
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        argv = ["--config", str(self._settings), *map(str, command)]
        pid = self.ask({"argv": argv, "folder": str(folder), "at": at, "send": int(send)})
        return Running(self, pid, folder)

    def run(self, *command: object, at: int | str | None = None, send: int = signal.SIGKILL) -> Ended:
        """Run a command to its end."""
        return self.start(*command, at=at, send=send).wait()

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


# The side of the commands


def _path(value: object, folder: int = -1) -> str | None:
    """Where a path of an audit event lies, or None for what is no path."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        return None
    base = Path(f"/proc/self/fd/{folder}").readlink() if isinstance(folder, int) and folder >= 0 else ""
    return str(Path(base, os.fsdecode(value)).absolute())


def _change(event: str, args: tuple) -> list[str | None]:
    """The paths that an audit event is about to change."""
    if event == "open":
        path, _, flags = args
        return [_path(path)] if isinstance(flags, int) and flags & WRITING else []
    if event == "os.rename":
        return [_path(args[0], args[2]), _path(args[1], args[3])]
    return [_path(args[0], args[-1])] if event in CHANGES else []


class Places:
    """Counts the places that this process passes, and sends it a signal at one of them."""

    def __init__(self, models: Path, at: int | str | None, send: int, log: Path) -> None:
        self.models, self.at, self.send, self.log = f"{models.resolve()}/", at, send, log
        self.names: list[str] = []
        self.changed = False

    def passes(self, name: str, first: Callable[[], None] = lambda: None) -> None:
        """One place; `first` is done right before a signal that lets nothing else be done."""
        here = self.at == len(self.names) or (isinstance(self.at, str) and self.at in name)
        self.names.append(name)
        if here:
            self.at = None
            if self.send == signal.SIGKILL:
                first()
            os.kill(os.getpid(), self.send)

    def audit(self, event: str, args: tuple) -> None:
        if event == "open" or event in CHANGES:
            here = [p.removeprefix(self.models) for p in _change(event, args) if p and p.startswith(self.models)]
            if here:
                self.passes(f"{event} {' -> '.join(here)}")

    def fsync(self, handle: int) -> None:
        path = str(Path(f"/proc/self/fd/{handle}").readlink())
        if path.startswith(self.models) and Path(path).is_file():
            half = os.fstat(handle).st_size // 2
            self.passes(f"half of {path.removeprefix(self.models)}", lambda: os.ftruncate(handle, half))

    def statement(self, _connection: object, _cursor: object, statement: str, *_more: object) -> None:
        word = statement.split(maxsplit=1)[0].upper()
        if word not in ("SELECT", "PRAGMA"):
            self.changed = True
            self.passes(f"sql {' '.join(statement.split()[:3])}")

    def commit(self, _connection: object) -> None:
        if self.changed:
            self.changed = False
            self.passes("sql commit")

    def write(self) -> None:
        self.log.write_text(json.dumps(self.names))


def _watch(places: Places) -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    from walkaway.cli import training

    shown = training.progress

    @contextmanager
    def told(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
        with shown(quiet) as step:
            yield lambda name, *more: (places.passes(f"step {name}"), step(name, *more))

    training.progress = told
    event.listen(Engine, "before_cursor_execute", places.statement)
    event.listen(Engine, "commit", places.commit)
    os.fsync = places.fsync
    sys.addaudithook(places.audit)


def _models(argv: list[str]) -> Path:
    return Path(argv[argv.index("--models") + 1]) if "--models" in argv else Path("/nothing")


def _child(wish: dict) -> None:
    """Run the command line as a new process would, then end."""
    from walkaway import cli

    folder = Path(wish["folder"])
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_WRONLY), number)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    sys.argv = ["walkaway", *wish["argv"]]
    places = Places(_models(wish["argv"]), wish["at"], wish["send"], folder / "places")
    _watch(places)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell runs the tests in the background
    code = 1
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        places.write()
        (folder / "modules").write_text(json.dumps(list(sys.modules)))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _start(wish: dict) -> int:
    pid = os.fork()
    if pid == 0:
        _child(wish)
    return pid


def _wait(wish: dict) -> int | str:
    _, status = os.waitpid(wish["wait"], os.WUNTRACED)
    return STOPPED if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)


def _import(names: list[str]) -> None:
    for name in names:
        with suppress(Exception):  # some are made while they are imported, and have no name to import them by
            importlib.import_module(name)


def _learn(wish: dict) -> bool:
    """Import what the first command imported; from now on these trainings are remembered, and tell the same steps."""
    from walkaway.book.io import read_book
    from walkaway.config import read_settings
    from walkaway.report import figures
    from walkaway.training import mlflow_log as tracking
    from walkaway.training import run as retrain

    _import(json.loads((Path(wish["folder"]) / "1" / "modules").read_text()))
    settings, train = read_settings(Path(wish["settings"])).settings, retrain.train
    book = read_book(Path(wish["learn"])).with_hours(settings.hours)
    known = {}
    for until in (pd.Timestamp(text, tz="UTC") for text in wish["untils"]):
        told = []
        known[until] = (train(book, until, settings.train, lambda *one, told=told: told.append(one)), told)

    def remembered(book: Book, until: pd.Timestamp, settings: TrainSettings, step: Step) -> Trained:
        if until not in known:
            return train(book, until, settings, step)
        trained, told = known[until]
        for one in told:
            step(*one)
        return trained

    retrain.train = remembered
    figures.training_figures = lambda trained: {}  # slow, and files among others
    metrics = tracking._metrics
    tracking._metrics = lambda tables: dict(list(metrics(tables).items())[:3])  # MLflow asks its database of each
    return True


def _answer(wish: dict) -> object:
    if "learn" in wish:
        return _learn(wish)
    return _wait(wish) if "wait" in wish else _start(wish)


def _main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _import(
        [
            "walkaway.cli",
            "walkaway.training.run",
            "walkaway.scoring.batch",
            "walkaway.scoring.score",
            "walkaway.report.terminal.training_tables",
        ]
    )
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    _main()
