"""The model on disk: booster texts and JSON, a SHA-256 for each file, checked before anything is parsed.

A damaged booster text can kill the process that reads it, so no byte is given to a parser before its checksum holds.
The pointer `champion.json` names the model in use, with the checksum of its manifest; it is replaced by one rename.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from walkaway.calls import Model
from walkaway.economics import Curve
from walkaway.errors import BundleError, UsageError
from walkaway.features import FeaturePlan
from walkaway.heads import Heads, HoursHead, WinHead, WorthHead
from walkaway.heads.bag import Bag
from walkaway.heads.calibration import Calibration
from walkaway.reference import Reference
from walkaway.storage import checksum, replaced_folder, write_json

__all__ = ["champion_version", "load_bundle", "load_champion", "rollback", "save_bundle", "set_champion"]

FORMAT_VERSION = 1
MANIFEST = "bundle.json"
MODEL = "model.json"
POINTER = "champion.json"
GOLDEN_ROWS = 8
GOLDEN_VALUES = (np.nan, 0.0, 1.0, 2.0, 7.0, 30.0, 365.0, 10_000.0)
GOLDEN_TOLERANCE = 1e-6  # relative: other processors may round the last digits otherwise
REMEMBERED = 20  # champions before the one in use
TRAIN_AGAIN = "Restore the file, or train again with --promote."


def _bag_files(head: str, bag: Bag | None) -> dict[str, bytes]:
    return {f"{head}-{i}.txt": text.encode() for i, text in enumerate(bag.texts())} if bag else {}


def _golden(model: Model) -> dict[str, list[float]]:
    """What the heads say of a few made-up rows, missing values among them: the same on every machine, or it is told."""
    rng = np.random.default_rng(0)
    X = rng.choice(np.array(GOLDEN_VALUES, dtype=np.float32), size=(GOLDEN_ROWS, len(model.plan.columns)))
    terms = pd.DataFrame({"amount": [1000.0, np.nan] * (GOLDEN_ROWS // 2), "margin": 0.5})
    said = model.heads.estimate(X, terms)
    return {name: getattr(said, name).tolist() for name in ("win_probability", "value_if_won", "remaining_hours")}


def _check_golden(model: Model, golden: dict[str, list[float]], folder: Path) -> None:
    """Refuse a model that does not say here what it said where it was trained."""
    for name, said in _golden(model).items():
        if not np.allclose(said, golden[name], rtol=GOLDEN_TOLERANCE, atol=0.0):
            raise BundleError(
                f"{folder}: {name} of the golden rows is not what it was when the model was saved, so this machine or "
                "its LightGBM computes otherwise. Install the locked versions, or train again with --promote."
            )


def _contents(model: Model) -> dict[str, bytes]:
    """Every file of the bundle but the manifest, as bytes."""
    win, worth, hours = model.heads.win, model.heads.worth, model.heads.hours
    described: dict[str, Any] = {
        "plan": model.plan.model_dump(mode="json"),
        "win": {"base_rate": win.base_rate, "calibration": asdict(win.calibration)},
        "worth": {"typical_amount": worth.typical_amount, "log_ratio": worth.log_ratio},
        "hours": {"mean_hours": hours.mean_hours, "log_scale": hours.log_scale},
        "floor_hours": model.floor_hours,
        "curve": asdict(model.curve),
        "signal": model.signal,
        "timeless": model.timeless,
        "facts": model.facts,
        "golden": _golden(model),
    }
    if model.reference is not None:
        described["reference"] = model.reference.model_dump(mode="json")
    text = json.dumps(described, indent=1, allow_nan=False, ensure_ascii=False, sort_keys=True)
    boosters = _bag_files("win", win.bag) | _bag_files("worth", worth.bag) | _bag_files("hours", hours.bag)
    return {MODEL: text.encode()} | boosters


def save_bundle(model: Model, models: Path) -> Path:
    """Write a model under `models`, in a folder named by its version; the same model gives the same bytes and version.

    Returns:
        The bundle's folder.
    """
    contents = _contents(model)
    files = {name: sha256(data).hexdigest() for name, data in sorted(contents.items())}
    short = sha256(json.dumps(files).encode()).hexdigest()[:12]
    version = f"{str(model.facts.get('known_until', ''))[:10].replace('-', '')}-{short}".lstrip("-")
    with replaced_folder(models / version) as folder:
        for name, data in contents.items():
            (folder / name).write_bytes(data)
        write_json(folder / MANIFEST, {"format_version": FORMAT_VERSION, "version": version, "files": files})
    return models / version


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise BundleError(f"{path}: must be readable JSON; {error}. {TRAIN_AGAIN}") from error


def _verified(folder: Path) -> dict[str, bytes]:
    """The bundle's files, each with the bytes that its manifest names."""
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} is not a model bundle: it has no {MANIFEST}. {TRAIN_AGAIN}")
    manifest = _json(folder / MANIFEST)
    found = manifest.get("format_version") if isinstance(manifest, dict) else None
    if found != FORMAT_VERSION:
        raise BundleError(f"{folder / MANIFEST}: format_version must be {FORMAT_VERSION}, found {found}. {TRAIN_AGAIN}")
    if not isinstance(manifest.get("files"), dict):
        raise BundleError(f"{folder / MANIFEST}: must name its files, each with a checksum. {TRAIN_AGAIN}")
    contents = {}
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{path}: the bundle's manifest names this file, and it is absent. {TRAIN_AGAIN}")
        data = path.read_bytes()
        if sha256(data).hexdigest() != digest:
            raise BundleError(f"{path}: its bytes are not those the manifest names. {TRAIN_AGAIN}")
        contents[name] = data
    return contents


def _bag(contents: dict[str, bytes], head: str) -> Bag | None:
    names = sorted((n for n in contents if n.startswith(f"{head}-")), key=lambda n: int(n[len(head) + 1 : -4]))
    return Bag.from_texts([contents[name].decode() for name in names]) if names else None


def _curve(described: dict[str, Any]) -> Curve:
    columns = {name: tuple(described[name]) for name in ("bars", "hours_per_week", "hours_saved", "value_forgone")}
    return Curve(estimated=bool(described["estimated"]), **columns)


def load_bundle(folder: Path) -> Model:
    """Read a model, after every checksum held.

    Raises:
        BundleError: not a bundle, a file absent or changed, a format this version does not know, or golden rows that
            come out otherwise than where the model was saved.
    """
    contents = _verified(folder)
    try:
        described = json.loads(contents[MODEL])
        heads = Heads(
            WinHead(
                described["win"]["base_rate"],
                _bag(contents, "win"),
                Calibration(**described["win"]["calibration"]),
            ),
            WorthHead(bag=_bag(contents, "worth"), **described["worth"]),
            HoursHead(bag=_bag(contents, "hours"), **described["hours"]),
        )
        curve = _curve(described["curve"])
        plan = FeaturePlan.model_validate(described["plan"])
        rest = {name: described[name] for name in ("floor_hours", "signal", "facts")}
        rest["timeless"] = described.get("timeless", False)  # bundles of 0.1.0 know of no other kind
        if "reference" in described:
            rest["reference"] = Reference.model_validate(described["reference"])
        model = Model(plan=plan, heads=heads, curve=curve, version=folder.name, **rest)
        if "golden" in described:  # bundles of 0.1.0 have none
            _check_golden(model, described["golden"], folder)
        return model
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise BundleError(f"{folder / MODEL}: a part is missing or wrong: {error!r}. {TRAIN_AGAIN}") from error


def _manifest_checksum(folder: Path) -> str:
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} is not a model bundle: it has no {MANIFEST}. {TRAIN_AGAIN}")
    return checksum(folder / MANIFEST)


def _pointer_checksum(pointer: dict[str, Any]) -> str:
    """The checksum of all that a pointer says; those of 0.1.0 remembered no champions and wrote theirs otherwise."""
    said = {name: value for name, value in pointer.items() if name != "checksum"}
    if set(said) == {"version", "manifest"}:
        return sha256(f"{said['version']} {said['manifest']}".encode()).hexdigest()
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _read_pointer(path: Path) -> dict[str, Any]:
    pointer = _json(path)
    try:
        whole = pointer["checksum"] == _pointer_checksum(pointer) and {"version", "manifest"} <= set(pointer)
    except (KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise BundleError(f"{path}: its bytes are not those that were written. {TRAIN_AGAIN}")
    return pointer


def _point(models: Path, one: dict[str, str], before: list[dict[str, str]]) -> None:
    pointer: dict[str, Any] = one | {"before": before}
    write_json(models / POINTER, pointer | {"checksum": _pointer_checksum(pointer)})


def set_champion(models: Path, version: str) -> None:
    """Make that version the model in use, by one atomic rename; the one before is remembered for `rollback`.

    A damaged pointer is replaced, and what it remembered is lost with it.
    """
    one = {"version": version, "manifest": _manifest_checksum(models / version)}
    try:
        last = _read_pointer(models / POINTER) if (models / POINTER).is_file() else None
    except BundleError:
        last = None
    before = [{name: last[name] for name in one}, *last.get("before", [])] if last else []
    _point(models, one, [other for other in before if other["version"] != version][:REMEMBERED])


def rollback(models: Path) -> str:
    """Return to the champion before the one in use.

    Returns:
        The version in use now.

    Raises:
        UsageError: no champion is remembered.
        BundleError: the pointer or the bundle to return to is damaged.
    """
    path = models / POINTER
    before = _read_pointer(path).get("before", []) if path.is_file() else []
    if not before:
        raise UsageError(f"{models} remembers no champion before the one in use, so there is none to return to.")
    one, *rest = before
    load_bundle(models / one["version"])  # a damaged bundle must not come into use
    _check_manifest(models, one)
    _point(models, one, rest)
    return str(one["version"])


def _check_manifest(models: Path, pointer: dict[str, Any]) -> None:
    if _manifest_checksum(models / pointer["version"]) != pointer["manifest"]:
        raise BundleError(
            f"{models / pointer['version'] / MANIFEST}: its bytes are not those of the champion. {TRAIN_AGAIN}"
        )


def champion_version(models: Path) -> str | None:
    """The version in use, or None where no model was trained yet.

    Raises:
        BundleError: the pointer is damaged.
    """
    path = models / POINTER
    if not path.is_file():
        return None
    pointer = _read_pointer(path)
    _check_manifest(models, pointer)
    return str(pointer["version"])


def load_champion(models: Path) -> Model:
    """The model in use.

    Raises:
        BundleError: there is none, or it is damaged.
    """
    version = champion_version(models)
    if version is None:
        raise BundleError(
            f"{models} holds no champion (no {POINTER}). Train one: walkaway train --book BOOK --models {models}"
        )
    return load_bundle(models / version)
