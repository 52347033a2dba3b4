import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from walkaway.asof.history import known
from walkaway.asof.snapshots import open_snapshots
from walkaway.book.effort import effort_seconds
from walkaway.book.quarantine import admit
from walkaway.sample import FIRST_DAY, WEEKS, make_sample

MONDAYS = pd.date_range(FIRST_DAY, periods=WEEKS + 1, freq="7D").as_unit("us")


@pytest.fixture(scope="module")
def sample():
    return make_sample(6000, seed=5)


@pytest.fixture(scope="module")
def settled(sample):
    """Mondays of the first three years, when nearly every deal has ended since, with what became of them."""
    deals = sample.book.deals.set_index("deal_id")
    truth = sample.truth[sample.truth["as_of"] < MONDAYS[-60]]
    return truth.assign(won=truth["deal_id"].map(deals["outcome"]).eq("won"))


def _by_deal(values: pd.Series, deal: pd.Series) -> tuple[float, float]:
    """Mean over rows, and its standard error with the rows of a deal taken together."""
    sums = (values - values.mean()).groupby(deal.to_numpy()).sum()
    return float(values.mean()), float(np.sqrt((sums**2).sum()) / len(values))


def test_the_same_seed_gives_the_same_book_and_another_seed_another():
    one, again, other = make_sample(80, 1), make_sample(80, 1), make_sample(80, 2)

    pd.testing.assert_frame_equal(one.truth, again.truth)
    assert all(t.equals(again.book.tables()[name]) for name, t in one.book.tables().items())
    assert not one.book.activities.equals(other.book.activities)


def test_every_row_of_a_sample_can_be_used(sample):
    kept, refused = admit(sample.book, pd.Timestamp("2026-06-01", tz="UTC"))

    assert (len(refused), len(kept.deals)) == (0, 6000)


def test_the_truth_knows_just_the_deals_open_on_each_monday(sample):
    grid = open_snapshots(sample.book, MONDAYS)

    pd.testing.assert_frame_equal(grid, sample.truth[["deal_id", "as_of"]], check_dtype=False)


def test_wins_come_true_as_often_as_the_truth_says(settled):
    miss, error = _by_deal(settled["won"] - settled["win_probability"], settled["deal_id"])

    assert abs(miss) < 3 * error


def test_hours_are_booked_as_the_truth_says(sample, settled):
    book = sample.book
    seconds = effort_seconds(book.activities, book.manifest.assumed_hours)
    done = book.activities.assign(hours=seconds / 3600).sort_values("recorded_at")
    done["so_far"] = done.groupby("deal_id")["hours"].cumsum()
    rows = settled.sort_values("as_of")
    so_far = pd.merge_asof(
        rows, done[["deal_id", "recorded_at", "so_far"]], left_on="as_of", right_on="recorded_at", by="deal_id"
    )["so_far"].fillna(0.0)
    all_hours = rows["deal_id"].map(done.groupby("deal_id")["hours"].sum()).to_numpy()
    booked = pd.Series(all_hours - so_far.to_numpy())
    miss, error = _by_deal(booked - rows["remaining_hours"].to_numpy(), rows["deal_id"])

    assert abs(miss) < 3 * error


def test_a_win_is_worth_what_the_truth_says(sample, settled):
    worth = sample.book.deals.set_index("deal_id").eval("amount * margin")
    won = settled[settled["won"]]
    miss, error = _by_deal(won["deal_id"].map(worth) / 1000 - won["value_if_won"] / 1000, won["deal_id"])

    assert abs(miss) < 3 * error


def test_even_the_truth_cannot_tell_who_wins_very_well(settled):
    assert 0.78 < roc_auc_score(settled["won"], settled["win_probability"]) < 0.85


def test_a_book_has_what_real_ones_have(sample):
    book = sample.book
    monday = known(book, MONDAYS[100]).changes
    amounts = monday[monday["field"] == "amount"]["deal_id"].unique()
    still_open = sample.truth.query("as_of == @MONDAYS[100]")["deal_id"]

    assert set(book.deals["loss_reason"].dropna()) == {"competitor", "declined", "dropped", "no_decision"}
    assert (book.deals["margin"] < 0).any()
    assert 0 < still_open.isin(amounts).mean() < 1  # some amounts are missing early on
    assert (sample.truth.groupby("deal_id").size() > 52).any()  # and some deals nobody closes


def test_a_stationary_sample_has_another_history():
    drifting, still = make_sample(300, 1), make_sample(300, 1, stationary=True)

    assert still.book.manifest.source == "sample of 300 deals, seed 1, stationary"
    assert drifting.truth["win_probability"].mean() != still.truth["win_probability"].mean()
