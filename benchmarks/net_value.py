"""Does walking away pay? Net value gained over never dropping a deal, by the verdicts and by the known truth.

A year of a sample book is replayed week by week, by models trained on what was known. At each of three bars two
policies drop deals for good: the verdicts, and the truth of the generator, which knows each deal's expected value and
hours. By the meaning of the bar, an hour freed is worth the bar. So the gain over never dropping is

    bar x hours saved - value lost

computed from what happened to each deal, and, with less noise, from the expectations at its drop.

    python benchmarks/net_value.py --seeds 201 202 203

The exit status is 1 if the verdicts gain less than nine tenths of what the truth gains at any bar, over all books.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from walkaway.config import ReplaySettings, ScoreSettings, Settings
from walkaway.economics import expected_value, settle_drops, value_per_hour
from walkaway.replaying import Period, replay
from walkaway.replaying.measures import judged
from walkaway.sample import FIRST_DAY, Sample, make_sample

WEEK = pd.Timedelta(days=7)
BEGIN, END = FIRST_DAY + 104 * WEEK, FIRST_DAY + 156 * WEEK  # the last year is there for deals to end in
BARS = (50.0, 150.0, 400.0)  # money per hour
LEAST_SHARE = 0.9
POLICIES = {"verdicts": "walk_away_above", "truth": "true_value_per_hour"}


def replayed(sample: Sample, retrain_days: float, floor_hours: float) -> pd.DataFrame:
    """Every judged call of the year, with what the generator expected of it: expected_worth, expected_hours."""
    settings = Settings(score=ScoreSettings(bar=BARS[0]), replay=ReplaySettings(bootstrap=20))
    with tempfile.TemporaryDirectory() as folder:
        ledger = replay(sample.book, Path(folder), Period(BEGIN, END, 7.0, retrain_days), settings).ledger
    calls = judged(ledger, END)
    truth = sample.truth.rename(columns=lambda name: name if name in ("deal_id", "as_of") else f"true_{name}")
    calls = calls.merge(truth, on=["deal_id", "as_of"], how="left", validate="one_to_one")
    worth = expected_value(calls["true_win_probability"].to_numpy(), calls["true_value_if_won"].to_numpy())
    hours = calls["true_remaining_hours"].to_numpy()
    index = value_per_hour(worth, hours, floor_hours)
    return calls.assign(true_value_per_hour=index, expected_worth=worth, expected_hours=hours)


def gains(calls: pd.DataFrame) -> pd.DataFrame:
    """Net value gained over never dropping: one row per bar and policy, by actual outcomes and by expectations."""
    deal = pd.factorize(calls["deal_id"])[0]
    rows = {}
    for name, index in POLICIES.items():
        for how, hours, worth in (
            ("happened", "remaining_hours_truth", "worth_truth"),
            ("expected", "expected_hours", "expected_worth"),
        ):
            drops = settle_net(deal, calls[index].to_numpy(), calls[hours].to_numpy(), calls[worth].to_numpy())
            for bar, gain in zip(BARS, drops, strict=True):
                rows.setdefault((bar, name), {})[how] = gain
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["bar", "policy"])


def settle_net(deal: np.ndarray, index: np.ndarray, hours: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """bar x hours saved - value lost, one number per bar; a value below 0 is gained by dropping.

    >>> settle_net(np.array([0, 1]), np.array([1.0, 900.0]), np.array([2.0, 1.0]), np.array([0.0, 900.0])).tolist()
    [100.0, 300.0, 800.0]
    """
    bars = np.array(BARS)
    gained = settle_drops(deal, index, hours, worth, bars=bars)
    spared = settle_drops(deal, index, hours, -worth, bars=bars)
    return bars * gained.hours_saved - gained.value_forgone + spared.value_forgone


def main() -> int:
    """Run from the command line; 1 if the verdicts gain too little."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203])
    parser.add_argument("--deals", type=int, default=5000)
    parser.add_argument("--retrain", type=float, default=90.0, help="days between trainings")
    asked = parser.parse_args()
    tables = []
    for seed in asked.seeds:
        calls = replayed(make_sample(asked.deals, seed), asked.retrain, Settings().train.floor_hours)
        tables.append(gains(calls))
        print(f"seed {seed}: {calls['deal_id'].nunique():,} deals, {len(calls):,} calls", file=sys.stderr, flush=True)
    total = sum(tables[1:], start=tables[0])
    by_policy = {name: total.xs(name, level="policy") for name in POLICIES}
    share = by_policy["verdicts"] / by_policy["truth"]
    print(pd.concat(by_policy | {"share of the truth's": share}, axis=1).round(3).to_string())
    return int((share["happened"] < LEAST_SHARE).any())


if __name__ == "__main__":
    sys.exit(main())
