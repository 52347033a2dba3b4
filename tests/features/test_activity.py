import pytest

DEALS = "deal_id | created_at\nd1 | 2026-01-01\nd2 | 2026-01-01"
WORK = """activity_id | deal_id | kind | status | direction | occurred_at | recorded_at | owner_id
    a1 | d1 | call | done | outbound | 2026-01-02 | 2026-01-02 | ann
    a2 | d1 | mail | - | inbound | 2026-01-05 | 2026-01-05 | bob
    a3 | d1 | call | planned | outbound | 2026-01-07 | 2026-01-07 | cid
    a4 | d1 | call | done | outbound | 2026-01-09 | 2026-01-09 | ann
    b1 | d2 | mail | begun | inbound | 2026-01-02 | 2026-01-02 | -"""


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(deals=DEALS, activities=WORK)


def test_touches_counts_done_activities_of_any_kind(book, ask):
    assert ask(book, "touches", "d1 2026-01-01", "d1 2026-01-08", "d1 2026-01-09", "d2 2026-01-09") == [0, 2, 3, 0]


def test_touches_in_a_window_leaves_out_its_very_begin(book, ask):
    assert ask(book, "touches_in", "d1 2026-01-09", "d1 2026-01-12", "d1 2026-01-12T01:00", word="7") == [2, 1, 1]


def test_days_since_touch_is_the_silence_which_a_plan_does_not_break(book, ask):
    assert ask(book, "days_since_touch", "d1 2026-01-01", "d1 2026-01-08T12:00", "d1 2026-01-09") == [None, 3.5, 0]


def test_touches_by_direction_counts_only_those(book, ask):
    assert ask(book, "touches_by", "d1 2026-01-09", "d2 2026-01-09", word="outbound") == [2, 0]


def test_days_since_touch_by_direction_is_the_time_since_the_buyers_reply(book, ask):
    assert ask(book, "days_since_touch_by", "d1 2026-01-04", "d1 2026-01-08", word="inbound") == [None, 3]


def test_tempo_is_this_week_over_the_usual_week(book, ask):
    # at January 15, 14 days old: 3 touches in all are 1.5 a week; one fell within the last seven days
    assert ask(book, "tempo", "d1 2026-01-15") == [pytest.approx(1 / 1.5)]


def test_tempo_of_a_deal_younger_than_a_week_is_one(book, ask):
    assert ask(book, "tempo", "d1 2026-01-05", "d1 2026-01-02") == [1, 1]


def test_tempo_without_any_touch_is_missing(book, ask):
    assert ask(book, "tempo", "d1 2026-01-01", "d2 2026-01-09") == [None, None]


def test_the_last_step_is_a_code_into_the_planned_categories(book, ask):
    steps = ("call / planned", "mail / done")

    assert ask(book, "last_step", "d1 2026-01-01", "d1 2026-01-05", "d1 2026-01-07", of=steps) == [None, 1, 0]


def test_a_last_step_never_seen_in_training_is_missing(book, ask):
    assert ask(book, "last_step", "d1 2026-01-09", of=("mail / done",)) == [None]


def test_step_count_tells_a_planned_call_from_a_done_one(book, ask):
    assert ask(book, "step_count", "d1 2026-01-09", word="call / done") == [2]
    assert ask(book, "step_count", "d1 2026-01-09", word="call / planned") == [1]


def test_days_since_step_runs_from_its_newest_recording(book, ask):
    assert ask(book, "days_since_step", "d1 2026-01-01", "d1 2026-01-08", "d1 2026-01-10", word="call / done") == [
        None,
        6,
        1,
    ]


def test_people_counts_each_colleague_once_and_nobody_for_a_missing_name(book, ask):
    assert ask(book, "people", "d1 2026-01-05", "d1 2026-01-09", "d2 2026-01-09") == [2, 3, 0]
