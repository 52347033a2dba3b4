import pandas as pd
import pytest

from walkaway.asof import mature_age_days

DAY0 = pd.Timestamp("2026-01-01", tz="UTC")


def deals(created, ended):
    """Days of creation and close after the first; None while open."""
    at = [
        pd.to_datetime([None if day is None else DAY0 + pd.Timedelta(days=day) for day in days], utc=True)
        for days in (created, ended)
    ]
    return pd.DataFrame(dict(zip(("created_at", "closed_at"), at, strict=True)))


def on(day):
    return DAY0 + pd.Timedelta(days=day)


def test_only_the_older_half_counts_since_the_younger_shows_its_quick_endings_only():
    table = deals([0] * 3 + [50] * 3, [40, 40, 40, 51, 52, 53])

    assert mature_age_days(table, on(60)) == 40.0


def test_an_end_after_the_moment_is_not_known_and_the_deal_counts_with_its_age():
    assert mature_age_days(deals([0, 0], [10, 90]), on(30)) == pytest.approx(10 + 0.95 * 20)


def test_a_deal_that_is_still_open_counts_with_its_age():
    assert mature_age_days(deals([0, 0], [None, None]), on(30)) == 30.0


def test_deals_created_after_the_moment_are_left_out():
    assert mature_age_days(deals([0, 40], [5, 50]), on(30)) == 5.0
    assert mature_age_days(deals([40], [50]), on(30)) == 0.0


def test_a_smaller_share_has_ended_sooner():
    table = deals([0] * 11 + [50] * 11, [*range(10, 21), *[51] * 11])

    assert mature_age_days(table, on(60), share=0.8) == 18.0
    assert mature_age_days(table, on(60), share=0.5) == 15.0


def test_a_deal_open_far_longer_than_any_needed_to_end_is_abandoned_and_does_not_count():
    """Twenty deals end on day 40; five are open on day 81, which is more than twice as long."""
    table = deals([0] * 25 + [60] * 25, [40] * 20 + [None] * 5 + [61] * 25)

    assert mature_age_days(table, on(81)) == 40.0
    assert mature_age_days(table, on(79)) == 79.0


def test_with_few_endings_no_open_deal_is_abandoned():
    assert mature_age_days(deals([0] * 25, [10] * 19 + [None] * 6), on(100)) == 100.0
