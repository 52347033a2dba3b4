"""Converts SHAP values (log-odds, log money, log hours) into factors whose product is exactly the value per hour.

ln(value_per_hour) = ln(win_probability) + ln(value_if_won) - ln(remaining_hours + floor). The worth and hours heads
predict logarithms, so their SHAP values are already terms of that sum. The win head predicts log-odds. Its SHAP values
are scaled by the slope of the chord from the base to the prediction, through calibration and logarithm (the rescale
rule). The terms then add up exactly, although they are not the Shapley values of ln(win_probability) itself
(G-DeepSHAP, Chen, Lundberg and Lee, Nature Communications 13, 2022, doi 10.1038/s41467-022-31384-3).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from walkaway.economics import AGREEMENT
from walkaway.heads import Bag, Calibration
from walkaway.models import Model, Rows

__all__ = ["ASSUMED", "FLOOR", "MARGIN", "SIZE", "TERMS", "Attribution", "attribute", "explanation"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Groups = tuple[tuple[int, ...], ...]
SIZE, MARGIN, FLOOR, ASSUMED = "deal size", "margin rate", "floor under hours", "assumed hours"
TERMS = (SIZE, MARGIN, FLOOR)  # factors that come from arithmetic, not from a head
AMOUNT = "amount"
SAME = 1e-9  # closer to the base than this, the chord is numerically unstable; its limit, the derivative, is used
LEAST_OF_MEAN, MOST_OF_MEAN = 0.5, 2.0  # as a multiple of the ensemble's mean term; outside, a member disagrees


@dataclass(frozen=True)
class Attribution:
    """Terms of ln(value_per_hour): one column per planned feature, then one for each of TERMS; and for
    ASSUMED, where the hours of deals are assumed and differ.

    typical: the model's typical value_per_hour (money per hour), at which every term is 0. terms: (rows, columns),
    natural logarithms of the factors. explained: (rows,), False where value_if_won <= 0, which has no logarithm.
    groups: positions of the columns that are shown as one reason; each column is in exactly one group. agreed: (rows,
    groups), whether at least four fifths of the ensemble's members agree on the sign of the group's term and, within a
    factor of two, on its size.
    """

    columns: tuple[str, ...]
    typical: float
    terms: FloatArray
    explained: BoolArray
    groups: Groups
    agreed: BoolArray

    def factors(self) -> FloatArray:
        """Factors of each row; typical times their product is the row's value_per_hour."""
        return np.exp(self.terms)

    def of(self, rows: npt.NDArray[np.int64]) -> Attribution:
        """The attribution of some of the rows."""
        return replace(self, terms=self.terms[rows], explained=self.explained[rows], agreed=self.agreed[rows])

    def group_terms(self) -> FloatArray:
        """The sum of the terms of each group, (rows, groups)."""
        return _summed(self.terms, self.groups)


def _summed(terms: FloatArray, groups: Groups) -> FloatArray:
    return np.stack([terms[..., list(group)].sum(axis=-1) for group in groups], axis=-1)


def _library() -> Any:
    """The shap library. Warnings are silenced because its import warns about a progress bar in notebooks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap
    return shap


def _shap(bag: Bag | None, X: npt.NDArray[np.float32]) -> tuple[FloatArray, FloatArray]:
    """SHAP values (members, rows, columns) and base values (members,); zeros for a head without a bag."""
    if bag is None:
        return np.zeros((1, *X.shape)), np.zeros(1)
    shap = _library()
    values, bases = [], []
    for booster in bag.boosters:
        explainer = shap.TreeExplainer(booster)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # shap warns of a changed return type, which is handled below
            shap_values = explainer.shap_values(X)
        values.append(shap_values[1] if isinstance(shap_values, list) else shap_values)
        base = explainer.expected_value
        bases.append(float(np.atleast_1d(base)[-1]))
    return np.stack(values), np.array(bases)


def _chord(calibration: Calibration, raw: FloatArray, base: float) -> FloatArray:
    """The change of ln(win_probability) per unit of log-odds, on average between base and raw."""
    low = calibration.log_probability(np.array([base]))
    step = raw - base
    derivative = calibration.slope * -np.expm1(low)  # slope x (1 - p), the limit of the chord
    rise = calibration.log_probability(raw) - low
    return np.where(np.abs(step) < SAME, derivative, np.divide(rise, step, out=np.zeros_like(rise), where=step != 0))


def _agreed(by_member: FloatArray, mean: FloatArray) -> BoolArray:
    """Whether enough members agree with a term: the same sign, and between half and twice its size.

    >>> members, mean = np.array([[1.0, 1.0, 1.0]] * 4 + [[1.2, -3.0, 0.1]]), np.array([1.0, 1.0, 1.0])
    >>> _agreed(members, mean), _agreed(members[3:], mean)
    (array([ True,  True,  True]), array([ True, False, False]))
    """
    share = np.divide(by_member, mean, out=np.ones_like(by_member), where=mean != 0)
    agreed: BoolArray = ((share >= LEAST_OF_MEAN) & (share <= MOST_OF_MEAN)).mean(axis=0) >= AGREEMENT
    return agreed


def _groups(model: Model, columns: tuple[str, ...]) -> Groups:
    """Positions of the columns of each group; every column is its own group if the model stores no groups."""
    place = {name: at for at, name in enumerate(columns)}
    groups = model.past_deals.groups or tuple((name,) for name in model.plan.columns)
    terms = columns[len(model.plan.columns) :]
    return tuple(tuple(place[name] for name in group) for group in (*groups, *((term,) for term in terms)))


def attribute(model: Model, rows: Rows) -> Attribution:
    """Factors of each row's value_per_hour.

    Args:
        model: any model. Without signal, only the arithmetic terms and the hours differ from 0.
        rows: snapshots read with the model's plan.
    """
    win, worth, hours = model.heads.win, model.heads.worth, model.heads.hours
    win_shap, win_base = _shap(win.bag, rows.X)
    ratio_shap, ratio_base = _shap(worth.bag, rows.X)
    hours_shap, hours_base = _shap(hours.bag, rows.X)

    base_raw = (
        float(win_base.mean()) if win.bag else float(win.raw_by_member(rows.X[:1]).mean()) if len(rows.X) else 0.0
    )
    raw = base_raw + win_shap.mean(axis=0).sum(axis=1)
    chord = _chord(win.calibration, raw, base_raw)[:, None]
    base_hours = _base_hours(model, hours_base)
    assumed = rows.terms["assumed_hours"].to_numpy(dtype=np.float64)
    predicted = base_hours * np.exp(hours_shap.mean(axis=0).sum(axis=1))
    remaining = np.where(np.isnan(assumed), predicted, assumed)

    amount, margin = worth.amount(rows.terms["amount"].to_numpy()), worth.margin(rows.terms["margin"].to_numpy())
    explained = amount * margin > 0
    typical_margin = model.past_deals.typical_margin
    safe = np.where(explained, 1.0, np.nan)
    differs = model.facts.effort is not None and model.facts.effort.by is not None
    arithmetic = np.column_stack(
        [
            np.log(np.maximum(amount, 1e-300) / max(worth.typical_amount, 1e-300)) * safe,
            np.log(np.maximum(margin, 1e-300) / typical_margin) * safe,
            np.log1p(model.floor_hours / base_hours) - np.log1p(model.floor_hours / remaining),
            *([np.log(base_hours / remaining)] if differs else []),
        ]
    )
    by_member = win_shap * chord + ratio_shap - hours_shap
    mean = win_shap.mean(axis=0) * chord + ratio_shap.mean(axis=0) - hours_shap.mean(axis=0)
    if AMOUNT in model.plan.columns:  # readers see deal size and the heads' use of the amount as one factor
        place = model.plan.columns.index(AMOUNT)
        for terms in (by_member[..., place], mean[:, place]):
            terms += arithmetic[:, 0]
        arithmetic[:, 0] = 0.0
    typical_ratio = np.exp(float(ratio_base.mean()) + worth.log_ratio)
    typical_value = max(worth.typical_amount, 1e-300) * typical_margin * typical_ratio
    typical = float(
        win.calibration.probability(np.array([base_raw]))[0] * typical_value / (base_hours + model.floor_hours)
    )
    columns = (*model.plan.columns, *TERMS, *([ASSUMED] if differs else []))
    groups, terms = _groups(model, columns), np.concatenate([mean, arithmetic], axis=1)
    same_for_all = np.broadcast_to(arithmetic, (len(by_member), *arithmetic.shape))
    group_terms = _summed(np.concatenate([by_member, same_for_all], axis=2), groups)
    return Attribution(columns, typical, terms, explained, groups, _agreed(group_terms, _summed(terms, groups)))


def _base_hours(model: Model, hours_base: FloatArray) -> float:
    head = model.heads.hours
    if head.bag is None:
        return max(head.mean_hours, 1e-9)
    return float(np.exp(hours_base.mean() + head.log_scale))


def explanation(attribution: Attribution, rows: Rows) -> Any:
    """The terms as a `shap.Explanation` for plots of the shap library, in ln(money per hour), starting at ln(typical).

    Args:
        attribution: of these rows.
        rows: the rows it was computed from; only rows that factors explain are included.
    """
    at, shap = attribution.explained, _library()
    amount, margin = (rows.terms[name].to_numpy(dtype=np.float64) for name in ("amount", "margin"))
    data = np.column_stack([rows.X.astype(np.float64), amount, margin, np.zeros(len(amount))])
    if ASSUMED in attribution.columns:
        data = np.column_stack([data, rows.terms["assumed_hours"].to_numpy(dtype=np.float64)])
    return shap.Explanation(
        values=attribution.terms[at],
        base_values=np.full(int(at.sum()), np.log(attribution.typical)),
        data=data[at],
        feature_names=list(attribution.columns),
    )
