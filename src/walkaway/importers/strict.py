"""What all mappings share: unknown keys are refused, and nothing changes after loading."""

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
    """Base of a whole mapping. A subclass names its kind of source by `source: Literal["..."]`, and is found by it."""

    kinds: ClassVar[dict[str, type[SourceMapping]]] = {}
    kind: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **more: Any) -> None:
        """Make the subclass known by the name of its source."""
        super().__pydantic_init_subclass__(**more)
        [cls.kind] = get_args(cls.model_fields["source"].annotation)
        SourceMapping.kinds[cls.kind] = cls


def existing_timezone(name: str | None) -> str | None:
    """The name, if there is such a time zone.

    Raises:
        ValueError: there is none.

    >>> existing_timezone("Europe/Amsterdam")
    'Europe/Amsterdam'
    """
    if name is not None and name not in available_timezones():
        raise ValueError(f"no time zone is called {name}; use a name such as Europe/Amsterdam")
    return name
