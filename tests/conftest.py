"""What tests share: tables written as text, books of them, answers of one feature, and the shared data."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import numpy as np
import pandas as pd
import pytest

from walkaway.asof.history import History
from walkaway.book.schema import Book, Manifest
from walkaway.features import FeaturePlan, PlannedFeature, build_features
from walkaway.importers.mapping import load_mapping
from walkaway.importers.xes import import_xes

FIXED = {"deadline": None, "derandomize": True, "database": None}
hypothesis.settings.register_profile("nightly", max_examples=1000, **FIXED)  # of `make test-hard`
hypothesis.settings.register_profile("ci", max_examples=200, **FIXED)
hypothesis.settings.register_profile("dev", max_examples=100, deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def at(text: str) -> pd.Timestamp:
    """A moment, UTC."""
    return pd.Timestamp(text, tz="UTC")


def table_of(text: str) -> pd.DataFrame:
    """A frame written as lines of cells between bars, the first line naming the columns; `-` is missing."""
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    frame = pd.DataFrame(
        [[None if cell == "-" else cell for cell in line] for line in lines], columns=head, dtype=object
    )
    return frame.assign(**{c: [t and at(t) for t in frame[c]] for c in head if c.endswith("_at")})


def book_of(fixed: tuple[str, ...] = (), assumed: dict[str, float] | None = None, **tables: str) -> Book:
    """A book of tables written as text; fixed names its columns fixed at creation."""
    manifest = Manifest(fixed_at_creation=fixed, **({} if assumed is None else {"assumed_hours": assumed}))
    return Book.of(manifest, **{name: table_of(text) for name, text in tables.items()})


def snapshots_of(*asked: str) -> pd.DataFrame:
    """Snapshots written as "deal moment"."""
    deals, moments = zip(*(one.split(" ", 1) for one in asked), strict=True)
    return pd.DataFrame({"deal_id": deals, "as_of": [at(moment) for moment in moments]})


def feature_of(book: Book, name: str, *asked: str, word: str | None = None, of: tuple[str, ...] = ()) -> list:
    """What a feature says at snapshots written as "deal moment"; None where it is missing."""
    plan = FeaturePlan(features=(PlannedFeature(feature=name, word=word, categories=of),))
    found = build_features(History(book).at(snapshots_of(*asked)), plan).iloc[:, 0].tolist()
    return [None if np.isnan(value) else value for value in found]


@pytest.fixture(scope="session")
def moment():
    return at


@pytest.fixture(scope="session")
def table():
    return table_of


@pytest.fixture(scope="session")
def make_book():
    return book_of


@pytest.fixture(scope="session")
def snapshots():
    return snapshots_of


@pytest.fixture(scope="session")
def ask():
    return feature_of


@pytest.fixture(scope="session")
def shared():
    """Finds a file of ../shared; where it is absent the test is skipped, and fails under CI."""

    def find(name: str) -> Path:
        path = Path(__file__).resolve().parents[2] / "shared" / name
        if not path.exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"The shared file {name} is not here: {path}.")
        return path

    return find


@pytest.fixture(scope="session")
def bpic2012(shared):
    """The shared log, imported once."""
    log = shared("data/bpic2012/bpic2012_to_2012-01-15.xes.gz")
    return import_xes(log, load_mapping("bpic2012"), now=at("2026-01-01"), mapping_name="bpic2012")
