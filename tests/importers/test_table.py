import tomllib
from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError
from tests.workbooks import workbook

from walkaway.config import EffortSettings
from walkaway.errors import DataError, MappingError
from walkaway.importers.mapping import load_mapping
from walkaway.importers.table import import_table
from walkaway.importers.table_mapping import TableMapping

NOW = pd.Timestamp("2026-02-01T12:00", tz="UTC")
MAPPING = """
source = "table"
[deals]
file = "deals*"
deal_id = "id"
created_at = "born"
closed_at = "closed"
amount = "sum"
[deals.outcome]
column = "state"
won = ["W"]
lost = ["L"]
open = ["O"]
"""
JOIN = """
[[join]]
file = "products*"
key = "code"
on = "product"
columns = { list = "price" }
"""
HEAD = "id,born,closed,sum,state\n"
WON = "d1,2026-01-01,2026-01-09,100,W\n"
OPEN = "d2,2026-01-02,,,O\n"
LOST = "d3,2026-01-01,2026-01-08,0,L\n"


def mapping(more: str = "", before: str = "", text: str = MAPPING) -> TableMapping:
    """The mapping with more parts at its end, and with settings before [deals]."""
    return TableMapping.model_validate(tomllib.loads(text.replace("\n[deals]", f"\n{before}\n[deals]", 1) + more))


@pytest.fixture
def take(tmp_path):
    """Imports files of these texts; in every case rows in = rows used + rows quarantined, each said in full."""

    def take(with_mapping: TableMapping | None = None, **texts: str):
        for name, text in texts.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
        found = import_table([tmp_path / f"{name}.csv" for name in texts], with_mapping or mapping(), NOW)
        assert found.rows_in == found.rows_used + len(found.quarantine) == sum(found.book.manifest.rows_in.values())
        assert (found.quarantine.drop(columns="deal_id") != "").all(axis=None)
        return found

    return take


def refused(found) -> list[list[str]]:
    return found.quarantine[["row", "column", "value", "rule"]].to_numpy().tolist()


# Deals


def test_a_closed_deal_has_its_outcome_and_the_end_of_its_day(take, moment):
    deal = take(deals=HEAD + WON).book.deals.iloc[0].dropna().to_dict()

    assert deal == {
        "deal_id": "d1",
        "created_at": moment("2026-01-01"),
        "closed_at": moment("2026-01-09T23:59:59.999999"),
        "outcome": "won",
        "amount": 100.0,
    }


def test_the_close_of_an_open_deal_is_a_plan_and_left_out(take):
    found = take(deals=HEAD + WON + "d2,2026-01-02,2027-01-01,,O\n")

    assert found.book.deals["closed_at"].isna().tolist() == [False, True]
    assert "closed of 1 open deals is only planned and was left out." in found.notes


def test_a_deal_closed_today_is_not_in_the_future(take):
    assert take(deals=HEAD + "d1,2026-01-01,2026-02-01,1,W\n").book.deals["closed_at"].tolist() == [NOW]


def test_a_deal_created_and_closed_on_one_day_is_used(take):
    assert len(take(deals=HEAD + "d1,2026-01-01,2026-01-01,1,W\n").book.deals) == 1


def test_outcomes_outside_the_mapping_are_listed_and_their_rows_quarantined(take):
    found = take(deals=HEAD + WON + "d2,2026-01-02,,,Parked\nd3,2026-01-02,,,\n")

    assert refused(found) == [
        ["deals.csv, line 3", "state", "Parked", "is not among the outcomes of the mapping"],
        ["deals.csv, line 4", "state", "nothing", "is not among the outcomes of the mapping"],
    ]
    assert "state: values that are not in the mapping: Parked (1), empty (1)." in found.notes


def test_an_empty_outcome_is_open_where_the_mapping_says_so(take):
    found = take(mapping(text=MAPPING.replace('["O"]', '[""]')), deals=HEAD + WON + "d2,2026-01-02,,,\n")

    assert found.book.deals["outcome"].fillna("-").tolist() == ["won", "-"]


def test_a_loss_has_the_reason_of_its_column_else_of_its_value_and_others_have_none(take):
    text = MAPPING.replace('sum"', 'sum"\nloss_reason = "why"') + 'loss_reasons = { L = "declined" }\n'
    rows = "d1,2026-01-01,2026-01-09,1,W,x\nd2,2026-01-01,2026-01-09,1,L,price\nd3,2026-01-01,2026-01-09,1,L,\n"
    found = take(mapping(text=text), deals=HEAD.replace("state", "state,why") + rows)

    assert found.book.deals["loss_reason"].fillna("-").tolist() == ["-", "price", "declined"]


@pytest.mark.parametrize("amount", ["€ 1.200,50", '"$1,200.50"', "USD 12k", "NaN"])
def test_an_amount_that_is_no_number_is_quarantined(take, amount):
    found = take(deals=HEAD + WON + f"d2,2026-01-01,2026-01-09,{amount.replace(',50', '')},W\n")

    [[row, column, _, rule]] = refused(found)
    assert (row, column, rule) == ("deals.csv, line 3", "sum", "is not a number")


@pytest.mark.parametrize(
    ("amount", "rule"), [("-5", "must be a finite amount of 0 or more"), ("2e12", "must be at most 1e+12")]
)
def test_negative_and_absurd_amounts_are_quarantined(take, amount, rule):
    assert refused(take(deals=HEAD + WON + f"d2,2026-01-01,2026-01-09,{amount},W\n"))[0][3] == rule


def test_a_deal_without_created_at_is_quarantined(take):
    assert refused(take(deals=HEAD + WON + "d2,,,,O\n")) == [["deals.csv, line 3", "born", "nothing", "is required"]]


def test_a_date_that_does_not_fit_its_column_is_quarantined(take):
    assert refused(take(deals=HEAD + WON + "d2,02.01.2026,,,O\n")) == [
        ["deals.csv, line 3", "born", "02.01.2026", "is not a date written as %Y-%m-%d"]
    ]


def test_a_row_is_refused_once_however_many_rules_it_breaks(take):
    assert len(refused(take(deals=HEAD + WON + "d2,soon,later,much,Parked\n"))) == 1


def test_ragged_rows_are_quarantined_with_what_they_hold(take):
    assert refused(take(deals=HEAD + WON + "d2,2026-01-02\nd3,,2026-01-02,,W,9\n")) == [
        ["deals.csv, line 3", "whole row", "d2,2026-01-02", "has 2 cells, and the header has 5"],
        ["deals.csv, line 4", "whole row", "d3,,2026-01-02,,W,9", "has 6 cells, and the header has 5"],
    ]


def test_european_numbers_and_dates_are_found_and_reported(take, moment):
    found = take(deals='id;born;closed;sum;state\nd1;01.01.2026;13.01.2026;"1.234,56";W\n')

    assert found.book.deals[["created_at", "amount"]].to_numpy().tolist() == [[moment("2026-01-01"), 1234.56]]
    said = found.files[0]
    assert (said.encoding, said.separator, said.decimals) == ("utf-8", ";", {"sum": ","})
    assert said.dates == {"closed": "%d.%m.%Y", "born": "%d.%m.%Y"}


def test_excel_serial_dates_are_converted_and_reported(take, moment):
    found = take(deals=HEAD + "d1,46023,46030,1,W\n")

    assert found.book.deals["created_at"].tolist() == [moment("2026-01-01")]
    assert "deals.csv: born holds Excel serial numbers and was read as dates." in found.notes


def test_the_mapping_may_fix_what_cannot_be_found(take, moment):
    fixed = mapping(before='date_format = "%d/%m/%Y"\ndecimal = ","\ntimezone = "Europe/Amsterdam"')
    found = take(fixed, deals=HEAD + "d1,03/01/2026,04/01/2026,1.234,W\n")

    assert found.book.deals[["created_at", "amount"]].to_numpy().tolist() == [[moment("2026-01-02T23:00"), 1234.0]]


def test_other_currencies_than_the_books_are_quarantined_without_a_rate(take):
    text = MAPPING.replace('amount = "sum"', 'amount = "sum"\ncurrency = "unit"')
    rows = "d1,2026-01-01,2026-01-09,1,W,EUR\nd2,2026-01-01,2026-01-09,1,W,USD\nd3,2026-01-01,,,O,\n"
    found = take(mapping(text=text, before='currency = "EUR"'), deals=HEAD.replace("state", "state,unit") + rows)

    rule = "has no rate into EUR by the day the deal was created"
    assert refused(found) == [["deals.csv, line 3", "unit", "USD of 2026-01-01", rule]]
    assert found.book.deals["currency"].tolist() == ["EUR", "EUR"]


HISTORY = """
[[changes]]
file = "hist*"
deal_id = "id"
recorded_at = "on"
field = "what"
new_value = "to"
old_value = "was"
"""


def test_amounts_and_dates_of_the_history_are_read_as_those_of_the_deals(take):
    rows = (
        "d1;2026-01-02;Amount;;2.000,50\nd1;2026-01-03;amount;2.000,50;3.000\nd1;2026-01-04;amount;3.000;oops\n"
        "d1;2026-01-04;expected_close_date;;31.03.2026\nd1;2026-01-05;Next Step;;3.000\n"
    )
    found = take(mapping(HISTORY, before='decimal = ","'), deals=HEAD + WON, hist="id;on;what;was;to\n" + rows)
    changes = found.book.changes

    assert changes[["field", "old_value", "new_value"]].fillna("").to_numpy().tolist() == [
        ["amount", "", "2000.5"],
        ["amount", "2000.5", "3000"],
        ["expected_close_date", "", "2026-03-31"],
        ["Next Step", "", "3.000"],
    ]
    assert refused(found) == [["hist.csv, line 4", "to", "oops", "is not a number"]]


def test_large_whole_numbers_of_parquet_stay_what_they_are(take, tmp_path):
    ids = [9007199254740993, 9007199254740992]
    frame = pd.DataFrame({"id": ids, "born": "2026-01-01", "closed": None, "sum": 1.0, "state": "O"})
    frame.to_parquet(tmp_path / "deals.parquet")
    found = import_table([tmp_path / "deals.parquet"], mapping(), NOW)

    assert found.book.deals["deal_id"].tolist() == [str(number) for number in ids]


def test_a_margin_that_is_no_rate_is_refused(take):
    with_margin = mapping(text=MAPPING.replace('amount = "sum"', 'amount = "sum"\nmargin = "m"'))
    rows = "".join(f"d{i},2026-01-01,,1,O,{m}\n" for i, m in enumerate(["0.3", "-0.5", "30", ""]))
    found = take(with_margin, deals=HEAD.strip() + ",m\n" + rows)

    assert refused(found) == [["deals.csv, line 4", "m", "30.0", "must be a rate between -10 and 1"]]


def test_measures_are_numbers_and_one_that_is_none_is_refused(take):
    more = 'fixed_at_creation = ["staff", "branch"]\n[deals.attributes]\nbranch = "b"\n[deals.measures]\nstaff = "n"\n'
    with_measures = mapping(text=MAPPING.replace("[deals.outcome]", more + "[deals.outcome]"))
    rows = "d1,2026-01-01,,,O,12.5,7\nd2,2026-01-01,,,O,few,7\n"
    found = take(with_measures, deals=HEAD.strip() + ",n,b\n" + rows)

    assert found.book.deals[["staff", "branch"]].to_numpy().tolist() == [[12.5, "7"]]
    assert (found.book.attributes("number"), found.book.attributes("text")) == (["staff"], ["branch"])
    assert refused(found) == [["deals.csv, line 3", "n", "few", "is not a number"]]


def test_a_column_cannot_be_an_attribute_and_a_measure():
    both = 'fixed_at_creation = ["n"]\n[deals.attributes]\nn = "n"\n[deals.measures]\nn = "n"\n[deals.outcome]'
    with pytest.raises(ValidationError, match=r"n must be an attribute .* or a measure .*, found both"):
        mapping(text=MAPPING.replace("[deals.outcome]", both))


def test_several_files_of_one_part_become_one_table(take):
    found = take(deals_2025=HEAD + WON, deals_2026="id;state;born;closed;sum\nd2;O;02.01.2026;;\nd3;O;13.01.2026;;\n")

    assert found.book.deals["deal_id"].tolist() == ["d1", "d2", "d3"]


def test_a_workbook_and_parquet_give_the_same_book_as_text(take, tmp_path):
    expected = take(deals=HEAD + WON + OPEN).book.deals
    rows = [["d1", date(2026, 1, 1), date(2026, 1, 9), 100, "W"], ["d2", date(2026, 1, 2), None, None, "O"]]
    names = HEAD.strip().split(",")
    workbook(tmp_path / "deals.xlsx", Deals=[names, *rows])
    pd.DataFrame(rows, columns=names).to_parquet(tmp_path / "deals.parquet")

    for extension in ("xlsx", "parquet"):
        found = import_table([tmp_path / f"deals.{extension}"], mapping(), NOW)
        pd.testing.assert_frame_equal(found.book.deals, expected)
        assert found.files[0].dates == {"closed": "typed", "born": "typed"}


# Side tables


def test_a_side_table_brings_attributes_that_are_fixed(take):
    text = MAPPING.replace('sum"', 'sum"\nfixed_at_creation = ["list"]', 1)
    found = take(
        mapping(JOIN + '[deals.attributes]\nlist = "list"\n[deals.values.product]\nAB = "A B"\n', text=text),
        products="code,price\nA B,9.5\nC,8\nC,7\n",
        deals=HEAD.replace("state", "state,product") + WON.replace("W", "W,AB") + OPEN.replace("O", "O,Z"),
    )

    assert found.book.deals["list"].fillna("-").tolist() == ["9.5", "-"]
    assert refused(found) == [["products.csv, line 4", "code", "C", "repeats a key"]]
    assert found.book.manifest.rows_used["products"] == 2
    assert found.notes[:2] == (
        "deals.csv: product AB is read as A B in 1 rows.",
        "deals.csv: in 1 rows product is not in column code of products* (Z).",
    )


def test_an_amount_known_at_creation_is_the_first_change_of_the_amount(take, moment):
    text = MAPPING.replace('sum"', 'sum"\namount_at_creation = "list"', 1)
    found = take(
        mapping(JOIN, text=text),
        products="code,price\nA,9.5\n",
        deals=HEAD.replace("state", "state,product") + WON.replace("W", "W,A") + OPEN.replace("O", "O,"),
    )

    assert found.book.changes[["deal_id", "field", "recorded_at", "new_value"]].to_numpy().tolist() == [
        ["d1", "amount", moment("2026-01-01"), "9.5"]
    ]
    assert found.book.deals["amount"].fillna(-1).tolist() == [100.0, -1.0]
    assert "amount_at_creation" not in [*found.book.deals, *found.book.manifest.fixed_at_creation]


def test_a_join_that_brings_a_column_the_deals_have_is_refused(take):
    deals = HEAD.replace("state", "state,product,list") + "1,,,,O,A,2\n"

    with pytest.raises(MappingError, match=r"deals.csv: \[\[join\]\] of products\* must add new columns"):
        take(mapping(JOIN), products="code,price\nA,1\n", deals=deals)


def test_accounts_activities_changes_and_contacts_become_tables_of_the_book(take, moment):
    more = """
[accounts]
file = "accounts*"
account_id = "a"
industry = "branch"
[[activities]]
file = "calls*"
deal_id = "deal"
occurred_at = "on"
hours = "h"
every_kind = "call"
[[changes]]
file = "stages*"
deal_id = "deal"
recorded_at = "on"
every_field = "stage"
new_value = "to"
[[contacts]]
file = "people*"
deal_id = "deal"
contact_id = "who"
recorded_at = "on"
"""
    book = take(
        mapping(more),
        deals=HEAD + WON,
        accounts="a,branch\na1,steel\n",
        calls="deal,on,h\nd1,2026-01-03,0.5\n",
        stages="deal,on,to\nd1,2026-01-04 10:00,Offer\n",
        people="deal,who,on\nd1,ann,2026-01-05\n",
    ).book

    assert book.accounts[["account_id", "industry"]].to_numpy().tolist() == [["a1", "steel"]]
    assert book.activities.iloc[0][["activity_id", "kind", "hours"]].tolist() == ["calls.csv, line 2", "call", 0.5]
    assert book.activities["recorded_at"].tolist() == [moment("2026-01-03T23:59:59.999999")]
    assert book.changes.iloc[0][["field", "recorded_at", "new_value"]].tolist() == [
        "stage",
        moment("2026-01-04T10:00"),
        "Offer",
    ]
    assert book.contacts["contact_id"].tolist() == ["ann"]


def test_rows_of_a_refused_deal_are_refused_with_it(take):
    part = '[[contacts]]\nfile = "people*"\ndeal_id = "deal"\ncontact_id = "who"\nrecorded_at = "on"\n'
    found = take(mapping(part), deals=HEAD + WON + "d2,,,,O\n", people="deal,who,on\nd2,ann,2026-01-05\n")

    assert refused(found)[1] == ["people.csv, line 2", "deal", "d2", "belongs to no admitted deal"]


# Hours


def test_assumed_effort_is_no_activity(take):
    found = take(mapping("[effort]\nhours_per_open_week = 1.5\n"), deals=HEAD + WON + OPEN + LOST)

    assert found.book.activities.empty
    assert found.book.effort == EffortSettings(hours_per_open_week=1.5)
    assert found.notes[-1] == "Hours are not recorded: 1.5 hours of work are assumed for each week a deal is open."


def test_a_book_without_hours_says_so(take):
    assert take(deals=HEAD + WON + LOST).notes == (
        "Hours are not recorded: each open deal is taken to need the same. Bars are money per deal.",
    )


def test_effort_by_a_column_that_is_not_in_the_book_is_refused(take):
    with pytest.raises(MappingError, match=r"effort\.by: must be stage, amount, or a text attribute"):
        take(mapping('[effort]\nhours_per_deal = 1\nby = "segment"\nhours = {a = 2}\n'), deals=HEAD + WON)


# What cannot be imported


def test_files_that_the_mapping_does_not_name_are_reported_and_left_alone(take):
    found = take(deals=HEAD + WON, notes="anything at all")

    assert "notes.csv: not named by the mapping, not used." in found.notes
    assert found.rows_in == 1


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (
            HEAD.replace("born", "Born_"),
            r"deals.csv: the mapping names a column born, found only id, Born_, .*Did you mean Born_\?",
        ),
        (
            HEAD.replace("state", "xyz"),
            r"the mapping names a column state, found only id, born, closed, sum, xyz\. Correct the mapping\.$",
        ),
    ],
)
def test_an_absent_column_is_named_beside_a_near_one(take, header, says):
    with pytest.raises(MappingError, match=says):
        take(deals=header + WON)


def test_a_wrong_separator_of_the_mapping_is_named(take):
    with pytest.raises(MappingError, match=r"deals.csv: .* several columns, found only one, .*\(separator: ';'\)"):
        take(mapping(before='separator = ";"'), deals=HEAD + WON)


def test_two_date_orders_name_the_rows_that_contradict_each_other(take):
    with pytest.raises(
        MappingError, match=r"column born: must use one date format, found .* in deals.csv, line 2 .* deals.csv, line 3"
    ):
        take(deals=HEAD + "d1,13/01/2026,,,O\nd2,01/13/2026,,,O\n")


def test_a_book_of_which_no_row_can_be_used_says_why(take):
    with pytest.raises(DataError, match=r"no row can be used as a deal\. The first: deals.csv, line 2, state is not"):
        take(deals=HEAD + "d1,2026-01-01,,,Parked\n")


def test_a_part_without_its_file_is_named(take):
    with pytest.raises(
        MappingError, match=r"the mapping names deals\* as the file of the deals, found no match among: x"
    ):
        take(x=HEAD + WON)
    with pytest.raises(MappingError, match=r"the mapping names products\* as the file of a side table"):
        take(mapping(JOIN), deals=HEAD + WON)


UNDATED = """
source = "table"
timeless = true
[deals]
file = "deals*"
fixed_at_creation = ["need"]
[deals.attributes]
need = "Need"
[deals.outcome]
column = "state"
won = ["W"]
lost = ["L"]
open = [""]
"""


def test_a_file_without_dates_or_ids_is_a_timeless_book_of_deals_named_by_their_line(take):
    found = take(mapping(text=UNDATED), deals="Need,state\nclear,W\nvague,L\nclear,\n,X\n")

    assert found.book.manifest.timeless
    assert found.book.deals["deal_id"].tolist() == [f"deals.csv, line {line}" for line in (2, 3, 4)]
    assert found.book.deals["created_at"].isna().all()
    assert found.book.deals[["need", "outcome"]].fillna("").to_numpy().tolist() == [
        ["clear", "won"],
        ["vague", "lost"],
        ["clear", ""],
    ]
    assert refused(found) == [["deals.csv, line 5", "state", "X", "is not among the outcomes of the mapping"]]
    assert found.notes[-2].startswith("No dates. A model of this book predicts wins")


def test_a_book_without_closes_may_know_when_deals_were_created(take, moment):
    text = UNDATED.replace("[deals.attributes]", 'created_at = "born"\n[deals.attributes]')
    found = take(mapping(text=text), deals="born,Need,state\n2026-01-01,clear,W\n,vague,L\n")

    assert found.book.deals["created_at"].tolist() == [moment("2026-01-01"), pd.NaT]
    assert found.book.deals["closed_at"].isna().all()
    [note] = [note for note in found.notes if note.startswith("No dates of the close. A model of this book")]
    assert note.endswith("A model is tested on deals created later than those it learned from.")


def test_a_repeated_id_is_refused_without_dates_too(take):
    text = UNDATED.replace("[deals.attributes]", 'deal_id = "id"\n[deals.attributes]')
    found = take(mapping(text=text), deals="id,Need,state\na,clear,W\na,vague,L\n")

    assert refused(found) == [["deals.csv, line 3", "id", "a", "repeats a key"]]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("deals.closed_at", 'closed_at = "end"\n[deals.attributes]'),
        ("effort", "[effort]\nhours_per_open_week = 1.0\n[deals.attributes]"),
    ],
)
def test_a_mapping_cannot_be_timeless_and_name_dates(name, line):
    with pytest.raises(ValidationError, match=f"timeless must go without dates, found {name}"):
        mapping(text=UNDATED.replace("[deals.attributes]", line))


def test_a_timeless_mapping_cannot_count_days():
    with pytest.raises(ValidationError, match=r"timeless must go without dates, found deals.outcome.lost_after_days"):
        mapping("lost_after_days = 9", text=UNDATED)


def test_a_mapping_without_created_at_hears_of_timeless(take):
    with pytest.raises(MappingError, match="or set timeless = true if the export has no dates"):
        take(mapping(text=MAPPING.replace('created_at = "born"\n', "")), deals=HEAD + WON)


@pytest.mark.parametrize(("line", "name"), [('deal_id = "id"\n', "deal_id"), ('created_at = "born"\n', "created_at")])
def test_a_draft_without_id_or_dates_cannot_be_imported(take, line, name):
    with pytest.raises(MappingError, match=f"mapping: deals.{name} is required, found none"):
        take(mapping(text=MAPPING.replace(line, "")), deals=HEAD + WON)


FILLED = """
source = "table"
[deals]
file = "deals*"
deal_id = "id"
created_at = "born"
[deals.outcome]
won_if_filled = "won on"
lost_if_filled = "lost on"
"""


def test_a_deal_is_closed_on_the_date_of_the_column_that_is_filled(take, moment):
    rows = "d1,2026-01-01,2026-01-09,\nd2,2026-01-02,,20/01/2026\nd3,2026-01-03,,\n"
    deals = take(mapping(text=FILLED), deals="id,born,won on,lost on\n" + rows).book.deals

    assert deals["outcome"].fillna("open").tolist() == ["won", "lost", "open"]
    closed = [moment("2026-01-09T23:59:59.999999"), moment("2026-01-20T23:59:59.999999")]
    assert deals["closed_at"].tolist() == [*closed, pd.NaT]


def test_a_deal_that_says_won_and_lost_is_quarantined_with_both(take):
    rows = "d1,2026-01-01,2026-01-09,2026-01-10\nd2,2026-01-01,2026-01-09,\n"
    found = take(mapping(text=FILLED), deals="id,born,won on,lost on\n" + rows)

    both = "won on: 2026-01-09, lost on: 2026-01-10"
    rule = "says more than one of won, lost and open"
    assert refused(found) == [["deals.csv, line 2", "won on and lost on", both, rule]]


def test_a_filled_column_without_dates_needs_closed_at(take):
    with pytest.raises(MappingError, match="closed_at is required, since won_if_filled names won on, which holds no"):
        take(mapping(text=FILLED), deals="id,born,won on,lost on\nd1,2026-01-01,contract 7,\n")


def test_outcomes_without_dates_of_the_close_hear_of_timeless(take):
    with pytest.raises(MappingError, match=r"closed_at is required, since 1 deals are won or lost.* timeless = true"):
        take(mapping(text=MAPPING.replace('closed_at = "closed"\n', "")), deals=HEAD + WON + OPEN)


def test_open_deals_need_no_column_of_the_close(take):
    assert len(take(mapping(text=MAPPING.replace('closed_at = "closed"\n', "")), deals=HEAD + OPEN).book.deals) == 1


def test_a_line_number_is_an_id_that_the_notes_warn_of(take):
    found = take(mapping(text=MAPPING.replace('"id"', '"line number"')), deals=HEAD + WON + WON)

    assert found.book.deals["deal_id"].tolist() == ["deals.csv, line 2", "deals.csv, line 3"]
    assert any(note.startswith("The id of a deal is its file and line. It changes when") for note in found.notes)


def test_ids_of_the_export_get_no_warning(take):
    assert not [note for note in take(deals=HEAD + WON).notes if "file and line" in note]


LEADS = """
source = "table"
[deals]
file = "deals*"
deal_id = "id"
created_at = "born"
[deals.outcome]
won_if_filled = "won on"
lost_after_days = 10
"""


def test_the_notes_tell_how_many_deals_count_as_lost_by_their_age(take):
    rows = "d1,2026-01-01,2026-01-09\nd2,2026-01-01,\nd3,2026-01-01,2026-01-20\nd4,2026-01-15,\n"
    found = take(mapping(text=LEADS), deals="id,born,won on\n" + rows)

    told = "Deals still open 10 days after they were created count as lost on that day: 2 of 2 lost deals."
    assert found.notes[-1] == f"{told} 1 of them closed later, 1 as won."
    assert found.book.deals["outcome"].fillna("open").tolist() == ["won", "open", "won", "open"]  # as recorded
    assert found.book.manifest.lost_after_days == 10


def test_the_days_of_the_settings_are_told_in_place_of_those_of_the_mapping(tmp_path):
    (tmp_path / "deals.csv").write_text("id,born,won on\nd1,2026-01-01,2026-01-09\nd2,2026-01-01,\nd3,2026-01-28,\n")
    found = import_table([tmp_path / "deals.csv"], mapping(text=LEADS), NOW, lost_after_days=20)

    assert found.notes[-1].startswith(
        "Deals still open 20 days after they were created count as lost on that day: 1 of 1"
    )
    assert found.book.manifest.lost_after_days == 10


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (OPEN, "No deal is settled: all are open, so nothing can be learned from this book. Check [deals.outcome]"),
        (WON + OPEN, "No deal is lost in this book, so a model cannot be trained on it. Check [deals.outcome] of the"),
        ("d1,2026-01-01,2026-01-09,1,L\n", "No deal is won in this book, so a model cannot be trained on it. Check"),
    ],
)
def test_a_book_without_won_or_lost_deals_is_imported_with_a_warning(take, rows, says):
    assert [note for note in take(deals=HEAD + rows).notes if note.startswith(says)]


def test_losses_that_are_not_recorded_are_told_with_the_remedy(take):
    found = take(mapping(text=MAPPING.replace('["L"]', "[]")), deals=HEAD + WON + OPEN)

    assert found.notes[-1] == (
        "No deal is lost in this book, so a model cannot be trained on it. Set lost_after_days if a deal that stays "
        "open for so long counts as lost."
    )


CLOSING = """
source = "table"
[deals]
file = "deals*"
deal_id = "id"
created_at = "born"
[deals.outcome]
field = "Stage"
won = ["Signed"]
lost = ["Declined", "Silent"]
loss_reasons = { Silent = "no_decision" }
[[changes]]
file = "history*"
deal_id = "deal"
recorded_at = "on"
field = "what"
new_value = "to"
"""


def test_the_first_record_of_a_closing_stage_ends_the_deal(take, moment):
    rows = [
        "d1,stage,2026-01-05,Offer",
        "d1,Stage,2026-01-09,Signed",
        "d1,stage,2026-01-12,Silent",
        "d2,stage,2026-01-08,Silent",
        "d3,stage,2026-01-08,Offer",
        "d3,owner,2026-01-08,Signed",
        "d9,stage,2026-01-08,Signed",
    ]
    history = "\n".join(["deal,what,on,to", *rows])
    found = take(mapping(text=CLOSING), deals="id,born\nd1,2026-01-01\nd2,2026-01-01\nd3,2026-01-01\n", history=history)

    deals = found.book.deals
    assert deals["outcome"].fillna("open").tolist() == ["won", "lost", "open"]
    assert deals["loss_reason"].fillna("-").tolist() == ["-", "no_decision", "-"]
    closed = [moment("2026-01-09T23:59:59.999999"), moment("2026-01-08T23:59:59.999999"), pd.NaT]
    assert deals["closed_at"].tolist() == closed


def test_a_deal_closed_by_its_history_keeps_the_reason_of_its_column(take):
    text = CLOSING.replace('"born"', '"born"\nloss_reason = "why"')
    history = "deal,what,on,to\nd1,stage,2026-01-09,Signed\nd2,stage,2026-01-08,Silent\nd3,stage,2026-01-08,Silent\n"
    deals = "id,born,why\nd1,2026-01-01,x\nd2,2026-01-01,price\nd3,2026-01-01,\nd4,2026-01-01,y\n"
    found = take(mapping(text=text), deals=deals, history=history)

    assert found.book.deals["loss_reason"].fillna("-").tolist() == ["-", "price", "no_decision", "-"]


TWO_FILES = """
source = "table"
[[deals]]
file = "won*"
deal_id = "id"
created_at = "born"
closed_at = "signed"
fixed_at_creation = ["source"]
outcome = { every = "won" }
attributes = { source = "from" }
[[deals]]
file = "rest*"
deal_id = "key"
created_at = "begun"
closed_at = "ended"
fixed_at_creation = ["source"]
outcome = { column = "state", won = ["W"], lost = ["L"], open = ["O"] }
attributes = { source = "source" }
"""


def test_files_of_deals_with_columns_of_their_own_become_one_table(take):
    won = "id,born,signed,from\nd1,2026-01-01,2026-01-09,web\n"
    rest = "key,begun,ended,state,source\nd2,2026-01-01,2026-01-08,L,fair\nd3,2026-01-02,,O,web\n"
    book = take(mapping(text=TWO_FILES), won=won, rest=rest).book

    rows = [["d1", "won", "web"], ["d2", "lost", "fair"], ["d3", "open", "web"]]
    assert book.deals[["deal_id", "outcome", "source"]].fillna("open").to_numpy().tolist() == rows
    assert book.attributes("text") == ["source"]


def test_each_part_of_deals_needs_its_file(take):
    with pytest.raises(MappingError, match=r"names rest\* as the file of the deals, found no match among: won.csv"):
        take(mapping(text=TWO_FILES), won="id,born,signed,from\nd1,2026-01-01,2026-01-09,web\n")


def test_a_file_belongs_to_one_part_of_deals(take):
    with pytest.raises(MappingError, match=r"won.csv: each file must belong to one of \[\[deals\]\], found two"):
        take(
            mapping(text=TWO_FILES.replace('"rest*"', '"*"')), won="id,born,signed,from\n1,2026-01-01,2026-01-09,web\n"
        )


def test_a_deal_in_two_files_is_used_once_and_the_other_row_is_quarantined(take):
    won = "id,born,signed,from\nd1,2026-01-01,2026-01-09,web\n"
    found = take(mapping(text=TWO_FILES), won=won, rest="key,begun,ended,state,source\nd1,2026-01-01,,O,fair\n")

    assert refused(found) == [["rest.csv, line 2", "id or key", "d1", "repeats a key"]]


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"none.csv: must be a file, found none"):
        import_table([tmp_path / "none.csv"], mapping(), NOW)
    with pytest.raises(DataError, match="must be a file, found a folder"):
        import_table([tmp_path], mapping(), NOW)


def test_maven_crm_is_imported_whole(shared):
    folder = shared("data/maven_crm")
    found = import_table(sorted(folder.glob("*.csv")), load_mapping("maven_crm"), pd.Timestamp("2026-01-01", tz="UTC"))

    assert (found.rows_in, found.rows_used, len(found.quarantine)) == (8927, 8427, 500)
    assert found.book.deals["outcome"].value_counts(dropna=False).tolist() == [4238, 2473, 1589]
    assert found.quarantine["column"].unique().tolist() == ["engage_date"]
    assert found.book.deals["list_price"].notna().all()
    assert (found.book.changes["field"] == "amount").sum() == 8300
    assert "data_dictionary.csv: not named by the mapping, not used." in found.notes


NAMED = "id,born,closed,sum,state,title,firm,seller,link\n"


def test_names_and_links_of_deals_are_read_and_never_learned_from(take):
    text = MAPPING.replace("[deals.outcome]", 'name = "title"\naccount_name = "firm"\nurl = "link"\n[deals.outcome]')
    rows = (
        "d1,2026-01-01,2026-01-09,100,W,Renewal,Acme,Ann,https://crm.example/1\n"
        "d2,2026-01-02,,,O,,Bolt,,javascript:alert(1)\n"
    )
    found = take(mapping(text=text), deals=NAMED + rows)

    names = found.book.names_of(found.book.deals["deal_id"])
    assert names.fillna("").to_dict("records") == [
        {"name": "Renewal", "account_name": "Acme", "url": "https://crm.example/1"},
        {"name": "", "account_name": "Bolt", "url": ""},
    ]
    assert "link: 1 value is no link of the web (https://...) and was left out." in found.notes
    assert found.book.attributes("text") == []


def test_links_are_made_of_a_pattern(take):
    text = MAPPING.replace("[deals.outcome]", 'url = "https://crm.example/{deal_id}/view"\n[deals.outcome]')
    found = take(mapping(text=text), deals=HEAD + WON.replace("d1", "d/1"))

    assert found.book.deals["url"].tolist() == ["https://crm.example/d%2F1/view"]
