import numpy as np
import pandas as pd
import pytest

from walkaway.sample import Durations, FlatShape, make_flat_sample

LONG_AGO = pd.Timestamp("2025-01-01", tz="UTC")
SHAPE = FlatShape(win_rate=0.4, won=Durations(10.0), lost=Durations(15.0, after=5.0), calls_a_day=0.4)


@pytest.fixture(scope="module")
def sample():
    return make_flat_sample(6_000, 3, SHAPE)


@pytest.fixture(scope="module")
def settled(sample):
    """The truth of deals that were created long enough ago for all of them to have ended."""
    deals = sample.book.deals.set_index("deal_id")
    old = deals[deals["created_at"] < LONG_AGO]
    assert old["outcome"].notna().all()
    return sample.truth[sample.truth["deal_id"].isin(old.index)].join(old[["outcome", "created_at"]], on="deal_id")


def test_the_same_seed_gives_the_same_book_and_another_seed_another():
    one, same, other = (make_flat_sample(200, seed) for seed in (1, 1, 2))

    pd.testing.assert_frame_equal(one.book.deals, same.book.deals)
    pd.testing.assert_frame_equal(one.truth, same.truth)
    assert not one.book.deals["segment"].equals(other.book.deals["segment"])


def test_deals_are_won_as_often_as_the_truth_says_at_every_age(settled):
    age = (settled["as_of"] - settled["created_at"]) / pd.Timedelta(days=1)
    by_age = settled.assign(won=settled["outcome"] == "won").groupby(pd.cut(age, [0, 5, 15, 30, 100]), observed=True)
    found, expected = by_age["won"].mean(), by_age["win_probability"].mean()

    assert found.to_numpy() == pytest.approx(expected.to_numpy(), abs=0.03)
    assert expected.iloc[0] > 1.5 * expected.iloc[-1]


def test_the_share_won_is_the_one_asked_for(settled):
    assert (settled.drop_duplicates("deal_id")["outcome"] == "won").mean() == pytest.approx(0.4, abs=0.02)


def test_the_hours_left_are_those_that_calls_then_take(sample, settled):
    first = settled.drop_duplicates("deal_id").set_index("deal_id")
    calls = sample.book.activities.join(first["as_of"], on="deal_id", how="inner")
    after = calls[calls["recorded_at"] > calls["as_of"]]["hours"].sum()

    assert after == pytest.approx(first["remaining_hours"].sum(), rel=0.03)


def test_a_book_without_calls_has_no_activities_and_no_hours():
    sample = make_flat_sample(100, 1)

    assert sample.book.activities.empty
    assert (sample.truth["remaining_hours"] == 0).all()


def test_late_cancellations_come_after_the_day_they_start():
    late = Durations(8.0, late_share=1.0, late_after=30.0)
    drawn = late.draw(np.random.default_rng(1), 1_000)

    assert drawn.min() >= 30.0
    assert late.longer(np.array([30.0])).tolist() == [1.0]
    assert np.mean(drawn > 40.0) == pytest.approx(late.longer(np.array([40.0]))[0], abs=0.05)


def test_interactions_are_not_seen_in_single_attributes():
    sample = make_flat_sample(5_000, 2, FlatShape(effect=0.0, interaction=1.5))
    deals = sample.book.deals.set_index("deal_id").join(sample.truth.drop_duplicates("deal_id").set_index("deal_id"))
    high = deals["visits"] > deals["visits"].median()

    assert deals["win_probability"].std() > 0.15
    assert deals.groupby(high)["win_probability"].mean().diff().abs().iloc[1] < 0.1
