"""The workload of the deal's owner: the number of open deals, not who the owner is."""

import numpy as np

from walkaway.asof import View
from walkaway.book import Book
from walkaway.features.declare import feature


def _has_owners(book: Book) -> bool:
    return "owner_id" in book.manifest.fixed_at_creation and bool(book.deals["owner_id"].duplicated().any())


@feature(unit="count", theme="effort", sentence="its owner's open deals: {value}", exists=_has_owners)
def owner_open_deals(view: View) -> np.ndarray:
    """Number of deals of the same owner open at as_of, this one included."""
    return view.shared("openings", by="owner_id").count() - view.shared("closings", by="owner_id").count()
