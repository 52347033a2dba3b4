"""Lines for a log: `walkaway --log json`."""

import json
import logging
import warnings

import pytest

pytest_plugins = ("tests.books",)


@pytest.fixture(autouse=True)
def plain_again():
    """Logging as it was: it is the process's own."""
    root, ours = logging.getLogger(), logging.getLogger("walkaway")
    before = root.handlers, root.level, ours.level
    yield
    root.handlers, root.level, ours.level = before
    logging.captureWarnings(False)


def lines(err: str) -> list[dict]:
    return [json.loads(line) for line in err.splitlines()]


def test_each_step_and_message_is_a_line_of_json(walkaway, here, tmp_path):
    code, out, err = walkaway("--log", "json", "score", *here, "--as-of", "2025-08-04", "--out", "calls.csv")
    told = lines(err)

    assert (code, out) == (0, "")
    assert [line["event"] for line in told if line["kind"] == "step"] == [
        "reading book and model",
        "scoring open deals",
    ]
    [message] = [line["event"] for line in told if line["kind"] == "message"]
    assert "33 calls written to calls.csv" in message
    assert {line["level"] for line in told} == {"info"}


def test_the_error_that_ends_a_command_is_a_line_with_its_exit_code(walkaway, here):
    code, _, err = walkaway("--log", "json", "score", *here, "--as-of", "1999-01-01")
    last = lines(err)[-1]

    assert (code, last["exit_code"], last["level"], last["kind"]) == (2, 2, "error", "end")
    assert last["event"].startswith("--as-of 1999-01-01") or "lies before the book's first deal" in last["event"]


def test_what_was_not_expected_says_where_it_happened(walkaway, here, monkeypatch):
    monkeypatch.setattr("walkaway.book.read_book", lambda *_: 1 / 0)
    code, _, err = walkaway("--log", "json", "score", *here)
    last = lines(err)[-1]

    assert (code, last["exit_code"]) == (1, 1)
    assert "ZeroDivisionError" in last["traceback"]


def test_warnings_become_lines_too(walkaway, here, monkeypatch):
    def read(*_):
        warnings.warn("the disk is old", stacklevel=1)
        raise SystemExit(0)

    monkeypatch.setattr("walkaway.book.read_book", read)
    err = walkaway("--log", "json", "score", *here)[2]

    assert any(line["level"] == "warning" and "the disk is old" in line["event"] for line in lines(err))


def test_lines_of_text_carry_moment_level_and_fields(walkaway, here):
    err = walkaway("--log", "text", "score", *here, "--as-of", "2025-08-04", "--out", "calls.csv")[2]
    first = err.splitlines()[0]

    assert first.endswith("Z info reading book and model kind=step")


def test_another_form_of_log_exits_with_2(walkaway, here):
    assert walkaway("--log", "xml", "score", *here)[0] == 2


def test_without_a_log_nothing_but_text_for_a_reader_is_written(walkaway, here):
    err = walkaway("score", *here, "--as-of", "2025-08-04", "--out", "calls.csv")[2]

    assert not err.startswith("{")
