import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from walkaway.book.io import read_book, write_book
from walkaway.errors import BookError, UsageError
from walkaway.files import (
    append_line,
    checksum,
    read_lines,
    read_text_frame,
    replaced_folder,
    write_bytes,
    write_frame,
    write_json,
)

DEALS = "deal_id | created_at | closed_at | outcome | amount | region"


@pytest.fixture
def book(make_book):
    return make_book(
        fixed=("amount", "region"),
        deals=f"{DEALS}\nd1 | 2026-01-05 | 2026-01-09 | won | 900.5 | north\nd2 | 2026-01-06T09:00:01 | - | - | - | -",
        activities="activity_id | deal_id | kind | occurred_at | recorded_at\na1 | d1 | call | 2026-01-06 | 2026-01-06",
    )


@pytest.fixture
def frame(moment):
    return pd.DataFrame({"deal_id": ["d1"], "as_of": [moment("2026-01-05T06:00")], "value": [0.1]})


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_checksum_of_a_file_is_the_sha256_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")

    assert checksum(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_book_read_back_is_the_book_written(book, tmp_path):
    manifest = write_book(book, tmp_path / "book")
    again = read_book(tmp_path / "book")

    for name, table in book.tables().items():
        pd.testing.assert_frame_equal(
            again.tables()[name].drop(columns="region", errors="ignore"), table.drop(columns="region", errors="ignore")
        )
    assert again.deals["region"].fillna("none").tolist() == ["north", "none"]
    assert again.manifest == manifest


def test_the_manifest_names_a_checksum_for_each_table(book, tmp_path):
    manifest = write_book(book, tmp_path / "book")

    assert manifest.files == {
        f"{name}.parquet": checksum(tmp_path / "book" / f"{name}.parquet")
        for name in ("deals", "changes", "activities", "contacts", "accounts")
    }


def test_the_same_book_written_twice_has_the_same_fingerprint(book, tmp_path):
    assert write_book(book, tmp_path / "a").fingerprint == write_book(book, tmp_path / "b").fingerprint


def test_the_quarantine_is_written_beside_the_tables(book, tmp_path):
    write_book(book, tmp_path / "book", quarantine=pd.DataFrame({"row": ["line 3"]}))

    assert pd.read_parquet(tmp_path / "book" / "quarantine.parquet")["row"].tolist() == ["line 3"]


def test_writing_a_book_over_a_book_replaces_it_whole(book, tmp_path):
    write_book(book, tmp_path / "book", quarantine=pd.DataFrame({"row": ["line 3"]}))
    write_book(book.with_tables(deals=book.deals.iloc[:1]), tmp_path / "book")

    assert read_book(tmp_path / "book").deals["deal_id"].tolist() == ["d1"]
    assert "quarantine.parquet" not in files_of(tmp_path / "book")
    assert files_of(tmp_path) == ["book"]


def test_a_folder_that_is_not_a_book_is_left_alone(book, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("dear")

    with pytest.raises(BookError, match=r"letters exists and is not a book \(no manifest.json\)\. Name another folder"):
        write_book(book, tmp_path / "letters")
    assert (tmp_path / "letters" / "mine.txt").read_text() == "dear"


def test_a_file_in_the_place_of_the_book_is_left_alone(book, tmp_path):
    (tmp_path / "book").write_text("dear")

    with pytest.raises(BookError, match=r"book exists and is not a book"):
        write_book(book, tmp_path / "book")
    assert (tmp_path / "book").read_text() == "dear"


def test_an_empty_folder_becomes_the_book(book, tmp_path):
    (tmp_path / "book").mkdir()
    write_book(book, tmp_path / "book")

    assert read_book(tmp_path / "book").deals["deal_id"].tolist() == ["d1", "d2"]


def test_a_book_that_fails_to_be_written_leaves_the_old_one(book, tmp_path):
    write_book(book, tmp_path / "book")
    broken = book.with_tables(deals=book.deals.assign(amount=[object(), object()]))

    with pytest.raises(Exception, match="object"):
        write_book(broken, tmp_path / "book")
    assert read_book(tmp_path / "book").deals["deal_id"].tolist() == ["d1", "d2"]
    assert files_of(tmp_path) == ["book"]


def test_a_folder_without_a_manifest_is_no_book(tmp_path):
    with pytest.raises(BookError, match=r"is not a book: it has no manifest.json. Make one with `walkaway import`"):
        read_book(tmp_path)


def test_a_book_that_lacks_a_table_says_which(book, tmp_path):
    write_book(book, tmp_path / "book")
    (tmp_path / "book" / "changes.parquet").unlink()

    with pytest.raises(BookError, match=r"table changes is absent \(no changes.parquet\)\. Import the book again"):
        read_book(tmp_path / "book")


def test_a_table_whose_bytes_were_changed_is_refused(book, tmp_path):
    write_book(book, tmp_path / "book")
    with (tmp_path / "book" / "deals.parquet").open("ab") as file:
        file.write(b"x")

    with pytest.raises(BookError, match=r"deals.parquet: its bytes are not those the manifest names"):
        read_book(tmp_path / "book")


def test_a_book_of_another_format_version_is_refused_with_both_versions(book, tmp_path):
    write_book(book, tmp_path / "book")
    path = tmp_path / "book" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 99}))

    with pytest.raises(BookError, match=r"format_version must be 1, found 99. Import the book again"):
        read_book(tmp_path / "book")


def test_a_manifest_that_is_no_json_is_refused(book, tmp_path):
    write_book(book, tmp_path / "book")
    (tmp_path / "book" / "manifest.json").write_text("{")

    with pytest.raises(BookError, match=r"manifest.json: Invalid JSON: .*Import the book again"):
        read_book(tmp_path / "book")


def test_a_manifest_with_a_part_of_the_wrong_kind_names_part_and_rule(tmp_path, make_book):
    write_book(make_book(deals="deal_id | created_at\nd1 | 2026-01-01"), tmp_path / "book")
    path = tmp_path / "book" / "manifest.json"
    path.write_text(path.read_text().replace('"timeless": false', '"timeless": "perhaps"'))

    with pytest.raises(BookError, match=r"manifest\.json: timeless must be a valid boolean, .*Import the book again"):
        read_book(tmp_path / "book")


def test_bytes_are_written_with_the_folders_they_need(tmp_path):
    write_bytes(tmp_path / "a" / "b" / "c.bin", b"\x00\x01")

    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"\x00\x01"
    assert files_of(tmp_path / "a" / "b") == ["c.bin"]


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    write_bytes(tmp_path / "a.txt", b"old")

    def full(handle):
        raise OSError("No space left on device")

    monkeypatch.setattr("walkaway.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_bytes(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert files_of(tmp_path) == ["a.txt"]


def test_a_folder_whose_block_fails_is_not_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("old")

    with pytest.raises(ValueError, match="half way"), replaced_folder(tmp_path / "a") as fresh:
        (fresh / "new").write_text("new")
        raise ValueError("half way")
    assert (files_of(tmp_path), files_of(tmp_path / "a")) == (["a"], ["old"])


def test_a_folder_whose_last_rename_fails_keeps_its_old_content(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("old")
    rename = Path.rename

    def refuse_new(self, target):
        if (self / "new").exists():
            raise OSError("disk gone")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(OSError, match="disk gone"), replaced_folder(tmp_path / "a") as fresh:
        (fresh / "new").write_text("new")
    assert (tmp_path / "a" / "old").read_text() == "old"


def test_json_is_indented_and_keeps_letters_as_they_are(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Café", "n": 1})

    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "name": "Café",\n "n": 1\n}\n'


def test_json_refuses_what_is_not_a_number(tmp_path):
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        write_json(tmp_path / "a.json", {"n": float("nan")})
    assert files_of(tmp_path) == []


def test_a_frame_as_csv_says_its_moments_with_a_z(frame, tmp_path):
    write_frame(frame, str(tmp_path / "a.csv"))

    assert (tmp_path / "a.csv").read_text() == "deal_id,as_of,value\nd1,2026-01-05T06:00:00Z,0.1\n"


def test_a_frame_as_json_has_one_record_a_row(frame, tmp_path):
    write_frame(frame, str(tmp_path / "a.json"))

    assert json.loads((tmp_path / "a.json").read_text()) == [
        {"deal_id": "d1", "as_of": "2026-01-05T06:00:00Z", "value": 0.1}
    ]


def test_a_frame_as_parquet_keeps_every_bit(frame, tmp_path):
    write_frame(frame, str(tmp_path / "a.PARQUET"))

    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.PARQUET"), frame)


def test_a_missing_number_is_an_empty_cell_in_csv_and_null_in_json(frame, tmp_path):
    for name in ("a.csv", "a.json"):
        write_frame(frame.assign(value=np.nan), str(tmp_path / name))

    assert (tmp_path / "a.csv").read_text().splitlines()[1] == "d1,2026-01-05T06:00:00Z,"
    assert json.loads((tmp_path / "a.json").read_text())[0]["value"] is None


@pytest.mark.parametrize(("out", "begins"), [("-", b"deal_id,as_of,value\n"), ("-.json", b"[\n {")])
def test_a_dash_writes_to_standard_output(frame, monkeypatch, out, begins):
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stdout)
    write_frame(frame, out)

    assert stdout.buffer.getvalue().startswith(begins)


def test_an_unknown_extension_is_refused_with_those_known(frame, tmp_path):
    with pytest.raises(
        UsageError, match=r"a.xlsx: the extension must be one of .csv, .json, .parquet, or - for stdout"
    ):
        write_frame(frame, str(tmp_path / "a.xlsx"))
    assert files_of(tmp_path) == []


def test_writing_a_frame_leaves_it_alone(frame, tmp_path):
    before = frame.copy()
    write_frame(frame, str(tmp_path / "a.csv"))

    pd.testing.assert_frame_equal(frame, before)


# Lines of JSON


def test_lines_are_read_back_in_the_order_they_were_added(tmp_path):
    for n in (1, 2):
        append_line(tmp_path / "a" / "runs.jsonl", {"run": n, "who": "Zoë"})

    assert read_lines(tmp_path / "a" / "runs.jsonl") == [{"run": 1, "who": "Zoë"}, {"run": 2, "who": "Zoë"}]


def test_without_a_file_there_are_no_lines(tmp_path):
    assert read_lines(tmp_path / "runs.jsonl") == []


def test_a_line_that_is_no_whole_object_is_left_out(tmp_path):
    (tmp_path / "runs.jsonl").write_bytes(b'{"run": 1}\n\xff\n[2]\n{"run": 3}\n{"ru')

    assert read_lines(tmp_path / "runs.jsonl") == [{"run": 1}, {"run": 3}]


def test_adding_a_line_drops_only_a_torn_last_one(tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b'{"run": 1}\nodd\n{"ru')
    append_line(path, {"run": 2})

    assert path.read_bytes() == b'{"run": 1}\nodd\n{"run": 2}\n'


def test_a_line_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "runs.jsonl"
    append_line(path, {"run": 1})

    with pytest.raises(ValueError, match="not JSON compliant"):
        append_line(path, {"run": float("nan")})
    assert path.read_bytes() == b'{"run": 1}\n'


# Frames read back as text


def test_a_deal_called_na_or_007_is_read_back_by_its_name(tmp_path):
    write_frame(pd.DataFrame({"deal_id": ["NA", "007"]}), str(tmp_path / "a.csv"))

    assert read_text_frame(tmp_path / "a.csv")["deal_id"].tolist() == ["NA", "007"]


def test_parquet_is_read_back_with_its_types(tmp_path, frame):
    write_frame(frame, str(tmp_path / "a.parquet"))

    pd.testing.assert_frame_equal(read_text_frame(tmp_path / "a.parquet"), frame)
