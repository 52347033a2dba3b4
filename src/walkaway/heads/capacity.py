"""The capacity of a head (the shape of its boosters), chosen in each fit on deals that were held out.

No shape is best for every book. With few deals, or with snapshots that are much alike, large trees overfit; where
attributes interact, small ones miss it. So each entry of a short menu is fitted on the same part of the deals, and
judged on the rest after a quarter, a half, three quarters and all of its trees; the usual entry, whose many small trees
hardly overfit, after all of them. An entry that learns a linear model must beat the usual one by a standard error: it
forgoes what trees find later (decision 42). All entries share one LightGBM Dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

from walkaway.config import BoosterSettings, HeadSettings
from walkaway.heads.bag import TWEEDIE_POWER, Objective, booster_parameters
from walkaway.heads.examples import Examples, Holdout
from walkaway.heads.pooling import LINK_OF, linear_prediction, small_leaves

__all__ = ["Capacity", "choose_capacity", "unchosen"]

FloatArray = npt.NDArray[np.float64]
USUAL = "usual"  # the entry that is used where nothing can be chosen
STAGES = (0.25, 0.5, 0.75, 1.0)  # of an entry's trees: after each the loss on held-out deals is taken
FARTHEST_LEVEL = 50.0  # log-odds
LEAST_DEALS_TO_CHOOSE = 60  # held-out deals; with fewer, the choice would be luck


@dataclass(frozen=True)
class Capacity:
    """The shape that was chosen for a head, and what the choice rests on.

    entry: its name in the menu. booster: the shape, with its number of trees. losses: mean loss of each entry on the
    held-out deals; empty where nothing could be chosen. margin: loss of the usual entry minus that of the chosen one,
    with its standard error over deals (error). deals: held out. trees_grown: for the choice, over all entries.
    """

    entry: str
    booster: BoosterSettings
    losses: Mapping[str, float]
    margin: float = 0.0
    error: float = 0.0
    deals: int = 0
    trees_grown: int = 0

    def as_json(self) -> dict[str, Any]:
        """The choice as plain JSON values."""
        shape = self.booster.model_dump(include={"trees", "leaves", "extra_trees", "linear_share"})
        return {"entry": self.entry, **shape, "losses": dict(self.losses)} | {
            "margin": self.margin,
            "error": self.error,
            "deals": self.deals,
            "trees_grown": self.trees_grown,
        }


def unchosen(usual: BoosterSettings) -> Capacity:
    """The usual entry, where nothing can be chosen."""
    return Capacity(USUAL, usual, {})


def _loss_rows(raw: FloatArray, target: FloatArray, objective: Objective) -> FloatArray:
    """Loss of each row: log loss, or the deviance of the objective up to a constant."""
    if objective == "cross_entropy":
        p = np.clip(expit(raw), 1e-9, 1 - 1e-9)
        rows: FloatArray = -(target * np.log(p) + (1 - target) * np.log1p(-p))
    elif objective == "gamma":
        rows = target * np.exp(-raw) + raw
    else:
        power = TWEEDIE_POWER
        rows = -target * np.exp((1 - power) * raw) / (1 - power) + np.exp((2 - power) * raw) / (2 - power)
    return rows


def _without_level(raw: FloatArray, target: FloatArray, weight: FloatArray, objective: Objective) -> FloatArray:
    """Raw scores moved by a constant, so that their weighted total is that of the targets.

    The level of a head is corrected later, by calibration or by its scale, so it does not speak for or against a shape.
    """
    total = float(weight @ target)
    if objective != "cross_entropy":
        level = np.log(total / float(weight @ np.exp(raw)))
    else:
        bounds = -FARTHEST_LEVEL, FARTHEST_LEVEL
        level = brentq(lambda moved: float(weight @ expit(raw + moved)) - total, *bounds)
    return raw + float(level)


@dataclass(frozen=True)
class _Part:
    """A holdout ready for every entry: rows and targets to fit on, and X, target and weight to judge on."""

    rows: list[int]
    target: FloatArray
    linear: FloatArray
    X: npt.NDArray[np.float32]
    judged: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, examples: Examples, holdout: Holdout, objective: Objective) -> _Part:
        """The parts of the examples; the linear model of the rows to fit on is fitted once for all entries."""
        fit, judge = np.flatnonzero(holdout.fit), np.flatnonzero(holdout.judge)
        linear = linear_prediction(examples.part(holdout.fit, examples.target[fit]), LINK_OF[objective])
        weight = examples.weights()[judge]
        return cls(fit.tolist(), examples.target[fit], linear, examples.X[judge], examples.target[judge], weight)


def _try(booster: BoosterSettings, part: _Part, data: lgb.Dataset, share: float, objective: Objective) -> FloatArray:
    """Loss of each held-out row after each of STAGES of the entry's trees, (stages, rows)."""
    shape = small_leaves(booster, len(part.rows))
    own_share = max(share, shape.linear_share)
    train = data.subset(part.rows).construct()
    train.set_label((1 - own_share) * part.target + own_share * part.linear)
    parameters = booster_parameters(shape, objective, 0) | {"feature_pre_filter": False}
    fitted = lgb.train(parameters, train, shape.trees)
    losses = []
    for trees in _stages(shape.trees):
        raw = np.asarray(fitted.predict(part.X, raw_score=True, num_iteration=trees, num_threads=1), dtype=np.float64)
        losses.append(_loss_rows(_without_level(raw, part.judged, part.weight, objective), part.judged, objective))
    return np.array(losses)


def _can_be_judged(target: FloatArray, objective: Objective) -> bool:
    """Whether something can be learned from these targets, and measured on them: both outcomes, or some hours."""
    if not len(target):
        return False
    mean = float(target.mean())
    return 0 < mean < 1 if objective == "cross_entropy" else mean > 0


def _stages(trees: int) -> list[int]:
    """Numbers of trees that are tried.

    >>> _stages(200)
    [50, 100, 150, 200]
    """
    return [max(round(trees * share), 1) for share in STAGES]


def choose_capacity(
    examples: Examples,
    objective: Objective,
    usual: BoosterSettings,
    share: float,
    head_settings: HeadSettings,
    holdouts: tuple[Holdout, ...],
) -> Capacity:
    """The entry of the menu, and the share of its trees, that predict held-out deals best.

    Args:
        examples: target known on all rows of the holdouts.
        objective: of the head.
        usual: the head's usual entry, used where nothing can be chosen.
        share: of the linear model in the target (`heads.pooling`).
        head_settings: the menu.
        holdouts: rows to fit on and to judge on, by deal; none leaves the usual entry.
    """
    menu = {USUAL: usual} | {name: booster for name, booster in head_settings.menu.items() if booster != usual}
    counted = examples.weights() > 0
    holdouts = tuple(Holdout(holdout.fit & counted, holdout.judge & counted) for holdout in holdouts)
    judged = [examples.latest[holdout.judge] for holdout in holdouts]
    deals = len(np.unique(np.concatenate(judged))) if judged else 0
    usable = all(_can_be_judged(examples.target[rows], objective) for h in holdouts for rows in (h.fit, h.judge))
    if len(menu) == 1 or deals < LEAST_DEALS_TO_CHOOSE or not usable:
        return unchosen(usual)
    examples = examples.with_target(np.nan_to_num(examples.target))  # rows outside of the holdouts are not read
    data = lgb.Dataset(
        examples.X,
        examples.target,
        weight=examples.weight,
        categorical_feature=examples.categorical,
        params={"feature_pre_filter": False, "verbosity": -1, "num_threads": 1},
    ).construct()
    parts = [_Part.of(examples, holdout, objective) for holdout in holdouts]

    def losses_of(booster: BoosterSettings) -> FloatArray:
        return np.hstack([_try(booster, part, data, share, objective) for part in parts])

    with ThreadPoolExecutor(head_settings.threads) as pool:
        rows = dict(zip(menu, pool.map(losses_of, menu.values()), strict=True))
    weight = np.concatenate([part.weight for part in parts])
    means = {name: np.average(stages, axis=1, weights=weight) for name, stages in rows.items()}
    stage = {name: int(stages.argmin()) for name, stages in means.items()} | {USUAL: len(STAGES) - 1}
    best = {name: rows[name][stage[name]] for name in means}
    losses = {name: float(means[name][stage[name]]) for name in means}
    margins = {name: _margin(best[USUAL] - best[name], weight, np.concatenate(judged)) for name in menu}
    fits = [name for name in menu if not menu[name].linear_share or margins[name][0] >= margins[name][1]]
    entry = min(fits, key=losses.__getitem__)
    grown = len(holdouts) * sum(booster.trees for booster in menu.values())
    margin, error = margins[entry]
    booster = menu[entry]
    trees = _stages(booster.trees)[stage[entry]]
    return Capacity(entry, booster.model_copy(update={"trees": trees}), losses, margin, error, deals, grown)


def _margin(gain: FloatArray, weight: FloatArray, deal: npt.NDArray[np.int64]) -> tuple[float, float]:
    """The weighted mean gain, and its standard error over deals.

    >>> _margin(np.array([1.0, 3.0, 2.0, 2.0]), np.ones(4), np.array([0, 0, 1, 1]))
    (2.0, 0.0)
    """
    mean = float(np.average(gain, weights=weight))
    by_deal = np.bincount(np.unique(deal, return_inverse=True)[1], weight * (gain - mean))
    return mean, float(np.sqrt((by_deal**2).sum()) / weight.sum())
