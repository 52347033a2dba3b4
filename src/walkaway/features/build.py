"""Computes the feature frame. Training and scoring both use this one function."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from walkaway.asof import View
from walkaway.features.declare import recode
from walkaway.features.plan import FeaturePlan, PlannedFeature

__all__ = ["build_features"]

CHUNK = 1 << 17  # snapshots computed at a time; a column of this size fits the processor's cache, which is faster


def _column(view: View, planned: PlannedFeature) -> np.ndarray:
    compute = planned.declared.compute
    values = compute(view) if planned.word is None else compute(view, planned.word)
    return recode(values, planned.categories) if isinstance(values, tuple) else np.asarray(values)


def build_features(view: View, plan: FeaturePlan, threads: int = 2) -> pd.DataFrame:
    """The feature frame: one row per snapshot of the view, one float32 column per planned feature.

    Categories are codes into the plan's fixed lists. A missing value is NaN; so is one that is rare or never seen in
    training, unless the list has a category for such values. Chunks of snapshots are computed in parallel on `threads`;
    the number of threads does not change the result.

    >>> from walkaway.asof import History
    >>> from walkaway.book import Book
    >>> from walkaway.features import plan_features
    >>> book = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-01T00:00Z"]}))
    >>> view = History(book).at(pd.DataFrame({"deal_id": ["d1"], "as_of": [pd.Timestamp("2026-01-03T12:00Z")]}))
    >>> build_features(view, plan_features(book))
       age_days
    0       2.5
    """
    by_word = sorted(range(len(plan.features)), key=lambda place: plan.features[place].word or "")
    view, places = view.by_deal()
    block = np.empty((len(plan.features), len(view)), dtype=np.float32)

    def prepare(planned: PlannedFeature) -> None:
        _column(view.part(slice(0, 1)), planned)

    def fill(begin: int) -> None:
        rows = slice(begin, begin + CHUNK)
        part = view.part(rows)
        for place in by_word:
            block[place, rows] = _column(part, plan.features[place])

    with ThreadPoolExecutor(threads) as pool:
        view.prepare(pool)
        list(pool.map(prepare, plan.features))  # compute what all chunks share once, before the threads need it
        list(pool.map(fill, range(0, len(view), CHUNK)))
    return pd.DataFrame(block[:, places].T, columns=plan.columns, copy=False)
