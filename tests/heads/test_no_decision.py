"""If a deal is lost: for lack of a decision?"""

import numpy as np
import pytest

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.heads.examples import Examples, latest_rows
from walkaway.heads.no_decision import LEAST_LOST_EITHER_WAY, fit_no_decision

SMALL = BoosterSettings(trees=150, leaves=4, least_rows_in_leaf=10)
SETTINGS = HeadSettings(members=2, completion_rounds=1, no_decision=SMALL)


def fit(deals: int = 400, seed: int = 0, settings: HeadSettings = SETTINGS, **changes: np.ndarray):
    """Two looks at each deal; those with a positive first feature are lost for lack of a decision nine times of ten."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=deals)
    undecided = (rng.random(deals) < np.where(x > 0, 0.9, 0.1)).astype(float)
    lost = np.ones(deals)
    undecided[: deals // 4], lost[: deals // 4] = np.nan, 0.0  # won
    given = {"no_decision": undecided, "lost": lost} | changes
    deal = np.repeat(np.arange(deals), 2)
    X = np.column_stack([x[deal], rng.normal(size=2 * deals)]).astype(np.float32)
    ends = {name: values[deal] for name, values in given.items()}
    weight, latest = np.ones(2 * deals), latest_rows(deal)
    fitted = fit_no_decision(Examples(X, ends["no_decision"], latest, [], weight), ends["lost"], settings)
    return fitted and fitted[0], X


def test_it_tells_deals_without_a_decision_from_those_that_do_not_fit():
    head, X = fit()
    said = head.probability(X)

    assert said[X[:, 0] > 0.2].mean() > 0.75
    assert said[X[:, 0] < -0.2].mean() < 0.25
    assert head.rate == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("missing", [0.0, 1.0])
def test_with_few_losses_of_either_kind_there_is_no_head(missing):
    undecided = np.full(400, 1.0 - missing)
    undecided[: LEAST_LOST_EITHER_WAY - 1] = missing

    assert fit(no_decision=undecided, lost=np.ones(400))[0] is None


def test_open_deals_count_as_far_as_they_are_expected_to_be_lost():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    undecided = (rng.random(400) < np.where(x > 0, 0.9, 0.1)).astype(float)
    undecided[:200] = np.nan
    chance = np.r_[np.full(200, 1e-6), np.ones(200)]
    gone, _ = fit(no_decision=undecided, lost=chance)
    alone, X = fit(no_decision=undecided, lost=np.r_[np.zeros(200), np.ones(200)])
    there, _ = fit(no_decision=undecided, lost=np.r_[np.full(200, 0.9), np.ones(200)])

    assert gone.rate == pytest.approx(alone.rate, abs=0.02)
    assert there.bag.texts() != gone.bag.texts()
    assert np.corrcoef(there.probability(X), alone.probability(X))[0, 1] > 0.8


def test_the_same_rows_give_the_same_head():
    one, X = fit()
    other, _ = fit()

    assert one.bag.texts() == other.bag.texts()
    assert (one.probability(X) == other.probability(X)).all()
