"""What tests need besides the package: absent, it skips a test with a sentence, and fails it under CI."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.fixture
def nothing_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("nothing_on_the_path")
def test_a_test_that_needs_an_absent_tool_is_skipped_with_the_command_that_installs_it(needs, monkeypatch):
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception) as told:
        needs("pdftoppm")
    assert str(told.value) == ("This test needs pdftoppm, which is not on this machine: apt-get install poppler-utils.")


@pytest.mark.usefixtures("nothing_on_the_path")
def test_under_ci_it_fails(needs, monkeypatch):
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="This test needs chromium, which is not on this machine"):
        needs("chromium")


def test_a_tool_that_is_there_lets_the_test_go_on(needs, monkeypatch, tmp_path):
    (tmp_path / "pdftoppm").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert needs("pdftoppm") is None


def test_a_shared_file_that_is_absent_is_told_likewise(shared, monkeypatch):
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=r"The shared file none\.csv is not here"):
        shared("none.csv")


def test_no_test_passes_over_an_absent_module_unasked():
    """`importorskip` skips under CI too."""
    pattern = re.compile(r"pytest\.importorskip\(")

    assert [path.name for path in TESTS.rglob("*.py") if pattern.search(path.read_text(encoding="utf-8"))] == []
