"""A finding of a drift check: a stable code, a level, one sentence, and the figures behind it."""

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
NAMED = 3  # a sentence names at most so many columns or words, to stay short; the figures list all of them


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    found: a sentence. figures: plain JSON values, including the thresholds. note: one more sentence. remedy: a sentence
    that says what to do. plain: `found` without column names, for readers who do not know them; empty if it would be
    the same.
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
        sentence = f"Cannot tell: {self.found}" if self.level == "cannot_tell" else self.found
        return _with(sentence, self.remedy)

    @property
    def plain_found(self) -> str:
        """What was found, without column names and without the level."""
        return self.plain or self.found

    @property
    def plain_advice(self) -> str:
        """What was found, without column names and without the level, and what to do."""
        return _with(self.plain_found, self.remedy)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        fields = {"code": self.code, "name": NAMES[self.code], "level": self.level, "sentence": self.sentence}
        return fields | {"note": self.note, "figures": plain(self.figures)}


def _with(sentence: str, remedy: str) -> str:
    return f"{sentence} {remedy}" if remedy else sentence


def cannot_tell(code: Code, why: str, **figures: object) -> Finding:
    """A finding for a check that could not be made, and why."""
    return Finding(code, "cannot_tell", why, figures)


def level_of(value: float, levels: Levels) -> Level:
    """The level of a value for which higher is worse.

    >>> level_of(0.2, Levels(watch=0.1, act=0.25))
    'watch'
    """
    return "act" if value > levels.act else "watch" if value > levels.watch else "ok"


def worst(levels: list[Level]) -> Level:
    """The worst of these levels; ok if there are none.

    >>> worst(["ok", "watch", "cannot_tell"])
    'watch'
    """
    return min(levels, key=LEVELS.index, default="ok")


def named(items: list[str]) -> str:
    """The first few items of a list, and how many more there are.

    >>> named(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = len(items) - NAMED
    return ", ".join(items[:NAMED]) + (f" and {more} more" if more > 0 else "")


def listed(beginning: str, names: list[str], items: list[str]) -> tuple[str, str]:
    """A sentence that ends with a list, and the same sentence for readers who do not know the column names.

    Args:
        beginning: the sentence before the list.
        names: of the columns or vocabularies, in the order of the items. If one of those shown is a column over a
            vocabulary ("[word]"), which means nothing to that reader, the second sentence leaves the list out.
        items: the text shown for each name.

    >>> listed("2 columns of open deals moved", ["age_days", "touches_in[1]"], ["age_days (now 4)", "touches_in[1]"])
    ('2 columns of open deals moved: age_days (now 4), touches_in[1].', '2 signs of open deals moved.')
    """
    sentence = f"{beginning}: {named(items)}."
    has_word = any(name.endswith("]") for name in names[:NAMED])
    plain_sentence = beginning if has_word else f"{beginning}: {named(items).replace('_', ' ')}"
    return sentence, f"{plain_sentence.replace(' columns ', ' signs ')}."
