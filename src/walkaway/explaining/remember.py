"""What a model keeps of settled deals, so that reasons show base rates (`walkaway.models.base_rates`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from walkaway.book import Book
from walkaway.explaining.attribution import attribute
from walkaway.heads import TrainingRows
from walkaway.models import Model, PastDeals, Rows, Settled, groups_alike, learn_base_rates, learn_buyer_events

__all__ = ["remember"]

ENDS = ["won", "remaining_hours", "worth"]


def remember(model: Model, book: Book, snapshots: pd.DataFrame, rows: TrainingRows, most: int) -> Model:
    """The model with what its training knew of settled deals.

    Args:
        model: fitted.
        book: as known then, without what the leak audit left out.
        snapshots: of training: deal_id, as_of.
        rows: the same snapshots, as the heads were fitted on them.
        most: how many settled snapshots are remembered, for deals like another to be looked for among them.
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
    """A few settled snapshots as the model sees them; the same ones whenever the same model is trained."""
    kept = np.sort(np.random.default_rng(0).permutation(len(rows.X))[:most])
    if not len(kept):
        return None
    part = Rows(rows.snapshots.iloc[kept].reset_index(drop=True), rows.X[kept], rows.terms.iloc[kept])
    attribution = attribute(model, part)
    ends = part.snapshots.join(labels[ENDS].iloc[kept].reset_index(drop=True))
    there = attribution.explained
    return Settled(ends[there].reset_index(drop=True), attribution.terms[there].astype(np.float32))
