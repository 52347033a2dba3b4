import pandas as pd
import pytest

from walkaway.evaluation import Cohort, cohort_of, judged

DAY0 = pd.Timestamp("2026-01-01", tz="UTC")


def on(day):
    return DAY0 + pd.Timedelta(days=day)


def calls_on(days, settled=True, won=None, first=0):
    """One call on each of these days, each of another deal; every second one is won."""
    won = [float(i % 2) for i in range(len(days))] if won is None else won
    names = [f"d{first + i}" for i in range(len(days))]
    return pd.DataFrame({"deal_id": names, "as_of": [on(day) for day in days], "settled": settled, "won": won})


def test_the_cohort_is_of_the_calls_with_as_many_days_after_them():
    """40 calls of day 10 and 40 of day 50; deals end within 60 days, and the data on day 100."""
    calls = pd.concat([calls_on([10] * 40), calls_on([50] * 40, first=40)], ignore_index=True)

    assert cohort_of(calls, [(0.95, 60.0)], on(100)) == Cohort(0.95, 60.0, on(40), 40, 40, 0)
    assert cohort_of(calls, [(0.95, 50.0)], on(100)) == Cohort(0.95, 50.0, on(50), 80, 80, 0)


def test_deals_that_are_open_all_the_same_are_counted():
    calls = pd.concat([calls_on([10] * 40), calls_on([10] * 3, settled=False, won=[0.0] * 3, first=40)])

    assert cohort_of(calls, [(0.95, 60.0)], on(100)) == Cohort(0.95, 60.0, on(40), 40, 43, 3)


def test_a_smaller_share_is_enough_where_the_larger_one_leaves_too_few():
    calls = calls_on([30] * 40)

    assert cohort_of(calls, [(0.95, 90.0), (0.9, 70.0), (0.8, 50.0)], on(100)).share == 0.9


@pytest.mark.parametrize(
    "calls",
    [calls_on([10] * 29), calls_on([10] * 40, won=[1.0] * 40), calls_on([99] * 40), calls_on([])],
    ids=["few deals", "all won", "all too late", "none"],
)
def test_there_is_no_cohort_of_calls_that_tell_nothing(calls):
    assert cohort_of(calls, [(0.95, 60.0), (0.8, 50.0)], on(100)) is None


def test_calls_of_one_deal_count_as_one_deal():
    calls = calls_on([10] * 40).assign(deal_id=["a", "b"] * 20)

    assert cohort_of(calls, [(0.95, 60.0)], on(100)) is None


def test_only_settled_calls_of_the_cohort_are_judged():
    calls = pd.DataFrame({"settled": [True, True, False, False], "had_time": [True, False, True, False]})

    assert judged(calls).tolist() == [True, False, False, False]


def test_without_dates_all_settled_deals_are_judged():
    assert judged(pd.DataFrame({"settled": [True, False]})).tolist() == [True, False]
