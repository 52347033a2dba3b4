import pandas as pd
import pytest

from walkaway.book import NAMES, Book, Manifest, is_link, shown_deal

HEAD = "deal_id | created_at | account_id | name | account_name | owner_name | url"


def test_names_stand_in_the_order_asked_for(make_book):
    rows = ("d1 | 2026-01-01 | - | Acme | - | Ann | https://crm.example/1", "d2 | 2026-01-01 | - | Bolt | - | - | -")
    found = make_book(deals="\n".join((HEAD, *rows))).names_of(pd.Series(["d2", "d1", "d2"]))

    assert found.columns.tolist() == ["name", "owner_name", "url"]
    assert found["name"].tolist() == ["Bolt", "Acme", "Bolt"]
    assert found["owner_name"].fillna("").tolist() == ["", "Ann", ""]


def test_an_account_is_named_by_the_deal_or_else_by_the_table_of_accounts(make_book):
    rows = ("d1 | 2026-01-01 | a1 | - | - | - | -", "d2 | 2026-01-01 | a1 | - | Acme GmbH | - | -")
    book = make_book(deals="\n".join((HEAD, *rows)), accounts="account_id | name\na1 | Acme")

    assert book.names_of(book.deals["deal_id"])["account_name"].tolist() == ["Acme", "Acme GmbH"]


def test_a_book_without_names_has_no_column_of_them(make_book):
    book = make_book(deals="deal_id | created_at\nd1 | 2026-01-01")

    assert book.names_of(book.deals["deal_id"]).columns.tolist() == []


def test_a_name_is_no_attribute_that_a_model_learns_from():
    deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]} | {name: ["x"] for name in NAMES})

    assert Book.of(Manifest(fixed_at_creation=NAMES), deals=deals).attributes("text") == []


@pytest.mark.parametrize("name", [None, float("nan"), "", "  "])
def test_a_deal_without_a_name_is_shown_by_its_id(name):
    assert shown_deal("d1", name) == "d1"


def test_a_name_is_shown_on_one_line_and_not_longer_than_it_can_be_read():
    assert shown_deal("d1", "Acme\n\nrenewal") == "Acme renewal (d1)"
    assert shown_deal("d1", "x" * 41) == f"{'x' * 39}… (d1)"


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "data:text/html,x", " https://a.example", "https://a b", 'https://a"x', "ftp://a"]
)
def test_only_links_of_the_web_are_links(text):
    assert not is_link(text)
    assert is_link("HTTPS://crm.example/lightning/r/Opportunity/006/view?x=1&y=2")
