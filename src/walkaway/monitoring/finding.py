"""A finding: a code that stays, a level, one sentence, and the figures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from walkaway.config import Levels
from walkaway.files import plain

__all__ = ["LEVELS", "NAMES", "Code", "Finding", "Level", "cannot_tell", "level_of", "listed", "named", "worst"]

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
    """What one check found.

    found: a sentence. figures: numbers and texts, thresholds among them. note: a sentence more. remedy: what to do, a
    sentence. plain: `found` for readers who know no columns; empty where it is the same.
    """

    code: Code
    level: Level
    found: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    remedy: str = ""
    plain: str = ""

    @property
    def sentence(self) -> str:
        """What was found, and what to do."""
        told = f"Cannot tell: {self.found}" if self.level == "cannot_tell" else self.found
        return _with(told, self.remedy)

    @property
    def plain_found(self) -> str:
        """What was found, without names of columns and without the level."""
        return self.plain or self.found

    @property
    def plain_advice(self) -> str:
        """What was found, without names of columns and without the level, and what to do."""
        return _with(self.plain_found, self.remedy)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = {"code": self.code, "name": NAMES[self.code], "level": self.level, "sentence": self.sentence}
        return told | {"note": self.note, "figures": plain(self.figures)}


def _with(told: str, remedy: str) -> str:
    return f"{told} {remedy}" if remedy else told


def cannot_tell(code: Code, why: str, **figures: object) -> Finding:
    """A finding that could not be made, and why."""
    return Finding(code, "cannot_tell", why, figures)


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


def listed(told: str, names: list[str], items: list[str]) -> tuple[str, str]:
    """A sentence that lists what it is about, and the same for readers who know no columns.

    Args:
        told: the sentence before the list.
        names: of the columns or vocabularies, in the order of the items; one over the words of a vocabulary ("[word]")
            says nothing to a reader, and the list is left out.
        items: what is said of each.

    >>> listed("2 columns of open deals moved", ["age_days", "touches_in[1]"], ["age_days (now 4)", "touches_in[1]"])
    ('2 columns of open deals moved: age_days (now 4), touches_in[1].', '2 signs of open deals moved.')
    """
    sentence = f"{told}: {named(items)}."
    plain = told if any(name.endswith("]") for name in names[:NAMED]) else f"{told}: {named(items).replace('_', ' ')}"
    return sentence, f"{plain.replace(' columns ', ' signs ')}."
