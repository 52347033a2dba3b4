import pytest

pytest_plugins = ("tests.books",)


def test_report_writes_its_folder_and_says_the_answer_on_stderr(walkaway, here, tmp_path):
    options = ("--as-of", "2025-08-04", "--bar", "600", "--format", "html", "--out", tmp_path / "out")
    code, out, err = walkaway("report", *here, *options)

    assert (code, out) == (0, "")
    assert "Stopping work on " in err
    assert (tmp_path / "out" / "report.html").is_file()


def test_report_prints_the_digest_alone_where_it_is_asked_for(walkaway, here, tmp_path):
    options = ("--as-of", "2025-08-04", "--bar", "600", "--format", "md", "--out", tmp_path / "out", "-q")
    code, out, err = walkaway("report", *here, *options)

    assert (code, err) == (0, "")
    assert out == (tmp_path / "out" / "digest.md").read_text()


@pytest.mark.parametrize(
    ("option", "said"),
    [("--decisions", "cannot be read as decisions"), ("--replay", "summary.json is not the summary of a replay")],
)
def test_report_names_what_it_cannot_read(walkaway, here, tmp_path, option, said):
    code, out, err = walkaway("report", *here, option, tmp_path / "none", "--out", tmp_path / "out")

    assert (code, out) == (2, "")
    assert said in " ".join(err.split())
