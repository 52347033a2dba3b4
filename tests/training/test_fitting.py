import pytest

from walkaway.config import TrainSettings
from walkaway.errors import UsageError
from walkaway.training.fitting import audit_as_of


def test_the_audit_of_a_book_with_dates_needs_a_moment(make_book):
    """Without one it would look at columns only, as for a book without dates, and not say so."""
    book = make_book(deals="deal_id | created_at | closed_at | outcome\nd1 | 2026-01-01 | - | -")

    with pytest.raises(UsageError, match=r"^until must be a moment for a book with dates, found None\. Name one\.$"):
        audit_as_of(book, None, TrainSettings())
