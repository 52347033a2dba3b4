"""A small ensemble ("bag") of LightGBM boosters: the mean raw score is the prediction, the spread its uncertainty.

Members are trained in parallel, each on one thread, so that the result does not depend on the number of cores.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.errors import UsageError
from walkaway.heads.examples import Examples

try:
    import lightgbm as lgb
except OSError as error:  # its wheel brings no OpenMP, and small containers have none
    raise UsageError(
        f"LightGBM cannot be loaded: it needs the system library OpenMP, and found {error}. "
        "Install it: `apt-get install libgomp1` on Debian or Ubuntu, `brew install libomp` on a Mac."
    ) from error

__all__ = ["Bag", "Objective", "booster_parameters", "fit_bag"]

FloatArray = npt.NDArray[np.float64]
Objective = Literal["cross_entropy", "tweedie", "gamma"]
TWEEDIE_POWER = 1.2  # with LightGBM's 1.5, dormant deals were predicted only half of their hours (decision 14)


@dataclass(frozen=True)
class Bag:
    """Boosters that share their features and objective; raw scores are log-odds or logarithms."""

    boosters: tuple[lgb.Booster, ...]

    @classmethod
    def from_texts(cls, texts: list[str]) -> Bag:
        """A bag from the boosters' model texts. Pass only texts whose checksum was verified."""
        return cls(tuple(lgb.Booster(model_str=text) for text in texts))

    def texts(self) -> list[str]:
        """The boosters as LightGBM model texts."""
        return [booster.model_to_string() for booster in self.boosters]

    def raw_by_member(self, X: npt.NDArray[np.float32], threads: int = 2) -> FloatArray:
        """Raw scores, (members, rows)."""
        return np.stack([b.predict(X, raw_score=True, num_threads=threads) for b in self.boosters])

    def raw(self, X: npt.NDArray[np.float32], threads: int = 2) -> FloatArray:
        """The mean raw score of the members, (rows,)."""
        mean: FloatArray = self.raw_by_member(X, threads).mean(axis=0)
        return mean


def booster_parameters(booster: BoosterSettings, objective: Objective, seed: int) -> dict[str, object]:
    """LightGBM's parameters of one booster."""
    return {
        "objective": objective,
        "seed": seed,
        "learning_rate": booster.learning_rate,
        "num_leaves": booster.leaves,
        "min_data_in_leaf": booster.least_rows_in_leaf,
        "feature_fraction": booster.feature_share,
        "bagging_fraction": booster.row_share,
        "bagging_freq": 1,
        "lambda_l2": booster.l2,
        "min_data_per_group": min(booster.least_rows_in_leaf, 100),
        "tweedie_variance_power": TWEEDIE_POWER,
        "extra_trees": booster.extra_trees,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def fit_bag(
    examples: Examples,
    objective: Objective,
    booster: BoosterSettings,
    head_settings: HeadSettings,
    members: int | None = None,
) -> Bag:
    """Fit a bag; the same rows in the same order give the same bytes.

    Args:
        examples: target in [0, 1] for cross_entropy, 0 or more for tweedie, above 0 for gamma.
        objective: LightGBM's; cross_entropy takes soft labels.
        booster: of each booster.
        head_settings: members, seed and threads.
        members: how many; by default as in `head_settings`.
    """

    def fit_member(member: int) -> lgb.Booster:
        parameters = booster_parameters(booster, objective, head_settings.seed + member)
        data = lgb.Dataset(
            examples.X,
            examples.target,
            weight=examples.weight,
            categorical_feature=examples.categorical,
            params=parameters,
        )
        return lgb.train(parameters, data, booster.trees)

    with ThreadPoolExecutor(head_settings.threads) as pool:
        return Bag(tuple(pool.map(fit_member, range(members or head_settings.members))))
