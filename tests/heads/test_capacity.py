from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.heads.capacity import USUAL, _without_level, choose_capacity
from walkaway.heads.examples import Examples, Holdout

STUMPS = BoosterSettings(trees=40, learning_rate=0.2, leaves=2, least_rows_in_leaf=20, feature_share=1.0)
DEEP = BoosterSettings(
    trees=40, learning_rate=0.2, leaves=8, least_rows_in_leaf=20, feature_share=1.0, extra_trees=False
)
LINE = DEEP.model_copy(update={"linear_share": 1.0})
DEALS = 1_200


def examples_of(score, seed=3):
    """One row a deal, won with the chance of its score."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(DEALS, 4)).astype(np.float32)
    won = (rng.random(DEALS) < expit(score(X))).astype(float)
    return Examples(X, won, np.arange(DEALS), [], np.ones(DEALS))


def holdout(fitted=800):
    first = np.arange(DEALS) < fitted
    return (Holdout(first, ~first),)


def chosen(examples, menu, holdouts=None, objective="cross_entropy", usual=STUMPS):
    settings = HeadSettings(threads=1, menu=menu)
    return choose_capacity(examples, objective, usual, 0.0, settings, holdout() if holdouts is None else holdouts)


def interaction(X):
    return 4.0 * np.sign(X[:, 0]) * np.sign(X[:, 1])


def test_a_book_with_interactions_gets_the_larger_trees():
    found = chosen(examples_of(interaction), {"deep": DEEP})

    assert found.entry == "deep"
    assert found.margin == pytest.approx(found.losses[USUAL] - found.losses["deep"])
    assert found.margin > 3 * found.error > 0
    assert found.deals == 400
    assert found.trees_grown == 80


def test_a_book_of_weak_straight_lines_gets_the_linear_model():
    found = chosen(examples_of(lambda X: 0.4 * X.sum(axis=1)), {"deep": DEEP, "line": LINE}, usual=DEEP)

    assert found.entry == "line"


def test_only_a_quarter_of_the_trees_is_used_where_more_of_them_overfit():
    eager = DEEP.model_copy(update={"learning_rate": 0.9, "leaves": 30, "least_rows_in_leaf": 2})
    worse = eager.model_copy(update={"learning_rate": 2.0})

    assert chosen(examples_of(lambda X: 0.1 * X[:, 0]), {"eager": eager}, usual=worse).booster.trees == 10


def test_the_usual_shape_keeps_all_its_trees_even_where_fewer_predict_better():
    eager = DEEP.model_copy(update={"learning_rate": 0.9, "leaves": 30, "least_rows_in_leaf": 2})
    found = chosen(examples_of(interaction), {"stumps": STUMPS}, usual=eager)
    at_the_best_stage = chosen(examples_of(interaction), {"eager": eager}, usual=STUMPS)

    assert (found.entry, found.booster.trees) == (USUAL, eager.trees)
    assert at_the_best_stage.booster.trees < eager.trees


@pytest.mark.parametrize("objective", ["cross_entropy", "tweedie", "gamma"])
def test_the_level_of_a_prediction_does_not_count(objective):
    target, weight = np.array([0.2, 0.9, 0.4]), np.array([1.0, 2.0, 1.0])
    raw = np.array([-1.0, 0.5, 0.0])
    moved = _without_level(raw + 3.0, target, weight, objective)
    mean = expit(moved) if objective == "cross_entropy" else np.exp(moved)

    assert weight @ mean == pytest.approx(weight @ target)
    assert moved == pytest.approx(_without_level(raw, target, weight, objective))


def test_few_held_out_deals_leave_the_usual_shape():
    examples = examples_of(interaction)

    assert chosen(examples, {"deep": DEEP}, holdout(fitted=DEALS - 59)).entry == USUAL
    assert chosen(examples, {"deep": DEEP}, holdout(fitted=DEALS - 59)).losses == {}
    assert chosen(examples, {"deep": DEEP}, holdout(fitted=DEALS - 60)).losses != {}


@pytest.mark.parametrize(("menu", "holdouts"), [({}, None), ({"deep": DEEP}, ())])
def test_nothing_is_chosen_without_a_menu_or_a_holdout(menu, holdouts):
    found = chosen(examples_of(interaction), menu, holdouts)

    assert (found.entry, found.booster, found.deals) == (USUAL, STUMPS, 0)


def test_the_targets_outside_of_the_holdout_are_not_read():
    examples = examples_of(interaction)
    rows = np.arange(DEALS)
    part = (Holdout(rows < 600, (rows >= 600) & (rows < 1_000)),)
    hidden = examples.with_target(np.where(rows < 1_000, examples.target, np.nan))

    assert chosen(hidden, {"deep": DEEP}, part).losses == chosen(examples, {"deep": DEEP}, part).losses


@pytest.mark.parametrize("part", ["fit", "judge"])
@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_outcome_only_leaves_the_usual_shape(part, outcome):
    examples = examples_of(interaction)
    rows = getattr(holdout()[0], part)
    one_sided = examples.with_target(np.where(rows, outcome, examples.target))

    assert chosen(one_sided, {"deep": DEEP}).losses == {}


@pytest.mark.parametrize("part", ["fit", "judge"])
def test_no_hours_at_all_leave_the_usual_shape(part):
    hours = examples_of(interaction).with_target(np.where(getattr(holdout()[0], part), 0.0, 2.0))

    assert chosen(hours, {"deep": DEEP}, objective="tweedie").losses == {}


def test_rows_that_do_not_count_are_not_judged():
    examples = examples_of(interaction)
    some = replace(examples, weight=np.where(np.arange(DEALS) < DEALS - 60, 1.0, 0.0))

    assert chosen(some, {"deep": DEEP}).deals == 340
    assert chosen(replace(examples, weight=np.zeros(DEALS)), {"deep": DEEP}).losses == {}


@pytest.mark.parametrize("objective", ["tweedie", "gamma"])
def test_heads_with_a_logarithm_choose_as_well(objective):
    rng = np.random.default_rng(5)
    examples = examples_of(interaction)
    hours = examples.with_target(np.exp(interaction(examples.X) / 4) * rng.gamma(20, 1 / 20, DEALS))

    assert chosen(hours, {"deep": DEEP}, objective=objective).entry == "deep"


def test_a_choice_is_kept_as_plain_values():
    found = chosen(examples_of(interaction), {"deep": DEEP}).as_json()

    assert {
        name: found[name] for name in ("entry", "leaves", "extra_trees", "linear_share", "deals", "trees_grown")
    } == {
        "entry": "deep",
        "leaves": 8,
        "extra_trees": False,
        "linear_share": 0.0,
        "deals": 400,
        "trees_grown": 80,
    }
