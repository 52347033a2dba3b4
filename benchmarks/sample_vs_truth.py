"""How close a trained model comes to the exact expectations of the sample book, which are unknown for real deals.

For each seed, a sample book is made, a model is trained with the settings in force on what was known at the end of the
third year, and it calls every open deal on each Monday of the fourth. Hours and wins depend on the season, so a part of
a year would mainly show the season. Then, compared with the truth on the same calls:

- ECE: mean gap between predicted and true win_probability over 15 equal groups, ordered by the prediction.
- AUC of both against the outcomes of the deals.
- corr: correlation of ln value_per_hour with its truth, where both are above 0.
- hours: predicted over true remaining hours; `uncorrected` is the same for a model that did not complete the deals that
  were still open when its data ended.
- gain: net value gained over never dropping, as a share of what the truth itself gains at the same fixed bar. Each deal
  is dropped for good at its first call below the bar; a drop gains bar x true hours left, minus the true value left.

    python benchmarks/sample_vs_truth.py --deals 20000 --seeds 101 102 103

The exit status is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from walkaway.asof.history import History
from walkaway.asof.snapshots import moments
from walkaway.config import TrainSettings, read_settings
from walkaway.economics import expected_value, value_per_hour
from walkaway.models.model import Model, make_calls, read_rows
from walkaway.sample import FIRST_DAY, WEEKS, Sample, make_sample
from walkaway.training.train import train

FloatArray = npt.NDArray[np.float64]
WEEK = pd.Timedelta(days=7)
UNTIL = FIRST_DAY + (WEEKS - 52) * WEEK
BARS = (25.0, 50.0, 100.0)  # money per hour: a fifth, a third and a half of the open deals are truly worth less


def calls_of_a_year(model: Model, sample: Sample) -> pd.DataFrame:
    """Calls on every Monday after training, with `won` and the truth's own columns beside (`_true`)."""
    at = moments(UNTIL + WEEK, UNTIL + 51 * WEEK, 7)
    truth = sample.truth[sample.truth["as_of"].isin(at)].reset_index(drop=True)
    snapshots = truth[["deal_id", "as_of"]]
    calls = make_calls(model, read_rows(History(sample.book), snapshots, model.plan), bar=0.0).table
    outcome = snapshots["deal_id"].map(sample.book.deals.set_index("deal_id")["outcome"])
    expected = expected_value(truth["win_probability"].to_numpy(), truth["value_if_won"].to_numpy())
    return calls.assign(
        won=np.where(outcome.isna(), np.nan, outcome == "won"),
        win_probability_true=truth["win_probability"],
        value_if_won_true=truth["value_if_won"],
        remaining_hours_true=truth["remaining_hours"],
        expected_value_true=expected,
        value_per_hour_true=value_per_hour(expected, truth["remaining_hours"].to_numpy(), model.floor_hours),
    )


def calibration_error(predicted: FloatArray, true: FloatArray, groups: int = 15) -> float:
    """Mean absolute gap between the means of both, over equal groups in the order of the prediction.

    >>> calibration_error(np.array([0.1, 0.9]), np.array([0.2, 0.8]), groups=2)
    0.1
    """
    parts = np.array_split(np.argsort(predicted, kind="stable"), groups)
    gaps = [abs(predicted[part].mean() - true[part].mean()) * len(part) for part in parts if len(part)]
    return round(float(sum(gaps) / len(predicted)), 12)


def net_gain(calls: pd.DataFrame, index: str, bar: float) -> float:
    """Money gained over never dropping, by the true expectations: bar x hours freed, less the value lost."""
    dropped = calls[calls[index] < bar].drop_duplicates("deal_id")
    return float((bar * dropped["remaining_hours_true"] - dropped["expected_value_true"]).sum())


def judge(calls: pd.DataFrame) -> dict[str, float]:
    """The figures of the module's docstring but `uncorrected`; calls sorted by deal_id and as_of."""
    p, true = calls["win_probability"].to_numpy(), calls["win_probability_true"].to_numpy()
    ended = calls["won"].notna().to_numpy()
    both = ((calls["value_per_hour"] > 0) & (calls["value_per_hour_true"] > 0)).to_numpy()
    index, index_true = (np.log(calls.loc[both, name]) for name in ("value_per_hour", "value_per_hour_true"))
    gains = {
        f"gain_{bar:g}": net_gain(calls, "value_per_hour", bar) / net_gain(calls, "value_per_hour_true", bar)
        for bar in BARS
    }
    return {
        "calls": len(calls),
        "ece": calibration_error(p, true),
        "auc": float(roc_auc_score(calls["won"][ended], p[ended])),
        "auc_true": float(roc_auc_score(calls["won"][ended], true[ended])),
        "corr": float(np.corrcoef(index, index_true)[0, 1]),
        "hours": float(calls["remaining_hours"].sum() / calls["remaining_hours_true"].sum()),
    } | gains


def without_censoring_correction(settings: TrainSettings) -> TrainSettings:
    """The same settings, but without deals that are still open at the end of the data."""
    heads = settings.heads.model_copy(update={"completion_rounds": 0})
    return settings.model_copy(update={"heads": heads})


def run(deals: int, seed: int, settings: TrainSettings, stationary: bool = False) -> dict[str, float]:
    """Make, train, call, judge."""
    sample = make_sample(deals, seed, stationary)
    begun = time.perf_counter()
    trained = train(sample.book, UNTIL, settings)
    seconds = time.perf_counter() - begun
    figures = judge(calls_of_a_year(trained.model, sample))
    uncorrected = train(sample.book, UNTIL, without_censoring_correction(settings))
    hours = judge(calls_of_a_year(uncorrected.model, sample))["hours"]
    return figures | {"uncorrected": hours, "train_s": seconds}


def missed(figures: dict[str, float]) -> list[str]:
    """The targets that these figures miss, as sentences."""
    gains = [figures[f"gain_{bar:g}"] for bar in BARS]
    rules = {
        f"ECE {figures['ece']:.3f} is above 0.02": figures["ece"] <= 0.02,
        f"AUC {figures['auc']:.3f} is more than 0.01 below {figures['auc_true']:.3f}": figures["auc_true"]
        - figures["auc"]
        <= 0.01,
        f"hours ratio {figures['hours']:.3f} is outside 0.95 to 1.05": 0.95 <= figures["hours"] <= 1.05,
        f"gains {', '.join(f'{gain:.2f}' for gain in gains)} are not all 0.90 or more": min(gains) >= 0.90,
    }
    return [sentence for sentence, met in rules.items() if not met]


def main() -> int:
    """Run from the command line; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deals", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--stationary", action="store_true", help="no drift over the years and no seasons")
    arguments = parser.parse_args()
    settings = read_settings().settings.train
    status = 0
    for seed in arguments.seeds:
        figures = run(arguments.deals, seed, settings, arguments.stationary)
        print(f"seed {seed}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()), flush=True)
        for sentence in missed(figures):
            print(f"  missed: {sentence}", flush=True)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
