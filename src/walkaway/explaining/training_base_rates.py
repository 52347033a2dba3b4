"""Adds the base rates of settled deals to a trained model, so that reasons can show them (`models.base_rates`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from walkaway.book import Book
from walkaway.explaining.attribution import attribute
from walkaway.heads import TrainingRows
from walkaway.models import Model, PastDeals, Rows, Settled, groups_alike, learn_base_rates, learn_buyer_events

__all__ = ["with_base_rates"]

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
    stage, ends = rows.terms["stage_name"][settled], rows.labels.loc[settled, ENDS]
    rates = learn_base_rates(rows.X[settled], model.plan, stage, rows.deal[settled], ends)
    margin = model.heads.worth.margin(rows.terms["margin"].to_numpy())
    typical = float(np.median(margin[margin > 0])) if (margin > 0).any() else 1.0
    past_deals = PastDeals(rates, groups_alike(rows.X, model.plan), learn_buyer_events(book), typical)
    model = replace(model, past_deals=past_deals)
    part = Rows(snapshots[settled], rows.X[settled], rows.terms[settled])
    return replace(model, past_deals=replace(past_deals, settled=_settled(model, part, rows.labels[settled], most)))


def _settled(model: Model, rows: Rows, labels: pd.DataFrame, most: int) -> Settled | None:
    """A random sample of settled snapshots with their attribution. The seed is fixed, so training is reproducible."""
    kept = np.sort(np.random.default_rng(0).permutation(len(rows.X))[:most])
    if not len(kept):
        return None
    part = Rows(rows.snapshots.iloc[kept].reset_index(drop=True), rows.X[kept], rows.terms.iloc[kept])
    attribution = attribute(model, part)
    ends = part.snapshots.join(labels[ENDS].iloc[kept].reset_index(drop=True))
    explained = attribution.explained
    return Settled(ends[explained].reset_index(drop=True), attribution.terms[explained].astype(np.float32))
