import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from walkaway.errors import UsageError
from walkaway.files import (
    append_line,
    checksum,
    plain,
    read_lines,
    read_text_frame,
    replaced_folder,
    write_bytes,
    write_frame,
    write_json,
)


@pytest.fixture
def frame(moment):
    return pd.DataFrame({"deal_id": ["d1"], "as_of": [moment("2026-01-05T06:00")], "value": [0.1]})


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_checksum_of_a_file_is_the_sha256_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")

    assert checksum(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


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


@pytest.mark.parametrize("missing", [np.nan, float("-inf"), np.float32("inf"), pd.NaT, pd.NA, None])
def test_what_json_has_no_word_for_is_null(missing):
    assert plain({"a": [missing, (1.5, {"b": missing})]}) == {"a": [None, [1.5, {"b": None}]]}


def test_numbers_of_numpy_are_plain_and_names_are_texts():
    found = plain({1: np.int64(3), "share": np.float64(0.1), "yes": np.bool_(True), "path": "x"})

    assert found == {"1": 3, "share": 0.1, "yes": True, "path": "x"}
    assert [type(value) for value in found.values()] == [int, float, bool, str]


def test_moments_and_days_are_iso_texts():
    moment = pd.Timestamp("2026-01-02T03:04Z")

    assert plain([moment, moment.date()]) == ["2026-01-02T03:04:00+00:00", "2026-01-02"]


def test_a_table_is_its_rows_with_its_index_and_without_anything_that_is_no_number():
    table = pd.DataFrame({"deals": [2, 3], "gap": [0.5, np.nan], "who": ["ann", None]}, index=[7, 8])

    assert plain({"table": table.rename_axis("place")}) == {
        "table": [
            {"place": 7, "deals": 2, "gap": 0.5, "who": "ann"},
            {"place": 8, "deals": 3, "gap": None, "who": None},
        ]
    }
