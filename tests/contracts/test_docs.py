"""Docs say what is so, and become a site that is whole."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from tests.scripts import script

import walkaway
from walkaway.config import ScoreSettings, TrainSettings, read_settings
from walkaway.economics import Verdict
from walkaway.features import REGISTRY
from walkaway.features.choice import refuse_unknown
from walkaway.formatting import LocaleFormat

ROOT = Path(__file__).parents[2]
LOOK_UPS = re.findall(r"^\| .*`.*\|$", (ROOT / "docs/architecture.md").read_text(), flags=re.M)
README = (ROOT / "README.md").read_text()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FAULTS = {
    "[page](nowhere.md)": "cross-reference target not found: 'nowhere.md'",
    "[anchor here](#nowhere)": "cross-reference target not found: 'nowhere'",
    "[anchor there](other.md#nowhere)": "local id not found in doc 'other': 'nowhere'",
    "![picture](nowhere.png)": "image file not readable: nowhere.png",
    "```{toctree}\nmissing\n```": "toctree contains reference to nonexisting document 'missing'",
}


def test_every_room_of_the_package_is_named_in_the_architecture():
    picture = (ROOT / "docs/architecture.md").read_text()
    source = ROOT / "src/walkaway"
    rooms = {path.parent.name for path in source.glob("*/__init__.py")} | {
        path.stem for path in source.glob("[a-z]*.py")
    }
    assert {room for room in rooms if not re.search(rf"\b{room}\b", picture)} == set()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_python_file_that_a_page_names_exists(page):
    """Below src/walkaway or the project's root; `features/<family>.py` names none."""
    named = re.findall(r"[a-z_][a-z_0-9/]*\.py\b", page.read_text())
    places = (ROOT / "src/walkaway", ROOT)
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def defined(code: str) -> set[str]:
    """Names that a module defines: f, CLASS, CLASS.member and member."""
    names = set()
    for node in ast.parse(code).body:
        inner = node.body if isinstance(node, ast.ClassDef) else []
        names |= _names_of(node) | {f"{node.name}.{name}" for part in inner for name in _names_of(part)}
    return names | {name.split(".")[1] for name in names if "." in name}


def _names_of(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()


def missing_names(row: str) -> list[str]:
    """Names in backticks that no file of the same row defines, other than settings and verdicts."""
    source = ROOT / "src/walkaway"
    files = re.findall(r"`([a-z_/]+\.py)`", row)
    known = {*TrainSettings.model_fields, *ScoreSettings.model_fields, *get_args(Verdict)}
    known |= {name for file in files for name in defined((source / file).read_text(encoding="utf-8"))}
    named = re.findall(r"`([A-Za-z_]+(?:\.[A-Za-z_]+)?)`", row)
    return sorted({name for name in named if not name.endswith((".py", ".md"))} - known)


@pytest.mark.parametrize("row", LOOK_UPS, ids=lambda row: row.split("|")[1].strip())
def test_a_look_up_names_what_the_file_beside_it_defines(row):
    assert missing_names(row) == []


def test_a_name_that_no_file_beside_it_defines_is_found():
    row = "| known | `asof/events.py` (`Events.position`), `asof/recorded.py` (`recorded_at`), `unsure`, `forgo` |"

    assert missing_names(row) == ["Events.position", "recorded_at"]
    assert missing_names(row.replace("Events.", "Log.").replace("recorded_at", "recorded_by")) == []


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_the_formula_shows_the_floor_wherever_it_stands(page):
    formulas = re.findall(r"value_per_hour = .*/.*", page.read_text())
    assert [formula for formula in formulas if not formula.endswith("/ (remaining_hours + floor_hours)")] == []


def headings_of_the_report() -> list[tuple[str, str]]:
    """Level and words of each heading of the page, in its order."""
    templates = ROOT / "src/walkaway/report/html/templates"
    page = re.sub(
        r'{% include "(\w+\.html)" %}',
        lambda included: (templates / included[1]).read_text(),
        (templates / "report.html").read_text(),
    )
    page = re.sub(r'{{ "([^"]*)" if \w+ else "[^"]*" }}', r"\1", page)  # as in a book that records work
    page = page.replace("{{ lost }}", LocaleFormat().lost)
    return re.findall(r"<(h[23])[^>]*>([^<{]+)</h[23]>", page)


def test_how_to_read_the_report_names_its_sections_as_the_page_does_and_in_its_order():
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/reading-the-report.md").read_text(), flags=re.M)
    named, headings = [row for row in rows if row != "heading"], headings_of_the_report()

    assert [words for level, words in headings if level == "h2" and words not in named] == []
    assert [words for _, words in headings if words in named] == named


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


def test_the_readme_is_short():
    assert len(README.split()) < 600


def test_every_link_of_the_readme_leads_somewhere():
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)#]+)\)", readme)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_settings_the_docs_show_can_be_read(tmp_path, monkeypatch):
    block = (ROOT / "docs/settings.md").read_text().split("An example:")[1].split("\n\n")[1]
    (tmp_path / "walkaway.toml").write_text("\n".join(line.strip() for line in block.splitlines()))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    found = read_settings(tmp_path / "walkaway.toml")
    refuse_unknown(found.settings.train.features)

    assert sorted(found.origins) == [
        "batch.format",
        "batch.max_age_days",
        "hours.call",
        "hours.meeting",
        "lost_after_days",
        "money.currency",
        "money.rates",
        "report.locale",
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


def build_site(project: Path) -> subprocess.CompletedProcess:
    """What `make site` runs, word for word, in a folder that holds docs/."""
    arguments = re.search(r"\$\(RUN\)/sphinx-build (.*)", (ROOT / "Makefile").read_text()).group(1)
    command = [sys.executable, "-m", "sphinx", *shlex.split(arguments)]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """All docs as a site."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "docs", project / "docs", ignore=shutil.ignore_patterns("notebooks"))
    shutil.copytree(ROOT / "notebooks", project / "notebooks")
    done = build_site(project)
    assert (done.returncode, done.stderr) == (0, "")
    return project / "build/site"


@pytest.fixture
def small(tmp_path) -> Path:
    """A project of two pages, built as ours are."""
    docs = tmp_path / "docs"
    docs.mkdir()
    shutil.copy(ROOT / "docs/conf.py", docs)
    shutil.copytree(ROOT / "docs/_static", docs / "_static")
    (docs / "index.md").write_text("# Home\n\n```{toctree}\nother\n```\n\n[a heading](other.md#a-heading)\n")
    (docs / "other.md").write_text("# Other\n\n## A heading\n")
    return tmp_path


def test_a_site_without_faults_is_built(small):
    done = build_site(small)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_link_anchor_picture_or_page_that_is_missing_fails_the_site_and_is_named(small):
    with (small / "docs/index.md").open("a") as page:
        page.write("\n" + "\n\n".join(FAULTS) + "\n")
    done = build_site(small)

    assert done.returncode == 1
    assert [fault for fault, message in FAULTS.items() if message not in done.stderr] == []


def test_a_page_that_no_contents_name_fails_the_site_and_does_so_again(small):
    (small / "docs/left-out.md").write_text("# Left out\n")
    first, second = build_site(small), build_site(small)

    assert (first.returncode, second.returncode) == (1, 1)
    assert "left-out.md: WARNING: document isn't included in any toctree" in second.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_a_page_with_all_its_stored_outputs(site, path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    page = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")

    assert page.count('class="cell_output') == sum(bool(cell.get("outputs")) for cell in cells)


def test_no_page_of_the_site_fetches_anything_from_elsewhere(site):
    tag = r"<(?:script|link|img|iframe|source)[^>]*(?:src|href)=\"(?:https?:)?//[^>]*>"
    style = r"(?:url\(|@import )[\"']?(?:https?:)?//[^)]*"
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*") if path.suffix in (".html", ".css")}
    found = {path.name: re.findall(tag if path.suffix == ".html" else style, text) for path, text in texts.items()}

    assert {name: fetched for name, fetched in found.items() if fetched} == {}


def test_the_home_page_shows_the_report(site):
    assert "_images/report-desktop.png" in (site / "index.html").read_text(encoding="utf-8")


def test_every_public_name_is_on_the_page_of_the_python_api(site):
    page = (site / "api.html").read_text(encoding="utf-8")
    names = [name for name in walkaway.__all__ if not name.startswith("__")]

    assert [name for name in names if f'id="walkaway.{name}"' not in page] == [], "give it a docstring"
