"""Champion and challenger: a new model replaces the one in use only if it is better, on the same deals, out of time.

Three comparisons, each paired over deals and bootstrapped, on log loss and on walk-away skill:

- **bundle**: calls after the champion was trained, by the champion as it is and by the challenger's recipe, trained
  when the champion was and once more halfway. Neither has seen how these deals end.
- **age**: where recipe and settings are the champion's own, what models that much older lost over all folds.
- **recipe**: where the settings differ, both recipes over all folds of today's book; tuned settings only over what
  tuning never saw.

All champions remembered are compared, not only the last: the challenger must beat the best of them on today's data, so
that a row of lucky promotions cannot lead downwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from pydantic import ValidationError

from walkaway.asof import History, known
from walkaway.asof.labels import label
from walkaway.book import Book
from walkaway.config import TrainSettings
from walkaway.economics import value_per_hour
from walkaway.errors import DataError, UsageError
from walkaway.evaluation import OTHER, log_loss_rows, paired_gains
from walkaway.files import without_nan
from walkaway.models import Model, check_fits, make_calls, read_rows
from walkaway.training.backtest import Step, no_step
from walkaway.training.recipe import fit_and_backtest
from walkaway.training.train import Trained

__all__ = ["Comparison", "Decision", "decide", "forced", "trained_at"]

STRETCHES = 2  # of the time since the champion was trained, before each of which the challenger's recipe is trained
LEAST_DEALS = 30  # settled on both sides, below which nothing is said
AGE = "age"
GAINS = [f"{what}_gain{end}" for what in ("log_loss", "skill") for end in ("", "_low", "_high")]
NOT_THE_RECIPE = ("folds", "bootstrap")  # settings that judge, and change no model
CALLED = ["deal_id", "as_of", "win_probability", "value_per_hour"]


@dataclass(frozen=True)
class Comparison:
    """Challenger and champion on the same calls: gains above 0 favour the challenger; intervals are 90%, over deals."""

    against: str
    by: str
    since: str
    calls: int
    deals: int
    settled_deals: int
    log_loss_gain: float
    log_loss_gain_low: float
    log_loss_gain_high: float
    skill_gain: float
    skill_gain_low: float
    skill_gain_high: float

    @property
    def better(self) -> bool:
        """Beyond doubt on one of both, and not worse beyond doubt on the other."""
        return not self.worse and (self.log_loss_gain_low > 0 or self.skill_gain_low > 0)

    @property
    def worse(self) -> bool:
        """Beyond doubt on one of both."""
        return self.log_loss_gain_high < 0 or self.skill_gain_high < 0


@dataclass(frozen=True)
class Decision:
    """Whether the challenger replaces the champion, why, and the comparisons behind it."""

    promoted: bool
    reason: str
    comparisons: tuple[Comparison, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The decision as plain JSON values; what is not a number is null."""
        compared = [without_nan(asdict(one)) for one in self.comparisons]
        return {"promoted": self.promoted, "reason": self.reason, "comparisons": compared}


def forced(reason: str) -> Decision:
    """A promotion without a comparison: the first model, or one that a person decided for."""
    return Decision(True, reason)


def trained_at(model: Model) -> pd.Timestamp | None:
    """The moment until which a model knew; None for one without dates."""
    return model.facts.until


def decide(
    book: Book,
    until: pd.Timestamp,
    challenger: Trained,
    champions: Sequence[Model],
    train_settings: TrainSettings,
    step: Step = no_step,
    tuned_until: pd.Timestamp | None = None,
) -> Decision:
    """Whether the challenger replaces the champion.

    Args:
        book: the one the challenger was trained on.
        until: the moment until which it knew.
        challenger: with its out-of-time calls.
        champions: the one in use first, then those before it.
        train_settings: of the challenger's training.
        step: told how far it is.
        tuned_until: the moment until which tuning saw how deals ended, if the settings were tuned: recipes are
            compared after it.
    """
    book = known(book, until)
    used = champions[0]
    try:
        check_fits(book, used)
    except DataError as error:
        return Decision(False, f"the champion cannot read this book, so the two cannot be compared: {error}")
    if challenger.calls.empty:
        return Decision(False, "the challenger has no out-of-time calls: the book is too young to judge it")
    step("comparing with the champion", 0, 1)
    compared = [*_by_bundle(History(book), challenger, champions, train_settings, step)]
    if (theirs := _settings_of(used)) is not None:
        if _recipe(theirs) == _recipe(train_settings):
            compared += _by_age(challenger, used, until)
        else:
            compared += _by_recipe(book, until, challenger, used, theirs, train_settings, step, tuned_until)
    return _verdict(compared, used)


def _verdict(compared: list[Comparison], used: Model) -> Decision:
    if not compared:
        since = trained_at(used)
        told = "" if since is None else f" since {since:%Y-%m-%d}"
        return Decision(False, f"the same recipe, and too few deals settled{told} to tell whether it is better")
    worse = [one for one in compared if one.worse and one.by != AGE]  # age speaks of older models, not of this one
    best = [next(one for one in compared if one.by == by) for by in dict.fromkeys(one.by for one in compared)]
    better = [one for one in best if one.better]  # the best champion comes first
    behind = [one for one in best if one.log_loss_gain < 0 and not one.better and one.by != AGE]
    aged = any(one.by == AGE for one in better)
    if worse:
        return Decision(False, f"worse than {worse[0].against} beyond doubt (by {worse[0].by})", tuple(compared))
    if better and (aged or not behind):
        return Decision(True, f"better than {better[0].against} beyond doubt (by {better[0].by})", tuple(compared))
    return Decision(False, f"not better than {compared[0].against} beyond doubt", tuple(compared))


def _published(calls: pd.DataFrame, signal: bool, floor_hours: float) -> pd.DataFrame:
    """Calls as a model would publish them: the base rate, where it has no signal."""
    if not signal:
        expected = (calls["base_rate"] * calls["value_if_won"]).to_numpy()
        index = value_per_hour(expected, calls["remaining_hours"].to_numpy(), floor_hours)
        calls = calls.assign(win_probability=calls["base_rate"], value_per_hour=index)
    return calls[CALLED]


def _stretches(since: pd.Timestamp, snapshots: pd.DataFrame) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Up to STRETCHES stretches of time with as many moments each: (after, up to)."""
    at = snapshots["as_of"].sort_values().unique()
    ends = [at[len(at) * part // STRETCHES - 1] for part in range(1, STRETCHES + 1) if len(at) * part >= STRETCHES]
    return list(pairwise(dict.fromkeys([since, *ends])))


def _calls_since(
    history: History, since: pd.Timestamp, snapshots: pd.DataFrame, train_settings: TrainSettings, step: Step
) -> pd.DataFrame:
    """What the challenger's recipe would have said of these snapshots, had it been trained when the champion was.

    The whole recipe, calibration and leak audit included, as of that moment, and again as time went on, so that what
    newer data teach counts. Where recipe and data are the champion's own, the first stretch is a tie to the byte.
    """
    parts = []
    for after, up_to in _stretches(since, snapshots):
        rows = snapshots[(snapshots["as_of"] > after) & (snapshots["as_of"] <= up_to)].reset_index(drop=True)
        model = fit_and_backtest(history.book, after, train_settings, step).model()
        parts.append(make_calls(model, read_rows(history, rows, model.plan), bar=0.0).table[CALLED])
    return pd.concat(parts).sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True)


def _by_bundle(
    history: History, challenger: Trained, champions: Sequence[Model], train_settings: TrainSettings, step: Step
) -> Iterator[Comparison]:
    """The challenger beside the best champion on calls after any of them was trained, and beside the one in use."""
    book = history.book
    readable = [model for model in champions if _fits(book, model)]
    moments = [moment for model in readable if (moment := trained_at(model)) is not None]
    if not moments:
        return
    since = max(moments)
    later = challenger.calls.loc[challenger.calls["as_of"] > since, ["deal_id", "as_of"]]
    snapshots = later.reset_index(drop=True)
    won = label(book, snapshots)["won"].to_numpy()
    told = ~np.isnan(won)
    if not _enough(snapshots["deal_id"].to_numpy()[told], won[told]):
        return
    try:
        mine = _calls_since(history, since, snapshots, train_settings, step)
    except DataError:
        return  # too young, when the champion was trained, for this recipe
    theirs = {
        model.version: make_calls(model, read_rows(history, snapshots, model.plan), bar=0.0).table for model in readable
    }
    losses = {
        version: float(log_loss_rows(won[told], one["win_probability"].to_numpy()[told]).mean())
        for version, one in theirs.items()
    }
    best = min(losses, key=lambda version: losses[version])
    typical = challenger.model.heads.worth.typical_amount
    for version in dict.fromkeys((best, champions[0].version)):
        yield from _compare(book, mine, theirs[version][CALLED], version, "bundle", typical, train_settings.bootstrap)


def _enough(deal: np.ndarray, won: np.ndarray) -> bool:
    """Whether enough deals have settled, of both kinds, to compare anything."""
    return len(np.unique(deal)) >= LEAST_DEALS and len(np.unique(won)) == 2


def _fits(book: Book, model: Model) -> bool:
    try:
        check_fits(book, model)
    except DataError:
        return False
    return True


def _recipe(train_settings: TrainSettings) -> dict[str, object]:
    return train_settings.model_dump(mode="json", exclude={"heads": {"threads"}, **dict.fromkeys(NOT_THE_RECIPE, True)})


def _settings_of(model: Model) -> TrainSettings | None:
    """What a model was trained with; None where today's training has no such settings."""
    try:
        return TrainSettings.model_validate(model.facts.settings)
    except ValidationError:
        return None


def _by_age(challenger: Trained, used: Model, until: pd.Timestamp) -> Iterator[Comparison]:
    """What models of this recipe lost, over all folds, that were as old as the champion is, or nearly.

    The calls since the champion was trained are few in a small book; what age costs shows in all of its history.
    """
    since, table = trained_at(used), challenger.tables.get("staleness")
    if since is None or table is None or not challenger.model.signal:
        return
    younger = table[table["days_older"] <= (until - since) / pd.Timedelta(days=1)]
    if younger.empty:
        return
    row = younger.iloc[-1]
    yield Comparison(
        against=used.version,
        by=AGE,
        since=f"{challenger.calls['as_of'].min():%Y-%m-%d}",
        calls=int(row["calls"]),
        deals=int(row["deals"]),
        settled_deals=int(row["settled_deals"]),
        **{name: float(row[name.replace("_gain", "_lost")]) for name in GAINS},
    )


def _by_recipe(
    book: Book,
    until: pd.Timestamp,
    challenger: Trained,
    used: Model,
    theirs: TrainSettings,
    train_settings: TrainSettings,
    step: Step,
    tuned_until: pd.Timestamp | None,
) -> Iterator[Comparison]:
    """Both recipes over all folds, where the champion's recipe still fits this book."""
    same_judge = {name: getattr(train_settings, name) for name in NOT_THE_RECIPE}
    threads = theirs.heads.model_copy(update={"threads": train_settings.heads.threads})
    try:
        rival = fit_and_backtest(book, until, theirs.model_copy(update=same_judge | {"heads": threads}), step)
    except (UsageError, DataError):
        return  # its settings name what this book no longer has
    if len(rival.backtest.calls):
        mine = _published(challenger.calls, challenger.model.signal, train_settings.floor_hours)
        other = _published(rival.backtest.calls, rival.signal, train_settings.floor_hours)
        typical = challenger.model.heads.worth.typical_amount
        if tuned_until is not None:
            mine = mine[mine["as_of"] > tuned_until]
        yield from _compare(book, mine, other, used.version, "recipe", typical, train_settings.bootstrap)


def _compare(
    book: Book, mine: pd.DataFrame, theirs: pd.DataFrame, against: str, by: str, typical: float, draws: int
) -> Iterator[Comparison]:
    """The comparison on calls that both made; nothing where too few deals of either kind have settled.

    A deal still open counts as not won, its hours so far: the same for both.
    """
    both = mine.merge(theirs, on=["deal_id", "as_of"], suffixes=("", OTHER)).sort_values(["deal_id", "as_of"])
    both = both.reset_index(drop=True)
    ends = label(book, both[["deal_id", "as_of"]])
    unpaid = pd.Series(typical, index=ends.index).where(ends["won"] == 1, 0.0)  # counts as in training
    both = both.assign(won=ends["won"], worth_truth=ends["worth"].fillna(unpaid))
    both = both.assign(remaining_hours_truth=ends["remaining_hours"])
    settled = both[both["won"].notna()]
    if not _enough(settled["deal_id"].to_numpy(), settled["won"].to_numpy()):
        return
    yield Comparison(
        against=against,
        by=by,
        since=f"{both['as_of'].min():%Y-%m-%d}",
        calls=len(both),
        deals=both["deal_id"].nunique(),
        settled_deals=settled["deal_id"].nunique(),
        **paired_gains(both, draws),
    )
