from dataclasses import replace

import pandas as pd
import pytest
from tests.proofs import proof_of

from walkaway.formatting import LocaleFormat
from walkaway.models import Caveat
from walkaway.report.html import phrases
from walkaway.report.html.digest import board_sentence, digest

pytest_plugins = ("tests.reports",)
EN = LocaleFormat("en", "EUR")


@pytest.mark.parametrize(
    ("dial", "words"),
    [
        ({"bar": 600.0, "forgo": 0.1}, "set by hand"),
        ({"capacity": 40.0, "forgo": 0.1}, "as low as possible while the team needs no more than 40 hours a week"),
        ({"forgo": 0.1}, "as high as possible while no more than 10% of the value won is expected to be lost"),
        (
            {"forgo": 0.1, "guarantee": True},
            "as high as possible while losing no more than 10% of the value won, at 90% confidence",
        ),
    ],
)
def test_what_set_the_bar_is_told(content, dial, words):
    assert words in phrases.bar(replace(content, answer=replace(content.answer, dial=dial)))


@pytest.mark.parametrize(
    ("known", "words"), [(0.0, "no margin is recorded"), (1.0, "amount times its margin."), (0.5, "50%")]
)
def test_what_value_means_is_told(content, known, words):
    assert words in phrases.value(replace(content, answer=replace(content.answer, margin_known=known)))


def test_the_page_says_how_nurtured_deals_of_the_replay_ended():
    assert phrases.waited(proof_of(), EN) == (
        "In the replay, 27% of the 81 deals first called nurture were won; in reality, work on them went on."
    )
    assert phrases.waited(None, EN) == ""


def test_each_sign_is_told_once_with_how_often_it_came():
    nurture = pd.DataFrame({"sign": ["email", "email", "offer_sent / done"], "sign_came": [0.14, 0.76, 0.5]})

    assert phrases.waits(nurture, EN) == [
        "email from the buyer (2 deals): it came in 14% to 76% of past deals that had been silent as long and that "
        "nobody was working on",
        "offer sent from the buyer (1 deal): it came in 50% of past deals that had been silent as long and that "
        "nobody was working on",
    ]


def test_the_plan_says_what_its_hours_are_expected_to_bring_and_promises_no_gain(content):
    told = phrases.plan(content)

    assert f"These hours are expected to bring {content.wording.money(content.plan['expected'].sum())}." in told
    assert "That is not extra value" in told


def test_where_the_hours_go_instead_is_named_with_the_least_an_hour_is_worth(content):
    best = content.plan.drop_duplicates("deal_id").nlargest(3, "value_per_hour")
    told = phrases.instead(content)

    assert told.startswith(", ".join(best["deal_id"]))
    assert content.wording.money(best["value_per_hour"].min()) in told
    assert phrases.instead(replace(content, plan=content.plan.head(0))) == ""


def test_waiting_is_told_in_short_by_how_many_stay_silent_and_the_sign_most_wait_for():
    until = pd.to_datetime(["2026-01-03", "2026-01-07", "2026-02-01"], utc=True)
    nurture = pd.DataFrame({"sign": ["email", "email", "call"], "sign_came": [0.14, 0.76, 0.5], "wait_until": until})

    told = phrases.waits_in_short(nurture, EN)
    assert (
        told
        == "judging by past deals, 53% will; the sign to wait for is usually email, until Feb 1, 2026 at the latest"
    )
    assert phrases.waits_in_short(nurture.tail(1).assign(wait_until=pd.NaT), EN) == (
        "judging by past deals, 50% will; the sign to wait for is phone call"
    )
    assert phrases.waits_in_short(nurture.head(0), EN) == ""


def test_the_cost_is_what_the_deals_let_go_are_still_expected_to_bring(content):
    answer, told = content.answer, content.wording

    assert told.money(answer.value_at_risk) in phrases.cost(content)
    assert told.percent(answer.value_at_risk / answer.expected_value) in phrases.cost(content)
    assert replace(answer, expected_value=0.0).share_at_risk == 0.0


@pytest.mark.parametrize(("unsure", "words"), [(0, "are kept."), (12, "The model is unsure about 12 of them")])
def test_deals_kept_are_counted_and_those_the_model_is_unsure_of(content, unsure, words):
    assert words in phrases.keeps(replace(content, answer=replace(content.answer, unsure=unsure)))


def test_hours_that_are_free_at_once_are_told_apart_from_those_that_may_be(content):
    answer, told = content.answer, content.wording
    sentence = board_sentence(content)
    at_once = replace(answer, by_call=answer.by_call.assign(call="walk_away"))

    freed, now = (told.number(round(hours)) for hours in (answer.hours_freed, answer.at_once))
    assert 0 < answer.at_once < answer.hours_freed
    assert f"frees up to {freed} of {told.number(round(answer.hours))} hours ({now} of them right away) and" in sentence
    assert f"frees {freed} of" in board_sentence(replace(content, answer=at_once))


def test_the_first_line_of_the_digest_says_what_must_be_known_before_anyone_acts(content):
    told = digest(replace(content, caveats=(Caveat("young_curve", "The history is short."),)))

    assert told.splitlines()[:3] == ["**The history is short.**", "", f"**{board_sentence(content)}**"]
    assert digest(content).splitlines()[0] == f"**{board_sentence(content)}**"


def test_beside_a_bar_set_by_hand_stands_what_it_would_have_gained(content):
    assert phrases.bar(replace(content, by_hand="It gained 5.")).endswith("set by hand. It gained 5.")
    assert content.by_hand.replace(chr(160), " ").startswith("Set by hand: on past deals, a bar of EUR 600 an hour")
