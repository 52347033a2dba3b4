"""A finding: a code that stays, a level, one sentence, and the figures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from walkaway.config import Levels

__all__ = ["LEVELS", "NAMES", "Code", "Finding", "Level", "cannot_tell", "level_of", "named", "worst"]

Level = Literal["act", "watch", "cannot_tell", "ok"]
LEVELS: tuple[Level, ...] = ("act", "watch", "cannot_tell", "ok")  # worst first
Code = Literal["D1", "D2", "D3", "D4", "D5", "D6", "D7"]
NAMES: dict[Code, str] = {
    "D1": "columns",
    "D2": "unknown words",
    "D3": "missing values",
    "D4": "scores",
    "D5": "wins",
    "D6": "hours",
    "D7": "age",
}
NAMED = 3  # columns or words that a sentence names; the figures have them all


@dataclass(frozen=True)
class Finding:
    """What one check found; `figures` are plain JSON values, thresholds among them; `note` is a sentence more."""

    code: Code
    level: Level
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = {"code": self.code, "name": NAMES[self.code], "level": self.level, "sentence": self.sentence}
        return told | {"note": self.note, "figures": dict(self.figures)}


def cannot_tell(code: Code, why: str, **figures: object) -> Finding:
    """A finding that could not be made, and why."""
    return Finding(code, "cannot_tell", f"Cannot tell: {why}", figures)


def level_of(value: float, levels: Levels) -> Level:
    """The level of a value that is the worse the higher it is.

    >>> level_of(0.2, Levels(watch=0.1, act=0.25))
    'watch'
    """
    return "act" if value > levels.act else "watch" if value > levels.watch else "ok"


def worst(levels: list[Level]) -> Level:
    """The worst of some levels; ok where there are none.

    >>> worst(["ok", "watch", "cannot_tell"])
    'watch'
    """
    return min(levels, key=LEVELS.index, default="ok")


def named(told: list[str]) -> str:
    """The first few of a list, and how many more there are.

    >>> named(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = len(told) - NAMED
    return ", ".join(told[:NAMED]) + (f" and {more} more" if more > 0 else "")
