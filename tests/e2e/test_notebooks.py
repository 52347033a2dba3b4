"""Every notebook runs from its first cell to its last, in order: on a small book, by night on the sample it makes."""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

pytest_plugins = ("tests.books",)

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 300_000  # bytes, outputs and all
LONGEST_CELL = 16  # lines: what is longer belongs into the package


@pytest.fixture(scope="module", params=["small", pytest.param("sample", marks=pytest.mark.hard)])
def place(request, saved_book, tmp_path_factory) -> Path:
    """A project of their own: notebooks beside a data folder that holds a small book, or none."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "data").mkdir()
    if request.param == "small":
        shutil.copytree(saved_book, root / "data" / "book")
    return root / "notebooks"


def test_there_are_four_lessons():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end(path, place):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(place / path.name, as_version=4)
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(place)}}).execute()
    said = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]

    assert len(said) >= 5
    assert [output.text for output in said if output.output_type == "stream" and output.name == "stderr"] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_reads_like_a_lesson_and_holds_no_logic(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]

    assert path.stat().st_size < LARGEST
    assert [cell["cell_type"] for cell in cells[:2]] == ["markdown", "code"]
    assert max(len(text.splitlines()) for text in code) <= LONGEST_CELL
    assert not re.search(r"^\s*(def|class) ", "\n".join(code), flags=re.M)
    assert "walkaway" in code[0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_names_a_place_on_a_machine(path):
    text = path.read_text(encoding="utf-8")
    here = (ROOT, Path.home(), Path(tempfile.gettempdir()), Path(sys.prefix))

    assert [place for place in here if f"{place}/" in text] == []
    assert not re.search(r"(/home/|/Users/|site-packages|[A-Z]:\\\\)", text)
