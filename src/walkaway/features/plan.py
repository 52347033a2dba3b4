"""The feature plan: which columns a model gets. It is decided once, on the training data.

The plan is saved in the model bundle, so that scoring computes exactly the columns the model was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from pydantic import BaseModel, ConfigDict

from walkaway.asof import cadence_days
from walkaway.book import Book
from walkaway.config import FeatureSettings
from walkaway.errors import DataError
from walkaway.features import account, activity, amount, attributes, contacts, load, owner, stage, timing, work
from walkaway.features.choice import chosen, refuse_unknown
from walkaway.features.declare import OTHER, REGISTRY, Feature

__all__ = ["FeaturePlan", "PlannedFeature", "known_words", "plan_features"]

ALL = FeatureSettings()
FAMILIES = (account, activity, amount, attributes, contacts, load, owner, stage, timing, work)
LEAST_DEALS_A_WORD, LEAST_SHARE_A_WORD = 20, 0.002  # a word that fewer deals use gets no feature: too few to learn from
LEAST_DEALS_A_VALUE, LEAST_SHARE_A_VALUE = 4, 0.0004  # a value of an attribute that fewer deals have is pooled (OTHER)
FEW_DEALS = 1_000  # in a smaller book each value needs as many deals as a word (decision 42)
OF_EVENTS = ("step", "direction", "role")  # a deal can have several words of these vocabularies at once
NOTHING_ALLOWED = "train.features leaves no feature that this book can fill. Allow more, or deny less."
NOTHING_WITHOUT_DATES = (
    "a book without dates can be learned from by attributes only, and this one has none in use. Name some under "
    "[deals.attributes] and in fixed_at_creation of the mapping, or allow them in train.features."
)


class PlannedFeature(BaseModel):
    """One column: its feature, its word (for a feature repeated over a vocabulary), and its fixed categories."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: str
    word: str | None = None
    categories: tuple[str, ...] = ()

    @property
    def declared(self) -> Feature:
        """The declaration behind this column."""
        return REGISTRY[self.feature]

    @property
    def column(self) -> str:
        """The column's name in the feature frame."""
        return self.declared.column(self.word)


class FeaturePlan(BaseModel):
    """The columns of a feature frame, in order.

    `left_out` names the fields that features must not see, in training and in scoring (`Book.without`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[PlannedFeature, ...]
    left_out: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Column names, in order."""
        return [planned.column for planned in self.features]

    @property
    def categorical(self) -> list[int]:
        """Positions of the columns that hold category codes."""
        return [i for i, planned in enumerate(self.features) if planned.declared.unit == "category"]


@dataclass(frozen=True)
class _Vocabulary:
    """The words of a book that are common enough to learn from."""

    book: Book

    def words(self, per: str) -> list[str]:
        """Words for a feature repeated over `per`, sorted."""
        match per:
            case "stage":
                stages = self.book.changes[self.book.changes["field"] == stage.STAGE]
                return self._common(stages["deal_id"], stages["new_value"])
            case "step":
                return self._common(self.book.activities["deal_id"], self._steps)
            case "kind" | "direction":
                return self._common(self.book.activities["deal_id"], self.book.activities[per])
            case "role":
                return self._common(self.book.contacts["deal_id"], self.book.contacts["role"])
            case "attribute":
                return [name for name in self.book.attributes("text") if len(self.common_values(name)) > 1]
            case "measure":
                return self.book.attributes("number")
            case "window":
                return self._windows
        raise ValueError(f"no vocabulary is called {per}")

    def common_values(self, attribute: str) -> list[str]:
        """The common values of a column of deals, sorted."""
        return self._common(self.book.deals["deal_id"], self.book.deals[attribute])

    def categories(self, attribute: str) -> list[str]:
        """The values of an attribute fixed at creation that are not pooled, sorted, and OTHER for those that are."""
        deals = len(self.book.deals)
        least = max(LEAST_DEALS_A_VALUE, LEAST_SHARE_A_VALUE * deals) if deals >= FEW_DEALS else None
        return [*self._common(self.book.deals["deal_id"], self.book.deals[attribute], least), OTHER]

    @cached_property
    def _steps(self) -> pd.Series:
        rows = self.book.activities
        return rows["kind"].astype("object") + " / " + rows["status"].fillna("done").astype("object")

    @cached_property
    def _windows(self) -> list[str]:
        return ["1", "3", "7"] if cadence_days(self.book) == 1 else ["7", "30", "90"]

    def _common(self, deal_id: pd.Series, words: pd.Series, least: float | None = None) -> list[str]:
        """Words that at least so many deals use, sorted; by default enough to learn a feature of its own."""
        deals = pd.DataFrame({"deal_id": deal_id, "word": words}).drop_duplicates().dropna()
        counts = deals["word"].value_counts()
        if least is None:
            least = max(LEAST_DEALS_A_WORD, LEAST_SHARE_A_WORD * len(self.book.deals))
        return sorted(str(word) for word in counts.index[counts >= least])


def plan_features(book: Book, choice: FeatureSettings = ALL, left_out: tuple[str, ...] = ()) -> FeaturePlan:
    """The columns that a model trained on this book gets: those the book can fill and the settings allow.

    `left_out` is stored in the plan; it names the fields that were removed from the book.

    Raises:
        UsageError: the choice names an unknown feature, family or column.
        DataError: no feature is left.

    >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-01T00:00Z"]})
    >>> plan_features(Book.of(deals=deals)).columns
    ['age_days']
    """
    refuse_unknown(choice)
    wanted, vocabulary, planned = chosen(choice), _Vocabulary(book), []
    for declared in REGISTRY.values():
        if not _can_fill(book, declared):
            continue
        words: list[str | None] = [*vocabulary.words(declared.per)] if declared.per else [None]
        planned += [
            PlannedFeature(feature=declared.name, word=word, categories=_categories(declared, word, vocabulary))
            for word in words
            if wanted(declared, word)
        ]
    if not planned:
        without = f" The leak audit left out {', '.join(left_out)}." if left_out else ""
        raise DataError((NOTHING_WITHOUT_DATES if book.manifest.timeless else NOTHING_ALLOWED) + without)
    return FeaturePlan(features=tuple(planned), left_out=left_out)


def known_words(book: Book, plan: FeaturePlan) -> dict[str, tuple[str, ...]]:
    """The words that the book uses often enough to learn from, for each vocabulary that the plan uses.

    A categorical column is its own vocabulary. `step`, `direction` and `role` are vocabularies of events.

    >>> book = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-01"]}))
    >>> known_words(book, plan_features(book))
    {}
    """
    vocabulary, per = _Vocabulary(book), {planned.declared.per for planned in plan.features}
    coded = {planned.column: planned.categories for planned in plan.features if planned.declared.unit == "category"}
    steps = coded.pop("last_step", None)
    looked_at = [name for name in OF_EVENTS if name in per or (name == "step" and steps)]
    return coded | {name: tuple(vocabulary.words(name)) for name in looked_at}


def _can_fill(book: Book, declared: Feature) -> bool:
    """Whether the book records what the feature needs."""
    return (declared.undated or not book.manifest.timeless) and declared.exists(book)


def _categories(declared: Feature, word: str | None, vocabulary: _Vocabulary) -> tuple[str, ...]:
    match declared.categories_from:
        case None:
            return ()
        case "attribute":
            return tuple(vocabulary.categories(str(word)))
        case "owner":
            return tuple(vocabulary.common_values("owner_id"))
        case "stage" | "step":
            return tuple(vocabulary.words(declared.categories_from))
