"""What must be known before anyone acts on a model's calls: the first lines of what it says."""

from __future__ import annotations

from typing import NamedTuple

from walkaway.book import lost_after_sentence
from walkaway.formatting import LocaleFormat
from walkaway.models.model import Model

__all__ = ["Caveat", "caveats_of", "may_be_acted_on"]

NO_SIGNAL, HOURS_ASSUMED, LOST_AFTER = "no_signal", "hours_assumed", "lost_after_days"
YOUNG_CURVE = "young_curve"
TO_BE_KNOWN = (LOST_AFTER, YOUNG_CURVE)  # what is told, and does not stop anyone from acting
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
    if not model.undated and facts.effort is not None:
        found.append(Caveat(HOURS_ASSUMED, facts.effort.sentence(fmt)))
    elif not model.undated and facts.assumed_hours_share == 1.0:
        found.append(Caveat(HOURS_ASSUMED, ALL_BY_KIND))
    if facts.lost_after_days is not None:
        told = lost_after_sentence(facts.lost_after_days, facts.counted_lost, facts.lost, fmt)
        found.append(Caveat(LOST_AFTER, told))
    if facts.young_curve:
        found.append(Caveat(YOUNG_CURVE, YOUNG))
    return tuple(found)


def may_be_acted_on(model: Model) -> bool:
    """Whether its verdicts may be acted on: it has signal, and some hours were recorded."""
    reasons = [caveat for caveat in caveats_of(model, LocaleFormat()) if caveat.code not in TO_BE_KNOWN]
    return not model.undated and not reasons
