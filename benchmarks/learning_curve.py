"""How good a model is after 50, 100, 200, ... deals, compared with simple methods, on deals of unseen books.

For each size and seed, a sample book with that many deals by the end of its third year is made, and a model is trained
on it by the recipe of `walkaway train`. On every Monday of the fourth year it calls the open deals of other books of
the same market and size: as many books as have about 4,000 deals in total, so that small books are tested on as much
data as large ones. A deal's account and owner have as much history there as in training.

The sample knows each deal's true win probability p, so a prediction q is measured by its expected log loss,
-p ln q - (1 - p) ln(1 - q). That leaves out the luck of single outcomes, and no deal has to be left out because it is
still open. Brier score and AUC are expectations, too. The other methods are fitted on the same features of the
snapshots whose deals had closed:

- lightgbm: LGBMClassifier with its defaults (for hours and value, LGBMRegressor with its defaults).
- logistic: the logistic regression that `walkaway train` reports as a baseline.
- base rate: the share of these snapshots that were won (for hours, their mean; for value, today's amount x margin, the
  median amount where none is known).
- truth: p itself.

Intervals are 90%, over seeds and deals together: each draw takes seeds, and deals of the unseen books, with
replacement.

    python benchmarks/learning_curve.py --sizes 50 100 200 --seeds 12

The exit status is 1 if, at some size, this package loses more than plain LightGBM or than the base rate: if the
interval of the difference lies above 0.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from walkaway.asof.history import History, known
from walkaway.asof.snapshots import moments
from walkaway.book.schema import Book
from walkaway.config import TrainSettings, read_settings
from walkaway.evaluation import fit_logistic
from walkaway.models.model import read_rows
from walkaway.sample import FIRST_DAY, WEEKS, Sample, make_sample
from walkaway.training.fitting import Fitted, fit_as_of
from walkaway.training.train import train

FloatArray = npt.NDArray[np.float64]
WEEK = pd.Timedelta(days=7)
UNTIL = FIRST_DAY + (WEEKS - 52) * WEEK
KNOWN_SHARE = 0.707  # of a sample book's deals, those created by then
SEEDS = {50: 12, 100: 10, 200: 8, 500: 5, 1_000: 4, 5_000: 2}
TEST_DEALS, MOST_BOOKS, FIRST_TEST_SEED = 4_000, 40, 9_000
FIRST_SEED = 5_000
DRAWS = 400
IDS = {"deal_id", "account_id", "owner_id", "contact_id", "activity_id"}
WIN = ("ours", "lightgbm", "logistic", "base_rate", "truth")
REST = ("ours", "lightgbm", "simple")


@dataclass(frozen=True)
class Unseen:
    """Snapshots of books that no training saw, with their truth, a row each."""

    history: History
    truth: pd.DataFrame


@dataclass(frozen=True)
class Run:
    """The predictions of one training for the unseen snapshots: `win`, `hours` and `value`, one column per method."""

    signal: bool
    win: pd.DataFrame
    hours: pd.DataFrame
    value: pd.DataFrame


def _of_team(frame: pd.DataFrame, team: int) -> pd.DataFrame:
    return frame.assign(**{name: f"team {team:02d} " + frame[name] for name in frame if name in IDS})


def together(samples: list[Sample]) -> Sample:
    """One book of many teams that share neither deals, nor accounts, nor owners."""
    tables = {
        name: pd.concat([_of_team(sample.book.tables()[name], team) for team, sample in enumerate(samples)])
        for name in samples[0].book.tables()
    }
    truth = pd.concat([_of_team(sample.truth, team) for team, sample in enumerate(samples)])
    book = Book.of(samples[0].book.manifest, **{n: t.reset_index(drop=True) for n, t in tables.items()})
    return Sample(book, truth.sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True))


def book_size(deals: int) -> int:
    """How many deals a sample book needs, so that a given number is known by the end of its third year."""
    return round(deals / KNOWN_SHARE)


def unseen(deals: int, test_deals: int = TEST_DEALS) -> Unseen:
    """The fourth year of other books of that size."""
    books = int(np.clip(-(-test_deals // book_size(deals)), 1, MOST_BOOKS))
    sample = together([make_sample(book_size(deals), FIRST_TEST_SEED + k) for k in range(books)])
    at = moments(UNTIL + WEEK, UNTIL + 51 * WEEK, 7)
    return Unseen(History(sample.book), sample.truth[sample.truth["as_of"].isin(at)].reset_index(drop=True))


def _lightgbm(model: lgb.LGBMModel, X: npt.NDArray, target: FloatArray, categorical: list[int]) -> lgb.LGBMModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names of columns are not given, and are not needed
        return model.fit(X, target, categorical_feature=categorical)


def _rivals_of_win(final: Fitted, X: npt.NDArray) -> dict[str, FloatArray]:
    settled = final.rows.labels["settled"].to_numpy(dtype=bool)
    seen, won, words = final.rows.X[settled], final.rows.labels["won"].to_numpy()[settled], final.plan.categorical
    classifier = _lightgbm(lgb.LGBMClassifier(n_jobs=1, verbosity=-1), seen, won, words)
    return {
        "lightgbm": classifier.predict_proba(X)[:, 1],
        "logistic": fit_logistic(seen, won, words)(X),
        "base_rate": np.full(len(X), won.mean()),
    }


def _regressor(X: npt.NDArray, target: FloatArray, words: list[int]) -> Callable[[npt.NDArray], FloatArray]:
    return _lightgbm(lgb.LGBMRegressor(n_jobs=1, verbosity=-1), X, target, words).predict


def _rivals_of_hours(final: Fitted, X: npt.NDArray) -> dict[str, FloatArray]:
    settled = final.rows.labels["settled"].to_numpy(dtype=bool)
    booked = final.rows.labels["remaining_hours"].to_numpy()[settled]
    said = _regressor(final.rows.X[settled], booked, final.plan.categorical)(X)
    return {"lightgbm": np.maximum(said, 0.0), "simple": np.full(len(X), booked.mean())}


def _rivals_of_value(final: Fitted, X: npt.NDArray, terms: pd.DataFrame) -> dict[str, FloatArray]:
    won = (final.rows.labels["won"] == 1).to_numpy()
    worth = final.rows.labels["worth"].to_numpy()
    usable = won & ~np.isnan(worth)
    said = _regressor(final.rows.X[usable], worth[usable], final.plan.categorical)(X)
    amount = terms["amount"].fillna(final.rows.terms["amount"].median())
    return {"lightgbm": said, "simple": (amount * terms["margin"]).to_numpy()}


def run(deals: int, seed: int, settings: TrainSettings, others: Unseen) -> Run:
    """Train on a book with that many deals, and predict the unseen snapshots by all methods."""
    book = known(make_sample(book_size(deals), seed).book, UNTIL)
    trained = train(book, UNTIL, settings)
    model, truth = trained.model, others.truth
    final = fit_as_of(History(book), UNTIL, settings)
    rows = read_rows(others.history, truth[["deal_id", "as_of"]], model.plan)
    said = model.heads.estimate(rows.X, rows.terms)
    p, hours, value = (truth[name].to_numpy() for name in ("win_probability", "remaining_hours", "value_if_won"))
    ours = {"ours": said.win_probability}, {"ours": said.remaining_hours}, {"ours": said.value_if_won}
    return Run(
        model.signal,
        pd.DataFrame(ours[0] | _rivals_of_win(final, rows.X) | {"truth": p}),
        pd.DataFrame(ours[1] | _rivals_of_hours(final, rows.X) | {"truth": hours}),
        pd.DataFrame(ours[2] | _rivals_of_value(final, rows.X, rows.terms) | {"truth": value}),
    )


def expected_log_loss(p: FloatArray, q: FloatArray) -> FloatArray:
    """What a prediction q is expected to lose where the truth is p, a row each.

    >>> expected_log_loss(np.array([0.5]), np.array([0.5])).round(4)
    array([0.6931])
    """
    q = np.clip(q, 1e-9, 1 - 1e-9)
    return -(p * np.log(q) + (1 - p) * np.log1p(-q))


def expected_auc(p: FloatArray, q: FloatArray) -> float:
    """The AUC of q where each row is won with probability p."""
    return float(roc_auc_score(np.repeat([1, 0], len(p)), np.tile(q, 2), sample_weight=np.r_[p, 1 - p]))


def _by_deal(rows: FloatArray, deal: npt.NDArray) -> FloatArray:
    return np.bincount(deal, rows)


def intervals(losses: list[FloatArray], deal: npt.NDArray, draws: int = DRAWS, seed: int = 0) -> tuple[float, ...]:
    """Mean of losses (a list of seeds, a row each) with its 90% interval over seeds and deals.

    >>> intervals([np.ones(4), np.ones(4) * 3], np.array([0, 0, 1, 1]), draws=100)[0]
    2.0
    """
    rng = np.random.default_rng(seed)
    of_deal, size = np.stack([_by_deal(rows, deal) for rows in losses]), _by_deal(np.ones(len(deal)), deal)
    means = []
    for _ in range(draws):
        deals = rng.integers(0, len(size), len(size))
        seeds = rng.integers(0, len(losses), len(losses))
        means.append(of_deal[seeds][:, deals].sum() / (size[deals].sum() * len(losses)))
    low, high = np.quantile(means, [0.05, 0.95])
    return float(np.mean([rows.mean() for rows in losses])), float(low), float(high)


def judge_win(runs: list[Run], truth: pd.DataFrame) -> pd.DataFrame:
    """Log loss of each method, its difference from ours (above 0: ours is better), Brier score and AUC; over seeds."""
    deal = pd.factorize(truth["deal_id"])[0]
    losses = {w: [expected_log_loss(r.win["truth"].to_numpy(), r.win[w].to_numpy()) for r in runs] for w in WIN}
    table = {}
    for way in WIN:
        mean, low, high = intervals(losses[way], deal)
        gain, gain_low, gain_high = intervals(
            [theirs - mine for theirs, mine in zip(losses[way], losses["ours"], strict=True)], deal
        )
        p, q = ([r.win[name].to_numpy() for r in runs] for name in ("truth", way))
        brier = np.mean([(t * (1 - s) ** 2 + (1 - t) * s**2).mean() for t, s in zip(p, q, strict=True)])
        auc = np.mean([expected_auc(t, s) for t, s in zip(p, q, strict=True)])
        table[way] = {
            "log_loss": mean,
            "low": low,
            "high": high,
            "ours_is_better_by": gain,
            "better_low": gain_low,
            "better_high": gain_high,
            "brier": brier,
            "auc": auc,
        }
    return pd.DataFrame(table).T


def judge_rest(runs: list[Run], part: str) -> pd.DataFrame:
    """Total predicted over true, its mean distance from 1 (in logarithms), and the error as a share; over seeds."""
    table = {}
    for way in REST:
        both = [(getattr(r, part)[way].to_numpy(), getattr(r, part)["truth"].to_numpy()) for r in runs]
        ratios = np.array([said.sum() / true.sum() for said, true in both])
        errors = [np.abs(said - true).sum() / np.abs(true).sum() for said, true in both]
        off = np.abs(np.log(np.maximum(ratios, 1e-9)))
        table[way] = {"ratio": ratios.mean(), "off": off.mean(), "error": np.mean(errors)}
    return pd.DataFrame(table).T


def missed(win: pd.DataFrame) -> list[str]:
    """The methods that beat ours, as sentences."""
    return [
        f"{way} loses less, by {-win.loc[way, 'ours_is_better_by']:.4f}"
        for way in ("lightgbm", "base_rate")
        if win.loc[way, "better_high"] < 0
    ]


def main() -> int:
    """Run from the command line; 1 if plain LightGBM or the base rate is better somewhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=sorted(SEEDS))
    parser.add_argument("--seeds", type=int, help="how many trainings a size; by default fewer for larger books")
    arguments = parser.parse_args()
    settings = read_settings().settings.train
    status = 0
    for deals in arguments.sizes:
        others = unseen(deals)
        seeds = range(FIRST_SEED, FIRST_SEED + (arguments.seeds or SEEDS.get(deals, 4)))
        runs = [run(deals, seed, settings, others) for seed in seeds]
        win = judge_win(runs, others.truth)
        print(
            f"{deals} deals, {len(runs)} trainings, signal in {sum(r.signal for r in runs)}; {len(others.truth)} calls"
        )
        print(win.round(4).to_string())
        for part in ("hours", "value"):
            print(f"{part}:\n{judge_rest(runs, part).round(3).to_string()}")
        for sentence in missed(win):
            print(f"  missed: {sentence}")
            status = 1
        sys.stdout.flush()
    return status


if __name__ == "__main__":
    sys.exit(main())
