"""Which columns the settings allow: by feature, by family or by column name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from walkaway.config import FeatureSettings
from walkaway.errors import UsageError
from walkaway.features.declare import REGISTRY, Feature

__all__ = ["chosen", "refuse_unknown"]

OWNER = "owner"  # the name of the family and of its only feature


def chosen(choice: FeatureSettings) -> Callable[[Feature, str | None], bool]:
    """A function that says whether the settings allow a feature, and the word it is about.

    >>> wanted = chosen(FeatureSettings(denied=("stage",)))
    >>> wanted(REGISTRY["age_days"], None), wanted(REGISTRY["stage"], None)
    (True, False)
    """

    def wanted(feature: Feature, word: str | None) -> bool:
        names = {feature.name, feature.family, feature.column(word)}
        allowed = choice.allowed is None or not names.isdisjoint(choice.allowed)
        return allowed and names.isdisjoint(choice.denied) and (choice.owner_identity or feature.family != OWNER)

    return wanted


def refuse_unknown(choice: FeatureSettings, columns: Iterable[str] | None = None) -> None:
    """Refuse a name in the settings that is not a feature, family or column.

    Args:
        choice: the settings.
        columns: all columns that the book produces. None accepts any column of a feature that is repeated over words;
            use it for a part of the book, in which some words may not occur.

    Raises:
        UsageError: a name is unknown (the message suggests the nearest one), or the owner is allowed while
            `owner_identity` is off.

    >>> refuse_unknown(FeatureSettings(denied=("age_day",)))
    Traceback (most recent call last):
    ...
    walkaway.errors.UsageError: train.features.denied: no feature, family or column is called age_day. Did you mean
    age_days?
    """
    names = {*REGISTRY, *(feature.family for feature in REGISTRY.values()), *(columns or ())}
    for setting, given in (("allowed", choice.allowed or ()), ("denied", choice.denied)):
        for name in given:
            if name not in names and not (columns is None and _is_worded(name)):
                near = difflib.get_close_matches(name, sorted(names), n=1)
                hint = f"Did you mean {near[0]}?" if near else "docs/features.md lists them."
                raise UsageError(f"train.features.{setting}: no feature, family or column is called {name}. {hint}")

    if OWNER in (choice.allowed or ()) and not choice.owner_identity:
        raise UsageError(
            "train.features.allowed names owner, but train.features.owner_identity is off, so the owner of a deal is "
            "not used. Switch it on, or leave owner out."
        )


def _is_worded(name: str) -> bool:
    feature = REGISTRY.get(name.split("[")[0])
    return feature is not None and feature.per is not None and name.endswith("]")
