import pandas as pd
import pytest

from walkaway.book.effort import assumed_share, effort_seconds

ASSUMED = {"email": 0.1, "call": 0.25}


def activities(*rows):
    return pd.DataFrame(rows, columns=["kind", "status", "hours"])


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        (("call", "done", 0.5), 1800),
        (("call", "done", None), 900),
        (("call", None, None), 900),
        (("call", "done", 0.0), 0),
        (("call", "planned", None), 0),
        (("call", "begun", None), 0),
        (("call", "planned", 0.5), 1800),
        (("letter", "done", None), 0),
        (("email", "done", None), 360),
        (("call", "done", 1.0001), 3600),
    ],
)
def test_recorded_hours_count_and_only_a_done_activity_without_any_is_assumed(row, seconds):
    rows = activities(row).astype({"hours": "float64"})

    assert effort_seconds(rows, ASSUMED).tolist() == [seconds]


def test_the_assumed_share_is_that_of_hours_not_of_rows():
    rows = activities(("call", "done", 0.75), ("call", "done", None), ("call", "planned", None))

    assert assumed_share(rows, ASSUMED) == 0.25


def test_hours_recorded_as_zero_are_not_assumed():
    assert assumed_share(activities(("call", "done", 0.0), ("call", "done", 1.0)), ASSUMED) == 0.0


@pytest.mark.parametrize("rows", [activities(), activities(("letter", "done", None))])
def test_without_any_hours_nothing_is_assumed(rows):
    assert assumed_share(rows.astype({"hours": "float64"}), ASSUMED) == 0.0


def test_effort_leaves_the_activities_alone():
    rows = activities(("call", None, None))
    effort_seconds(rows, ASSUMED)

    assert rows.to_numpy().tolist() == [["call", None, None]]
