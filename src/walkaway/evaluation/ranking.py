"""Walk-away skill of rankings of out-of-time calls, with intervals over deals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.economics import Drops, clairvoyant_index, hours_saved_at, schedule_drops, settle_drops, skill, skill_of
from walkaway.evaluation.metrics import deal_weights, interval

__all__ = ["paired_skill", "skills"]

FloatArray = npt.NDArray[np.float64]
BOOTSTRAP_BARS = 400
PRICES = (0.01, 0.02, 0.05, 0.10, 0.20)  # shares of won value lost, at which the hours saved are reported


def _saving(price: float) -> Callable[[Drops, Drops], float]:
    return lambda own, best: hours_saved_at(own, price)


MEASURES: dict[str, Callable[[Drops, Drops], float]] = {
    "skill": skill_of,
    "skill_up_to_0.2": lambda own, best: skill_of(own, best, 0.2),
    **{f"saved_at_{price:.2f}": _saving(price) for price in PRICES},
}


def skills(calls: pd.DataFrame, columns: list[str], draws: int) -> pd.DataFrame:
    """Walk-away skill of each index and the hours that it saves at each of PRICES, with 90% intervals over deals.

    Args:
        calls: deal_id, remaining_hours_truth, worth_truth and the index columns; sorted by deal_id and as_of.
        columns: what calls are ranked by, the model's own index first; higher is better.
        draws: of the bootstrap, which tries BOOTSTRAP_BARS bars rather than all.

    Returns:
        Indexed by index: skill, skill_up_to_0.2 (up to 20% of value lost), saved_at_0.01, ... (share of hours saved
        at that share of value lost), each with _low and _high. gain: the skill of the first index minus its own, on the
        same deals, with gain_low and gain_high; below 0, it is better.
    """
    deal = pd.factorize(calls["deal_id"])[0]
    hours, worth = calls["remaining_hours_truth"].to_numpy(), calls["worth_truth"].to_numpy()
    weights, ideal = deal_weights(deal, draws), clairvoyant_index(hours, worth)
    best, drawn_best = settle_drops(deal, ideal, hours, worth), _bootstrap_drops(deal, ideal, hours, worth, weights)
    out: dict[str, dict[str, float]] = {}
    skill_draws: list[FloatArray] = []
    for column in columns:
        index = calls[column].to_numpy()
        own, drawn = settle_drops(deal, index, hours, worth), _bootstrap_drops(deal, index, hours, worth, weights)
        row: dict[str, float] = {}
        for name, measure in MEASURES.items():
            values = np.array([measure(*pair) for pair in zip(drawn, drawn_best, strict=True)])
            low, high = interval(values)
            row |= {name: measure(own, best), f"{name}_low": low, f"{name}_high": high}
            if name == "skill":
                skill_draws.append(values)
        low, high = interval(skill_draws[0] - skill_draws[-1])
        gain = next(iter(out.values()), row)["skill"] - row["skill"]
        out[column] = row | {"gain": gain, "gain_low": low, "gain_high": high}
    return pd.DataFrame(out).T.rename_axis("index")


def paired_skill(calls: pd.DataFrame, one: str, other: str, draws: int) -> tuple[float, float, float]:
    """The skill of one index less that of the other, on the same deals, with its 90% interval over deals.

    Args:
        calls: deal_id, remaining_hours_truth, worth_truth and both index columns; sorted by deal_id and as_of.
        one: an index column.
        other: the one it is compared with.
        draws: of the bootstrap; both indices are judged on the same draws.

    Returns:
        (difference, low, high).
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
    deal: npt.NDArray[np.int64], index: FloatArray, hours: FloatArray, worth: FloatArray, weights: FloatArray
) -> list[Drops]:
    bars = np.unique(np.quantile(index, np.linspace(0, 1, BOOTSTRAP_BARS)))
    schedule = schedule_drops(deal, index, bars)
    return [schedule.settle(hours, worth, weight) for weight in weights]
