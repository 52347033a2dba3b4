from datetime import date, datetime

import pandas as pd
import pytest
from tests.workbooks import workbook

from walkaway.errors import DataError, MappingError
from walkaway.importers.sheets import Ragged, decode, read_sheet, separator_of, sheet_of_text

TEXT = "id,näme\n1,é\n"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8 with BOM"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_found(written, found):
    assert decode(TEXT.encode(written), "f.csv") == (TEXT, found)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "f.csv: must have rows, found an empty file. Export it again"),
        (b" \n\n", "f.csv: must have rows, found an empty file. Export it again"),
        (b"\x00\x01\x02\x03" * 9, r"must be text, found zero bytes\. Export it as CSV"),
        (b"PK\x03\x04\x00\x00\x00" * 9, "looks like a workbook or zip file: correct its extension"),
        ("ab".encode("utf-16") + b"c", "looks like utf-16 but is damaged: .*truncated data. Export it again"),
    ],
)
def test_what_is_no_text_is_said_to_be_none(data, says):
    with pytest.raises(DataError, match=says):
        decode(data, "f.csv")


@pytest.mark.parametrize(
    ("written", "fixed", "says"),
    [
        ("cp1252", "utf-8", "cannot be read in the encoding utf-8 of the mapping: .*byte 0xe4 in position 4"),
        ("utf-8", "cp1252", "the encoding in the mapping is cp1252, found a file in UTF-8"),
        ("utf-8", "klingon", "cannot be read in the encoding klingon of the mapping: unknown encoding: klingon"),
    ],
)
def test_a_wrong_encoding_of_the_mapping_is_named(written, fixed, says):
    with pytest.raises(MappingError, match=f"f.csv: {says}.*Correct `encoding` in the mapping, or leave it out"):
        decode(TEXT.encode(written), "f.csv", fixed)


def test_an_encoding_of_the_mapping_is_taken():
    assert decode("ł;1".encode("cp1250"), "f.csv", "cp1250") == ("ł;1", "cp1250")


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb\n1,5\t2;5\n", "\t"),
        ("a|b\n1,5|2,5\n", "|"),
        ('a,b\n"x;y;z","p;q;r"\n', ","),
        ("a;b;c\n1,5;2,5;x\n1,5;2,5;\n", ";"),
        ("alone\n1\n", ","),
    ],
)
def test_the_separator_is_found(text, separator):
    assert separator_of(text) == separator


def test_rows_know_the_line_on_which_they_begin():
    sheet = sheet_of_text(b'id,note\n1,"two\nlines"\n\n2,x\n', "f.csv")

    assert sheet.cells.index.tolist() == ["f.csv, line 2", "f.csv, line 5"]
    assert sheet.cells["note"].tolist() == ["two\nlines", "x"]


def test_cells_are_trimmed_and_empty_ones_are_missing():
    assert sheet_of_text(b"id , a\n 1 ,\n", "f.csv").cells.to_dict("records") == [{"id": "1", "a": None}]


def test_ragged_rows_are_set_apart_and_counted():
    sheet = sheet_of_text(b"id,a\n1\n2,x\n3,x,y\n", "f.csv", separator=",")

    assert sheet.cells["id"].tolist() == ["2"]
    assert sheet.ragged[1] == Ragged("f.csv, line 4", ("3", "x", "y"), 2)
    assert sheet.rows_in == 3


def test_a_quote_inside_a_cell_is_read_as_it_stands():
    assert sheet_of_text(b'id,a\n1,the "big" one\n2,"a"b\n', "f.csv").cells["a"].tolist() == ['the "big" one', "ab"]
    assert sheet_of_text(b'id,a\n1,x\n2,"a"b', "f.csv").cells["a"].tolist() == ["x", "ab"]  # on the last line


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"id,sum,sum\n1,2,3\n", "f.csv: column names must be unique, found sum for columns 2 and 3"),
        (b"id,a\n", "f.csv: must have rows, found a header only"),
        (b'id,a\n1,x\n2,"y\n3,z\n', r'f.csv: quotes \("\) must be closed, found an open one after line 2'),
        (
            b'id,a\n1,"y\n' + b"2,z\n" * 40_000 + b'3,"z"',
            r'f.csv: quotes \("\) must be closed, found an open one after line 1',
        ),
    ],
)
def test_a_file_that_cannot_be_told_apart_is_refused(data, says):
    with pytest.raises(DataError, match=says):
        sheet_of_text(data, "f.csv")


def test_a_header_without_a_name_is_called_by_its_place():
    assert sheet_of_text(b"id,,\n1,2,3\n", "f.csv").cells.columns.tolist() == ["id", "column 2", "column 3"]


def test_a_workbook_keeps_the_types_of_its_cells(tmp_path):
    rows = [["id", "born", "sum", "note"], ["d1", date(2026, 1, 31), 1.5, None], [None] * 4, ["d2", None, 3, "x"]]
    workbook(tmp_path / "f.xlsx", Deals=rows, Notes=[["a"]])
    sheet = read_sheet(tmp_path / "f.xlsx")

    assert sheet.cells.index.tolist() == ["f.xlsx, line 2", "f.xlsx, line 4"]
    assert sheet.cells.iloc[0].tolist() == ["d1", date(2026, 1, 31), 1.5, None]
    assert sheet.cells["sum"].tolist() == [1.5, 3.0]
    assert (sheet.encoding, sheet.unread) == ("workbook, sheet Deals", ("Notes",))


def test_the_sheet_of_the_mapping_is_read(tmp_path):
    workbook(tmp_path / "f.xlsx", Notes=[["a"]], Deals=[["id"], ["d1"]])

    assert read_sheet(tmp_path / "f.xlsx", sheet="Deals").cells["id"].tolist() == ["d1"]
    with pytest.raises(
        MappingError, match=r"f.xlsx: the mapping names a sheet Deal, found only Notes, Deals\. Correct `sheet`"
    ):
        read_sheet(tmp_path / "f.xlsx", sheet="Deal")


def test_an_empty_sheet_is_refused(tmp_path):
    workbook(tmp_path / "f.xlsx", Deals=[])

    with pytest.raises(DataError, match=r"f.xlsx: must have rows, found none"):
        read_sheet(tmp_path / "f.xlsx")


def test_parquet_keeps_the_types_of_its_cells(tmp_path):
    frame = pd.DataFrame({"id": [7], "born": pd.to_datetime(["2026-01-31T10:00"]), "won": [True], "tags": [["a", "b"]]})
    frame.to_parquet(tmp_path / "f.parquet")

    assert read_sheet(tmp_path / "f.parquet").cells.iloc[0].tolist() == [
        7.0,
        datetime(2026, 1, 31, 10),
        "true",
        "['a' 'b']",
    ]


@pytest.mark.parametrize("extension", [".csv", ".parquet", ".xlsx"])
def test_a_damaged_or_empty_file_is_refused(tmp_path, extension):
    (tmp_path / f"f{extension}").write_bytes(b"")

    with pytest.raises(
        DataError, match=rf"f{extension}: must (have rows|be a workbook|be a Parquet file), found.* again"
    ):
        read_sheet(tmp_path / f"f{extension}")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none.csv", r"none.csv: must be a file, found none\. Name one with one of the extensions .csv, .parquet"),
        (".", r"must be a file, found a folder\. Name the files in it"),
        ("f.pdf", r"f.pdf: the extension must be one of .csv, .parquet, .tsv, .txt, .xlsx, found .pdf"),
    ],
)
def test_what_is_no_readable_file_is_refused(tmp_path, name, says):
    (tmp_path / "f.pdf").write_bytes(b"x")

    with pytest.raises(DataError, match=says):
        read_sheet(tmp_path / name)


@pytest.mark.parametrize(
    "text", ["id\nd\u00fc\n\u20ac1\n", "town;plan\n" + "Z\u00fcrich;Plan 5 \u20ac\n" * 60, "plan\nPreis \u20ac\n"]
)
def test_few_letters_of_cp1252_are_not_taken_for_a_page_of_dos(text):
    assert decode(text.encode("cp1252"), "deals.csv") == (text, "cp1252")
