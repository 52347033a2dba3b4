import numpy as np
import pandas as pd
import pytest

from walkaway.evaluation import SEGMENT, by_ending, by_slice, failures
from walkaway.formatting import LocaleFormat


def calls_of(won, probability, base=0.5, deal=None, **others):
    deal = [f"d{i}" for i in range(len(won))] if deal is None else deal
    frame = pd.DataFrame({"deal_id": deal, "won": np.array(won, dtype=float), "win_probability": probability})
    return frame.assign(base_rate=base, **others)


def test_calls_are_counted_by_how_the_deal_ended_with_the_hours_predicted_over_those_booked():
    calls = calls_of(
        [1, 0, 0, 0],
        [0.5, 0.5, 0.0, 0.2],
        deal=["a", "b", "b", "c"],
        ending=["won", "no_decision", "no_decision", "competitor"],
        remaining_hours=[3.0, 1.0, 2.0, 4.0],
        remaining_hours_truth=[2.0, 4.0, 0.0, 0.0],
    )

    assert by_ending(calls).round(9).fillna(-1.0).to_dict("index") == {
        "competitor": {"calls": 1, "deals": 1, "predicted": 0.2, "brier": 0.04, "hours_ratio": -1.0},
        "no_decision": {"calls": 2, "deals": 1, "predicted": 0.25, "brier": 0.125, "hours_ratio": 0.75},
        "won": {"calls": 1, "deals": 1, "predicted": 0.5, "brier": 0.25, "hours_ratio": 1.5},
    }


def sliced(off_in_media: float = 0.0, deals: int = 400) -> pd.DataFrame:
    """Two calls a deal; the predictions are true, but for media, whose deals are won less often by so much."""
    rng = np.random.default_rng(3)
    media = rng.random(deals) < 0.3
    p = rng.uniform(0.3, 0.7, deals)
    won = rng.random(deals) < np.where(media, p - off_in_media, p)
    one = pd.DataFrame(
        {
            "deal_id": [f"d{i}" for i in range(deals)],
            "win_probability": p,
            "won_completed": won.astype(float),
            "base_rate": 0.5,
            "stage": "offer",
            SEGMENT + "industry": np.where(media, "media", "steel"),
        }
    )
    return pd.concat([one.assign(age_days=0.5), one.assign(age_days=5.0)], ignore_index=True)


def test_calls_are_sliced_by_age_stage_and_segment_with_all_first():
    assert by_slice(sliced(), 50).index.tolist() == [
        ("all", "all"),
        ("age", "0 to 1 days"),
        ("age", "3 to 7 days"),
        ("stage", "offer"),
        ("industry", "steel"),
        ("industry", "media"),
    ]


def test_a_slice_counts_calls_and_deals_and_its_shares_are_exact():
    calls = sliced()
    row = by_slice(calls, 50).loc[("industry", "media")]
    mine = calls[calls[SEGMENT + "industry"] == "media"]

    assert (row["calls"], row["deals"]) == (len(mine), mine["deal_id"].nunique())
    assert row["won"] == pytest.approx(mine["won_completed"].mean())
    assert row["off"] == pytest.approx((mine["win_probability"] - mine["won_completed"]).mean())
    assert row["brier"] == pytest.approx(((mine["win_probability"] - mine["won_completed"]) ** 2).mean())
    assert row["off_low"] < row["off"] < row["off_high"]


def test_the_lower_edge_of_an_age_belongs_to_it():
    calls = sliced().assign(age_days=lambda c: np.where(c["age_days"] < 1, 1.0, 179.9))

    assert [value for dimension, value in by_slice(calls, 20).index if dimension == "age"] == [
        "1 to 3 days",
        "90 to 180 days",
    ]


def test_a_slice_of_few_deals_is_left_out_and_all_are_not():
    table = by_slice(sliced(deals=60), 20)

    assert ("industry", "media") not in table.index
    assert ("all", "all") in table.index


def test_of_honest_models_one_in_twenty_is_said_to_fail_somewhere():
    calls, failing = sliced(), 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        p = calls["win_probability"].to_numpy()[: len(calls) // 2]
        won = np.tile((rng.random(len(p)) < p).astype(float), 2)
        failing += bool(failures(by_slice(calls.assign(won_completed=won), 100), LocaleFormat()))

    assert failing <= 5


def test_a_slice_that_is_promised_too_much_is_named():
    table = by_slice(sliced(off_in_media=0.25), 200)
    row = table.loc[("industry", "media")]

    assert row["fails"].startswith("too high")
    said = f"({row['predicted']:.0%} predicted, {row['won']:.0%} won; {row['deals']:,.0f} deals)"
    assert f"industry media: {row['fails']} {said}" in failures(table, LocaleFormat())


def test_a_certain_but_small_error_is_not_a_failure():
    """Forty thousand deals show a gap of three points beyond doubt."""
    assert "industry media" not in " ".join(
        failures(by_slice(sliced(off_in_media=0.03, deals=20_000), 100), LocaleFormat())
    )


def test_a_slice_where_the_base_rate_does_better_is_named():
    calls = sliced()
    media = calls[SEGMENT + "industry"] == "media"
    upside_down = calls.assign(win_probability=np.where(media, 1 - calls["won_completed"] * 0.8 - 0.1, 0.5))

    assert by_slice(upside_down, 100).loc[("industry", "media"), "fails"].endswith("worse than the base rate")
