"""A small seeded book with real signal, settings that train on it in about a second, and models made by hand.

A plugin of the tests that need them: `pytest_plugins = ("tests.books",)`. What is dear is made once a session, and
copied by tests that change it.
It is imported before pytest could rewrite it, and asserts nothing: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from walkaway.book.io import write_book
from walkaway.book.schema import Book, Manifest
from walkaway.config import BoosterSettings, HeadSettings, Settings, TrainSettings
from walkaway.economics import Curve
from walkaway.features import FeaturePlan, PlannedFeature
from walkaway.files import write_json
from walkaway.heads import Heads, HoursHead, WinHead, WorthHead
from walkaway.models import bundle
from walkaway.models.bundle import load_bundle, save_bundle
from walkaway.models.facts import Facts
from walkaway.models.model import Model, Rows
from walkaway.models.registry import set_champion
from walkaway.training.train import Trained, train

START = pd.Timestamp("2025-01-06T00:00", tz="UTC")
END_DAY = 280  # what the book knows, it knows as of this day
UNTIL = START + pd.Timedelta(days=210)

FEW_TREES = BoosterSettings(trees=12, learning_rate=0.2, leaves=6, least_rows_in_leaf=15)
TINY_HEADS = HeadSettings(
    members=2, completion_rounds=1, threads=1, menu={}, win=FEW_TREES, hours=FEW_TREES, worth=FEW_TREES
)
TINY = TrainSettings(cadence_days=7, calls_every_days=7, folds=2, bootstrap=20, heads=TINY_HEADS)


def day(number: float) -> pd.Timestamp:
    """That many days after the book begins, to the second."""
    return START + pd.Timedelta(seconds=round(number * 86_400))


class _Writer:
    """Rows of a growing book; nothing recorded after END_DAY is written."""

    def __init__(self) -> None:
        self.deals: list[dict] = []
        self.changes: list[dict] = []
        self.activities: list[dict] = []

    def change(self, deal_id: str, on: float, field: str, value: object) -> None:
        if on <= END_DAY:
            row = {"deal_id": deal_id, "recorded_at": day(on), "field": field, "new_value": str(value)}
            self.changes.append(row)

    def work(self, deal_id: str, on: float, kind: str, direction: str, hours: float | None) -> None:
        if on <= END_DAY:
            number = f"a{len(self.activities):05}"
            row = {"activity_id": number, "deal_id": deal_id, "kind": kind, "direction": direction, "hours": hours}
            self.activities.append(row | {"occurred_at": day(on), "recorded_at": day(on)})

    def deal(self, number: int, created: float, rng: np.random.Generator, signal: bool) -> None:
        """A deal whose buyer replies often if it will be won (with signal), closed after two to ten weeks."""
        deal_id, warm = f"d{number:03}", rng.random() < 0.45
        won = bool(rng.random() < (0.9 if warm else 0.1)) if signal else bool(rng.random() < 0.45)
        life = rng.uniform(14, 70)
        closed = created + life
        first = round(float(rng.lognormal(9, 0.6)), -1)
        row = {"deal_id": deal_id, "created_at": day(created), "owner_id": f"o{number % 5}"}
        if closed <= END_DAY:
            last = round(first * rng.uniform(0.6, 1.1), 2)
            reason = None if won else str(rng.choice(["no_decision", "competitor"]))
            row |= {
                "closed_at": day(closed),
                "outcome": "won" if won else "lost",
                "amount": last,
                "loss_reason": reason,
            }
        self.deals.append(row)
        self.change(deal_id, created, "stage", "new")
        self.change(deal_id, created + rng.uniform(0, 12), "amount", first)
        if number % 4 == 0:
            self.change(deal_id, created, "margin", -0.2 if number % 40 == 0 else round(rng.uniform(0.2, 0.6), 2))
        self.change(deal_id, created + life * (0.3 if warm else 0.6), "stage", "offer")
        for on in np.sort(rng.uniform(0, life, rng.integers(3, 9))):
            inbound = rng.random() < (0.6 if warm else 0.15)
            kind = "call" if inbound else str(rng.choice(["email", "meeting"]))
            hours = None if rng.random() < 0.3 else round(float(rng.uniform(0.2, 3.0)), 2)
            self.work(deal_id, created + float(on), kind, "inbound" if inbound else "outbound", hours)


@cache
def book_with_signal(signal: bool = True, seed: int = 0, deals: int = 240) -> Book:
    """240 deals over 40 weeks, about 50 still open at the end; some amounts come late, some margins are negative."""
    rng, writer = np.random.default_rng(seed), _Writer()
    for number, created in enumerate(np.sort(rng.uniform(0, END_DAY - 3, deals))):
        writer.deal(number, float(created), rng, signal)
    manifest = Manifest(source="books.py", currency="EUR", fixed_at_creation=("owner_id",))
    tables = {name: pd.DataFrame(getattr(writer, name)) for name in ("deals", "changes", "activities")}
    return Book.of(manifest, **tables)


@cache
def trained_until_day_210() -> Trained:
    """The book with signal, trained by tiny settings on what it knew after 210 days."""
    return train(book_with_signal(), UNTIL, TINY)


PLAN = FeaturePlan(features=(PlannedFeature(feature="age_days"),))
CURVE = Curve((10.0, 20.0, 30.0), (9.0, 5.0, 2.0), (0.1, 0.5, 0.8), (0.0, 0.1, 0.4))


def plain_model(
    *,
    win: WinHead | None = None,
    worth: WorthHead | None = None,
    hours: HoursHead | None = None,
    plan: FeaturePlan = PLAN,
    **others: object,
) -> Model:
    """A model without boosters: half of all deals are won, an amount of 1000 stands in, and two hours are left."""
    heads = Heads(win or WinHead(0.5), worth or WorthHead(1000.0), hours or HoursHead(2.0))
    given = {"floor_hours": 0.5, "curve": CURVE, "signal": True, "facts": Facts(currency="EUR")} | others
    return Model(plan=plan, heads=heads, **given)


def rows_of(amount: list[float], margin: list[float] | None = None, ages: list[float] | None = None) -> Rows:
    """Snapshots of d0, d1, ... at the book's beginning with these amounts and margins; the one feature is age."""
    n = len(amount)
    snapshots = pd.DataFrame({"deal_id": [f"d{i}" for i in range(n)], "as_of": pd.Series([START] * n)})
    unknown = [float("nan")] * n
    numbers = {"amount": amount, "margin": margin or unknown, "silent_days": unknown, "assumed_hours": unknown}
    terms = pd.DataFrame(numbers, dtype="float64")
    terms["stage_name"] = pd.Series([None] * n, dtype="str")
    return Rows(snapshots, np.array(ages or [1.0] * n, dtype=np.float32)[:, None], terms)


def sign(folder: Path) -> Path:
    """Write the manifest of a bundle's files as they are now, as another program would, and give it their version."""
    contents = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "bundle.json"}
    files = {name: sha256(data).hexdigest() for name, data in contents.items()}
    version = bundle._version(Facts(**json.loads(contents["model.json"])["facts"]), files)
    write_json(folder / "bundle.json", {"format_version": 1, "version": version, "files": files})
    return folder


def settings_of(uri: str | None = None) -> Settings:
    """Tiny settings of everything."""
    return Settings(train=TINY, tracking_uri=uri)


@pytest.fixture(scope="session")
def book() -> Book:
    return book_with_signal()


@pytest.fixture(scope="session")
def trained() -> Trained:
    return trained_until_day_210()


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory) -> Path:
    """A models folder with that model as its champion; read only."""
    models = tmp_path_factory.mktemp("saved") / "models"
    folder = save_bundle(trained_until_day_210().model, models)
    set_champion(models, folder.name)
    return models


@pytest.fixture
def models(saved_models, tmp_path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(saved_models, tmp_path / "models"))


@pytest.fixture(scope="session")
def champion(saved_models) -> Model:
    """The model as it is read back, with its version."""
    [folder] = [path for path in saved_models.iterdir() if path.is_dir()]
    return load_bundle(folder)


@pytest.fixture(scope="session")
def saved_book(tmp_path_factory) -> Path:
    """The book on disk; read only."""
    folder = tmp_path_factory.mktemp("saved") / "book"
    write_book(book_with_signal(), folder)
    return folder


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Path:
    """MLflow's SQLite file with its tables, before any run."""
    import mlflow

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def fresh_models(migrated, tmp_path) -> Path:
    """A models folder that holds nothing but a migrated database, since the migration takes seconds."""
    folder = tmp_path / "fresh"
    folder.mkdir()
    shutil.copy(migrated, folder / "mlflow.db")
    return folder
