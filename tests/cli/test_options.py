"""What commands share: moments and settings are resolved at the door."""

import pandas as pd
import pytest

from walkaway.book import Book, Manifest
from walkaway.cli.options import newest_or, training_moment
from walkaway.errors import UsageError

DEALS = pd.DataFrame({"deal_id": ["d1", "d2"], "created_at": ["2026-01-05T09:00Z", "2026-01-07T08:00Z"]})
DATED = Book.of(deals=DEALS)
UNDATED = Book.of(Manifest(timeless=True), deals=DEALS.assign(created_at=pd.NaT))


def test_without_a_moment_the_newest_record_counts():
    assert newest_or(None, "--as-of", DATED) == pd.Timestamp("2026-01-07T08:00Z")
    assert newest_or("2026-01-06", "--as-of", DATED) == pd.Timestamp("2026-01-06T00:00Z")


def test_training_knows_all_the_book_knows_unless_a_moment_is_given():
    assert training_moment(None, DATED) == pd.Timestamp("2026-01-07T08:00Z")
    assert training_moment("2026-01-06", DATED) == pd.Timestamp("2026-01-06T00:00Z")


def test_a_book_without_dates_is_trained_on_without_a_moment_and_refuses_one():
    assert training_moment(None, UNDATED) is None
    with pytest.raises(UsageError, match="--until: this book has no dates"):
        training_moment("2026-01-06", UNDATED)
