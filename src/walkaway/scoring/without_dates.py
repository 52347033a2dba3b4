"""Scoring a book without dates: how likely each open deal is to be won, and why; nothing about hours or time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from walkaway.book import Book
from walkaway.config import ScoreSettings
from walkaway.explaining import Reasons, attribute, reasons_table
from walkaway.models import Model, call_undated
from walkaway.scoring.score import caveats_said, with_source

__all__ = ["score_undated", "summary_undated"]


def score_undated(book: Book, model: Model, score_settings: ScoreSettings, locale: str = "en_GB") -> pd.DataFrame:
    """Call every open deal of a book without dates.

    Args:
        book: one whose manifest says timeless.
        model: trained on such a book.
        score_settings: the most reasons per call.
        locale: of the numbers in reasons.

    Returns:
        One row an open deal, highest expected_value first: the columns of `score`, with as_of, bar and what needs hours
        empty.

    Raises:
        UsageError: no deal is open.
        DataError: the book does not fit the model.
    """
    calls, fmt = call_undated(book, model), model.facts.wording(locale)
    table = calls.table.assign(bar_unit=fmt.unit, kept_to_learn=False)
    if score_settings.reasons:
        reasons = reasons_table(Reasons(model, calls.rows, attribute(model, calls.rows), fmt), score_settings.reasons)
        table = pd.concat([table, reasons], axis=1)
    order = np.lexsort((table["deal_id"], -table["expected_value"]))
    return with_source(table, book, model, 1.0).iloc[order].reset_index(drop=True)


def summary_undated(table: pd.DataFrame) -> dict[str, object]:
    """Calls without dates in a few plain numbers."""
    return {
        "calls": len(table),
        "open_deals": len(table),
        "timeless": True,
        "win_probability": float(table["win_probability"].mean()),
        "expected_value": float(table["expected_value"].sum()),
        "verdicts": {str(verdict): int(n) for verdict, n in table["verdict"].value_counts().items()},
        "model_version": str(table["model_version"].iloc[0]),
        "caveats": caveats_said(table),
    }
