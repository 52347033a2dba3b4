from math import log

import numpy as np
import pytest

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.heads.examples import Examples, latest_rows
from walkaway.heads.hours import HoursHead, fit_hours

FEW = BoosterSettings(trees=10, learning_rate=0.2, leaves=4, least_rows_in_leaf=5)
SETTINGS = HeadSettings(members=2, completion_rounds=2, threads=1, hours=FEW, pooling_hours_deals=0)
DEAL = np.repeat(np.arange(50), 4)
LATEST = latest_rows(DEAL)
RNG = np.random.default_rng(0)
X = np.column_stack([np.tile(np.arange(4), 50), RNG.normal(size=200)]).astype(np.float32)
HOURS = np.where(X[:, 1] > 0, 3.0, 0.5) * (3 - X[:, 0]) + RNG.exponential(0.2, 200) * (X[:, 0] < 3)
ALL = np.ones(200, dtype=bool)
NOTHING = np.zeros((2, 1), dtype=np.float32)


def fitted(hours=HOURS, settled=ALL, settings=SETTINGS):
    return fit_hours(Examples(X, hours, LATEST, []), settled, settings)[:2]


def test_without_boosters_each_row_gets_the_mean():
    assert HoursHead(2.5).hours(NOTHING).tolist() == pytest.approx([2.5, 2.5], rel=1e-15)


def test_scaled_hours_are_all_hours_times_the_factor():
    head, _ = fitted()

    np.testing.assert_allclose(head.scaled(1.25).hours(X), head.hours(X) * 1.25, rtol=1e-12)
    np.testing.assert_allclose(HoursHead(2.0).scaled(1.25).hours(NOTHING), [2.5, 2.5], rtol=1e-12)


def test_the_predictions_of_the_rows_it_was_trained_on_sum_to_the_hours_booked():
    head, _ = fitted()
    by_hand = np.exp(head.bag.raw(X) + head.log_scale)

    assert head.hours(X).sum() == pytest.approx(HOURS.sum(), rel=1e-12)
    assert head.hours(X).tolist() == pytest.approx(by_hand.tolist(), rel=1e-12)


def test_the_total_holds_for_completed_hours_too_where_deals_are_open():
    head, completed = fitted(settled=DEAL % 3 > 0)

    assert head.hours(X).sum() == pytest.approx(completed.sum(), rel=1e-12)
    assert head.mean_hours == float(np.mean(completed))


def test_completed_hours_of_an_open_deal_are_those_so_far_and_one_expected_rest():
    settled = DEAL % 3 > 0
    _, completed = fitted(settled=settled)
    rest = (completed - HOURS).reshape(50, 4)

    assert rest[1:3].tolist() == np.zeros((2, 4)).tolist()
    assert rest[0].tolist() == pytest.approx([rest[0, 3]] * 4, rel=1e-12)
    assert (rest[::3] > 0).all()


def test_the_members_geometric_mean_is_the_prediction():
    head, _ = fitted()
    one, other = np.exp(head.log_hours_by_member(X))

    np.testing.assert_allclose(head.hours(X), np.sqrt(one * other), rtol=1e-12)


def test_while_labels_are_completed_no_booster_predicts_a_row_twice(predictions):
    """Its scale and the hours of open deals come from one prediction of all rows; the last bag is asked for its own."""
    fitted(settled=DEAL % 3 > 0)

    boosters = SETTINGS.completion_rounds * SETTINGS.completion_members + SETTINGS.members
    assert list(predictions.values()) == [1] * boosters
    assert {rows for _, rows in predictions} == {X.tobytes()}


def test_a_book_without_any_hours_has_none_left_and_needs_no_boosters():
    head, completed = fitted(hours=np.zeros(200))

    assert (head, completed.tolist()) == (HoursHead(mean_hours=0.0), [0.0] * 200)


def test_no_hours_left_has_a_logarithm_all_the_same():
    assert HoursHead(0.0).log_hours_by_member(NOTHING).tolist() == [[log(1e-9)] * 2]


def test_longer_work_is_seen():
    hours = fitted()[0].hours(X)

    assert hours[X[:, 0] == 0].mean() > 2 * hours[X[:, 0] == 2].mean()


def test_the_first_fit_uses_settled_deals_only():
    settled = DEAL % 3 > 0
    none = SETTINGS.model_copy(update={"completion_rounds": 0})
    alone = fit_hours(Examples(X[settled], HOURS[settled], latest_rows(DEAL[settled]), []), ALL[settled], none)[0]

    assert fitted(settled=settled, settings=none)[0].bag.texts() == alone.bag.texts()


def test_hours_of_open_deals_alone_do_not_stop_the_training():
    settled = DEAL % 3 > 0
    head, completed = fitted(hours=np.where(settled, 0.0, HOURS), settled=settled)

    assert np.isfinite(head.hours(X)).all()
    assert completed.sum() >= HOURS[~settled].sum()
