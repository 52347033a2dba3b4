"""The stories of deals given by their ids, at a moment."""

from __future__ import annotations

import pandas as pd

from walkaway.asof import History, known
from walkaway.book import Book, deal_places
from walkaway.config import ScoreSettings
from walkaway.errors import UsageError
from walkaway.explaining.story import DealStory, deal_stories
from walkaway.models import Model, bar_of, call_undated, check_askable, check_fits, make_calls, read_rows

__all__ = ["explain"]

DEFAULT = ScoreSettings()


def explain(
    book: Book,
    model: Model,
    deal_ids: list[str],
    as_of: pd.Timestamp | None,
    score_settings: ScoreSettings = DEFAULT,
    locale: str = "en_GB",
) -> list[DealStory]:
    """The stories of these deals at a moment.

    Args:
        book: any book.
        model: usually the champion.
        deal_ids: ids of deals open at that moment.
        as_of: UTC moment; None for a book without dates.
        score_settings: the settings that determine the bar.
        locale: locale of the reader.

    Raises:
        UsageError: a deal is unknown (similar ids are suggested), not created yet, or already closed; the moment is
            before the first deal or far ahead; the locale is unknown; or the settings do not fit (`bar_of`).
        DataError: the book does not fit the model.
    """
    if as_of is None:
        check_fits(book, model)
        _check_not_closed(book.deals, deal_ids)
        return deal_stories(model, call_undated(book, model, deal_ids), 1.0, book, locale)
    check_askable(book, model, pd.DatetimeIndex([as_of]))
    _check_open(book.deals, deal_ids, as_of)
    snapshots = pd.DataFrame({"deal_id": deal_ids, "as_of": pd.Series([as_of] * len(deal_ids)).dt.as_unit("us")})
    calls = make_calls(model, read_rows(History(book), snapshots, model.plan), bar_of(model, score_settings))
    return deal_stories(model, calls, known(book, as_of).assumed_hours_share, book, locale)


def _check_open(deals: pd.DataFrame, deal_ids: list[str], as_of: pd.Timestamp) -> None:
    """Raise for the first deal that is unknown or not open at the moment."""
    asked = deals.iloc[deal_places(pd.Index(deals["deal_id"]), pd.Series(deal_ids, dtype="str"))].set_index("deal_id")
    for deal_id, row in asked[~(asked["created_at"] <= as_of) | (asked["closed_at"] <= as_of)].iterrows():
        if not row["created_at"] <= as_of:
            created = f"deal {deal_id} was created on {row['created_at']:%Y-%m-%d}"
            raise UsageError(f"{created}, after {as_of:%Y-%m-%d}. Use a later --as-of.")
        closed = f"deal {deal_id} was closed ({row['outcome']}) on {row['closed_at']:%Y-%m-%d}"
        raise UsageError(f"{closed}, so there is nothing to explain. Use an earlier --as-of.")


def _check_not_closed(deals: pd.DataFrame, deal_ids: list[str]) -> None:
    """Raise for the first deal that is unknown or has an outcome."""
    asked = deals.iloc[deal_places(pd.Index(deals["deal_id"]), pd.Series(deal_ids, dtype="str"))]
    for deal in asked[asked["outcome"].notna()].to_dict("records"):
        raise UsageError(f"deal {deal['deal_id']} is closed ({deal['outcome']}), so there is nothing to explain.")
