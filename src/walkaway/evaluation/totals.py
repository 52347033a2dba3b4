"""How true predicted hours and worth are: totals against what came of them, and errors beside a plain guess."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.evaluation.metrics import LEAST_DEALS_TO_JUDGE, DealDraws, interval
from walkaway.evaluation.slices import slices_of

__all__ = ["hours_metrics", "worth_metrics"]

FloatArray = npt.NDArray[np.float64]


def _totals(drawn: DealDraws, mask: npt.NDArray[np.bool_], said: FloatArray, came: FloatArray) -> dict[str, float]:
    """Predicted and realised sums over some rows, their ratio and its interval."""
    low, high = interval(drawn.sums(said * mask) / np.maximum(drawn.sums(came * mask), 1e-12))
    total = float(came[mask].sum())
    ratio = float(said[mask].sum()) / total if total else float("nan")
    return {
        "predicted": float(said[mask].sum()),
        "realised": total,
        "ratio": ratio,
        "ratio_low": low,
        "ratio_high": high,
    }


def _errors(said: FloatArray, plain: FloatArray, came: FloatArray) -> dict[str, float]:
    return {"error": float(np.abs(said - came).mean()), "error_base": float(np.abs(plain - came).mean())}


def hours_metrics(calls: pd.DataFrame, draws: int) -> pd.DataFrame:
    """Remaining hours by age and by stage: totals, their ratio with a 90% interval over deals, mean absolute error.

    Args:
        calls: deal_id, age_days, remaining_hours, mean_hours (what the model's training deals took, the plain guess),
            remaining_hours_truth (of open deals what the final model expects), and optionally stage.
        draws: of the bootstrap.

    Returns:
        Indexed by dimension and value: calls, deals, predicted, realised (hours), ratio, ratio_low, ratio_high, error
        and error_base (hours a call).
    """
    drawn = DealDraws.of(calls["deal_id"].to_numpy(), draws)
    names = ("remaining_hours", "mean_hours", "remaining_hours_truth")
    said, plain, came = (calls[name].to_numpy(dtype=float) for name in names)
    rows = {}
    for dimension, value, mask in slices_of(calls):
        deals = int(np.count_nonzero(np.bincount(drawn.codes[mask])))
        if dimension in ("all", "age", "stage") and (deals >= LEAST_DEALS_TO_JUDGE or dimension == "all"):
            counted = {"calls": int(mask.sum()), "deals": deals} | _totals(drawn, mask, said, came)
            rows[dimension, value] = counted | _errors(said[mask], plain[mask], came[mask])
    return pd.DataFrame(rows).T.rename_axis(["dimension", "value"])


def worth_metrics(calls: pd.DataFrame, draws: int) -> pd.DataFrame:
    """value_if_won on calls of deals won since: all, those with an amount, those without one yet.

    Args:
        calls: deal_id, won, worth_recorded, value_if_won, amount_imputed, plain_worth (the amount as recorded, or the
            typical one, at its margin: the plain guess), worth_truth.
        draws: of the bootstrap.

    Returns:
        Indexed by amount: calls, deals, predicted, realised (money), ratio, ratio_low, ratio_high, error and
        error_base (money a call). Empty where none was won.
    """
    won = calls[(calls["won"] == 1) & calls["worth_recorded"].astype(bool) & (calls["worth_truth"].abs() > 0)]
    if won.empty:
        return pd.DataFrame()
    drawn = DealDraws.of(won["deal_id"].to_numpy(), draws)
    said, plain, came = (won[name].to_numpy(dtype=float) for name in ("value_if_won", "plain_worth", "worth_truth"))
    missing = won["amount_imputed"].to_numpy(dtype=bool)
    rows = {}
    for value, mask in (("all", np.ones(len(won), dtype=bool)), ("recorded", ~missing), ("not recorded yet", missing)):
        if mask.any():
            counted = {"calls": int(mask.sum()), "deals": int(won.loc[mask, "deal_id"].nunique())}
            totals = _totals(drawn, mask, said, came)
            rows[value] = counted | totals | _errors(said[mask], plain[mask], came[mask])
    return pd.DataFrame(rows).T.rename_axis("amount")
