from dataclasses import replace

import pandas as pd
import pytest
from tests.books import UNTIL
from tests.screens import broken_numbers, shown, too_long, words

from walkaway.config import ScoreSettings
from walkaway.economics import DROPPED
from walkaway.formatting import LocaleFormat
from walkaway.report.terminal.score_tables import show_score
from walkaway.scoring.score import score

pytest_plugins = ("tests.books",)

EUR = LocaleFormat("en_GB", "EUR")


@pytest.fixture(scope="module")
def called(trained, book):
    at = pd.DatetimeIndex([UNTIL - pd.Timedelta(days=7), UNTIL])
    return score(book, replace(trained.model, version="v1"), at, ScoreSettings(forgo=0.1, bar=150.0, reasons=1))


@pytest.fixture(scope="module")
def screen(called, trained):
    return show_score(called, trained.model, "reports/" + "x" * 90 + ".csv", EUR)


def test_no_line_is_longer_than_80_columns_and_nothing_is_cut(screen):
    assert too_long(shown(screen)) == []
    assert "…" not in shown(screen)
    assert len(shown(screen).splitlines()) > 2


def test_no_number_is_broken_over_two_lines_at_80_columns(screen):
    assert broken_numbers(screen) == set()


def test_a_screen_without_a_terminal_holds_no_escape_codes(screen):
    assert "\x1b" not in shown(screen)


def test_the_score_screen_counts_the_newest_moment_only(called, trained):
    text = words(shown(show_score(called, trained.model, "calls.csv", EUR)))
    last = called[called["as_of"] == UNTIL]
    dropped = last[last["verdict"].isin(DROPPED)]

    assert text.startswith(f"{len(last)} deals open at 4 Aug 2025, 00:00 UTC: ")
    for verdict, count in dropped["verdict"].value_counts().items():
        assert f"{count} {verdict.replace('_', ' ')}" in text
    hours = f"{dropped['remaining_hours'].sum():,.0f} of {last['remaining_hours'].sum():,.0f} expected hours"
    assert f"Walking away frees {hours}" in text
    assert "Bar: EUR 150 an hour" in text
    assert f"{len(called)} calls written to calls.csv" in text


def test_the_deals_most_worth_dropping_are_those_that_would_take_most_hours(called, trained):
    text = shown(show_score(called, trained.model, "calls.csv", EUR))
    last = called[(called["as_of"] == UNTIL) & called["verdict"].isin(DROPPED)]
    expected = last.sort_values("remaining_hours", ascending=False)["deal_id"].head(10).tolist()

    assert [line.split()[0] for line in text.splitlines() if line[:1] == "d" and line[1:4].isdigit()] == expected


def test_calls_of_moments_before_the_model_learned_are_said_to_prove_nothing(called, trained):
    """One of the two moments lies a week before the model's last lesson; the other is that very moment."""
    text = words(shown(show_score(called, trained.model, "calls.csv", EUR)))
    late = int((called["as_of"] < UNTIL).sum())

    assert text.endswith(
        f"{late} of them are from before 4 Aug 2025, 00:00 UTC, the end of the training data. The model has seen what "
        "happened next, so these calls prove nothing. Train with --until to test on the past."
    )
    newest = called[called["as_of"] == UNTIL]
    assert "prove nothing" not in words(shown(show_score(newest, trained.model, "calls.csv", EUR)))


@pytest.mark.parametrize("width", [80, 120])
def test_no_reason_is_cut_off_however_large_the_money(called, trained, width):
    reason = "no reply from the buyer for 41 days"
    large = called.assign(
        deal_id=[f"deal-{i:06d}" for i in range(len(called))],
        expected_value=12_345_678.0,
        value_per_hour=1_234_567.0,
        verdict="walk_away",
        reason_1=reason,
        factor_1=0.4875,
        reason_2=None,
        factor_2=float("nan"),
    )
    text = shown(show_score(large, trained.model, "calls.csv", EUR), width)

    rows = [line for line in text.splitlines() if "deal-" in line]
    told = words(text.split("why")[1])
    assert len(rows) == 10
    assert told.count(f"{reason} ×0.49") == 10


def test_a_score_without_any_drop_lists_none(called, trained):
    text = shown(show_score(called.assign(verdict="pursue"), trained.model, "calls.csv", EUR))

    assert "Deals to drop that would take" not in text
    assert "Walking away frees 0 of" in words(text)


def test_deals_kept_to_learn_from_free_nothing_and_are_not_listed(called, trained):
    last = called[called["as_of"] == UNTIL].assign(verdict="walk_away")
    kept = last.assign(kept_to_learn=[True] * 20 + [False] * (len(last) - 20))
    text = words(shown(show_score(kept, trained.model, "calls.csv", EUR), 120))

    freed = kept["remaining_hours"].iloc[20:].sum()
    assert f"Walking away frees {freed:,.0f} of" in text
    assert "Keep working on 20 deals below the bar, so that the model can learn." in text
    assert not set(kept["deal_id"].head(20)) & set(text.split())


def test_a_deal_to_nurture_says_what_to_wait_for_and_until_when(called, trained):
    told = {"wait_for": "phone call from the buyer: it came in 40 of 100", "wait_sign": "call"}
    waiting = called.assign(verdict="nurture", wait_until=UNTIL, **told)
    text = words(shown(show_score(waiting, trained.model, "calls.csv", EUR), 120))
    gone = words(shown(show_score(called.assign(verdict="walk_away"), trained.model, "calls.csv", EUR), 120))

    assert text.count("wait for: phone call from the buyer, until 4 Aug 2025") == 10
    assert "wait for" not in gone


def test_without_signal_no_bar_is_told_and_nothing_is_promised_of_it(called, trained):
    text = words(shown(show_score(called, replace(trained.model, signal=False), "calls.csv", EUR)))

    assert "No bar can be set for them, because the model cannot tell which of them will be won." in text
    assert "On past deals this bar" not in text
