"""What tests share: tables written as text, books of them, answers of one feature, and the shared data."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import hypothesis
import lightgbm
import numpy as np
import pandas as pd
import pytest

from walkaway.asof.history import History
from walkaway.book.schema import Book, Manifest
from walkaway.features import FeaturePlan, PlannedFeature, build_features
from walkaway.importers.mapping import load_mapping
from walkaway.importers.xes import import_xes
from walkaway.report.html.pdf import have_weasyprint

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


@pytest.fixture
def predictions(monkeypatch):
    """Counts how often each booster predicts the same rows: (booster, bytes of the rows) -> times."""
    counts, predict = Counter(), lightgbm.Booster.predict

    def counted(booster, X, **more):
        counts[booster, X.tobytes()] += 1
        return predict(booster, X, **more)

    monkeypatch.setattr(lightgbm.Booster, "predict", counted)
    return counts


def without(told: str) -> NoReturn:
    """Leave a test out with a sentence, where something is not on this machine; under CI it fails."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(told)


def _subset_by_harfbuzz() -> bool:
    from weasyprint.text.ffi import harfbuzz_subset

    return harfbuzz_subset is not None


@cache
def _has_a_font() -> bool:
    from weasyprint import HTML

    return b"/FontFile" in HTML(string="a").write_pdf(uncompressed_pdf=True)


# What tests need that the package does not bring along: whether it is here, and the command that installs it.
NEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "chromium": (lambda: shutil.which("chromium"), "apt-get install chromium"),
    "pdftoppm": (lambda: shutil.which("pdftoppm"), "apt-get install poppler-utils"),
    "pdftotext": (lambda: shutil.which("pdftotext"), "apt-get install poppler-utils"),
    "playwright": (lambda: find_spec("playwright"), "pip install 'walkaway[dev]'"),
    "duckdb": (lambda: find_spec("duckdb"), "pip install 'walkaway[dev]'"),
    "weasyprint": (have_weasyprint, "apt-get install libpango-1.0-0 libpangoft2-1.0-0, pip install 'walkaway[pdf]'"),
    "libharfbuzz-subset": (_subset_by_harfbuzz, "apt-get install libharfbuzz-subset0"),
    "a font": (_has_a_font, "apt-get install fontconfig fonts-dejavu-core"),
}


@pytest.fixture(scope="session")
def needs():
    """Asks for things of NEEDS; where one is absent the test is skipped with a sentence, and fails under CI."""

    def ask(*names: str) -> None:
        for name in names:
            here, remedy = NEEDS[name]
            if not here():
                without(f"This test needs {name}, which is not on this machine: {remedy}.")

    return ask


@pytest.fixture(scope="session")
def shared():
    """Finds a file of ../shared; where it is absent the test is skipped, and fails under CI."""

    def find(name: str) -> Path:
        path = Path(__file__).resolve().parents[2] / "shared" / name
        if not path.exists():
            without(f"The shared file {name} is not here: {path}.")
        return path

    return find


@pytest.fixture(scope="session")
def bpic2012(shared):
    """The shared log, imported once."""
    log = shared("data/bpic2012/bpic2012_to_2012-01-15.xes.gz")
    return import_xes(log, load_mapping("bpic2012"), now=at("2026-01-01"), mapping_name="bpic2012")
