import pytest

DEALS = "deal_id | created_at | amount\nd1 | 2026-01-01 | 5000\nd2 | 2026-01-01 | -"
CHANGES = """deal_id | field | recorded_at | new_value
    d1 | stage | 2026-01-02 | 7
    d1 | amount | 2026-01-03 | 20000
    d1 | amount | 2026-01-06 | 15010
    d2 | amount | 2026-01-03 | 0
    d2 | amount | 2026-01-06 | -"""


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(deals=DEALS, changes=CHANGES)


def test_the_amount_is_the_one_recorded_last(book, ask):
    assert ask(book, "amount", "d1 2026-01-02", "d1 2026-01-03", "d1 2026-01-06") == [None, 20_000, 15_010]


def test_an_amount_that_was_cleared_is_missing(book, ask):
    assert ask(book, "amount", "d2 2026-01-03", "d2 2026-01-06") == [0, None]


def test_an_amount_fixed_at_creation_is_known_from_the_start(make_book, ask):
    assert ask(make_book(deals=DEALS, fixed=("amount",)), "amount", "d1 2026-01-01", "d2 2026-01-01") == [5_000, None]


def test_amount_zeros_counts_the_zeros_at_its_end_up_to_four(book, ask):
    assert ask(book, "amount_zeros", "d1 2026-01-02", "d1 2026-01-03", "d1 2026-01-06") == [None, 4, 1]


@pytest.mark.parametrize(("amount", "zeros"), [("7", 0), ("10.5", 0), ("100", 2), ("1230000", 4)])
def test_amount_zeros_of_a_round_figure(make_book, ask, amount, zeros):
    book = make_book(deals=f"deal_id | created_at | amount\nd1 | 2026-01-01 | {amount}", fixed=("amount",))

    assert ask(book, "amount_zeros", "d1 2026-01-01") == [zeros]


def test_amount_changes_counts_recordings_of_the_amount_only(book, ask):
    assert ask(book, "amount_changes", "d1 2026-01-02", "d1 2026-01-03", "d1 2026-01-06") == [0, 1, 2]


def test_amount_over_first_is_the_share_left_of_the_first_amount(book, ask):
    assert ask(book, "amount_over_first", "d1 2026-01-02", "d1 2026-01-03", "d1 2026-01-06") == [
        None,
        1,
        pytest.approx(0.7505),
    ]


def test_amount_over_a_first_amount_of_nothing_is_missing(book, ask):
    assert ask(book, "amount_over_first", "d2 2026-01-03") == [None]


def test_days_since_amount_change_runs_from_the_newest_amount(book, ask):
    assert ask(book, "days_since_amount_change", "d1 2026-01-02", "d1 2026-01-05", "d1 2026-01-06") == [None, 2, 0]
