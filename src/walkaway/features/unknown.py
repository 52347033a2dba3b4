"""Unknown words: stages, steps, roles and attribute values that training never saw, or saw too rarely to learn from.

The model treats such a word as a missing value. This module finds the unknown words, so that drift can be reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import Events, View
from walkaway.features.declare import REGISTRY

__all__ = ["Unknown", "unknown_words"]


@dataclass(frozen=True)
class Unknown:
    """Which snapshots show an unknown word, and how many snapshots show each word, the most frequent first."""

    any: npt.NDArray[np.bool_]
    counts: pd.Series


def unknown_words(view: View, known: Mapping[str, tuple[str, ...]]) -> dict[str, Unknown]:
    """The unknown words of each vocabulary.

    Args:
        view: of any snapshots.
        known: the known words by vocabulary. A categorical column (`stage`, `attribute[product]`) is its own vocabulary
            and is looked up at as_of. For `step`, `direction` and `role`, all events known by then are looked up.
    """
    return {name: _unknown(view, name, set(words)) for name, words in known.items()}


def _unknown(view: View, vocabulary: str, known: set[str]) -> Unknown:
    match vocabulary:
        case "step" | "direction":
            return _of_events(view.activities, vocabulary, known)
        case "role":
            return _of_events(view.contacts, "role", known)
    name, _, word = vocabulary.partition("[")
    compute = REGISTRY[name].compute
    codes, values = compute(view, word[:-1]) if word else compute(view)
    return _of_values(np.asarray(codes, dtype=np.int64), np.asarray(values, dtype=object), known)


def _of_values(codes: npt.NDArray[np.int64], values: npt.NDArray[np.object_], known: set[str]) -> Unknown:
    is_unknown = np.append([value not in known for value in values], False).astype(bool)  # a code of -1 reads the last
    shown = is_unknown[codes]
    return Unknown(shown, pd.Series(values[codes[shown]], dtype=object).value_counts())


def _of_events(events: Events, column: str, known: set[str]) -> Unknown:
    shown = {
        str(word): events.where(**{column: word}).count() > 0
        for word in events.log.column(column).distinct
        if word not in known
    }
    shown = {word: mask for word, mask in shown.items() if mask.any()}
    anywhere = np.logical_or.reduce(list(shown.values())) if shown else np.zeros(len(events.as_of), dtype=bool)
    counts = pd.Series({word: int(mask.sum()) for word, mask in shown.items()}, dtype="int64")
    return Unknown(anywhere, counts.sort_values(ascending=False, kind="stable"))
