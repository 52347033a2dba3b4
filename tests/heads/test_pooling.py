import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.heads import TrainingRows, pooling
from walkaway.heads.examples import Examples, latest_rows
from walkaway.heads.hours import fit_hours
from walkaway.heads.pooling import linear_prediction, pooled_hours_share, pooled_rate, pooled_share, small_leaves
from walkaway.heads.win import fit_win

RNG = np.random.default_rng(0)


def test_the_linear_share_falls_with_the_deals_of_the_rarer_outcome():
    won = np.r_[np.ones(10), np.zeros(90), np.full(5, np.nan)]

    assert pooled_share(won, np.arange(105), 40.0) == 0.8
    assert pooled_share(1 - won, np.arange(105), 40.0) == 0.8
    assert pooled_share(won, np.arange(105), 0.0) == 0.0


def test_many_looks_at_a_deal_are_one_deal():
    deal = np.repeat([0, 1], 50)

    assert pooled_share((deal == 0) * 1.0, deal, 1.0) == 0.5
    assert pooled_hours_share(np.ones(100, dtype=bool), deal, 2.0) == 0.5


@pytest.mark.parametrize(("deals", "share"), [(1960, 0.02), (1961, 0.0)])
def test_a_negligible_share_is_none(deals, share):
    assert pooled_share(np.r_[np.ones(deals), np.zeros(9000)], np.arange(deals + 9000), 40.0) == share


@pytest.mark.parametrize(("rows", "least"), [(10, 10), (500, 25), (2400, 120), (100_000, 120)])
def test_leaves_may_be_smaller_where_rows_are_few(rows, least):
    assert small_leaves(BoosterSettings(least_rows_in_leaf=120), rows).least_rows_in_leaf == least
    assert small_leaves(BoosterSettings(least_rows_in_leaf=5), rows).least_rows_in_leaf == 5


def test_with_many_deals_the_base_rate_is_the_share_of_looks():
    won = np.r_[np.ones(3000), np.zeros(7000)]

    assert pooled_rate(won, np.ones(10_000), won, np.arange(10_000)) == pytest.approx(0.3, abs=1e-3)


def test_one_long_deal_does_not_make_the_base_rate():
    deal = np.r_[
        np.arange(4), np.full(36, 4)
    ]  # four lost deals seen once, one won deal seen 36 times: 90% of the looks
    won = (deal == 4) * 1.0

    assert 0.25 < pooled_rate(won, np.ones(40), won, deal) < 0.40


def books_worth(deals, columns=3):
    X = RNG.normal(size=(deals, columns))
    return X, RNG.random(deals) < expit(X[:, 0])


def test_with_many_deals_the_regression_finds_what_made_the_outcomes():
    X, won = books_worth(40_000)
    said = linear_prediction(Examples(np.sign(X) * np.expm1(np.abs(X)), won * 1.0, np.arange(len(X)), []), "logit")

    assert np.abs(said - expit(X[:, 0])).mean() < 0.01


def test_with_few_deals_the_regression_stays_near_the_base_rate():
    X, won = books_worth(8)
    won[:4], won[4:] = True, False
    said = linear_prediction(Examples(X, won * 1.0, np.arange(8), []), "logit")

    assert np.abs(logit(said)).max() < 0.4


@pytest.mark.parametrize("link", ["logit", "log"])
def test_the_regressions_total_is_that_of_its_rows(link):
    X, won = books_worth(200)
    X[RNG.random(X.shape) < 0.2] = np.nan
    weight = RNG.random(200)
    said = linear_prediction(Examples(X, won * (1.0 if link == "logit" else 7.0), np.arange(200), [1], weight), link)

    assert (weight * said).sum() == pytest.approx((weight * won).sum() * (1 if link == "logit" else 7), rel=1e-4)


def test_hours_of_any_unit_give_the_same_regression():
    X, hours = RNG.normal(size=(100, 2)), RNG.gamma(0.5, 3.0, 100)
    one, other = (linear_prediction(Examples(X, hours * unit, np.arange(100), []), "log") for unit in (1.0, 60.0))

    np.testing.assert_allclose(other, one * 60, rtol=1e-4)


def test_infinite_and_missing_values_do_no_harm():
    X = np.array([[np.nan, 1.0], [np.inf, 1.0], [-1e30, 1.0], [2.0, 1.0]])

    for link in ("logit", "log"):
        assert np.isfinite(
            linear_prediction(Examples(X, np.array([0.0, 1.0, 0.0, 1.0]), np.arange(4), [1]), link)
        ).all()


FEW = BoosterSettings(trees=60, leaves=4, least_rows_in_leaf=5)
SETTINGS = HeadSettings(members=2, completion_rounds=0, decay=1.0, threads=1, win=FEW, hours=FEW)


def test_a_pooled_head_fits_less_noise():
    X = RNG.normal(size=(60, 6)).astype(np.float32)
    won, latest = (RNG.random(60) < 0.5) * 1.0, latest_rows(np.arange(60))
    alone = SETTINGS.model_copy(update={"pooling_deals": 0.0, "pooling_hours_deals": 0.0})
    for fit in (
        lambda settings: fit_win(Examples(X, won, latest, [], np.ones(60)), settings)[0].bag.raw(X),
        lambda settings: np.log(fit_hours(Examples(X, won + 0.1, latest, []), won >= 0, settings)[0].hours(X)),
    ):
        assert fit(SETTINGS).std() < 0.7 * fit(alone).std()


def test_what_is_pooled_is_told_by_head():
    labels = pd.DataFrame({"won": [1.0, 0.0, 0.0, np.nan], "settled": [True, True, True, False]})
    empty = pd.DataFrame({"amount": [np.nan] * 4, "margin": [np.nan] * 4, "assumed_hours": np.nan})
    rows = TrainingRows(np.zeros((4, 1), np.float32), empty, labels, np.ones(4), np.arange(4), [])

    told = pooling(rows, HeadSettings(pooling_deals=3.0, pooling_hours_deals=1.0))
    assert told == {"pooled_win": 0.75, "pooled_hours": 0.25}
