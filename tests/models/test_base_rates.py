import numpy as np
import pandas as pd

from walkaway.features import FeaturePlan, PlannedFeature
from walkaway.models.base_rates import ALL, BaseRates, groups_alike, learn_base_rates

NONE = float("nan")


def plan(*columns: PlannedFeature) -> FeaturePlan:
    return FeaturePlan(features=columns)


def rates_of(X, deal, won, stage, planned):
    ends = pd.DataFrame({"won": won, "remaining_hours": 2.0, "worth": np.array(won) * 100.0})
    return learn_base_rates(np.array(X, dtype=np.float32), planned, pd.Series(stage, dtype="str"), np.array(deal), ends)


def test_a_deal_counts_once_in_each_cell_it_was_in_however_often_it_was_looked_at():
    step = PlannedFeature(feature="last_step", categories=("call", "mail"))
    rates = rates_of([[0], [0], [1], [0], [1]], [0, 0, 0, 1, 2], [1, 1, 1, 0, 0], ["a"] * 5, plan(step))
    told = rates.columns["last_step"]

    # called: deals 0 (won) and 1; mailed: deals 0 (won) and 2; nothing: none
    assert (told.deals[0], told.won[0]) == ((2, 2, 0), (1, 1, 0))


def test_hours_and_worth_are_those_after_the_first_look_in_the_cell():
    step = PlannedFeature(feature="last_step", categories=("call",))
    ends = pd.DataFrame({"won": [1.0, 1.0], "remaining_hours": [5.0, 1.0], "worth": [90.0, 90.0]})
    rates = learn_base_rates(np.zeros((2, 1), np.float32), plan(step), pd.Series(["a", "a"]), np.array([0, 0]), ends)

    assert (rates.columns["last_step"].hours[0], rates.columns["last_step"].worth[0]) == ((5.0, 0.0), (90.0, 0.0))


def test_deals_of_any_stage_stand_in_where_a_stage_has_few_and_too_few_of_all_say_nothing():
    n = 45
    stage = ["offer"] * 25 + ["lead"] * 15 + [None] * 5
    won = [1.0] * 5 + [0.0] * 40
    age = PlannedFeature(feature="age_days")
    rates = rates_of([[3.0]] * 40 + [[NONE]] * 5, range(n), won, stage, plan(age))
    became = rates.of("age_days", np.array([3.0, 3.0, 3.0, NONE]), pd.Series(["offer", "lead", "unheard", "offer"]))

    assert became.deals.tolist() == [25, 40, 40, 0]
    assert became.won.tolist() == [5, 5, 5, 0]
    assert became.value_per_hour.tolist() == [500 / 50, 500 / 80, 500 / 80, 0.0]


def test_an_unknown_feature_and_a_model_without_rates_say_nothing():
    became = BaseRates().of("age_days", np.array([1.0]), pd.Series(["offer"]))

    assert [values.tolist() for values in became] == [[0], [0], [0.0]]


def test_what_became_of_all_deals_is_told_by_stage():
    stage = ["offer"] * 20 + ["lead"] * 30
    rates = rates_of([[1.0]] * 50, range(50), [1.0] * 10 + [0.0] * 40, stage, plan(PlannedFeature(feature="age_days")))
    became = rates.of_all(pd.Series(["offer", "lead"]))

    assert (became.deals.tolist(), became.won.tolist()) == ([20, 30], [10, 0])
    assert ALL in rates.columns


def test_values_beyond_all_that_was_seen_lie_in_the_outermost_cells():
    X = np.arange(100, dtype=float)[:, None]
    rates = rates_of(X, range(100), [0.0] * 50 + [1.0] * 50, ["a"] * 100, plan(PlannedFeature(feature="age_days")))
    told = rates.columns["age_days"]

    assert told.cells(np.array([-5.0, 1e9])).tolist() == [0, len(told.edges)]
    assert sum(told.deals[0]) == 100


def test_features_of_one_kind_of_activity_are_told_together_whatever_their_correlation():
    rng = np.random.default_rng(0)
    columns = [
        PlannedFeature(feature="step_count", word="call / done"),
        PlannedFeature(feature="days_since_step", word="call / planned"),
        PlannedFeature(feature="waiting", word="call"),
        PlannedFeature(feature="step_count", word="mail / done"),
        PlannedFeature(feature="last_step", categories=("x", "y")),
    ]
    X = rng.normal(size=(300, 5))
    X[:, 4] = X[:, 0] > 0  # a category goes with nothing, though it says the same

    assert groups_alike(X, plan(*columns)) == (
        ("step_count[call / done]", "days_since_step[call / planned]", "waiting[call]"),
        ("step_count[mail / done]",),
        ("last_step",),
    )


def test_what_never_happened_is_ranked_after_what_happened_long_ago():
    ages, never = np.arange(20.0), np.where(np.arange(20) < 10, np.arange(20.0), NONE)
    X = np.column_stack([ages, never])

    assert groups_alike(X, plan(PlannedFeature(feature="age_days"), PlannedFeature(feature="people"))) == (
        ("age_days", "people"),
    )


def test_each_feature_is_in_one_group_even_without_rows():
    columns = [PlannedFeature(feature=name) for name in ("age_days", "touches", "people")]

    assert groups_alike(np.zeros((0, 3)), plan(*columns)) == (("age_days",), ("touches",), ("people",))
