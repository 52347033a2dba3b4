import json
from io import StringIO

import pandas as pd
import pytest
from tests.books import UNTIL
from tests.cli.conftest import assert_refused

from walkaway.config import ScoreSettings
from walkaway.files import exclusive
from walkaway.scoring.score import score

pytest_plugins = ("tests.books",)


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_from_and_to_alone_exit_with_2(walkaway, here, option):
    assert_refused(walkaway("score", *here, option, "2025-08-01"), 2, "--from and --to go together")


def test_from_after_to_exits_with_2(walkaway, here):
    ended = walkaway("score", *here, "--from", "2025-08-02", "--to", "2025-08-01")

    assert_refused(ended, 2, "--from 2025-08-02 lies after --to 2025-08-01. Swap them.")


def test_as_of_beside_from_and_to_exits_with_2(walkaway, here):
    ended = walkaway("score", *here, "--as-of", "2025-08-01", "--from", "2025-08-01", "--to", "2025-08-01")

    assert_refused(ended, 2, "and --to at several, and both were given. Give one or the other.")


@pytest.mark.parametrize("out", ["calls.xlsx", "calls", "calls.csv.gz", "-.txt"])
def test_a_bad_extension_exits_with_2_before_anything_is_read(walkaway, out):
    ended = walkaway("score", "--book", "nowhere", "--models", "nowhere", "--out", out)

    assert_refused(ended, 2, f"--out {out}: the extension must be one of .csv")


def test_score_prints_csv_and_nothing_else(walkaway, here, champion, book):
    code, out, err = walkaway("score", *here, "--as-of", "2025-08-04")
    table = score(book, champion, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1))

    assert (code, err) == (0, "")
    read = pd.read_csv(StringIO(out), dtype=str)
    assert read.columns.tolist() == table.columns.tolist()
    assert read["deal_id"].tolist() == table["deal_id"].tolist()
    assert [float(text) for text in read["value_per_hour"]] == table["value_per_hour"].tolist()
    assert read["as_of"].unique().tolist() == ["2025-08-04T00:00:00Z"]


def test_score_prints_json_to_stdout_only(walkaway, here, champion, book):
    code, out, err = walkaway("score", *here, "--as-of", "2025-08-04", "--json")
    table = score(book, champion, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1))

    assert (code, err) == (0, "")
    assert [row["deal_id"] for row in json.loads(out)] == table["deal_id"].tolist()
    assert [row["value_per_hour"] for row in json.loads(out)] == pytest.approx(table["value_per_hour"].tolist())


def test_score_to_a_file_says_so_on_stderr_only(walkaway, here, tmp_path):
    code, out, err = walkaway("score", *here, "--as-of", "2025-08-04", "--out", "a/calls.csv")

    assert (code, out) == (0, "")
    assert "33 calls written to a/calls.csv" in " ".join(err.split())
    assert len((tmp_path / "a" / "calls.csv").read_text().splitlines()) == 34
    assert [line for line in err.splitlines() if len(line) > 80] == []


def test_quiet_score_to_a_file_prints_nothing(walkaway, here, tmp_path):
    assert walkaway("score", *here, "--as-of", "2025-08-04", "--out", "calls.parquet", "--quiet") == (0, "", "")
    assert len(pd.read_parquet(tmp_path / "calls.parquet")) == 33


def test_quiet_score_to_stdout_still_prints_the_data_asked_for(walkaway, here):
    assert walkaway("score", *here, "-q")[:2] == walkaway("score", *here)[:2]


def test_score_to_a_file_with_json_prints_json_on_stdout(walkaway, here):
    code, out, _ = walkaway("score", *here, "--as-of", "2025-08-04", "--out", "calls.csv", "--json")

    assert code == 0
    assert json.loads(out) != []


def test_score_calls_at_the_newest_record_by_default(walkaway, here, book):
    out = walkaway("score", *here, "--reasons", "0")[1]

    assert pd.read_csv(StringIO(out))["as_of"].unique().tolist() == [f"{book.last_recorded_at():%Y-%m-%dT%H:%M:%S}Z"]


def test_score_calls_at_many_moments_both_ends_included(walkaway, here):
    span = ["--from", "2025-08-01", "--to", "2025-08-02", "--every", "12h"]
    out = walkaway("score", *here, *span, "--reasons", "0")[1]

    assert pd.read_csv(StringIO(out))["as_of"].unique().tolist() == [
        "2025-08-01T00:00:00Z",
        "2025-08-01T12:00:00Z",
        "2025-08-02T00:00:00Z",
    ]


def test_a_moment_with_an_offset_is_taken_to_utc(walkaway, here):
    out = walkaway("score", *here, "--as-of", "2025-08-04T02:00+02:00", "--reasons", "0")[1]

    assert out == walkaway("score", *here, "--as-of", "2025-08-04", "--reasons", "0")[1]


def test_a_bar_by_hand_reaches_the_output(walkaway, here):
    out = walkaway("score", *here, "--bar", "123.5", "--reasons", "1")[1]
    table = pd.read_csv(StringIO(out))

    assert table["bar"].unique().tolist() == [123.5]
    assert [column for column in table if column.startswith("reason")] == ["reason_1"]


def test_the_share_to_forgo_reaches_the_output(walkaway, here, champion):
    out = walkaway("score", *here, "--forgo", "0.3", "--reasons", "0")[1]

    assert pd.read_csv(StringIO(out))["bar"].unique() == pytest.approx([champion.curve.bar_for_forgo(0.3)])


def test_the_hours_a_team_has_reach_the_output(walkaway, here, champion):
    out = walkaway("score", *here, "--capacity", "5", "--reasons", "0")[1]

    assert pd.read_csv(StringIO(out))["bar"].unique() == pytest.approx([champion.curve.bar_for_capacity(5.0)])


def test_a_share_that_cannot_be_guaranteed_is_told(walkaway, here, tmp_path):
    out = tmp_path / "calls.csv"
    err = walkaway("score", *here, "--forgo", "0.01", "--guarantee", "--out", out)[2]

    assert pd.read_csv(out)["bar"].unique() == [0.0]
    assert "No bar meets a 1% loss limit" in " ".join(err.split())


def test_batch_writes_its_folder_and_tells_what_changed_on_stderr_only(walkaway, here, tmp_path):
    code, out, err = walkaway("batch", *here, "--now", "2025-08-04")
    assert (code, out) == (0, "")
    assert "No calls of an earlier run in reports, so there is nothing to compare with." in " ".join(err.split())

    code, out, err = walkaway("batch", *here, "--now", "2025-08-11")
    assert (code, out) == (0, "")
    assert "newly open" in err
    assert "All changes: reports/changes.csv" in err
    assert [line for line in err.splitlines() if len(line) > 80] == []
    assert len((tmp_path / "reports" / "runs.jsonl").read_text().splitlines()) == 2


def test_batch_prints_its_record_as_json(walkaway, here, tmp_path):
    code, out, err = walkaway("batch", *here, "--now", "2025-08-04", "--out-dir", "out", "--json")

    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads((tmp_path / "out" / "runs.jsonl").read_text())


def test_quiet_batch_prints_nothing(walkaway, here):
    assert walkaway("batch", *here, "--now", "2025-08-04", "-q") == (0, "", "")


def test_a_stale_book_exits_with_3(walkaway, here):
    assert_refused(walkaway("batch", *here), 3, "its newest record is of 2025-10-1", "batch.max_age_days allows 3.")


def test_a_batch_folder_that_is_held_exits_with_5(walkaway, here, tmp_path):
    with exclusive(tmp_path / "reports"):
        ended = walkaway("batch", *here, "--now", "2025-08-04")

    assert_refused(ended, 5, "reports is in use by another run")


def test_an_open_deal_without_a_call_exits_with_6_after_the_output_is_told(walkaway, here, monkeypatch):
    monkeypatch.setattr("walkaway.scoring.batch.deals_without_call", lambda calls, open_deals: ["d7"])
    code, out, err = walkaway("batch", *here, "--now", "2025-08-04", "--json")

    assert (code, json.loads(out)["exit_status"]) == (6, 6)
    assert err.startswith("walkaway: 1 of 33 open deals got no call: d7. All other calls are written.")


BY_HAND = "on past deals, a bar of EUR 600 an hour would have gained EUR "


@pytest.mark.parametrize(
    "command", [("score", "--out", "calls.csv", "--reasons", "0"), ("batch", "--now", "2025-08-04", "--reasons", "0")]
)
def test_beside_a_bar_by_hand_stands_what_it_would_have_gained(walkaway, here, command):
    told = [" ".join(walkaway(*command, *here, *bar)[2].split()) for bar in (("--bar", "600"), ())]

    assert BY_HAND in told[0].replace(chr(160), " ")
    assert "Set by hand" not in told[1]


def test_a_bar_by_hand_reaches_the_batch(walkaway, here):
    out = walkaway("batch", *here, "--now", "2025-08-04", "--bar", "123.5", "--json")[1]

    assert json.loads(out)["bar"] == 123.5


def test_hours_of_the_file_reach_the_score(walkaway, here, tmp_path):
    (tmp_path / "walkaway.toml").write_text("[hours]\ncall = 0\nemail = 0\nmeeting = 0")
    out = walkaway("score", *here, "--as-of", "2025-08-04", "--reasons", "0")[1]

    assert pd.read_csv(StringIO(out))["assumed_hours_share"].unique().tolist() == [0.0]
