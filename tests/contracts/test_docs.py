"""Docs say what is so."""

import re
from pathlib import Path

import pytest
from tests.scripts import script

from walkaway.config import read_settings
from walkaway.features import REGISTRY
from walkaway.features.choice import refuse_unknown

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_room_of_the_package_is_named_in_the_architecture():
    picture = (ROOT / "docs/architecture.md").read_text()
    source = ROOT / "src/walkaway"
    rooms = {path.parent.name for path in source.glob("*/__init__.py")} | {
        path.stem for path in source.glob("[a-z]*.py")
    }
    assert {room for room in rooms if not re.search(rf"\b{room}\b", picture)} == set()


def test_every_file_the_architecture_names_exists():
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", (ROOT / "docs/architecture.md").read_text())
    assert [name for name in named if not (ROOT / "src/walkaway" / name).exists()] == []


def test_no_two_files_of_the_package_share_a_name():
    names = [path.name for path in (ROOT / "src/walkaway").rglob("*.py") if not path.name.startswith("__")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_rooms_are_entered_by_their_doors():
    """From another room only the door is imported; labels, which look ahead, are asked for by name."""
    source = ROOT / "src/walkaway"
    rooms = {path.parent.name for path in source.glob("*/__init__.py")} - {"report", "cli"}
    found = []
    for path in source.rglob("*.py"):
        own = path.relative_to(source).parts[0]
        for room, module in re.findall(r"^\s*from walkaway\.(\w+)\.(\w+) import", path.read_text(), flags=re.M):
            if room in rooms - {own} and (room, module) != ("asof", "labels"):
                found.append(f"{path.relative_to(source)}: walkaway.{room}.{module}")
    assert sorted(found) == ["tracking.py: walkaway.training.mlflow_log"]


def test_every_link_of_the_readme_leads_somewhere():
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)#]+)\)", readme)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_settings_the_readme_shows_can_be_read(tmp_path, monkeypatch):
    block = README.split("`walkaway config show`")[1].split("\n\n")[1]
    (tmp_path / "walkaway.toml").write_text("\n".join(line.strip() for line in block.splitlines()))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    found = read_settings(tmp_path / "walkaway.toml")
    refuse_unknown(found.settings.train.features)

    assert sorted(found.origins) == [
        "batch.format",
        "batch.max_age_days",
        "hours.call",
        "hours.meeting",
        "money.currency",
        "money.rates",
        "score.bar",
        "train.audit.allowed",
        "train.features.denied",
    ]


def test_every_decision_is_numbered_in_order_and_opens_with_its_number():
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [path.name for path in decisions if not path.read_text().startswith(f"# {int(path.name[:4])}. ")] == []


def test_every_make_target_has_a_line_of_help():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.M))
    helped = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.M))
    assert targets - helped == set()


@pytest.fixture(scope="module")
def generate():
    with script("docs/generate.py") as module:
        yield module


@pytest.mark.parametrize("name", ["features.md", "commands.md"])
def test_what_the_code_knows_best_is_written_from_it(generate, name, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)

    assert (ROOT / "docs" / name).read_text() == generate.PAGES[name](), "run `make docs`"


def test_every_feature_and_every_command_is_in_the_docs():
    features, commands = ((ROOT / "docs" / name).read_text() for name in ("features.md", "commands.md"))

    assert [name for name in REGISTRY if f"| `{name}" not in features] == []
    for command in (
        "import xes",
        "import table",
        "sample",
        "train",
        "rollback",
        "score",
        "batch",
        "explain",
        "check",
        "config show",
    ):
        assert f"`walkaway {command}`\n" in commands
