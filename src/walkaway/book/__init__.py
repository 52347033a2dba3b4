"""The book: five tables with the deals of one team. Declarations, reading and writing, quarantine, and hours."""

from walkaway.book.effort import SECONDS_PER_HOUR, assumed_share, effort_seconds
from walkaway.book.ending_names import speaks_of_the_end
from walkaway.book.io import read_book, write_book
from walkaway.book.lookup import deal_places
from walkaway.book.lost_after import counted_lost, lost_after_sentence, with_lost_after
from walkaway.book.names import NAMES, is_link, shown_deal
from walkaway.book.quarantine import COLUMNS, admit, entries
from walkaway.book.schema import MOMENT, SOURCE_ROW, TABLES, Book, Manifest, conform

__all__ = [
    "COLUMNS",
    "MOMENT",
    "NAMES",
    "SECONDS_PER_HOUR",
    "SOURCE_ROW",
    "TABLES",
    "Book",
    "Manifest",
    "admit",
    "assumed_share",
    "conform",
    "counted_lost",
    "deal_places",
    "effort_seconds",
    "entries",
    "is_link",
    "lost_after_sentence",
    "read_book",
    "shown_deal",
    "speaks_of_the_end",
    "with_lost_after",
    "write_book",
]
