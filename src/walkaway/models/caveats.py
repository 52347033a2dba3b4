"""What must be known before anyone acts on a model's calls: the first lines of what it says."""

from __future__ import annotations

from typing import NamedTuple

from walkaway.book import lost_after_sentence
from walkaway.formatting import LocaleFormat
from walkaway.models.model import Model

__all__ = ["NO_SIGNAL", "Caveat", "caveats_of", "has_few_wins", "may_be_acted_on"]

NO_SIGNAL, NO_DATES, HOURS_ASSUMED, LOST_AFTER = "no_signal", "no_dates", "hours_assumed", "lost_after_days"
YOUNG_CURVE, FEW_WINS = "young_curve", "few_wins"
TO_BE_KNOWN = (LOST_AFTER, YOUNG_CURVE, FEW_WINS)  # what is told, and does not stop anyone from acting
LEAST_WINS = 10.0  # with fewer of equal value, one win more or less is over 10% of the value, the default of --forgo
WITHOUT_DATES = (
    "No dates{}: nothing shows what was known when. No deal is called, and nothing is said about hours or time. A "
    "column that was filled in after the outcome would look like skill."
)
ALL_BY_KIND = "No activity has recorded hours: all hours are assumed by kind of activity."
YOUNG = (
    "The history is too short to test a bar well: it was tested with models that knew only deals that ended quickly. "
    "A bar may lose more value than is said here."
)


class Caveat(NamedTuple):
    """A code for programs and a sentence for people."""

    code: str
    sentence: str


def caveats_of(model: Model, fmt: LocaleFormat) -> tuple[Caveat, ...]:
    """What stands in the first lines of what a model says; empty where nothing must.

    Args:
        model: any model.
        fmt: writes the numbers.
    """
    facts, found = model.facts, []
    if not model.signal:
        unsure = "" if model.undated else " Every verdict is unsure."
        sentence = f"No signal: on {model.tested_on} deals the model is no better than the base rate"
        found.append(Caveat(NO_SIGNAL, f"{sentence}, which is used instead.{unsure}"))
    if model.undated:
        found.append(Caveat(NO_DATES, WITHOUT_DATES.format(" of the close" if facts.tested_by_creation else "")))
    elif facts.effort is not None:
        found.append(Caveat(HOURS_ASSUMED, facts.effort.sentence(fmt)))
    elif facts.assumed_hours_share == 1.0:
        found.append(Caveat(HOURS_ASSUMED, ALL_BY_KIND))
    if facts.lost_after_days is not None:
        told = lost_after_sentence(facts.lost_after_days, facts.counted_lost, facts.lost, fmt)
        found.append(Caveat(LOST_AFTER, told))
    if facts.young_curve:
        found.append(Caveat(YOUNG_CURVE, YOUNG))
    if model.signal and has_few_wins(model):
        wins = fmt.number(model.curve.wins, digits=1)
        few = f"Nearly all past value comes from a few deals (it tells as much as {wins} wins of equal value)"
        found.append(Caveat(FEW_WINS, f"{few}, so what a bar loses is hardly known."))
    return tuple(found)


def has_few_wins(model: Model) -> bool:
    """Whether so few wins hold the value behind the curve that a single one decides what a bar loses."""
    return 0 < model.curve.wins < LEAST_WINS


def may_be_acted_on(model: Model) -> bool:
    """Whether its verdicts may be acted on: it has signal, and some hours were recorded."""
    reasons = [caveat for caveat in caveats_of(model, LocaleFormat()) if caveat.code not in TO_BE_KNOWN]
    return not model.undated and not reasons
