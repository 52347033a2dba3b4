import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from tests.conftest import at, book_of

from walkaway.asof.history import History
from walkaway.features import FeaturePlan, PlannedFeature
from walkaway.models.reference_profile import (
    Profile,
    ReferenceProfile,
    compare,
    learn_reference_profile,
    psi,
    stretch_of,
)

HALVES = Profile(edges=None, shares=(0.5, 0.5, 0.0), deals=100.0)
NOTHING = pd.DataFrame()


def built(values: dict[str, list[float]], moments: list[str], deals: list[str], categories=()) -> ReferenceProfile:
    """The reference of features given as columns: age_days, and stage if asked for."""
    planned = [PlannedFeature(feature=name, categories=categories if name == "stage" else ()) for name in values]
    rows = pd.DataFrame({"deal_id": deals, "as_of": [at(moment) for moment in moments]})
    book = book_of(deals="deal_id | created_at\n" + "\n".join(f"{d} | 2026-01-01" for d in dict.fromkeys(deals)))
    X = np.array(list(values.values()), dtype=np.float32).T
    return learn_reference_profile(
        History(book), FeaturePlan(features=tuple(planned)), {}, rows, X, NOTHING, at("2026-03-05")
    )


def test_psi_is_the_sum_of_share_differences_times_their_log_ratios():
    then, now = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3])
    by_hand = -0.1 * np.log(0.8) + 0.0 + 0.1 * np.log(1.5)

    assert psi(now, 1e12, then, 1e12) == pytest.approx(by_hand, rel=1e-9)


def test_an_empty_cell_counts_half_a_deal():
    p, q = np.array([4.5, 0.5]) / 5, np.array([2.5, 2.5]) / 5

    assert psi([1.0, 0.0], 4, [0.5, 0.5], 4) == pytest.approx(((p - q) * np.log(p / q)).sum())


def test_psi_is_the_same_both_ways_round():
    assert psi([0.9, 0.1], 50, [0.2, 0.8], 70) == psi([0.2, 0.8], 70, [0.9, 0.1], 50)


def test_the_limit_is_a_quantile_of_chi_squared_scaled_by_both_counts():
    told = compare(HALVES, np.array([0.0, 1.0, 1.0, 1.0]), 0.05)

    assert told.ordinary == pytest.approx(1 / 4 + 1 / 100)
    assert told.limit == pytest.approx(chi2.isf(0.05, 1) * (1 / 4 + 1 / 100))
    assert told.shares == (0.25, 0.75, 0.0)


def test_within_the_limit_there_is_no_excess_however_high_the_psi():
    told = compare(HALVES, np.array([0.0, 1.0, 1.0, 1.0]), 0.05)

    assert (told.psi > 0.1, told.excess) == (True, 0.0)


def test_beyond_the_limit_the_excess_is_psi_without_what_is_ordinary():
    told = compare(HALVES, np.ones(40), 0.05)

    assert told.excess == pytest.approx(told.psi - (1 / 40 + 1 / 100))
    assert told.excess > 1


def test_a_cell_that_training_never_filled_adds_a_degree_of_freedom():
    told = compare(HALVES, np.array([0.0, 1.0, np.nan]), 0.05)

    assert told.ordinary == pytest.approx(2 * (1 / 3 + 1 / 100))


def test_chance_alone_passes_the_limit_about_as_often_as_asked_for():
    rng = np.random.default_rng(0)
    then = [Profile(edges=None, shares=(*(rng.multinomial(200, [0.1] * 10) / 200), 0.0), deals=200) for _ in range(400)]
    passed = [compare(one, rng.integers(0, 10, 60).astype(float), 0.05).excess > 0 for one in then]

    assert np.mean(passed) == pytest.approx(0.05, abs=0.025)


def test_ordinary_change_widens_the_limit():
    restless = HALVES.model_copy(update={"change": 3.0})
    told, still = (compare(one, np.ones(4), 0.05) for one in (restless, HALVES))

    assert (told.ordinary, told.limit) == (pytest.approx(3 * still.ordinary), pytest.approx(3 * still.limit))


def test_edges_belong_to_the_cell_below_and_the_last_cell_is_missing():
    assert Profile(edges=(1.0,), shares=(0.5, 0.5, 0.0), deals=1).cells(np.array([1.0, 1.1, np.nan])).tolist() == [
        0,
        1,
        2,
    ]


def test_the_stretch_is_the_later_half_but_a_year_at_most():
    long = pd.DataFrame({"as_of": [at("2020-01-01"), at("2024-03-06"), at("2024-03-05"), at("2025-03-05")]})

    assert stretch_of(long, at("2025-03-05")).tolist() == [False, True, True, True]
    assert stretch_of(long[2:], at("2025-03-05")).tolist() == [False, True]


def test_shares_and_effective_deals_of_a_column():
    moments = ["2026-03-04", "2026-03-05", "2026-03-05"]
    told = built({"stage": [0.0, 1.0, np.nan], "age_days": [5.0, 6.0, 5.0]}, moments, ["a", "a", "b"], ("x", "y"))
    stage = told.columns["stage"]

    # the earlier half of the days is left out: only the fifth of March is looked at
    assert (stage.edges, stage.shares, stage.deals) == (None, (0.0, 0.5, 0.5), 2.0)
    assert told.missing["stage"].shares == (0.5, 0.5, 0.0)
    assert (told.columns["age_days"].median, told.moments) == (5.5, 1)


def test_rows_of_one_deal_count_together():
    told = built(
        {"age_days": [1, 2, 3, 4]}, ["2026-03-01", "2026-03-04", "2026-03-05", "2026-03-05"], ["a", "a", "a", "b"]
    )

    assert told.columns["age_days"].deals == pytest.approx(9 / 5)


def test_a_column_that_says_only_which_moment_it_is_is_not_compared():
    moments = ["2026-03-01", "2026-03-04", "2026-03-04", "2026-03-05", "2026-03-05"]
    told = built({"weekday": [6, 2, 2, 3, 3], "age_days": [1, 1, 2, 1, 3]}, moments, ["a", "a", "b", "a", "b"])

    assert list(told.columns) == list(told.missing) == ["age_days"]


def test_a_column_that_is_the_same_everywhere_is_compared():
    moments = ["2026-03-01", "2026-03-04", "2026-03-05"]

    assert list(built({"weekday": [0.0, np.nan, np.nan]}, moments, ["a", "b", "c"]).columns) == ["weekday"]


def _share_of(swing: float) -> Profile:
    """80 deals at each of eight moments, after an early one; the share of `x` swings about a half."""
    rng = np.random.default_rng(1)
    moments = ["2026-02-10", *(str(day.date()) for day in pd.date_range("2026-02-26", periods=8) for _ in range(80))]
    stage = [0.0, *(float(rng.random() < 0.5 + swing * (-1) ** number) for number in range(8) for _ in range(80))]
    return built({"stage": stage}, moments, [f"d{i}" for i in range(641)], ("y", "x")).columns["stage"]


def test_moments_that_differ_by_more_than_sampling_make_a_column_restless():
    steady, swinging = _share_of(0.0), _share_of(0.2)

    # a share of 0.3 or 0.7 beside 0.5: PSI 0.17, and sampling gives 1 / 80 + 1 / 320
    assert steady.change == pytest.approx(1.0, abs=0.5)
    assert swinging.change == pytest.approx(0.17 / (1 / 80 + 1 / 320), rel=0.3)


def test_counts_that_grow_with_the_book_are_not_compared():
    told = built({"account_wins": [1, 2], "age_days": [1, 2]}, ["2026-03-05", "2026-03-05"], ["a", "b"])

    assert list(told.columns) == ["age_days"]


def test_no_deal_open_in_the_later_half_leaves_only_words():
    rows = pd.DataFrame({"deal_id": [], "as_of": pd.to_datetime([], utc=True)})
    plan = FeaturePlan(features=(PlannedFeature(feature="age_days"),))
    book = book_of(deals="deal_id | created_at\nd0 | 2026-01-01")
    told = learn_reference_profile(
        History(book), plan, {"role": ("user",)}, rows, np.zeros((0, 1)), NOTHING, at("2026-03-08")
    )

    assert told == ReferenceProfile(words={"role": ("user",)})


def test_a_reference_is_the_same_after_json():
    told = built({"age_days": [1, 2]}, ["2026-03-05", "2026-03-05"], ["a", "b"])

    assert ReferenceProfile.model_validate(json.loads(told.model_dump_json())) == told
