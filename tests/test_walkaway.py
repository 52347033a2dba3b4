"""The public names of the package."""

import subprocess
import sys
from pathlib import Path

import pytest

import walkaway

HEAVY = ("pandas", "numpy", "lightgbm", "sklearn", "mlflow", "matplotlib", "shap")


@pytest.mark.parametrize("name", walkaway.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(walkaway, name).__doc__


def test_all_lists_what_can_be_loaded_and_nothing_else():
    assert set(walkaway.__all__) == set(walkaway._ROOM_OF)
    assert walkaway.__all__ == sorted(walkaway.__all__)
    assert set(walkaway.__all__) <= set(dir(walkaway))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'walkaway' has no attribute 'sell'"):
        _ = walkaway.sell


def test_importing_the_package_or_asking_for_help_loads_nothing_heavy():
    found = f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    for what in ("import walkaway", "import walkaway.cli"):
        done = subprocess.run([sys.executable, "-c", f"import sys; {what}; {found}"], capture_output=True, text=True)
        assert done.stdout.strip() == "[]", what


def test_the_version_is_that_of_the_changelog():
    changelog = (Path(__file__).parents[1] / "CHANGELOG.md").read_text()

    assert f"## [{walkaway.__version__}]" in changelog or f"## {walkaway.__version__} " in changelog
