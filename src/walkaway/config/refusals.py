"""Errors for settings that do not exist or break a rule: the name, the rule, the value found and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ValidationError

from walkaway.config.settings import Settings
from walkaway.errors import UsageError
from walkaway.validation import broken_rule

__all__ = ["Origin", "known_names", "refusal", "unknown"]


def known_names(model: type[BaseModel] = Settings, above: str = "") -> Iterator[str]:
    """Dotted names of all settings and sections.

    >>> [name for name in known_names() if name.startswith("batch")]
    ['batch', 'batch.max_age_days', 'batch.folder', 'batch.format']
    """
    for name, field in model.model_fields.items():
        yield f"{above}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from known_names(field.annotation, f"{above}{name}.")


def _nearest(name: str) -> str | None:
    """The closest setting: by full name, else by its last part, in case the section is wrong."""
    names = list(known_names())
    whole = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    if whole:
        return whole[0]
    last = {known.rsplit(".", 1)[-1]: known for known in reversed(names)}
    part = difflib.get_close_matches(name.rsplit(".", 1)[-1], list(last), n=1)
    return last[part[0]] if part else None


def unknown(place: str, name: str, *, as_variable: bool = False) -> UsageError:
    """The error for a setting that does not exist; `place` is the file or variable that names it.

    >>> print(unknown("file walkaway.toml", "train.fold"))
    file walkaway.toml: there is no setting train.fold. Did you mean train.folds?
    """
    near = _nearest(name)
    if near and as_variable:
        near = f"WALKAWAY_{near.upper().replace('.', '__')}"
    hint = f"Did you mean {near}?" if near else "`walkaway config show` lists all settings."
    return UsageError(f"{place}: there is no setting {name}. {hint}")


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))


@dataclass(frozen=True)
class Origin:
    """The source of a setting: a file by path, or an environment variable by name."""

    kind: Literal["file", "environment"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def place(self) -> str:
        """The source as errors name it; a variable by its name alone."""
        return str(self) if self.kind == "file" else self.name


def _lower(rule: str) -> str:
    """The rule in lower case, for use within a sentence."""
    return rule[:1].lower() + rule[1:]


def _origin(name: str, origins: Mapping[str, Origin], file: str) -> Origin:
    """The source of a setting: its own, else that of its section or of one of its parts."""
    related = [o for known, o in origins.items() if f"{name}.".startswith(f"{known}.") or known.startswith(f"{name}.")]
    return origins.get(name) or (related[0] if related else Origin("file", file))


def refusal(error: ValidationError, origins: Mapping[str, Origin], file: str) -> UsageError:
    """The first validation error as a UsageError."""
    first = error.errors(include_url=False)[0]
    name = _dotted(first["loc"])
    origin = _origin(name, origins, file)
    if first["type"] == "extra_forbidden":
        return unknown(origin.place, name, as_variable=origin.kind == "environment")
    if first["type"] == "missing":
        return UsageError(f"{origin.place}: {name} is required, found none. Add it.")
    found = "" if isinstance(first["input"], (dict, BaseModel)) else f", found {_found(name, first['input'])}"
    rule = _lower(broken_rule(first))
    return UsageError(f"{origin.place}: {name} {rule}{found}. Correct it, or remove it to use the default.")


def _found(name: str, value: object) -> str:
    return "a secret" if name == "tracking_uri" else repr(value)
