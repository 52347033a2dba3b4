from dataclasses import replace

from walkaway.models import Caveat
from walkaway.report.html import page, phrases
from walkaway.report.html.digest import board_sentence

pytest_plugins = ("tests.reports",)
WHY = "because the model cannot tell which of them will be won"


def nothing_stopped(content, chance: float, no_bar: str = ""):
    answer = replace(content.answer, let_go=0)
    calls = content.calls.assign(win_probability=chance)
    return replace(content, answer=answer, calls=calls, no_bar=no_bar, by_hand="", stories=())


def test_deals_likely_to_be_won_are_to_be_kept_where_none_is_below_the_bar(content):
    assert board_sentence(nothing_stopped(content, 0.5)) == "None of 33 open deals is below the bar: keep them all."


def test_hopeless_deals_are_not_said_to_be_worth_keeping(content):
    told = board_sentence(nothing_stopped(content, 0.09))

    assert told == "None of 33 open deals is below the bar. About 3 of them are expected to be won."


def test_without_a_bar_nobody_is_told_that_none_is_below_it(content):
    shown = nothing_stopped(content, 0.03, WHY)

    assert board_sentence(shown) == (
        f"No bar can be set for 33 open deals, {WHY}. About 1 of them is expected to be won. "
        "This does not mean that all are worth keeping."
    )
    assert phrases.bar(shown) == f"No bar can be set for the open deals, {WHY}."
    assert "keep them all" not in page(shown)


def test_deals_that_are_stopped_all_the_same_are_told_as_before(content):
    assert board_sentence(replace(content, no_bar=WHY)) == board_sentence(content)


def test_without_signal_no_trade_off_is_shown(content):
    blind = replace(content, caveats=(Caveat("no_signal", "No signal."),))

    assert phrases.NO_TRADE_OFF in page(blind)
    assert "Each point is a bar." not in page(blind)
    assert "Each point is a bar." in page(content)
