import pytest

CONTACTS = """deal_id | contact_id | role | recorded_at
    d1 | c1 | buyer | 2026-01-02
    d1 | c2 | buyer | 2026-01-04
    d1 | c3 | - | 2026-01-05
    d1 | c4 | user | 2026-01-06"""


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(deals="deal_id | created_at\nd1 | 2026-01-01", contacts=CONTACTS)


def test_contacts_counts_who_joined_by_then(book, ask):
    assert ask(book, "contacts", "d1 2026-01-01", "d1 2026-01-04", "d1 2026-01-06") == [0, 2, 4]


def test_contact_roles_counts_each_role_once_and_a_missing_one_never(book, ask):
    assert ask(book, "contact_roles", "d1 2026-01-01", "d1 2026-01-05", "d1 2026-01-06") == [0, 1, 2]


def test_days_since_contact_joined_runs_from_the_newest_of_them(book, ask):
    assert ask(book, "days_since_contact_joined", "d1 2026-01-01", "d1 2026-01-03", "d1 2026-01-06") == [None, 1, 0]
