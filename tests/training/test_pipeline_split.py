"""Whether the win head parts by a pipeline is decided out of time, and only by groups that have deals enough."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from walkaway.config import HeadSettings
from walkaway.heads import Parting, TrainingRows
from walkaway.training.pipeline_split import LEAST_DEALS, find_parting

DAY = pd.Timedelta(days=1)
FIRST = pd.Timestamp("2025-01-01", tz="UTC")
COLUMNS = ["attribute[pipeline]", "attribute[region]", "fit"]


def deals(count: int, turned: bool, seed: int = 0, groups: int = 2) -> tuple[TrainingRows, pd.Series, pd.Series]:
    """A look at each of so many deals, closed ten days later; `turned`: pipelines sell by opposite rules."""
    rng = np.random.default_rng(seed)
    pipeline, region, fit = rng.integers(0, groups, count), rng.integers(0, 2, count), rng.normal(size=count)
    chance = expit(2.5 * fit * np.where(turned & (pipeline == 0), -1, 1))
    labels = pd.DataFrame({"settled": True, "won": (rng.random(count) < chance) * 1.0})
    X = np.column_stack([pipeline, region, fit]).astype(np.float32)
    as_of = pd.Series(FIRST + np.arange(count) * DAY)
    rows = TrainingRows(X, pd.DataFrame(index=range(count)), labels, np.ones(count), np.arange(count), [0, 1])
    return rows, as_of, as_of + 10 * DAY


def found(rows: TrainingRows, as_of: pd.Series, closed_at: pd.Series, **settings) -> Parting | None:
    plan = SimpleNamespace(columns=COLUMNS)
    return find_parting(rows, plan, as_of, closed_at, HeadSettings(**settings), draws=100)


@pytest.fixture(scope="module")
def unlike():
    return deals(800, turned=True)


def test_pipelines_that_sell_by_opposite_rules_are_parted(unlike):
    parting = found(*unlike)

    assert parting is not None
    assert parting.column == 0
    assert sorted(parting.groups) == [0, 1]


def test_pipelines_that_sell_alike_are_not():
    assert found(*deals(800, turned=False)) is None


def test_nobody_asks_where_the_settings_name_nothing(unlike):
    assert found(*unlike, part_by=()) is None
    assert found(*unlike, part_by=("no such attribute",)) is None


def test_the_best_of_several_attributes_is_taken(unlike):
    assert found(*unlike, part_by=("region", "pipeline")).column == 0


def test_a_group_with_few_deals_has_no_branch_of_its_own(unlike):
    rows, as_of, closed_at = deals(800, turned=True, seed=1)
    rows.X[: LEAST_DEALS - 1, 0] = 7
    rows.X[LEAST_DEALS - 1 :, 0] = rows.X[LEAST_DEALS - 1 :, 0].clip(0, 1)

    assert 7 not in found(rows, as_of, closed_at).groups


def test_one_group_with_enough_deals_is_nothing_to_part():
    rows, as_of, closed_at = deals(600, turned=True)
    rows.X[:, 0] = 0
    rows.X[: LEAST_DEALS - 1, 0] = 1

    assert found(rows, as_of, closed_at) is None


def test_open_deals_are_not_asked_how_they_ended(unlike):
    rows, as_of, closed_at = deals(900, turned=True)
    still_open = np.arange(900) >= 800
    rows.labels.loc[still_open, ["settled", "won"]] = [False, np.nan]

    assert found(rows, as_of, closed_at.mask(still_open)) is not None
