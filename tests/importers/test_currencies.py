import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from walkaway.book.schema import Book, Manifest
from walkaway.config import MoneySettings
from walkaway.errors import DataError
from walkaway.importers.currencies import in_one_currency

RATES = [
    {"currency": "USD", "from": "2026-01-01", "rate": 0.5},
    {"currency": "USD", "from": "2026-02-01", "rate": 0.25},
    {"currency": "GBP", "from": "2026-01-01", "rate": 2.0},
]
EUR = MoneySettings(currency="EUR", rates=RATES)


def book_of(currencies, created="2026-01-15", currency="EUR", **columns) -> Book:
    ids = [f"d{i}" for i in range(len(currencies))]
    rows = {"deal_id": ids, "created_at": created, "amount": 100.0, "currency": currencies}
    return Book.of(Manifest(currency=currency), deals=pd.DataFrame(rows | columns))


def test_each_deal_has_the_rate_of_the_day_it_was_created():
    created = ["2026-01-01T00:00Z", "2026-01-31T23:59Z", "2026-02-01T00:00Z", "2026-07-01T09:00Z", "2026-01-05T09:00Z"]
    book, refused, notes = in_one_currency(book_of(["USD", "USD", "USD", "GBP", "EUR"], created=created), EUR)

    assert book.deals["amount"].tolist() == [50.0, 50.0, 25.0, 200.0, 100.0]
    assert set(book.deals["currency"]) == {book.manifest.currency} == {"EUR"}
    assert refused.empty
    assert notes == ["Money of 4 deals was converted to EUR (3 from USD, 1 from GBP)."]


def test_without_a_rate_by_that_day_the_deal_is_refused_with_what_it_lacks():
    book, refused, _ = in_one_currency(
        book_of(["USD", "CHF", "EUR"], created=["2025-12-31", "2026-01-05", "2026-01-05"]), EUR
    )

    assert book.deals["deal_id"].tolist() == ["d2"]
    assert refused[["deal_id", "column", "value", "rule"]].to_numpy().tolist() == [
        ["d0", "currency", "USD of 2025-12-31", "has no rate into EUR by the day the deal was created"],
        ["d1", "currency", "CHF of 2026-01-05", "has no rate into EUR by the day the deal was created"],
    ]


def test_amounts_of_the_history_take_their_deals_rate_and_nothing_else_does():
    changes = pd.DataFrame(
        [
            ("d0", "amount", "2026-01-20", None, "80.5"),
            ("d0", "amount", "2026-03-20", "80.5", "40"),  # after the rate moved: still the deal's own
            ("d0", "stage", "2026-01-20", "10", "20"),
            ("d1", "amount", "2026-01-20", None, "80.10"),
            ("d0", "amount", "2026-01-21", "x", "about 7"),
        ],
        columns=["deal_id", "field", "recorded_at", "old_value", "new_value"],
    )
    book = book_of(["USD", "EUR"])
    book = Book.of(book.manifest, deals=book.deals, changes=changes)
    found = in_one_currency(book, EUR)[0].changes

    assert found["new_value"].tolist() == ["40.25", "20.0", "20", "80.10", "about 7"]
    assert found["old_value"].fillna("").tolist() == ["", "40.25", "10", "", "x"]


def test_a_missing_currency_is_the_books_own():
    found = in_one_currency(book_of([None, "EUR"], currency="USD"), EUR)[0].deals

    assert found["amount"].tolist() == [50.0, 100.0]


def test_case_and_spaces_of_a_currency_do_not_count():
    assert in_one_currency(book_of([" usd "]), EUR)[0].deals["amount"].tolist() == [50.0]


def test_the_books_own_currency_is_reported_in_where_none_is_set():
    rates = MoneySettings(rates=RATES)

    assert in_one_currency(book_of(["USD", "EUR"]), rates)[0].deals["amount"].tolist() == [50.0, 100.0]


def test_a_book_that_names_no_currency_stays_as_it_is():
    book = book_of([None, None], currency="")
    found, refused, notes = in_one_currency(book, MoneySettings())

    assert found is book
    assert (len(refused), notes) == (0, [])


def test_no_rate_for_any_deal_is_an_error_that_says_how_to_get_one():
    with pytest.raises(DataError, match=r"no deal can be converted to JPY.*EUR of 2026-01-15 has no rate.*money.rates"):
        in_one_currency(book_of(["EUR"]), MoneySettings(currency="JPY"))


def test_without_a_date_there_is_no_dated_rate():
    book = book_of(["USD", "EUR"], created=pd.NaT)
    undated = book.with_tables(manifest=book.manifest.model_copy(update={"timeless": True}))
    found, refused, _ = in_one_currency(undated, EUR)

    assert found.deals["deal_id"].tolist() == ["d1"]
    assert refused[["value", "rule"]].to_numpy().tolist() == [["USD", "cannot be converted without a date"]]


def test_a_deal_whose_date_is_missing_is_left_to_the_rule_on_dates():
    assert len(in_one_currency(book_of(["USD", "EUR"], created=pd.NaT), EUR)[0].deals) == 2


def test_the_day_of_the_rate_is_the_day_where_the_deal_was_made():
    book = book_of(["USD"], created=["2026-01-31T23:00Z"])  # 1 February in Amsterdam

    assert in_one_currency(book, EUR, "Europe/Amsterdam")[0].deals["amount"].tolist() == [25.0]
    assert in_one_currency(book, EUR, "UTC")[0].deals["amount"].tolist() == [50.0]


def test_measures_that_are_money_are_converted_and_others_are_not():
    manifest = Manifest(currency="EUR", fixed_at_creation=("list_price", "staff"))
    deals = book_of(["USD"]).deals.assign(list_price=900.0, staff=900.0)
    found = in_one_currency(Book.of(manifest, deals=deals), EUR, measures=("list_price",))[0].deals

    assert found[["list_price", "staff"]].to_numpy().tolist() == [[450.0, 900.0]]


def test_a_book_that_names_no_currency_is_said_to_be_taken_for_the_reporting_one():
    assert in_one_currency(book_of([None], currency=""), EUR)[2] == [
        "The mapping names no currency. All money is assumed to be in EUR."
    ]


@given(st.lists(st.sampled_from(["EUR", "USD", "GBP", "CHF"]), min_size=1, max_size=12))
def test_every_deal_is_converted_or_refused(currencies):
    book = book_of(["EUR", *currencies])
    found, refused, _ = in_one_currency(book, EUR)

    assert len(found.deals) + len(refused) == len(book.deals)
    assert len(refused) == currencies.count("CHF")
