"""Do open deals, and what the model says of them, look as in training? Columns, words, missing values, scores.

Each column is asked the same question, so the chance of a false alarm is shared out among them (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.config import CheckSettings, Levels
from walkaway.features import FeaturePlan, Unknown
from walkaway.models import Comparison, Profile, ReferenceProfile, compare
from walkaway.monitoring.finding import Code, Finding, Level, cannot_tell, level_of, listed, worst

__all__ = ["OpenDeals", "population_findings"]

CODES: tuple[Code, ...] = ("D1", "D2", "D3", "D4")


@dataclass(frozen=True)
class OpenDeals:
    """Open deals at one moment: features X (deals, columns) in the order of the plan, unknown words, and scores."""

    plan: FeaturePlan
    X: npt.NDArray[np.float32]
    unknown: Mapping[str, Unknown]
    scores: pd.DataFrame

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """The values of a column."""
        return self.X[:, self.plan.columns.index(name)].astype(np.float64)


def population_findings(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings) -> list[Finding]:
    """D1 columns, D2 unknown words, D3 missing values, D4 scores.

    Args:
        reference: of training.
        now: the open deals.
        check_settings: thresholds.
    """
    why = _why_not(reference, len(now.X), check_settings)
    if why:
        return [cannot_tell(code, why, open_deals=len(now.X), least_deals=check_settings.least_deals) for code in CODES]
    return [
        _columns(reference, now, check_settings),
        _unknown(reference, now, check_settings),
        _missing(reference, now, check_settings),
        _scores(reference, now, check_settings),
    ]


def _why_not(reference: ReferenceProfile, deals: int, check_settings: CheckSettings) -> str:
    if not reference.columns:
        return "no deal was open in the later half of training."
    rested = min(profile.deals for profile in reference.columns.values())
    if min(deals, rested) < check_settings.least_deals:
        where = (
            f"{deals:,} deals are open"
            if deals < check_settings.least_deals
            else f"training rests on {rested:,.0f} deals"
        )
        return f"{where}, and a comparison needs {check_settings.least_deals}."
    return ""


def _compared(
    profiles: Mapping[str, Profile], values: Mapping[str, npt.NDArray[np.float64]], check_settings: CheckSettings
) -> dict[str, Comparison]:
    chance = check_settings.chance / max(len(profiles), 1)
    return {name: compare(profile, values[name], chance) for name, profile in profiles.items()}


def _figures(told: Comparison, level: Level) -> dict[str, Any]:
    return {"psi": told.psi, "ordinary": told.ordinary, "limit": told.limit, "excess": told.excess, "level": level}


def _thresholds(levels: Levels, check_settings: CheckSettings) -> dict[str, float]:
    return {"watch": levels.watch, "act": levels.act, "chance": check_settings.chance}


def _columns(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings) -> Finding:
    values = {name: now.column(name) for name in reference.columns}
    told = _compared(reference.columns, values, check_settings)
    levels = {name: level_of(one.excess, check_settings.psi) for name, one in told.items()}
    words = {planned.column: planned.categories for planned in now.plan.features}
    moved = {name: _moved(reference.columns[name], one, values[name], words[name]) for name, one in told.items()}
    order = sorted(told, key=lambda name: (-told[name].excess, name))
    each = {name: {"moved": moved[name]} | _figures(told[name], levels[name]) for name in order}
    changed = [name for name in order if levels[name] != "ok"]
    if changed:
        most, of_all = [f"{name} ({moved[name]})" for name in changed], f"{len(changed)} of {len(told)}"
        found, plain = listed(f"{of_all} columns of open deals look otherwise than in training", changed, most)
    else:
        as_then, itself = "Open deals look as in training: none of", "changed much more than it does by itself."
        found, plain = (f"{as_then} {len(told)} {these} {itself}" for these in ("columns", "signs"))
    figures = _thresholds(check_settings.psi, check_settings) | {"columns": each}
    return Finding("D1", worst(list(levels.values())), found, figures, plain=plain)


def _moved(profile: Profile, told: Comparison, values: npt.NDArray[np.float64], words: tuple[str, ...]) -> str:
    """How a column moved, in words: its median, or the category whose share moved most."""
    change = np.array(told.shares) - np.array(profile.shares)
    cell = int(np.argmax(np.abs(change)))
    missing = cell == len(change) - 1
    if profile.median is not None and not missing and not np.isnan(values).all():
        return f"median {_number(profile.median)}, now {_number(float(np.nanmedian(values)))}"
    what = "missing" if missing else words[cell] if words else "values"
    return f"{what} {profile.shares[cell]:.0%}, now {told.shares[cell]:.0%}"


def _number(value: float) -> str:
    """Three digits that count, and all digits before the point.

    >>> [_number(v) for v in (0.12345, 12.345, 12345.6, 4.0)]
    ['0.123', '12.3', '12,346', '4']
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _more(
    profiles: Mapping[str, Profile],
    values: Mapping[str, npt.NDArray[np.float64]],
    check_settings: CheckSettings,
    levels: Levels,
) -> dict[str, dict[str, Any]]:
    """Shares of yes among yes and no, beside training; those that rose most come first, level by how far they rose."""
    out = {}
    for name, told in _compared(profiles, values, check_settings).items():
        share, then = told.shares[1], profiles[name].shares[1]
        level = level_of(share - then if told.excess else 0.0, levels)
        out[name] = {"share": share, "training": then} | _figures(told, level)
    return dict(sorted(out.items(), key=lambda item: (item[1]["training"] - item[1]["share"], item[0])))


def _missing(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings) -> Finding:
    values = {name: np.isnan(now.column(name)).astype(np.float64) for name in reference.missing}
    told = _more(reference.missing, values, check_settings, check_settings.missing)
    more = [name for name, one in told.items() if one["level"] != "ok"]
    most = [f"{n} in {told[n]['share']:.0%} of open deals ({told[n]['training']:.0%} in training)" for n in more]
    found, plain = "No column is missing more often than in training.", ""
    if more:
        found, plain = listed("Missing more often than in training", more, most)
    level = worst([one["level"] for one in told.values()])
    return Finding(
        "D3", level, found, _thresholds(check_settings.missing, check_settings) | {"columns": told}, plain=plain
    )


def _unknown(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings) -> Finding:
    if not reference.unknown:
        return Finding("D2", "ok", "The model looks at no stages, steps, roles or attributes, so none can be new.")
    values = {name: found.any.astype(np.float64) for name, found in now.unknown.items()}
    told = _more(reference.unknown, values, check_settings, check_settings.unknown)
    for name, one in told.items():
        counts = now.unknown[name].counts / len(now.X)
        one["words"] = {str(word): float(share) for word, share in counts.head(20).items()}
    new = [name for name, one in told.items() if one["level"] != "ok"]
    of = [(name, word, share) for name in new for word, share in told[name]["words"].items()]
    words = [f"{name} {word!r} ({share:.0%} of open deals)" for name, word, share in of]
    found, plain = "No stage, step, role or attribute value is new, or none that many open deals hold.", ""
    if new:
        unseen = "Training never saw these, or too rarely to learn from"
        found, plain = listed(unseen, [name for name, *_ in of], words)
    level = worst([one["level"] for one in told.values()])
    return Finding(
        "D2", level, found, _thresholds(check_settings.unknown, check_settings) | {"vocabularies": told}, plain=plain
    )


def _scores(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings) -> Finding:
    if not reference.scores:
        return cannot_tell("D4", "training made no out-of-time calls to compare scores with.")
    values = {name: now.scores[name].to_numpy() for name in reference.scores}
    told = _compared(reference.scores, values, check_settings)
    levels = {name: level_of(one.excess, check_settings.psi) for name, one in told.items()}
    moved = {name: _moved(reference.scores[name], one, values[name], ()) for name, one in told.items()}
    order = sorted(told, key=lambda name: (-told[name].excess, name))
    each = {name: {"moved": moved[name]} | _figures(told[name], levels[name]) for name in order}
    changed = [name for name in order if levels[name] != "ok"]
    if changed:
        spread = "What the model says of open deals is spread otherwise than out of time in training"
        found, plain = listed(spread, changed, [f"{name} ({moved[name]})" for name in changed])
    else:
        scores = ", ".join(told)
        found, plain = (
            f"Scores of open deals are spread as in training ({names})." for names in (scores, scores.replace("_", " "))
        )
    figures = _thresholds(check_settings.psi, check_settings) | {"scores": each}
    return Finding("D4", worst(list(levels.values())), found, figures, plain=plain)
