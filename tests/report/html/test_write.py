import sys

import pandas as pd
import pytest
from tests.books import UNTIL

from walkaway.errors import UsageError
from walkaway.report.html import write_report

pytest_plugins = ("tests.reports",)


def names_of(folder) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("html", {"report.html", "deals.csv", "deals.xlsx", "calls.parquet"}),
        ("md", {"digest.md", "calls.parquet"}),
    ],
)
def test_what_is_asked_for_is_written_and_no_more(hostile, model, settings, tmp_path, form, files):
    done = write_report(hostile, model, UNTIL, settings, tmp_path / "out", form)

    assert names_of(tmp_path / "out") == files
    assert set(done.files) == files - {"calls.parquet"}


def test_the_same_report_has_the_same_bytes(needs, hostile, model, settings, tmp_path):
    needs("weasyprint")
    for name in ("one", "two"):
        write_report(hostile, model, UNTIL, settings, tmp_path / name)

    for name in ("report.html", "report.pdf", "digest.md", "deals.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_next_report_in_a_folder_is_compared_with_the_one_before(hostile, model, settings, tmp_path):
    first = write_report(hostile, model, UNTIL - pd.Timedelta(days=14), settings, tmp_path, "md")
    second = write_report(hostile, model, UNTIL, settings, tmp_path, "md")

    assert first.content.changes is None
    assert len(second.content.changes) > 0
    assert "Since the last report:" in second.digest


def test_a_report_made_twice_is_compared_with_the_one_before_both(hostile, model, settings, tmp_path):
    for days in (14, 0, 0):
        last = write_report(hostile, model, UNTIL - pd.Timedelta(days=days), settings, tmp_path, "md")

    assert last.content.since == UNTIL - pd.Timedelta(days=14)


def test_a_file_of_an_earlier_report_is_left_and_named(hostile, model, settings, tmp_path):
    write_report(hostile, model, UNTIL, settings, tmp_path, "md")
    done = write_report(hostile, model, UNTIL, settings, tmp_path, "html")

    assert "digest.md in that folder is from an earlier report." in done.summary()
    assert names_of(tmp_path) == {"report.html", "digest.md", "deals.csv", "deals.xlsx", "calls.parquet"}


def test_calls_that_cannot_be_read_are_no_report_to_compare_with(hostile, model, settings, tmp_path):
    (tmp_path / "calls.parquet").write_bytes(b"not a table")

    assert write_report(hostile, model, UNTIL, settings, tmp_path, "md").content.changes is None


def test_without_weasyprint_the_pdf_is_left_out_with_the_line_that_installs_it(
    hostile, model, settings, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    done = write_report(hostile, model, UNTIL, settings, tmp_path / "all")

    assert "report.pdf" not in names_of(tmp_path / "all")
    assert "report.pdf was left out: WeasyPrint is not installed (pip install 'walkaway[pdf]')." in done.summary()
    with pytest.raises(UsageError, match=r"report\.pdf needs WeasyPrint.*pip install 'walkaway\[pdf\]'"):
        write_report(hostile, model, UNTIL, settings, tmp_path / "pdf", "pdf")
