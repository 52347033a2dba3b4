import gzip
import json
import os
import sys
from io import StringIO
from subprocess import run

import pandas as pd
import pytest
from tests.books import END_DAY, UNTIL, day, settings_of

from walkaway import __version__, cli
from walkaway.config import InForce, ScoreSettings
from walkaway.errors import UsageError
from walkaway.files import exclusive
from walkaway.models.registry import champion_version
from walkaway.scoring.score import score

pytest_plugins = ("tests.books",)

COMMANDS = ["import", "audit", "train", "rollback", "score", "batch", "replay", "explain", "check", "config"]
LOG = b"""<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <trace><string key="concept:name" value="1"/><date key="REG_DATE" value="2011-10-01T09:00:00.000+02:00"/>
    <string key="AMOUNT_REQ" value="5000"/>
    <event><string key="concept:name" value="A_SUBMITTED"/><string key="lifecycle:transition" value="COMPLETE"/>
      <date key="time:timestamp" value="2011-10-01T09:00:00.000+02:00"/></event>
  </trace>
</log>
"""


@pytest.fixture
def walkaway(monkeypatch, capsys, tmp_path):
    """Runs the command in this process, in an empty folder: its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    ours = [name for name in os.environ if name.startswith("WALKAWAY_")]
    for name in (*ours, "MLFLOW_TRACKING_URI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["walkaway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return command


@pytest.fixture
def here(saved_book, models) -> list[str]:
    """The options that name a book and a models folder with a champion."""
    return ["--book", str(saved_book), "--models", str(models)]


@pytest.fixture
def tiny(monkeypatch):
    """Trainings of tiny settings."""
    monkeypatch.setattr("walkaway.config.read_settings", lambda file=None: InForce(settings_of(), {}))


def open_deal(book, as_of=UNTIL) -> str:
    deals = book.deals
    still = deals[(deals["created_at"] <= as_of) & ~(deals["closed_at"] <= as_of)]
    return still["deal_id"].iloc[0]


# Audit


def test_audit_prints_what_it_looked_at_on_stderr(walkaway, saved_book, tiny):
    code, out, err = walkaway("audit", "--book", saved_book, "--until", UNTIL.isoformat())

    assert (code, out) == (0, "")
    assert "Leak audit: 11 columns, fields, kinds and roles" in " ".join(err.split())


def test_audit_as_json_lists_sources_and_features(walkaway, saved_book, tiny):
    code, out, _ = walkaway("audit", "--book", saved_book, "--json")
    said = json.loads(out)

    assert (code, said["left_out"], said["denied"]) == (0, [], [])
    assert said["sources"][0]["source"] == "deals.owner_id"
    assert "separation_last" in said["features"][0]


# Help, version


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_command_on_stdout(walkaway, option):
    code, out, err = walkaway(option)

    assert (code, err) == (0, "")
    assert [name for name in COMMANDS if f" {name} " not in out] == []
    assert "What is an hour spent on this deal from now on worth" in " ".join(out.split())


@pytest.mark.parametrize(
    "command",
    [
        ["sample"],
        ["import"],
        ["import", "xes"],
        ["import", "table"],
        ["train"],
        ["score"],
        ["batch"],
        ["replay"],
        ["explain"],
        ["config", "show"],
    ],
)
def test_each_command_has_help(walkaway, command):
    code, out, err = walkaway(*command, "--help")

    assert (code, err) == (0, "")
    assert f"walkaway {' '.join(command)}" in out


def test_no_line_of_help_is_longer_than_80_columns(walkaway):
    commands = ([], ["sample"], ["train"], ["score"], ["batch"], ["replay"], ["explain"], ["config", "show"])
    screens = [walkaway(*command, "--help")[1] for command in (*commands, ["import", "xes"], ["import", "table"])]

    assert [line for out in screens for line in out.splitlines() if len(line) > 80] == []


def test_the_version_is_printed(walkaway):
    assert walkaway("--version") == (0, f"walkaway {__version__}\n", "")


# Exit codes and errors: one sentence on stderr, nothing on stdout, no traceback


def assert_refused(ended: tuple[int, str, str], code: int, *parts: str) -> None:
    found, out, err = ended
    said = " ".join(err.replace("│", " ").split())

    assert (found, out) == (code, "")
    assert [part for part in parts if part not in said] == []
    assert "Traceback" not in err
    assert "unexpected" not in err


@pytest.mark.parametrize("moment", ["yesterday-ish", "2026-13-45", "", "NaT", "31.01.2026x"])
@pytest.mark.parametrize("command", [["score", "--as-of"], ["explain", "d001", "--as-of"], ["train", "--until"]])
def test_a_bad_moment_exits_with_2(walkaway, here, command, moment):
    *words, option = command

    assert_refused(
        walkaway(*words, *here, option, moment), 2, f"walkaway: {option} {moment}: must be a moment in ISO 8601"
    )


def test_an_unknown_deal_exits_with_2(walkaway, here):
    assert_refused(walkaway("explain", "d99", *here), 2, "walkaway: deal d99 is not in the book. Did you mean d199")


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_from_and_to_alone_exit_with_2(walkaway, here, option):
    assert_refused(walkaway("score", *here, option, "2025-08-01"), 2, "--from and --to go together")


def test_from_after_to_exits_with_2(walkaway, here):
    ended = walkaway("score", *here, "--from", "2025-08-02", "--to", "2025-08-01")

    assert_refused(ended, 2, "--from 2025-08-02 lies after --to 2025-08-01. Swap them.")


def test_as_of_beside_from_and_to_exits_with_2(walkaway, here):
    ended = walkaway("score", *here, "--as-of", "2025-08-01", "--from", "2025-08-01", "--to", "2025-08-01")

    assert_refused(ended, 2, "--as-of names one moment, --from and --to many: give one or the other.")


@pytest.mark.parametrize("out", ["calls.xlsx", "calls", "calls.csv.gz", "-.txt"])
def test_a_bad_extension_exits_with_2_before_anything_is_read(walkaway, out):
    ended = walkaway("score", "--book", "nowhere", "--models", "nowhere", "--out", out)

    assert_refused(ended, 2, f"--out {out}: the extension must be one of .csv")


@pytest.mark.parametrize("every", ["0d", "-1d", "often", "", "nat"])
def test_a_step_that_is_no_length_of_time_above_zero_exits_with_2(walkaway, here, every):
    ended = walkaway("score", *here, "--from", "2025-08-01", "--to", "2025-08-02", "--every", every)

    assert_refused(ended, 2, f"--every {every}: must be a length of time above 0, such as 1d, 7d or 12h.")


def test_a_step_without_a_unit_is_refused_rather_than_taken_as_nanoseconds(walkaway, here):
    ended = walkaway("score", *here, "--from", "2025-08-01", "--to", "2025-08-02", "--every", "5")

    assert_refused(ended, 2, "--every 5: must be a length of time above 0, such as 1d, 7d or 12h.")


@pytest.mark.parametrize(
    "arguments",
    [
        ["score", "--forgo", "1.5"],
        ["score", "--bar", "-1"],
        ["score", "--reasons", "21"],
        ["score", "--no-such-option"],
        ["explain"],
        ["sing"],
        ["import", "csv"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(walkaway, arguments):
    assert_refused(walkaway(*arguments), 2, "Usage: ", "for help.", "Error")


def test_a_moment_before_any_data_exits_with_2(walkaway, here):
    assert_refused(walkaway("score", *here, "--as-of", "1999-01-01"), 2, "lies before the book's first deal")
    assert_refused(
        walkaway("train", *here, "--until", "1999-01-01"), 2, "--until 1999-01-01T00:00Z lies before the first"
    )


@pytest.mark.parametrize("command", [["train"], ["score"], ["explain", "d001"]])
def test_no_book_exits_with_3(walkaway, models, command):
    ended = walkaway(*command, "--book", "nowhere", "--models", models)

    assert_refused(
        ended, 3, "walkaway: nowhere is not a book: it has no manifest.json. Make one with `walkaway import`."
    )


@pytest.mark.parametrize("command", [["score"], ["explain", "d001"]])
def test_no_champion_exits_with_3(walkaway, saved_book, tmp_path, command):
    ended = walkaway(*command, "--book", saved_book, "--models", tmp_path / "none")

    assert_refused(
        ended, 3, "none holds no champion (no champion.json). Train one: walkaway train --book BOOK --models"
    )


@pytest.mark.parametrize("name", ["win-0.txt", "model.json", "bundle.json", "champion.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_bundle_exits_with_3(walkaway, here, models, name, damage):
    path = models / name if name == "champion.json" else models / champion_version(models) / name
    path.write_bytes(path.read_bytes()[:-9])
    if damage == "gone":
        path.unlink()

    assert_refused(walkaway("score", *here), 3, "walkaway: ", name)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_truncated_log_exits_with_3_and_leaves_no_book(walkaway, tmp_path, packed):
    name, whole = ("log.xes.gz", gzip.compress(LOG)) if packed else ("log.xes", LOG)
    (tmp_path / name).write_bytes(whole[: len(whole) * 2 // 3])

    assert_refused(walkaway("import", "xes", tmp_path / name, "--mapping", "bpic2012", "--out", "book"), 3, name)
    assert not (tmp_path / "book").exists()


def test_a_log_that_is_absent_exits_with_a_sentence(walkaway, tmp_path):
    code, out, err = walkaway("import", "xes", tmp_path / "none.xes", "--mapping", "bpic2012", "--out", "book")

    assert (code in (2, 3), out) == (True, "")
    assert "none.xes" in err.replace("\n", "")
    assert "Traceback" not in err


def test_a_held_lock_exits_with_5(walkaway, here, models):
    with exclusive(models):
        ended = walkaway("train", *here)

    assert_refused(ended, 5, "models is in use by another run", "Wait for it to end.")


def test_what_nobody_foresaw_becomes_one_line_and_exit_code_1(walkaway, here, monkeypatch):
    monkeypatch.setattr("walkaway.book.read_book", lambda folder: 1 / 0)
    code, out, err = walkaway("score", *here)

    assert (code, out) == (1, "")
    assert err == ("walkaway: unexpected ZeroDivisionError: division by zero. Set WALKAWAY_DEBUG=1 to see where.\n")


def test_with_debug_on_the_unforeseen_is_shown_whole(monkeypatch, here):
    monkeypatch.setattr("walkaway.book.read_book", lambda folder: 1 / 0)
    monkeypatch.setenv("WALKAWAY_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["walkaway", "score", *here])

    with pytest.raises(ZeroDivisionError, match="division by zero"):
        cli.main()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["score", "--as-of", "x"], 3), (["sing"], 2)],
)
def test_the_installed_command_ends_with_the_code_and_no_traceback(tmp_path, arguments, code):
    done = run([sys.executable, "-m", "walkaway", *arguments], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert (done.stdout == "") == (code != 0)
    assert list(tmp_path.iterdir()) == []


# score


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


@pytest.mark.parametrize("command", [["score"], ["replay", "--from", "2025-07-07", "--to", "2025-07-14"]])
@pytest.mark.parametrize(
    ("dials", "told"),
    [
        (["--bar", "5", "--forgo", "0.1"], "--forgo 0.1 and --bar 5: one dial sets the bar. Give one of them."),
        (
            ["--capacity", "0"],
            "--capacity 0: must be hours a week above 0. A team without an hour has no deal to call.",
        ),
        (["--bar", "inf"], "--bar inf: must be a number."),
        (["--guarantee", "--capacity", "9"], "it goes with --forgo, not with a bar or a capacity."),
    ],
)
def test_dials_that_contradict_or_cannot_be_exit_with_2(walkaway, saved_book, command, dials, told):
    code, out, err = walkaway(*command, "--book", saved_book, *dials)

    assert (code, out) == (2, "")
    assert told in err


def test_a_share_that_cannot_be_promised_is_told(walkaway, here, tmp_path):
    out = tmp_path / "calls.csv"
    err = walkaway("score", *here, "--forgo", "0.01", "--guarantee", "--out", out)[2]

    assert pd.read_csv(out)["bar"].unique() == [0.0]
    assert "No bar can be promised to forgo no more than 1%" in " ".join(err.split())


# replay


def test_replay_tells_what_it_found_on_stderr_and_keeps_it(walkaway, saved_book, tiny, tmp_path):
    period = ["--from", "2025-07-07", "--to", "2025-08-18", "--every", "7d", "--retrain", "21d"]
    code, out, err = walkaway("replay", "--book", saved_book, "--out", tmp_path / "past", *period)

    assert (code, out) == (0, "")
    for part in ("Walk-away skill", "Hours saved at", "Had the verdicts been followed", "The last cheap exit"):
        assert part in err
    assert [line for line in err.splitlines() if len(line) > 80] == []
    assert {"ledger.parquet", "summary.json", "exits.csv"} <= {path.name for path in (tmp_path / "past").iterdir()}
    again = walkaway("replay", "--book", saved_book, "--out", tmp_path / "past", *period, "--json")[1]
    assert json.loads(again)["notes"] == []


def test_a_replay_from_after_its_end_exits_with_2(walkaway, saved_book):
    code, _, err = walkaway("replay", "--book", saved_book, "--from", "2025-08-18", "--to", "2025-07-07")

    assert (code, err) == (2, "walkaway: --from 2025-08-18 lies after --to 2025-07-07. Swap them.\n")


# batch


def test_batch_writes_its_folder_and_tells_what_changed_on_stderr_only(walkaway, here, tmp_path):
    code, out, err = walkaway("batch", *here, "--now", "2025-08-04")
    assert (code, out) == (0, "")
    assert "No calls of an earlier run in reports: nothing to compare with." in " ".join(err.split())

    code, out, err = walkaway("batch", *here, "--now", "2025-08-11")
    assert (code, out) == (0, "")
    assert "newly open" in err
    assert "All of them: reports/changes.csv" in err
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
    monkeypatch.setattr("walkaway.scoring.batch.uncalled", lambda calls, open_deals: ["d7"])
    code, out, err = walkaway("batch", *here, "--now", "2025-08-04", "--json")

    assert (code, json.loads(out)["exit_status"]) == (6, 6)
    assert err.startswith("walkaway: 1 of 33 open deals got no call: d7. The others are written.")


def test_a_bar_by_hand_reaches_the_batch(walkaway, here):
    out = walkaway("batch", *here, "--now", "2025-08-04", "--bar", "123.5", "--json")[1]

    assert json.loads(out)["bar"] == 123.5


# Settings


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(walkaway, here, tmp_path, monkeypatch):
    def bar(*options):
        out = walkaway("score", *here, "--as-of", "2025-08-04", "--reasons", "0", *options)[1]
        return pd.read_csv(StringIO(out))["bar"].iloc[0]

    (tmp_path / "walkaway.toml").write_text("[score]\nbar = 11")
    assert bar() == 11
    monkeypatch.setenv("WALKAWAY_SCORE__BAR", "22")
    assert bar() == 22
    assert bar("--bar", "33") == 33


def test_a_bar_of_the_file_reaches_explain(walkaway, here, book, tmp_path):
    (tmp_path / "walkaway.toml").write_text("[score]\nbar = 11")

    assert json.loads(walkaway("explain", open_deal(book), *here, "--as-of", "2025-08-04", "--json")[1])["bar"] == 11


def test_hours_of_the_file_reach_the_score(walkaway, here, tmp_path):
    (tmp_path / "walkaway.toml").write_text("[hours]\ncall = 0\nemail = 0\nmeeting = 0")
    out = walkaway("score", *here, "--as-of", "2025-08-04", "--reasons", "0")[1]

    assert pd.read_csv(StringIO(out))["assumed_hours_share"].unique().tolist() == [0.0]


def test_config_names_another_file(walkaway, here, tmp_path):
    (tmp_path / "b.toml").write_text("[score]\nbar = 11")
    out = walkaway("--config", "b.toml", "score", *here, "--as-of", "2025-08-04", "--reasons", "0")[1]

    assert pd.read_csv(StringIO(out))["bar"].iloc[0] == 11


@pytest.mark.parametrize("command", [["score"], ["batch"], ["train"], ["explain", "d001"], ["config", "show"]])
def test_a_setting_that_does_not_exist_exits_with_2(walkaway, here, tmp_path, command):
    (tmp_path / "walkaway.toml").write_text("[score]\nbat = 11")
    ended = walkaway(*command, *([] if command[0] == "config" else here))

    assert_refused(ended, 2, "file walkaway.toml: there is no setting score.bat. Did you mean score.bar?")


def test_config_show_prints_a_table_on_stdout(walkaway, tmp_path):
    (tmp_path / "walkaway.toml").write_text("[score]\nbar = 11")
    code, out, err = walkaway("config", "show")
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines() if line.strip()}

    assert (code, err) == (0, "")
    assert rows["score.bar"] == "11.0 file walkaway.toml"
    assert rows["score.forgo"] == "0.1 default"


def test_config_show_prints_json_with_secrets_masked(walkaway, monkeypatch):
    monkeypatch.setenv("WALKAWAY_TRACKING_URI", "https://ann:s3cret@mlflow.example.com")
    code, out, err = walkaway("config", "show", "--json")

    assert (code, err) == (0, "")
    assert json.loads(out)["tracking_uri"] == {
        "value": "https://***@mlflow.example.com",
        "from": "environment WALKAWAY_TRACKING_URI",
    }


# explain


def test_explain_prints_a_card_on_stdout_only(walkaway, here, book):
    deal = open_deal(book)
    code, out, err = walkaway("explain", deal, *here, "--as-of", "2025-08-04")

    assert (code, err) == (0, "")
    assert f"Deal {deal} at 4 Aug 2025, 00:00 UTC" in out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert "\x1b" not in out


def test_explain_draws_its_steps_into_a_file(walkaway, here, book, tmp_path):
    deal = open_deal(book)
    code, out, err = walkaway("explain", deal, *here, "--as-of", "2025-08-04", "--waterfall", tmp_path / "w.svg")

    assert (code, err) == (0, "")
    assert f"Deal {deal} at 4 Aug 2025, 00:00 UTC" in out
    assert (tmp_path / "w.svg").read_text().startswith("<?xml")


def test_explain_refuses_a_figure_of_no_known_kind_before_anything_else(walkaway, here):
    code, out, err = walkaway("explain", "no such deal", *here, "--waterfall", "w.xlsx")

    assert (code, out) == (2, "")
    assert "--waterfall w.xlsx: a figure is written as .png, .svg, .pdf" in err


def test_explain_names_deals_like_the_one_that_does_not_exist(walkaway, here):
    code, out, err = walkaway("explain", "d1000", *here)

    assert (code, out) == (2, "")
    assert "deal d1000 is not in the book. Did you mean d1" in err


def test_portfolio_prints_the_pipeline_and_its_json(walkaway, here):
    code, out, err = walkaway("portfolio", *here, "--as-of", "2025-08-04", "--bar", "150", "--owner-audit")
    told = json.loads(walkaway("portfolio", *here, "--as-of", "2025-08-04", "--bar", "150", "--json")[1])

    assert (code, err) == (0, "")
    assert "deals open at 4 Aug 2025, 00:00 UTC" in out
    assert "owner id" in out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert (told["bar"], told["as_of"]) == (150.0, "2025-08-04T00:00:00+00:00")
    assert told["drops"] == []  # by owner only where an audit asks for it


def test_report_writes_its_folder_and_says_the_answer_on_stderr(walkaway, here, tmp_path):
    options = ("--as-of", "2025-08-04", "--bar", "600", "--format", "html", "--out", tmp_path / "out")
    code, out, err = walkaway("report", *here, *options)

    assert (code, out) == (0, "")
    assert "Letting go of " in err
    assert (tmp_path / "out" / "report.html").is_file()


def test_report_prints_the_digest_alone_where_it_is_asked_for(walkaway, here, tmp_path):
    options = ("--as-of", "2025-08-04", "--bar", "600", "--format", "md", "--out", tmp_path / "out", "-q")
    code, out, err = walkaway("report", *here, *options)

    assert (code, err) == (0, "")
    assert out == (tmp_path / "out" / "digest.md").read_text()


@pytest.mark.parametrize(
    ("option", "said"),
    [("--decisions", "cannot be read as decisions"), ("--replay", "summary.json is no summary of a replay")],
)
def test_report_names_what_it_cannot_read(walkaway, here, tmp_path, option, said):
    code, out, err = walkaway("report", *here, option, tmp_path / "none", "--out", tmp_path / "out")

    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_portfolio_names_a_replay_that_is_not_there(walkaway, here, tmp_path):
    code, out, err = walkaway("portfolio", *here, "--replay", tmp_path)

    assert (code, out) == (2, "")
    assert "ledger.parquet: there is no such ledger. Name the --out of a finished walkaway replay." in err


def test_explain_prints_json_on_stdout_only(walkaway, here, book):
    deal = open_deal(book)
    code, out, err = walkaway("explain", deal, *here, "--as-of", "2025-08-04", "--bar", "9", "--json")
    read = json.loads(out)

    assert (code, err) == (0, "")
    assert (read["deal_id"], read["as_of"], read["bar"]) == (deal, "2025-08-04T00:00:00+00:00", 9.0)


def test_colours_are_left_out_where_no_color_is_set(walkaway, here, book, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    arguments = ["explain", open_deal(book), *here, "--as-of", "2025-08-04"]
    coloured = walkaway(*arguments)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    plain = walkaway(*arguments)[1]

    assert "\x1b[32m" in coloured or "\x1b[31m" in coloured
    assert "\x1b[3" not in plain.replace("\x1b[3m", "")
    assert "\x1b[1;3" not in plain


# train


@pytest.mark.usefixtures("tiny")
def test_train_prints_json_on_stdout_only(walkaway, saved_book, fresh_models):
    where = ["--book", saved_book, "--models", fresh_models]
    code, out, err = walkaway("train", *where, "--until", "2025-08-04", "--json")
    read = json.loads(out)

    assert (code, err) == (0, "")
    assert read["version"] == read["champion"] == champion_version(fresh_models)
    assert (read["signal"], read["summary"]["deals"]) == (True, 171)
    assert [row["prediction"] for row in read["metrics"]["win"]] == [
        "win_probability",
        "logistic",
        "naive_bayes",
        "stage_rate",
        "base_rate",
    ]


# check


def test_check_tells_every_finding_on_stderr(walkaway, here):
    code, out, err = walkaway("check", *here)

    assert (code, out) == (0, "")
    assert [f"D{n} " in err for n in range(1, 8)] == [True] * 7


def test_check_as_json_goes_to_stdout(walkaway, here):
    code, out, err = walkaway("check", *here, "--as-of", day(250).isoformat(), "--json")
    told = json.loads(out)

    assert (code, err) == (0, "")
    assert sorted(finding["code"] for finding in told["findings"]) == [f"D{n}" for n in range(1, 8)]
    assert told["looked_at"] == day(245).isoformat()


def test_a_quiet_check_says_nothing(walkaway, here):
    assert walkaway("check", *here, "--quiet") == (0, "", "")


def test_check_is_told_thresholds_by_the_settings(walkaway, here, tmp_path):
    (tmp_path / "walkaway.toml").write_text("check.age = { watch = 0.001, act = 0.002 }")
    told = json.loads(walkaway("check", *here, "--json")[1])

    assert {f["code"]: f["level"] for f in told["findings"]}["D7"] == "act"


def test_check_refuses_a_moment_before_the_model_learned(walkaway, here):
    code, _, err = walkaway("check", *here, "--as-of", day(100).isoformat())

    assert code == 2
    assert "until when the model learned" in err


def test_check_refuses_a_book_that_does_not_fit(walkaway, here, models, book, tmp_path):
    from dataclasses import replace

    from walkaway.book.io import write_book

    other = replace(book, manifest=book.manifest.model_copy(update={"currency": "USD"}))
    write_book(other, tmp_path / "other")
    code, _, err = walkaway("check", "--book", tmp_path / "other", "--models", models)

    assert code == 3
    assert "the book's money is in USD, and the model learned in EUR" in err


@pytest.mark.usefixtures("tiny")
def test_a_second_train_that_the_gate_holds_exits_4_until_promoted_and_rollback_returns_to_the_first(
    walkaway, saved_book, fresh_models
):
    where = ["--book", saved_book, "--models", fresh_models]
    assert walkaway("train", *where, "--until", "2025-06-01", "--quiet") == (0, "", "")
    first = champion_version(fresh_models)

    code, out, err = walkaway("train", *where, "--until", "2025-07-01")
    assert (code, out, champion_version(fresh_models)) == (4, "", first)
    said = " ".join(err.split())
    assert "Gate: held, the same recipe, and too few deals settled since 2025-06-01 to tell" in said
    assert said.endswith(f"In use is {first}; --promote decides otherwise.")

    code, out, err = walkaway("train", *where, "--until", "2025-07-01", "--promote")
    assert (code, out) == (0, "")
    second = champion_version(fresh_models)
    assert second.startswith("20250701-")
    assert "in use (champion)" in " ".join(err.split())

    code, out, err = walkaway("rollback", "--models", fresh_models)
    assert (code, out, champion_version(fresh_models)) == (0, "", first)
    assert err.split() == f"In use now: {first} (was {second}).".split()
    code, _, err = walkaway("rollback", "--models", fresh_models)
    assert (code, "remembers no champion before" in err) == (2, True)


# import


def test_import_says_what_it_read_on_stderr_and_as_json_on_stdout(walkaway, tmp_path):
    (tmp_path / "log.xes").write_bytes(LOG)
    arguments = ["import", "xes", "log.xes", "--mapping", "bpic2012", "--out", "book"]
    code, out, err = walkaway(*arguments)
    assert (code, out) == (0, "")
    assert "Book book" in err

    code, out, err = walkaway(*arguments, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["rows_used"] == json.loads((tmp_path / "book" / "manifest.json").read_text())["rows_used"]
    assert walkaway(*arguments, "--quiet") == (0, "", "")


TABLE_MAPPING = """
source = "table"
[deals]
file = "deals*"
deal_id = "id"
created_at = "born"
closed_at = "closed"
outcome = { column = "state", won = ["W"], lost = ["L"], open = ["O"] }
"""


@pytest.fixture
def export(tmp_path):
    """A flat export in the folder of the command: two deals, one without a date."""
    (tmp_path / "deals.csv").write_text("id;born;closed;state\n1;01.01.2026;13.01.2026;W\n2;;;O\n")
    (tmp_path / "other.csv").write_text("x")
    (tmp_path / "mine.toml").write_text(TABLE_MAPPING)


@pytest.mark.usefixtures("export")
def test_import_table_says_what_it_found_on_stderr(walkaway):
    code, out, err = walkaway("import", "table", "deals.csv", "other.csv", "--mapping", "mine.toml", "--out", "book")

    said = " ".join(err.split())
    assert (code, out) == (0, "")
    assert "semicolon" in said
    assert "closed: %d.%m.%Y" in said
    assert "other.csv: not named by the mapping, left alone." in said
    assert "2 rows in = 1 used + 1 quarantined" in said
    assert [line for line in err.splitlines() if len(line) > 80] == []


@pytest.mark.usefixtures("export")
def test_import_table_says_what_it_found_as_json_on_stdout(walkaway):
    code, out, err = walkaway("import", "table", "deals.csv", "--mapping", "mine.toml", "--out", "book", "--json")
    read = json.loads(out)

    assert (code, err, read["quarantined"], read["book"]) == (0, "", 1, "book")
    assert read["files_read"] == [
        {
            "file": "deals.csv",
            "table": "deals",
            "rows": 2,
            "encoding": "utf-8",
            "separator": ";",
            "decimals": {},
            "dates": {"closed": "%d.%m.%Y", "born": "%d.%m.%Y"},
        }
    ]


@pytest.mark.usefixtures("export")
def test_a_suggested_mapping_goes_to_stdout_and_can_be_used(walkaway, tmp_path):
    code, out, err = walkaway("import", "table", "--suggest", "deals.csv", "other.csv")

    assert (code, err) == (3, "walkaway: other.csv: is empty: it has a header and no row. Export it again.\n")
    code, out, err = walkaway("import", "table", "--suggest", "deals.csv")
    assert (code, err) == (0, "")
    (tmp_path / "draft.toml").write_text(out)
    assert walkaway("import", "table", "deals.csv", "--mapping", "draft.toml", "--out", "book", "-q") == (0, "", "")


@pytest.mark.usefixtures("export")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["deals.csv"], 2, "--mapping is required: name a mapping, or draft one with --suggest."),
        (["deals.csv", "--mapping", "bpic2012"], 3, "mapping bpic2012: is for `walkaway import xes`."),
        (["none.csv", "--mapping", "mine.toml"], 3, "none.csv: no such file."),
        ([".", "--mapping", "mine.toml"], 3, "is a folder."),
        (["other.csv", "--mapping", "mine.toml"], 3, "no file fits deals*"),
    ],
)
def test_import_table_refuses_what_cannot_be_read(walkaway, tmp_path, arguments, code, says):
    assert_refused(walkaway("import", "table", *arguments, "--out", "book"), code, says)
    assert not (tmp_path / "book").exists()


def test_the_book_of_these_tests_ends_where_they_say(book):
    assert book.last_recorded_at() <= day(END_DAY)


@pytest.fixture
def without_dates(tmp_path, tiny):
    """A timeless book, imported and trained on; the options that name them."""
    rows = [("yes", "Won"), ("yes", "Won"), ("no", "Lost"), ("no", "Won"), ("no", "Lost"), ("yes", "")] * 40
    lines = [f"{budget},need {row // 6 % 4},{state}" for row, (budget, state) in enumerate(rows)]
    (tmp_path / "answers.csv").write_text("\n".join(["Budget,Need,State", *lines]))
    (tmp_path / "mine.toml").write_text(
        'source = "table"\ntimeless = true\n[deals]\nfile = "answers*"\nfixed_at_creation = ["budget", "need"]\n'
        '[deals.attributes]\nbudget = "Budget"\nneed = "Need"\n'
        '[deals.outcome]\ncolumn = "State"\nwon = ["Won"]\nlost = ["Lost"]\nopen = [""]\n'
    )
    return ["--book", "book", "--models", "models"]


def test_a_file_without_dates_goes_from_import_to_calls_with_a_warning_at_each_step(walkaway, without_dates):
    code, _, said = walkaway("import", "table", "answers.csv", "--mapping", "mine.toml", "--out", "book")
    assert (code, "No dates: nobody can tell" in said) == (0, True)

    code, _, said = walkaway("train", *without_dates)
    assert (code, "Time-less: what was known when is not known" in said) == (0, True)

    code, out, said = walkaway("score", *without_dates, "--out", "calls.csv")
    assert (code, out) == (0, "")
    assert "Time-less: value_per_hour is empty and every verdict is unsure" in " ".join(said.split())
    calls = pd.read_csv("calls.csv")
    assert len(calls) == 40
    assert calls[["as_of", "value_per_hour", "bar"]].isna().all(axis=None)

    code, out, _ = walkaway("score", *without_dates, "--out", "calls.csv", "--json")
    assert json.loads(out) | {"win_probability": 0, "model_version": ""} == {
        "calls": 40,
        "open_deals": 40,
        "timeless": True,
        "win_probability": 0,
        "verdicts": {"unsure": 40},
        "model_version": "",
        "unusable_deals": 0,
        "out": "calls.csv",
    }

    for option, value in (("--as-of", "2026-01-01"), ("--bar", "120.0")):
        code, _, said = walkaway("score", *without_dates, option, value)
        assert (code, f"{option} {value}: this book has no dates" in said) == (2, True)


def test_import_reports_money_in_the_currency_of_the_settings(walkaway, tmp_path):
    (tmp_path / "deals.csv").write_text(
        "id,born,sum,unit,state\n1,2026-01-05,100,USD,open\n2,2026-01-05,100,CHF,open\n"
    )
    (tmp_path / "mine.toml").write_text(
        'source = "table"\ncurrency = "USD"\n[deals]\nfile = "deals*"\ndeal_id = "id"\ncreated_at = "born"\n'
        'amount = "sum"\ncurrency = "unit"\nfixed_at_creation = ["amount"]\n'
        '[deals.outcome]\ncolumn = "state"\nwon = ["won"]\nlost = ["lost"]\nopen = ["open"]\n'
    )
    (tmp_path / "walkaway.toml").write_text(
        'money = { currency = "EUR", rates = [{ currency = "USD", from = 2026-01-01, rate = 0.85 }] }\n'
    )
    code, out, _ = walkaway("import", "table", "deals.csv", "--mapping", "mine.toml", "--out", "book", "--json")
    deals = pd.read_parquet("book/deals.parquet")

    assert (code, json.loads(out)["currency"], json.loads(out)["quarantined"]) == (0, "EUR", 1)
    assert deals[["deal_id", "amount", "currency"]].to_numpy().tolist() == [["1", 85.0, "EUR"]]


def test_hours_that_were_set_are_those_training_assumes(walkaway, here, monkeypatch):
    seen = []

    def stop(book, *more, **others):
        seen.append(book.manifest.assumed_hours)
        raise UsageError("seen enough")

    monkeypatch.setattr("walkaway.training.retrain", stop)
    monkeypatch.setenv("WALKAWAY_HOURS", '{"call": 0.5}')
    code, _, err = walkaway("train", *here)

    assert (code, err) == (2, "walkaway: seen enough\n")
    assert seen == [{"email": 0.1, "call": 0.5, "meeting": 1.0}]
