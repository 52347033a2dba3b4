import json

import numpy as np
import pandas as pd
import pytest
from tests.books import END_DAY, day
from tests.conftest import at, table_of

from walkaway.book.io import write_book
from walkaway.config import BatchSettings, ScoreSettings, Settings
from walkaway.economics import DROPPED
from walkaway.errors import BookError, DataError, LockedError, UsageError
from walkaway.files import checksum, exclusive, read_lines
from walkaway.scoring import batch as module
from walkaway.scoring.advice import read_advice
from walkaway.scoring.batch import changes, deals_without_call, fresh_as_of, run_batch

pytest_plugins = ("tests.books",)

NOW = day(END_DAY)
FAST = Settings(score=ScoreSettings(reasons=0))
EARLIER, LATER = at("2026-01-05"), at("2026-01-06")

DEALS = """deal_id | created_at | closed_at | outcome
    falls | 2026-01-01 | - | -
    rises | 2026-01-01 | - | -
    stays | 2026-01-01 | - | -
    doubt | 2026-01-01 | - | -
    new | 2026-01-06 | - | -
    sold | 2026-01-01 | 2026-01-06 | won
    brief | 2026-01-05T06:00 | 2026-01-05T09:00 | lost
    later | 2026-01-01 | 2026-01-07 | lost
    mute | 2026-01-01 | - | -"""
BEFORE = """deal_id | verdict
    falls | pursue
    rises | walk_away
    stays | walk_away
    doubt | pursue
    sold | pursue
    later | pursue
    mute | pursue
    merged | unsure"""
AFTER = """deal_id | verdict
    falls | nurture
    rises | unsure
    stays | walk_away
    doubt | unsure
    later | pursue
    new | walk_away"""


def calls_of(text: str, as_of: pd.Timestamp, value: float = 100.0, bar: float = 90.0) -> pd.DataFrame:
    return table_of(text).assign(as_of=as_of, expected_value=2 * value, value_per_hour=value, bar=bar)


@pytest.fixture
def book(make_book):
    return make_book(deals=DEALS)


@pytest.fixture
def changed(book):
    return changes(calls_of(BEFORE, EARLIER), calls_of(AFTER, LATER, 80.0, 95.0), book)


# What changed


def test_each_changed_deal_has_one_row_by_kind_and_name(changed):
    assert list(zip(changed["deal_id"], changed["change"], strict=True)) == [
        ("falls", "newly_below_bar"),
        ("rises", "back_above_bar"),
        ("new", "newly_open"),
        ("brief", "closed"),
        ("sold", "closed"),
        ("merged", "gone"),
        ("mute", "not_called"),
    ]


def test_a_closed_deal_comes_with_its_outcome_one_opened_since_as_well(changed):
    outcome = changed.set_index("deal_id")["outcome"]

    assert outcome[["brief", "sold"]].tolist() == ["lost", "won"]
    assert outcome.drop(["brief", "sold"]).isna().all()


def test_a_close_after_the_later_moment_is_not_told(changed):
    assert "later" not in changed["deal_id"].tolist()


def test_a_deal_of_which_the_bag_is_no_longer_sure_counts_as_kept(changed):
    assert "doubt" not in changed["deal_id"].tolist()


def test_a_row_says_what_was_before_and_what_is_now(changed):
    assert changed.iloc[0].drop("outcome").to_dict() == {
        "deal_id": "falls",
        "change": "newly_below_bar",
        "verdict_before": "pursue",
        "verdict": "nurture",
        "expected_value_before": 200.0,
        "expected_value": 160.0,
        "value_per_hour_before": 100.0,
        "value_per_hour": 80.0,
        "bar_before": 90.0,
        "bar": 95.0,
    }


def test_the_same_calls_again_change_nothing(book):
    same = calls_of(AFTER, LATER)

    assert changes(same, same, book).empty


def test_comparing_leaves_both_runs_as_they_were(book):
    before, after = calls_of(BEFORE, EARLIER), calls_of(AFTER, LATER)
    copies = before.copy(), after.copy()
    changes(before, after, book)

    pd.testing.assert_frame_equal(before, copies[0])
    pd.testing.assert_frame_equal(after, copies[1])


def test_a_deal_that_was_reopened_is_newly_open(book):
    before = calls_of("deal_id | verdict\nfalls | pursue", EARLIER)
    after = calls_of("deal_id | verdict\nfalls | pursue\nstays | pursue", LATER)
    found = changes(before, after, book)

    assert found.loc[found["change"] == "newly_open", "deal_id"].tolist() == ["stays"]


# Freshness


def test_a_book_exactly_as_old_as_allowed_is_fresh(book):
    assert fresh_as_of(book, at("2026-01-10"), 3, "b") == at("2026-01-07")


def test_a_book_older_than_allowed_is_refused_with_its_age(book):
    text = (
        r"^data/book: its newest record is of 2026-01-07 00:00 UTC, 3\.5 days before 2026-01-10 12:00 UTC; "
        r"batch\.max_age_days allows 3\. Export and import again"
    )

    with pytest.raises(DataError, match=text):
        fresh_as_of(book, at("2026-01-10T12:00"), 3, "data/book")


def test_what_was_recorded_after_now_is_not_looked_at(book):
    assert fresh_as_of(book, at("2026-01-05T10:00"), 3, "b") == at("2026-01-05T09:00")


def test_a_moment_before_the_first_deal_is_refused(book):
    with pytest.raises(DataError, match=r"^b: no deal had been created by 2025-01-01 00:00 UTC\. Use a later --now\.$"):
        fresh_as_of(book, at("2025-01-01"), 3, "b")


# Complete


def test_a_deal_without_row_verdict_or_number_is_uncalled():
    calls = pd.DataFrame({"deal_id": ["a", "b", "c"], "verdict": ["pursue", None, "unsure"]})
    calls = calls.assign(expected_value=1.0, value_per_hour=[1.0, 1.0, np.nan], bar_unit="hour")

    assert deals_without_call(calls, pd.Series(["a", "b", "c", "d"])) == ["b", "c", "d"]
    assert deals_without_call(calls.assign(bar_unit="deal"), pd.Series(["a", "b", "c", "d"])) == ["b", "d"]


# The whole run


@pytest.fixture
def run(saved_book, models, tmp_path):
    def once(now=NOW, settings=FAST, book=saved_book):
        return run_batch(book, models, tmp_path / "out", settings, now=now)

    return once


@pytest.fixture
def records(tmp_path):
    return lambda: read_lines(tmp_path / "out" / "runs.jsonl")


def test_a_run_leaves_calls_changes_and_a_record(run, tmp_path):
    run()

    names = sorted(path.name for path in (tmp_path / "out").iterdir() if path.name != ".lock")
    assert names == ["advice.csv", "calls.csv", "changes.csv", "runs.jsonl"]


def test_each_deals_first_advice_is_kept_from_run_to_run(run, tmp_path, saved_book):
    """Two runs of one model a week apart: what the first advised stays as it was, the second adds to it."""
    half = FAST.model_copy(update={"score": FAST.score.model_copy(update={"keep_share": 0.5})})
    first = run(now=NOW - pd.Timedelta(days=7)).calls
    before = read_advice(tmp_path / "out" / "advice.csv")
    second = run(settings=half).calls
    after = read_advice(tmp_path / "out" / "advice.csv")
    drops = [set(calls.loc[calls["verdict"].isin(DROPPED), "deal_id"]) for calls in (first, second)]

    assert set(before["deal_id"]) == drops[0]
    assert set(after["deal_id"]) == drops[0] | drops[1] > drops[0]
    pd.testing.assert_frame_equal(after.iloc[: len(before)], before)
    fresh = after.iloc[len(before) :].set_index("deal_id")
    kept = second.set_index("deal_id").loc[fresh.index, "kept_to_learn"]
    assert fresh["kept"].tolist() == kept.tolist()
    assert not before["kept"].any()


def test_the_record_says_what_was_called_on_what(run, records, champion, saved_book, tmp_path):
    done = run()
    [record] = records()

    assert record == done.record
    assert (record["now"], record["as_of"]) == (NOW.isoformat(), done.calls["as_of"].iloc[0].isoformat())
    assert record["book"] == module.read_book(saved_book).manifest.fingerprint
    assert (record["model_version"], record["bar"]) == (champion.version, champion.curve.bar_for_forgo(0.1))
    assert record["open_deals"] == len(done.calls) == sum(record["verdicts"].values())
    assert (record["calls"], record["calls_sha256"]) == ("calls.csv", checksum(tmp_path / "out" / "calls.csv"))
    assert (record["exit_status"], record["error"], record["changes"]) == (0, None, None)
    assert record["started_at"] <= record["ended_at"]


def test_the_first_run_says_that_there_is_nothing_to_compare_with(run, tmp_path):
    done = run()

    assert done.changes is None
    assert done.notes == (f"No calls of an earlier run in {tmp_path / 'out'}, so there is nothing to compare with.",)


def test_a_rerun_gives_the_same_bytes_and_no_change(run, tmp_path):
    run()
    first = (tmp_path / "out" / "calls.csv").read_bytes()
    again = run()

    assert (tmp_path / "out" / "calls.csv").read_bytes() == first
    assert again.changes.empty
    assert again.record["changes"] == {}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_week_later_what_closed_and_what_opened_is_told(run, kind, saved_book, tmp_path):
    settings = FAST.model_copy(update={"batch": BatchSettings(format=kind)})
    first, second = run(day(200), settings), run(day(207), settings)
    told = second.changes.set_index("deal_id")["change"]
    before, after = set(first.calls["deal_id"]), set(second.calls["deal_id"])

    assert set(told.index[told == "newly_open"]) == after - before
    assert before - after <= set(told.index[told == "closed"])
    assert second.record["changes"] == told.value_counts().to_dict()
    written = pd.read_csv(tmp_path / "out" / "changes.csv")
    assert written["deal_id"].tolist() == second.changes["deal_id"].tolist()


def test_the_format_may_change_from_run_to_run(run):
    run(day(200))
    second = run(day(207), FAST.model_copy(update={"batch": BatchSettings(format="parquet")}))

    assert len(second.changes) > 0
    assert second.out.name == "calls.parquet"


def test_another_bar_is_told_apart_from_the_deals(run):
    run(settings=Settings(score=ScoreSettings(bar=100.0, reasons=0)))
    second = run(settings=Settings(score=ScoreSettings(bar=5000.0, reasons=0)))

    assert second.notes[1] == "The bar changed from EUR 100 to EUR 5,000 an hour."
    assert set(second.changes["change"]) == {"newly_below_bar"}


@pytest.mark.parametrize("damage", [b"", b"deal_id,verdict\n1,pursue\n", b"\xff\x00\x01"])
def test_calls_that_are_not_what_the_last_run_wrote_are_said_so_and_the_run_goes_on(run, damage, tmp_path):
    run()
    (tmp_path / "out" / "calls.csv").write_bytes(damage)
    done = run()

    assert done.changes is None
    assert done.notes[0].endswith("calls.csv was changed after the last run wrote it, so nothing was compared.")
    assert run().changes.empty


@pytest.mark.parametrize("damage", [b"", b"deal_id,verdict\n1,pursue\n", b"\xff\x00\x01"])
def test_damaged_calls_without_any_record_do_not_stop_a_run(run, damage, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "calls.csv").write_bytes(damage)

    assert "calls.csv cannot be read as calls (" in run().notes[0]


def test_calls_of_a_later_moment_are_not_compared(run):
    run()
    done = run(day(200))

    assert done.changes is None
    assert done.notes[0].startswith("The last run called deals at a later moment, 12 Oct 2025, 21:19 UTC")


def test_a_stale_book_is_refused_and_recorded_and_the_last_calls_stay(run, records, tmp_path):
    run()
    first = (tmp_path / "out" / "calls.csv").read_bytes()
    with pytest.raises(DataError, match=r"batch\.max_age_days allows 3"):
        run(day(END_DAY + 9))

    assert (tmp_path / "out" / "calls.csv").read_bytes() == first
    assert [record["exit_status"] for record in records()] == [0, 3]
    assert "batch.max_age_days allows 3" in records()[1]["error"]


def test_a_longer_limit_allows_an_older_book(run):
    settings = FAST.model_copy(update={"batch": BatchSettings(max_age_days=30)})

    assert len(run(day(END_DAY + 9), settings).calls) > 0


def test_a_book_that_is_none_is_recorded_with_its_sentence(run, records, tmp_path):
    with pytest.raises(BookError):
        run(book=tmp_path / "none")

    assert [(r["exit_status"], r["book"], r["calls"]) for r in records()] == [(3, None, None)]
    assert "is not a book: it has no manifest.json" in records()[0]["error"]


def test_an_unexpected_error_is_recorded_too(run, records, monkeypatch):
    monkeypatch.setattr(module, "score", lambda *given, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run()

    assert [(r["exit_status"], r["error"]) for r in records()] == [
        (1, "unexpected ZeroDivisionError: division by zero")
    ]


def test_a_failed_run_is_no_run_to_compare_with(run, monkeypatch):
    run(day(200))
    with pytest.raises(DataError):
        run(day(END_DAY + 9))

    assert len(run(day(207)).changes) > 0


def test_a_held_lock_stops_a_run_and_leaves_no_record(run, records, tmp_path):
    with exclusive(tmp_path / "out"), pytest.raises(LockedError, match="is in use by another run"):
        run()

    assert records() == []


def test_a_file_where_the_folder_should_be_is_refused(run, tmp_path):
    (tmp_path / "out").write_text("")

    with pytest.raises(UsageError, match=r"out: must be a folder, found: File exists\. Name another folder\.$"):
        run()


def test_an_open_deal_without_a_call_is_named_and_the_others_are_written(run, records, monkeypatch):
    whole = module.score
    monkeypatch.setattr(module, "score", lambda *given, **more: whole(*given, **more).sort_values("deal_id").iloc[1:])
    done = run()

    text = f"1 of {len(done.calls) + 1} open deals got no call: d1"
    assert str(done.problem).startswith(text)
    assert (done.record["exit_status"], done.problem.exit_code) == (6, 6)
    assert records()[0]["error"] == str(done.problem)
    assert len(pd.read_csv(done.out)) == len(done.calls)


def test_a_torn_last_line_of_records_is_left_out_and_replaced(run, records, tmp_path):
    run()
    path = tmp_path / "out" / "runs.jsonl"
    path.write_bytes(path.read_bytes() + b'{"started_at": "2026-01')
    assert len(records()) == 1
    run()

    assert [json.loads(line)["exit_status"] for line in path.read_text().splitlines()] == [0, 0]


def test_hours_that_were_set_are_those_the_run_assumes(run):
    free = {"call": 0.0, "email": 0.0, "meeting": 0.0}

    assert run().calls["assumed_hours_share"].iloc[0] > 0
    assert run(settings=FAST.model_copy(update={"hours": free})).calls["assumed_hours_share"].iloc[0] == 0


def test_hours_other_than_those_of_training_are_said(run):
    said = "The assumed hours have changed since this model was trained. Train again."

    assert said not in run().notes
    assert said in run(settings=FAST.model_copy(update={"hours": {"call": 9.0}})).notes


def test_hours_of_a_kind_that_looks_like_a_slip_are_refused(run):
    with pytest.raises(
        UsageError, match=r"hours\.meting: the book has no activity of this kind\. Did you mean meeting"
    ):
        run(settings=FAST.model_copy(update={"hours": {"meting": 1.0}}))


def test_a_book_without_an_open_deal_is_refused(run, tmp_path, make_book):
    write_book(
        make_book(deals="deal_id | created_at | closed_at | outcome\nd | 2026-01-01 | 2026-01-02 | won"), tmp_path / "b"
    )
    with pytest.raises(DataError, match=r"b: no deal is open at 2026-01-02 00:00 UTC\. Check the"):
        run(at("2026-01-02"), book=tmp_path / "b")


def test_a_guarantee_that_no_bar_meets_is_reported(run):
    dial = ScoreSettings(reasons=0, forgo=0.02, guarantee=True)
    done = run(settings=FAST.model_copy(update={"score": dial}))

    assert any(note.startswith("No bar meets a 2% loss limit") for note in done.notes)
    assert done.record["bar"] == 0.0


def test_advice_that_cannot_be_read_stops_the_run_before_it_writes(run, records, tmp_path):
    run()
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.name != "runs.jsonl"}
    (tmp_path / "out" / "advice.csv").write_text("deal_id\nd1\n")

    with pytest.raises(UsageError, match="column advised_at is missing"):
        run(now=NOW - pd.Timedelta(days=7))
    after = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.name != "runs.jsonl"}
    assert after == before | {"advice.csv": b"deal_id\nd1\n"}
    assert records()[-1]["exit_status"] == 2
