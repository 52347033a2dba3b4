import json
import re

from tests.books import END_DAY, day

pytest_plugins = ("tests.books",)


def test_check_tells_every_finding_on_stderr(walkaway, here):
    code, out, err = walkaway("check", *here)

    assert (code, out) == (0, "")
    assert [f"D{n} " in err for n in range(1, 8)] == [True] * 7


def test_check_as_json_goes_to_stdout(walkaway, here):
    code, out, err = walkaway("check", *here, "--as-of", day(250).isoformat(), "--json")
    told = json.loads(out)

    assert (code, err) == (0, "")
    assert sorted(finding["code"] for finding in told["findings"]) == [f"D{n}" for n in range(1, 8)]
    assert told["looked_at"] == day(245).isoformat()


def test_a_quiet_check_says_nothing(walkaway, here):
    assert walkaway("check", *here, "--quiet") == (0, "", "")


def test_check_is_told_thresholds_by_the_settings(walkaway, here, tmp_path):
    (tmp_path / "walkaway.toml").write_text("check.age = { watch = 0.001, act = 0.002 }")
    told = json.loads(walkaway("check", *here, "--json")[1])

    assert {f["code"]: f["level"] for f in told["findings"]}["D7"] == "act"


def test_check_writes_its_numbers_by_the_locale_of_the_settings(walkaway, here, monkeypatch):
    """The sentence on wins always has a number with one decimal."""
    decimals = {}
    for locale in ("en_GB", "de_DE"):
        monkeypatch.setenv("WALKAWAY_REPORT__LOCALE", locale)
        findings = {f["code"]: f["sentence"] for f in json.loads(walkaway("check", *here, "--json")[1])["findings"]}
        decimals[locale] = re.findall(r"\d([.,])\d\b", findings["D1"] + findings["D5"])

    assert set(decimals["en_GB"]) == {"."}
    assert set(decimals["de_DE"]) == {","}


def test_check_refuses_a_moment_before_the_model_learned(walkaway, here):
    code, _, err = walkaway("check", *here, "--as-of", day(100).isoformat())

    assert code == 2
    assert "the moment until which the model was trained" in err


def test_check_refuses_a_book_that_does_not_fit(walkaway, here, models, book, tmp_path):
    from dataclasses import replace

    from walkaway.book.io import write_book

    other = replace(book, manifest=book.manifest.model_copy(update={"currency": "USD"}))
    write_book(other, tmp_path / "other")
    code, _, err = walkaway("check", "--book", tmp_path / "other", "--models", models)

    assert code == 3
    assert "the book's amounts are in USD, and the model was trained on amounts in EUR" in err


def test_the_book_of_these_tests_ends_where_they_say(book):
    assert book.last_recorded_at() <= day(END_DAY)
