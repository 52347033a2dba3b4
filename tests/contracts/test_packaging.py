"""What is installed: declared once, locked for users and for developers."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIN = re.compile(r"^([\w.-]+)==(\S+)", flags=re.M)


def plain(name: str) -> str:
    """The name of a distribution as registries compare it, without extras and versions."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~!; ]", name)[0]).lower()


def names(requirements: list[str]) -> set[str]:
    return {plain(one) for one in requirements}


def imported() -> set[str]:
    """Top-level names that the package imports, without the standard library and itself."""
    found = set()
    for path in (ROOT / "src/walkaway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"walkaway"}


def locked(name: str) -> set[tuple[str, str]]:
    """Distributions with their versions; some have one each for several versions of Python."""
    return set(PIN.findall((ROOT / name).read_text()))


def test_all_that_is_imported_is_declared():
    declared = names(PROJECT["dependencies"]) | names(EXTRAS["mlflow"] + EXTRAS["pdf"])
    distributions = packages_distributions()

    assert {name for name in imported() if not {plain(one) for one in distributions[name]} & declared} == set()


def test_the_version_is_written_in_one_place():
    assert PROJECT["dynamic"] == ["version"]
    assert "version" not in PROJECT


def test_no_requirement_is_named_twice():
    everything = PROJECT["dependencies"] + [one for extra in EXTRAS.values() for one in extra]

    assert sorted(map(plain, everything)) == sorted(names(everything))


def test_developers_have_every_extra():
    extras = {"mlflow", "pdf"}

    assert set(EXTRAS) == extras | {"dev"}
    assert set(re.search(r"walkaway\[(.+)\]", " ".join(EXTRAS["dev"]))[1].split(",")) == extras


def test_users_get_the_versions_that_developers_test():
    assert locked("requirements.txt") - locked("requirements-dev.txt") == set()


def test_the_lock_files_hold_all_that_they_are_for():
    users = names(PROJECT["dependencies"] + EXTRAS["mlflow"] + EXTRAS["pdf"])
    developers = users | names(EXTRAS["dev"]) - {"walkaway"}

    assert users - {plain(name) for name, _ in locked("requirements.txt")} == set()
    assert developers - {plain(name) for name, _ in locked("requirements-dev.txt")} == set()


def test_the_lock_files_name_no_place():
    lines = [line for name in ("requirements.txt", "requirements-dev.txt") for line in (ROOT / name).open()]

    assert [line for line in lines if "://" in line or "file:" in line or line.startswith(("-", "/", "."))] == []
