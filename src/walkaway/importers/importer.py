"""The importer interface. A module here that defines `IMPORTER` adds the command `walkaway import NAME`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import pandas as pd

from walkaway.config import AS_IT_IS, MoneySettings
from walkaway.errors import UsageError
from walkaway.importers.imported import Imported

__all__ = ["Export", "Importer", "importers", "mapping_required"]

Advance = Callable[[str, int], None]


@dataclass(frozen=True)
class Export:
    """The input of an importer.

    paths: the files. mapping: a mapping file, or the name of a built-in mapping. now: the moment of the import (UTC);
    rows recorded later are quarantined. money: the reporting currency, and dated rates into it. advance: called with
    the current task and its count so far (0 if not counted). lost_after_days: of the settings, for what is told.
    """

    paths: Sequence[Path]
    mapping: str | None
    now: pd.Timestamp
    money: MoneySettings = AS_IT_IS
    advance: Advance = lambda task, count: None
    lost_after_days: float | None = None


class Importer(Protocol):
    """Reads exports of one kind.

    name: the name of the command, and the `source` of its mappings. purpose: the help of the command. paths: the help
    of its file arguments.
    """

    name: str
    purpose: str
    paths: str

    def read(self, export: Export) -> Imported:
        """The book, its quarantine, and the detected formats of the files.

        Raises:
            UsageError, DataError, MappingError, BookError: the export or its mapping cannot be used.
        """

    def suggest(self, paths: Sequence[Path]) -> str:
        """A first draft of a mapping for these files, as TOML.

        Raises:
            UsageError: this importer cannot draft a mapping.
        """


def mapping_required(mapping: str | None, hint: str = "") -> str:
    """The mapping of an importer that requires one.

    Raises:
        UsageError: no mapping was given.
    """
    if mapping is None:
        raise UsageError(f"--mapping is required, found none. Name a mapping{hint}.")
    return mapping


def importers() -> dict[str, Importer]:
    """All importers by name: every module of this package that defines `IMPORTER`.

    >>> importers()["table"].purpose
    'Import a flat export as a book, or draft a mapping for it.'
    """
    package = import_module("walkaway.importers")
    modules = [import_module(f"{package.__name__}.{module.name}") for module in pkgutil.iter_modules(package.__path__)]
    declared = [module.IMPORTER for module in modules if hasattr(module, "IMPORTER")]
    return {importer.name: importer for importer in declared}
