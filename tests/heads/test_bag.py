import numpy as np
import pytest

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.heads.bag import Bag, fit_bag
from walkaway.heads.examples import Examples

BOOSTER = BoosterSettings(trees=5, leaves=4, least_rows_in_leaf=5)
RNG = np.random.default_rng(0)
X = np.column_stack([RNG.normal(size=200), RNG.integers(0, 3, 200)]).astype(np.float32)
TARGET = (X[:, 0] + (X[:, 1] == 2) + RNG.normal(size=200) > 0).astype(np.float64)
ODD = np.array([[np.nan, np.nan], [0.0, 7.0], [-1e30, -1.0], [np.inf, 2.0]], dtype=np.float32)


def examples(target, weight=None) -> Examples:
    return Examples(X, target, np.arange(len(X)), [1], weight)


def bag_of(objective="cross_entropy", target=TARGET, **heads) -> Bag:
    return fit_bag(examples(target), objective, BOOSTER, HeadSettings(**({"members": 3, "threads": 1} | heads)))


@pytest.fixture(scope="module")
def bag():
    return bag_of()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_same_rows_and_seed_give_the_same_bytes_whatever_the_number_of_threads(bag, threads):
    assert bag_of(threads=threads).texts() == bag.texts()


def test_a_bag_has_as_many_members_as_asked_for_and_no_two_are_alike(bag):
    assert len(set(bag.texts())) == 3


def test_fewer_members_are_the_first_ones(bag):
    few = fit_bag(examples(TARGET), "cross_entropy", BOOSTER, HeadSettings(members=3, threads=1), members=2)

    assert few.texts() == bag.texts()[:2]


def test_members_are_seeded_in_a_row(bag):
    assert bag_of(seed=1).texts()[:2] == bag.texts()[1:]


@pytest.mark.parametrize("objective", ["cross_entropy", "tweedie", "gamma"])
def test_a_bag_read_from_its_texts_predicts_the_same_to_the_bit(objective):
    made = bag_of(objective, TARGET + (0.5 if objective == "gamma" else 0.0))
    rows = np.vstack([X, ODD])

    assert Bag.from_texts(made.texts()).raw_by_member(rows).tobytes() == made.raw_by_member(rows).tobytes()


def test_a_text_read_and_written_again_is_the_same_text(bag):
    assert Bag.from_texts(bag.texts()).texts() == bag.texts()


def test_the_raw_score_is_the_mean_of_the_members(bag):
    assert bag.raw(X).tolist() == [sum(column) / 3 for column in bag.raw_by_member(X).T]


def test_a_row_scored_alone_has_the_bits_it_has_among_others(bag):
    assert bag.raw(X[7:8])[0] == bag.raw(X)[7]


def test_soft_labels_draw_the_prediction_towards_their_share():
    soft = bag_of(target=np.full(200, 0.2))

    np.testing.assert_allclose(soft.raw(X), np.log(0.2 / 0.8), atol=1e-6)


def test_weights_count_as_repeated_rows_do_in_the_base():
    target, weight = np.r_[np.zeros(150), np.ones(50)], np.r_[np.ones(150), np.full(50, 3.0)]
    flat = BoosterSettings(trees=1, least_rows_in_leaf=200, row_share=1.0)
    even = fit_bag(examples(target, weight), "cross_entropy", flat, HeadSettings(members=1))

    np.testing.assert_allclose(even.raw(X), 0.0, atol=1e-12)
