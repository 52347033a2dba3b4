from math import log

import numpy as np
import pandas as pd
import pytest

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.heads.examples import Examples
from walkaway.heads.worth import LEAST_WON_ROWS, WorthHead, fit_worth

FEW = BoosterSettings(trees=10, learning_rate=0.2, leaves=4, least_rows_in_leaf=10)
SETTINGS = HeadSettings(members=2, threads=1, worth=FEW)
NONE = np.nan


def terms(amount, margin):
    return pd.DataFrame({"amount": amount, "margin": margin}, dtype="float64")


def fitted(amount, at_close, X=None):
    amount, at_close = np.array(amount, dtype=float), np.array(at_close, dtype=float)
    X = np.arange(len(amount), dtype=np.float32)[:, None] if X is None else X
    return fit_worth(Examples(X, at_close, np.arange(len(X)), []), amount, SETTINGS)[0]


def values(head, amount, margin):
    return head.value(np.zeros((len(amount), 1), np.float32), terms(amount, margin)).round(9).tolist()


def test_the_worth_is_amount_times_ratio_times_margin():
    assert values(WorthHead(1.0, log(0.5)), [1000.0, 80.0], [0.25, 1.0]) == [125.0, 40.0]


def test_a_missing_amount_is_taken_as_the_typical_one():
    assert values(WorthHead(700.0), [NONE, 0.0], [NONE, NONE]) == [700.0, 0.0]


def test_a_missing_margin_is_taken_as_one():
    assert values(WorthHead(1.0), [60.0, 60.0], [NONE, 0.5]) == [60.0, 30.0]


def test_a_negative_margin_gives_a_negative_worth():
    assert values(WorthHead(1.0), [200.0], [-0.1]) == [-20.0]


def test_without_boosters_the_one_member_says_the_worth_itself():
    head, rows = WorthHead(1.0, log(2.0)), np.zeros((1, 1), np.float32)

    assert head.value_of(head.log_ratio_by_member(rows), terms([5.0], [NONE])).round(12).tolist() == [[10.0]]


def test_the_typical_amount_is_the_median_of_those_recorded():
    assert fitted([10.0, NONE, 30.0, 500.0], [NONE] * 4).typical_amount == 30.0


def test_without_any_amount_known_in_time_the_typical_one_is_the_median_at_close():
    assert fitted([NONE, NONE, NONE], [100.0, NONE, 300.0]).typical_amount == 200.0


def test_without_won_amounts_the_ratio_is_one():
    assert fitted([10.0, 20.0], [NONE, NONE]) == WorthHead(15.0)


def test_a_few_won_deals_share_one_ratio_weighted_by_amount():
    assert fitted([100.0, 300.0, NONE], [50.0, 330.0, 900.0]) == WorthHead(200.0, log(380 / 400))


def test_amounts_of_zero_teach_no_ratio():
    assert fitted([0.0, 100.0, 100.0], [50.0, 80.0, 0.0]).log_ratio == log(0.8)


def test_a_ratio_that_is_the_same_for_all_needs_no_boosters():
    amount = np.linspace(10, 900, LEAST_WON_ROWS + 50)
    head = fitted(amount, amount * 0.75)

    assert (head.bag, round(head.log_ratio, 12)) == (None, round(log(0.75), 12))


@pytest.mark.parametrize(("rows", "boosted"), [(LEAST_WON_ROWS - 1, False), (LEAST_WON_ROWS, True)])
def test_a_varying_ratio_is_learned_from_200_won_rows_on(rows, boosted):
    amount = np.full(rows, 100.0)

    assert (fitted(amount, amount * np.linspace(0.5, 1, rows)).bag is not None) is boosted


def test_the_fitted_worth_of_won_rows_sums_to_what_was_signed():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (300, 1)).astype(np.float32)
    amount = rng.uniform(100, 900, 300)
    signed = amount * np.where(X[:, 0] == 1, 0.5, 1.0) * rng.uniform(0.9, 1.1, 300)
    head = fitted(amount, signed, X)
    found = head.value(X, terms(amount, NONE))

    assert found.sum() == pytest.approx(signed.sum(), rel=1e-12)
    assert (found / amount)[X[:, 0] == 1].max() < (found / amount)[X[:, 0] == 0].min()


def test_a_missing_amount_is_imputed_by_what_the_deal_is():
    X = np.tile([0.0, 1.0], 150).astype(np.float32)[:, None]
    signed = np.where(X[:, 0] == 1, 900.0, 100.0)
    amount = np.where(np.arange(300) < 150, signed, NONE)
    X = np.column_stack([X, amount]).astype(np.float32)
    at_once = fitted(amount, signed, X).value(X, terms(amount, NONE))[150:]

    assert at_once[X[150:, 0] == 0].max() < 300 < 600 < at_once[X[150:, 0] == 1].min()
