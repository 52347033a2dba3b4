from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.proofs import CHANCES, proof_of

from walkaway.formatting import LocaleFormat
from walkaway.monitoring import Check
from walkaway.monitoring.finding import Finding
from walkaway.report.html import confidence, phrases

pytest_plugins = ("tests.reports",)
EN = LocaleFormat("en", "EUR")


@pytest.fixture
def proved(content):
    return replace(content, proof=proof_of(), findings=None)


@pytest.mark.parametrize(
    ("followed", "level", "words"),
    [
        ({}, "fair", "lost no more value than expected, but saved fewer hours."),
        ({"hours_saved_high": 0.33}, "good", "lost no more value than expected and saved no fewer hours."),
        ({"value_forgone": 0.12, "value_forgone_low": 0.1}, "low", "lost 12.0% of the value won; 9.5% was expected."),
        ({"value_forgone": np.nan}, "untested", phrases.NO_PROOF),
    ],
)
def test_confidence_is_what_came_of_such_calls_beside_what_was_expected(proved, followed, level, words):
    told = confidence.confidence(replace(proved, proof=proof_of(followed)))

    assert told[0] == level
    assert words in told[1]


@pytest.mark.parametrize(
    ("bar", "words"),
    [
        (3505.0, "is higher than the one tested (EUR 2,880): expect more hours saved and more value lost"),
        (2000.0, "is lower than the one tested (EUR 2,880): expect fewer hours saved and less value lost"),
    ],
)
def test_todays_bar_is_told_where_it_is_another_than_that_of_the_past(proved, bar, words):
    _, told = confidence.confidence(replace(proved, answer=replace(proved.answer, bar=bar)))

    assert told.endswith(f"Today's bar ({EN.money(bar)}) {words} than in that test.")
    assert "Today's bar" not in confidence.confidence(replace(proved, answer=replace(proved.answer, bar=2900.0)))[1]


def test_the_list_may_be_used_where_nothing_speaks_against_it(proved):
    counts = proved.answer.by_call.set_index("call")["deals"]
    may, what = confidence.use(proved)

    assert may == "yes"
    assert what.startswith("This is advice, and a person confirms each deal: stop ")
    assert f"check {counts['check_first']} before stopping" in what


def test_without_deals_to_stop_there_is_nothing_to_do(proved):
    nothing = replace(proved, answer=replace(proved.answer, by_call=proved.answer.by_call.head(0)))

    assert confidence.use(nothing) == ("yes", "There are no deals to stop.")


def test_the_list_is_not_to_be_used_before_the_model_is_trained_again(proved):
    found = (
        Finding("D1", "ok", "fine."),
        Finding("D7", "act", "The model is old.", remedy="Train again."),
        Finding("D3", "act", "2 of 9 columns differ: x[1].", plain="2 of 9 signs differ."),
    )
    may, what = confidence.use(replace(proved, findings=Check(found, "v1", 9)))

    assert may == "not yet"
    assert what.startswith("The model is old. 2 of 9 signs differ. Have an analyst retrain the model")
    assert "which deals to review, not which to stop" in what


def test_the_list_is_not_to_be_used_where_such_calls_cost_more_than_expected(proved):
    low = replace(proved, proof=proof_of({"value_forgone": 0.12, "value_forgone_low": 0.1}))

    may, what = confidence.use(low)
    assert may == "not yet"
    assert what.startswith(
        "On your own past deals, calls like these lost 12.0% of the value won; 9.5% was expected. Have an"
    )


def test_without_a_replay_nothing_is_said_to_be_proved(content):
    alone = replace(content, findings=None)

    assert confidence.confidence(alone) == ("untested", phrases.NO_PROOF)
    assert confidence.use(alone)[0] == "with care"
    assert not [text for text in confidence.sure(alone) if "past" in text]


def test_what_was_expected_stands_beside_what_came():
    rows = {what: (expected, came) for what, expected, came in confidence.tried(proof_of(), EN)}

    assert rows["hours saved"] == ("32.2%", "24.0% (21.0% to 26.6%)")
    assert rows["value lost"] == ("9.5%", "6.0% (4.7% to 7.3%)")
    assert rows["value per hour of deals kept"] == ("EUR 2,880 or more", "EUR 7,831")
    assert rows["value per hour of deals to stop or let wait"] == ("less than EUR 2,880", "EUR 1,179")
    assert rows["value per hour of deals to check first"] == ("less than EUR 2,880", "EUR 2,768")


def test_what_a_replay_cannot_tell_is_unknown():
    rows = {what: came for what, _, came in confidence.tried(proof_of({"hours_saved": np.nan}), EN)}

    assert rows["hours saved"] == "unknown (21.0% to 26.6%)"


@pytest.mark.parametrize(
    ("chances", "hours", "words"),
    [
        (
            CHANCES,
            {},
            "In the past, the chances to win were 15% too high (466 wins expected, 406 in reality), so the money on "
            "this page is probably too high.",
        ),
        (
            {},
            {"expected": 40.0, "came": 50.0, "gap": 0.25, "surely": 0.1},
            "the expected hours were 20% too low (40 hours expected, 50 in reality), so the hours on this page are",
        ),
        (CHANCES | {"surely": 0.0}, {"expected": 40.0, "came": 50.0, "gap": 0.25, "surely": 0.0}, None),
    ],
)
def test_past_errors_of_chances_and_hours_are_reported(proved, chances, hours, words):
    told = [
        text for text in confidence.sure(replace(proved, proof=proof_of(chances=chances, hours=hours))) if "too" in text
    ]

    assert ([words in text for text in told] == [True]) if words else (told == [])


def test_young_deals_are_counted_with_what_such_deals_earned(proved):
    told = [
        text for text in confidence.sure(replace(proved, answer=replace(proved.answer, day_old=3))) if "day old" in text
    ]

    assert told == [
        "3 of the deals to stop are less than a day old, so little is known about them. Even so, in the past, such "
        "deals earned EUR 1,499 an hour and older ones EUR 1,601."
    ]
    none = proof_of(earned=pd.DataFrame({"name": ["day_old"], "deals": [0], "value_per_hour": [np.nan]}))
    told = confidence.sure(replace(proved, proof=none, answer=replace(proved.answer, day_old=3)))
    assert "3 of the deals to stop are less than a day old, so little is known about them." in told


def test_where_the_world_was_not_compared_with_the_training_care_is_asked_for(proved):
    alone = replace(proved, notes=("The world was not checked.",))

    assert confidence.use(alone) == ("with care", "The world was not checked. Review each deal before you stop it.")


def test_findings_to_watch_come_before_the_sources_of_the_figures(proved):
    found = (Finding("D2", "watch", "Hours rise.", remedy="Look."), Finding("D1", "ok", "fine."))
    rows = confidence.sure(replace(proved, findings=Check(found, "v1", 9)))

    assert rows[-2] == "Watch: Hours rise. Look."
    assert f"The calls come from model {proved.answer.model_version}, trained on what was known until" in rows[-1]
