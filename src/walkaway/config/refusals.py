"""What is said of a setting that does not exist or breaks its rule: its name, the rule, the value, the remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from walkaway.config.settings import Settings
from walkaway.errors import UsageError

__all__ = ["known_names", "refusal", "unknown"]


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
    """The nearest setting: by whole name, else by the last part of it alone (the section may be what is wrong)."""
    names = list(known_names())
    whole = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    if whole:
        return whole[0]
    last = {known.rsplit(".", 1)[-1]: known for known in reversed(names)}
    part = difflib.get_close_matches(name.rsplit(".", 1)[-1], list(last), n=1)
    return last[part[0]] if part else None


def unknown(place: str, name: str, *, as_variable: bool = False) -> UsageError:
    """The error for a setting that does not exist, found at that place (a file, or a variable).

    >>> print(unknown("file walkaway.toml", "train.fold"))
    file walkaway.toml: there is no setting train.fold. Did you mean train.folds?
    """
    near = _nearest(name)
    if near and as_variable:
        near = f"WALKAWAY_{near.upper().replace('.', '__')}"
    hint = f"Did you mean {near}?" if near else "`walkaway config show` lists all there are."
    return UsageError(f"{place}: there is no setting {name}. {hint}")


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))


def _rule(message: str) -> str:
    """pydantic's sentence as a rule: "Input should be greater than 0" is "must be greater than 0"."""
    said = re.sub(r"a valid dictionary( or instance of \w+)?", "a table", message.removeprefix("Value error, "))
    said = said.replace("String should match pattern '^[A-Z]{3}$'", "must be three capital letters, as in EUR")
    said = said.replace("a valid tuple", "a list").replace("Input should", "must")
    return said[:1].lower() + said[1:]


def _origin(name: str, origins: Mapping[str, str], file: str) -> str:
    """Where a setting came from: its own origin, or that of what it is part of, or of one of its parts."""
    related = [o for known, o in origins.items() if f"{name}.".startswith(f"{known}.") or known.startswith(f"{name}.")]
    return origins.get(name) or (related[0] if related else f"file {file}")


def refusal(error: ValidationError, origins: Mapping[str, str], file: str) -> UsageError:
    """The first thing pydantic found wrong, as one sentence."""
    first: Any = error.errors(include_url=False)[0]
    name = _dotted(first["loc"])
    place = _origin(name, origins, file).removeprefix("environment ")
    if first["type"] == "extra_forbidden":
        return unknown(place, name, as_variable=not place.startswith("file "))
    if first["type"] == "missing":
        return UsageError(f"{place}: {name} is required and absent. Add it.")
    found = "" if isinstance(first["input"], (dict, BaseModel)) else f", found {_found(name, first['input'])}"
    return UsageError(f"{place}: {name} {_rule(first['msg'])}{found}. Correct it, or leave it out for the default.")


def _found(name: str, value: object) -> str:
    return "a secret" if name == "tracking_uri" else repr(value)
