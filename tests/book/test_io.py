import json
from pathlib import Path

import pandas as pd
import pytest

from walkaway.book.io import read_book, write_book
from walkaway.errors import BookError
from walkaway.files import checksum

DEALS = "deal_id | created_at | closed_at | outcome | amount | region"


@pytest.fixture
def book(make_book):
    return make_book(
        fixed=("amount", "region"),
        deals=f"{DEALS}\nd1 | 2026-01-05 | 2026-01-09 | won | 900.5 | north\nd2 | 2026-01-06T09:00:01 | - | - | - | -",
        activities="activity_id | deal_id | kind | occurred_at | recorded_at\na1 | d1 | call | 2026-01-06 | 2026-01-06",
    )


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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

    with pytest.raises(
        BookError,
        match=r"letters: must be new, empty or a book, found other content \(no manifest.json\)\. Name another folder",
    ):
        write_book(book, tmp_path / "letters")
    assert (tmp_path / "letters" / "mine.txt").read_text() == "dear"


def test_a_file_in_the_place_of_the_book_is_left_alone(book, tmp_path):
    (tmp_path / "book").write_text("dear")

    with pytest.raises(BookError, match=r"book: must be new, empty or a book"):
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

    with pytest.raises(BookError, match=r"table changes is missing \(no changes.parquet\)\. Import the book again"):
        read_book(tmp_path / "book")


def test_a_table_whose_bytes_were_changed_is_refused(book, tmp_path):
    write_book(book, tmp_path / "book")
    with (tmp_path / "book" / "deals.parquet").open("ab") as file:
        file.write(b"x")

    with pytest.raises(BookError, match=r"deals.parquet: does not match its checksum in manifest.json"):
        read_book(tmp_path / "book")


def test_a_book_of_another_format_version_is_refused_with_both_versions(book, tmp_path):
    write_book(book, tmp_path / "book")
    path = tmp_path / "book" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 99}))

    with pytest.raises(BookError, match=r"format_version must be 1, found 99. Import the book again"):
        read_book(tmp_path / "book")


def test_a_manifest_that_is_not_json_is_refused(book, tmp_path):
    write_book(book, tmp_path / "book")
    (tmp_path / "book" / "manifest.json").write_text("{")

    with pytest.raises(BookError, match=r"manifest.json: Invalid JSON: .*Import the book again"):
        read_book(tmp_path / "book")


def test_a_manifest_with_a_part_of_the_wrong_kind_names_part_and_rule(tmp_path, make_book):
    write_book(make_book(deals="deal_id | created_at\nd1 | 2026-01-01"), tmp_path / "book")
    path = tmp_path / "book" / "manifest.json"
    path.write_text(path.read_text().replace('"timeless": false', '"timeless": "perhaps"'))

    with pytest.raises(
        BookError, match=r"manifest\.json: timeless must be true or false, found 'perhaps'\. Import the book again"
    ):
        read_book(tmp_path / "book")
