"""How far metrics out of time are from the truth where one kind of ending comes late.

Flat sample books (`walkaway.sample.flat`) know the true chance of each call, so the AUC and the Brier score that each
set of calls is expected to have are known. Each way to choose calls, or to weigh them, is compared with it:

- settled: all calls whose deal has ended. What is usually printed.
- created: of the deals created so early that nearly all such deals have ended, the calls whose deal has ended.
- called: of the calls made so early, those whose deal has ended (`evaluation.cohort`). This is what we print.
- weighted: all calls whose deal has ended, each weighted by 1 / the share of calls that were followed for as long as it
  took to end (inverse probability of censoring).

`settled` and `weighted` speak of all calls, so the truth of all calls is what they should show; the two cohorts name
their calls, and should show the truth of these. A cohort without won and lost deals shows nothing.

    python benchmarks/late_endings.py --seeds 1 2 3 4 5 6

The exit status is 1 if the mean error of `called` is above 0.015 in AUC or 0.006 in Brier score on some book.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from walkaway.config import TrainSettings
from walkaway.evaluation import HAD_TIME
from walkaway.sample import Durations, FlatShape, make_flat_sample
from walkaway.training.recipe import fit_and_backtest

FloatArray = npt.NDArray[np.float64]
QUICK, SLOW = Durations(12), Durations(20, after=100)
LATE = Durations(8, late_share=0.6, late_after=30)
BOOKS = {
    "both alike": (1_500, FlatShape()),
    "slow losses, two years": (1_500, FlatShape(won=QUICK, lost=SLOW)),
    "slow losses, 400 days": (1_200, FlatShape(days=400, won=QUICK, lost=SLOW)),
    "slow losses, 300 days": (1_200, FlatShape(days=300, won=QUICK, lost=SLOW)),
    "slow losses, 200 days": (1_200, FlatShape(days=200, won=QUICK, lost=SLOW)),
    "slow losses, 160 days": (1_200, FlatShape(days=160, won=QUICK, lost=SLOW)),
    "slow wins, two years": (1_500, FlatShape(won=SLOW, lost=QUICK)),
    "slow wins, 300 days": (1_200, FlatShape(days=300, won=SLOW, lost=QUICK)),
    "slow wins, 160 days": (1_200, FlatShape(days=160, won=SLOW, lost=QUICK)),
    "late cancellations, one year": (
        1_500,
        FlatShape(days=365, won=QUICK, lost=Durations(8, late_share=0.6, late_after=60)),
    ),
    "late cancellations, 60 days": (1_500, FlatShape(days=60, won=QUICK, lost=LATE)),
}
WAYS = ("settled", "created", "called", "weighted")
MOST_OFF = {"auc": 0.015, "brier": 0.006}


def quick_settings() -> TrainSettings:
    """Settings that train in seconds: what is measured is the metrics, not the model."""
    settings = TrainSettings()
    heads = settings.heads.model_copy(update={"menu": {}, "members": 2, "threads": 1, "completion_rounds": 2})
    return settings.model_copy(update={"heads": heads})


def calls_of(deals: int, shape: FlatShape, seed: int) -> tuple[pd.DataFrame, pd.Timestamp, float]:
    """Out-of-time calls with the true chance `p` of each and the dates of its deal; the last day; mature days."""
    sample = make_flat_sample(deals, seed, shape)
    until = sample.truth["as_of"].max()
    fitted = fit_and_backtest(sample.book, until, quick_settings(), baselines={})
    truth = sample.truth.rename(columns={"win_probability": "p"})[["deal_id", "as_of", "p"]]
    calls = fitted.backtest.calls.merge(truth, on=["deal_id", "as_of"])
    calls = calls.merge(sample.book.deals[["deal_id", "created_at", "closed_at"]], on="deal_id")
    cohort = fitted.backtest.cohort
    return calls, until, cohort.days if cohort else float("nan")


def expected(p: FloatArray, q: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """AUC and Brier score of predictions q where each row is won with chance p (1 or 0: was won or lost)."""
    if not weight.any() or not 0 < np.average(p, weights=weight) < 1:
        return float("nan"), float("nan")
    both, outcome = np.r_[p, 1 - p] * np.tile(weight, 2), np.repeat([1, 0], len(p))
    some = both > 0
    auc = roc_auc_score(outcome[some], np.tile(q, 2)[some], sample_weight=both[some])
    return float(auc), float(np.average((np.tile(q, 2) - outcome) ** 2, weights=both))


def followed(calls: pd.DataFrame, until: pd.Timestamp) -> FloatArray:
    """1 / the share of calls that were followed for as long as each settled call took to end; 0 for open deals."""
    day = pd.Timedelta(days=1)
    follow = np.sort(((until - calls["as_of"]) / day).to_numpy())
    left = ((calls["closed_at"] - calls["as_of"]) / day).to_numpy()
    share = 1 - np.searchsorted(follow, np.nan_to_num(left, nan=np.inf), side="left") / len(follow)
    return np.where(calls["settled"].to_numpy(dtype=bool), 1 / np.maximum(share, 1e-3), 0.0)


def errors(calls: pd.DataFrame, until: pd.Timestamp, days: float) -> dict[str, float]:
    """Each way's AUC and Brier score less the truth of the calls that it speaks of; the truth of all calls; counts."""
    p, q = calls["p"].to_numpy(), calls["win_probability"].to_numpy()
    settled = calls["settled"].to_numpy(dtype=bool)
    won = np.where(settled, calls["won"].to_numpy(), 0.0)
    everything = np.ones(len(calls))
    early = (calls["created_at"] <= until - pd.Timedelta(days=days if days == days else 1e4)).to_numpy()
    in_time = calls[HAD_TIME].to_numpy(dtype=bool)
    of = {"settled": everything, "created": early * 1.0, "called": in_time * 1.0, "weighted": everything}
    weight = {"settled": settled * 1.0, "created": (early & settled) * 1.0, "called": (in_time & settled) * 1.0}
    weight["weighted"] = followed(calls, until)
    auc, brier = expected(p, q, everything)
    row = {"true_auc": auc, "true_brier": brier, "calls": len(calls), "judged": int((in_time & settled).sum())}
    for way in WAYS:
        shown, truth = expected(won, q, weight[way]), expected(p, q, of[way])
        row |= {f"{way}_{name}": a - b for name, a, b in zip(("auc", "brier"), shown, truth, strict=True)}
    return row


def table_of(seeds: list[int], books: list[str]) -> pd.DataFrame:
    """Mean errors over the seeds, one row a book; `shown`: in how many of the books `called` shows anything."""
    rows = {}
    for name in books:
        deals, shape = BOOKS[name]
        found = pd.DataFrame([errors(*calls_of(deals, shape, seed)) for seed in seeds])
        rows[name] = found.mean().to_dict() | {"shown": float(found["called_auc"].notna().sum())}
        print(name, found.round(3).to_dict("list"), file=sys.stderr, flush=True)
    return pd.DataFrame(rows).T


def markdown(table: pd.DataFrame, seeds: int) -> str:
    """The table as Markdown: the error in AUC and, behind a slash, in Brier score."""
    lines = [["book", "true AUC / Brier", *WAYS, "calls", "judged", "books with figures"]]
    lines.append(["---"] * len(lines[0]))
    for name, row in table.iterrows():
        ways = [
            "nothing shown" if np.isnan(row[f"{way}_auc"]) else f"{row[f'{way}_auc']:+.3f} / {row[f'{way}_brier']:+.4f}"
            for way in WAYS
        ]
        truth = f"{row['true_auc']:.3f} / {row['true_brier']:.4f}"
        counts = [f"{row['calls']:,.0f}", f"{row['judged']:,.0f}", f"{row['shown']:.0f} of {seeds}"]
        lines.append([str(name), truth, *ways, *counts])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def missed(table: pd.DataFrame) -> list[str]:
    """The books on which what we print is off, as sentences."""
    return [
        f"{name}: {measure} off by {row[f'called_{measure}']:+.4f}"
        for name, row in table.iterrows()
        for measure, most in MOST_OFF.items()
        if abs(row[f"called_{measure}"]) > most
    ]


def main() -> int:
    """Run from the command line; 1 if what we print is off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6])
    parser.add_argument("--books", nargs="+", choices=sorted(BOOKS), default=list(BOOKS), metavar="BOOK")
    arguments = parser.parse_args()
    table = table_of(arguments.seeds, arguments.books)
    print(markdown(table, len(arguments.seeds)))
    sentences = missed(table)
    print("\n".join(sentences) or "What is printed agrees with the truth.")
    return int(bool(sentences))


if __name__ == "__main__":
    sys.exit(main())
