"""The model on disk: booster texts and JSON, with a SHA-256 for each file, checked before anything is parsed.

A damaged booster text can crash the process that reads it, so no file is parsed before its checksum was verified. The
manifest is read strictly: writing its parsed contents again must give the same bytes. `models.registry` keeps track of
which bundle is in use.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from pydantic import ValidationError

from walkaway.economics import Curve
from walkaway.errors import BundleError
from walkaway.features import FeaturePlan
from walkaway.files import frame_bytes, frame_of_bytes, json_bytes, replaced_folder, write_bytes
from walkaway.heads import Bag, Calibration, Heads, HoursHead, NoDecisionHead, WinHead, WorthHead
from walkaway.models.base_rates import BaseRates, PastDeals, Settled
from walkaway.models.buyer_events import BuyerEvent, BuyerEventRate, BuyerEvents
from walkaway.models.facts import Facts
from walkaway.models.model import Model
from walkaway.models.nurture import Wait, WaitTable
from walkaway.models.reference_profile import ReferenceProfile

__all__ = ["VERSION", "load_bundle", "manifest_checksum", "read_strictly", "save_bundle"]

FORMAT_VERSION = 1
MANIFEST = "bundle.json"
MODEL = "model.json"
PAST_DEALS, SETTLED = "past_deals.json", "settled.parquet"
VERSION = re.compile(r"(\d{8}-)?[0-9a-f]{12}")
FILE = re.compile(
    r"model\.json|past_deals\.json|settled\.parquet|(win|worth|hours|no_decision)-\d+\.txt"
)  # the only files that a manifest may name
TERM = "term "  # prefix of the columns that hold the terms of settled snapshots
GOLDEN_ROWS = 8
GOLDEN_VALUES = (np.nan, 0.0, 1.0, 2.0, 7.0, 30.0, 365.0, 10_000.0)
GOLDEN_TOLERANCE = 1e-6  # relative, as the last digits may differ between processors
PARTS = (
    *("curve", "facts", "floor_hours", "golden", "hours", "no_decision", "plan", "reference", "signal"),
    *("undated", "waits", "win", "worth"),
)  # keys of model.json
OTHER_VERSION = "so another version of walkaway wrote this bundle. Train again with --promote."
TRAIN_AGAIN = "Restore the file, or train again with --promote."


def _bag_files(head: str, bag: Bag | None) -> dict[str, bytes]:
    return {f"{head}-{i}.txt": text.encode() for i, text in enumerate(bag.texts())} if bag else {}


def _golden(model: Model) -> dict[str, list[float]]:
    """Predictions for a few made-up rows, with missing values; they must be the same on every machine."""
    rng = np.random.default_rng(0)
    X = rng.choice(np.array(GOLDEN_VALUES, dtype=np.float32), size=(GOLDEN_ROWS, len(model.plan.columns)))
    terms = pd.DataFrame({"amount": [1000.0, np.nan] * (GOLDEN_ROWS // 2), "margin": 0.5, "assumed_hours": np.nan})
    estimates = model.heads.estimate(X, terms)
    return {name: getattr(estimates, name).tolist() for name in ("win_probability", "value_if_won", "remaining_hours")}


def _check_golden(model: Model, golden: dict[str, list[float]], folder: Path) -> None:
    """Refuse a model whose predictions differ here from those on the machine that trained it."""
    for name, values in _golden(model).items():
        if not np.allclose(values, golden[name], rtol=GOLDEN_TOLERANCE, atol=0.0):
            raise BundleError(
                f"{folder}: {name} of the golden rows differs from when the model was saved, so this machine or its "
                "LightGBM gives other results. Install the locked versions, or train again with --promote."
            )


def _contents(model: Model) -> dict[str, bytes]:
    """All files of the bundle except the manifest, as bytes."""
    win, worth, hours = model.heads.win, model.heads.worth, model.heads.hours
    described: dict[str, Any] = {
        "plan": model.plan.model_dump(mode="json"),
        "win": {"base_rate": win.base_rate, "calibration": asdict(win.calibration)},
        "worth": {"typical_amount": worth.typical_amount, "log_ratio": worth.log_ratio},
        "hours": {"mean_hours": hours.mean_hours, "log_scale": hours.log_scale},
        "floor_hours": model.floor_hours,
        "curve": asdict(model.curve),
        "signal": model.signal,
        "waits": [asdict(wait) for wait in model.wait_table.waits],
        "undated": model.undated,
        "facts": model.facts.as_json(),
        "golden": _golden(model),
        "reference": model.reference.model_dump(mode="json"),
        "no_decision": model.heads.no_decision and {"rate": model.heads.no_decision.rate},
    }
    text = json.dumps(described, indent=1, allow_nan=False, ensure_ascii=False, sort_keys=True)
    bags = {"win": win.bag, "worth": worth.bag, "hours": hours.bag}
    bags |= {"no_decision": model.heads.no_decision.bag} if model.heads.no_decision else {}
    files = {MODEL: text.encode()} | _past_deals_files(model.past_deals)
    for head, bag in bags.items():
        files |= _bag_files(head, bag)
    return files


def _past_deals_files(past_deals: PastDeals) -> dict[str, bytes]:
    """What is kept of past deals: counts as JSON, settled snapshots (if any) as a table."""
    counts = {
        "rates": past_deals.rates.model_dump(mode="json"),
        "groups": past_deals.groups,
        "typical_margin": past_deals.typical_margin,
        "buyer_events": [asdict(rate) for rate in past_deals.buyer_events.rates],
    }
    files = {PAST_DEALS: json.dumps(counts, allow_nan=False, ensure_ascii=False, sort_keys=True).encode()}
    if past_deals.settled is not None:
        terms = pd.DataFrame(past_deals.settled.terms).add_prefix(TERM)
        files[SETTLED] = frame_bytes(past_deals.settled.ends.join(terms))
    return files


def _past_deals(contents: dict[str, bytes]) -> PastDeals:
    counts, settled = json.loads(contents[PAST_DEALS]), None
    if SETTLED in contents:
        table = frame_of_bytes(contents[SETTLED])
        names = [name for name in table if name.startswith(TERM)]
        settled = Settled(table.drop(columns=names), table[names].to_numpy(dtype=np.float32))
    rates_of_events = tuple(
        BuyerEventRate(**(rate | {"event": BuyerEvent(**rate["event"])})) for rate in counts["buyer_events"]
    )
    groups = tuple(map(tuple, counts["groups"]))
    rates = BaseRates.model_validate(counts["rates"])
    return PastDeals(rates, groups, BuyerEvents(rates_of_events), counts["typical_margin"], settled)


def _short(files: dict[str, str]) -> str:
    return sha256(json.dumps(files).encode()).hexdigest()[:12]


def _version(facts: Facts, files: dict[str, str]) -> str:
    """The day up to which training knew the book, and a checksum of all checksums."""
    day = "" if facts.known_until is None else f"{facts.known_until:%Y%m%d}-"
    return f"{day}{_short(files)}"


def save_bundle(model: Model, models: Path) -> Path:
    """Write a model under `models`, in a folder named by its version; the same model gives the same bytes and version.

    An undamaged bundle of that version is left alone: it may be in use, and a folder cannot be replaced atomically.

    Returns:
        The bundle's folder.
    """
    contents = _contents(model)
    files = {name: sha256(data).hexdigest() for name, data in sorted(contents.items())}
    version = _version(model.facts, files)
    contents[MANIFEST] = json_bytes({"format_version": FORMAT_VERSION, "version": version, "files": files})
    if not _holds(models / version, contents):
        with replaced_folder(models / version) as folder:
            for name, data in contents.items():
                write_bytes(folder / name, data)
    return models / version


def _holds(folder: Path, contents: dict[str, bytes]) -> bool:
    try:
        return {path.name: path.read_bytes() for path in folder.iterdir()} == contents
    except OSError:
        return False


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read; {error.strerror}. {TRAIN_AGAIN}") from error


def _parsed(path: Path, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: must be readable JSON; {error}. {TRAIN_AGAIN}") from error


def _strict(path: Path, data: bytes) -> Any:
    value = _parsed(path, data)
    try:
        same = json_bytes(value) == data
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise BundleError(f"{path}: it was changed after it was written. {TRAIN_AGAIN}")
    return value


def read_strictly(path: Path) -> Any:
    """The contents of a JSON file that walkaway wrote; refused if any byte differs, for example by a blank line.

    Raises:
        BundleError: it cannot be read, is not JSON, or was changed.
    """
    return _strict(path, _bytes(path))


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest's contents; it may only name the files of a bundle."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder} is not a model bundle: it has no {MANIFEST}. {TRAIN_AGAIN}")
    data = _bytes(path)
    manifest = _parsed(path, data)  # the format first, as a later format may have other rules
    found = manifest.get("format_version") if isinstance(manifest, dict) else None
    if found != FORMAT_VERSION:
        remedy = f". {TRAIN_AGAIN}" if found is None else f", {OTHER_VERSION}"
        raise BundleError(f"{path}: format_version must be {FORMAT_VERSION}, found {found}{remedy}")
    if not isinstance(manifest.get("files"), dict) or set(manifest) != {"format_version", "version", "files"}:
        raise BundleError(f"{path}: must list the bundle's files, each with a checksum. {TRAIN_AGAIN}")
    _strict(path, data)
    for name in manifest["files"]:
        if not FILE.fullmatch(name):
            raise BundleError(f"{path}: names {name!r}, which is not a file of a bundle. {TRAIN_AGAIN}")
    if not str(manifest["version"]).endswith(_short(manifest["files"])):  # a file was removed, or a checksum changed
        raise _other_version(folder)
    return cast("dict[str, Any]", manifest)


def _other_version(folder: Path) -> BundleError:
    return BundleError(f"{folder / MANIFEST}: its version does not match the files it names. {TRAIN_AGAIN}")


def _refuse_others(folder: Path, files: dict[str, str]) -> None:
    for path in sorted(folder.iterdir()):
        if path.name not in files and path.name != MANIFEST:
            raise BundleError(f"{path}: the bundle's manifest does not name it. Move it elsewhere.")


def _verified(folder: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    """The bundle's files as bytes, after every checksum was verified."""
    _refuse_others(folder, manifest["files"])
    contents = {}
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{path}: the bundle's manifest names this file, and it is missing. {TRAIN_AGAIN}")
        data = _bytes(path)
        if sha256(data).hexdigest() != digest:
            raise BundleError(f"{path}: it does not match its checksum in {MANIFEST}. {TRAIN_AGAIN}")
        contents[name] = data
    return contents


def _bag(contents: dict[str, bytes], head: str) -> Bag | None:
    names = sorted((n for n in contents if n.startswith(f"{head}-")), key=lambda n: int(n[len(head) + 1 : -4]))
    return Bag.from_texts([contents[name].decode() for name in names]) if names else None


def _no_decision(described: dict[str, Any], contents: dict[str, bytes]) -> NoDecisionHead | None:
    """The head; None where the book recorded too few loss reasons."""
    bag = _bag(contents, "no_decision")
    return None if bag is None else NoDecisionHead(float(described["no_decision"]["rate"]), bag)


def _check_parts(folder: Path, described: dict[str, Any], contents: dict[str, bytes]) -> None:
    absent = [f"{MODEL} has no {name}" for name in PARTS if name not in described]
    absent += [] if PAST_DEALS in contents else [f"there is no {PAST_DEALS}"]
    if absent:
        raise BundleError(f"{folder}: {absent[0]}, {OTHER_VERSION}")


def load_bundle(folder: Path) -> Model:
    """Read a model, after every checksum was verified.

    Raises:
        BundleError: not a bundle, a file is missing or changed, the format is unknown to this version, or the golden
            rows get other predictions than when the model was saved.
    """
    manifest = _manifest(folder)
    contents = _verified(folder, manifest)
    try:
        described = json.loads(contents[MODEL])
        _check_parts(folder, described, contents)
        facts = Facts.model_validate(described["facts"])
        if manifest["version"] != _version(facts, manifest["files"]):
            raise _other_version(folder)
        heads = Heads(
            WinHead(
                described["win"]["base_rate"],
                _bag(contents, "win"),
                Calibration(**described["win"]["calibration"]),
            ),
            WorthHead(bag=_bag(contents, "worth"), **described["worth"]),
            HoursHead(bag=_bag(contents, "hours"), **described["hours"]),
            _no_decision(described, contents),
        )
        curve = Curve.from_json(described["curve"])
        plan = FeaturePlan.model_validate(described["plan"])
        rest = {name: described[name] for name in ("floor_hours", "signal", "undated")}
        rest["facts"] = facts
        rest["wait_table"] = WaitTable(tuple(Wait(**wait) for wait in described["waits"]))
        rest["past_deals"] = _past_deals(contents)
        rest["reference"] = ReferenceProfile.model_validate(described["reference"])
        model = Model(plan=plan, heads=heads, curve=curve, version=folder.name, **rest)
        _check_golden(model, described["golden"], folder)
        return model
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, ValidationError) as error:
        first_line = repr(error).partition("\n")[0]  # pydantic's messages are long
        raise BundleError(f"{folder / MODEL}: a part is missing or wrong: {first_line}. {TRAIN_AGAIN}") from error


def manifest_checksum(folder: Path) -> str:
    """The SHA-256 of a bundle's manifest, which the pointer stores.

    Raises:
        BundleError: not a bundle.
    """
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} is not a model bundle: it has no {MANIFEST}. {TRAIN_AGAIN}")
    return sha256(_bytes(folder / MANIFEST)).hexdigest()
