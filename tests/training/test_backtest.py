import numpy as np
import pandas as pd
import pytest
from tests.books import TINY, UNTIL

from walkaway.asof.history import History, known
from walkaway.training.backtest import _calibration, backtest, calibrated, experienced
from walkaway.training.fitting import fit_as_of

pytest_plugins = ("tests.books",)

SETTINGS = TINY.model_copy(update={"folds": 3})


@pytest.fixture(scope="module")
def final(book):
    return fit_as_of(History(known(book, UNTIL)), UNTIL, SETTINGS)


@pytest.fixture(scope="module")
def folds(book, final):
    return backtest(History(known(book, UNTIL)), final, SETTINGS)


@pytest.fixture(scope="module")
def origins(folds):
    return sorted(folds.calls["known_until"].unique())


def test_the_first_fold_is_calibrated_by_nothing(folds, origins):
    first = folds.calls[folds.calls["known_until"] == origins[0]]

    np.testing.assert_allclose(first["win_probability"], 1 / (1 + np.exp(-first["raw"])), rtol=1e-12)
    assert first["uncalibrated_hours"].tolist() == first["remaining_hours"].tolist()


def test_a_later_fold_is_calibrated_by_the_calls_before_it(folds, origins):
    second = folds.calls[folds.calls["known_until"] == origins[1]]
    logit = np.log(second["win_probability"] / (1 - second["win_probability"])).to_numpy()
    slope, shift = np.polyfit(second["raw"], logit, 1)

    np.testing.assert_allclose(logit, slope * second["raw"] + shift, atol=1e-9)
    assert (slope, shift) != pytest.approx((1.0, 0.0), abs=1e-3)


def test_what_closes_after_an_origin_changes_no_call_of_its_fold(book, final, folds, origins):
    """Every deal that closes after the second origin ends the other way: the first two folds say the same."""
    then = known(book, UNTIL)
    late = then.deals["closed_at"] > origins[1]
    other = then.deals["outcome"].map({"won": "lost", "lost": "won"})
    turned = then.with_tables(deals=then.deals.assign(outcome=then.deals["outcome"].where(~late, other)))
    again = backtest(History(turned), fit_as_of(History(turned), UNTIL, SETTINGS), SETTINGS).calls
    said = ["deal_id", "as_of", "win_probability", "value_if_won", "remaining_hours", "value_per_hour", "logistic"]
    early = (folds.calls["known_until"] <= origins[1]).to_numpy()

    assert late.sum() > 20
    pd.testing.assert_frame_equal(again.loc[early, said], folds.calls.loc[early, said], check_exact=True)
    assert not again.loc[~early, said].equals(folds.calls.loc[~early, said])


def test_an_older_model_calls_what_newer_ones_called(folds, origins):
    stale = folds.stale

    assert stale.groupby("periods_older")["known_until"].unique().map(list).to_dict() == {1: [origins[1]]}
    both = stale.merge(folds.calls, on=["deal_id", "as_of"], suffixes=("_older", ""))
    assert len(both) == len(stale)
    assert (both["known_until_older"] < both["known_until"]).all()


def test_the_crms_own_probability_is_a_baseline_where_it_keeps_one(book, final):
    then = known(book, UNTIL)
    rows = then.deals[["deal_id"]].assign(field="probability", recorded_at=then.deals["created_at"], new_value="35")
    with_own = then.with_tables(changes=pd.concat([then.changes, rows.iloc[::2]], ignore_index=True))
    calls = backtest(History(with_own), final, SETTINGS).calls
    told = calls["deal_id"].isin(rows["deal_id"].iloc[::2])

    assert set(calls.loc[told, "crm_probability"]) == {0.35}
    assert calls.loc[~told, "crm_probability"].tolist() == calls.loc[~told, "base_rate"].tolist()


def test_without_one_there_is_no_such_baseline(folds):
    assert "crm_probability" not in folds.calls


def test_calls_are_marked_with_their_stage(folds):
    assert set(folds.calls["stage"].dropna()) == {"new", "offer"}


def test_without_earlier_calls_heads_stay_as_they_are(final):
    assert calibrated(final.heads, pd.DataFrame(), final.completed.iloc[:0], 7.0) is final.heads


def test_a_history_too_short_for_folds_gives_no_calls(book):
    """No deal has settled by the first origins of a book of five weeks."""
    until = pd.Timestamp("2025-02-10", tz="UTC")
    young = History(known(book, until))
    found = backtest(young, fit_as_of(young, until, SETTINGS), SETTINGS.model_copy(update={"folds": 1}))

    assert (len(found.calls), len(found.stale)) == (0, 0)


def test_what_folds_say_besides_their_calls_may_be_left_out_and_changes_none(book, final):
    history, paced = History(known(book, UNTIL)), SETTINGS.model_copy(update={"calls_every_days": 3.5})
    whole, alone = backtest(history, final, paced), backtest(history, final, paced, looks=False, older=False)

    pd.testing.assert_frame_equal(alone.calls, whole.calls, check_exact=True)
    assert (len(alone.looks), len(alone.stale)) == (0, 0)
    assert len(whole.looks) > len(whole.calls)
    assert len(whole.stale) > 0


def test_a_calibration_counts_deals_and_not_rows():
    """Twice the rows of the same deals teach what the rows once teach."""
    raw = np.tile([-1.0, 0.5, 2.0], 20)
    calls = pd.DataFrame({"deal_id": [f"d{i // 3}" for i in range(60)], "raw": raw, "age_days": 7.0})
    won = np.repeat([1.0, 0.0, 0.0, 1.0], 15)
    once = _calibration(calls, won, 7.0)
    twice = _calibration(pd.concat([calls, calls]), np.concatenate([won, won]), 7.0)

    assert (twice.slope, twice.shift) == pytest.approx((once.slope, once.shift), abs=1e-6)
    assert once.shift != pytest.approx(0.0, abs=1e-3)


def test_calls_of_folds_with_too_short_a_history_teach_nothing():
    day = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta([0, 1, 2, 3], unit="D")
    deals = pd.DataFrame({"created_at": day, "closed_at": day + pd.Timedelta(days=30)})
    until = day[0] + pd.Timedelta(days=60)
    calls = pd.DataFrame({"known_until": day[0] + pd.to_timedelta([29, 30, 45], unit="D")})

    assert experienced(calls, deals, until).tolist() == [False, True, True]
    assert experienced(pd.DataFrame(), deals, until).tolist() == []


@pytest.mark.parametrize(("taught", "used"), [(0.9, True), (0.01, False)])
def test_a_calibration_that_harmed_the_newest_fold_is_not_used(folds, final, taught, used):
    won = (folds.calls["won_completed"] >= 0.5).to_numpy(dtype=float)
    newest = (folds.calls["known_until"] == folds.calls["known_until"].max()).to_numpy()
    of_the_outcome = np.where(won == 1, taught, 1 - taught)
    calls = folds.calls.assign(raw=0.3, win_probability=np.where(newest, of_the_outcome, 0.5))
    ends = pd.DataFrame({"won": won, "remaining_hours": folds.calls["remaining_hours_truth"].to_numpy()})

    found = calibrated(final.heads, calls, ends, 7.0).win.calibration

    assert (found != final.heads.win.calibration) is used
