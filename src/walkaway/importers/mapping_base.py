"""Base classes of mappings: unknown keys are refused, and mappings cannot be changed after loading."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict

__all__ = ["Direction", "SourceMapping", "Strict", "existing_timezone"]

Direction = Literal["inbound", "outbound", "internal"]


class Strict(BaseModel):
    """Base of every part of a mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceMapping(Strict):
    """Base of a whole mapping. A subclass declares its kind of source as `source: Literal["..."]`."""

    kinds: ClassVar[dict[str, type[SourceMapping]]] = {}
    kind: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **more: Any) -> None:
        """Register the subclass by the name of its source."""
        super().__pydantic_init_subclass__(**more)
        [cls.kind] = get_args(cls.model_fields["source"].annotation)
        SourceMapping.kinds[cls.kind] = cls


def existing_timezone(name: str | None) -> str | None:
    """The name of an existing time zone.

    Raises:
        ValueError: there is no such time zone.

    >>> existing_timezone("Europe/Amsterdam")
    'Europe/Amsterdam'
    """
    if name is not None and name not in available_timezones():
        raise ValueError("must be a time zone such as Europe/Amsterdam")
    return name
