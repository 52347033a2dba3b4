import pytest

DEALS = """deal_id | created_at | closed_at | outcome | account_id
    d1 | 2026-01-01 | - | - | acme
    d2 | 2026-01-01 | 2026-01-04 | won | acme
    d3 | 2026-01-01 | 2026-01-06 | lost | acme
    d4 | 2026-01-01 | 2026-01-03 | won | bolt
    d5 | 2026-01-01 | 2026-01-03 | won | -
    d6 | 2026-01-01 | - | - | -"""


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(deals=DEALS, fixed=("account_id",))


def test_account_wins_counts_the_accounts_deals_won_by_then(book, ask):
    assert ask(book, "account_wins", "d1 2026-01-03", "d1 2026-01-04", "d1 2026-01-09") == [0, 1, 1]


def test_account_losses_counts_the_accounts_deals_lost_by_then(book, ask):
    assert ask(book, "account_losses", "d1 2026-01-05", "d1 2026-01-06") == [0, 1]


def test_deals_without_an_account_share_none(book, ask):
    assert ask(book, "account_wins", "d6 2026-01-09") == [0]


def test_days_since_account_close_runs_from_any_close_of_the_account(book, ask):
    assert ask(book, "days_since_account_close", "d1 2026-01-03", "d1 2026-01-05", "d1 2026-01-08") == [None, 1, 2]


def test_an_account_that_is_not_fixed_at_creation_gives_nothing_away(make_book, ask):
    assert ask(make_book(deals=DEALS), "account_wins", "d1 2026-01-09") == [0]
