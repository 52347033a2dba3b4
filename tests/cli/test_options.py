from io import StringIO

import pandas as pd
import pytest
from tests.cli.conftest import assert_refused, open_deal

from walkaway.book import Book, Manifest
from walkaway.cli.options import newest_or, tell, training_moment
from walkaway.errors import UsageError

pytest_plugins = ("tests.books",)

DEALS = pd.DataFrame({"deal_id": ["d1", "d2"], "created_at": ["2026-01-05T09:00Z", "2026-01-07T08:00Z"]})
DATED = Book.of(deals=DEALS)
UNDATED = Book.of(Manifest(timeless=True), deals=DEALS.assign(created_at=pd.NaT))


@pytest.mark.parametrize("moment", ["yesterday-ish", "2026-13-45", "", "NaT", "31.01.2026x"])
@pytest.mark.parametrize("command", [["score", "--as-of"], ["explain", "d001", "--as-of"], ["train", "--until"]])
def test_a_bad_moment_exits_with_2(walkaway, here, command, moment):
    *words, option = command

    assert_refused(
        walkaway(*words, *here, option, moment), 2, f"walkaway: {option} {moment}: must be a moment in ISO 8601"
    )


@pytest.mark.parametrize("every", ["0d", "-1d", "often", "", "nat"])
def test_a_step_that_is_no_length_of_time_above_zero_exits_with_2(walkaway, here, every):
    ended = walkaway("score", *here, "--from", "2025-08-01", "--to", "2025-08-02", "--every", every)

    assert_refused(ended, 2, f"--every {every}: must be a length of time above 0, such as 1d, 7d or 12h.")


def test_a_step_without_a_unit_is_refused_rather_than_taken_as_nanoseconds(walkaway, here):
    ended = walkaway("score", *here, "--from", "2025-08-01", "--to", "2025-08-02", "--every", "5")

    assert_refused(ended, 2, "--every 5: must be a length of time above 0, such as 1d, 7d or 12h.")


def test_a_moment_before_any_data_exits_with_2(walkaway, here):
    assert_refused(walkaway("score", *here, "--as-of", "1999-01-01"), 2, "lies before the book's first deal")
    assert_refused(
        walkaway("train", *here, "--until", "1999-01-01"), 2, "--until 1999-01-01T00:00Z lies before the first"
    )


@pytest.mark.parametrize("command", [["score"], ["replay", "--from", "2025-07-07", "--to", "2025-07-14"]])
@pytest.mark.parametrize(
    ("dials", "told"),
    [
        (
            ["--bar", "5", "--forgo", "0.1"],
            "--forgo 0.1 and --bar 5: only one option may set the bar. Give one of them.",
        ),
        (
            ["--capacity", "0"],
            "--capacity 0: must be above 0 hours per week. Correct it.",
        ),
        (["--bar", "inf"], "--bar inf: must be a finite number. Correct it."),
        (["--guarantee", "--capacity", "9"], "--guarantee works only with --forgo."),
    ],
)
def test_dials_that_contradict_or_cannot_be_exit_with_2(walkaway, saved_book, command, dials, told):
    code, out, err = walkaway(*command, "--book", saved_book, *dials)

    assert (code, out) == (2, "")
    assert told in err


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(walkaway, here, tmp_path, monkeypatch):
    def bar(*options):
        out = walkaway("score", *here, "--as-of", "2025-08-04", "--reasons", "0", *options)[1]
        return pd.read_csv(StringIO(out))["bar"].iloc[0]

    (tmp_path / "walkaway.toml").write_text("[score]\nbar = 11")
    assert bar() == 11
    monkeypatch.setenv("WALKAWAY_SCORE__BAR", "22")
    assert bar() == 22
    assert bar("--bar", "33") == 33


def test_config_names_another_file(walkaway, here, tmp_path):
    (tmp_path / "b.toml").write_text("[score]\nbar = 11")
    out = walkaway("--config", "b.toml", "score", *here, "--as-of", "2025-08-04", "--reasons", "0")[1]

    assert pd.read_csv(StringIO(out))["bar"].iloc[0] == 11


@pytest.mark.parametrize("command", [["score"], ["batch"], ["train"], ["explain", "d001"], ["config", "show"]])
def test_a_setting_that_does_not_exist_exits_with_2(walkaway, here, tmp_path, command):
    (tmp_path / "walkaway.toml").write_text("[score]\nbat = 11")
    ended = walkaway(*command, *([] if command[0] == "config" else here))

    assert_refused(ended, 2, "file walkaway.toml: there is no setting score.bat. Did you mean score.bar?")


def test_colours_are_left_out_where_no_color_is_set(walkaway, here, book, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    arguments = ["explain", open_deal(book), *here, "--as-of", "2025-08-04"]
    coloured = walkaway(*arguments)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    plain = walkaway(*arguments)[1]

    assert "\x1b[32m" in coloured or "\x1b[31m" in coloured
    assert "\x1b[3" not in plain.replace("\x1b[3m", "")
    assert "\x1b[1;3" not in plain


def test_without_a_moment_the_newest_record_counts():
    assert newest_or(None, "--as-of", DATED) == pd.Timestamp("2026-01-07T08:00Z")
    assert newest_or("2026-01-06", "--as-of", DATED) == pd.Timestamp("2026-01-06T00:00Z")


def test_training_knows_all_the_book_knows_unless_a_moment_is_given():
    assert training_moment(None, DATED) == pd.Timestamp("2026-01-07T08:00Z")
    assert training_moment("2026-01-06", DATED) == pd.Timestamp("2026-01-06T00:00Z")


def test_a_book_without_dates_is_trained_on_without_a_moment_and_refuses_one():
    assert training_moment(None, UNDATED) is None
    with pytest.raises(UsageError, match=r"--until 2026-01-06: needs a book with dates"):
        training_moment("2026-01-06", UNDATED)


def test_a_sentence_for_a_reader_keeps_its_brackets(capsys):
    tell("report.pdf was left out (pip install 'walkaway[pdf]').", quiet=False)

    assert capsys.readouterr().err == "report.pdf was left out (pip install 'walkaway[pdf]').\n"
