"""Do open deals, and the scores they get, look as in training? Columns, unknown words, missing values, scores.

Every column is tested, so the allowed chance of a false alarm is divided by the number of columns (Bonferroni).
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
from walkaway.formatting import LocaleFormat
from walkaway.models import Comparison, Profile, ReferenceProfile, compare
from walkaway.monitoring.finding import Code, Finding, Level, cannot_tell, level_of, listed, worst

__all__ = ["OpenDeals", "population_findings"]

CODES: tuple[Code, ...] = ("D1", "D2", "D3", "D4")


@dataclass(frozen=True)
class OpenDeals:
    """Open deals at one moment: features X (deals, columns; in the plan's order), unknown words, and scores."""

    plan: FeaturePlan
    X: npt.NDArray[np.float32]
    unknown: Mapping[str, Unknown]
    scores: pd.DataFrame

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """The values of a column."""
        return self.X[:, self.plan.columns.index(name)].astype(np.float64)


def population_findings(
    reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings, fmt: LocaleFormat
) -> list[Finding]:
    """D1 columns, D2 unknown words, D3 missing values, D4 scores.

    Args:
        reference: the profile of the training data.
        now: the open deals.
        check_settings: thresholds.
        fmt: writes the numbers.
    """
    why = _why_not(reference, len(now.X), check_settings, fmt)
    if why:
        return [cannot_tell(code, why, open_deals=len(now.X), least_deals=check_settings.least_deals) for code in CODES]
    return [
        _columns(reference, now, check_settings, fmt),
        _unknown(reference, now, check_settings, fmt),
        _missing(reference, now, check_settings, fmt),
        _scores(reference, now, check_settings, fmt),
    ]


def _why_not(reference: ReferenceProfile, deals: int, check_settings: CheckSettings, fmt: LocaleFormat) -> str:
    """Why no comparison can be made; empty if it can."""
    if not reference.columns:
        return "no deal was open in the later half of the training period."
    in_training = min(profile.deals for profile in reference.columns.values())
    if min(deals, in_training) < check_settings.least_deals:
        too_few = (
            f"{fmt.whole(deals)} deals are open"
            if deals < check_settings.least_deals
            else f"training had {fmt.whole(in_training)} deals"
        )
        return f"{too_few}, and a comparison needs {fmt.whole(check_settings.least_deals)}."
    return ""


def _compared(
    profiles: Mapping[str, Profile], values: Mapping[str, npt.NDArray[np.float64]], check_settings: CheckSettings
) -> dict[str, Comparison]:
    chance = check_settings.chance / max(len(profiles), 1)
    return {name: compare(profile, values[name], chance) for name, profile in profiles.items()}


def _figures(comparison: Comparison, level: Level) -> dict[str, Any]:
    return {
        "psi": comparison.psi,
        "ordinary": comparison.ordinary,
        "limit": comparison.limit,
        "excess": comparison.excess,
        "level": level,
    }


def _thresholds(levels: Levels, check_settings: CheckSettings) -> dict[str, float]:
    return {"watch": levels.watch, "act": levels.act, "chance": check_settings.chance}


def _columns(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings, fmt: LocaleFormat) -> Finding:
    values = {name: now.column(name) for name in reference.columns}
    compared = _compared(reference.columns, values, check_settings)
    levels = {name: level_of(comparison.excess, check_settings.psi) for name, comparison in compared.items()}
    words = {planned.column: planned.categories for planned in now.plan.features}
    moved = {
        name: _moved(reference.columns[name], comparison, values[name], words[name], fmt)
        for name, comparison in compared.items()
    }
    order = sorted(compared, key=lambda name: (-compared[name].excess, name))
    by_column = {name: {"moved": moved[name]} | _figures(compared[name], levels[name]) for name in order}
    changed = [name for name in order if levels[name] != "ok"]
    if changed:
        items = [f"{name} ({moved[name]})" for name in changed]
        of_all = f"{fmt.whole(len(changed))} of {fmt.whole(len(compared))}"
        found, plain = listed(f"{of_all} columns of open deals have shifted since training", changed, items)
    else:
        beginning = f"Open deals look as in training: none of {fmt.whole(len(compared))}"
        found, plain = (f"{beginning} {these} shifted more than is usual." for these in ("columns", "signs"))
    figures = _thresholds(check_settings.psi, check_settings) | {"columns": by_column}
    return Finding("D1", worst(list(levels.values())), found, figures, plain=plain)


def _moved(
    profile: Profile,
    comparison: Comparison,
    values: npt.NDArray[np.floating],
    words: tuple[str, ...],
    fmt: LocaleFormat,
) -> str:
    """How a column shifted, in words: its median, or the category whose share changed most."""
    change = np.array(comparison.shares) - np.array(profile.shares)
    cell = int(np.argmax(np.abs(change)))
    missing = cell == len(change) - 1
    if profile.median is not None and not missing and not np.isnan(values).all():
        return f"median {_number(profile.median, fmt)}, now {_number(float(np.nanmedian(values)), fmt)}"
    what = "missing" if missing else words[cell] if words else "values"
    return f"{what} {fmt.percent(profile.shares[cell])}, now {fmt.percent(comparison.shares[cell])}"


def _number(value: float, fmt: LocaleFormat) -> str:
    """Three significant digits, and all digits before the decimal mark.

    >>> [_number(v, LocaleFormat("de_DE")) for v in (0.12345, 12.345, 12345.6, 4.0)]
    ['0,123', '12,3', '12.346', '4']
    """
    return fmt.whole(value) if abs(value) >= 100 else fmt.number(float(f"{value:.3g}"))


def _more(
    profiles: Mapping[str, Profile],
    values: Mapping[str, npt.NDArray[np.float64]],
    check_settings: CheckSettings,
    levels: Levels,
) -> dict[str, dict[str, Any]]:
    """The share of "yes" now and in training, largest increase first. The level depends on the increase."""
    out = {}
    for name, comparison in _compared(profiles, values, check_settings).items():
        share, then = comparison.shares[1], profiles[name].shares[1]
        level = level_of(share - then if comparison.excess else 0.0, levels)
        out[name] = {"share": share, "training": then} | _figures(comparison, level)
    return dict(sorted(out.items(), key=lambda item: (item[1]["training"] - item[1]["share"], item[0])))


def _missing(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings, fmt: LocaleFormat) -> Finding:
    values = {name: np.isnan(now.column(name)).astype(np.float64) for name in reference.missing}
    shares = _more(reference.missing, values, check_settings, check_settings.missing)
    more = [name for name, figures in shares.items() if figures["level"] != "ok"]
    items = [
        f"{name} in {fmt.percent(shares[name]['share'])} of open deals "
        f"({fmt.percent(shares[name]['training'])} in training)"
        for name in more
    ]
    found, plain = "No column is missing more often than in training.", ""
    if more:
        found, plain = listed("Missing more often than in training", more, items)
    level = worst([figures["level"] for figures in shares.values()])
    return Finding(
        "D3", level, found, _thresholds(check_settings.missing, check_settings) | {"columns": shares}, plain=plain
    )


def _unknown(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings, fmt: LocaleFormat) -> Finding:
    if not reference.unknown:
        return Finding(
            "D2", "ok", "The model uses no stages, steps, roles or attributes, so there are no new values to find."
        )
    values = {name: unknown.any.astype(np.float64) for name, unknown in now.unknown.items()}
    shares = _more(reference.unknown, values, check_settings, check_settings.unknown)
    for name, figures in shares.items():
        counts = now.unknown[name].counts / len(now.X)
        figures["words"] = {str(word): float(share) for word, share in counts.head(20).items()}
    new = [name for name, figures in shares.items() if figures["level"] != "ok"]
    new_words = [(name, word, share) for name in new for word, share in shares[name]["words"].items()]
    items = [f"{name} {word!r} ({fmt.percent(share)} of open deals)" for name, word, share in new_words]
    found, plain = "No new stage, step, role or attribute value appears in many open deals.", ""
    if new:
        unseen = "These values are new, or were too rare in training to learn from"
        found, plain = listed(unseen, [name for name, *_ in new_words], items)
    level = worst([figures["level"] for figures in shares.values()])
    return Finding(
        "D2", level, found, _thresholds(check_settings.unknown, check_settings) | {"vocabularies": shares}, plain=plain
    )


def _scores(reference: ReferenceProfile, now: OpenDeals, check_settings: CheckSettings, fmt: LocaleFormat) -> Finding:
    if not reference.scores:
        return cannot_tell("D4", "training made no out-of-time calls to compare scores with.")
    values = {name: now.scores[name].to_numpy() for name in reference.scores}
    compared = _compared(reference.scores, values, check_settings)
    levels = {name: level_of(comparison.excess, check_settings.psi) for name, comparison in compared.items()}
    moved = {name: _moved(reference.scores[name], compared[name], values[name], (), fmt) for name in compared}
    order = sorted(compared, key=lambda name: (-compared[name].excess, name))
    by_score = {name: {"moved": moved[name]} | _figures(compared[name], levels[name]) for name in order}
    changed = [name for name in order if levels[name] != "ok"]
    if changed:
        beginning = "Scores of open deals are distributed differently from the out-of-time scores in training"
        found, plain = listed(beginning, changed, [f"{name} ({moved[name]})" for name in changed])
    else:
        scores = ", ".join(compared)
        same = "Scores of open deals are distributed as in training"
        found, plain = (f"{same} ({names})." for names in (scores, scores.replace("_", " ")))
    figures = _thresholds(check_settings.psi, check_settings) | {"scores": by_score}
    return Finding("D4", worst(list(levels.values())), found, figures, plain=plain)
