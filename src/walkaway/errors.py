"""Everything walkaway raises on purpose.

    WalkawayError
    +-- UsageError           exit 2   asked for something that cannot be: a moment, an option, a deal
    +-- DataError            exit 3   the input cannot be used
    |   +-- MappingError              the mapping does not fit the file, or is unknown
    |   +-- BookError                 a book is absent, incomplete or damaged
    |   +-- BundleError               a model bundle is absent or damaged
    +-- PromotionError            exit 4   the new model was not promoted
    +-- LockedError          exit 5   another run holds the lock
    +-- IncompleteError      exit 6   something asked for is missing from the output

Each message names the thing, the rule, the value found and the remedy.
"""

__all__ = [
    "BookError",
    "BundleError",
    "DataError",
    "IncompleteError",
    "LockedError",
    "MappingError",
    "PromotionError",
    "UsageError",
    "WalkawayError",
]


class WalkawayError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(WalkawayError):
    """Something was asked for that cannot be."""

    exit_code = 2


class DataError(WalkawayError):
    """The input cannot be used."""

    exit_code = 3


class MappingError(DataError):
    """A mapping is unknown or does not fit its file."""


class BookError(DataError):
    """A book is absent, incomplete or damaged."""


class BundleError(DataError):
    """A model bundle is absent or damaged."""


class PromotionError(WalkawayError):
    """The new model was saved, and not promoted to be the one in use."""

    exit_code = 4


class LockedError(WalkawayError):
    """Another run holds the lock."""

    exit_code = 5


class IncompleteError(WalkawayError):
    """Something asked for is missing from the output."""

    exit_code = 6
