"""A small bag of LightGBM boosters: the mean of their raw scores is the prediction, their spread the uncertainty.

Members are trained side by side, each on one thread, so that the number of cores changes neither trees nor bytes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from walkaway.config import BoosterSettings, HeadSettings

__all__ = ["Bag", "Objective", "fit_bag"]

FloatArray = npt.NDArray[np.float64]
Objective = Literal["cross_entropy", "tweedie", "gamma"]
TWEEDIE_POWER = 1.2  # nearer to Poisson than LightGBM's 1.5, which gave deals that sleep half their hours (decision 14)


@dataclass(frozen=True)
class Bag:
    """Boosters that share their features and objective; raw scores are log-odds or logarithms."""

    boosters: tuple[lgb.Booster, ...]

    @classmethod
    def from_texts(cls, texts: list[str]) -> Bag:
        """A bag from the boosters' model texts. Only ever give it texts whose checksum was verified."""
        return cls(tuple(lgb.Booster(model_str=text) for text in texts))

    def texts(self) -> list[str]:
        """The boosters as LightGBM model texts."""
        return [booster.model_to_string() for booster in self.boosters]

    def raw_by_member(self, X: npt.NDArray, threads: int = 2) -> FloatArray:
        """Raw scores, (members, rows)."""
        return np.stack([b.predict(X, raw_score=True, num_threads=threads) for b in self.boosters])

    def raw(self, X: npt.NDArray, threads: int = 2) -> FloatArray:
        """The mean raw score of the members, (rows,)."""
        return self.raw_by_member(X, threads).mean(axis=0)


def _parameters(settings: BoosterSettings, objective: Objective, seed: int) -> dict[str, object]:
    return {
        "objective": objective,
        "seed": seed,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least_rows_in_leaf,
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "lambda_l2": settings.l2,
        "min_data_per_group": min(settings.least_rows_in_leaf, 100),
        "tweedie_variance_power": TWEEDIE_POWER,
        "extra_trees": True,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def fit_bag(
    X: npt.NDArray,
    target: FloatArray,
    weight: FloatArray | None,
    categorical: list[int],
    objective: Objective,
    settings: BoosterSettings,
    heads: HeadSettings,
    members: int | None = None,
) -> Bag:
    """Fit a bag; the same rows in the same order give the same bytes.

    Args:
        X: features, (rows, columns), float32.
        target: shares in [0, 1] for cross_entropy, values of 0 or more for tweedie, above 0 for gamma.
        weight: one a row, or None.
        categorical: positions of the columns that hold category codes.
        objective: LightGBM's; cross_entropy takes soft labels.
        settings: of each booster.
        heads: members, seed and threads.
        members: how many, if not as many as `heads` says.
    """

    def fit_member(member: int) -> lgb.Booster:
        parameters = _parameters(settings, objective, heads.seed + member)
        data = lgb.Dataset(X, target, weight=weight, categorical_feature=categorical, params=parameters)
        return lgb.train(parameters, data, settings.trees)

    with ThreadPoolExecutor(heads.threads) as pool:
        return Bag(tuple(pool.map(fit_member, range(members or heads.members))))
