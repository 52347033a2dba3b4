"""Plain LightGBM: what anyone would run first, as a baseline for the win head."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from walkaway.evaluation import always_share_won

__all__ = ["fit_plain_lightgbm"]

FloatArray = npt.NDArray[np.float64]
TREES, LEAVES, LEARNING_RATE = 200, 15, 0.05


def fit_plain_lightgbm(
    X: npt.NDArray[np.float32], won: FloatArray, categorical: list[int]
) -> Callable[[npt.NDArray[np.float32]], FloatArray]:
    """A LightGBM classifier of 200 trees of 15 leaves on the same features, fitted on settled deals only.

    Args:
        X: features, (rows, columns).
        won: 1 or 0.
        categorical: positions of the columns that hold category codes.
    """
    if not X.shape[1]:
        return always_share_won(won)
    parameters = {
        "objective": "binary",
        "num_leaves": LEAVES,
        "learning_rate": LEARNING_RATE,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    data = lgb.Dataset(X, won, categorical_feature=categorical, params=parameters)
    booster = lgb.train(parameters, data, TREES)

    def predict(rows: npt.NDArray[np.float32]) -> FloatArray:
        probability: FloatArray = np.asarray(booster.predict(rows, num_threads=1), dtype=np.float64)
        return probability

    return predict
