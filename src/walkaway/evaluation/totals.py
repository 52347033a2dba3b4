"""How accurate predicted hours and values are: predicted against realised totals, and errors beside a simple guess."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.evaluation.metrics import LEAST_DEALS_TO_JUDGE, DealDraws, interval
from walkaway.evaluation.slices import slices_of

__all__ = ["hours_metrics", "worth_metrics"]

FloatArray = npt.NDArray[np.float64]


def _totals(
    drawn: DealDraws, mask: npt.NDArray[np.bool_], predicted: FloatArray, realised: FloatArray
) -> dict[str, float]:
    """Predicted and realised sums over the rows of the mask, their ratio and its interval."""
    low, high = interval(drawn.sums(predicted * mask) / np.maximum(drawn.sums(realised * mask), 1e-12))
    total = float(realised[mask].sum())
    ratio = float(predicted[mask].sum()) / total if total else float("nan")
    return {
        "predicted": float(predicted[mask].sum()),
        "realised": total,
        "ratio": ratio,
        "ratio_low": low,
        "ratio_high": high,
    }


def _errors(predicted: FloatArray, guess: FloatArray, realised: FloatArray) -> dict[str, float]:
    return {
        "error": float(np.abs(predicted - realised).mean()),
        "error_base": float(np.abs(guess - realised).mean()),
    }


def hours_metrics(calls: pd.DataFrame, draws: int) -> pd.DataFrame:
    """Remaining hours by age and by stage: totals, their ratio with a 90% interval over deals, mean absolute error.

    Args:
        calls: deal_id, age_days, remaining_hours, mean_hours (mean of the model's training deals: the simple guess),
            remaining_hours_truth (for open deals the final model's expectation), and optionally stage.
        draws: of the bootstrap.

    Returns:
        Indexed by dimension and value: calls, deals, predicted, realised (hours), ratio, ratio_low, ratio_high, error
        and error_base (hours per call).
    """
    drawn = DealDraws.of(calls["deal_id"].to_numpy(), draws)
    names = ("remaining_hours", "mean_hours", "remaining_hours_truth")
    predicted, guess, realised = (calls[name].to_numpy(dtype=float) for name in names)
    rows = {}
    for dimension, value, mask in slices_of(calls):
        deals = int(np.count_nonzero(np.bincount(drawn.codes[mask])))
        if dimension in ("all", "age", "stage") and (deals >= LEAST_DEALS_TO_JUDGE or dimension == "all"):
            counts = {"calls": int(mask.sum()), "deals": deals}
            totals = _totals(drawn, mask, predicted, realised)
            rows[dimension, value] = counts | totals | _errors(predicted[mask], guess[mask], realised[mask])
    return pd.DataFrame(rows).T.rename_axis(["dimension", "value"])


def worth_metrics(calls: pd.DataFrame, draws: int) -> pd.DataFrame:
    """Accuracy of value_if_won on calls whose deal was won later: all, those with an amount recorded, those without.

    Args:
        calls: deal_id, won, worth_recorded, value_if_won, amount_imputed, plain_worth (the recorded or else the typical
            amount times the margin: the simple guess), worth_truth.
        draws: of the bootstrap.

    Returns:
        Indexed by amount: calls, deals, predicted, realised (money), ratio, ratio_low, ratio_high, error and
        error_base (money per call). Empty where no deal was won.
    """
    won = calls[(calls["won"] == 1) & calls["worth_recorded"].astype(bool) & (calls["worth_truth"].abs() > 0)]
    if won.empty:
        return pd.DataFrame()
    drawn = DealDraws.of(won["deal_id"].to_numpy(), draws)
    names = ("value_if_won", "plain_worth", "worth_truth")
    predicted, guess, realised = (won[name].to_numpy(dtype=float) for name in names)
    missing = won["amount_imputed"].to_numpy(dtype=bool)
    rows = {}
    for value, mask in (("all", np.ones(len(won), dtype=bool)), ("recorded", ~missing), ("not recorded yet", missing)):
        if mask.any():
            counts = {"calls": int(mask.sum()), "deals": int(won.loc[mask, "deal_id"].nunique())}
            totals = _totals(drawn, mask, predicted, realised)
            rows[value] = counts | totals | _errors(predicted[mask], guess[mask], realised[mask])
    return pd.DataFrame(rows).T.rename_axis("amount")
