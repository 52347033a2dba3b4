"""Every file under MODELS, damaged in every way: refused by name, or listed as a log that no score depends on.

A damaged booster text can end the process that parses it, so batches of mutations run in processes of their own.
"""

import io
import json
import os
import pickle
import pickletools
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import reduce
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
from tests.books import UNTIL, settings_of

from walkaway import cli
from walkaway.asof.history import History
from walkaway.book import read_book
from walkaway.errors import BundleError
from walkaway.files import json_bytes
from walkaway.models.bundle import _version, load_bundle
from walkaway.models.facts import Facts
from walkaway.models.model import read_rows
from walkaway.models.registry import (
    LOGS,
    _pointer_checksum,
    champion_version,
    clear_unfinished,
    load_champion,
    rollback,
)
from walkaway.report.figures import training_figures
from walkaway.training.mlflow_log import _load_pyfunc
from walkaway.training.run import retrain

pytest_plugins = ("tests.books",)

ROOT = Path(__file__).parents[2]
EARLIER = UNTIL - pd.Timedelta(days=7)
MLMODEL = re.compile(r"mlruns/models/m-\w+/artifacts/MLmodel")
REGISTERED = re.compile(r"mlruns/models/m-\w+/artifacts/data/.+")


@pytest.fixture(scope="module")
def real(migrated, saved_book, tmp_path_factory):
    """A models folder after two real trainings, the second one in use; read only, or put right again."""
    models = tmp_path_factory.mktemp("damaged") / "models"
    models.mkdir()
    shutil.copy(migrated, models / "mlflow.db")
    retrain(read_book(saved_book), models, EARLIER, settings_of(), figures=training_figures)
    retrain(read_book(saved_book), models, UNTIL, settings_of(), promote=True)
    return models


def names_of(models: Path) -> list[str]:
    return sorted(str(path.relative_to(models)) for path in models.rglob("*") if path.is_file())


def guarded(models: Path) -> list[str]:
    """The files of which damage must show."""
    return [name for name in names_of(models) if not any(re.fullmatch(log, name) for log in LOGS)]


# What one file may suffer

MUTATE = """
def mutated(data, how, rng):
    at = int(rng.integers(len(data)))
    lines = data.splitlines(keepends=True)
    line = int(rng.integers(len(lines)))
    digits = [i for i, byte in enumerate(data) if 48 <= byte <= 57]
    if how == "truncate":
        return data[:at]
    if how == "last byte":
        return data[:-1]
    if how == "delete line":
        return b"".join(lines[:line] + lines[line + 1 :])
    if how == "duplicate line":
        return b"".join(lines[: line + 1] + lines[line:])
    if how == "bit":
        return data[:at] + bytes([data[at] ^ (1 << int(rng.integers(8)))]) + data[at + 1 :]
    if how == "digit":
        place = digits[int(rng.integers(len(digits)))]
        other = 48 + (data[place] - 48 + int(rng.integers(1, 10))) % 10
        return data[:place] + bytes([other]) + data[place + 1 :]
    return {"empty": b"", "nested": b"[" * 200_000, "added line": data + b"\\n"}[how]
"""
WAYS = ("truncate", "last byte", "delete line", "duplicate line", "bit", "digit", "empty", "nested", "added line")

# Prints a line before and after each mutation, so that a process that dies tells at which it did.
BATCH = (
    """
import json, sys
from pathlib import Path
import numpy as np
from walkaway.errors import BundleError
"""
    + MUTATE
    + """
def tell(value):
    print(json.dumps(value), flush=True)

def suffer(models, jobs, loaded):
    whole = loaded()
    for number, (name, how) in enumerate(jobs):
        path, rng = models / name, np.random.default_rng(number)
        data = path.read_bytes()
        path.write_bytes(mutated(data, how, rng))
        tell([name, how, "begun"])
        try:
            said = "the same" if loaded() == whole else "SOMETHING ELSE"
        except BundleError as error:
            said = f"BundleError: {error}"
        except Exception as error:
            said = f"refused: {type(error).__name__}"
        path.write_bytes(data)
        tell([name, how, said])
    assert loaded() == whole
"""
)
CHAMPION = (
    BATCH
    + """
from walkaway.models.registry import load_champion, rollback
def loaded():
    model = load_champion(models)
    pointer = (models / "champion.json").read_bytes()
    rollback(models)
    (models / "champion.json").write_bytes(pointer)
    return model.version
models, jobs = Path(sys.argv[1]), json.loads(sys.stdin.read())
suffer(models, jobs, loaded)
"""
)
SERVED = (
    BATCH
    + """
import logging
from walkaway.training.mlflow_log import _mlflow, default_uri
mlflow = _mlflow(default_uri(models := Path(sys.argv[1])), models)
logging.disable()
import pandas as pd
frame, jobs = json.loads(sys.stdin.read())
frame = pd.DataFrame(frame)
def loaded():
    served = mlflow.pyfunc.load_model("models:/walkaway@champion")
    said = [served.predict(frame, params) for params in (None, {"bar": 55.0})]
    return [table.to_json(double_precision=15, date_format="iso") for table in said]
suffer(models, jobs, loaded)
"""
)


def suffered(program: str, models: Path, given: object) -> tuple[int, list[list[str]], str]:
    """A process that suffers these mutations: its exit code, what it told, and its errors."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(models)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=ROOT,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def jobs_of(names: list[str], times: int) -> list[tuple[str, str]]:
    """Each file in each way so many times; what is not random is done once."""
    once = ("last byte", "empty", "nested", "added line")
    return [(name, how) for name in names for how in WAYS for _ in range(1 if how in once else times)]


def frame_of(models: Path, book) -> dict[str, list]:
    """A few snapshots of the book, as MLflow takes them."""
    model = load_champion(models)
    deals = book.deals.head(6)
    asked = pd.DataFrame({"deal_id": deals["deal_id"], "as_of": deals["created_at"] + pd.Timedelta(days=9)})
    rows = read_rows(History(book), asked, model.plan)
    frame = pd.DataFrame(rows.X, columns=model.plan.columns).assign(**rows.terms)
    return json.loads(frame.to_json())


def test_all_files_under_models_are_guarded_or_listed_as_logs(real):
    champions = rf"champion\.json|({'|'.join(before_and_now(real))})/.+"
    others = [name for name in guarded(real) if not re.fullmatch(champions, name)]

    assert [name for name in others if not REGISTERED.fullmatch(name) and not MLMODEL.fullmatch(name)] == []
    assert len(guarded(real)) == 1 + 4 * 12 + 2  # the pointer, two bundles and their copies, two MLmodel


def before_and_now(models: Path) -> list[str]:
    pointer = json.loads((models / "champion.json").read_text())
    return [pointer["version"], pointer["before"][0]["version"]]


def test_the_readme_of_models_tells_of_every_file_and_of_which_are_logs(real):
    """Its table has a line a kind, with a pattern; the last column says what guards it, or that it is a log."""
    lines = [line.strip("|").split("|") for line in (ROOT / "models/README.md").read_text().splitlines()]
    told = [(re.findall("`([^`]+)`", cells[0]), cells[-1].strip()) for cells in lines if len(cells) == 3]
    kinds = [(f"^({pattern})$", guard) for patterns, guard in told for pattern in map(as_pattern, patterns)]
    for name in names_of(real):
        [guard] = [guard for pattern, guard in kinds if re.search(pattern, name)]
        assert (guard == "nothing: a log") == (name not in guarded(real)), name


def as_pattern(path: str) -> str:
    """A path as the table writes it: `*` is any name or part of one, VERSION and ID are what they say."""
    words = {r"\*": r"[^/]+", "VERSION": r"(\d{8}-)?[0-9a-f]{12}", "ID": "[0-9a-f]{32}"}
    return reduce(lambda text, word: text.replace(word, words[word]), words, re.escape(path))


def test_any_damage_to_pointer_and_bundles_is_refused_with_the_file_named(real, tmp_path):
    models = Path(shutil.copytree(real, tmp_path / "models"))
    now, before = before_and_now(models)
    mine = {one: [name for name in guarded(models) if name.startswith(one)] for one in ("champion", now, before)}
    jobs = jobs_of(mine["champion"] + mine[now], 8) + jobs_of(mine[before], 2)
    code, told, errors = suffered(CHAMPION, models, jobs)
    said = [(name, how, what) for name, how, what in told if what != "begun"]

    assert (code, errors, len(said)) == (0, "", len(jobs))
    assert len(jobs) == 13 * (4 + 5 * 8) + 12 * (4 + 5 * 2) == 740
    assert [one for one in said if not re.match(rf"BundleError: .*{one[0]}: ", one[2])] == []


@pytest.fixture(scope="module")
def served(real, book):
    """What was told of damage to the champion's registered copy and to MLflow's description of it."""
    [copy] = [path.parents[2] for path in real.glob(f"mlruns/models/*/artifacts/data/{champion_version(real)}")]
    mine = [name for name in guarded(real) if (real / name).is_relative_to(copy)]
    jobs = jobs_of(mine, 2) + jobs_of([name for name in mine if MLMODEL.fullmatch(name)], 4)
    code, told, errors = suffered(SERVED, real, [frame_of(real, book), jobs])
    assert (code, len(told), errors) == (0, 2 * len(jobs), "")
    return [(name, how, what) for name, how, what in told if what != "begun"]


def test_any_damage_to_the_registered_bundle_is_refused_with_the_file_named(served):
    copies = [one for one in served if REGISTERED.fullmatch(one[0])]

    assert len(copies) >= 110
    assert [one for one in copies if not re.match(rf"BundleError: .*/{Path(one[0]).name}: ", one[2])] == []


def test_damage_to_mlflows_description_is_refused_or_changes_no_call(served):
    said = Counter(what.split(":")[0] for name, _, what in served if MLMODEL.fullmatch(name))

    assert set(said) <= {"BundleError", "refused", "the same"}
    assert said["BundleError"] + said["refused"] >= 10


@pytest.mark.parametrize(
    ("found", "other"), [('default": ', 'default": 1'), ('"bar"', '"bat"')], ids=["default", "name"]
)
def test_a_bar_changed_in_mlflows_description_is_refused_by_name(real, tmp_path, found, other):
    [copy] = real.glob(f"mlruns/models/*/artifacts/data/{champion_version(real)}")
    folder = Path(shutil.copytree(copy.parents[1], tmp_path / "artifacts"))
    text = (folder / "MLmodel").read_text()
    (folder / "MLmodel").write_text(text.replace(found, other))
    assert found in text

    with pytest.raises(BundleError, match=r"/MLmodel: its signature does not match the bundle beside it\. Train again"):
        _load_pyfunc(str(folder / "data" / copy.name))


# What no accident does


@pytest.fixture
def folder(models) -> Path:
    """The champion's bundle in a models folder that may be changed."""
    return models / champion_version(models)


def point(models: Path, **changed: object) -> None:
    """A pointer whose own checksum holds, as a forger would write it."""
    said = {n: v for n, v in json.loads((models / "champion.json").read_text()).items() if n != "checksum"} | changed
    (models / "champion.json").write_bytes(json_bytes(said | {"checksum": _pointer_checksum(said)}))


@pytest.mark.parametrize("name", ["win-2.txt", "notes.md", ".win-0.txt.abcdefgh", "sub/model.json"])
def test_a_file_that_the_manifest_does_not_name_is_refused(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")

    with pytest.raises(BundleError, match=rf"/{name.split('/')[0]}: the bundle's manifest does not name it\. Move it"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["../x", "/etc/hostname", "sub/../model.json", "win-0.pkl", "", "win-0.txt\n"])
def test_a_manifest_that_names_anything_but_a_bundles_own_files_is_refused(folder, name):
    manifest = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_bytes(json_bytes(manifest | {"files": manifest["files"] | {name: "0" * 64}}))

    with pytest.raises(BundleError, match=r"/bundle\.json: names .*, which is not a file of a bundle"):
        load_bundle(folder)


def test_a_manifest_that_lost_a_booster_is_refused_rather_than_read_as_a_smaller_model(folder):
    manifest = json.loads((folder / "bundle.json").read_text())
    files = {name: digest for name, digest in manifest["files"].items() if name != "win-1.txt"}
    (folder / "win-1.txt").unlink()
    (folder / "bundle.json").write_bytes(json_bytes(manifest | {"files": files}))

    with pytest.raises(BundleError, match=r"/bundle\.json: its version does not match the files it names"):
        load_bundle(folder)


def test_a_manifest_that_tells_another_day_is_refused(folder):
    text = (folder / "bundle.json").read_text()
    (folder / "bundle.json").write_text(text.replace('"version": "2025', '"version": "2026'))

    with pytest.raises(BundleError, match=r"/bundle\.json: its version does not match the files it names"):
        load_bundle(folder)


def test_a_link_to_the_same_bytes_is_read_and_one_to_others_or_to_nothing_is_refused(folder, tmp_path):
    path, elsewhere = folder / "win-0.txt", tmp_path / "elsewhere.txt"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert load_bundle(folder).version == folder.name

    elsewhere.write_text("tree")
    with pytest.raises(BundleError, match=r"/win-0\.txt: it does not match its checksum in bundle\.json"):
        load_bundle(folder)
    elsewhere.unlink()
    with pytest.raises(BundleError, match=r"/win-0\.txt: the bundle's manifest names this file, and it is missing"):
        load_bundle(folder)


def test_training_clears_a_link_and_not_what_it_leads_to(models, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    (models / ".champion.json.abcdefgh").symlink_to(tmp_path / "mine")

    assert clear_unfinished(models) == [".champion.json.abcdefgh"]
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_only_what_trainings_leave_is_cleared(models):
    gone = [".champion.json.abc_1234", ".mlflow.db.abcdefgh", ".20250804-0123456789ab.old.77"]
    kept = [".lock", ".mlflow.lock", ".champion.json.bak", ".calls.csv.abcdefgh", "20250804-0123456789ab", ".git"]
    for name in gone + kept:
        (models / name).mkdir(exist_ok=True)

    assert clear_unfinished(models) == sorted(gone)
    assert [name for name in kept if not (models / name).exists()] == []


@pytest.mark.parametrize("version", ["../elsewhere", "a/b", "/etc", "..", "", "20250804-0123456789ab/../x", 7, None])
def test_a_pointer_to_anything_but_a_bundle_right_here_is_refused(models, version):
    point(models, version=version)
    with pytest.raises(BundleError, match=r"/champion\.json: it was changed after it was written"):
        champion_version(models)


@pytest.mark.parametrize("before", [[{"version": "../x", "manifest": ""}], [[]], "ab", {"version": "x"}, 7])
def test_a_pointer_that_remembers_anything_but_bundles_is_refused(models, before):
    point(models, before=before)
    with pytest.raises(BundleError, match=r"/champion\.json: it was changed after it was written"):
        rollback(models)


def test_a_forged_pointer_is_read_where_it_names_a_bundle(models):
    point(models, before=[])

    assert load_champion(models).version == champion_version(models)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["lists", "objects"])
@pytest.mark.parametrize("name", ["champion.json", "bundle.json"])
def test_json_nested_too_deep_is_refused_by_name(models, folder, name, opening):
    path = models / name if name == "champion.json" else folder / name
    path.write_bytes(opening * 500_000)

    with pytest.raises(BundleError, match=rf"/{name}: must be readable JSON"):
        champion_version(models) if name == "champion.json" else load_bundle(folder)


def test_a_model_nested_too_deep_is_refused_though_its_checksum_holds(folder):
    text = (folder / "model.json").read_bytes()
    manifest = json.loads((folder / "bundle.json").read_text())
    deep = text[:-1] + b',"deep":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    (folder / "model.json").write_bytes(deep)
    files = manifest["files"] | {"model.json": sha256(deep).hexdigest()}
    version = _version(Facts(), files)
    (folder / "bundle.json").write_bytes(json_bytes(manifest | {"files": files, "version": version}))

    with pytest.raises(BundleError, match=r"/model\.json: a part is missing or wrong: RecursionError"):
        load_bundle(folder)


# What the command line says of it


@pytest.mark.parametrize("name", ["champion.json", "bundle.json", "model.json", "win-0.txt"])
@pytest.mark.parametrize("command", ["score", "batch", "explain"])
def test_each_command_that_calls_refuses_damage_with_exit_code_3_and_one_sentence(
    models, folder, saved_book, tmp_path, monkeypatch, capsys, command, name
):
    path = models / name if name == "champion.json" else folder / name
    path.write_bytes(path.read_bytes()[:-2])
    more = {"score": (), "batch": ("--now", "2025-10-14", "--out-dir", tmp_path / "out"), "explain": ("d001",)}[command]
    monkeypatch.chdir(tmp_path)
    argv = ["walkaway", command, *more, "--book", saved_book, "--models", models]
    monkeypatch.setattr(sys, "argv", [str(one) for one in argv])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()

    assert (ended.value.code, said.out) == (3, "")
    assert re.fullmatch(rf"walkaway: {path}: [^\n]+ Restore the file, or train again with --promote\.\n", said.err)


# No pickle

UNPICKLE = """
import sys, pickle, joblib, cloudpickle
def refuse(*args, **kwargs):
    raise AssertionError("something was unpickled")
for module, names in ((pickle, ("load", "loads", "Unpickler")), (joblib, ("load",)), (cloudpickle, ("load", "loads"))):
    for name in names:
        setattr(module, name, refuse)
def audit(event, args):
    if event == "pickle.find_class":  # whatever unpickles an object must look its class up
        refuse()
sys.addaudithook(audit)
"""
WITHOUT_PICKLE = """
import json, os
from pathlib import Path
import pandas as pd
from tests.books import UNTIL, settings_of
from walkaway.training import run as retrain, mlflow_log as tracking
from walkaway.models.registry import load_champion
from walkaway.models.model import Rows, make_calls
from walkaway.report.figures import training_figures
from walkaway.asof.history import History
from walkaway.book.io import read_book
from walkaway.models.model import read_rows
book, models = map(Path, sys.argv[1:])
done = retrain.retrain(read_book(book), models, UNTIL, settings_of(), figures=training_figures)
model, read = load_champion(models), read_book(book)
rows = read_rows(History(read), done.trained.calls[["deal_id", "as_of"]].iloc[::5], model.plan)
frame = pd.DataFrame(rows.X, columns=model.plan.columns).assign(**rows.terms)
import mlflow
served = mlflow.pyfunc.load_model("models:/walkaway@champion")
for bar in (None, 55.0):
    said = make_calls(model, rows, model.curve.bar_for_forgo(0.10) if bar is None else bar).table
    found = served.predict(frame, bar and {"bar": bar})
    said = said.assign(wait_until=pd.Series(pd.NaT, index=said.index, dtype=said["wait_until"].dtype))
    pd.testing.assert_frame_equal(found, said[found.columns].reset_index(drop=True), check_exact=True)
print(len(frame), os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"])
"""


def is_pickle(data: bytes) -> bool:
    """Whether the bytes are instructions to an unpickler, from their first to a STOP."""
    try:
        pickletools.dis(data, out=io.StringIO())
    except Exception:
        return data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05"
    return True


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_known_by_its_content(protocol):
    assert is_pickle(pickle.dumps({"a": [1.0, Path("x")]}, protocol))


def test_no_file_under_models_is_a_pickle(real):
    suffixes = (".pkl", ".pickle", ".joblib", ".cloudpickle", ".skops", ".npy", ".npz", ".pt")
    names = names_of(real)

    assert len(names) > 50
    assert [name for name in names if name.endswith(suffixes) or is_pickle((real / name).read_bytes())] == []


def test_training_loading_and_serving_unpickle_nothing_and_serve_what_calls_say(fresh_models, saved_book):
    done = subprocess.run(
        [sys.executable, "-c", UNPICKLE + WITHOUT_PICKLE, str(saved_book), str(fresh_models)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=ROOT,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "115 false\n"), done.stderr


def test_the_process_that_must_not_unpickle_would_be_stopped():
    code = UNPICKLE + "import _pickle, datetime\n_pickle.loads(_pickle.dumps(datetime.date(2026, 1, 1)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "AssertionError: something was unpickled" in done.stderr
