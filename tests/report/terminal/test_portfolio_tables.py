import pandas as pd
import pytest
from rich.console import Console

from walkaway.explaining import Portfolio
from walkaway.formatting import LocaleFormat
from walkaway.report.terminal.portfolio_tables import show_portfolio

THEMES = pd.DataFrame(
    {
        "deals": [3, 1],
        "hours": [12.4, 2.0],
        "worked": [5.0, 0.0],
        "expected_value": [100.0, 5.0],
        "cost": [900.0, 50.0],
    },
    index=pd.Index(["engagement", "fit"], name="theme"),
)


def groups_of(**more: list) -> pd.DataFrame:
    rows = {"dimension": ["team"] * 2, "group": ["north", "south"], "deals": [30, 20]} | more
    rows |= {"shrunk": [0.4, 0.2], "low": [0.3, 0.1], "high": [0.5, 0.3]}
    return pd.DataFrame(rows | {"differs": [False, True]}).set_index(["dimension", "group"])


def found(drops: pd.DataFrame | None = None) -> Portfolio:
    drops = groups_of(dropped=[0.5, 0.1]) if drops is None else drops
    calibration = groups_of(predicted=[0.5, 0.4], won=[0.1, 0.2], gap=[0.4, 0.2])
    return Portfolio(pd.Timestamp("2026-01-05T06:00Z"), 120.0, 50, THEMES, drops, calibration)


def shown(portfolio: Portfolio, settled: bool = True) -> list[str]:
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(show_portfolio(portfolio, LocaleFormat("en_GB", "EUR"), settled))
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_the_whole_is_told_in_a_sentence_and_themes_by_what_they_cost():
    lines = shown(found())

    assert " ".join(lines[:3]).strip() == (
        "50 deals open at 5 Jan 2026, 06:00 UTC; 4 of them are below the bar of EUR 120 an hour. They still take 14 "
        "hours. Deals at the bar would earn EUR 950 more in these hours."
    )
    assert "engagement 3 12 5 EUR 900" in lines


def test_groups_that_differ_come_first_with_their_interval():
    lines = shown(found())

    drops = lines.index("How often deals are dropped")
    assert lines[drops + 2 : drops + 4] == ["south 20 10% 20% (10% to 30%) differs", "north 30 50% 40% (30% to 50%)"]
    calibration = lines.index("Calibration, from settled calls")
    assert lines[calibration + 2] == "south 20 40% 20% 20% (10% to 30%) differs"


def test_without_a_replay_it_says_what_calibration_needs():
    text = " ".join(shown(found(), settled=False))

    assert "Calibration by group needs settled calls: name a replay with --replay." in text
    assert "Calibration, from settled calls" not in text


@pytest.mark.parametrize(
    ("drops", "said"),
    [
        (
            groups_of(dropped=[0.5, 0.1]).iloc[:0],
            "No team, pipeline or attribute has two groups with at least five",
        ),
        (
            groups_of(dropped=[0.5, 0.1]).assign(differs=False),
            "No group differs from all deals by more than chance",
        ),
    ],
    ids=["no groups", "alike"],
)
def test_where_no_group_stands_out_it_says_so(drops, said):
    assert said in " ".join(shown(found(drops)))
