"""A flat export without activities, through every command: nothing is said about what it does not record."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from walkaway.cli import app
from walkaway.errors import UsageError
from walkaway.sample import FlatShape, make_flat_sample

CLOSED = {"won": "Closed Won", "lost": "Closed Lost"}
MAPPING = """
source = "table"
currency = "{currency}"
timezone = "UTC"

[deals]
file = "opportunities.csv"
deal_id = "Opportunity ID"
created_at = "Created"
closed_at = "Closed"
fixed_at_creation = [{fixed}]
{amount}

[deals.attributes]
segment = "Segment"
campaign = "Campaign"

[deals.outcome]
column = "Stage"
won = ["Closed Won"]
lost = ["Closed Lost"]
open = ["Proposal"]
"""
SETTINGS = """
tracking_uri = "sqlite:///runs.db"
[train]
folds = 2
bootstrap = 20
heads = { menu = {}, members = 2, completion_members = 1, completion_rounds = 2, threads = 1, win = { trees = 60 } }
"""
# What is said of a book that records work, or signs from buyers; the first line says that hours are not recorded.
NOT_RECORDED = re.compile(
    r"\bhours?\b|\bworked\b|\btouch|\bsilent\b|\bsilence\b|last activity|no activity|nurture|\bper hour\b|\ban hour\b",
    re.IGNORECASE,
)
TRUE_ALL_THE_SAME = ("hours are not recorded",)


def invented(text: str) -> list[str]:
    """The sentences of a text that speak of what is not recorded."""
    for allowed in TRUE_ALL_THE_SAME:
        text = re.sub(allowed, "", re.sub(r"\s+", " ", text), flags=re.IGNORECASE)
    return [text[max(0, found.start() - 60) : found.end() + 60] for found in NOT_RECORDED.finditer(text)]


def read_html(page: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script)[^>]*>.*?</\1>", " ", page, flags=re.DOTALL))


@pytest.fixture(scope="module", params=[True, False], ids=["amounts", "no amounts"])
def project(request, tmp_path_factory):
    """A project folder with a trained model, what training said, and whether amounts are recorded."""
    folder = tmp_path_factory.mktemp("flat")
    deals, rng = make_flat_sample(700, 3, FlatShape(days=400, effect=2.0)).book.deals, np.random.default_rng(0)
    rows = {
        "Opportunity ID": deals["deal_id"],
        "Created": deals["created_at"].dt.strftime("%Y-%m-%d"),
        "Closed": deals["closed_at"].dt.strftime("%Y-%m-%d"),
        "Stage": deals["outcome"].map(CLOSED).fillna("Proposal"),
        "Segment": deals["segment"],
        "Campaign": deals["campaign"],
        "Amount": np.exp(rng.normal(9, 1, len(deals))).round(),
    }
    pd.DataFrame(rows).to_csv(folder / "opportunities.csv", index=False)
    words = {"currency": "EUR" if request.param else "", "amount": 'amount = "Amount"' if request.param else ""}
    fixed = ["segment", "campaign", *(["amount"] if request.param else [])]
    (folder / "mapping.toml").write_text(MAPPING.format(fixed=str(fixed)[1:-1].replace("'", '"'), **words))
    (folder / "walkaway.toml").write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        ran("import", "table", "opportunities.csv", "--mapping", "mapping.toml", "--out", "book")
        yield folder, ran("train", "--book", "book", "--models", "models"), request.param


def ran(*arguments) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def asked(command, *arguments):
    return ran(command, *arguments, "--book", "book", "--models", "models")


def test_training_invents_nothing(project):
    folder, said, amounts = project
    card = next((folder / "models" / "cards").iterdir())

    assert said.lstrip().startswith("Hours are not recorded: each open deal is taken to need the same.")
    assert invented(said) == []
    assert invented(card.read_text()) == []
    assert ("bar, chance to win" if not amounts else "bar per deal") in said


def test_calls_are_ranked_by_expected_value_and_have_no_hours(project):
    said = asked("score", "--out", "calls.csv")
    calls = pd.read_csv("calls.csv")

    assert invented(said) == []
    assert calls[["remaining_hours", "value_per_hour"]].isna().all(axis=None)
    assert calls["expected_value"].is_monotonic_decreasing
    assert set(calls["bar_unit"]) == {"deal"}
    assert calls["caveats"].str.contains("hours_assumed").all()
    assert [text for column in calls.filter(like="reason_") for text in calls[column].dropna() if invented(text)] == []
    assert [
        text for column in calls.filter(like="base_rate_") for text in calls[column].dropna() if invented(text)
    ] == []


def test_a_capacity_in_hours_is_refused(project):
    with pytest.raises(UsageError, match=r"--capacity 40 \(score.capacity\): counts hours a week"):
        asked("score", "--capacity", 40)


def test_a_batch_compares_expected_values(project):
    for bar in (0.05, 1e9):
        said = asked("batch", "--out-dir", "batch", "--now", "2025-02-06", "--bar", bar)
        assert invented(said) == []
    said_of_bar = "from 5.0% to 100,000,000,000% to win" if not project[2] else "from EUR 0 to EUR 1,000,000,000 a deal"
    assert f"The bar changed {said_of_bar}." in said
    changes = pd.read_csv("batch/changes.csv")
    record = json.loads((project[0] / "batch" / "runs.jsonl").read_text().splitlines()[-1])

    assert (changes["expected_value"] == changes["expected_value_before"]).any()
    assert changes[["value_per_hour", "value_per_hour_before"]].isna().all(axis=None)
    assert (record["bar_unit"], record["caveats"][-1]) == ("deal", "hours_assumed")


def test_a_deal_is_explained_without_hours(project):
    deal = json.loads(asked("score", "--json"))[0]["deal_id"]
    said = asked("explain", deal)
    told = json.loads(asked("explain", deal, "--json"))

    assert "Hours are not recorded" in said
    assert invented(said) == []
    assert (told["remaining_hours"], told["value_per_hour"], told["unit"]) == (None, None, "deal")
    assert told["caveats"][-1]["code"] == "hours_assumed"


def test_the_pipeline_is_shown_without_hours(project):
    assert invented(asked("portfolio")) == []


def test_the_report_invents_nothing_and_is_not_to_be_acted_on(project):
    asked("report", "--out", "report")
    folder = project[0] / "report"
    page, digest = read_html((folder / "report.html").read_text()), (folder / "digest.md").read_text()

    assert invented(page) == []
    assert invented(digest) == []
    assert "Can you act on this today? No." in digest
    assert "Hours are not recorded" in digest.splitlines()[0] + digest.splitlines()[2]
    lists = pd.read_csv(folder / "deals.csv")
    assert not {"remaining_hours", "value_per_hour", "last_activity"} & set(lists)


def test_a_replay_and_its_report_invent_nothing(project):
    period = ("--from", "2024-11-01", "--to", "2025-01-10", "--every", "7d", "--retrain", "35d", "--bar", 0.2)
    said = ran("replay", "--book", "book", *period, "--out", "replay")
    asked("report", "--out", "tested", "--replay", "replay", "--bar", 0.2)
    page = read_html((project[0] / "tested" / "report.html").read_text())

    assert "deals let go" in said
    assert invented(said) == []
    assert "Tested on your own past deals" in page
    assert invented(page) == []
    assert {path.name for path in (project[0] / "replay" / "figures").iterdir()} == {"trade_off.png", "calibration.png"}
