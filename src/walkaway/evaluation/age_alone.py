"""What the age of a deal alone tells: whether it ranks as well as a model, and the chance of deals by age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import beta

from walkaway.evaluation.metrics import LEAST_DEALS_TO_JUDGE

__all__ = ["YOUNGEST", "AgeChance", "age_rule", "age_suffices", "chance_by_age"]

YOUNGEST = "younger"  # the index of `skills` that ranks the youngest deal first
AGES = (0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 545, 730)  # days
LESS = 0.5  # of the chance of all deals: above it, an old deal is no hopeless one
CONFIDENCE = 0.95  # that old deals are won less often than all
MOST_WINS_LOST = 0.10  # by the rule; as much as the default of `score.forgo`


class AgeChance(NamedTuple):
    """Of mature deals, how many were still open after so many days, and how many of these were won later."""

    age_days: int
    open: int
    won: int

    @property
    def chance(self) -> float:
        """The share of those still open that were won later."""
        return self.won / self.open if self.open else float("nan")

    @property
    def most(self) -> float:
        """The upper bound of the chance, at CONFIDENCE.

        >>> round(AgeChance(30, 500, 4).most, 4)
        0.0182
        """
        lost = self.open - self.won
        return float(beta.ppf(CONFIDENCE, self.won + 1, lost)) if lost else 1.0


def age_suffices(tables: Mapping[str, pd.DataFrame]) -> bool:
    """Whether age alone ranks deals, and as well as the model or better.

    It does if the whole 90% interval of its own skill is above 0, and that of the model's gain over it is not.

    Args:
        tables: `skill` of `skills`, if measured.

    >>> row = {"skill_low": 0.2, "gain_low": -0.01}
    >>> age_suffices({"skill": pd.DataFrame([row], ["younger"])})
    True
    >>> age_suffices({"skill": pd.DataFrame([row | {"gain_low": 0.01}], ["younger"])}), age_suffices({})
    (False, False)
    """
    skill = tables.get("skill", pd.DataFrame())
    if YOUNGEST not in skill.index:
        return False
    row = skill.loc[YOUNGEST]
    return bool(row["skill_low"] > 0 and row["gain_low"] <= 0)


def chance_by_age(deals: pd.DataFrame, moment: pd.Timestamp, mature_days: float) -> tuple[AgeChance, ...]:
    """The share of deals still open at an age that were won later, by age.

    Only deals count that had time to end and did: of younger ones, the quick endings alone are known.

    Args:
        deals: created_at, closed_at and outcome, as known at the moment.
        moment: UTC.
        mature_days: the age by which nearly all deals have ended (`asof.mature_age_days`).

    Returns:
        Ascending by age, from 0 (all of them); ages at which too few were still open to judge, or as many as at the age
        before, are left out.

    >>> day = lambda texts: pd.to_datetime(pd.Series(texts), utc=True)
    >>> deals = pd.DataFrame({"created_at": day(["2026-01-01"] * 60), "outcome": ["won"] * 20 + ["lost"] * 40,
    ...     "closed_at": day(["2026-01-03"] * 20 + ["2026-01-06"] * 40)})
    >>> chance_by_age(deals, pd.Timestamp("2026-03-01", tz="UTC"), mature_days=30)[::2]
    (AgeChance(age_days=0, open=60, won=20),)
    """
    mature = deals["created_at"] <= moment - pd.Timedelta(days=mature_days)
    counted = deals[mature & deals["outcome"].notna() & deals["closed_at"].notna()]
    lived = ((counted["closed_at"] - counted["created_at"]) / pd.Timedelta(days=1)).to_numpy()
    won = (counted["outcome"] == "won").to_numpy()
    rows = [AgeChance(age, int((lived > age).sum()), int((won & (lived > age)).sum())) for age in AGES]
    rows[0] = AgeChance(0, len(counted), int(won.sum()))
    found = [row for row in rows if row.open >= LEAST_DEALS_TO_JUDGE]
    fewer = np.diff([row.open for row in found], prepend=-1) != 0
    return tuple(row for row, differs in zip(found, fewer, strict=True) if differs)


def age_rule(chances: Sequence[AgeChance]) -> AgeChance | None:
    """The youngest age after which no more than MOST_WINS_LOST of all wins come; None where there is none.

    At that age the chance must be at most LESS of that of all deals, and its upper bound (Clopper and Pearson, 1934)
    below it, so that no rule is made of noise.

    >>> age_rule([AgeChance(0, 1000, 40), AgeChance(14, 700, 10), AgeChance(30, 500, 4), AgeChance(60, 300, 1)])
    AgeChance(age_days=30, open=500, won=4)
    """
    if not chances:
        return None
    all_deals = chances[0]
    for row in chances[1:]:
        few = row.won <= MOST_WINS_LOST * all_deals.won and row.chance <= LESS * all_deals.chance
        if few and row.most < all_deals.chance:
            return row
    return None
