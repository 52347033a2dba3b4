import pandas as pd
from tests.books import START

from walkaway.book.schema import Book, Manifest
from walkaway.replaying.stop_points import stop_points, stop_points_by

DAY = pd.Timedelta(days=1)


def calls_of(**deals: tuple[str | None, float, str]) -> pd.DataFrame:
    """Deals as outcome, value and verdicts (p: pursue, w: walk away, n: nurture); hours fall from call to call."""
    rows = [
        {
            "deal_id": name,
            "as_of": START + n * DAY,
            "stage": "offer" if n else "new",
            "outcome": outcome,
            "ending": outcome or "open",
            "verdict": {"p": "pursue", "w": "walk_away", "n": "nurture"}[verdict],
            "remaining_hours_truth": float(len(verdicts) - n),
            "worth_truth": value,
        }
        for name, (outcome, value, verdicts) in deals.items()
        for n, verdict in enumerate(verdicts)
    ]
    return pd.DataFrame(rows)


def book_of(*deals: str) -> Book:
    """These deals; dear's team is y, that of the others x."""
    teams = ["y" if name == "dear" else "x" for name in deals]
    table = pd.DataFrame({"deal_id": list(deals), "created_at": START, "team": teams})
    return Book.of(Manifest(source="by hand", fixed_at_creation=("team",)), deals=table)


DEALS = {"back": ("lost", 0.0, "pwpww"), "dear": ("won", 90.0, "pnn"), "never": ("lost", 0.0, "wwp")}
CALLS = calls_of(**DEALS, open=(None, 0.0, "w"))


def test_an_exit_is_the_first_call_of_the_last_stretch_below_the_bar():
    found = stop_points(CALLS)

    good = found[found["for_good"]]
    assert good["deal_id"].tolist() == ["back", "dear", "open"]
    assert good["as_of"].tolist() == [START + 3 * DAY, START + DAY, START]
    assert good["hours_after"].tolist() == [2.0, 2.0, 1.0]


def test_a_won_deal_that_came_back_above_the_bar_is_part_of_the_price():
    """Nobody knew at its first call below that it would come back."""
    calls = calls_of(**DEALS, recovered=("won", 50.0, "pwpp"))
    [row] = stop_points(calls).query("deal_id == 'recovered'").to_dict("records")

    assert (row["for_good"], row["as_of"], row["value_after"]) == (False, START + DAY, 50.0)
    table = stop_points_by(stop_points(calls), book_of(*DEALS, "recovered"))
    assert table.loc[("all", "all")].tolist() == [1, 2.0, 2, 140.0]


def test_hours_after_an_exit_stand_beside_the_value_the_same_rule_forgoes():
    table = stop_points_by(stop_points(CALLS), book_of("back", "dear", "never", "open"))

    assert table.loc[("all", "all")].tolist() == [1, 2.0, 1, 90.0]
    assert table.loc[("team", "x")].tolist() == [1, 2.0, 0, 0.0]
    assert table.loc[("stage", "offer")].tolist() == [1, 2.0, 1, 90.0]
    assert table.loc[("month", "2025-01"), "won_deals"] == 1
