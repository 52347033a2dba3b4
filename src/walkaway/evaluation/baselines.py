"""Baselines: what a simple model of the same features says. Fitted on settled snapshots only."""

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

__all__ = ["fit_logistic", "fit_naive_bayes", "rate_by_category"]

FloatArray = npt.NDArray[np.float64]
ODOO_ALPHA = 0.1  # what Odoo's predictive lead scoring adds to each count


def fit_logistic(
    X: npt.NDArray[np.float32], won: FloatArray, categorical: list[int]
) -> Callable[[npt.NDArray[np.float32]], FloatArray]:
    """The plain baseline: a logistic regression on the same features, settled deals only.

    Args:
        X: features, (rows, columns).
        won: 1 or 0.
        categorical: positions of the columns that hold category codes; each category gets a column of its own.
    """
    if not X.shape[1]:
        rate = float(won.mean())
        return lambda rows: np.full(len(rows), rate)
    numbers = [place for place in range(X.shape[1]) if place not in categorical]
    filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    columns = make_column_transformer(
        (make_pipeline(filled, StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categorical),
    )
    model = make_pipeline(columns, LogisticRegression(C=0.01, max_iter=300)).fit(X, won)
    return lambda rows: model.predict_proba(rows)[:, 1]


def fit_naive_bayes(
    X: npt.NDArray[np.float32], won: FloatArray, categorical: list[int]
) -> Callable[[npt.NDArray[np.float32]], FloatArray]:
    """Odoo's way of scoring leads: naive Bayes over the categories alone (stage, source, team, ...), counts plus 0.1.

    Args:
        X: features, (rows, columns).
        won: 1 or 0.
        categorical: positions of the columns that hold category codes; a missing or unseen one is a category too.
    """
    if not categorical:
        rate = float(won.mean())
        return lambda rows: np.full(len(rows), rate)
    highest = np.nan_to_num(X[:, categorical], nan=-1.0).max(axis=0)

    def codes(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        told = np.nan_to_num(rows[:, categorical], nan=-1.0)
        return np.where(told > highest, -1, told).astype(np.int64) + 1

    model = CategoricalNB(alpha=ODOO_ALPHA, min_categories=(highest.astype(np.int64) + 2).tolist()).fit(codes(X), won)
    return lambda rows: model.predict_proba(codes(rows))[:, 1]


def rate_by_category(
    codes: npt.NDArray[np.floating], won: FloatArray
) -> Callable[[npt.NDArray[np.floating]], FloatArray]:
    """The share won of each category; of one never seen, the share won of all.

    >>> rate_by_category(np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0]))(np.array([0.0, 7.0])).round(2).tolist()
    [0.5, 0.67]
    """
    rates, overall = pd.Series(won).groupby(codes).mean(), float(won.mean())
    return lambda asked: pd.Series(asked).map(rates).fillna(overall).to_numpy()
