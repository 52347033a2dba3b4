"""What an importer is. A file here that declares one, as `IMPORTER`, becomes the command `walkaway import NAME`."""

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
    """A foreign export, as an importer is given it.

    paths: its files. mapping: a mapping file, or the name of one that ships. now: the moment of the import (UTC); rows
    recorded later are quarantined. money: the reporting currency and the dated rates into it. advance: told what is
    read, and how much of it so far (0 where that is not counted).
    """

    paths: Sequence[Path]
    mapping: str | None
    now: pd.Timestamp
    money: MoneySettings = AS_IT_IS
    advance: Advance = lambda what, count: None


class Importer(Protocol):
    """Reads exports of one kind.

    name: of the command and of the mappings' `source`. purpose: the help of the command. paths: the help of its files.
    """

    name: str
    purpose: str
    paths: str

    def read(self, export: Export) -> Imported:
        """The book, its quarantine, and what was found out about the files.

        Raises:
            UsageError, DataError, MappingError, BookError: what is wrong with the export or its mapping, in a sentence.
        """

    def suggest(self, paths: Sequence[Path]) -> str:
        """A first draft of a mapping for these files, as TOML.

        Raises:
            UsageError: this importer drafts none.
        """


def mapping_required(mapping: str | None, hint: str = "") -> str:
    """The mapping, which this importer cannot do without.

    Raises:
        UsageError: none was named.
    """
    if mapping is None:
        raise UsageError(f"--mapping is required: name a mapping{hint}.")
    return mapping


def importers() -> dict[str, Importer]:
    """All importers by name: every file of this room that declares one.

    >>> sorted(importers())
    ['table', 'xes']
    """
    room = import_module("walkaway.importers")
    modules = [import_module(f"{room.__name__}.{found.name}") for found in pkgutil.iter_modules(room.__path__)]
    declared = [module.IMPORTER for module in modules if hasattr(module, "IMPORTER")]
    return {importer.name: importer for importer in declared}
