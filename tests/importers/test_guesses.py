import pandas as pd
import pytest

from walkaway.importers.guesses import Export, are_dates, guess, words_of
from walkaway.importers.sheets import sheet_of_text


def sheet(text: str, name: str = "deals.csv"):
    return sheet_of_text(text.encode(), name)


@pytest.mark.parametrize(
    ("dates", "are"),
    [
        (["01/02/2026", "03/04/2026"], True),  # day and month could be either way round
        (["31/01/2026", "01/31/2026"], True),  # and are both ways round
        (["31/01/2026", "30/01/2026"], True),
        (["is ambiguous", "must use one date format"], False),
    ],
)
def test_a_column_of_dates_is_one_whichever_way_round_day_and_month_are(dates, are):
    assert are_dates(pd.Series(dates, index=["line 2", "line 3"], name="closed")) == are


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CreatedDate", ["created", "date"]),
        ("deal_created_at", ["deal", "created", "at"]),
        ("Won time", ["won", "time"]),
        ("hs_MQL_date2", ["hs", "mql", "date", "2"]),
        ("Größe (m²)", ["größe", "m"]),
    ],
)
def test_a_name_is_read_word_by_word(name, words):
    assert words_of(name) == words


ROWS = "A1,Q7,2026-01-01,2026-02-01,won\nA2,Q8,2026-01-02,,\nA3,Q9,2026-01-03,2026-02-03,lost\n"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (
            "Batch,Opportunity No,Opened on,Actual close,Result",
            {"deal_id": "Opportunity No", "created_at": "Opened on"},
        ),
        ("Lead ID,Batch,Date received,Ended,State", {"deal_id": "Lead ID", "created_at": "Date received"}),
        ("x,Deal ref,Entered,Closed,y", {"deal_id": "Deal ref", "closed_at": "Closed"}),
        ("x,y,Last modified,Created,State", {"deal_id": "x", "created_at": "Created"}),
    ],
)
def test_ids_and_dates_are_found_by_the_words_of_their_names(header, found):
    columns = guess(sheet(f"{header}\n{ROWS}")).columns

    assert {name: columns.get(name) for name in found} == found


@pytest.mark.parametrize(
    ("name", "is_amount"),
    [
        ("Annual Contract Value (ACV)", True),
        ("TCV", True),
        ("Total cost", True),
        ("Expected revenue", True),
        ("Opportunity Amount EUR", True),
        ("Probability", False),
        ("Employees", False),
        ("Discount pct of value", False),
    ],
)
def test_amounts_are_found_by_the_words_of_their_names(name, is_amount):
    found = guess(sheet(f"id,state,{name}\n1,won,5\n2,lost,7.5\n3,won,9\n"))

    assert (found.columns.get("amount") == name) == is_amount


def test_an_expected_or_modified_date_is_not_the_close():
    found = guess(sheet("id,created,expected close,modified,state\n1,2026-01-01,2026-01-03,2026-01-04,won\n"))

    assert "closed_at" not in found.columns


def test_flags_that_say_closed_and_won_are_used_together():
    found = guess(sheet("Id,IsClosed,IsWon\n1,true,true\n2,true,false\n3,false,false\n"))

    assert (found.flags, found.outcome) == (("IsClosed", "IsWon"), None)


def test_yes_and_no_are_outcomes_only_under_a_name_that_says_so():
    assert guess(sheet("Id,Do Not Email\n1,Yes\n2,No\n3,No\n")).outcome is None
    assert guess(sheet("Id,Do Not Email,Converted\n1,Yes,0\n2,No,1\n3,No,0\n")).outcome == "Converted"


def test_a_date_that_is_filled_for_some_deals_says_they_are_won():
    found = guess(sheet("Lead ID,Created,Won on\n1,2026-01-01,2026-02-01\n2,2026-01-02,\n"))

    assert (found.filled, found.outcome, found.undated) == (("Won on", None), None, False)


DEALS = "id,stage,created,closed\nd1,Won,2026-01-01,2026-01-09\nd2,Lost,2026-01-01,2026-01-09\nd3,Open,2026-01-01,\n"
HISTORY = "id,deal_id,stage,created\nh1,d1,Lost,2026-01-01\nh2,d1,Won,2026-01-02\nh3,d2,Lost,2026-01-02\n"
CALLS = "id,deal_id,status,created,closed,amount\n1,d1,won,2026-01-01,2026-01-01,1\n2,d1,lost,2026-01-01,2026-01-01,2\n"


@pytest.mark.parametrize("order", [("deals", "history", "calls"), ("calls", "history", "deals")])
def test_the_deals_are_the_table_that_others_point_to(order):
    files = {"deals": DEALS, "history": HISTORY, "calls": CALLS}
    export = Export(tuple(guess(sheet(files[name], f"{name}.csv")) for name in order))

    assert export.deals.table.sheet.file == "deals.csv"


def test_leads_that_calls_point_to_are_not_the_deals_where_only_deals_tell_how_they_ended():
    leads = "lead_id,segment,created_at\nl1,SMB,2026-01-01\nl2,Firm,2026-01-01\nl3,SMB,2026-01-01\n"
    deals = "deal_id,lead_id,created_at,close_at,status\n"
    deals += "d1,l1,2026-01-01,2026-01-09,Won\nd2,l3,2026-01-01,2026-01-09,Lost\n"
    calls = "call_id,lead_id,at\n1,l1,2026-01-01\n2,l1,2026-01-01\n"
    files = {"leads": leads, "deals": deals, "calls": calls}
    export = Export(tuple(guess(sheet(text, f"{name}.csv")) for name, text in files.items()))

    assert export.deals.table.sheet.file == "deals.csv"


def test_accounts_that_deals_point_to_are_not_the_deals():
    accounts = "account_id,status\na1,won back\na2,lost\n"
    deals = "id,account_id,stage\n1,a1,won\n2,a1,lost\n3,a2,lost\n"
    export = Export((guess(sheet(accounts, "accounts.csv")), guess(sheet(deals))))

    assert export.deals.table.sheet.file == "deals.csv"
