"""Adds what is kept of past deals to a trained model, so that reasons can show it (`models.base_rates`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.book import Book
from walkaway.explaining.attribution import attribute
from walkaway.heads import TrainingRows
from walkaway.models import Model, PastDeals, Rows, Settled, groups_alike, learn_base_rates, learn_buyer_events

__all__ = ["with_base_rates", "with_past_deals"]

ENDS = ["won", "remaining_hours", "worth"]


def with_base_rates(model: Model, book: Book, snapshots: pd.DataFrame, rows: TrainingRows, most: int) -> Model:
    """The model with the base rates, buyer events and sample of settled deals known at training.

    Args:
        model: a fitted model.
        book: the book as known at training, without the fields that the leak audit removed.
        snapshots: the snapshots of training: deal_id, as_of.
        rows: the same snapshots, as the heads were fitted on them.
        most: how many settled snapshots to keep for the search for similar deals.
    """
    settled = rows.labels["settled"].to_numpy(dtype=bool)
    every = Rows(snapshots, rows.X, rows.terms)
    model = replace(model, past_deals=PastDeals(buyer_events=learn_buyer_events(book)))
    ends = rows.labels.loc[settled, ENDS]
    return with_past_deals(model, every, rows.deal[settled], ends, most, settled)


def with_past_deals(
    model: Model,
    rows: Rows,
    deal: npt.NDArray[np.int64],
    ends: pd.DataFrame,
    most: int,
    settled: npt.NDArray[np.bool_] | None = None,
) -> Model:
    """The model with base rates, groups of features that are alike, and a sample of settled deals.

    Args:
        model: a fitted model.
        rows: of its training deals.
        deal: code of the deal of each settled row.
        ends: how the deal of each settled row ended: the columns ENDS.
        most: how many settled rows to keep for the search for similar deals.
        settled: which rows are settled; all by default.
    """
    settled = np.ones(len(rows.X), dtype=bool) if settled is None else settled
    part = Rows(rows.snapshots[settled], rows.X[settled], rows.terms[settled])
    rates = learn_base_rates(part.X, model.plan, part.terms["stage_name"], deal, ends)
    margin = model.heads.worth.margin(rows.terms["margin"].to_numpy())
    typical = float(np.median(margin[margin > 0])) if (margin > 0).any() else 1.0
    alike = groups_alike(rows.X, model.plan)
    past_deals = replace(model.past_deals, rates=rates, groups=alike, typical_margin=typical)
    model = replace(model, past_deals=past_deals)
    return replace(model, past_deals=replace(past_deals, settled=_settled(model, part, ends, most)))


def _settled(model: Model, rows: Rows, ends: pd.DataFrame, most: int) -> Settled | None:
    """A random sample of settled rows with their attribution. The seed is fixed, so training is reproducible."""
    kept = np.sort(np.random.default_rng(0).permutation(len(rows.X))[:most])
    if not len(kept):
        return None
    part = Rows(rows.snapshots.iloc[kept].reset_index(drop=True), rows.X[kept], rows.terms.iloc[kept])
    attribution = attribute(model, part)
    table = part.snapshots.join(ends.iloc[kept].reset_index(drop=True))
    explained = attribution.explained
    return Settled(table[explained].reset_index(drop=True), attribution.terms[explained].astype(np.float32))
