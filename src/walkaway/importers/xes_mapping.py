"""Mappings of XES event logs: the attributes of a deal, and the meaning of each event."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from walkaway.book import TABLES
from walkaway.importers.mapping_base import Direction, SourceMapping, Strict, existing_timezone

__all__ = ["XesMapping"]


class CaseMapping(Strict):
    """The case attributes of a deal; values are attribute keys in the log."""

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
            raise ValueError(f"{taken[0]} is a column of the book; map it under its own name, or rename the attribute")
        return attributes

    @model_validator(mode="after")
    def _fixed_columns_are_mapped(self) -> Self:
        mapped = {name for name, key in self if isinstance(key, str)} | set(self.attributes)
        unknown = [name for name in self.fixed_at_creation if name not in mapped]
        if unknown:
            raise ValueError(f"fixed_at_creation must name columns among {sorted(mapped)}, found {unknown[0]}")
        return self


class EventMapping(Strict):
    """The event attributes for the name, the moment, the lifecycle transition and the owner."""

    name: str = "concept:name"
    moment: str = "time:timestamp"
    transition: str | None = "lifecycle:transition"
    owner: str | None = None


class OutcomeMapping(Strict):
    """Events that close a deal; the first one counts."""

    outcome: Literal["won", "lost"]
    loss_reason: str | None = None
    events: tuple[str, ...] = Field(min_length=1)


class FieldMapping(Strict):
    """Events, by pattern, that set a tracked field to their own name (without `strip`)."""

    field: str
    events: str
    strip: str = ""


class ActivityMapping(Strict):
    """Events, by pattern, that are activities of one kind with fixed hours."""

    events: str
    kind: str
    direction: Direction = "internal"
    hours: float | None = Field(default=0.0, ge=0)


class WorkMapping(Strict):
    """Events, by pattern, that are steps of work items. Pairs of begin and end give the hours."""

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
        """planned, begun or done; None for a transition that is not in the mapping."""
        named = {self.planned: "planned", self.begun: "begun", self.done: "done"}
        return named.get(transition)


class XesMapping(SourceMapping):
    """The meaning of the cases and events of an XES log."""

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
        """The first part of the mapping whose pattern matches the event's name."""
        parts = (*self.activity, *((self.work,) if self.work else ()), *self.field)
        return next((part for part in parts if fnmatchcase(name, part.events)), None)
