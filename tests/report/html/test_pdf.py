import itertools
import os
import sys
from types import SimpleNamespace

import pytest

from walkaway.errors import UsageError
from walkaway.report.html.pdf import have_weasyprint, only_itself, write_pdf

PAGE = "<p>An hour is worth EUR 120.</p>"


@pytest.fixture(params=["HarfBuzz", "fontTools"])
def subsetter(needs, request, monkeypatch):
    """Fonts are subset as with, and as without libharfbuzz-subset; at each look the clock has gone on by an hour."""
    needs("weasyprint", "a font", *(["libharfbuzz-subset"] if request.param == "HarfBuzz" else []))
    clock = itertools.count(1e9, 3600)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr("fontTools.misc.timeTools.time", SimpleNamespace(time=lambda: next(clock)))
    if request.param == "fontTools":
        monkeypatch.setattr("weasyprint.pdf.fonts.harfbuzz_subset", None)
    return request.param


def test_the_same_page_has_the_same_bytes_at_another_time(subsetter, tmp_path):
    for name in ("one.pdf", "two.pdf"):
        write_pdf(PAGE, tmp_path / name)

    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    assert "SOURCE_DATE_EPOCH" not in os.environ


@pytest.mark.parametrize("subsetter", ["fontTools"], indirect=True)
def test_left_alone_the_time_of_writing_is_in_the_fonts(subsetter):
    from weasyprint import HTML

    one, two = (HTML(string=PAGE).write_pdf(pdf_identifier=b"walkaway") for _ in range(2))

    assert one != two


@pytest.mark.parametrize("subsetter", ["fontTools"], indirect=True)
def test_the_moment_that_the_environment_names_is_the_time_of_writing(subsetter, tmp_path, monkeypatch):
    write_pdf(PAGE, tmp_path / "as of 1970.pdf")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("one.pdf", "two.pdf"):
        write_pdf(PAGE, tmp_path / name)

    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    assert (tmp_path / "one.pdf").read_bytes() != (tmp_path / "as of 1970.pdf").read_bytes()
    assert os.environ["SOURCE_DATE_EPOCH"] == "1700000000"


def test_what_weasyprint_prints_where_it_lacks_a_library_does_not_reach_stdout(monkeypatch, tmp_path, capsys):
    """Other programs read it."""
    (tmp_path / "weasyprint.py").write_text("print('-----')\nraise OSError('cannot load library')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    with pytest.raises(UsageError, match=r"x\.pdf needs WeasyPrint"):
        write_pdf(PAGE, tmp_path / "x.pdf")

    assert not have_weasyprint()
    assert capsys.readouterr().out == ""


def test_a_page_that_fails_leaves_the_environment_as_it_was(needs, monkeypatch, tmp_path):
    needs("weasyprint")
    seen = []

    def fails(*given, **more):
        seen.append(os.environ["SOURCE_DATE_EPOCH"])
        raise ValueError("no page")

    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr("weasyprint.HTML.write_pdf", fails)
    with pytest.raises(ValueError, match="no page"):
        write_pdf(PAGE, tmp_path / "x.pdf")

    assert seen == ["0"]
    assert "SOURCE_DATE_EPOCH" not in os.environ


@pytest.mark.parametrize("url", ["https://example.com/x.png", "file:///etc/passwd", "http://127.0.0.1/", "/etc/passwd"])
def test_the_pdf_fetches_nothing(needs, url):
    needs("weasyprint")
    with pytest.raises(ValueError, match=r"URI uses disallowed protocol|Not an absolute URI"):
        only_itself().fetch(url)


def test_what_a_page_carries_in_itself_may_be_read(needs, tmp_path):
    needs("weasyprint")
    write_pdf('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt=""><p>x</p>', tmp_path / "x.pdf")

    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
