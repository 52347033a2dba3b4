import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from tests.books import START, day, plain_model

from walkaway.asof.history import History
from walkaway.asof.snapshots import open_snapshots
from walkaway.book.effort import effort_seconds
from walkaway.book.schema import Book
from walkaway.replaying.ledger import FROZEN, SETTLED, first_drops, frozen_calls, settle

pytest_plugins = ("tests.books",)

AT = pd.DatetimeIndex([day(n) for n in range(140, 210, 7)])


@pytest.fixture(scope="module")
def frozen(book):
    snapshots = open_snapshots(book, AT)
    return frozen_calls(History(book), plain_model(version="v1"), snapshots, bar=100.0)


@pytest.fixture(scope="module")
def ledger(frozen, book):
    return settle(frozen, book)


def test_a_ledger_holds_what_was_said_then_what_came(ledger):
    assert ledger.columns.tolist() == [*FROZEN, *SETTLED]
    assert ledger["model_version"].unique().tolist() == ["v1"]
    assert ledger["bar"].unique().tolist() == [100.0]


def test_nothing_recorded_later_changes_a_frozen_call(frozen, book):
    """What a book knew at the last moment is enough to say the same."""
    from walkaway.asof.history import known

    then = known(book, AT[-1])

    again = frozen_calls(History(then), plain_model(version="v1"), open_snapshots(then, AT), bar=100.0)
    assert_frame_equal(again, frozen, check_exact=True)


def test_totals_of_the_ledger_are_those_of_the_book(ledger, book):
    """Hours booked after each deal's first call, by work begun before its close, and money of the deals won."""
    first = ledger.drop_duplicates("deal_id").set_index("deal_id")
    work = book.activities.assign(seconds=effort_seconds(book.activities, book.manifest.assumed_hours))
    work = work.merge(book.deals[["deal_id", "closed_at"]], on="deal_id")
    work = work[~(work["occurred_at"] > work["closed_at"])]
    later = work[work["recorded_at"] > work["deal_id"].map(first["as_of"])]
    won = book.deals[(book.deals["outcome"] == "won") & book.deals["deal_id"].isin(first.index)]

    assert first["realised_remaining_hours"].sum() == pytest.approx(later["seconds"].sum() / 3600, abs=1e-9)
    assert first["realised_value"].sum() == pytest.approx((won["amount"] * won["margin"].fillna(1.0)).sum())
    assert (first["outcome"] == "won").sum() == len(won)


def test_a_deal_is_dropped_once():
    calls = pd.DataFrame(
        {"deal_id": list("aaabb"), "verdict": ["unsure", "nurture", "walk_away", "pursue", "walk_away"]}
    )

    assert first_drops(calls).tolist() == [False, True, False, False, True]


def test_what_other_rankings_know_was_known_at_the_call():
    """Nothing but a stage after three days: the last event is that, before it there is only the deal's age."""
    deals = pd.DataFrame({"deal_id": ["d"], "created_at": [START]})
    change = {"deal_id": "d", "recorded_at": day(3), "field": "stage", "new_value": "offer"}
    book = Book.of(deals=deals, changes=pd.DataFrame([change]))
    snapshots = pd.DataFrame({"deal_id": "d", "as_of": pd.Series([day(2), day(5)])})
    said = frozen_calls(History(book), plain_model(), snapshots, bar=0.0)

    assert said["days_since_event"].tolist() == [2.0, 2.0]
    assert said["age_days"].tolist() == [2.0, 5.0]
    assert said["stage"].tolist()[1] == "offer"
    assert pd.isna(said["stage"].iloc[0])
    assert np.isnan(said["amount"]).all()
