"""Attributes that the book declares as fixed when the deal is created."""

import numpy as np

from walkaway.asof import View
from walkaway.book import Book
from walkaway.features.declare import Coded, feature


def _attributes(book: Book) -> bool:
    return bool(book.attributes("text"))


def _measures(book: Book) -> bool:
    return bool(book.attributes("number"))


@feature(
    unit="category",
    theme="fit",
    sentence="{of}: {value}",
    absent="{of} unknown",
    per="attribute",
    categories_from="attribute",
    undated=True,
    lasting=True,
    exists=_attributes,
)
def attribute(view: View, word: str) -> Coded:
    """A category fixed at creation, such as product or industry; never the owner of the deal."""
    return view.coded_attribute(word)


@feature(
    unit="number",
    theme="fit",
    sentence="{of}: {value}",
    absent="{of} unknown",
    per="measure",
    undated=True,
    lasting=True,
    exists=_measures,
)
def measure(view: View, word: str) -> np.ndarray:
    """A number fixed at creation, such as the buyer's employees or a list price."""
    numbers: np.ndarray = view.attribute(word).to_numpy(dtype=np.float64)
    return numbers
