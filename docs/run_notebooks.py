"""Run the notebooks from the first to the last on a sample book, and store their outputs.

    python docs/run_notebooks.py

They run in a folder of their own, so that no book or model of this project is read or changed.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def run(path: Path, folder: Path) -> None:
    """Run one notebook in a folder; store its outputs without versions and times, which differ from run to run."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=3600, record_timing=False, resources={"metadata": {"path": str(folder)}}).execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    nbformat.write(notebook, path)


def main() -> None:
    """Run all notebooks in order; later ones read what earlier ones wrote."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "notebooks"
        shutil.copytree(NOTEBOOKS, folder)
        (folder.parent / "data").mkdir()
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            run(path, folder)


if __name__ == "__main__":
    main()
