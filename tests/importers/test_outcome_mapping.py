import pytest
from pydantic import ValidationError

from walkaway.importers.outcome_mapping import OutcomePart

LISTED = {"column": "s", "won": ["W"], "lost": ["L"]}


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (LISTED | {"lost": ["W"]}, "each value must be listed once in won, lost or open, found W twice"),
        (LISTED | {"loss_reasons": {"X": "declined"}}, "loss_reasons must name values of lost, found X"),
        (LISTED | {"won": []}, r"must say which deals are won: by won \(values of column\)"),
        ({"column": "s", "won": ["W"]}, r"must say which deals are lost: .* are not recorded, write lost = \[\]"),
        ({"won_if_filled": "on"}, "must say which deals are lost"),
        ({"won": ["W"], "lost": []}, "column must be given, since won lists its values"),
        ({"column": "s", "won_if_filled": "on", "lost": []}, "column must have values listed in won, lost or open"),
        ({"won_if_filled": "on", "lost_if_filled": "on"}, "must name two columns, found on twice"),
        ({"every": "won", "lost": []}, "every is the outcome of all deals of the file, found lost too"),
        ({"every": "maybe"}, "Input should be 'won', 'lost' or 'open'"),
        ({"won_if": "IsWon", "lost": []}, "must be a condition such as { IsWon = true }"),
        ({"won_if": {}, "lost": []}, "must name a column and the value it must have in each condition"),
        ({"won_if": {"IsWon": []}, "lost": []}, "must name a column and the value it must have in each condition"),
        (LISTED | {"field": "stage"}, "field must stand without column and open, found column too"),
        ({"field": "stage", "won": ["W"], "lost": [], "open": ["O"]}, "field must stand without column and open"),
        (LISTED | {"others": "lost"}, "Input should be 'open'"),
        (LISTED | {"lost_after_days": 0}, "greater than 0"),
        (LISTED | {"lost_after_days": float("nan")}, "finite number"),
    ],
)
def test_outcomes_that_cannot_be_are_refused(outcome, says):
    with pytest.raises(ValidationError, match=says):
        OutcomePart.model_validate(outcome)


@pytest.mark.parametrize("more", [{"lost": []}, {"lost_after_days": 120}, {"lost_if_filled": "lost on"}])
def test_losses_are_named_in_one_of_several_ways(more):
    assert OutcomePart.model_validate({"won_if_filled": "won on"} | more).filled[0] == "won on"


def test_one_condition_and_one_value_are_short_for_lists():
    part = OutcomePart.model_validate({"won_if": {"stage": "won"}, "lost_if": [{"a": True}, {"p": [0, 5]}]})

    assert part.won_if == ({"stage": ("won",)},)
    assert part.lost_if == ({"a": (True,)}, {"p": (0.0, 5.0)})
    assert part.columns == ("stage", "a", "p")
