from math import log

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.errors import DataError
from walkaway.heads import Estimates, Heads, HoursHead, TrainingRows, WinHead, WorthHead, fit_heads
from walkaway.heads.calibration import Calibration
from walkaway.heads.examples import Examples, latest_rows
from walkaway.heads.pooling import pooled_rate
from walkaway.heads.win import fit_win

FEW = BoosterSettings(trees=8, learning_rate=0.3, leaves=4, least_rows_in_leaf=5)
SETTINGS = HeadSettings(members=2, completion_rounds=1, threads=1, win=FEW, hours=FEW, worth=FEW)
X = np.repeat(np.arange(40, dtype=np.float32), 3)[:, None]  # 40 deals, three rows each; the later ones win
DEAL = np.repeat(np.arange(40), 3)
WON = (DEAL >= 20).astype(np.float64)
NOTHING = np.zeros((2, 1), dtype=np.float32)


def fitted(won=WON, settings=SETTINGS):
    return fit_win(Examples(X, won, latest_rows(DEAL), [], np.ones(120)), settings)[:2]


def labelled(won: list[float]) -> TrainingRows:
    """One row a deal."""
    n = len(won)
    labels = pd.DataFrame({"won": won, "settled": ~np.isnan(won), "remaining_hours": 1.0, "amount_at_close": np.nan})
    terms = pd.DataFrame({"amount": [np.nan] * n, "margin": [np.nan] * n, "assumed_hours": np.nan})
    return TrainingRows(np.zeros((n, 1), np.float32), terms, labels, np.ones(n), np.arange(n), [])


def test_without_boosters_each_row_gets_the_base_rate():
    assert WinHead(0.25).probability(NOTHING).round(15).tolist() == [0.25, 0.25]
    assert WinHead(0.25).raw_by_member(NOTHING).tolist() == [[-log(3.0)] * 2]


def test_the_probability_is_the_calibrated_mean_of_the_members_log_odds():
    head = fitted()[0].calibrated(Calibration(0.5, 0.1))

    assert head.probability(X).tolist() == expit(0.5 * head.bag.raw(X) + 0.1).tolist()


def test_each_member_passes_the_same_calibration():
    head = fitted()[0].calibrated(Calibration(0.5, 0.1))
    terms = pd.DataFrame({"amount": np.ones(len(X)), "margin": 1.0, "assumed_hours": np.nan})
    said = Heads(head, WorthHead(1.0), HoursHead(1.0)).estimate_by_member(X, terms).win_probability

    assert said.tolist() == expit(0.5 * head.bag.raw_by_member(X) + 0.1).tolist()


def test_a_calibrated_head_keeps_its_boosters_and_base_rate():
    head = fitted()[0]

    assert head.calibrated(Calibration(2.0, 0.0)) == WinHead(head.base_rate, head.bag, Calibration(2.0, 0.0))


def test_without_signal_only_the_base_rate_is_left():
    assert WinHead(0.3, fitted()[0].bag, Calibration(2.0, 1.0)).without_signal() == WinHead(0.3)


def test_a_head_learns_which_deals_are_won():
    probability = fitted()[0].probability(X)

    assert probability[WON == 1].min() > probability[WON == 0].max()


def test_the_base_rate_is_the_share_of_rows_won_where_all_deals_are_settled():
    assert fitted()[0].base_rate == 0.5


def test_completed_labels_keep_what_was_settled_and_give_open_deals_one_share_each():
    won = np.where(DEAL % 4 == 0, np.nan, WON)
    head, completed = fitted(won)
    still_open = np.isnan(won)

    assert completed[~still_open].tolist() == won[~still_open].tolist()
    assert [len(set(completed[deal == DEAL])) for deal in range(0, 40, 4)] == [1] * 10
    assert ((completed[still_open] > 0) & (completed[still_open] < 1)).all()
    assert head.base_rate == pooled_rate(completed, np.ones(120), won, DEAL)


def test_open_deals_count_for_nothing_before_they_are_completed():
    won = np.where(DEAL % 4 == 0, np.nan, WON)
    settled = ~np.isnan(won)
    none = SETTINGS.model_copy(update={"completion_rounds": 0})
    alone = fit_win(Examples(X[settled], won[settled], latest_rows(DEAL[settled]), [], np.ones(90)), none)[0]

    assert fitted(won, none)[0].bag.texts() == alone.bag.texts()


@pytest.mark.parametrize(
    ("won", "found"),
    [
        ([0.0, 0.0, np.nan], "found 0 won and 2 lost"),
        ([1.0, np.nan], "found 1 won and 0 lost"),
        ([np.nan, np.nan], "found 0 won and 0 lost"),
        ([], "found 0 won and 0 lost"),
    ],
)
def test_training_needs_won_and_lost_deals_and_says_how_many_there_are(won, found):
    text = (
        rf"training needs won and lost deals that were open at some snapshot; {found}\. Use a later --until, or a book"
    )

    with pytest.raises(DataError, match=text):
        labelled(won).check()


def test_deals_are_counted_rather_than_their_snapshots():
    rows = labelled([1.0, 1.0, 1.0])
    of_one_deal = TrainingRows(rows.X, rows.terms, rows.labels, rows.weight, np.zeros(3, dtype=int), [])

    with pytest.raises(DataError, match=r"found 1 won and 0 lost"):
        of_one_deal.check()


def test_heads_are_not_fitted_on_deals_that_all_ended_alike():
    with pytest.raises(DataError, match=r"found 0 won and 2 lost"):
        fit_heads(labelled([0.0, 0.0]), SETTINGS)


def test_heads_together_estimate_what_each_says_alone():
    heads = Heads(WinHead(0.5), WorthHead(100.0, log(2.0)), HoursHead(3.0))
    terms = pd.DataFrame({"amount": [400.0, np.nan], "margin": [0.5, np.nan], "assumed_hours": np.nan})

    def written(found: Estimates) -> list:
        return [part.round(9).tolist() for part in (found.win_probability, found.value_if_won, found.remaining_hours)]

    assert written(heads.estimate(NOTHING, terms)) == [[0.5, 0.5], [400.0, 200.0], [3.0, 3.0]]
    assert written(heads.estimate_by_member(NOTHING, terms)) == [[[0.5, 0.5]], [[400.0, 200.0]], [[3.0, 3.0]]]


def test_the_ratio_of_worth_is_learned_from_won_deals_only():
    rows = labelled([1.0, 0.0])
    labels = rows.labels.assign(amount_at_close=[50.0, 900.0])
    terms = pd.DataFrame({"amount": [100.0, 100.0], "margin": [np.nan, np.nan], "assumed_hours": np.nan})
    varying = np.array([[0.0], [1.0]], dtype=np.float32)
    heads, _, _ = fit_heads(TrainingRows(varying, terms, labels, rows.weight, rows.deal, []), SETTINGS)

    assert heads.worth == WorthHead(100.0, log(0.5))
