"""Small inputs that real exports look like, each with its right result."""

import tomllib

import pandas as pd
import pytest

from walkaway.importers.imported import Imported
from walkaway.importers.mapping import load_mapping
from walkaway.importers.suggest import suggest
from walkaway.importers.table import import_table
from walkaway.importers.table_mapping import TableMapping

NOW = pd.Timestamp("2026-02-01", tz="UTC")
FLAGS = """
source = "table"
[deals]
file = "opps.csv"
deal_id = "Id"
created_at = "CreatedDate"
closed_at = "CloseDate"
[deals.outcome]
won_if = { IsWon = true }
lost_if = { IsClosed = true, IsWon = false }
open_if = { IsClosed = false }
"""


@pytest.fixture
def case(shared):
    """Imports a case with its mapping, or with one of this text."""

    def case(name: str, file: str, text: str | None = None) -> Imported:
        folder = shared(f"cases/{name}")
        if text is not None:
            return import_table([folder / file], TableMapping.model_validate(tomllib.loads(text)), NOW)
        stem = file.removesuffix(".toml")
        named = load_mapping(str(folder / f"{stem}.toml"))
        return import_table([folder / named.deals.file], named, NOW)

    return case


def outcomes(found: Imported) -> dict[str, int]:
    return found.book.deals["outcome"].fillna("open").value_counts().to_dict()


def test_05_closed_and_won_are_two_columns(case):
    assert outcomes(case("05-isclosed-iswon", "opps.csv", FLAGS)) == {"won": 23, "lost": 27, "open": 10}


def test_62_a_book_without_losses_is_imported_and_says_what_follows(case):
    found = case("62-losses-not-recorded", "nolost.toml")

    assert outcomes(found) == {"won": 1, "open": 2}
    assert found.notes[-1] == (
        "No deal is lost in this book, so a model cannot be trained on it. Set lost_after_days if a deal that stays "
        "open for so long counts as lost."
    )


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("01-report-footer-csv", {"lost": 27, "won": 23, "open": 10}),
        ("05-isclosed-iswon", {"lost": 27, "won": 23, "open": 10}),
        ("08-not-won", {"lost": 27, "won": 23, "open": 10}),
        ("14-dynamics", {"lost": 27, "won": 23, "open": 10}),
    ],
)
def test_a_draft_alone_gives_the_right_outcomes(shared, tmp_path, name, counted):
    files = sorted(shared(f"cases/{name}").glob("*.csv"))
    (tmp_path / "draft.toml").write_text(suggest(files), encoding="utf-8")

    assert outcomes(import_table(files, load_mapping(str(tmp_path / "draft.toml")), NOW)) == counted
