DEALS = """deal_id | created_at | closed_at | outcome | owner_id
    d1 | 2026-01-01 | - | - | ann
    d2 | 2026-01-03 | 2026-01-05 | lost | ann
    d3 | 2026-01-01 | - | - | bob
    d4 | 2026-01-01 | - | - | -
    d5 | 2026-01-01 | - | - | -"""
ASKED = "d1 2026-01-02", "d1 2026-01-03", "d1 2026-01-05"


def test_owner_open_deals_counts_those_created_and_not_closed_by_then(make_book, ask):
    assert ask(make_book(deals=DEALS, fixed=("owner_id",)), "owner_open_deals", *ASKED) == [1, 2, 1]


def test_a_deal_without_an_owner_is_alone(make_book, ask):
    assert ask(make_book(deals=DEALS, fixed=("owner_id",)), "owner_open_deals", "d4 2026-01-09") == [1]


def test_an_owner_that_may_have_changed_is_not_used(make_book, ask):
    assert ask(make_book(deals=DEALS), "owner_open_deals", *ASKED) == [1, 1, 1]
