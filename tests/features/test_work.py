import pytest

WORK = """activity_id | deal_id | kind | status | occurred_at | recorded_at
    a1 | d1 | call | planned | 2026-01-02 | 2026-01-02
    a2 | d1 | call | begun | 2026-01-03 | 2026-01-03
    a3 | d1 | call | done | 2026-01-03 | 2026-01-04
    a4 | d1 | call | planned | 2026-01-05 | 2026-01-05
    a5 | d1 | call | done | 2026-01-06 | 2026-01-06
    a6 | d1 | call | begun | 2026-01-07 | 2026-01-07
    a7 | d1 | mail | done | 2026-01-08 | 2026-01-08"""
DAYS = [f"d1 2026-01-0{day}" for day in range(1, 9)]


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(deals="deal_id | created_at\nd1 | 2026-01-01", activities=WORK)


def test_work_waits_from_its_plan_to_its_begin_or_end(book, ask):
    assert ask(book, "waiting", *DAYS, word="call") == [0, 1, 0, 0, 1, 0, 0, 0]


def test_work_is_in_hand_from_its_begin_to_its_end(book, ask):
    assert ask(book, "in_hand", *DAYS, word="call") == [0, 0, 1, 0, 0, 0, 1, 1]


def test_work_of_a_kind_never_planned_nor_begun_is_neither_waiting_nor_in_hand(book, ask):
    assert ask(book, "waiting", "d1 2026-01-08", word="mail") == [0]
    assert ask(book, "in_hand", "d1 2026-01-08", word="mail") == [0]
