import gzip
import json

import pandas as pd
import pytest
from tests.books import settings_of
from tests.cli.conftest import assert_refused

from walkaway.config import InForce

pytest_plugins = ("tests.books",)

LOG = b"""<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <trace><string key="concept:name" value="1"/><date key="REG_DATE" value="2011-10-01T09:00:00.000+02:00"/>
    <string key="AMOUNT_REQ" value="5000"/>
    <event><string key="concept:name" value="A_SUBMITTED"/><string key="lifecycle:transition" value="COMPLETE"/>
      <date key="time:timestamp" value="2011-10-01T09:00:00.000+02:00"/></event>
  </trace>
</log>
"""


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
    assert "other.csv: not named by the mapping, not used." in said
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

    assert (code, err) == (3, "walkaway: other.csv: must have rows, found a header only. Export it again.\n")
    code, out, err = walkaway("import", "table", "--suggest", "deals.csv")
    assert (code, err) == (0, "")
    (tmp_path / "draft.toml").write_text(out)
    assert walkaway("import", "table", "deals.csv", "--mapping", "draft.toml", "--out", "book", "-q") == (0, "", "")


@pytest.mark.usefixtures("export")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["deals.csv"], 2, "--mapping is required, found none. Name a mapping, or draft one with --suggest."),
        (["deals.csv", "--mapping", "bpic2012"], 3, "mapping bpic2012: is for `walkaway import xes`."),
        (["none.csv", "--mapping", "mine.toml"], 3, "none.csv: must be a file, found none."),
        ([".", "--mapping", "mine.toml"], 3, "must be a file, found a folder."),
        (["other.csv", "--mapping", "mine.toml"], 3, "the mapping names deals* as the file of the deals"),
    ],
)
def test_import_table_refuses_what_cannot_be_read(walkaway, tmp_path, arguments, code, says):
    assert_refused(walkaway("import", "table", *arguments, "--out", "book"), code, says)
    assert not (tmp_path / "book").exists()


@pytest.fixture
def without_dates(tmp_path, tiny):
    """A book without dates, imported and trained on; the options that name them."""
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
    assert (code, "No dates. A model of this book" in said) == (0, True)

    code, _, said = walkaway("train", *without_dates)
    assert (code, "No dates: nothing shows what was known when." in " ".join(said.split())) == (0, True)

    code, out, said = walkaway("score", *without_dates, "--out", "calls.csv")
    assert (code, out) == (0, "")
    assert "No dates: nothing shows what was known when." in " ".join(said.split())
    calls = pd.read_csv("calls.csv")
    assert len(calls) == 40
    assert calls[["as_of", "value_per_hour", "bar"]].isna().all(axis=None)

    code, out, _ = walkaway("score", *without_dates, "--out", "calls.csv", "--json")
    assert json.loads(out) | {"win_probability": 0, "expected_value": 0, "model_version": ""} == {
        "calls": 40,
        "expected_value": 0,
        "caveats": ["no_dates"],
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
        assert (code, f"{option} {value}: needs a book with dates" in said) == (2, True)


def test_leads_without_losses_go_from_a_draft_to_a_training_by_what_is_printed(walkaway, tmp_path, tiny, monkeypatch):
    days = pd.to_datetime("2025-01-01") + pd.to_timedelta([(7 * i) % 300 for i in range(240)], unit="D")
    signed = [day + pd.Timedelta(days=3 + i % 25) if i % 4 == 0 else None for i, day in enumerate(days)]
    leads = pd.DataFrame({"Lead ID": range(240), "Created": days, "Signed on": signed, "Channel": ["a", "b", "c"] * 80})
    leads.to_csv(tmp_path / "leads.csv", index=False, date_format="%Y-%m-%d")

    code, draft, _ = walkaway("import", "table", "--suggest", "leads.csv")
    assert (code, "# lost_after_days = 90" in draft) == (0, True)
    (tmp_path / "mine.toml").write_text(draft)
    code, _, said = walkaway("import", "table", "leads.csv", "--mapping", "mine.toml", "--out", "book")
    assert (code, "No deal is lost in this book, so a model cannot be trained" in " ".join(said.split())) == (0, True)
    assert_refused(walkaway("train", "--book", "book"), 3, "Where losses are not recorded, set lost_after_days.")

    settings = settings_of().model_copy(update={"lost_after_days": 40.0})
    monkeypatch.setattr("walkaway.config.read_settings", lambda file=None: InForce(settings, {}))
    code, _, said = walkaway("train", "--book", "book")
    told = "Deals still open 40 days after they were created count as lost on that day:"
    assert (code, told in " ".join(said.split())) == (0, True)
    [card] = (tmp_path / "models/cards").glob("*.md")
    assert told in card.read_text()


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
