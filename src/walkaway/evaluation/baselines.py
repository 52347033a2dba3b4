"""Baselines: simple models on the same features, fitted on settled snapshots only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

__all__ = ["FitBaseline", "always_share_won", "fit_logistic", "fit_naive_bayes", "rate_by_category"]

FloatArray = npt.NDArray[np.float64]
# From features, outcomes (1 or 0) and positions of category columns to a function that predicts win probabilities.
FitBaseline = Callable[
    [npt.NDArray[np.float32], FloatArray, list[int]], Callable[[npt.NDArray[np.float32]], FloatArray]
]
ODOO_ALPHA = 0.1  # Odoo's predictive lead scoring adds this to each count


def always_share_won(won: FloatArray) -> Callable[[npt.NDArray[np.float32]], FloatArray]:
    """The prediction of a baseline that has nothing to learn from: the share won, for every row.

    >>> always_share_won(np.array([1.0, 0.0]))(np.zeros((3, 0), dtype=np.float32)).tolist()
    [0.5, 0.5, 0.5]
    """
    rate = float(won.mean())
    return lambda rows: np.full(len(rows), rate)


def fit_logistic(
    X: npt.NDArray[np.float32], won: FloatArray, categorical: list[int]
) -> Callable[[npt.NDArray[np.float32]], FloatArray]:
    """A logistic regression on the same features, fitted on settled deals only.

    Args:
        X: features, (rows, columns).
        won: 1 or 0.
        categorical: positions of the columns that hold category codes; these are one-hot encoded.
    """
    if not X.shape[1]:
        return always_share_won(won)
    numeric = [position for position in range(X.shape[1]) if position not in categorical]
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    columns = make_column_transformer(
        (make_pipeline(imputer, StandardScaler()), numeric),
        (OneHotEncoder(handle_unknown="ignore"), categorical),
    )
    model = make_pipeline(columns, LogisticRegression(C=0.01, max_iter=300)).fit(X, won)
    return lambda rows: model.predict_proba(rows)[:, 1]


def fit_naive_bayes(
    X: npt.NDArray[np.float32], won: FloatArray, categorical: list[int]
) -> Callable[[npt.NDArray[np.float32]], FloatArray]:
    """Odoo's lead scoring: naive Bayes on the categorical features alone (stage, source, team, ...), counts plus 0.1.

    Args:
        X: features, (rows, columns).
        won: 1 or 0.
        categorical: positions of the columns that hold category codes; missing and unseen codes share one category.
    """
    if not categorical:
        return always_share_won(won)
    highest = np.nan_to_num(X[:, categorical], nan=-1.0).max(axis=0)

    def codes(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        filled = np.nan_to_num(rows[:, categorical], nan=-1.0)
        return np.where(filled > highest, -1, filled).astype(np.int64) + 1

    model = CategoricalNB(alpha=ODOO_ALPHA, min_categories=(highest.astype(np.int64) + 2).tolist()).fit(codes(X), won)
    return lambda rows: model.predict_proba(codes(rows))[:, 1]


def rate_by_category(
    codes: npt.NDArray[np.floating], won: FloatArray
) -> Callable[[npt.NDArray[np.floating]], FloatArray]:
    """The share won in each category; for an unseen category, the overall share won.

    >>> rate_by_category(np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0]))(np.array([0.0, 7.0])).round(2).tolist()
    [0.5, 0.67]
    """
    rates, overall = pd.Series(won).groupby(codes).mean(), float(won.mean())
    return lambda new_codes: pd.Series(new_codes).map(rates).fillna(overall).to_numpy()
