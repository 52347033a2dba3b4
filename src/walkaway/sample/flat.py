"""Flat sample books: deals with attributes and dates, as most exports are, whose truth is known.

A deal's chance to be won depends on its attributes only. How long it lasts depends on its outcome only, so the chance
of a deal that is still open changes with its age, by Bayes' rule:

    P(won | open at age a) = p S_won(a) / (p S_won(a) + (1 - p) S_lost(a)),   S(a) = P(lasts longer than a)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import gamma

from walkaway.book import Book, Manifest
from walkaway.sample.synthetic import Sample

__all__ = ["Durations", "FlatShape", "make_flat_sample"]

FloatArray = npt.NDArray[np.float64]
FIRST_DAY = pd.Timestamp("2024-01-01", tz="UTC")
CALL_HOURS = 0.25
STEPS = 1_600  # of the grid on which the mean time left is integrated


@dataclass(frozen=True)
class Durations:
    """Days from creation to the end: `after` days, then a gamma distribution of mean `mean` and shape 2.

    `late_share` of the deals end in a second way: `late_after` days, then the same distribution.
    """

    mean: float
    after: float = 0.0
    late_share: float = 0.0
    late_after: float = 0.0

    def draw(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Days of so many deals."""
        starts = np.where(rng.random(size) < self.late_share, self.late_after, self.after)
        return starts + rng.gamma(2.0, self.mean / 2, size)

    def longer(self, days: FloatArray) -> FloatArray:
        """The share of deals that last longer than so many days.

        >>> Durations(10.0, after=5.0).longer(np.array([4.0, 1e9])).tolist()
        [1.0, 0.0]
        """
        early, late = (gamma.sf(days - start, 2.0, scale=self.mean / 2) for start in (self.after, self.late_after))
        found: FloatArray = (1 - self.late_share) * early + self.late_share * late
        return found


@dataclass(frozen=True)
class FlatShape:
    """What a flat sample book looks like.

    days: length of its history. win_rate: share of deals won in the end. words: distinct values of each of the two
    category attributes; a few are common, most are rare. effect, interaction: standard deviation of the log-odds that
    come from single attributes, and from pairs of them. won, lost: how long deals last. calls_a_day: phone calls a day
    while a deal is open; 0 for a book without activities.
    """

    days: int = 730
    win_rate: float = 0.3
    words: int = 12
    effect: float = 0.8
    interaction: float = 0.0
    won: Durations = Durations(30.0)
    lost: Durations = Durations(40.0)
    calls_a_day: float = 0.0


def _standard(values: FloatArray) -> FloatArray:
    spread = float(values.std())
    standard: FloatArray = (values - values.mean()) / (spread or 1.0)
    return standard


def _attributes(rng: np.random.Generator, deals: int, shape: FlatShape) -> tuple[pd.DataFrame, FloatArray]:
    """The attributes, and the part of the log-odds that they make, of mean 0."""
    share = 1.0 / np.arange(1, shape.words + 1)
    share /= share.sum()
    segment, campaign = (rng.choice(shape.words, deals, p=share) for _ in range(2))
    employees, visits = np.exp(rng.normal(4, 1.2, deals)).round(), rng.poisson(6, deals).astype(np.float64)
    region = rng.integers(0, 4, deals)
    by_segment, by_campaign = rng.standard_normal(shape.words), rng.standard_normal(shape.words)
    size, interest = _standard(np.log1p(employees)), _standard(visits)
    single = _standard(by_segment[segment] + 0.7 * by_campaign[campaign] + 0.7 * size + 0.7 * interest)
    sign = rng.choice([-1.0, 1.0], (shape.words, 4))
    pairs = _standard(sign[segment, region] + np.sign(size) * np.sign(interest) + rng.choice([-1, 1], 4)[region] * size)
    table = pd.DataFrame(
        {
            "segment": [f"segment {code:03d}" for code in segment],
            "campaign": [f"campaign {code:03d}" for code in campaign],
            "region": np.array(["east", "north", "south", "west"])[region],
            "employees": employees,
            "visits": visits,
        }
    )
    return table, shape.effect * single + shape.interaction * pairs


def _left(shape: FlatShape, p: FloatArray, age: FloatArray) -> FloatArray:
    """Expected days left of deals that are open at an age."""
    horizon = max(d.after + d.late_after + 12 * d.mean for d in (shape.won, shape.lost))
    grid = np.linspace(0.0, horizon, STEPS)
    step = grid[1] - grid[0]

    def tail(durations: Durations) -> FloatArray:
        longer = durations.longer(grid)
        after = (np.cumsum(longer[::-1])[::-1] - longer / 2) * step
        found: FloatArray = np.interp(age, grid, after)
        return found

    still = p * shape.won.longer(age) + (1 - p) * shape.lost.longer(age)
    left: FloatArray = (p * tail(shape.won) + (1 - p) * tail(shape.lost)) / np.maximum(still, 1e-12)
    return left


def _calls(rng: np.random.Generator, deals: pd.DataFrame, end: pd.Timestamp, rate: float) -> pd.DataFrame:
    """Phone calls at random moments while a deal is open."""
    until = deals["closed_at"].fillna(end)
    days = ((until - deals["created_at"]) / pd.Timedelta(days=1)).to_numpy()
    row = np.repeat(np.arange(len(deals)), rng.poisson(rate * days))
    created = deals["created_at"].iloc[row].reset_index(drop=True)
    at = (created + pd.to_timedelta(rng.random(len(row)) * days[row], unit="D")).dt.floor("s")
    return pd.DataFrame(
        {
            "activity_id": [f"call-{number:07d}" for number in range(len(row))],
            "deal_id": deals["deal_id"].to_numpy()[row],
            "kind": "call",
            "direction": "outbound",
            "occurred_at": at,
            "recorded_at": at,
            "hours": CALL_HOURS,
        }
    )


def make_flat_sample(deals: int, seed: int, shape: FlatShape = FlatShape()) -> Sample:
    """Make a flat sample book.

    Args:
        deals: 1 or more, created evenly over the history.
        seed: 0 or more; the same seed gives the same book.
        shape: what the book looks like.

    Returns:
        The book as known at the end of its history, and its truth: one row for each day on which a deal is open, at
        00:00 UTC, with win_probability, value_if_won and remaining_hours given the attributes and the age.

    >>> sample = make_flat_sample(100, seed=1)
    >>> sample.book.deals["outcome"].isin(["won", "lost"]).sum() <= 100
    np.True_
    """
    rng = np.random.default_rng(seed)
    attributes, score = _attributes(rng, deals, shape)
    intercept = brentq(lambda level: expit(score + level).mean() - shape.win_rate, -30, 30)
    p: FloatArray = expit(score + intercept)
    won = rng.random(deals) < p
    lasted = np.where(won, shape.won.draw(rng, deals), shape.lost.draw(rng, deals))
    created = FIRST_DAY + pd.to_timedelta(np.sort(rng.random(deals)) * shape.days, unit="D")
    end = FIRST_DAY + pd.Timedelta(days=shape.days)
    closed = pd.Series((created + pd.to_timedelta(lasted, unit="D")).floor("s"))
    is_closed = (closed <= end).to_numpy()
    amount = np.exp(rng.normal(9, 0.6, deals)).round(-2)
    table = attributes.assign(
        deal_id=[f"deal-{number:06d}" for number in range(deals)],
        created_at=created.floor("s"),
        closed_at=closed.where(is_closed),
        outcome=pd.Series(np.where(won, "won", "lost")).where(is_closed),
        amount=amount,
    )
    fixed = ("amount", *attributes.columns)
    manifest = Manifest(source=f"flat sample of {deals} deals, seed {seed}", currency="EUR", fixed_at_creation=fixed)
    tables = {"deals": table}
    if shape.calls_a_day:
        tables["activities"] = _calls(rng, table, end, shape.calls_a_day)
    return Sample(Book.of(manifest, **tables), _truth(table, p, amount, shape, end))


def _truth(deals: pd.DataFrame, p: FloatArray, amount: FloatArray, shape: FlatShape, end: pd.Timestamp) -> pd.DataFrame:
    day = pd.Timedelta(days=1)
    first = deals["created_at"].dt.ceil("D")
    last = deals["closed_at"].fillna(end).dt.floor("D")
    count = np.maximum(((last - first) // day).to_numpy() + 1, 0)
    row = np.repeat(np.arange(len(deals)), count)
    number = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    as_of = first.iloc[row].reset_index(drop=True) + pd.to_timedelta(number, unit="D")
    age = ((as_of - deals["created_at"].iloc[row].reset_index(drop=True)) / day).to_numpy()
    still_won, still_lost = p[row] * shape.won.longer(age), (1 - p[row]) * shape.lost.longer(age)
    left = _left(shape, p[row], age)
    return pd.DataFrame(
        {
            "deal_id": deals["deal_id"].to_numpy()[row],
            "as_of": as_of,
            "win_probability": still_won / np.maximum(still_won + still_lost, 1e-300),
            "value_if_won": amount[row],
            "remaining_hours": left * shape.calls_a_day * CALL_HOURS,
        }
    )
