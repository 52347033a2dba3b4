"""All calls of a report as CSV and XLSX, for readers who want more than the page shows. No cell can start a formula."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pandas as pd

from walkaway.book import NAMES
from walkaway.files import write_bytes

__all__ = ["FILES", "harmless", "write_lists"]

FILES = ("deals.csv", "deals.xlsx")
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")  # spreadsheets read these as the start of a formula (OWASP)
MOST_LETTERS = 32_000  # an XLSX cell holds 32,767
SHOWN = [
    "deal_id",
    "name",
    "account_name",
    "verdict",
    "call",
    "leg",
    "value_per_hour",
    "bar",
    "alike_value_per_hour",
    "remaining_hours",
    "expected_value",
    "win_probability",
    "value_if_won",
    "amount",
    "stage",
    "owner_id",
    "owner_name",
    "team",
    "pipeline",
    "age_days",
    "last_activity",
    "advised_since",
    "wait_for",
    "wait_until",
    "sign_came",
    "chance_if_heard",
    "decision",
    "by",
    "why",
    "kept_to_learn",
    "reason_1",
    "factor_1",
    "base_rate_1",
    "reason_2",
    "factor_2",
    "base_rate_2",
    "reason_3",
    "factor_3",
    "base_rate_3",
    "url",
]


OF_DEALS = ("value_per_hour", "remaining_hours", "amount", "stage", "owner_id", "team", "pipeline", "last_activity")
MAY_BE_UNKNOWN = (*OF_DEALS, *NAMES)


def harmless(text: str) -> str:
    """The text, changed so that no spreadsheet reads it as a formula, and cut to fit a cell.

    >>> harmless("=1+1"), harmless("Müller & Co")
    ("'=1+1", 'Müller & Co')
    """
    text = text[:MOST_LETTERS]
    return f"'{text}" if text.startswith(STARTS) else text


def _shown(calls: pd.DataFrame) -> pd.DataFrame:
    """The columns of SHOWN, without those that the book does not record."""
    unknown = {name for name in MAY_BE_UNKNOWN if name in calls and (calls[name].isna() | (calls[name] == "")).all()}
    table = calls[[name for name in SHOWN if name in calls and name not in unknown]].copy()
    if "value_per_hour" in unknown:
        table = table.rename(columns={"alike_value_per_hour": "alike_value"})
    moments = table.select_dtypes("datetimetz").columns
    table[moments] = table[moments].apply(lambda column: column.dt.strftime("%Y-%m-%d"))
    for name in table.columns[~table.dtypes.map(pd.api.types.is_numeric_dtype)]:
        table[name] = table[name].astype("object").where(table[name].notna(), "").map(lambda text: harmless(str(text)))
    if "verdict" not in calls:  # a book without dates: the most valuable deals first, as given
        return table
    keys, ascending = ["verdict", "remaining_hours", "expected_value"], [False, False, True]
    return table.loc[calls.sort_values(keys, ascending=ascending, kind="stable").index]


def write_lists(calls: pd.DataFrame, out: Path) -> None:
    """Write every call into FILES.

    Args:
        calls: the calls of `Content`.
        out: an existing folder.
    """
    table = _shown(calls)
    write_bytes(out / FILES[0], table.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig"))
    buffer = BytesIO()
    options = {"options": {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}}
    with pd.ExcelWriter(buffer, engine="xlsxwriter", engine_kwargs=options) as writer:
        table.to_excel(writer, sheet_name="deals", index=False, freeze_panes=(1, 1))
        sheet = writer.sheets["deals"]
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
        sheet.set_column(0, len(table.columns) - 1, 16)
    write_bytes(out / FILES[1], buffer.getvalue())
