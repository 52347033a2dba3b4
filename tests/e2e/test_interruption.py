"""Trainings and rollbacks that are killed, interrupted, or meet: real processes, at the same places each time."""

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from tests.e2e.accidents import Ended, Parent

from walkaway.files import LEFTOVER, exclusive
from walkaway.models.bundle import VERSION, load_bundle
from walkaway.models.registry import champion_version, load_champion

pytest_plugins = ("tests.books",)

SETTINGS = """
[train]
cadence_days = 7
folds = 2
bootstrap = 20
heads = { members = 2, completion_rounds = 1, threads = 1, win = { trees = 12 }, hours = { trees = 12 }, worth = \
{ trees = 12 } }
"""
BEFORE, OLD, NEW = "2025-07-28", "2025-08-04", "2025-08-11"
BUSY = r"walkaway: {0} is in use by another run \(it holds {0}/\.lock\)\. Wait for it to end\.\n"
INTERRUPTED = "walkaway: interrupted; partly written files were removed\n"
EIGHTH, SIXTEENTH = slice(None, None, 8), slice(None, None, 16)
# After a kill at each of these the whole next training is run: a new kind of thing is half-done there.
TRAINED_AFTER = (
    "step measuring",
    r"half of \.\d{8}-\w+\.\w+/\.model\.json",
    r"os\.rename \.\d{8}-\w+\.\w+ -> \d{8}-\w+$",
    "sql INSERT INTO params",
    r"open mlruns/models/.*/data/.*/win-0",
    "sql INSERT INTO model_versions",
    r"half of \.champion",
    r"os\.rename .* -> champion",
    "sql UPDATE registered_model_aliases",
)


class Place:
    """A models folder that keeps its path, as MLflow needs; it has one champion and one before it."""

    def __init__(self, parent: Parent, book: Path, models: Path) -> None:
        self.parent, self.book, self.models, self.whole = parent, book, models, models.with_name("whole")
        parent.learn(book, models, [BEFORE, OLD, NEW])
        self.train(OLD)
        self.old = champion_version(models)
        shutil.copytree(models, self.whole)

    def again(self) -> None:
        """As it was at first."""
        shutil.rmtree(self.models)
        shutil.copytree(self.whole, self.models)

    def command(self, until: str = NEW) -> tuple:
        return ("train", "--book", self.book, "--models", self.models, "--until", until, "--promote", "--quiet")

    def train(self, until: str = NEW, **accident) -> Ended:
        return self.parent.run(*self.command(until), **accident)

    def rollback(self, **accident) -> Ended:
        return self.parent.run("rollback", "--models", self.models, **accident)

    def score(self, out: Path) -> Ended:
        return self.parent.run("score", "--book", self.book, "--models", self.models, "--out", out, "--quiet")

    def batch(self, out: Path) -> Ended:
        now = ("--now", "2025-10-14", "--out-dir", out, "--quiet")
        return self.parent.run("batch", "--book", self.book, "--models", self.models, *now)

    def alias(self) -> str | None:
        """The bundle that MLflow's alias names."""
        with sqlite3.connect(self.models / "mlflow.db") as database:
            found = database.execute(
                "select value from registered_model_aliases a join model_versions v on v.version = a.version "
                "join tags t on t.run_uuid = v.run_id where t.key = 'bundle'"
            ).fetchone()
        return found and found[0]

    def files(self, *folders: str) -> dict[str, bytes]:
        """The champion's pointer and these bundles, as bytes."""
        paths = [self.models / "champion.json", *(p for name in folders for p in (self.models / name).iterdir())]
        return {str(path.relative_to(self.models)): path.read_bytes() for path in paths}

    def lookalikes(self) -> list[Path]:
        """Folders that are named as a bundle is, and hold a manifest."""
        found = [path.parent for path in self.models.rglob("bundle.json")]
        return [folder for folder in found if VERSION.fullmatch(folder.name)]

    def leftovers(self) -> list[str]:
        return [path.name for path in self.models.iterdir() if LEFTOVER.fullmatch(path.name)]


@pytest.fixture(scope="module")
def place(saved_book, tmp_path_factory):
    folder = tmp_path_factory.mktemp("interruption")
    (folder / "walkaway.toml").write_text(SETTINGS)
    (folder / "commands").mkdir()
    parent = Parent(folder / "commands", folder / "walkaway.toml")
    yield Place(parent, saved_book, folder / "models")
    parent.close()


@pytest.fixture
def fresh(place):
    place.again()
    return place


@pytest.fixture(scope="module")
def undisturbed(place):
    """The places that a training passes that nothing disturbs, and the files it leaves."""
    place.again()
    done = place.train()
    new = champion_version(place.models)
    return done.places, place.files(new, place.old), new


@dataclass(frozen=True)
class Killed:
    """What a kill at one place left, and what the next training made of it (None where none was run)."""

    place: str
    code: int
    files: dict[str, bytes]
    opened: str
    half: list[Path]
    left: list[str]
    following: tuple | None


def half_written(folders: list[Path]) -> list[Path]:
    """Those that are no whole bundles."""
    found = []
    for folder in folders:
        try:
            load_bundle(folder)
        except Exception:
            found.append(folder)
    return found


def killed_at(place: Place, number: int, name: str) -> Killed:
    place.again()
    ended = place.train(at=number)
    with exclusive(place.models):  # the lock is free
        champion = load_champion(place.models).version
        files = place.files(champion, place.old)
        half = half_written([f for f in place.lookalikes() if "mlruns" not in f.parts])
        left = place.leftovers()
    following = None
    if any(re.search(kind, name) for kind in TRAINED_AFTER):
        after = place.train()
        following = (after.code, after.err, place.leftovers(), half_written(place.lookalikes()), place.alias())
    return Killed(name, ended.code, files, champion, half, left, following)


def chosen(places: list[str], which: str) -> list[int]:
    """Those after which a training is run, and a few of ours, or (all) all of ours and every sixteenth of MLflow's."""
    mlflows = [i for i, name in enumerate(places) if "mlruns" in name or name.startswith("sql")]
    ours = sorted(set(range(len(places))) - set(mlflows))
    first = [next(i for i, name in enumerate(places) if re.search(kind, name)) for kind in TRAINED_AFTER]
    more = {"few": ours[EIGHTH], "all": [*ours, *mlflows[SIXTEENTH]]}[which]
    return sorted({*more, *first})


@pytest.fixture(scope="module", params=["few", pytest.param("all", marks=pytest.mark.hard)])
def kills(place, undisturbed, request):
    places, _, _ = undisturbed
    return [killed_at(place, number, places[number]) for number in chosen(places, request.param)]


def test_the_few_places_of_every_day_are_among_those_of_the_night(undisturbed):
    few, every = (chosen(undisturbed[0], which) for which in ("few", "all"))

    assert (len(few) > 12, len(every) > 50) == (True, True)
    assert set(few) < set(every)


def test_the_places_at_which_trainings_are_killed_are_those_that_matter(undisturbed):
    places = "\n".join(undisturbed[0])

    assert len(undisturbed[0]) > 90
    for kind in TRAINED_AFTER:
        assert re.search(kind, places, flags=re.M), kind
    assert places.count("half of") == 15  # twelve files of the bundle, the pointer, the card, the log of decisions


def test_a_training_killed_anywhere_leaves_the_champion_it_found_or_the_new_one_to_the_byte(kills, place, undisturbed):
    _, after, new = undisturbed
    place.again()
    before = place.files(place.old)
    allowed = {place.old: before, new: after}
    renamed = [kill.place for kill in kills].index(next(k.place for k in kills if "-> champion.json" in k.place))

    assert [kill.place for kill in kills if kill.code != -signal.SIGKILL] == []
    assert [kill.place for kill in kills if kill.files != allowed[kill.opened]] == []
    assert [kill.opened for kill in kills] == [place.old] * (renamed + 1) + [new] * (len(kills) - renamed - 1)


def test_no_half_written_folder_looks_like_a_bundle(kills):
    assert [(kill.place, kill.half) for kill in kills if kill.half] == []
    assert any(kill.left for kill in kills)  # half-written ones there are, under names that tell


def test_after_a_kill_the_next_training_succeeds_clears_up_and_puts_the_alias_right(kills, undisturbed):
    followed = [kill for kill in kills if kill.following]

    assert len(followed) >= len(TRAINED_AFTER)
    for kill in followed:
        assert kill.following == (0, "", [], [], undisturbed[2]), kill.place


def test_a_kill_between_pointer_and_alias_leaves_them_apart_until_the_next_training(fresh, undisturbed):
    fresh.train(at="sql UPDATE registered_model_aliases")
    assert (champion_version(fresh.models), fresh.alias()) == (undisturbed[2], fresh.old)

    assert fresh.train().code == 0
    assert (champion_version(fresh.models), fresh.alias()) == (undisturbed[2], undisturbed[2])


def test_runs_that_were_killed_are_closed_by_the_next_training(fresh):
    fresh.train(at="sql UPDATE logged_models")
    fresh.train()
    with sqlite3.connect(fresh.models / "mlflow.db") as database:
        runs = [status for (status,) in database.execute("select status from runs order by start_time")]
        models = database.execute("select status from logged_models order by creation_timestamp_ms").fetchall()

    assert runs == ["FINISHED", "FINISHED", "KILLED", "FINISHED"]
    assert [status for (status,) in models] == [2, 2, 3, 2]  # ready, ready, failed, ready


def test_the_champion_trained_again_is_never_moved_away(fresh):
    renamed = [name for name in fresh.train(OLD).places if name.startswith("os.rename") and fresh.old in name]
    moved = [name for name in renamed if "cards/" not in name]

    assert moved == []


def test_a_first_training_killed_while_mlflow_makes_its_database_leaves_none(fresh):
    for path in [*fresh.models.iterdir()]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert fresh.train(at="sql UPDATE alembic_version").code == -signal.SIGKILL
    left = sorted(path.name for path in fresh.models.iterdir() if path.name.startswith("m"))
    after = fresh.train()

    assert left == []
    assert (after.code, after.err, fresh.leftovers()) == (0, "", [])
    assert fresh.alias() == champion_version(fresh.models)


SIGNALS = {"ctrl-c": (signal.SIGINT, 130), "sigterm": (signal.SIGTERM, 143)}
INTERRUPTED_AT = ["step measuring", "half of", "sql INSERT INTO params", "/data/", "-> champion.json"]
EVERY_DAY = [("ctrl-c", "half of"), ("sigterm", "sql INSERT INTO params"), ("sigterm", "-> champion.json")]
BY_NIGHT = [both for both in product(SIGNALS, INTERRUPTED_AT) if both not in EVERY_DAY]


@pytest.mark.parametrize(
    ("sent", "at"), [*EVERY_DAY, *(pytest.param(*both, marks=pytest.mark.hard) for both in BY_NIGHT)]
)
def test_an_interrupted_training_says_so_and_leaves_nothing_half_written(fresh, sent, at):
    before = fresh.files(fresh.old)
    send, code = SIGNALS[sent]
    ended = fresh.train(at=at, send=send)

    assert (ended.code, ended.out, ended.err) == (code, "", INTERRUPTED)
    assert (fresh.files(fresh.old), fresh.leftovers()) == (before, [])


def test_a_rollback_killed_anywhere_leaves_one_champion_or_the_other(fresh):
    places = fresh.rollback().places
    back = champion_version(fresh.models)
    opened = []
    for number in range(len(places)):
        fresh.again()
        assert fresh.rollback(at=number).code == -signal.SIGKILL
        opened.append(load_champion(fresh.models).version)
    renamed = next(i for i, name in enumerate(places) if "-> champion.json" in name)

    assert opened == [fresh.old] * (renamed + 1) + [back] * (len(places) - renamed - 1)
    assert back != fresh.old


@pytest.mark.parametrize(
    "at",
    [
        "half of",
        pytest.param("sql INSERT INTO model_versions", marks=pytest.mark.hard),
        pytest.param("-> champion.json", marks=pytest.mark.hard),
    ],
)
def test_while_a_training_runs_others_are_refused_and_calls_are_those_of_the_old_champion(fresh, tmp_path, at):
    fresh.score(tmp_path / "before.csv")
    busy = BUSY.format(re.escape(str(fresh.models)))
    running = fresh.parent.start(*fresh.command(), at=at, send=signal.SIGSTOP)
    assert running.wait() is None
    other, back = fresh.train(), fresh.rollback()
    scored, batch = fresh.score(tmp_path / "during.csv"), fresh.batch(tmp_path / "out")
    done = running.go_on()

    assert [(one.code, one.out, bool(re.fullmatch(busy, one.err))) for one in (other, back)] == [(5, "", True)] * 2
    assert (scored.code, scored.err, batch.code, batch.err) == (0, "", 0, "")
    assert (tmp_path / "during.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
    record = json.loads((tmp_path / "out/runs.jsonl").read_text())
    assert record["model_version"] == fresh.old
    assert (done.code, fresh.alias()) == (0, champion_version(fresh.models))


def test_a_training_in_a_process_of_its_own_is_refused_while_another_runs(fresh):
    running = fresh.parent.start(*fresh.command(), at="step measuring", send=signal.SIGSTOP)
    assert running.wait() is None
    second = subprocess.run(
        [sys.executable, "-m", "walkaway", *map(str, fresh.command())], capture_output=True, text=True, check=False
    )
    done = running.go_on()

    assert (second.returncode, second.stdout) == (5, "")
    assert re.fullmatch(BUSY.format(re.escape(str(fresh.models))), second.stderr)
    assert done.code == 0
