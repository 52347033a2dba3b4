import numpy as np
import pandas as pd
import pytest

from walkaway.evaluation import AgeChance, age_rule, age_suffices, chance_by_age

MOMENT = pd.Timestamp("2026-06-01", tz="UTC")


def deals_of(*groups: tuple[int, float, str | None, float]) -> pd.DataFrame:
    """Groups of (deals, days lived, outcome, days since creation); without an outcome they are open."""
    parts = []
    for count, lived, outcome, old in groups:
        created = MOMENT - pd.Timedelta(days=old)
        closed = created + pd.Timedelta(days=lived) if outcome else pd.NaT
        parts.append(pd.DataFrame({"created_at": [created] * count, "closed_at": closed, "outcome": outcome}))
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(
        created_at=pd.to_datetime(frame["created_at"], utc=True), closed_at=pd.to_datetime(frame["closed_at"], utc=True)
    )


def table(**row: float) -> dict[str, pd.DataFrame]:
    return {"skill": pd.DataFrame([{"skill_low": 0.1, "gain_low": 0.1} | row], index=["younger"])}


@pytest.mark.parametrize(
    ("row", "suffices"),
    [
        ({"gain_low": -0.01}, True),
        ({"gain_low": 0.0}, True),
        ({"gain_low": 0.01}, False),
        ({"gain_low": -0.01, "skill_low": -0.02}, False),
        ({"gain_low": np.nan}, False),
    ],
)
def test_age_suffices_where_it_ranks_and_the_model_does_not_rank_better(row, suffices):
    assert age_suffices(table(**row)) is suffices


def test_deals_still_open_at_an_age_are_counted_with_those_won_later():
    deals = deals_of((10, 4, "won", 90), (50, 8, "lost", 90), (5, 25, "won", 90), (45, 40, "lost", 90))

    assert chance_by_age(deals, MOMENT, 60.0) == (
        AgeChance(0, 110, 15),
        AgeChance(5, 100, 5),
        AgeChance(10, 50, 5),
        AgeChance(30, 45, 0),
    )


def test_deals_too_young_to_have_ended_slowly_and_open_deals_do_not_count():
    old = (40, 8, "lost", 90)

    assert chance_by_age(deals_of(old, (40, 2, "won", 59), (40, 0, None, 90)), MOMENT, 60.0) == (AgeChance(0, 40, 0),)
    assert chance_by_age(deals_of(old, (40, 2, "won", 60)), MOMENT, 60.0)[0] == AgeChance(0, 80, 40)


def test_ages_with_too_few_deals_to_judge_are_left_out():
    deals = deals_of((40, 8, "lost", 90), (29, 20, "lost", 90))

    assert [row.age_days for row in chance_by_age(deals, MOMENT, 60.0)] == [0]
    assert chance_by_age(deals.iloc[:29], MOMENT, 60.0) == ()


@pytest.mark.parametrize(
    ("later", "rule"),
    [
        ([(14, 700, 10), (30, 500, 4), (60, 300, 1)], (30, 500, 4)),
        ([(14, 700, 10), (30, 500, 5)], None),  # 12% of the wins come later
        ([(14, 100, 4), (30, 60, 4)], None),  # such an old deal is won as often as any
        ([(14, 100, 1)], None),  # too few to be sure that it is won less often
        ([(14, 160, 1)], (14, 160, 1)),
        ([], None),
    ],
)
def test_the_rule_is_the_youngest_age_after_which_few_wins_come_and_few_deals_are_won(later, rule):
    found = age_rule([AgeChance(0, 1000, 40), *(AgeChance(*row) for row in later)])

    assert found == (None if rule is None else AgeChance(*rule))


def test_without_any_mature_deal_there_is_no_rule():
    assert age_rule([]) is None
