import pandas as pd
from tests.books import START

from walkaway.replay.exits import exits, exits_by
from walkaway.schema import Book, Manifest

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


DEALS = {"back": ("lost", 0.0, "pwpww"), "dear": ("won", 90.0, "pnn"), "never": ("lost", 0.0, "wwp")}
CALLS = calls_of(**DEALS, open=(None, 0.0, "w"))


def test_an_exit_is_the_first_call_of_the_last_stretch_below_the_bar():
    found = exits(CALLS)

    assert found["deal_id"].tolist() == ["back", "dear", "open"]
    assert found["as_of"].tolist() == [START + 3 * DAY, START + DAY, START]
    assert found["hours_after"].tolist() == [2.0, 2.0, 1.0]


def test_hours_after_an_exit_stand_beside_the_value_the_same_rule_forgoes():
    deals = pd.DataFrame({"deal_id": ["back", "dear", "never", "open"], "created_at": START, "team": list("xyxx")})
    table = exits_by(exits(CALLS), Book.of(Manifest(source="by hand", fixed_at_creation=("team",)), deals=deals))

    assert table.loc[("all", "all")].tolist() == [1, 2.0, 1, 90.0]
    assert table.loc[("team", "x")].tolist() == [1, 2.0, 0, 0.0]
    assert table.loc[("stage", "offer")].tolist() == [1, 2.0, 1, 90.0]
    assert table.loc[("month", "2025-01"), "won_deals"] == 1
