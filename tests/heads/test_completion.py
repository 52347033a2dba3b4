import numpy as np
import pytest

from walkaway.heads.completion import complete_and_fit, lambda_returns
from walkaway.heads.examples import latest_rows

SETTLED = np.array([True, True, False, False])
LATEST = np.array([1, 1, 3, 3])


def slow_returns(final, value, latest, decay):
    """The definition, a row at a time from the end."""
    target = list(final)
    for row in reversed(range(len(final))):
        if row != latest[row]:
            target[row] = (1 - decay) * value[row + 1] + decay * target[row + 1]
    return target


def test_a_return_mixes_the_next_value_with_the_next_return():
    final, value = np.array([1.0, 1.0, 1.0]), np.array([0.9, 0.5, 0.25])

    # row 1: half of 0.25 and half of 1; row 0: half of 0.5 and half of 0.625
    assert lambda_returns(final, value, np.array([2, 2, 2]), 0.5).tolist() == [0.5625, 0.625, 1.0]


def test_returns_do_not_cross_from_one_deal_to_the_next():
    final, value = np.array([1.0, 0.0]), np.array([0.3, 0.7])

    assert lambda_returns(final, value, np.array([0, 1]), 0.0).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.9, 1.0])
def test_returns_equal_the_definition_a_row_at_a_time(decay):
    rng = np.random.default_rng(0)
    deal = np.repeat(np.arange(30), rng.integers(1, 12, 30))
    latest = latest_rows(deal)
    final, value = rng.random(30)[deal], rng.random(len(deal))

    assert lambda_returns(final, value, latest, decay).tolist() == slow_returns(final, value, latest, decay)


def test_a_decay_of_one_leaves_the_ends_alone():
    assert lambda_returns(np.array([1.0, 1.0]), np.array([0.2, 0.3]), np.array([1, 1]), 1.0).tolist() == [1.0, 1.0]


def test_returns_leave_the_ends_they_were_given_alone():
    final = np.array([1.0, 1.0])
    lambda_returns(final, np.array([0.2, 0.3]), np.array([1, 1]), 0.5)

    assert final.tolist() == [1.0, 1.0]


class Recorder:
    """A model that predicts (its number of fits) / 10 + row / 100, and remembers what it was fitted on."""

    def __init__(self):
        self.fits, self.last = [], []

    def fit(self, rows, target, last):
        self.last.append(last)
        self.fits.append((rows.tolist(), target.round(10).tolist()))
        return len(self.fits)

    @staticmethod
    def predict(model):
        return model / 10 + np.arange(4) / 100


def test_the_first_fit_sees_settled_deals_only_and_each_round_adds_what_it_says_of_the_latest_state():
    seen, observed = Recorder(), np.array([5.0, 4.0, 2.0, 0.0])
    model, ends = complete_and_fit(seen.fit, seen.predict, observed, SETTLED, LATEST, rounds=2)

    assert seen.fits == [
        ([True, True, False, False], [5.0, 4.0]),
        ([True] * 4, [5.0, 4.0, 2.13, 0.13]),  # hours so far, and 0.1 + 3 / 100 for what is still to come
        ([True] * 4, [5.0, 4.0, 2.23, 0.23]),
    ]
    assert (model, ends.round(10).tolist()) == (3, [5.0, 4.0, 2.23, 0.23])


def test_with_a_decay_the_fit_sees_returns_and_the_ends_come_back_without_them():
    seen, observed = Recorder(), np.array([1.0, 1.0, 0.0, 0.0])
    _, ends = complete_and_fit(seen.fit, seen.predict, observed, SETTLED, LATEST, rounds=1, decay=0.5)

    # half of the value of the next row (0.11 and 0.13) and half of the end
    assert seen.fits[1] == ([True] * 4, [0.555, 1.0, 0.13, 0.13])
    assert ends.round(10).tolist() == [1.0, 1.0, 0.13, 0.13]


def test_without_open_deals_one_fit_is_enough():
    seen, observed = Recorder(), np.array([1.0, 1.0, 0.0, 0.0])
    model, ends = complete_and_fit(seen.fit, seen.predict, observed, np.full(4, True), LATEST, rounds=3)

    assert (model, seen.fits, ends.tolist()) == (1, [([True] * 4, [1.0, 1.0, 0.0, 0.0])], [1.0, 1.0, 0.0, 0.0])


def test_without_open_deals_a_decay_still_asks_for_its_rounds():
    seen, observed = Recorder(), np.array([1.0, 1.0, 0.0, 0.0])
    complete_and_fit(seen.fit, seen.predict, observed, np.full(4, True), LATEST, rounds=1, decay=0.5)

    assert seen.fits[1:] == [([True] * 4, [0.555, 1.0, 0.065, 0.0])]


def test_no_round_leaves_the_fit_on_settled_deals():
    seen, observed = Recorder(), np.array([1.0, 1.0, 0.0, 0.0])
    model, ends = complete_and_fit(seen.fit, seen.predict, observed, SETTLED, LATEST, rounds=0, decay=0.5)

    assert (model, ends.tolist()) == (1, [1.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("rounds", "settled", "decay", "last"),
    [
        (0, SETTLED, 1.0, [True]),
        (2, SETTLED, 1.0, [False, False, True]),
        (3, np.full(4, True), 1.0, [True]),
        (1, np.full(4, True), 0.5, [False, True]),
    ],
)
def test_the_last_fit_knows_that_it_is_the_last(rounds, settled, decay, last):
    seen = Recorder()
    complete_and_fit(seen.fit, seen.predict, np.array([1.0, 1.0, 0.0, 0.0]), settled, LATEST, rounds, decay)

    assert seen.last == last
