"""Tuning of the win head by Optuna, in folds ordered in time, judged on a last stretch that no trial has seen.

Only the win head is tuned: on real history perfect hours would improve calls very little, perfect outcomes very much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from walkaway.asof import History, cadence_days, known, moments, open_snapshots
from walkaway.asof.labels import label
from walkaway.book import Book
from walkaway.config import TrainSettings
from walkaway.errors import DataError, UsageError
from walkaway.evaluation import OTHER, log_loss_rows, paired_gains
from walkaway.files import plain
from walkaway.heads import fit_win
from walkaway.models import read_rows
from walkaway.training.backtest import Step, call_as_of, no_step
from walkaway.training.fitting import Prepared, audit_as_of, prepare_as_of

if TYPE_CHECKING:
    import optuna

__all__ = ["Budget", "Tuned", "tune"]

HELD_OUT = 0.2  # of the history's span: the last stretch, for the final judgement
FOLDS = 3
PATIENCE = 25  # the study stops after so many trials without a better one
MEMBERS = 2  # of the bag, while trying
MISSING = "--tune needs Optuna: pip install 'walkaway[tune]'"
TRIED: dict[str, tuple[float, float, bool]] = {  # of the win head: from, to, and whether on a logarithmic scale
    "trees": (100, 800, True),
    "learning_rate": (0.015, 0.15, True),
    "leaves": (3, 24, True),
    "least_rows_in_leaf": (20, 400, True),
    "feature_share": (0.3, 1.0, False),
    "row_share": (0.4, 1.0, False),
    "l2": (0.5, 50.0, True),
}
DECAY = (0.85, 1.0)


@dataclass(frozen=True)
class Budget:
    """How long to try: seconds, or a number of trials; the other is None."""

    seconds: float | None = None
    trials: int | None = None


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    settings: those to train with: the tuned ones if they were better on the stretch that tuning never saw, else the
        ones given.
    trials: one row a trial: number, state (complete or pruned), log_loss (mean of the folds), and what was tried.
    unseen: what the best trial gained over the settings given, on the last stretch: since, settled_deals,
        log_loss_gain and skill_gain with _low and _high (90%, paired over deals).
    used: whether the tuned settings are those to train with.
    """

    settings: TrainSettings
    trials: pd.DataFrame
    unseen: dict[str, Any]
    used: bool

    def values(self) -> dict[str, float]:
        """What the best trial tried."""
        complete = self.trials[self.trials["state"] == "complete"]
        best = complete.loc[complete["log_loss"].idxmin()]
        return {name: best[name].item() for name in (*TRIED, "decay")}

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        states = self.trials["state"].value_counts()
        counts = {str(state): int(count) for state, count in states.items()}
        return {"used": self.used, "trials": counts, "best": self.values(), "unseen": plain(self.unseen)}


@dataclass(frozen=True)
class _Fold:
    """Rows to fit on, and later rows whose ends are known: features X and won."""

    ready: Prepared
    X: np.ndarray
    won: np.ndarray

    def loss(self, train_settings: TrainSettings) -> float:
        """Out-of-time log loss of a win head with these train_settings."""
        rows, heads = self.ready.rows, train_settings.heads
        head, _ = fit_win(rows.examples(rows.labels["won"].to_numpy()), heads)
        said = expit(head.raw_by_member(self.X).mean(axis=0))
        return float(log_loss_rows(self.won, said).mean())


def _boundaries(book: Book, until: pd.Timestamp, every: float) -> list[pd.Timestamp]:
    """Origins of the folds, then the moment at which the unseen stretch begins; all on the grid of `until`."""
    steps = (until - book.deals["created_at"].min()) / pd.Timedelta(days=every)
    shares = np.linspace(0.55, HELD_OUT, FOLDS + 1)  # of the history, counted back
    return [until - int(share * steps) * pd.Timedelta(days=every) for share in shares]


def _snapshots(book: Book, begin: pd.Timestamp, end: pd.Timestamp, every: float) -> pd.DataFrame:
    """Snapshots after `begin` up to `end`, whose deals had settled by the end of the book."""
    at = moments(begin + pd.Timedelta(days=every), end, every)
    found = open_snapshots(book, at)
    return found[label(book, found)["settled"].to_numpy(dtype=bool)].reset_index(drop=True)


def _folds(
    book: Book, bounds: list[pd.Timestamp], every: float, train_settings: TrainSettings, left_out: tuple[str, ...]
) -> Iterator[_Fold]:
    """What each origin knew, and what came up to the next; nothing after the last boundary is in the book."""
    history = History(book)
    for begin, end in pairwise(bounds):
        later = _snapshots(book, begin, end, every)
        won = label(book, later)["won"].to_numpy(dtype=np.float64)
        try:
            ready = prepare_as_of(history, begin, train_settings, left_out)
            ready.rows.check()
        except DataError:
            continue
        if len(np.unique(won)) == 2:
            yield _Fold(ready, read_rows(history, later, ready.plan).X, won)


def _tried(train_settings: TrainSettings, values: dict[str, float]) -> TrainSettings:
    """The train_settings with what a trial tried in place of the win head's own, as precisely as it is printed."""
    rounded = {name: value if isinstance(value, int) else float(f"{value:.4g}") for name, value in values.items()}
    win = train_settings.heads.win.model_copy(update={name: value for name, value in rounded.items() if name in TRIED})
    heads = train_settings.heads.model_copy(update={"win": win, "decay": rounded["decay"]})
    return train_settings.model_copy(update={"heads": heads})


def _suggested(trial: optuna.Trial) -> dict[str, float]:
    values: dict[str, float] = {"decay": trial.suggest_float("decay", *DECAY)}
    for name, (low, high, log) in TRIED.items():
        if isinstance(low, int):
            values[name] = trial.suggest_int(name, int(low), int(high), log=log)
        else:
            values[name] = trial.suggest_float(name, low, high, log=log)
    return values


def _given(train_settings: TrainSettings) -> dict[str, float]:
    """The train_settings given, as a trial, each drawn into the range that is tried."""
    values = {name: getattr(train_settings.heads.win, name) for name in TRIED} | {"decay": train_settings.heads.decay}
    ranges = {name: bounds[:2] for name, bounds in TRIED.items()} | {"decay": DECAY}
    return {name: type(ranges[name][0])(np.clip(value, *ranges[name])) for name, value in values.items()}


def _objective(folds: list[_Fold], train_settings: TrainSettings) -> Callable[[optuna.Trial], float]:
    import optuna

    trying = train_settings.model_copy(update={"heads": train_settings.heads.model_copy(update={"members": MEMBERS})})

    def loss(trial: optuna.Trial) -> float:
        tried, losses = _tried(trying, _suggested(trial)), []
        for number, fold in enumerate(folds):
            losses.append(fold.loss(tried))
            trial.report(float(np.mean(losses)), number)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(losses))

    return loss


def _study(folds: list[_Fold], train_settings: TrainSettings, budget: Budget, step: Step) -> optuna.Study:
    try:
        import optuna
    except ImportError as error:
        raise UsageError(MISSING) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def after(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        step("tuning", trial.number + 1, budget.trials or 0)
        if trial.number - study.best_trial.number >= PATIENCE:
            study.stop()

    sampler = optuna.samplers.TPESampler(seed=train_settings.heads.seed, multivariate=True)
    study = optuna.create_study(sampler=sampler, pruner=optuna.pruners.MedianPruner(n_startup_trials=8))
    study.enqueue_trial(_given(train_settings))
    step("tuning", 0, budget.trials or 0)
    study.optimize(_objective(folds, train_settings), n_trials=budget.trials, timeout=budget.seconds, callbacks=[after])
    return study


def _trials(study: optuna.Study) -> pd.DataFrame:
    rows = [
        {"number": trial.number, "state": state, "log_loss": trial.value if state == "complete" else None}
        | trial.params
        for trial in study.trials
        for state in [trial.state.name.lower()]
    ]
    return pd.DataFrame(rows).set_index("number")


def _unseen(
    book: Book,
    since: pd.Timestamp,
    until: pd.Timestamp,
    every: float,
    pair: tuple[TrainSettings, TrainSettings],
    left_out: tuple[str, ...],
) -> dict[str, Any]:
    """Tuned and given settings, both trained as of the last boundary, on the deals after it."""
    history, snapshots = History(book), _snapshots(book, since, until, every)
    ends = label(book, snapshots)
    won, settled = ends["won"].to_numpy(dtype=np.float64), snapshots["deal_id"].nunique()
    if len(np.unique(won)) < 2:
        return {"since": since.isoformat(), "settled_deals": settled}
    tuned, given = (call_as_of(history, since, snapshots, pd.DataFrame(), one, left_out) for one in pair)
    both = tuned.merge(given, on=["deal_id", "as_of"], suffixes=("", OTHER)).assign(
        won=won,
        remaining_hours_truth=ends["remaining_hours"],
        worth_truth=ends["worth"].fillna(_typical(ends["worth"])),
    )
    return {"since": since.isoformat(), "settled_deals": settled} | paired_gains(both, pair[0].bootstrap)


def _typical(worth: pd.Series) -> float:
    """What a win without an amount counts: the median of the others, 1 where there are none, so that wins count."""
    paid = worth[worth > 0]
    return float(paid.median()) if len(paid) else 1.0


def tune(book: Book, until: pd.Timestamp, train_settings: TrainSettings, budget: Budget, step: Step = no_step) -> Tuned:
    """Try settings of the win head until the budget ends, or PATIENCE trials in a row bring nothing better.

    Args:
        book: any book with dates; what it recorded after `until` is not read.
        until: UTC moment.
        train_settings: the ones given: the first trial, and what the best one is compared with.
        budget: seconds or trials.
        step: told how many trials are done.

    Raises:
        UsageError: Optuna is not installed.
        DataError: too little history for a fold, or for the stretch that the best trial is judged on.
    """
    book = known(book, until)
    audit = audit_as_of(book, until, train_settings)
    left_out, seen = audit.left_out, train_settings.without_features(audit.denied)
    every = train_settings.cadence_days or cadence_days(book)
    *origins, since = _boundaries(book, until, every)
    folds = list(_folds(known(book, since), [*origins, since], every, seen, left_out))
    if not folds:
        raise DataError(
            f"--tune needs won and lost deals that settled before {since:%Y-%m-%d} in some fold; there are none. "
            "Train without --tune, or on a longer history."
        )
    study = _study(folds, train_settings, budget, step)
    best = dict(study.best_params)
    step("judging what was tuned", 0, 1)
    unseen = _unseen(book, since, until, every, (_tried(seen, best), seen), left_out)
    used = unseen.get("log_loss_gain", 0.0) > 0
    return Tuned(_tried(train_settings, best) if used else train_settings, _trials(study), unseen, used)
