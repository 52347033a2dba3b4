"""The errors that walkaway raises.

    any other exception      exit 1   a fault of walkaway itself (reported in walkaway.cli)
    WalkawayError
    +-- UsageError           exit 2   a request that cannot be met: a moment, an option, a deal
    +-- DataError            exit 3   the input cannot be used
    |   +-- MappingError              the mapping does not fit the file, or is unknown
    |   +-- BookError                 a book is absent, incomplete or damaged
    |   +-- BundleError               a model bundle is absent or damaged
    +-- PromotionError       exit 4   the new model is not put in use
    +-- LockedError          exit 5   another run holds the lock
    +-- IncompleteError      exit 6   requested output is missing

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
    """Base of all errors of walkaway. `exit_code` is the exit code of the command line."""

    exit_code = 1


class UsageError(WalkawayError):
    """A request cannot be met."""

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
    """The new model is saved, not put in use."""

    exit_code = 4


class LockedError(WalkawayError):
    """Another run holds the lock."""

    exit_code = 5


class IncompleteError(WalkawayError):
    """Requested output is missing."""

    exit_code = 6
