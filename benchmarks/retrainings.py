"""Retrain again and again on a growing sample book: which models are promoted, and how good the model in use stays.

At each moment a model is trained on what was known by then, and promoted if it is better than the one in use. The model
in use, the newest and the first one then call the open deals until the next training. Their log loss is the expectation
under the true probabilities, which leaves out the luck of single outcomes.

Run: `make retrainings`, or python benchmarks/retrainings.py --deals 6000 --seed 7 --times 10
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from walkaway.asof.history import History
from walkaway.book.io import write_book
from walkaway.config import Settings
from walkaway.evaluation import DealDraws, interval, log_loss_rows
from walkaway.models.bundle import load_bundle
from walkaway.models.model import Model, make_calls, read_rows
from walkaway.models.registry import load_champion
from walkaway.sample import Sample, make_sample
from walkaway.training.run import retrain

FIRST_WEEK, LAST_WEEK = 52, 206  # of the sample's four years


def moments(times: int, first: pd.Timestamp) -> list[pd.Timestamp]:
    """Even steps from the end of the first year to two weeks before the end of the book."""
    weeks = np.linspace(FIRST_WEEK, LAST_WEEK, times + 1).round().astype(int)
    return [first + pd.Timedelta(weeks=int(week)) for week in weeks]


def expected_loss(sample: Sample, model: Model, begin: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Log loss that a model's probabilities have in expectation, on each snapshot of a period: deal_id, as_of, loss."""
    truth = sample.truth
    rows = truth[(truth["as_of"] > begin) & (truth["as_of"] <= end)].reset_index(drop=True)
    snapshots = rows[["deal_id", "as_of"]]
    said = make_calls(model, read_rows(History(sample.book), snapshots, model.plan), bar=0.0).table
    loss = log_loss_rows(rows["win_probability"].to_numpy(), said["win_probability"].to_numpy())
    return snapshots.assign(loss=loss)


def noise(one: pd.DataFrame, other: pd.DataFrame) -> list[float]:
    """The 90% interval over deals of the difference in loss of two models on the same snapshots."""
    return interval(DealDraws.of(one["deal_id"].to_numpy(), 200).means((one["loss"] - other["loss"]).to_numpy()))


def rows_of(sample: Sample, models: Path, settings: Settings, times: int) -> pd.DataFrame:
    """One row per training: until, decision, and the losses of champion, newest and first model until the next one."""
    book, at = models.parent / "book", moments(times, sample.truth["as_of"].min())
    write_book(sample.book, book)
    out, first, before = [], None, None
    for until, following in pairwise(at):
        done = retrain(sample.book, models, until, settings)
        champion, newest = load_champion(models), load_bundle(done.folder)
        first, before = first or newest, before or champion
        losses = {
            name: expected_loss(sample, model, until, following)
            for name, model in (("champion", champion), ("newest", newest), ("first", first), ("before", before))
        }
        low, high = noise(losses["champion"], losses["before"])
        gains = done.decision.comparisons[:1]
        row = {"until": f"{until:%Y-%m-%d}", "decision": "promoted" if done.promoted else "not promoted"}
        row |= {"why": done.decision.reason.split(" at 90%")[0].replace(done.champion, "champion")}
        row |= {"log loss gain seen": f"{gains[0].log_loss_gain:+.4f}" if gains else ""}
        row |= {name: f"{losses[name]['loss'].mean():.4f}" for name in ("champion", "newest", "first")}
        out.append(row | {"champion over the one before, 90%": f"{low:+.4f} to {high:+.4f}"})
        before = champion
        print(row, flush=True)
    return pd.DataFrame(out)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--times", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = rows_of(make_sample(asked.deals, asked.seed), Path(folder) / "models", Settings(), asked.times)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
