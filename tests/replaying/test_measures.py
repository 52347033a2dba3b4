"""Measures of a ledger by hand, and of calls that were given to other deals."""

import numpy as np
import pandas as pd
import pytest

from walkaway.replaying.measures import INDICES, judged, measure, settled_curve, with_cohort

DAY = pd.Timestamp("2026-01-05", tz="UTC")


def ledger_of(*deals: tuple[str, str | None, float, list[tuple[float, str, float]]]) -> pd.DataFrame:
    """Deals as (id, outcome, value, calls), a call as (value_per_hour, verdict, hours still to come), a day each."""
    rows = [
        {
            "deal_id": name,
            "as_of": DAY + pd.Timedelta(days=n),
            "outcome": outcome,
            "ending": {"won": "won", "lost": "no_decision"}.get(outcome, "open"),
            "realised_value": np.nan if outcome is None else value,
            "value_per_hour": index,
            "walk_away_above": index,
            "expected_value": index,
            "win_probability": 0.5,
            "base_rate": 0.4,
            "verdict": verdict,
            "remaining_hours": 1.0,
            "realised_remaining_hours": hours,
            "amount": 100.0,
            "age_days": float(n),
            "days_since_event": 1.0,
            "stage": "offer",
        }
        for name, outcome, value, calls in deals
        for n, (index, verdict, hours) in enumerate(calls)
    ]
    return pd.DataFrame(rows)


BY_HAND = ledger_of(
    ("gold", "won", 900.0, [(50.0, "pursue", 4.0), (60.0, "pursue", 2.0)]),
    ("dead", "lost", 0.0, [(20.0, "pursue", 5.0), (5.0, "walk_away", 3.0), (30.0, "pursue", 1.0)]),
    ("small", "won", 100.0, [(8.0, "walk_away", 1.0)]),
    ("open", None, 0.0, [(40.0, "unsure", 2.0)]),
)


@pytest.fixture(scope="module")
def measured():
    return measure(judged(BY_HAND, DAY + pd.Timedelta(days=9)), draws=40)


def test_following_the_verdicts_saves_and_forgoes_what_comes_after_the_first_drop(measured):
    told = measured["followed"]

    assert told["deals_dropped"] == 2 / 4
    assert told["hours_saved"] == (3 + 1) / (4 + 5 + 1 + 2)
    assert told["value_forgone"] == 100 / 1000
    assert told["value_per_hour_kept"] == 900 / 8
    assert told["value_per_hour_dropped"] == 100 / 4


def test_a_drop_that_turned_back_is_counted(measured):
    assert measured["followed"]["turned_back"] == 1 / 2


def test_a_deal_still_open_is_not_won_and_cost_its_hours_so_far(measured):
    assert measured["win"].loc["win_probability", "brier"] == 0.25
    assert measured["hours"]["predicted_over_booked"] == pytest.approx(7 / 18)


def test_each_comparison_has_skill_up_to_all_and_up_to_a_fifth_and_hours_at_five_prices(measured):
    table = measured["indices"]

    assert table.index.tolist() == list(INDICES)
    assert {"skill", "skill_low", "skill_up_to_0.2_high", "saved_at_0.01", "saved_at_0.20_low"} <= set(table.columns)
    assert table.loc["value_per_hour", "saved_at_0.10"] == pytest.approx(8 / 12)  # all but gold


def test_calls_of_the_last_days_are_not_judged():
    assert judged(BY_HAND, DAY)["deal_id"].tolist() == ["gold", "dead", "small", "open"]


def test_the_curve_says_what_a_bar_would_have_done():
    calls = judged(BY_HAND, DAY + pd.Timedelta(days=9))
    curve = settled_curve(calls, pd.Series(0.0, index=calls.index), weeks=2.0)
    later = settled_curve(calls, pd.Series(np.where(calls["deal_id"] == "gold", 1.0, 0.0)), weeks=2.0)

    assert curve.at(20.0) == pytest.approx((4.0, 4 / 12, 0.1))
    assert later.at(20.0) == pytest.approx((3.5, 4 / 12, 0.1))  # an hour of gold's was booked after the two weeks
    assert curve.estimated  # one deal is still open
    assert curve.hours == 12.0
    assert curve.wins == pytest.approx(1 / (0.9**2 + 0.1**2))  # gold and small
    assert curve.at(0.0) == (6.0, 0.0, 0.0)
    assert later.at(0.0) == (5.5, 0.0, 0.0)
    assert (curve.bar_for_capacity(5.5), later.bar_for_capacity(5.5)) == (8.0, 0.0)


def test_calls_given_to_other_deals_at_random_have_no_skill():
    """Each deal's path of calls goes to another deal: what is left is chance, and its interval holds 0."""
    rng = np.random.default_rng(5)
    value = rng.lognormal(3, 1, 400)
    won = rng.random(400) < 0.5
    deals = [
        (f"d{i:03}", "won" if won[i] else "lost", value[i] * won[i], [(value[i] * (0.3 + won[i]), "pursue", 3.0)] * 3)
        for i in range(400)
    ]
    calls = judged(ledger_of(*deals), DAY + pd.Timedelta(days=9))
    other = rng.permutation(400)
    moved = calls.assign(value_per_hour=calls["value_per_hour"].to_numpy().reshape(400, 3)[other].ravel())
    right, wrong = (measure(one, draws=100)["indices"].loc["value_per_hour"] for one in (calls, moved))

    assert right["skill_low"] > 0.5
    assert wrong["skill_low"] < 0 < wrong["skill_high"]


def test_wins_are_also_measured_on_the_calls_that_had_time_to_end():
    """Forty deals called on the first day, half of them won on day 9; forty called on day 8, of which one has ended."""
    rows = [(f"a{i:02}", "won" if i % 2 else "lost", 9.0, [(1.0, "pursue", 1.0)]) for i in range(40)]
    ledger = ledger_of(*rows)
    late = ledger.assign(deal_id=ledger["deal_id"].str.replace("a", "b"), as_of=ledger["as_of"] + pd.Timedelta(days=8))
    late = late.assign(outcome=pd.Series(["won", *[None] * 39], index=late.index))
    both = judged(pd.concat([ledger, late], ignore_index=True), DAY + pd.Timedelta(days=99))
    closed = [*(DAY + pd.Timedelta(days=9) for _ in range(40)), *(pd.NaT for _ in range(40))]
    deals = pd.DataFrame({"created_at": DAY, "closed_at": pd.to_datetime(pd.Series(closed), utc=True)})
    marked, cohort = with_cohort(both, deals.iloc[:40], DAY + pd.Timedelta(days=10))

    assert (cohort.calls, cohort.deals, cohort.still_open) == (40, 40, 0)
    assert marked["had_time"].sum() == 40
    table = measure(marked, draws=20)
    assert table["win_in_time"].loc["win_probability", "uncertainty"] == 0.25
    assert table["win"].loc["win_probability", "uncertainty"] < 0.25


def test_without_calls_that_had_time_there_is_no_such_table(measured):
    assert "win_in_time" not in measured
