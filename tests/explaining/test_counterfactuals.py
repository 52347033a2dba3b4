from dataclasses import replace

import pandas as pd
import pytest
from tests.books import UNTIL

from walkaway.asof.history import History
from walkaway.asof.snapshots import open_snapshots
from walkaway.config import ScoreSettings
from walkaway.economics import DROPPED
from walkaway.explaining import SimilarDeals, explain
from walkaway.explaining.counterfactuals import Counterfactual, _less_work, counterfactuals
from walkaway.formatting import LocaleFormat
from walkaway.models.base_rates import PastDeals
from walkaway.models.buyer_events import BuyerEvent, with_buyer_event
from walkaway.models.model import make_calls, read_rows

pytest_plugins = ("tests.books",)

EUROS = LocaleFormat("en_GB", "EUR")
NEAR = SimilarDeals(50, 20, 2.0, 90.0, tuple([0.5] * 8 + [4.0] * 12), ())


@pytest.fixture(scope="module")
def dropped(trained, book):
    """Calls of all deals open at UNTIL, at a bar that drops two in five."""
    snapshots = open_snapshots(book, pd.DatetimeIndex([UNTIL]))
    rows = read_rows(History(book), snapshots, trained.model.plan)
    bar = float(make_calls(trained.model, rows, 0.0).table["value_per_hour"].quantile(0.4))
    return make_calls(trained.model, rows, bar), bar


@pytest.fixture(scope="module")
def flips(trained, book, dropped):
    calls, _ = dropped
    return counterfactuals(book, trained.model, calls, [None] * len(calls.table), EUROS)


def test_some_dropped_deals_would_rise_above_the_bar_and_kept_ones_are_told_nothing(flips, dropped):
    told = dropped[0].table["verdict"].isin(DROPPED).to_numpy()

    assert sum(bool(one) for one, drop in zip(flips, told, strict=True) if drop) > 3
    assert not any(one for one, drop in zip(flips, told, strict=True) if not drop)


def test_what_is_told_comes_true_in_the_book_and_lifts_the_deal(flips, dropped, trained, book):
    """The move is written down as if it had happened, and the deal is called anew, by the product's own road."""
    calls, bar = dropped
    row = next(i for i, one in enumerate(flips) if one and not one[0].of_several)
    condition, deal = flips[row][0], calls.table["deal_id"].iloc[[row]]
    [move] = [move for move in trained.model.past_deals.buyer_events.events if str(move) == condition.condition]
    after = with_buyer_event(book, deal, UNTIL, (move,))
    [story] = explain(after, trained.model, deal.tolist(), UNTIL, ScoreSettings(bar=bar))

    assert story.verdict == "pursue"
    assert story.value_per_hour == pytest.approx(condition.value_per_hour, rel=1e-12)
    assert condition.value_per_hour > calls.table["value_per_hour"].iloc[row]
    prospect = trained.model.past_deals.buyer_events.rate(
        move, calls.rows.terms["stage_name"].iloc[row], calls.rows.terms["silent_days"].iloc[row]
    )
    assert (condition.deals, condition.came, condition.won_came) == (prospect.deals, prospect.came, prospect.won_came)
    assert condition.until >= UNTIL


def test_a_deal_is_told_the_same_alone_as_among_others(flips, dropped, trained, book):
    calls, bar = dropped
    row = next(i for i, one in enumerate(flips) if one)
    [story] = explain(book, trained.model, [calls.table["deal_id"].iloc[row]], UNTIL, ScoreSettings(bar=bar))

    assert story.counterfactuals[: len(flips[row])] == flips[row]


def test_a_deal_sold_at_a_loss_is_told_no_move(flips, dropped):
    loss = (dropped[0].table["value_if_won"] <= 0).to_numpy()

    assert loss.any()
    assert not any(one for one, sold in zip(flips, loss, strict=True) if sold)


def test_a_model_without_background_tells_no_move(trained, book, dropped):
    calls, _ = dropped
    bare = replace(trained.model, past_deals=PastDeals())

    assert set(counterfactuals(book, bare, calls, [None] * len(calls.table), EUROS)) == {()}


def test_less_work_lifts_a_deal_if_won_deals_like_it_took_as_little():
    call = {"expected_value": 100.0, "bar": 50.0, "remaining_hours": 8.0}
    told = _less_work(call, 0.5, NEAR, EUROS)

    # 100 over 50 is two hours, half an hour of which is the floor
    assert str(told) == (
        "we finish it in 1.5 hours at most instead of 8.0 hours: it happened in 8 of 20 won deals like this"
    )
    assert told.until is None


@pytest.mark.parametrize(
    ("expected", "bar", "near"),
    [(20.0, 50.0, NEAR), (100.0, 50.0, None), (100.0, 0.0, NEAR), (9.0, 50.0, NEAR)],
    ids=["none took so little", "no deals like it", "no bar", "less than nothing left"],
)
def test_less_work_is_not_told_where_no_deal_like_it_took_as_little(expected, bar, near):
    few = replace(near, hours_won=(0.4, 4.0, 4.0)) if near and expected == 20.0 else near

    assert _less_work({"expected_value": expected, "bar": bar, "remaining_hours": 8.0}, 0.5, few, EUROS) is None


def test_a_condition_is_said_with_how_often_it_came_true():
    one = Counterfactual("phone call from the buyer", 90.0, 212, 43, 20, UNTIL)
    two = Counterfactual("a and b", 90.0, 212, 9, None, UNTIL, of_several=True)

    assert str(one) == "phone call from the buyer: it happened in 43 of 212 deals like this, 20 of which were won"
    assert str(two) == "a and b: the rarer of them happened in 9 of 212 deals like this"


def test_only_what_a_buyer_does_is_ever_a_condition(flips, trained):
    moves = {str(move) for move in trained.model.past_deals.buyer_events.events}
    told = {part for one in flips for flip in one for part in flip.condition.split(" and ")}

    assert told <= moves
    assert {move.kind for move in trained.model.past_deals.buyer_events.events} <= {"sign", "joins", "date"}
    assert BuyerEvent("sign", "call") in trained.model.past_deals.buyer_events.events
