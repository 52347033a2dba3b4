"""On a sample book, whose truth is known: reasons add up for every deal, carry the call, and name what decides."""

import numpy as np
import pandas as pd
import pytest
from benchmarks.reasons import deletion, jaccard, stability, themes, true_themes

from walkaway.asof.history import History, known
from walkaway.asof.snapshots import moments, open_snapshots
from walkaway.config import BoosterSettings, HeadSettings, TrainSettings
from walkaway.explaining import attribute
from walkaway.models.model import make_calls, read_rows
from walkaway.sample import FIRST_DAY, WEEKS, make_sample
from walkaway.training.train import train

WEEK = pd.Timedelta(days=7)
UNTIL = FIRST_DAY + (WEEKS - 52) * WEEK
DEALS, SEED = 2500, 5
FEW = BoosterSettings(trees=150, leaves=4, least_rows_in_leaf=60, feature_share=0.8)
QUICK = HeadSettings(members=4, completion_rounds=1, threads=1, win=FEW, hours=FEW, worth=FEW, no_decision=FEW)
RECIPE = TrainSettings(folds=2, bootstrap=20, calls_every_days=7.0, heads=QUICK)


@pytest.fixture(scope="module")
def book():
    return make_sample(DEALS, SEED).book


@pytest.fixture(scope="module")
def model(book):
    return train(book, UNTIL, RECIPE).model


@pytest.fixture(scope="module")
def open_rows(book, model):
    """All deals open when training ends."""
    return read_rows(History(book), open_snapshots(book, pd.DatetimeIndex([UNTIL])), model.plan)


def test_typical_times_all_factors_is_the_value_of_every_open_deal_on_every_monday_of_a_quarter(book, model):
    snapshots = open_snapshots(book, moments(UNTIL, UNTIL + 12 * WEEK, 7))
    rows = read_rows(History(book), snapshots, model.plan)
    said = make_calls(model, rows, 0.0).table
    found = attribute(model, rows)

    assert (found.explained == (said["value_if_won"] > 0)).all()
    assert 0.02 < (~found.explained).mean() < 0.3
    product = found.typical * found.factors().prod(axis=1)
    np.testing.assert_allclose(product[found.explained], said["value_per_hour"][found.explained], rtol=1e-9)


def test_the_themes_that_decide_come_out_on_top(model, open_rows):
    told, truth = themes(model, attribute(model, open_rows)), true_themes(DEALS, SEED, UNTIL)

    assert told.index[:2].tolist() == truth.index[:2].tolist() == ["price and profit", "fit"]
    assert told.index[-1] == "effort"


def test_reasons_carry_the_call_more_than_those_of_the_win_head_and_any_more_than_random_ones(model, open_rows):
    table = deletion(model, open_rows, model.curve.bar_for_forgo(0.10))
    moved, turned = table["ln(value per hour) moves by"], table["verdicts turned"]

    for other in ("SHAP of the win head, in our groups", "SHAP of one win booster", "three groups at random"):
        assert moved["our reasons"] > 1.3 * moved[other]
        assert turned["our reasons"] > 1.3 * turned[other]


def test_reasons_hold_between_refits(book, model, open_rows):
    table = stability(known(book, UNTIL), UNTIL, RECIPE, model, open_rows.snapshots)

    assert table.loc["our reasons", "other seeds"] > max(0.8, table.loc["SHAP of one win booster", "other seeds"])
    assert table.loc["our reasons", "other deals"] > table.loc["SHAP of one win booster", "other deals"]


def test_jaccard_is_what_is_shared_over_all_named():
    assert jaccard([(1, 2, 3)], [(3, 2, 1)]) == 1.0
    assert jaccard([(1, 2, 3), (1,)], [(4, 5, 6), (1,)]) == 0.5
