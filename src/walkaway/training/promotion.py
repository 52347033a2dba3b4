"""Promotion: a new model replaces the one in use only if it is better out of time, on the same deals.

The new model is called the challenger, the model in use the champion. Up to three comparisons are made. Each is paired
over deals and bootstrapped, on log loss and on walk-away skill:

- **bundle**: calls on deals since the champion was trained. The champion itself makes them. The challenger's recipe
  makes them with models trained at the same moment and again halfway. Neither knows how these deals end.
- **age**: if both have the same settings. Models about as old as the champion is now are compared with fresh ones, over
  all folds.
- **recipe**: if the settings differ. Both recipes are compared over all folds of today's book.

By bundle, the challenger must beat the best of the champions kept in the registry, on today's data. So a few lucky
promotions in a row cannot make the model in use worse and worse.
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
from walkaway.evaluation import HAD_TIME, LEAST_DEALS_TO_JUDGE, OTHER, log_loss_rows, paired_gains
from walkaway.files import plain
from walkaway.models import Model, check_fits, make_calls, read_rows
from walkaway.training.backtest import Step, no_step
from walkaway.training.recipe import fit_and_backtest
from walkaway.training.train import Trained

__all__ = ["Comparison", "Promotion", "decide_promotion", "promoted_without_comparison", "trained_at"]

STRETCHES = 2  # of the time since the champion was trained, before each of which the challenger's recipe is trained
AGE = "age"
COMPARED_ON = {  # for people
    "bundle": "on deals called since that model was trained",
    AGE: "judged by models of its age over all folds",
    "recipe": "over all folds, each with its own settings",
}
GAINS = [f"{what}_gain{end}" for what in ("log_loss", "skill") for end in ("", "_low", "_high")]
NOT_THE_RECIPE = ("folds", "bootstrap")  # settings of judging, which change no model
CALLED = ["deal_id", "as_of", "win_probability", "value_per_hour"]


@dataclass(frozen=True)
class Comparison:
    """Challenger and champion on the same calls. A gain above 0 favours the challenger; intervals are 90%, over deals.

    better: the 90% interval of one gain lies above 0, and that of neither lies below. worse: that of either lies below.
    """

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
        """Whether the challenger is better at 90% confidence in one measure, and worse in neither."""
        return not self.worse and (self.log_loss_gain_low > 0 or self.skill_gain_low > 0)

    @property
    def worse(self) -> bool:
        """Whether the challenger is worse at 90% confidence in either measure."""
        return self.log_loss_gain_high < 0 or self.skill_gain_high < 0


@dataclass(frozen=True)
class Promotion:
    """Whether the challenger replaces the champion, why, and the comparisons behind it."""

    promoted: bool
    reason: str
    comparisons: tuple[Comparison, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The decision as plain JSON values; numbers that are not finite become null."""
        compared = [plain(asdict(one)) for one in self.comparisons]
        return {"promoted": self.promoted, "reason": self.reason, "comparisons": compared}


def promoted_without_comparison(reason: str) -> Promotion:
    """A promotion without a comparison: of the first model, or of one that a person promotes."""
    return Promotion(True, reason)


def trained_at(model: Model) -> pd.Timestamp | None:
    """The moment until which a model's training data was known; None for a book without dates."""
    return model.facts.until


def decide_promotion(
    book: Book,
    until: pd.Timestamp,
    challenger: Trained,
    champions: Sequence[Model],
    train_settings: TrainSettings,
    step: Step = no_step,
) -> Promotion:
    """Decide whether the challenger replaces the champion.

    Args:
        book: the one that the challenger was trained on.
        until: the moment until which the challenger's training data was known.
        challenger: with its out-of-time calls.
        champions: the one in use first, then those before it.
        train_settings: of the challenger's training.
        step: called with the progress.
    """
    book = known(book, until)
    champion = champions[0]
    try:
        check_fits(book, champion)
    except DataError as error:
        return Promotion(False, f"the model in use cannot read this book, so the two cannot be compared: {error}")
    if challenger.calls.empty:
        return Promotion(False, "the new model has no out-of-time calls: the book's history is too short to judge it")
    step("comparing with the model in use", 0, 1)
    comparisons = [*_by_bundle(History(book), challenger, champions, train_settings, step)]
    if (settings_before := _settings_of(champion)) is not None:
        if _recipe(settings_before) == _recipe(train_settings):
            comparisons += _by_age(challenger, champion, until)
        else:
            comparisons += _by_recipe(book, until, challenger, champion, settings_before, train_settings, step)
    return _verdict(comparisons, champion)


def _reason(result: str, comparison: Comparison) -> str:
    return f"{result} than {comparison.against} at 90% confidence, {COMPARED_ON[comparison.by]}"


def _verdict(comparisons: list[Comparison], champion: Model) -> Promotion:
    """Promoted if better in some comparison, worse in none, and with the lower log loss wherever it is not better.

    `age` does not test this particular champion: being worse there does not count, and being better there is enough
    even where another comparison has a higher log loss. Of each kind of comparison only the first counts, which is
    the one with the best champion.
    """
    if not comparisons:
        trained = trained_at(champion)
        since = "" if trained is None else f" since {trained:%Y-%m-%d}"
        return Promotion(False, f"too few deals have closed{since} to tell whether it is better")
    worse = [comparison for comparison in comparisons if comparison.worse and comparison.by != AGE]
    kinds = dict.fromkeys(comparison.by for comparison in comparisons)
    first = [next(comparison for comparison in comparisons if comparison.by == kind) for kind in kinds]
    better = [comparison for comparison in first if comparison.better]
    behind = [
        comparison
        for comparison in first
        if comparison.log_loss_gain < 0 and not comparison.better and comparison.by != AGE
    ]
    aged = any(comparison.by == AGE for comparison in better)
    if worse:
        return Promotion(False, _reason("worse", worse[0]), tuple(comparisons))
    if better and (aged or not behind):
        return Promotion(True, _reason("better", better[0]), tuple(comparisons))
    if better:
        reason = f"{_reason('better', better[0])}, but with a higher log loss {COMPARED_ON[behind[0].by]}"
        return Promotion(False, reason, tuple(comparisons))
    return Promotion(False, f"not better than {comparisons[0].against} at 90% confidence", tuple(comparisons))


def _published(calls: pd.DataFrame, signal: bool, floor_hours: float) -> pd.DataFrame:
    """Calls as a model makes them in use: with the base rate where it has no signal."""
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
    """Calls of these snapshots by the challenger's recipe, as if it had been trained when the champion was.

    The whole recipe is fitted as of that moment, leak audit and calibration included, and again before each later
    stretch, so that the gain from newer data counts. Where settings and data are the champion's own, the calls of the
    first stretch are the champion's, byte for byte.
    """
    parts = []
    for after, up_to in _stretches(since, snapshots):
        rows = snapshots[(snapshots["as_of"] > after) & (snapshots["as_of"] <= up_to)].reset_index(drop=True)
        model = fit_and_backtest(history.book, after, train_settings, step, baselines={}).model()
        parts.append(make_calls(model, read_rows(history, rows, model.plan), bar=0.0).table[CALLED])
    return pd.concat(parts).sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True)


def _by_bundle(
    history: History, challenger: Trained, champions: Sequence[Model], train_settings: TrainSettings, step: Step
) -> Iterator[Comparison]:
    """The challenger beside the best champion and beside the one in use, on calls after all of them were trained."""
    book = history.book
    readable = [model for model in champions if _fits(book, model)]
    moments = [moment for model in readable if (moment := trained_at(model)) is not None]
    if not moments:
        return
    since = max(moments)
    later = challenger.calls.loc[challenger.calls["as_of"] > since, ["deal_id", "as_of"]]
    snapshots = later.reset_index(drop=True)
    won = label(book, snapshots)["won"].to_numpy()
    settled = ~np.isnan(won)
    if not _enough(snapshots["deal_id"].to_numpy()[settled], won[settled]):
        return
    try:
        of_challenger = _calls_since(history, since, snapshots, train_settings, step)
    except DataError:
        return  # when the champion was trained the history was too short for this recipe
    of_champions = {
        model.version: make_calls(model, read_rows(history, snapshots, model.plan), bar=0.0).table for model in readable
    }
    losses = {
        version: float(log_loss_rows(won[settled], calls["win_probability"].to_numpy()[settled]).mean())
        for version, calls in of_champions.items()
    }
    best = min(losses, key=lambda version: losses[version])
    typical, draws = challenger.model.heads.worth.typical_amount, train_settings.bootstrap
    for version in dict.fromkeys((best, champions[0].version)):
        yield from _compare(book, of_challenger, of_champions[version][CALLED], version, "bundle", typical, draws)


def _enough(deal: np.ndarray, won: np.ndarray) -> bool:
    """Whether enough deals have settled, of both kinds, to compare anything."""
    return len(np.unique(deal)) >= LEAST_DEALS_TO_JUDGE and len(np.unique(won)) == 2


def _fits(book: Book, model: Model) -> bool:
    try:
        check_fits(book, model)
    except DataError:
        return False
    return True


def _recipe(train_settings: TrainSettings) -> dict[str, object]:
    return train_settings.model_dump(mode="json", exclude={"heads": {"threads"}, **dict.fromkeys(NOT_THE_RECIPE, True)})


def _settings_of(model: Model) -> TrainSettings | None:
    """The settings that a model was trained with; None if they are not valid in this version."""
    try:
        return TrainSettings.model_validate(model.facts.settings)
    except ValidationError:
        return None


def _by_age(challenger: Trained, champion: Model, until: pd.Timestamp) -> Iterator[Comparison]:
    """How much worse models with these settings were, over all folds, when about as old as the champion is now.

    A small book has few calls since the champion was trained; over its whole history, the cost of age is clearer.
    """
    since, table = trained_at(champion), challenger.tables.get("staleness")
    if since is None or table is None or not challenger.model.signal:
        return
    younger = table[table["days_older"] <= (until - since) / pd.Timedelta(days=1)]
    if younger.empty:
        return
    row = younger.iloc[-1]
    yield Comparison(
        against=champion.version,
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
    champion: Model,
    settings_before: TrainSettings,
    train_settings: TrainSettings,
    step: Step,
) -> Iterator[Comparison]:
    """Both recipes over all folds, where the champion's recipe still fits this book."""
    same_judge = {name: getattr(train_settings, name) for name in NOT_THE_RECIPE}
    heads = settings_before.heads.model_copy(update={"threads": train_settings.heads.threads})
    settings_before = settings_before.model_copy(update=same_judge | {"heads": heads})
    try:
        before = fit_and_backtest(book, until, settings_before, step, baselines={})
    except (UsageError, DataError):
        return  # its settings name features that this book no longer has
    if len(before.backtest.calls):
        of_challenger = _published(challenger.calls, challenger.model.signal, challenger.model.floor_hours)
        of_champion = _published(before.backtest.calls, before.signal, before.floor_hours)
        typical, draws = challenger.model.heads.worth.typical_amount, train_settings.bootstrap
        made_by = challenger.calls.loc[challenger.calls[HAD_TIME], "as_of"].max()
        against = champion.version
        yield from _compare(book, of_challenger, of_champion, against, "recipe", typical, draws, made_by)


def _compare(
    book: Book,
    of_challenger: pd.DataFrame,
    of_champion: pd.DataFrame,
    against: str,
    by: str,
    typical: float,
    draws: int,
    made_by: pd.Timestamp | None = None,
) -> Iterator[Comparison]:
    """The comparison on calls that both made; none where too few deals have settled, or all ended alike.

    For both alike, a deal still open counts as not won, with its hours so far. Log loss is compared on the deals called
    by `made_by`, which had time to end; on all settled ones where it is not given or too few were called by then.
    """
    both = of_challenger.merge(of_champion, on=["deal_id", "as_of"], suffixes=("", OTHER))
    both = both.sort_values(["deal_id", "as_of"]).reset_index(drop=True)
    ends = label(book, both[["deal_id", "as_of"]])
    unpaid = pd.Series(typical, index=ends.index).where(ends["won"] == 1, 0.0)  # counts as in training
    both = both.assign(won=ends["won"], worth_truth=ends["worth"].fillna(unpaid))
    both = both.assign(remaining_hours_truth=ends["remaining_hours"])
    had_time = both[both["won"].notna() & (both["as_of"] <= made_by)] if made_by is not None else both.iloc[:0]
    if _enough(had_time["deal_id"].to_numpy(), had_time["won"].to_numpy()):
        both = both.assign(won=both["won"].where(both["as_of"] <= made_by))
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
