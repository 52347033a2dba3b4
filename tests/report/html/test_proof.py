"""A report with a real replay of a small book behind it: what the page says was tried is what the ledger holds."""

import json

import pandas as pd
import pytest
from tests.books import TINY, UNTIL, day

from walkaway.config import ReplaySettings, Settings
from walkaway.economics import DROPPED
from walkaway.replaying import Period, replay
from walkaway.report.html import gather, page
from walkaway.report.html.check_first import CLOSE
from walkaway.report.html.proof import read_proof
from walkaway.scoring.score import with_replay_curve

pytest_plugins = ("tests.reports",)
SETTINGS = Settings(train=TINY, replay=ReplaySettings(grace_days=60, bootstrap=20))
PERIOD = Period(day(180), day(222), every_days=7, retrain_days=21)


@pytest.fixture(scope="module")
def folder(hostile, tmp_path_factory):
    out = tmp_path_factory.mktemp("replay") / "out"
    replay(hostile, out, PERIOD, SETTINGS)
    return out


@pytest.fixture(scope="module")
def proof(folder):
    return read_proof(folder)


@pytest.fixture(scope="module")
def judged(folder, proof):
    """Calls that are not of the last days of the book, where only what ended fast has ended."""
    until = pd.Timestamp(json.loads((folder / "summary.json").read_text())["judged_until"])
    assert proof.ledger["as_of"].max() > until
    return proof.ledger[proof.ledger["as_of"] <= until].sort_values("as_of", kind="stable")


@pytest.fixture(scope="module")
def ended(judged):
    return judged[judged["outcome"].isin(["won", "lost"])]


@pytest.fixture(scope="module")
def first_drops(ended):
    return ended[ended["verdict"].isin(DROPPED)].drop_duplicates("deal_id")


@pytest.mark.parametrize(
    ("name", "those"),
    [
        ("close", lambda rows: rows["value_per_hour"] >= CLOSE * rows["bar"]),
        ("clear", lambda rows: rows["value_per_hour"] < CLOSE * rows["bar"]),
        ("day_old", lambda rows: rows["age_days"] < 1),
        ("older", lambda rows: rows["age_days"] >= 1),
    ],
)
def test_the_value_per_hour_of_dropped_deals_comes_from_the_ledger(proof, first_drops, name, those):
    rows, told = first_drops[those(first_drops)], proof.earned.set_index("name").loc[name]
    hours, won = rows["realised_remaining_hours"].sum(), rows["realised_value"].fillna(0.0).clip(lower=0).sum()

    assert told["deals"] == len(rows)
    assert told["hours"] == pytest.approx(hours)
    if hours:
        assert told["value_per_hour"] == pytest.approx(won / hours)


def test_wins_and_hours_are_expected_at_the_first_call_of_each_settled_deal(proof, judged, ended):
    first = ended.drop_duplicates("deal_id")

    assert proof.chances["deals"] == len(first) > 20
    assert proof.chances["expected"] == pytest.approx(first["win_probability"].sum())
    assert proof.chances["came"] == (first["outcome"] == "won").sum()
    assert proof.hours["came"] == pytest.approx(first["realised_remaining_hours"].sum())
    assert (proof.judged, proof.ended) == (len(judged), len(ended))
    assert proof.calibration["calls"].sum() == len(ended)


def test_the_page_shows_what_was_tried_and_the_bar_picked_from_it(folder, hostile, model, settings, proof):
    told = settings.model_copy(update={"score": settings.score.model_copy(update={"bar": None})})
    content = gather(hostile, with_replay_curve(model, folder), UNTIL, told, replayed=folder)
    html = page(content)

    assert f'<td class="n">{content.wording.money(proof.bar)} or more</td>' in html
    assert "Can you act on this today?" in html
    assert "Calls like these, tested on your own past deals" in html
    assert content.proof.ledger.equals(pd.read_parquet(folder / "ledger.parquet"))
