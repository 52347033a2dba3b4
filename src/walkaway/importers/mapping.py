"""Mappings: TOML files that say what the parts of a foreign export mean. Some ship; any can be a user's own file."""

from __future__ import annotations

import difflib
import tomllib
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from walkaway.errors import MappingError
from walkaway.importers.strict import Direction, Strict, existing_timezone
from walkaway.importers.table_mapping import TableMapping
from walkaway.schema import TABLES

__all__ = ["XesMapping", "load_mapping", "mapping_for", "shipped_mappings"]


class CaseMapping(Strict):
    """Which case attributes are the deal's; values are attribute keys of the log."""

    deal_id: str
    created_at: str | None = None
    amount: str | None = None
    account_id: str | None = None
    owner_id: str | None = None
    team: str | None = None
    pipeline: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    fixed_at_creation: tuple[str, ...] = ()

    @field_validator("attributes")
    @classmethod
    def _no_column_of_the_book(cls, attributes: dict[str, str]) -> dict[str, str]:
        taken = sorted(set(attributes) & set(TABLES["deals"].names))
        if taken:
            raise ValueError(
                f"{taken[0]} is a column of the book; map it under its own name, or call the attribute another"
            )
        return attributes

    @model_validator(mode="after")
    def _fixed_columns_are_mapped(self) -> Self:
        mapped = {name for name, key in self if isinstance(key, str)} | set(self.attributes)
        unknown = [name for name in self.fixed_at_creation if name not in mapped]
        if unknown:
            raise ValueError(
                f"fixed_at_creation names {unknown[0]}, which [case] does not map; it maps {sorted(mapped)}"
            )
        return self


class EventMapping(Strict):
    """Which event attributes name the event, its moment, its lifecycle transition and who did it."""

    name: str = "concept:name"
    moment: str = "time:timestamp"
    transition: str | None = "lifecycle:transition"
    owner: str | None = None


class OutcomeMapping(Strict):
    """Events that close a deal; the first to happen counts."""

    outcome: Literal["won", "lost"]
    loss_reason: str | None = None
    events: tuple[str, ...] = Field(min_length=1)


class FieldMapping(Strict):
    """Events, by pattern, that set a tracked field to their own name (without `strip`)."""

    field: str
    events: str
    strip: str = ""


class ActivityMapping(Strict):
    """Events, by pattern, that are activities of one kind and take the hours given."""

    events: str
    kind: str
    direction: Direction = "internal"
    hours: float | None = Field(default=0.0, ge=0)


class WorkMapping(Strict):
    """Events, by pattern, that are steps of work items, and how a begin and an end are paired into hours."""

    events: str
    planned: str | None = None
    begun: str | None = None
    done: str
    clip_hours: float = Field(gt=0)
    unpaired_hours: float | None = Field(default=None, ge=0)
    direction: Direction = "internal"
    kinds: dict[str, str] = Field(default_factory=dict)
    directions: dict[str, Direction] = Field(default_factory=dict)

    def status_of(self, transition: str) -> str | None:
        """planned, begun or done; None for a transition that the mapping does not name."""
        named = {self.planned: "planned", self.begun: "begun", self.done: "done"}
        return named.get(transition)


class XesMapping(Strict):
    """What the cases and events of an XES log mean."""

    source: Literal["xes"]
    currency: str = ""
    timezone: str | None = None
    case: CaseMapping
    event: EventMapping = EventMapping()
    outcome: tuple[OutcomeMapping, ...] = Field(min_length=1)
    field: tuple[FieldMapping, ...] = ()
    activity: tuple[ActivityMapping, ...] = ()
    work: WorkMapping | None = None

    _timezone_exists = field_validator("timezone")(existing_timezone)

    def meaning_of(self, name: str) -> FieldMapping | ActivityMapping | WorkMapping | None:
        """The first part of the mapping whose pattern fits the event's name."""
        parts = (*self.activity, *((self.work,) if self.work else ()), *self.field)
        return next((part for part in parts if fnmatchcase(name, part.events)), None)


def shipped_mappings() -> list[str]:
    """Names of the mappings that come with the package.

    >>> shipped_mappings()
    ['bpic2012', 'maven_crm', 'salvirt_b2b']
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
        f"--mapping {name_or_file}: neither a file nor a shipped mapping ({', '.join(shipped_mappings())}).{hint}"
    )


Mapping = XesMapping | TableMapping
M = TypeVar("M", XesMapping, TableMapping)
_MODELS: dict[str, type[XesMapping] | type[TableMapping]] = {"xes": XesMapping, "table": TableMapping}


def _model_of(name_or_file: str, parsed: dict[str, Any]) -> type[XesMapping] | type[TableMapping]:
    source = parsed.get("source")
    if not isinstance(source, str) or source not in _MODELS:
        raise MappingError(
            f"mapping {name_or_file}: source: must be one of {', '.join(_MODELS)} (found {source!r}). "
            "Correct this part."
        )
    return _MODELS[source]


def load_mapping(name_or_file: str) -> Mapping:
    """The mapping of that shipped name or file; its `source` says of which kind it is.

    Raises:
        MappingError: no such mapping, not TOML, or a part that is missing, unknown or of the wrong type.

    >>> load_mapping("bpic2012").case.amount
    'AMOUNT_REQ'
    """
    try:
        parsed = tomllib.loads(_text_of(name_or_file))
        return _model_of(name_or_file, parsed).model_validate(parsed)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"mapping {name_or_file}: not TOML: {error}. Correct the file.") from error
    except ValidationError as error:
        raise MappingError(f"mapping {name_or_file}: {_said(error.errors()[0])}. Correct this part.") from error


def _said(first: Any) -> str:
    """Where and what pydantic found wrong; of a whole table the rule alone, since its value is all of it."""
    said = first["msg"].removeprefix("Value error, ").replace("Extra inputs are not permitted", "there is no such key")
    where = f"{'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
    found = "" if isinstance(first["input"], dict) else f" (found {first['input']!r})"
    return f"{where}{said}{found}"


def mapping_for(model: type[M], name_or_file: str) -> M:
    """The mapping of that shipped name or file, for an importer of one kind of source.

    Raises:
        MappingError: as `load_mapping`, or it is for another kind of source.
    """
    found = load_mapping(name_or_file)
    if not isinstance(found, model):
        raise MappingError(
            f"mapping {name_or_file}: is for `walkaway import {found.source}`. Use that command, or another mapping."
        )
    return found
