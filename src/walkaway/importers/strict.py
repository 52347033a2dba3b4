"""What all mappings share: unknown keys are refused, and nothing changes after loading."""

from __future__ import annotations

from typing import Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict

__all__ = ["Direction", "Strict", "existing_timezone"]

Direction = Literal["inbound", "outbound", "internal"]


class Strict(BaseModel):
    """Base of every part of a mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
