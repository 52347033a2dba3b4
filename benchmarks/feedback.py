"""The feedback loop: how models change when their own advice decides which deals are worked on and so can be won.

A sample book is retrained ten times. Every quarter a model is trained on what was known, and open deals are called each
Monday until the next training. A deal is dropped at its first walk_away or nurture, at a fixed bar, and nobody works on
it any more. A week later the CRM records it as lost. Five ways to treat these deals in the next training are compared:

    advice never followed   every deal is worked to its end: the best case
    taken for lost          dropped deals count as lost
    marked                  dropped deals have no outcome (`walkaway train --advice`)
    marked, a tenth kept    as before, but a tenth of them is still worked on, and each of these is weighted by ten
    the same, unweighted    as before, but each of these has a weight of one

Measured against the generator's truth on all deals open at a training, worked on or not: the mean error (predicted
minus true) of win probabilities of deals that are truly below the bar, the share of calls below the bar, and the error
in log odds.

    python benchmarks/feedback.py --deals 3000 --seeds 301 302
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import logit

from walkaway.asof.history import History, known
from walkaway.asof.snapshots import moments, open_snapshots
from walkaway.book.schema import Book
from walkaway.config import BoosterSettings, HeadSettings, TrainSettings
from walkaway.economics import expected_value, value_per_hour
from walkaway.models.model import Model, make_calls, read_rows
from walkaway.sample import FIRST_DAY, Sample, make_sample
from walkaway.scoring.advice import more_advice, with_advice
from walkaway.training.train import train

WEEK = pd.Timedelta(days=7)
BEGIN_WEEK, WEEKS_A_CYCLE, CYCLES = 60, 13, 10
BAR = 150.0  # money per hour
FEW = BoosterSettings(trees=150, leaves=4, least_rows_in_leaf=60, feature_share=0.8)
QUICK = HeadSettings(members=2, completion_rounds=2, threads=1, win=FEW, hours=FEW, worth=FEW, no_decision=FEW)
RECIPE = TrainSettings(folds=2, bootstrap=20, calls_every_days=7.0, heads=QUICK)
WAYS = {
    "advice never followed": None,
    "taken for lost": 0.0,
    "marked": 0.0,
    "marked, a tenth kept": 0.1,
    "the same, unweighted": 0.1,
}


def as_dropped(book: Book, advice: pd.DataFrame) -> Book:
    """The book as if nobody had worked on these deals after the advice: lost then, and nothing recorded later."""
    dropped = advice[~advice["kept"]].set_index("deal_id")["advised_at"]
    at = book.deals["deal_id"].map(dropped)
    gone = at.notna() & ~(book.deals["closed_at"] <= at)
    deals = book.deals.assign(
        closed_at=book.deals["closed_at"].mask(gone, at + WEEK),
        outcome=book.deals["outcome"].mask(gone, "lost"),
        loss_reason=book.deals["loss_reason"].mask(gone, "no_decision"),
    )
    tables = {}
    for name in ("changes", "activities", "contacts"):
        rows = getattr(book, name)
        tables[name] = rows[~(rows["recorded_at"] > rows["deal_id"].map(dropped))]
    return book.with_tables(deals=deals, **tables)


def advised(book: Book, model: Model, begin: pd.Timestamp, end: pd.Timestamp, before: pd.DataFrame | None, keep: float):
    """The earlier advice, and that of each Monday from one training to the next."""
    snapshots = open_snapshots(book, moments(begin, end - WEEK, 7))
    calls = make_calls(model, read_rows(History(book), snapshots, model.plan), BAR).table
    calls = calls.assign(model_version=f"{begin:%Y-%m-%d}").sort_values(["as_of", "deal_id"], kind="stable")
    first = calls[calls["verdict"].isin(("walk_away", "nurture"))].drop_duplicates("deal_id")
    return more_advice(before, first, keep)


def off(sample: Sample, model: Model, at: pd.Timestamp, floor_hours: float) -> dict[str, float]:
    """How far a model is from the truth on all deals that are open then in the full book."""
    snapshots = open_snapshots(sample.book, pd.DatetimeIndex([at]))
    calls = make_calls(model, read_rows(History(sample.book), snapshots, model.plan), BAR).table
    truth = calls[["deal_id", "as_of"]].merge(sample.truth, on=["deal_id", "as_of"], how="left", validate="one_to_one")
    worth = expected_value(truth["win_probability"].to_numpy(), truth["value_if_won"].to_numpy())
    below = value_per_hour(worth, truth["remaining_hours"].to_numpy(), floor_hours) < BAR
    said, true = calls["win_probability"].to_numpy(), truth["win_probability"].to_numpy()
    real = (true > 1e-6) & (truth["value_if_won"] > 0).to_numpy()
    return {
        "off below the bar": float((said - true)[below & real].mean()),
        "predicted over true below the bar": float(said[below & real].sum() / true[below & real].sum()),
        "off above it": float((said - true)[~below & real].mean()),
        "log-odds error": float(np.abs(logit(said) - logit(true))[real].mean()),
        "called below the bar": float((calls["verdict"].isin(("walk_away", "nurture")))[real].mean()),
        "truly below": float(below[real].mean()),
    }


def cycles(seed: int, deals: int) -> pd.DataFrame:
    """Ten retrainings each way: one row per way and retraining."""
    sample = make_sample(deals, seed, stationary=True)
    at = [FIRST_DAY + (BEGIN_WEEK + WEEKS_A_CYCLE * k) * WEEK for k in range(CYCLES + 1)]
    rows = []
    for way, keep in WAYS.items():
        advice: pd.DataFrame | None = None
        for cycle, (begin, end) in enumerate(pairwise(at), start=1):
            seen = sample.book if advice is None else as_dropped(sample.book, advice)
            taught = known(seen, begin)
            if advice is not None and way != "taken for lost":
                taught = with_advice(taught, advice)
            recipe = RECIPE.model_copy(update={"weigh_kept": way != "the same, unweighted"})
            model = train(taught, begin, recipe).model
            rows.append({"seed": seed, "way": way, "cycle": cycle} | off(sample, model, begin, RECIPE.floor_hours))
            if keep is not None:
                advice = advised(seen, model, begin, end, advice, keep)
    return pd.DataFrame(rows)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[301, 302])
    parser.add_argument("--deals", type=int, default=3000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.processes) as pool:
        table = pd.concat(pool.map(partial(cycles, deals=asked.deals), asked.seeds), ignore_index=True)
    late = table["cycle"] > CYCLES // 2
    for name, part in (("first training", table[table["cycle"] == 1]), ("trainings 6 to 10", table[late])):
        print(f"\n{name}, mean over {len(asked.seeds)} books")
        print(part.drop(columns=["seed", "cycle"]).groupby("way", sort=False).mean().round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
