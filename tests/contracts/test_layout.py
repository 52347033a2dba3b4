"""Tests mirror the source: whoever looks for the tests of a file finds them under the same name."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS, SOURCE = ROOT / "tests", ROOT / "src/walkaway"
# Rooms of tests that mirror no room of the package, and why.
OTHER_ROOMS = {
    "contracts": "rules over all features, commands, documents and files at once",
    "e2e": "the whole way, in real processes",
    "benchmarks": "mirrors benchmarks/ beside the package",
}
# Files of tests that mirror no file of the package, and why.
OTHER_FILES = {
    "audit/test_slow_endings.py": "books whose endings come late: all rules of the audit at once",
    "importers/test_time_zones.py": "days whose midnight comes twice or not at all, in cells.py and currencies.py",
    "cli/test_help.py": "what --help shows of every command",
    "report/terminal/test_locale.py": "the numbers of every table, written by report.locale",
    "test_walkaway.py": "the public names of the package, walkaway/__init__.py",
    "cli/test_cli.py": "help, exit codes and the sentence of an error: the room's door, cli/__init__.py",
}


def files_of_tests(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("test_*.py"))


def without_source(tests: Path, source: Path) -> list[str]:
    """Files of tests whose name leads to no file of the source."""
    mirrored = [path for path in files_of_tests(tests) if path.parts[0] not in OTHER_ROOMS]
    missing = [path for path in mirrored if not (source / path.with_name(path.name.removeprefix("test_"))).is_file()]
    return [str(path) for path in missing if str(path) not in OTHER_FILES]


def test_each_file_of_tests_is_named_after_a_file_of_the_source():
    assert without_source(TESTS, SOURCE) == []


def test_a_file_of_tests_in_another_room_than_its_source_is_found(tmp_path):
    for name in ("src/book/io.py", "tests/book/test_io.py", "tests/test_io.py", "tests/e2e/test_night.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert without_source(tmp_path / "tests", tmp_path / "src") == ["test_io.py"]


def test_each_benchmark_test_is_named_after_a_benchmark():
    tested = [path.name.removeprefix("test_") for path in (TESTS / "benchmarks").glob("test_*.py")]

    assert [name for name in tested if not (ROOT / "benchmarks" / name).is_file()] == []


def test_the_exceptions_still_exist():
    assert [name for name in (*OTHER_ROOMS, *OTHER_FILES) if not (TESTS / name).exists()] == []


def marked_hard(tests: Path) -> set[str]:
    """Files of tests some of which run by night only."""
    return {
        str(path) for path in files_of_tests(tests) if re.search(r"\bpytest\.mark\.hard\b", (tests / path).read_text())
    }


def named_above(target: str, makefile: str) -> set[str]:
    """Files of tests that the comment right above a target names."""
    [comment] = re.findall(rf"((?:^#.*\n)+){target}:", makefile, flags=re.M)
    return set(re.findall(r"tests/(\S+\.py)", comment))


def test_what_runs_by_night_only_is_listed_above_its_target():
    assert marked_hard(TESTS) - {"contracts/test_layout.py"} == named_above(
        "test-hard", (ROOT / "Makefile").read_text()
    )


def test_a_file_that_is_marked_and_not_listed_is_found(tmp_path):
    (tmp_path / "test_a.py").write_text("@pytest.mark.hard\ndef test_a(): ...")
    (tmp_path / "test_b.py").write_text("def test_b(): ...")

    assert marked_hard(tmp_path) == {"test_a.py"}
    assert named_above("night", "# tests/test_a.py\n# more\nnight: x\n") == {"test_a.py"}
