import tomllib

import pytest
from pydantic import ValidationError

from walkaway.importers.table_mapping import TableMapping

OUTCOME = {"column": "s", "won": ["W"], "lost": ["L"]}
DEALS = {"file": "deals*", "deal_id": "id", "created_at": "born", "outcome": OUTCOME}


def mapping(**parts) -> TableMapping:
    return TableMapping.model_validate({"source": "table", "deals": DEALS} | parts)


def test_a_part_fixes_how_its_file_is_written_before_the_mapping_does():
    fixed = mapping(decimal=",", encoding="cp1252", deals=DEALS | {"decimal": "."})

    assert fixed.reading(fixed.deals).model_dump() == {
        "encoding": "cp1252",
        "separator": None,
        "decimal": ".",
        "date_format": None,
    }


def test_a_date_format_is_one_for_all_or_by_column():
    assert mapping(date_format="%d/%m/%Y").format_of("born") == "%d/%m/%Y"
    by_column = mapping(date_format={"born": "%Y%m%d"})
    assert (by_column.format_of("born"), by_column.format_of("closed")) == ("%Y%m%d", None)


def test_file_names_fit_without_regard_to_case():
    assert mapping().deals.fits("Deals 2026.CSV")
    assert not mapping().deals.fits("old deals.csv")


def test_an_activity_is_recorded_when_it_occurred_unless_a_column_says_otherwise():
    part = {"file": "a*", "deal_id": "d", "occurred_at": "on", "every_kind": "call"}

    assert mapping(activities=[part]).activities[0].columns()["recorded_at"] == "on"
    assert mapping(activities=[part | {"recorded_at": "saved"}]).activities[0].columns()["recorded_at"] == "saved"


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ('[deals.attributes]\nproduct = "p"', "attribute product must be in fixed_at_creation, since today's value"),
        ('[deals.attributes]\namount = "p"', "amount is a column of the book; map it under its own name"),
        ('fixed_at_creation = ["amount"]', r"fixed_at_creation must name columns among \[\], found amount"),
        (
            'closed_at = "c"\nfixed_at_creation = ["closed_at"]',
            "fixed_at_creation must name columns among .*, found closed_at",
        ),
        (
            'amount = "a"\namount_at_creation = "l"\nfixed_at_creation = ["amount"]',
            "must have amount_at_creation or amount in fixed_at_creation, found both",
        ),
        ('currency = "c"', "currency must be given, since deals.currency names a column"),
        ('date_format = "%d/%m"', "must be a date format with day, month and year .*, not %d/%m"),
        ('date_format = "%Q"', "must be a date format .*, not %Q"),
        ('separator = ", "', "at most 1 character"),
        ('colour = "red"', "Extra inputs are not permitted"),
        ('[[activities]]\nfile = "a"\ndeal_id = "d"\noccurred_at = "o"', "must have either kind .* or every_kind"),
        (
            '[[changes]]\nfile = "a"\ndeal_id = "d"\nrecorded_at = "o"\nnew_value = "v"',
            "must have either field .* or every_field",
        ),
        ("[effort]\nhours_per_open_week = 0", "greater than 0"),
    ],
)
def test_a_part_that_cannot_be_is_refused(part, says):
    head = 'source = "table"\n[deals]\nfile = "d"\noutcome = {column = "s", won = ["W"], lost = ["L"]}\n'

    with pytest.raises(ValidationError, match=says):
        TableMapping.model_validate(tomllib.loads(head + part))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"fixed_at_creation": []}, "fixed_at_creation must name amount in all .* that map it, found other"),
        ({"outcome": OUTCOME | {"lost_after_days": 9}}, "lost_after_days must be the same in all"),
        ({"amount_at_creation": "list"}, "amount_at_creation must be mapped in all .*, or in none"),
    ],
)
def test_parts_of_deals_that_contradict_each_other_are_refused(more, says):
    first = DEALS | {"amount": "sum", "fixed_at_creation": ["amount"]}
    if "amount_at_creation" in more:
        first = DEALS
    with pytest.raises(ValidationError, match=says):
        mapping(deals=[first, first | {"file": "other"} | more])


HISTORY = {"file": "h*", "deal_id": "d", "recorded_at": "on", "every_field": "stage", "new_value": "v"}
CLOSING = {"field": "stage", "won": ["W"], "lost": ["L"]}


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({}, r"deals.outcome.field needs one part of deals and \[\[changes\]\], found no \[\[changes\]\]"),
        ({"closed_at": "end"}, "deals.outcome.field must stand without deals.closed_at"),
    ],
)
def test_a_history_that_cannot_close_deals_is_refused(parts, says):
    changes = {"changes": [HISTORY]} if parts else {}
    with pytest.raises(ValidationError, match=says):
        mapping(deals=DEALS | parts | {"outcome": CLOSING}, **changes)


def test_line_numbers_cannot_be_referred_to():
    part = {"file": "a*", "deal_id": "d", "occurred_at": "on", "every_kind": "call"}

    with pytest.raises(
        ValidationError, match=r"deals.deal_id must be a column, since activities name deals by their id"
    ):
        mapping(deals=DEALS | {"deal_id": "line number"}, activities=[part])


def test_a_pattern_of_links_must_be_a_link():
    deals = {"file": "d", "outcome": {"column": "s", "won": ["W"], "lost": ["L"]}, "url": "crm/{deal_id}"}

    with pytest.raises(ValidationError, match=r"must be a column, or a link such as https://crm\.example/"):
        TableMapping.model_validate({"source": "table", "deals": deals})
