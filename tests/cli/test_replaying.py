import json

pytest_plugins = ("tests.books",)


def test_replay_tells_what_it_found_on_stderr_and_keeps_it(walkaway, saved_book, tiny, tmp_path):
    period = ["--from", "2025-07-07", "--to", "2025-08-18", "--every", "7d", "--retrain", "21d"]
    code, out, err = walkaway("replay", "--book", saved_book, "--out", tmp_path / "past", *period)

    assert (code, out) == (0, "")
    parts = ("Walk-away skill", "Hours saved, if", "If every verdict had been followed", "fell below the bar for good")
    for part in parts:
        assert part in err
    assert [line for line in err.splitlines() if len(line) > 80] == []
    assert {"ledger.parquet", "summary.json", "stop_points.csv"} <= {
        path.name for path in (tmp_path / "past").iterdir()
    }
    again = walkaway("replay", "--book", saved_book, "--out", tmp_path / "past", *period, "--json")[1]
    assert json.loads(again)["notes"] == []


def test_a_replay_from_after_its_end_exits_with_2(walkaway, saved_book):
    code, _, err = walkaway("replay", "--book", saved_book, "--from", "2025-08-18", "--to", "2025-07-07")

    assert (code, err) == (2, "walkaway: --from 2025-08-18 lies after --to 2025-07-07. Swap them.\n")
