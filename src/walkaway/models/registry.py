"""The models folder: which bundle is in use, which were in use before, and the files for people.

The pointer `champion.json` names the model in use and the checksum of its manifest. It is read strictly, and replaced
by one atomic rename.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from walkaway.errors import BundleError, UsageError
from walkaway.files import append_line, clear_leftovers, write_bytes, write_json
from walkaway.models.bundle import MANIFEST, TRAIN_AGAIN, VERSION, load_bundle, manifest_checksum, read_strictly
from walkaway.models.model import Model

__all__ = [
    "LOGS",
    "champion_version",
    "clear_unfinished",
    "load_champion",
    "load_champions",
    "record_decision",
    "rollback",
    "save_card",
    "set_champion",
]

POINTER = "champion.json"
DECISIONS = "decisions.jsonl"
CARDS = "cards"
REMEMBERED = 20  # former champions kept for `rollback`
# Files under MODELS that no score depends on and that have no checksum: locks, and records for people.
# Every other file has a checksum or is read strictly. models/README.md lists all, and a test damages each of them.
LOGS = (
    r"\.lock",
    r"decisions\.jsonl",
    r"cards/[\w-]+\.md",
    r"\.mlflow\.lock",
    r"mlflow\.db(-journal|-wal|-shm)?",
    r"mlruns/[0-9a-f]{32}/artifacts/((tables|audit)/\w+\.csv|figures/\w+\.png|decision\.json|model_card\.md)",
    r"mlruns/models/m-[0-9a-f]{32}/artifacts/(conda\.yaml|python_env\.yaml|requirements\.txt)",
)


def clear_unfinished(models: Path) -> list[str]:
    """Remove unfinished bundles, pointers and databases of a killed training; the caller holds the lock of `models`.

    Returns:
        The names of what was removed.
    """
    return clear_leftovers(models, re.compile(rf"{VERSION.pattern}|{re.escape(POINTER)}|mlflow\.db"))


def _pointer_checksum(pointer: dict[str, Any]) -> str:
    """The checksum of a pointer's other entries."""
    entries = {name: value for name, value in pointer.items() if name != "checksum"}
    return sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def _names_bundle(entry: dict[str, Any]) -> bool:
    """Whether an entry has the form of a bundle's version and the checksum of its manifest."""
    return bool(VERSION.fullmatch(entry["version"])) and isinstance(entry["manifest"], str)


def _read_pointer(path: Path) -> dict[str, Any]:
    pointer = read_strictly(path)
    try:
        entries = [pointer, *pointer["before"]]
        whole = pointer["checksum"] == _pointer_checksum(pointer) and all(_names_bundle(entry) for entry in entries)
    except (KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise BundleError(f"{path}: it was changed after it was written. {TRAIN_AGAIN}")
    return cast("dict[str, Any]", pointer)


def _point(models: Path, champion: dict[str, str], before: list[dict[str, str]]) -> None:
    pointer: dict[str, Any] = champion | {"before": before}
    write_json(models / POINTER, pointer | {"checksum": _pointer_checksum(pointer)})


def set_champion(models: Path, version: str) -> None:
    """Make that version the model in use, by one atomic rename; the previous one is kept for `rollback`.

    A damaged pointer is replaced, and its list of former champions is lost.
    """
    champion = {"version": version, "manifest": manifest_checksum(models / version)}
    try:
        last = _read_pointer(models / POINTER) if (models / POINTER).is_file() else None
    except BundleError:
        last = None
    before = [{name: last[name] for name in champion}, *last["before"]] if last else []
    _point(models, champion, [other for other in before if other["version"] != version][:REMEMBERED])


def rollback(models: Path) -> str:
    """Return to the champion before the one in use.

    Returns:
        The version in use now.

    Raises:
        UsageError: there is no former champion.
        BundleError: the pointer or the bundle to return to is damaged.
    """
    path = models / POINTER
    before = _read_pointer(path)["before"] if path.is_file() else []
    if not before:
        raise UsageError(f"{models} has no earlier model to return to.")
    champion, *rest = before
    load_bundle(models / champion["version"])  # so that a damaged bundle is not put in use
    _check_manifest(models, champion)
    _point(models, champion, rest)
    return str(champion["version"])


def _check_manifest(models: Path, pointer: dict[str, Any]) -> None:
    if manifest_checksum(models / pointer["version"]) != pointer["manifest"]:
        raise BundleError(
            f"{models / pointer['version'] / MANIFEST}: it was changed after the model came into use. {TRAIN_AGAIN}"
        )


def _remembered(models: Path) -> list[str]:
    """The version in use, then former champions, newest first; empty where no model was trained yet."""
    path = models / POINTER
    if not path.is_file():
        return []
    pointer = _read_pointer(path)
    _check_manifest(models, pointer)
    return [str(entry["version"]) for entry in (pointer, *pointer["before"])]


def champion_version(models: Path) -> str | None:
    """The version in use, or None where no model was trained yet.

    Raises:
        BundleError: the pointer is damaged.
    """
    return next(iter(_remembered(models)), None)


def load_champions(models: Path) -> list[Model]:
    """The model in use, then undamaged former champions, newest first; empty where no model was trained yet.

    Raises:
        BundleError: the pointer or the model in use is damaged.
    """
    versions = _remembered(models)
    in_use = [load_bundle(models / version) for version in versions[:1]]
    return in_use + [model for version in versions[1:] if (model := _load_if_undamaged(models / version)) is not None]


def _load_if_undamaged(folder: Path) -> Model | None:
    try:
        return load_bundle(folder)
    except BundleError:
        return None


def record_decision(models: Path, decision: dict[str, Any]) -> None:
    """Add a line to the log of which models were promoted and why. It is for people; the software never reads it."""
    append_line(models / DECISIONS, decision)


def save_card(models: Path, version: str, card: str) -> Path:
    """Keep a model's card, for people to read."""
    (models / CARDS).mkdir(parents=True, exist_ok=True)
    write_bytes(models / CARDS / f"{version}.md", card.encode())
    return models / CARDS / f"{version}.md"


def load_champion(models: Path) -> Model:
    """The model in use.

    Raises:
        BundleError: there is none, or it is damaged.
    """
    version = champion_version(models)
    if version is None:
        raise BundleError(
            f"{models} has no model in use (no {POINTER}). Train one: walkaway train --book BOOK --models {models}"
        )
    return load_bundle(models / version)
