"""Walk-away skill of indices over out-of-time calls, with intervals over deals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.economics import Drops, clairvoyant_index, schedule_drops, skill, skill_of
from walkaway.evaluation.metrics import deal_weights, interval

__all__ = ["paired_skill", "skills"]

FloatArray = npt.NDArray[np.float64]
BOOTSTRAP_BARS = 400


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


def paired_skill(calls: pd.DataFrame, one: str, other: str, draws: int) -> tuple[float, float, float]:
    """By how much one index has more skill than the other on the same deals, and the 90% interval of that over deals.

    Args:
        calls: deal_id, remaining_hours_truth, worth_truth and both index columns; sorted by deal_id and as_of.
        one: an index column.
        other: the one it is compared with.
        draws: of the bootstrap, the same deals for both.
    """
    deal = pd.factorize(calls["deal_id"])[0]
    hours, worth = calls["remaining_hours_truth"].to_numpy(), calls["worth_truth"].to_numpy()
    weights = deal_weights(deal, draws)
    best = _bootstrap_drops(deal, clairvoyant_index(hours, worth), hours, worth, weights)
    indices = [calls[name].to_numpy() for name in (one, other)]
    drawn = [_bootstrap_drops(deal, index, hours, worth, weights) for index in indices]
    gains = [skill_of(mine, ideal) - skill_of(theirs, ideal) for mine, theirs, ideal in zip(*drawn, best, strict=True)]
    low, high = interval(np.array(gains))
    mine, theirs = (skill(deal, index, hours, worth) for index in indices)
    return mine - theirs, low, high


def _bootstrap_drops(
    deal: npt.NDArray, index: FloatArray, hours: FloatArray, worth: FloatArray, weights: FloatArray
) -> list[Drops]:
    bars = np.unique(np.quantile(index, np.linspace(0, 1, BOOTSTRAP_BARS)))
    schedule = schedule_drops(deal, index, bars)
    return [schedule.settle(hours, worth, weight) for weight in weights]
