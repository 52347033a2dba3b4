"""Words that a plan does not know: stages, steps, roles and attribute values that training never saw, or too rarely.

To a model such a word is a missing value. The words that training used often enough to learn from are told apart here.
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
    """Whether each snapshot's deal shows an unknown word, and how many snapshots show each, the most frequent first."""

    any: npt.NDArray[np.bool_]
    counts: pd.Series


def unknown_words(view: View, known: Mapping[str, tuple[str, ...]]) -> dict[str, Unknown]:
    """What each vocabulary shows beyond the words that are known.

    Args:
        view: of any snapshots.
        known: words by vocabulary. A column of categories (`stage`, `attribute[product]`) is its own vocabulary, of the
            value at as_of; `step`, `direction` and `role` are of all events known by then.
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
    strange = np.append([value not in known for value in values], False).astype(bool)  # a code of -1 reads the last
    shown = strange[codes]
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
