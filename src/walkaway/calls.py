"""What a model says of snapshots: one call a row. Training folds, nightly scoring and the replay all ask here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.economics import Curve, expected_value, value_per_hour, verdicts
from walkaway.features import FeaturePlan, build_features
from walkaway.heads import Heads
from walkaway.history import History

__all__ = ["Calls", "Model", "Rows", "make_calls", "read_rows"]


@dataclass(frozen=True)
class Model:
    """All that scoring needs: columns, heads, curve, and what the model says of itself.

    `signal` is False where out-of-time predictions were no better than the base rate: then every verdict is unsure.
    `timeless` is True where the book had no dates: then no hours are known, and every verdict is unsure.
    `facts` are plain JSON values: what it was trained on and how it fared.
    """

    plan: FeaturePlan
    heads: Heads
    floor_hours: float
    curve: Curve
    signal: bool
    facts: dict[str, object]
    timeless: bool = False
    version: str = ""


@dataclass(frozen=True)
class Rows:
    """Snapshots with what was known at each: features X (rows, columns), and terms: amount and margin."""

    snapshots: pd.DataFrame
    X: npt.NDArray
    terms: pd.DataFrame


@dataclass(frozen=True)
class Calls:
    """Calls with the rows they rest on; `table` has one row a snapshot, in the snapshots' order."""

    rows: Rows
    table: pd.DataFrame


def read_rows(history: History, snapshots: pd.DataFrame, plan: FeaturePlan) -> Rows:
    """Features and terms of these snapshots; training and scoring both read them here."""
    view = history.at(snapshots)
    terms = pd.DataFrame({"amount": view.amount, "margin": view.margin}, index=range(len(snapshots)))
    return Rows(snapshots, build_features(view, plan).to_numpy(), terms)


def make_calls(model: Model, rows: Rows, bar: float) -> Calls:
    """Call each row: probability, worth, hours, their index, and the verdict at the bar.

    Returns:
        A table of deal_id, as_of, win_probability, value_if_won (money), amount_imputed (none known, the typical one
        stands in), remaining_hours, expected_value (money), value_per_hour (money per hour), bar, verdict. A timeless
        model leaves remaining_hours and value_per_hour empty.
    """
    one, each = model.heads.estimate(rows.X, rows.terms), model.heads.estimate_by_member(rows.X, rows.terms)
    expected = expected_value(one.win_probability, one.value_if_won)
    by_member = value_per_hour(
        expected_value(each.win_probability, each.value_if_won), each.remaining_hours, model.floor_hours
    )
    table = rows.snapshots.assign(
        win_probability=one.win_probability,
        value_if_won=one.value_if_won,
        amount_imputed=rows.terms["amount"].isna().to_numpy(),
        remaining_hours=one.remaining_hours,
        expected_value=expected,
        value_per_hour=value_per_hour(expected, one.remaining_hours, model.floor_hours),
        bar=np.float64(bar),
        verdict=verdicts(by_member, one.value_if_won, bar, model.signal),
    )
    if model.timeless:
        table = table.assign(remaining_hours=np.nan, value_per_hour=np.nan, verdict="unsure")
    return Calls(rows, table)
