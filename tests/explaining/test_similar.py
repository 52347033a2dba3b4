from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.books import START, plain_model

from walkaway.asof.history import History
from walkaway.explaining import Similarity, attribute
from walkaway.explaining.attribution import Attribution
from walkaway.models.base_rates import BaseRates, PastDeals, Settled
from walkaway.models.model import read_rows

pytest_plugins = ("tests.books",)


def settled_of(places: list[float], deal_id: list[str] | None = None, won: list[float] | None = None) -> Settled:
    """Settled snapshots in a row, at these places; hours are the place, a win is worth a hundred times as much."""
    n = len(places)
    won = won or [1.0] * n
    ends = pd.DataFrame({"deal_id": deal_id or [f"s{i}" for i in range(n)], "as_of": START, "won": won})
    ends = ends.assign(remaining_hours=places, worth=np.array(won) * np.array(places) * 100)
    return Settled(ends, np.array(places, dtype=np.float32)[:, None])


def attribution_at(places: list[float], explained: list[bool] | None = None) -> Attribution:
    terms = np.array(places)[:, None]
    told = np.array(explained or [True] * len(places))
    return Attribution(("x",), 1.0, terms, told, ((0,),), np.ones_like(terms, dtype=bool))


def test_the_nearest_deals_are_shown_with_their_outcomes(monkeypatch):
    monkeypatch.setattr("walkaway.explaining.similar.NEAREST", 3)
    settled = settled_of([1.0, 2.0, 3.0, 50.0, 60.0, 70.0], won=[1, 0, 1, 1, 1, 1])
    [told] = Similarity(settled, 0.5).to(attribution_at([1.9]))

    assert (told.deals, told.won, told.median_hours) == (3, 2, 2.0)
    assert told.value_per_hour == (100 + 300) / (6 + 3 * 0.5)  # the floor counts for each, as in every value per hour
    assert [(one.deal_id, one.won, one.worth) for one in told.examples] == [
        ("s1", False, 0.0),
        ("s0", True, 100.0),
        ("s2", True, 300.0),
    ]
    assert told.hours_won == (1.0, 3.0)


def test_a_deal_that_was_looked_at_often_counts_once_where_it_was_nearest(monkeypatch):
    monkeypatch.setattr("walkaway.explaining.similar.NEAREST", 2)
    settled = settled_of([1.0, 1.1, 1.2, 5.0], deal_id=["a", "a", "a", "b"])
    [told] = Similarity(settled, 0.0).to(attribution_at([1.12]))

    assert (told.deals, [one.remaining_hours for one in told.examples]) == (2, [1.1, 5.0])


def test_won_within_counts_won_deals_that_took_no_more_hours():
    [told] = Similarity(settled_of([1.0, 2.0, 3.0], won=[1, 0, 1]), 0.0).to(attribution_at([2.0]))

    assert [told.won_within(hours) for hours in (0.5, 1.0, 2.5, 3.0)] == [0, 1, 1, 2]


def test_a_deal_sold_at_a_loss_is_like_no_other():
    first, second = Similarity(settled_of([1.0, 2.0]), 0.0).to(attribution_at([1.0, 1.0], [False, True]))

    assert (first, second.deals) == (None, 2)


def test_a_model_that_remembers_nothing_knows_no_similar_deals():
    model = plain_model()
    empty = PastDeals(BaseRates(), (("age_days",),))

    assert Similarity.of(model) is None
    assert Similarity.of(replace(model, past_deals=empty)) is None


def test_the_deals_most_like_a_settled_one_are_itself_first(trained, book):
    """What is remembered is what the model said of those very snapshots."""
    settled = trained.model.past_deals.settled
    alone = ~pd.DataFrame(settled.terms).duplicated(keep=False).to_numpy()  # some young deals look all the same
    snapshots = settled.ends.loc[alone, ["deal_id", "as_of"]].iloc[[0, 40, 80]].reset_index(drop=True)
    rows = read_rows(History(book), snapshots, trained.model.plan)
    told = Similarity.of(trained.model).to(attribute(trained.model, rows))

    assert [one.examples[0].deal_id for one in told] == snapshots["deal_id"].tolist()
    assert min(one.deals for one in told) >= 40  # of fifty asked for; deals have several rows


@pytest.mark.parametrize("most", [0, 30])
def test_as_many_snapshots_are_remembered_as_the_settings_ask_for(book, most):
    from tests.books import TINY, UNTIL

    from walkaway.training.train import train

    settled = train(book, UNTIL, TINY.model_copy(update={"remembered_snapshots": most})).model.past_deals.settled

    assert settled is None if most == 0 else 20 < len(settled.ends) <= 30
