import csv
from zipfile import ZipFile

import pandas as pd
import pytest
from tests.reports import FORMULA, LONG

from walkaway.report.html.lists import harmless, write_lists

pytest_plugins = ("tests.reports",)


@pytest.fixture(scope="module")
def written(content, tmp_path_factory):
    out = tmp_path_factory.mktemp("lists")
    write_lists(content.calls, out)
    return out


def test_both_lists_have_every_open_deal(written, content):
    rows = pd.read_csv(written / "deals.csv", dtype="str")
    sheet = pd.read_excel(written / "deals.xlsx", dtype="str", engine="calamine")

    assert sorted(rows["deal_id"]) == sorted(sheet["deal_id"]) == sorted(content.calls["deal_id"])
    assert rows["verdict"].iloc[0] == "walk_away"


def test_no_cell_of_the_csv_can_start_a_formula(written):
    with (written / "deals.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]

    assert [cell for cell in cells if cell[:1] in "=+@\t\r" and cell] == []
    assert [
        cell for cell in cells if cell.startswith("-") and not cell[1:].replace(".", "").replace("e-", "").isdigit()
    ] == []
    assert f"'{FORMULA}" in cells


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(written):
    with ZipFile(written / "deals.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()

    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_quoted(text):
    assert harmless(text) == f"'{text}"


def test_a_text_too_long_for_a_cell_is_cut():
    assert len(harmless(LONG * 4)) == 32_000
    assert harmless("Müller & Co") == "Müller & Co"
