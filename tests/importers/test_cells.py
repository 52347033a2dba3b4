from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from walkaway.errors import MappingError
from walkaway.importers.cells import EPOCH, SERIAL, as_texts, date_format_of, decimal_mark_of, moments, numbers


def column(*cells) -> pd.Series:
    """Cells of a column "sum" that stand from line 2 on."""
    return pd.Series(list(cells), index=[f"f.csv, line {i + 2}" for i in range(len(cells))], name="sum", dtype="object")


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["12.5"], "."),
        (["12,5"], ","),
        (["1.234,56", "1.234"], ","),
        (["1,234.56", "1,234"], "."),
        (["1.234.567"], ","),
        (["1234.567"], "."),
        (["0.123"], "."),
        (["7", None, 1.5], "."),
        (["€ 5,00", "USD"], "."),
    ],
)
def test_the_decimal_mark_is_the_one_that_the_values_allow(cells, mark):
    assert decimal_mark_of(column(*cells)) == mark


def test_two_decimal_marks_in_one_column_name_the_rows_that_contradict_each_other():
    with pytest.raises(
        MappingError,
        match=r"column sum: must use one decimal mark, found 1.5 in f.csv, line 3 and 1,5 in f.csv, line 2\. Set",
    ):
        decimal_mark_of(column("1,5", "1.5"))


def test_a_mark_that_could_be_either_is_not_guessed():
    with pytest.raises(MappingError, match=r"the decimal mark is ambiguous, found 1.234 in .*line 3"):
        decimal_mark_of(column("500", "1.234"))


@pytest.mark.parametrize(
    ("cell", "decimal", "number"),
    [
        ("1.234,56", ",", 1234.56),
        ("1,234.56", ".", 1234.56),
        ("1 234,5", ",", 1234.5),
        ("1'234.5", ".", 1234.5),
        ("-7", ".", -7.0),
        ("1e3", ".", 1000.0),
        (2.5, ",", 2.5),
        ("12.34.5", ".", np.nan),
        ("1,23", ".", np.nan),
        ("€ 1.200,50", ",", np.nan),
        ("$1,200.50", ".", np.nan),
        ("USD 12k", ".", np.nan),
        ("NaN", ".", np.nan),
        ("inf", ".", np.nan),
        (None, ".", np.nan),
    ],
)
def test_a_cell_is_a_number_only_where_all_of_it_is(cell, decimal, number):
    assert numbers(column(cell), decimal).tolist() == pytest.approx([number], nan_ok=True)


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2026-01-31"], "%Y-%m-%d"),
        (["2026-01-31T10:00:00Z", "2026-01-31 10:00"], "%Y-%m-%d"),
        (["01/02/2026", "31/01/2026"], "%d/%m/%Y"),
        (["01/02/2026", "01/31/2026"], "%m/%d/%Y"),
        (["01/31/2026 5:00 PM"], "%m/%d/%Y"),
        (["31.01.26"], "%d.%m.%y"),
        (["31-Jan-2026"], "%d-%b-%Y"),
        (["Jan 31, 2026"], "%b %d, %Y"),
        (["20260131"], "%Y%m%d"),
        (["46023", "46030.5"], SERIAL),
        ([46023.0], SERIAL),
        (["1769817600000"], EPOCH),
        ([date(2026, 1, 31), None], ""),
        (["31/01/2026", "soon"], "%d/%m/%Y"),
        (["05/05/2026"], "%d/%m/%Y"),
    ],
)
def test_the_date_format_is_the_one_that_fits_most_values(cells, form):
    assert date_format_of(column(*cells)) == form


def test_two_date_orders_in_one_column_name_the_rows_that_contradict_each_other():
    with pytest.raises(
        MappingError,
        match=r"column sum: must use one date format, found 13/01/2026 in f.csv, line 2 \(%d/%m/%Y\) and "
        r"01/13/2026 in f.csv, line 4 \(%m/%d/%Y\)\. Set `date_format`",
    ):
        date_format_of(column("13/01/2026", "01/02/2026", "01/13/2026"))


def test_a_date_that_could_be_either_way_round_is_not_guessed():
    with pytest.raises(MappingError, match=r"is ambiguous, found 03/04/2026 in .*line 2 \(%d/%m/%Y or %m"):
        date_format_of(column("03/04/2026", "05/05/2026"))


def test_a_column_without_any_date_says_what_it_holds():
    with pytest.raises(MappingError, match=r"must hold dates in a known format, found soon in f.csv, line 2"):
        date_format_of(column("soon"))


@pytest.mark.parametrize(
    ("cell", "form", "moment"),
    [
        ("2026-01-31 10:00", "%Y-%m-%d", "2026-01-31T09:00Z"),
        ("2026-01-31T10:00:00.5+00:00", "%Y-%m-%d", "2026-01-31T10:00:00.5Z"),
        ("2026-07-31 10:00", "%Y-%m-%d", "2026-07-31T08:00Z"),
        ("1/31/2026 5:00 PM", "%m/%d/%Y", "2026-01-31T16:00Z"),
        ("1/31/2026 5:00pm", "%m/%d/%Y", "2026-01-31T16:00Z"),
        ("31.01.2026 10h", "%d.%m.%Y %Hh", "2026-01-31T09:00Z"),
        ("46023.5", SERIAL, "2026-01-01T11:00Z"),
        ("1769853600000", EPOCH, "2026-01-31T10:00Z"),
        (datetime(2026, 1, 31, 10), "", "2026-01-31T09:00Z"),
        (46023.5, SERIAL, "2026-01-01T11:00Z"),
    ],
)
def test_a_moment_is_read_with_its_offset_or_in_the_time_zone(cell, form, moment):
    assert moments(column(cell), form, "Europe/Amsterdam", end_of_day=True).tolist() == [pd.Timestamp(moment)]


@pytest.mark.parametrize("cell", ["soon", "31/02/2026", "9999-12-31", "2026-01-31 25:00", "12", 7.0, None])
def test_what_is_no_date_is_no_moment(cell):
    assert moments(column(cell), "%Y-%m-%d", "UTC").isna().all()


def test_a_date_without_a_time_is_the_start_or_the_end_of_its_day(moment):
    cells = column("2026-01-31")

    assert moments(cells, "%Y-%m-%d", "UTC").tolist() == [moment("2026-01-31")]
    assert moments(cells, "%Y-%m-%d", "UTC", end_of_day=True).tolist() == [moment("2026-01-31T23:59:59.999999")]


def test_a_column_whose_every_time_is_midnight_holds_dates(moment):
    both = moments(column("2026-01-30 00:00:00", "2026-01-31T00:00:00Z"), "%Y-%m-%d", "UTC", end_of_day=True)
    timed = moments(column("2026-01-30 00:00:00", "2026-01-31 01:00"), "%Y-%m-%d", "UTC", end_of_day=True)

    assert both.tolist() == [moment("2026-01-30T23:59:59.999999"), moment("2026-01-31T23:59:59.999999")]
    assert timed.tolist() == [moment("2026-01-30"), moment("2026-01-31T01:00")]


def test_a_day_that_has_not_ended_ends_now(moment):
    now = moment("2026-01-31T12:00")
    found = moments(column("2026-01-31", "2026-02-01"), "%Y-%m-%d", "UTC", end_of_day=True, now=now)

    assert found.tolist() == [now, moment("2026-02-01T23:59:59.999999")]


def test_texts_of_typed_cells_are_plain():
    assert as_texts(column(7.0, 7.5, "x", date(2026, 1, 31), None)).tolist() == ["7", "7.5", "x", "2026-01-31", None]


def test_cells_are_not_changed():
    cells = column("1,5", None)
    before = cells.copy()
    numbers(cells, decimal_mark_of(cells))

    pd.testing.assert_series_equal(cells, before)
