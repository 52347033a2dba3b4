"""Is the guarantee kept? Guaranteed bars are tested on stationary sample books from independent seeds.

For each book a small model is trained on what was known by the end of week 140. The bar that it guarantees for a share
of won value is then applied to all deals created in the following 35 weeks. These are called every Monday until they
end, and dropped for good at the first verdict that drops them. In one book of ten the share of won value lost may
exceed the guaranteed share. The bar that `--forgo` picks without the guarantee is measured in the same way.

    python benchmarks/guarantee.py --books 200 --deals 1500

The exit status is 1 if the guarantee was broken more often than chance allows (95%, binomial).
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import binom

from walkaway.asof.history import History
from walkaway.asof.labels import label
from walkaway.asof.snapshots import moments, open_snapshots
from walkaway.config import BoosterSettings, HeadSettings, TrainSettings
from walkaway.economics import CONFIDENCE, lowest_calls
from walkaway.models.model import make_calls, read_rows
from walkaway.sample import FIRST_DAY, WEEKS, make_sample
from walkaway.training.train import train

WEEK = pd.Timedelta(days=7)
UNTIL, LAST_BEGUN = FIRST_DAY + 140 * WEEK, FIRST_DAY + 175 * WEEK
FIRST_SEED = 20_000
FEW = BoosterSettings(trees=150, leaves=4, least_rows_in_leaf=120, feature_share=0.8)
QUICK = HeadSettings(members=2, completion_rounds=2, threads=1, win=FEW, hours=FEW, worth=FEW, no_decision=FEW)
RECIPE = TrainSettings(folds=3, bootstrap=20, calls_every_days=7.0, heads=QUICK)  # called weekly, as above


def forgone(value: np.ndarray, lowest: np.ndarray, bar: float) -> float:
    """Share of won value that a bar loses.

    >>> forgone(np.array([1.0, 3.0]), np.array([5.0, 9.0]), 6.0)
    0.25
    """
    return float(value[lowest < bar].sum() / value.sum())


def kept(seed: int, deals: int, shares: tuple[float, ...]) -> list[dict[str, float]]:
    """One row per share: the guaranteed and the estimated bar, and the share of value that each lost afterwards."""
    sample = make_sample(deals, seed, stationary=True)
    model = train(sample.book, UNTIL, RECIPE).model
    begun = sample.book.deals["created_at"]
    new = set(sample.book.deals.loc[(begun > UNTIL) & (begun <= LAST_BEGUN), "deal_id"])
    snapshots = open_snapshots(sample.book, moments(UNTIL + WEEK, FIRST_DAY + (WEEKS - 1) * WEEK, 7))
    snapshots = snapshots[snapshots["deal_id"].isin(new)].reset_index(drop=True)
    calls = make_calls(model, read_rows(History(sample.book), snapshots, model.plan), bar=0.0)
    first = ~snapshots["deal_id"].duplicated()
    value = label(sample.book, snapshots)["worth"].fillna(0.0).clip(lower=0.0)[first].to_numpy()
    lowest = lowest_calls(pd.factorize(snapshots["deal_id"])[0], calls.walk_away_above)
    rows = []
    for share in shares:
        guaranteed, estimated = model.curve.guaranteed_bar_for(share), model.curve.bar_for_forgo(share)
        row = {"seed": seed, "share": share, "guaranteed_bar": guaranteed}
        row |= {"forgone": forgone(value, lowest, guaranteed)}
        rows.append(row | {"estimated_bar": estimated, "forgone_by_estimate": forgone(value, lowest, estimated)})
    return rows


def verdict(rows: pd.DataFrame) -> pd.DataFrame:
    """By share: books with a guaranteed bar above 0, books in which it was broken, and how many may be by chance."""
    counts = {}
    for share, part in rows.groupby("share"):
        counts[share] = {
            "books": len(part),
            "with a bar": int((part["guaranteed_bar"] > 0).sum()),
            "broken": int((part["forgone"] > share).sum()),
            "may be broken": int(binom.ppf(0.95, len(part), 1 - CONFIDENCE)),
            "forgone, mean": part["forgone"].mean(),
            "broken by the estimate": int((part["forgone_by_estimate"] > share).sum()),
            "forgone by it, mean": part["forgone_by_estimate"].mean(),
        }
    return pd.DataFrame(counts).T.rename_axis("share guaranteed")


def main() -> int:
    """Run from the command line; 1 if the guarantee was broken too often."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--books", type=int, default=200)
    parser.add_argument("--deals", type=int, default=1500)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.10, 0.20])
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + asked.books)
    work = partial(kept, deals=asked.deals, shares=tuple(asked.shares))
    rows: list[dict[str, float]] = []
    with ProcessPoolExecutor(asked.processes) as pool:
        for number, found in enumerate(pool.map(work, seeds), start=1):
            rows += found
            if sys.stderr.isatty() or number % 20 == 0:
                print(f"{number} of {asked.books} books", file=sys.stderr, flush=True)
    table = verdict(pd.DataFrame(rows))
    print(table.round(3).to_string())
    return int((table["broken"] > table["may be broken"]).any())


if __name__ == "__main__":
    sys.exit(main())
