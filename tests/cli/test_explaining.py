import json

from tests.cli.conftest import assert_refused, open_deal

from walkaway.models import Caveat

pytest_plugins = ("tests.books",)


def test_an_unknown_deal_exits_with_2(walkaway, here):
    assert_refused(walkaway("explain", "d99", *here), 2, "walkaway: deal d99 is not in the book. Did you mean d199")


def test_a_bar_of_the_file_reaches_explain(walkaway, here, book, tmp_path):
    (tmp_path / "walkaway.toml").write_text("[score]\nbar = 11")

    assert json.loads(walkaway("explain", open_deal(book), *here, "--as-of", "2025-08-04", "--json")[1])["bar"] == 11


def test_explain_prints_a_card_on_stdout_only(walkaway, here, book):
    deal = open_deal(book)
    code, out, err = walkaway("explain", deal, *here, "--as-of", "2025-08-04")

    assert (code, err) == (0, "")
    assert f"Deal {deal} at 4 Aug 2025, 00:00 UTC" in out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert "\x1b" not in out


def test_explain_draws_its_steps_into_a_file(walkaway, here, book, tmp_path):
    deal = open_deal(book)
    code, out, err = walkaway("explain", deal, *here, "--as-of", "2025-08-04", "--waterfall", tmp_path / "w.svg")

    assert (code, err) == (0, "")
    assert f"Deal {deal} at 4 Aug 2025, 00:00 UTC" in out
    assert (tmp_path / "w.svg").read_text().startswith("<?xml")


def test_explain_refuses_a_figure_of_no_known_kind_before_anything_else(walkaway, here):
    code, out, err = walkaway("explain", "no such deal", *here, "--waterfall", "w.xlsx")

    assert (code, out) == (2, "")
    assert "--waterfall w.xlsx: figures are .png, .svg, .pdf files." in err


def test_explain_names_deals_like_the_one_that_does_not_exist(walkaway, here):
    code, out, err = walkaway("explain", "d1000", *here)

    assert (code, out) == (2, "")
    assert "deal d1000 is not in the book. Did you mean d1" in err


def test_portfolio_prints_the_pipeline_and_its_json(walkaway, here):
    code, out, err = walkaway("portfolio", *here, "--as-of", "2025-08-04", "--bar", "150", "--owner-audit")
    told = json.loads(walkaway("portfolio", *here, "--as-of", "2025-08-04", "--bar", "150", "--json")[1])

    assert (code, err) == (0, "")
    assert "deals open at 4 Aug 2025, 00:00 UTC" in out
    assert "owner id" in out
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert (told["bar"], told["as_of"]) == (150.0, "2025-08-04T00:00:00+00:00")
    assert told["drops"] == []  # by owner only where an audit asks for it


def test_portfolio_names_a_replay_that_is_not_there(walkaway, here, tmp_path):
    code, out, err = walkaway("portfolio", *here, "--replay", tmp_path)

    assert (code, out) == (2, "")
    assert "ledger.parquet: no ledger found. Name the --out of a finished walkaway replay." in err


def test_explain_prints_json_on_stdout_only(walkaway, here, book):
    deal = open_deal(book)
    code, out, err = walkaway("explain", deal, *here, "--as-of", "2025-08-04", "--bar", "9", "--json")
    read = json.loads(out)

    assert (code, err) == (0, "")
    assert (read["deal_id"], read["as_of"], read["bar"]) == (deal, "2025-08-04T00:00:00+00:00", 9.0)


def test_explain_says_first_what_must_be_known_before_anyone_acts(walkaway, here, book, monkeypatch):
    monkeypatch.setattr(
        "walkaway.explaining.story.caveats_of", lambda model, fmt: (Caveat("young_curve", "[short] history."),)
    )
    _, out, _ = walkaway("explain", open_deal(book), *here, "--as-of", "2025-08-04")

    assert "[short] history." in out.splitlines()[2]
