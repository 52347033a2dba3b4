"""Mappings: TOML files with the meaning of the files and columns of an export. Some are built in."""

from __future__ import annotations

import difflib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from walkaway.errors import MappingError
from walkaway.importers.mapping_base import SourceMapping
from walkaway.validation import broken_rule

__all__ = ["load_mapping", "mapping_for", "shipped_mappings"]

M = TypeVar("M", bound=SourceMapping)


def shipped_mappings() -> list[str]:
    """Names of the built-in mappings.

    >>> "bpic2012" in shipped_mappings()
    True
    """
    folder = files("walkaway.importers") / "mappings"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _text_of(name_or_file: str) -> str:
    if name_or_file in shipped_mappings():
        return (files("walkaway.importers") / "mappings" / f"{name_or_file}.toml").read_text(encoding="utf-8")
    path = Path(name_or_file)
    if path.is_file():
        return path.read_text(encoding="utf-8")
    near = difflib.get_close_matches(name_or_file, shipped_mappings(), n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise MappingError(
        f"--mapping {name_or_file}: must be a file or a built-in mapping ({', '.join(shipped_mappings())}).{hint} "
        "Correct the name."
    )


def _model_of(name_or_file: str, parsed: dict[str, Any]) -> type[SourceMapping]:
    source, kinds = parsed.get("source"), SourceMapping.kinds
    if not isinstance(source, str) or source not in kinds:
        raise MappingError(
            f"mapping {name_or_file}: source: must be one of {', '.join(sorted(kinds))} (found {source!r}). "
            "Correct this part."
        )
    return kinds[source]


def load_mapping(name_or_file: str) -> SourceMapping:
    """The mapping of a built-in name or a file. Its `source` decides the kind of mapping.

    Raises:
        MappingError: no such mapping, not TOML, or a key that is missing, unknown or of the wrong type.

    >>> load_mapping("bpic2012").case.amount
    'AMOUNT_REQ'
    """
    try:
        parsed = tomllib.loads(_text_of(name_or_file))
        return _model_of(name_or_file, parsed).model_validate(parsed)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(
            f"mapping {name_or_file}: must be TOML in UTF-8, found: {error}. Correct the file."
        ) from error
    except ValidationError as error:
        raise MappingError(f"mapping {name_or_file}: {_problem(error.errors()[0])}. Correct this part.") from error


def _problem(first: Any) -> str:
    """The key, the rule it breaks and the value found. The value of a whole table is left out."""
    where = f"{'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
    found = "" if isinstance(first["input"], dict) else f" (found {first['input']!r})"
    return f"{where}{broken_rule(first)}{found}"


def mapping_for(model: type[M], name_or_file: str) -> M:
    """The mapping of a built-in name or a file, for one kind of source.

    Raises:
        MappingError: as `load_mapping`, or it is for another kind of source.
    """
    mapping = load_mapping(name_or_file)
    if not isinstance(mapping, model):
        raise MappingError(
            f"mapping {name_or_file}: is for `walkaway import {mapping.kind}`. Use that command, or another mapping."
        )
    return mapping
