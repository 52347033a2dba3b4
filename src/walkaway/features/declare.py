"""How a feature is declared: name, unit, theme, the sentence a seller reads, and the one function that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.book import Book

__all__ = ["REGISTRY", "THEMES", "Coded", "Feature", "Theme", "Unit", "feature"]

Unit = Literal[
    "days", "days ahead", "days moved", "count", "times", "money", "number", "ratio", "category", "weekday", "flag"
]
Theme = Literal["fit", "need", "decision makers", "engagement", "timing", "price and profit", "effort"]
THEMES: tuple[str, ...] = ("fit", "need", "decision makers", "engagement", "timing", "price and profit", "effort")
Per = Literal["stage", "step", "kind", "direction", "window", "role", "attribute", "measure"]
CategoriesFrom = Literal["stage", "step", "owner", "attribute"]
Coded = tuple[npt.NDArray[Any], npt.NDArray[Any]]


@dataclass(frozen=True)
class Feature:
    """One declared feature.

    Sellers read `sentence`, `absent` (for a missing value) and `none` (for 0). In them, {value} is the value
    with its unit, and {of} the kind, stage or window that the feature is about. The text before a colon
    and a space is the subject; features that are shown together name it once. `per` is the vocabulary over which the
    feature is repeated. `categories_from` says where a category gets its values. `exists` tells whether a book records
    what the feature needs, `undated` whether a book without dates can fill it. `lasting` marks what stays
    the same for the whole life of a deal. `calendar` marks what follows from the
    dates alone: it cannot leak the outcome. `compute` takes the view (and the word) and returns one number per
    snapshot, or (codes, values) for a category.
    """

    name: str
    unit: Unit
    theme: Theme
    sentence: str
    absent: str
    none: str
    family: str
    per: Per | None
    categories_from: CategoriesFrom | None
    undated: bool
    lasting: bool
    calendar: bool
    exists: Callable[[Book], bool]
    compute: Callable[..., npt.NDArray[Any] | Coded]

    def column(self, word: str | None) -> str:
        """The column's name in the feature frame: name, or name[word]."""
        return self.name if word is None else f"{self.name}[{word}]"


OTHER = "another value"  # the category of values too rare to have their own

REGISTRY: dict[str, Feature] = {}


def _always(book: Book) -> bool:
    return True


def feature(
    *,
    unit: Unit,
    theme: Theme,
    sentence: str,
    absent: str = "",
    none: str = "",
    per: Per | None = None,
    categories_from: CategoriesFrom | None = None,
    undated: bool = False,
    lasting: bool = False,
    calendar: bool = False,
    exists: Callable[[Book], bool] = _always,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as a feature. Its name is the feature's name, its module the feature's family.

    Raises:
        ValueError: the name is taken, or a category does not say where its values come from.
    """

    def register(compute: Callable[..., Any]) -> Callable[..., Any]:
        name = compute.__name__
        if name in REGISTRY:
            raise ValueError(f"feature {name} is declared twice, in {REGISTRY[name].family} and {compute.__module__}")
        if (unit == "category") != (categories_from is not None):
            raise ValueError(
                f"feature {name} must name `categories_from` if and only if it is a category, found {categories_from}"
            )
        family = compute.__module__.rsplit(".", 1)[-1]
        sentences = (sentence, absent or sentence, none or sentence)
        REGISTRY[name] = Feature(
            name, unit, theme, *sentences, family, per, categories_from, undated, lasting, calendar, exists, compute
        )
        return compute

    return register


def recode(coded: Coded, categories: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Codes into a fixed list of categories; NaN where the value is missing.

    A value that is not in the list is NaN too, unless the list ends with OTHER, in which all such values are pooled.

    >>> recode((np.array([0, 1, -1]), np.array(["x", "y"])), ("y",))
    array([nan,  0., nan])
    >>> recode((np.array([0, 1, -1]), np.array(["x", "y"])), ("y", OTHER))
    array([ 1.,  0., nan])
    """
    codes, values = coded
    place = pd.Index(categories).get_indexer(pd.Index(values, dtype=object)).astype(np.float64)
    if categories[-1:] == (OTHER,):
        place = np.where(place < 0, len(categories) - 1, place)
    table = np.append(np.where(place < 0, np.nan, place), np.nan)  # a code of -1 (missing) reads this last entry
    return table[codes]
