"""Members that part by a group first: the same bag, the same bytes, and rules that turn round are learned."""

import json

import numpy as np
import pytest
from scipy.special import expit

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.evaluation import log_loss_rows
from walkaway.heads import Parting
from walkaway.heads.examples import Examples
from walkaway.heads.win import fit_win

PARTING = Parting(0, (1, 2))
SETTINGS = HeadSettings(members=2, completion_rounds=0, win=BoosterSettings(trees=60, leaves=3, least_rows_in_leaf=30))


def opposite_markets(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What wins in group 1 loses in group 2; nine columns of noise."""
    rng = np.random.default_rng(seed)
    group, noise = rng.integers(1, 3, rows), rng.normal(size=(rows, 10))
    chance = expit(2 * noise[:, 0] * np.where(group == 1, 1, -1))
    return np.column_stack([group, noise]).astype(np.float32), (rng.random(rows) < chance) * 1.0


def head(parting: Parting | None):
    X, won = opposite_markets(1_500, 1)
    return fit_win(Examples(X, won, np.arange(len(X)), [0]), SETTINGS, parting)[0]


@pytest.fixture(scope="module")
def parted():
    return head(PARTING)


def roots(booster) -> list[int]:
    return [tree["tree_structure"]["split_feature"] for tree in booster.dump_model()["tree_info"]]


def test_every_other_member_parts_first(parted):
    first, second = parted.bag.boosters

    assert set(roots(second)) == {0}
    assert set(roots(first)) != {0}


def test_rules_that_turn_round_between_groups_are_learned(parted):
    X, won = opposite_markets(4_000, 2)
    alone, both = (log_loss_rows(won, one.probability(X)).mean() for one in (head(None), parted))

    assert both < alone - 0.01


def test_the_same_rows_give_the_same_bytes_and_no_path(parted):
    texts = parted.bag.texts()

    assert head(PARTING).bag.texts() == texts
    assert "[forcedsplits_filename: ]" in texts[1]


def test_three_groups_have_a_branch_each():
    with Parting(4, (7, 2, 5)).file() as path:
        assert json.loads(path.read_text()) == {
            "feature": 4,
            "threshold": 7,
            "right": {"feature": 4, "threshold": 2},
        }
    assert not path.exists()


def test_groups_that_training_never_saw_are_called_too(parted):
    X, _ = opposite_markets(5, 3)
    X[:, 0] = [1, 2, 9, np.nan, 1]

    assert np.isfinite(parted.probability(X)).all()
