"""The owner of the deal. Off unless `train.features.owner_identity` is on, so that people are not scored."""

from walkaway.asof import View
from walkaway.book import Book
from walkaway.features.declare import Coded, feature


def _has_owners(book: Book) -> bool:
    return "owner_id" in book.manifest.fixed_at_creation and book.deals["owner_id"].nunique() > 1


@feature(
    unit="category",
    theme="effort",
    sentence="owned by {value}",
    absent="owner unknown",
    categories_from="owner",
    undated=True,
    lasting=True,
    exists=_has_owners,
)
def owner(view: View) -> Coded:
    """The deal's owner, where the book declares it fixed at creation."""
    return view.coded_attribute("owner_id")
