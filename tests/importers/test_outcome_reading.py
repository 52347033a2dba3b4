import pandas as pd
import pytest

from walkaway.importers.outcome_mapping import OutcomePart
from walkaway.importers.outcome_reading import outcomes_of

FLAGS = {
    "won_if": {"IsWon": True},
    "lost_if": {"IsClosed": True, "IsWon": False},
    "open_if": {"IsClosed": False, "IsWon": False},
}
ODOO = {"column": "stage", "won": ["Won"], "lost_if": {"active": False, "probability": 0}, "others": "open"}
LEADS = {"won_if_filled": "won on", "lost": []}
BOTH = {"won_if_filled": "won on", "lost_if_filled": "lost on"}
STAGE = {"column": "stage", "won": ["Closed Won"], "lost": ["Closed Lost"]}


def said(part: dict, **cells: str | float | None) -> str:
    """What one row says of its outcome."""
    frame = pd.DataFrame({column: [cell] for column, cell in cells.items()}, index=["line 2"], dtype="object")
    found = outcomes_of(frame, OutcomePart.model_validate(part))
    names = ["won", "lost", "open", "contradicts", "neither"]
    return " and ".join(name for name in names if getattr(found, name)["line 2"])


@pytest.mark.parametrize(
    ("part", "cells", "outcome"),
    [
        # flags, as Salesforce has them, in each spelling
        (FLAGS, {"IsClosed": "true", "IsWon": "true"}, "won"),
        (FLAGS, {"IsClosed": "TRUE", "IsWon": "FALSE"}, "lost"),
        (FLAGS, {"IsClosed": "No", "IsWon": "No"}, "open"),
        (FLAGS, {"IsClosed": 1.0, "IsWon": 0.0}, "lost"),
        (FLAGS, {"IsClosed": "1", "IsWon": None}, "neither"),
        (FLAGS, {"IsClosed": "maybe", "IsWon": "false"}, "neither"),
        # an archived record without probability is lost, as in Odoo
        (ODOO, {"stage": "Won", "active": "True", "probability": "100.0"}, "won"),
        (ODOO, {"stage": "New", "active": "False", "probability": "0.0"}, "lost"),
        (ODOO, {"stage": "New", "active": "False", "probability": "0,0"}, "lost"),
        (ODOO, {"stage": "New", "active": "True", "probability": "0.0"}, "open"),
        (ODOO, {"stage": "New", "active": "False", "probability": "20"}, "open"),
        (ODOO, {"stage": "Won", "active": "False", "probability": "0"}, "won and lost and contradicts"),
        # a column that is filled
        (LEADS, {"won on": "2026-01-02"}, "won"),
        (LEADS, {"won on": None}, "open"),
        (BOTH, {"won on": None, "lost on": "2026-01-02"}, "lost"),
        (BOTH, {"won on": None, "lost on": None}, "open"),
        (BOTH, {"won on": "x", "lost on": "y"}, "won and lost and contradicts"),
        (
            LEADS | {"column": "s", "lost": ["L"], "open": ["O"]},
            {"s": "O", "won on": "x"},
            "won and open and contradicts",
        ),
        (LEADS | {"column": "s", "lost": ["L"], "open": ["O"]}, {"s": "?", "won on": None}, "neither"),
        # closing stages
        (STAGE, {"stage": "Closed Won"}, "won"),
        (STAGE, {"stage": "Proposal"}, "neither"),
        (STAGE | {"others": "open"}, {"stage": "Proposal"}, "open"),
        (STAGE | {"open": [""]}, {"stage": None}, "open"),
        # any of several conditions, any of several values, a text as the file has it
        ({"won_if": [{"a": "x"}, {"b": ["y", "z"]}], "lost": [], "others": "open"}, {"a": "", "b": "z"}, "won"),
        ({"won_if": [{"a": "x"}, {"b": ["y", "z"]}], "lost": [], "others": "open"}, {"a": "X", "b": ""}, "open"),
        ({"won_if": {"a": ""}, "lost": [], "others": "open"}, {"a": None}, "won"),
        ({"every": "lost"}, {"a": "anything"}, "lost"),
        ({"every": "open"}, {"a": "anything"}, "open"),
    ],
)
def test_a_row_says_its_outcome(part, cells, outcome):
    assert said(part, **cells) == outcome


def test_cells_are_shown_beside_their_columns():
    cells = pd.DataFrame({"IsClosed": ["maybe"], "IsWon": [None]}, dtype="object")
    found = outcomes_of(cells, OutcomePart.model_validate(FLAGS))

    assert (found.column, found.found.tolist()) == ("IsWon and IsClosed", ["IsWon: nothing, IsClosed: maybe"])
