"""Champion and challenger: a new model replaces the one in use only if it is better, on the same deals, out of time.

Two comparisons, each paired over deals and bootstrapped, on log loss and on walk-away skill:

- **bundle**: calls after the champion was trained, by the champion as it is and by the challenger's recipe, trained
  when the champion was and once more halfway. Neither has seen how these deals end.
- **recipe**: where the settings differ, both recipes over all folds of today's book; tuned settings only over what
  tuning never saw.

All champions remembered are compared, not only the last: the challenger must beat the best of them on today's data, so
that a row of lucky promotions cannot lead downwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from pydantic import ValidationError

from walkaway.calls import Model, check_fits, make_calls, read_rows
from walkaway.config import TrainSettings
from walkaway.economics import value_per_hour
from walkaway.errors import DataError, UsageError
from walkaway.evaluation import DealDraws, interval, log_loss_rows, paired_skill
from walkaway.folds import Step, no_step
from walkaway.history import History, known
from walkaway.labels import label
from walkaway.schema import Book
from walkaway.train import Trained, train

__all__ = ["Comparison", "Decision", "decide", "forced", "trained_at"]

LEAST_DEALS = 30  # settled on both sides, below which nothing is said
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
        plain = [
            {name: None if value != value else value for name, value in asdict(one).items()} for one in self.comparisons
        ]
        return {"promoted": self.promoted, "reason": self.reason, "comparisons": plain}


def forced(reason: str) -> Decision:
    """A promotion without a comparison: the first model, or one that a person decided for."""
    return Decision(True, reason)


def trained_at(model: Model) -> pd.Timestamp | None:
    """The moment until which a model knew; None for one without dates."""
    told = model.facts.get("known_until")
    return None if told is None else pd.Timestamp(str(told)).tz_convert("UTC").as_unit("us")


def decide(
    book: Book,
    until: pd.Timestamp,
    challenger: Trained,
    champions: Sequence[Model],
    settings: TrainSettings,
    step: Step = no_step,
    tuned_until: pd.Timestamp | None = None,
) -> Decision:
    """Whether the challenger replaces the champion.

    Args:
        book: the one the challenger was trained on.
        until: the moment until which it knew.
        challenger: with its out-of-time calls.
        champions: the one in use first, then those before it.
        settings: of the challenger's training.
        step: told how far it is.
        tuned_until: the moment until which tuning saw how deals ended, if the settings were tuned: recipes are compared
            after it.
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
    compared = [*_by_bundle(book, challenger, champions, settings, step)]
    compared += _by_recipe(book, until, challenger, used, settings, step, tuned_until)
    return _verdict(compared, used)


def _verdict(compared: list[Comparison], used: Model) -> Decision:
    if not compared:
        since = trained_at(used)
        told = "" if since is None else f" since {since:%Y-%m-%d}"
        return Decision(False, f"the same recipe, and too few deals settled{told} to tell whether it is better")
    worse = [one for one in compared if one.worse]
    best = [next(one for one in compared if one.by == by) for by in dict.fromkeys(one.by for one in compared)]
    better = [one for one in best if one.better]  # the best champion comes first
    behind = [one for one in best if one.log_loss_gain < 0 and not one.better]
    if worse:
        return Decision(False, f"worse than {worse[0].against} beyond doubt (by {worse[0].by})", tuple(compared))
    if better and not behind:
        return Decision(True, f"better than {better[0].against} beyond doubt (by {better[0].by})", tuple(compared))
    return Decision(False, f"not better than {compared[0].against} beyond doubt", tuple(compared))


def _published(calls: pd.DataFrame, signal: bool, floor_hours: float) -> pd.DataFrame:
    """Calls as a model would publish them: the base rate, where it has no signal."""
    if not signal:
        expected = (calls["base_rate"] * calls["value_if_won"]).to_numpy()
        index = value_per_hour(expected, calls["remaining_hours"].to_numpy(), floor_hours)
        calls = calls.assign(win_probability=calls["base_rate"], value_per_hour=index)
    return calls[CALLED]


def _calls_since(
    book: Book, since: pd.Timestamp, snapshots: pd.DataFrame, settings: TrainSettings, step: Step
) -> pd.DataFrame:
    """What the challenger's recipe would have said of these snapshots, had it been trained when the champion was.

    The whole recipe, calibration and leak audit included, as of that moment, and once more halfway, so that some of
    what newer data teach counts: where settings and data are the champion's own, the first half is a tie to the byte.
    """
    moments = np.sort(snapshots["as_of"].unique())
    origins = [since] if len(moments) < 2 else [since, moments[len(moments) // 2 - 1]]
    history, parts = History(book), []
    for origin, end in zip(origins, [*origins[1:], moments[-1]], strict=True):
        rows = snapshots[(snapshots["as_of"] > origin) & (snapshots["as_of"] <= end)].reset_index(drop=True)
        model = train(book, origin, settings, step).model
        parts.append(make_calls(model, read_rows(history, rows, model.plan), bar=0.0).table[CALLED])
    return pd.concat(parts).sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True)


def _by_bundle(
    book: Book, challenger: Trained, champions: Sequence[Model], settings: TrainSettings, step: Step
) -> Iterator[Comparison]:
    """The challenger beside the best champion on calls after any of them was trained, and beside the one in use."""
    readable = [model for model in champions if _fits(book, model)]
    moments = [moment for model in readable if (moment := trained_at(model)) is not None]
    if not moments or not (challenger.calls["as_of"] > max(moments)).any():
        return
    since, history = max(moments), History(book)
    later = challenger.calls.loc[challenger.calls["as_of"] > since, ["deal_id", "as_of"]]
    snapshots = later.reset_index(drop=True)
    won = label(book, snapshots)["won"].to_numpy()
    told = ~np.isnan(won)
    if not _enough(snapshots["deal_id"].to_numpy()[told], won[told]):
        return
    try:
        mine = _calls_since(book, since, snapshots, settings, step)
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
        yield from _compare(book, mine, theirs[version][CALLED], version, "bundle", typical, settings.bootstrap)


def _enough(deal: np.ndarray, won: np.ndarray) -> bool:
    """Whether enough deals have settled, of both kinds, to compare anything."""
    return len(np.unique(deal)) >= LEAST_DEALS and len(np.unique(won)) == 2


def _fits(book: Book, model: Model) -> bool:
    try:
        check_fits(book, model)
    except DataError:
        return False
    return True


def _recipe(settings: TrainSettings) -> dict[str, object]:
    return settings.model_dump(mode="json", exclude={"heads": {"threads"}, **dict.fromkeys(NOT_THE_RECIPE, True)})


def _by_recipe(
    book: Book,
    until: pd.Timestamp,
    challenger: Trained,
    used: Model,
    settings: TrainSettings,
    step: Step,
    tuned_until: pd.Timestamp | None,
) -> Iterator[Comparison]:
    """Both recipes over all folds, where they differ and the champion's can still be followed."""
    try:
        theirs = TrainSettings.model_validate(used.facts.get("settings"))
    except ValidationError:
        return
    if _recipe(theirs) == _recipe(settings):
        return
    same_judge = {name: getattr(settings, name) for name in NOT_THE_RECIPE}
    threads = theirs.heads.model_copy(update={"threads": settings.heads.threads})
    try:
        rival = train(book, until, theirs.model_copy(update=same_judge | {"heads": threads}), step)
    except (UsageError, DataError):
        return  # its settings name what this book no longer has
    if len(rival.calls):
        mine, other = (_published(one.calls, one.model.signal, settings.floor_hours) for one in (challenger, rival))
        typical = challenger.model.heads.worth.typical_amount
        if tuned_until is not None:
            mine = mine[mine["as_of"] > tuned_until]
        yield from _compare(book, mine, other, used.version, "recipe", typical, settings.bootstrap)


def _compare(
    book: Book, mine: pd.DataFrame, theirs: pd.DataFrame, against: str, by: str, typical: float, draws: int
) -> Iterator[Comparison]:
    """The comparison on calls that both made; nothing where too few deals of either kind have settled.

    A deal still open counts as not won, its hours so far: the same for both.
    """
    both = mine.merge(theirs, on=["deal_id", "as_of"], suffixes=("", "_other")).sort_values(["deal_id", "as_of"])
    both = both.reset_index(drop=True)
    ends = label(book, both[["deal_id", "as_of"]])
    unpaid = pd.Series(typical, index=ends.index).where(ends["won"] == 1, 0.0)  # counts as in training
    both = both.assign(won=ends["won"], worth_truth=ends["worth"].fillna(unpaid))
    both = both.assign(remaining_hours_truth=ends["remaining_hours"])
    settled = both[both["won"].notna()]
    won = settled["won"].to_numpy()
    if not _enough(settled["deal_id"].to_numpy(), won):
        return
    other, own = (log_loss_rows(won, settled[name].to_numpy()) for name in ("win_probability_other", "win_probability"))
    low, high = interval(DealDraws.of(settled["deal_id"].to_numpy(), draws).means(other - own))
    skill, skill_low, skill_high = paired_skill(both, "value_per_hour", "value_per_hour_other", draws)
    yield Comparison(
        against=against,
        by=by,
        since=f"{both['as_of'].min():%Y-%m-%d}",
        calls=len(both),
        deals=both["deal_id"].nunique(),
        settled_deals=settled["deal_id"].nunique(),
        log_loss_gain=float((other - own).mean()),
        log_loss_gain_low=low,
        log_loss_gain_high=high,
        skill_gain=skill,
        skill_gain_low=skill_low,
        skill_gain_high=skill_high,
    )
