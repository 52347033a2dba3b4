"""The settings in force and their sources: defaults, then one TOML file, then the environment."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from walkaway.config.refusals import Origin, refusal, unknown
from walkaway.config.settings import DIALS, Settings
from walkaway.errors import UsageError

__all__ = ["FILE", "PREFIX", "InForce", "masked", "read_settings"]

FILE = Path("walkaway.toml")
PREFIX = "WALKAWAY_"
NOT_SETTINGS = ("WALKAWAY_CONFIG", "WALKAWAY_DEBUG")
MLFLOW = "MLFLOW_TRACKING_URI"
_SECRET = re.compile(r"(?<=://)\S*(?=@)|(?<=password=)[^&\s]*|(?<=token=)[^&\s]*|(?<=secret=)[^&\s]*", re.IGNORECASE)


def masked(text: str) -> str:
    """The text with credentials in URLs and secret parameters masked.

    >>> masked("https://ann:s3cret@mlflow.example.com")
    'https://***@mlflow.example.com'
    """
    return _SECRET.sub("***", text)


@dataclass(frozen=True)
class InForce:
    """Settings, and the source of each setting that is not a default, by dotted name."""

    settings: Settings
    origins: Mapping[str, str]

    def rows(self) -> list[tuple[str, object, str]]:
        """(name, value as plain JSON, source) of every setting; secrets are masked."""
        plain = self.settings.model_dump(mode="json", by_alias=True)
        return [(name, _shown(value), self.origins.get(name, "default")) for name, value in _leaves(plain)]


def _shown(value: object) -> object:
    return masked(value) if isinstance(value, str) else value


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values; an empty table is a leaf."""
    for key, value in tree.items():
        name = f"{above}{key}"
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value


def _merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Both trees merged; `high` takes precedence."""
    both = {
        k: _merged(low[k], v) if isinstance(v, dict) and isinstance(low.get(k), dict) else v for k, v in high.items()
    }
    return {**low, **both}


def _over(defaults: BaseModel, given: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults with what is given on top. A table with free keys, such as a menu, is replaced as a whole."""
    tree = defaults.model_dump(by_alias=True)
    for name, value in given.items():
        inner = getattr(defaults, name, None)
        tree[name] = _over(inner, value) if isinstance(inner, BaseModel) and isinstance(value, dict) else value
    return tree


def _from_file(path: Path | None, named_by: str) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{named_by}: cannot be read ({error.strerror}). Name a settings file that exists.") from error
    except ValueError as error:
        raise UsageError(f"{path}: must be TOML in UTF-8, found: {error}. Correct the file.") from error


def _file(chosen: Path | None) -> tuple[Path | None, str]:
    """The settings file, if any, and the option or variable that names it."""
    if chosen is not None:
        return chosen, f"--config {chosen}"
    named = os.environ.get("WALKAWAY_CONFIG")
    if named:
        return Path(named), f"WALKAWAY_CONFIG={named}"
    return (FILE if FILE.exists() else None), str(FILE)


def _variables() -> dict[str, str]:
    """The environment variables that set a setting, by dotted name of the setting."""
    names = [n for n, value in os.environ.items() if n.upper().startswith(PREFIX) and value]
    ours = [n for n in names if n.upper() not in NOT_SETTINGS]
    return {name[len(PREFIX) :].lower().replace("__", "."): name for name in ours}


def _from_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    for setting, variable in variables.items():
        if not _exists(Settings, setting.split(".")):
            raise unknown(variable, setting, as_variable=True)
    try:
        values = EnvSettingsSource(
            Settings, env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, case_sensitive=False
        )()
    except SettingsError as error:
        broken = [v for setting, v in variables.items() if _must_be_json(setting.split(".")) and not _is_json(v)]
        raise UsageError(
            f"{' or '.join(broken)}: lists and tables must be JSON, such as '[\"stage\"]', found text that is not "
            "JSON. Correct it."
        ) from error
    return values


def _must_be_json(path: list[str]) -> bool:
    """Whether a setting takes a list or a table, given its path. The setting must exist."""
    kind: Any = Settings
    for name in path:
        kind = kind.model_fields[name].annotation if isinstance(kind, type) and issubclass(kind, BaseModel) else str
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else [kind]
    kinds = [get_origin(option) or option for option in options]
    return any(k in (tuple, list, dict) or (isinstance(k, type) and issubclass(k, BaseModel)) for k in kinds)


def _is_json(variable: str) -> bool:
    try:
        json.loads(os.environ[variable])
    except ValueError:
        return False
    return True


def _exists(model: type[BaseModel], path: list[str]) -> bool:
    """Whether a path of names leads to a setting. A table with free keys takes one more name."""
    field = model.model_fields.get(path[0])
    if field is None or len(path) == 1:
        return field is not None
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _exists(kind, path[1:])
    return getattr(kind, "__origin__", None) is dict and len(path) == 2


def _without_lesser_dials(low: dict[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """`low` without its dials if `high` names one. A dial from a higher-precedence source clears the others."""
    score, over = low.get("score"), high.get("score")
    if not isinstance(score, dict) or not isinstance(over, dict) or not set(DIALS) & set(over):
        return low
    return {**low, "score": {name: value for name, value in score.items() if name not in DIALS}}


def _origins(
    file: Mapping[str, Any], path: Path | None, environment: Mapping[str, Any], variables: Mapping[str, str]
) -> dict[str, Origin]:
    """The source of each setting that is not a default, by dotted name."""
    origins = {name: Origin("file", str(path)) for name, _ in _leaves(file)}
    for name, _ in _leaves(environment):
        nearest = max((s for s in variables if f"{name}.".startswith(f"{s}.")), key=len, default=None)
        origins[name] = Origin("environment", variables[nearest] if nearest else MLFLOW)
    return origins


def read_settings(file: Path | None = None) -> InForce:
    """The settings in force and the source of each.

    Args:
        file: a TOML file; by default the one WALKAWAY_CONFIG names, else walkaway.toml in the working directory.

    Variables named WALKAWAY_SECTION__SETTING take precedence over the file. MLFLOW_TRACKING_URI is used if neither
    sets tracking_uri.

    Raises:
        UsageError: a file that cannot be read, a setting that does not exist, or a value that breaks its rule.
    """
    path, named_by = _file(file)
    variables = _variables()
    given = _from_environment(variables)
    read = _without_lesser_dials(_from_file(path, named_by), given)
    uri = os.environ.get(MLFLOW)
    if uri and "tracking_uri" not in _merged(read, given):
        given = given | {"tracking_uri": uri}
    origins = _origins(read, path, given, variables)
    try:
        settings = Settings.model_validate(_over(Settings(), _merged(read, given)))
    except ValidationError as error:
        raise refusal(error, origins, str(path)) from None
    return InForce(settings, {name: str(origin) for name, origin in origins.items()})
