from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.books import UNTIL, plain_model, rows_of
from tests.screens import broken_numbers, shown, too_long, words

from walkaway.config import ScoreSettings
from walkaway.explaining import Counterfactual, Example, Reason, SimilarDeals, deal_stories, explain
from walkaway.models.model import make_calls
from walkaway.models.nurture import Wait
from walkaway.report.deal_card import show_story, steps_of
from walkaway.scoring.score import score

pytest_plugins = ("tests.books",)

WAIT = Wait("", 0.0, "call", 100, 40, 20, 25, 9.0)
LONG = "0061v00000ABCDEFGHIJ-a-very-long-name-of-a-deal-as-some-systems-have-them-0001"


@pytest.fixture(scope="module")
def story(trained, book):
    table = score(book, trained.model, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1, reasons=0))
    best = table["deal_id"].iloc[0]
    [told] = explain(
        book, replace(trained.model, version="20250804-0123456789ab"), [best], UNTIL, ScoreSettings(forgo=0.1)
    )
    return told


@pytest.fixture(scope="module")
def screens(story):
    wordy = Reason("timing", ("x",), 9.9, "a word and " * 20, 120, 40)
    loss = replace(plain_model(), version="v1")
    [sold_low] = deal_stories(loss, make_calls(loss, rows_of([1000.0], [-0.05]), 150.0), 0.125)
    return {
        "story": show_story(story),
        "story of a long name": show_story(replace(story, deal_id=LONG, reasons=(wordy, *story.reasons))),
        "story to nurture": show_story(replace(story, verdict="nurture", wait=WAIT, wait_until=UNTIL)),
        "story of a loss": show_story(sold_low),
    }


@pytest.mark.parametrize("name", ["story", "story of a long name", "story to nurture", "story of a loss"])
def test_no_line_is_longer_than_80_columns_and_nothing_is_cut(screens, name):
    text = shown(screens[name])

    assert too_long(text) == []
    assert "…" not in text
    assert len(text.splitlines()) > 2


def test_no_number_is_broken_over_two_lines_at_80_columns(screens):
    assert broken_numbers(screens["story"]) == set()


def test_a_screen_without_a_terminal_holds_no_escape_codes(screens):
    assert [name for name, screen in screens.items() if "\x1b" in shown(screen)] == []


def test_a_story_begins_with_the_verdict_the_value_of_an_hour_and_the_bar():
    [told] = deal_stories(plain_model(), make_calls(plain_model(version="v2"), rows_of([3000.0]), 120.0), 0.125)
    text = words(shown(show_story(told)))

    assert "Deal d0 at 6 Jan 2025, 00:00 UTC" in text
    assert "PURSUE an hour on it is worth EUR 600; the bar is EUR 120" in text
    assert "50% to win × EUR 3,000 = EUR 1,500 expected, for 2.0 hours of work still to come" in text
    assert "a typical open deal EUR 200 deal size of EUR 3,000 ×3.00 EUR 600" in text


def test_a_deal_to_nurture_says_what_to_wait_for_and_until_when(screens):
    assert (
        "No work for now. Wait for this sign: phone call from the buyer, until 4 Aug 2025 at the latest. Of 100 deals "
        "that were silent as long and that nobody worked on, it came in 40; 20 of these were won, and 5 of the others."
    ) in words(shown(screens["story to nurture"]))


def test_a_story_says_that_a_typical_amount_stands_in_for_a_missing_one():
    [told] = deal_stories(plain_model(), make_calls(plain_model(), rows_of([float("nan")]), 120.0), 0.125)

    assert "50% to win × EUR 1,000 (no amount recorded yet, so a typical one is used) = EUR 500 expected" in words(
        shown(show_story(told))
    )


def test_the_steps_shown_multiply_from_the_typical_value_to_that_of_the_deal(story):
    steps = steps_of(story, 3)

    assert steps["value_per_hour"].iloc[[0, -1]].tolist() == [story.typical_value_per_hour, story.value_per_hour]
    product = story.typical_value_per_hour * steps["factor"].cumprod()
    np.testing.assert_allclose(product, steps["value_per_hour"], rtol=1e-12)
    told = sum(len(reason.features) for reason in story.reasons[:3])
    assert steps["sentence"].iloc[-1] == f"{len(story.factors) - told} other factors together"


def test_a_card_says_what_would_change_our_mind_and_deals_like_it(story):
    flip = Counterfactual("phone call from the buyer", 321.0, 212, 43, 20, UNTIL)
    similar = SimilarDeals(50, 9, 1.5, 40.0, (1.0,), (Example("d007", UNTIL, True, 900.0, 0.0),))
    dropped = replace(story, verdict="walk_away", counterfactuals=(flip,), similar_deals=similar)
    text = words(shown(show_story(dropped)).replace("│", ""))

    assert (
        "What would re-open the deal • phone call from the buyer: it happened in 43 of 212 deals like this, "
        "20 of which were won (by 4 Aug 2025). An hour would then be worth EUR 321. This was seen in past deals. "
        "Making it happen may not have the same effect."
    ) in text
    assert "9 of 50 were won. Half of them took 1.5 hours or less from then on. An hour on them earned EUR 40." in text
    assert "Nearest: d007 won EUR 900 with no more work." in text


def test_a_dropped_deal_that_nothing_would_lift_is_told_so_and_a_kept_one_is_not(story):
    bare = replace(story, counterfactuals=())
    none = "Nothing that happened in past deals like this would lift it above the bar."

    assert none in words(shown(show_story(replace(bare, verdict="walk_away"))).replace("│", ""))
    assert none not in words(shown(show_story(replace(bare, verdict="pursue"))).replace("│", ""))


def test_a_deal_without_history_is_told_as_such(story):
    bare = words(shown(show_story(replace(story, events=0))).replace("│", ""))

    assert "Only its creation is recorded, so it is scored like a new deal." in bare
    assert "Only its creation is recorded, so it is scored like a new deal." not in words(shown(show_story(story)))


def test_a_base_rate_that_is_that_of_the_whole_stage_is_not_told_again(story):
    whole = replace(story, typical=replace(story.typical, deals=200, won=80))
    reasons = tuple(replace(story.reasons[0], deals=deals, won=20) for deals in (195, 120))

    assert steps_of(replace(whole, reasons=reasons), 2)["base_rate"].str.contains("won").tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_a_story_of_a_loss_says_that_it_is_sold_at_a_loss(screens):
    text = words(shown(screens["story of a loss"]))

    assert "WALK AWAY" in text
    assert "Sold at a loss, worth -EUR 50 even if won: amount of EUR 1,000, margin of -5%." in text
    assert "smaller factors together" not in text
