from dataclasses import replace

from tests.books import plain_model

from walkaway.economics import Curve
from walkaway.formatting import LocaleFormat
from walkaway.models import bar_by_hand, gain_of_bar_by_hand

PAST = Curve((0.0, 2.0, 4.0), (9.0, 5.0, 2.0), (0.0, 0.5, 0.8), (0.0, 0.1, 0.4), hours=100.0, value=900.0)
EN = LocaleFormat("en", "EUR")


def told(curve: Curve, bar: float | None, fmt: LocaleFormat = EN) -> str:
    return bar_by_hand(curve, bar, fmt).replace(chr(160), " ")


def test_nothing_is_said_of_a_bar_that_was_not_set_by_hand():
    assert told(PAST, None) == ""


def test_a_bar_that_gained_is_told_with_its_parts():
    assert told(PAST, 2.0) == (
        "Set by hand: on past deals, a bar of EUR 2 an hour would have gained EUR 10, if an hour earns that much "
        "elsewhere (50 hours saved, worth EUR 100, less EUR 90 of won value lost)."
    )


def test_a_bar_that_lost_more_than_it_gained_is_warned_of():
    assert told(PAST, 4.0) == (
        "Warning: on past deals, a bar of EUR 4 an hour, set by hand, would have cost EUR 40 more than it gained, "
        "even if an hour earns that much elsewhere (80 hours saved, worth EUR 320, less EUR 360 of won value lost). "
        "Take a lower bar, or let --forgo choose one."
    )


def test_where_deals_are_counted_the_bar_is_told_in_wins_and_deals():
    past = replace(PAST, bars=(0.0, 0.02, 0.04), value=9.0)

    assert told(past, 0.02, LocaleFormat("en", unit="deal", counts_wins=True)) == (
        "Set by hand: on past deals, a bar of 2.0% to win would have gained 0.10 wins, if another deal brings "
        "that much (work on 50 deals saved, worth 1.0 wins, less 0.90 wins lost)."
    )


def test_without_a_curve_it_is_said_that_the_gain_is_not_known():
    assert told(Curve((), (), (), ()), 2.0) == (
        "Set by hand: what a bar of EUR 2 an hour would have gained on past deals is not known."
    )


def test_a_bar_by_hand_gains_nothing_where_the_model_has_no_signal():
    model = replace(plain_model(), signal=False)

    assert gain_of_bar_by_hand(model, 20.0, LocaleFormat()) == ""
    assert "Set by hand" in gain_of_bar_by_hand(plain_model(), 20.0, LocaleFormat())
