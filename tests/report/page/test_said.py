from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from walkaway.drift import Check
from walkaway.drift.finding import Finding
from walkaway.report.page import said
from walkaway.report.page.proof import Proof
from walkaway.wording import Wording

pytest_plugins = ("tests.reports",)
EN = Wording("en", "EUR")
INTERVAL = {"hours_saved_low": 0.21, "hours_saved_high": 0.266}
RATES = {"value_per_hour_kept": 7831.0, "value_per_hour_dropped": 1576.0}


def proof_of(**followed: float) -> Proof:
    shares = {"hours_saved": 0.24, "value_forgone": 0.06, "turned_back": 0.245} | INTERVAL | RATES | followed
    expected = {"expected_hours_saved": 0.322, "expected_value_forgone": 0.095}
    drops = pd.DataFrame(
        {"verdict": ["nurture", "walk_away"], "deals": [81, 349], "won": [0.27, 0.11]}
        | {"hours_saved": [44.0, 161.0], "value_forgone": [10.0, 20.0]}
    )
    nothing = pd.DataFrame()
    return Proof(
        nothing,
        drops,
        expected | shares,
        nothing,
        {"deals": 3.0, "hours": 4.0},
        nothing,
        (),
        "2025-01-01",
        "2025-03-01",
    )


@pytest.mark.parametrize(
    ("dial", "words"),
    [
        ({"bar": 600.0, "forgo": 0.1}, "set by hand"),
        ({"capacity": 40.0, "forgo": 0.1}, "as low as it can be while the team needs no more than 40 hours a week"),
        ({"forgo": 0.1}, "as high as it can be while no more than 10% of the value won is expected to be forgone"),
        (
            {"forgo": 0.1, "guarantee": True},
            "the promise, at 90% confidence, to forgo no more than 10% of value",
        ),
    ],
)
def test_what_set_the_bar_is_told(content, dial, words):
    assert words in said.bar(replace(content, answer=replace(content.answer, dial=dial)))


@pytest.mark.parametrize(
    ("known", "words"), [(0.0, "no margin is recorded"), (1.0, "amount times its margin."), (0.5, "50%")]
)
def test_what_value_means_is_told(content, known, words):
    assert words in said.value(replace(content, answer=replace(content.answer, margin_known=known)))


def test_what_was_achieved_is_told_before_what_is_expected_and_warnings_before_both(content):
    found = (
        Finding("D1", "ok", "fine."),
        Finding("D2", "act", "Train again."),
        Finding("D3", "act", "2 of 9 columns differ: x[1]."),
    )
    warned = replace(content, proof=proof_of(), findings=Check(found, "v1", 9))
    rows = said.sure(warned)

    assert rows[0] == ("act", "Train again. 2 of 9 signs differ.")
    assert rows[1][1].startswith(
        "Tried on your own past, 1 Jan 2025 to 1 Mar 2025: calls like these would have saved 24%"
    )
    assert "saved 24% (21% to 26.6%) of the hours and forgone 6% of the value won" in rows[1][1]
    assert (
        "Expected had been 32.2% and 9.5%. An hour on the deals kept earned EUR 7,831, on those let go EUR 1,576."
        in rows[1][1]
    )
    assert rows[1][1].endswith("24.5% of these came back above the bar.")
    assert rows[2][1].startswith("Expected of this bar over whole deals")


def test_without_a_replay_nothing_is_said_to_be_proved(content):
    assert ("told", said.NO_PROOF) in said.sure(content)
    assert not [text for _, text in said.sure(content) if "Tried on your own past" in text]


def test_what_a_replay_cannot_tell_is_unknown(content):
    assert "saved unknown (21% to 26.6%) of the hours" in said.proved(proof_of(hours_saved=np.nan), EN)


def test_waiting_is_held_against_what_became_of_those_who_waited():
    assert said.waited(proof_of(), EN) == (
        "In the replay 27% of the 81 deals first let go to nurture were won, worked on as they were."
    )
    assert said.waited(None, EN) == ""


def test_freed_hours_are_held_against_what_is_at_risk(content):
    told, moved = said.plan(content), content.moved

    assert f"{content.wording.money(moved['worth'].sum())} there, against " in told
    assert f"against {content.wording.money(content.answer.value_at_risk)} at risk" in told
