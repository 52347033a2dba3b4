"""How good out-of-time predictions are: metrics with intervals over deals, by age, beside simple baselines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from walkaway.economics import Drops, clairvoyant_index, schedule_drops, skill, skill_of

__all__ = [
    "AGE_EDGES",
    "by_age",
    "by_ending",
    "deal_weights",
    "fit_logistic",
    "fit_naive_bayes",
    "has_signal",
    "interval",
    "log_loss_rows",
    "skills",
    "win_metrics",
]

FloatArray = npt.NDArray[np.float64]
AGE_EDGES = (0.0, 1.0, 3.0, 7.0, 14.0, 30.0, 90.0, np.inf)
LEVEL = 0.90
BOOTSTRAP_BARS = 400
ODOO_ALPHA = 0.1  # what Odoo's predictive lead scoring adds to each count


def log_loss_rows(won: FloatArray, probability: FloatArray) -> FloatArray:
    """Log loss of each row.

    >>> log_loss_rows(np.array([1.0]), np.array([1.0])).round(6)
    array([0.])
    """
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    return -(won * np.log(p) + (1 - won) * np.log1p(-p))


def deal_weights(deal: npt.NDArray, draws: int, seed: int = 0) -> FloatArray:
    """How often each row counts in each bootstrap draw of deals, (draws, rows): all rows of a deal alike."""
    codes, distinct = pd.factorize(deal)
    rng = np.random.default_rng(seed)
    n = len(distinct)
    return np.stack([np.bincount(rng.integers(0, n, n), minlength=n)[codes] for _ in range(draws)]).astype(np.float64)


def interval(draws: FloatArray) -> list[float]:
    """The 90% interval of bootstrap draws; not a number where no draw is one."""
    tail, finite = (1 - LEVEL) / 2, draws[np.isfinite(draws)]
    return [float(q) for q in np.quantile(finite, [tail, 1 - tail])] if len(finite) else [float("nan")] * 2


def _weighted_mean(rows: FloatArray, weights: FloatArray) -> FloatArray:
    return weights @ rows / weights.sum(axis=1)


def _auc(won: FloatArray, score: FloatArray) -> float:
    return float(roc_auc_score(won, score)) if len(np.unique(won)) == 2 else float("nan")


def win_metrics(calls: pd.DataFrame, columns: list[str], draws: int) -> pd.DataFrame:
    """AUC, Brier and log loss of each probability column on settled calls, with 90% intervals over deals.

    Args:
        calls: deal_id, won (1 or 0), and the probability columns.
        columns: which probabilities to judge.
        draws: of the bootstrap.

    Returns:
        One row a column: auc, brier, brier_low, brier_high, log_loss, log_loss_low, log_loss_high.
    """
    weights, won = deal_weights(calls["deal_id"].to_numpy(), draws), calls["won"].to_numpy()
    out = {}
    for column in columns:
        p = calls[column].to_numpy()
        row: dict[str, float] = {"auc": _auc(won, p)}
        for name, errors in (("brier", (p - won) ** 2), ("log_loss", log_loss_rows(won, p))):
            low, high = interval(_weighted_mean(errors, weights))
            row |= {name: float(errors.mean()), f"{name}_low": low, f"{name}_high": high}
        out[column] = row
    return pd.DataFrame(out).T.rename_axis("prediction")


def has_signal(calls: pd.DataFrame, draws: int) -> bool:
    """Whether the gain in log loss over the base rate is above 0 throughout its 90% interval over deals."""
    won = calls["won"].to_numpy()
    gain = log_loss_rows(won, calls["base_rate"].to_numpy()) - log_loss_rows(won, calls["win_probability"].to_numpy())
    return interval(_weighted_mean(gain, deal_weights(calls["deal_id"].to_numpy(), draws)))[0] > 0


def by_age(calls: pd.DataFrame) -> pd.DataFrame:
    """Settled calls by age of the deal: calls, deals, share won, mean predicted, Brier, and that of the base rate."""
    label = pd.cut(calls["age_days"], AGE_EDGES, right=False)
    grouped = calls.assign(
        brier=(calls["win_probability"] - calls["won"]) ** 2, brier_base=(calls["base_rate"] - calls["won"]) ** 2
    ).groupby(label, observed=True)
    table = grouped.agg(
        calls=("won", "size"),
        deals=("deal_id", "nunique"),
        won=("won", "mean"),
        predicted=("win_probability", "mean"),
        brier=("brier", "mean"),
        brier_base=("brier_base", "mean"),
    )
    told = [
        f"{i.left:g} to {i.right:g} days" if np.isfinite(i.right) else f"{i.left:g} days and more" for i in table.index
    ]
    table.index = pd.Index(told, name="age")
    return table


def by_ending(calls: pd.DataFrame) -> pd.DataFrame:
    """Settled calls by how the deal ended: calls, deals, mean predicted, Brier, hours predicted over hours booked."""
    squared = (calls["win_probability"] - calls["won"]) ** 2
    grouped = calls.assign(brier=squared).groupby("ending", observed=True)
    table = grouped.agg(
        calls=("won", "size"),
        deals=("deal_id", "nunique"),
        predicted=("win_probability", "mean"),
        brier=("brier", "mean"),
    )
    hours = grouped[["remaining_hours", "remaining_hours_truth"]].sum()
    return table.assign(hours_ratio=hours["remaining_hours"] / hours["remaining_hours_truth"].replace(0.0, np.nan))


def skills(calls: pd.DataFrame, columns: list[str], draws: int) -> pd.DataFrame:
    """Walk-away skill of each index, overall with its 90% interval over deals, and up to 20% of value forgone.

    Args:
        calls: deal_id, remaining_hours_truth, worth_truth and the index columns; sorted by deal_id and as_of.
        columns: the indices, higher is better.
        draws: of the bootstrap, which tries BOOTSTRAP_BARS bars rather than all.
    """
    deal = pd.factorize(calls["deal_id"])[0]
    hours, worth = calls["remaining_hours_truth"].to_numpy(), calls["worth_truth"].to_numpy()
    weights = deal_weights(deal, draws)
    best = _bootstrap_drops(deal, clairvoyant_index(hours, worth), hours, worth, weights)
    out = {}
    for column in columns:
        index = calls[column].to_numpy()
        own = _bootstrap_drops(deal, index, hours, worth, weights)
        low, high = interval(np.array([skill_of(mine, theirs) for mine, theirs in zip(own, best, strict=True)]))
        overall, early = skill(deal, index, hours, worth), skill(deal, index, hours, worth, 0.2)
        out[column] = {"skill": overall, "skill_low": low, "skill_high": high, "skill_up_to_0.2": early}
    return pd.DataFrame(out).T.rename_axis("index")


def _bootstrap_drops(
    deal: npt.NDArray, index: FloatArray, hours: FloatArray, worth: FloatArray, weights: FloatArray
) -> list[Drops]:
    bars = np.unique(np.quantile(index, np.linspace(0, 1, BOOTSTRAP_BARS)))
    schedule = schedule_drops(deal, index, bars)
    return [schedule.settle(hours, worth, weight) for weight in weights]


def fit_logistic(X: npt.NDArray, won: FloatArray, categorical: list[int]) -> Callable[[npt.NDArray], FloatArray]:
    """The plain baseline: a logistic regression on the same features, settled deals only.

    Args:
        X: features, (rows, columns).
        won: 1 or 0.
        categorical: positions of the columns that hold category codes; each category gets a column of its own.
    """
    numbers = [place for place in range(X.shape[1]) if place not in categorical]
    filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    columns = make_column_transformer(
        (make_pipeline(filled, StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categorical),
    )
    model = make_pipeline(columns, LogisticRegression(C=0.01, max_iter=300)).fit(X, won)
    return lambda rows: model.predict_proba(rows)[:, 1]


def fit_naive_bayes(X: npt.NDArray, won: FloatArray, categorical: list[int]) -> Callable[[npt.NDArray], FloatArray]:
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

    def codes(rows: npt.NDArray) -> npt.NDArray[np.int64]:
        told = np.nan_to_num(rows[:, categorical], nan=-1.0)
        return np.where(told > highest, -1, told).astype(np.int64) + 1

    model = CategoricalNB(alpha=ODOO_ALPHA, min_categories=(highest.astype(np.int64) + 2).tolist()).fit(codes(X), won)
    return lambda rows: model.predict_proba(codes(rows))[:, 1]
