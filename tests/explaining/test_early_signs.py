import pandas as pd
import pytest
from tests.books import plain_model

from walkaway.book.schema import Book, Manifest
from walkaway.explaining.early_signs import _ours, early_signs
from walkaway.features import plan_features
from walkaway.formatting import LocaleFormat
from walkaway.models.model import Model

EUROS = LocaleFormat("en_GB", "EUR")
START = pd.Timestamp("2026-01-01T00:00Z")


def book_of(deals: int = 200) -> Book:
    """Half of the deals are of media, and one in ten of those is won; of the others nine in ten. Each takes two hours
    on day 10, and a call comes on day 20, after the first week.
    """
    ids = [f"d{n:03}" for n in range(deals)]
    media = [n % 2 == 0 for n in range(deals)]
    won = [(n // 2) % 10 == 0 if m else (n // 2) % 10 != 0 for n, m in enumerate(media)]
    rows = {"deal_id": ids, "created_at": START, "closed_at": START + pd.Timedelta(days=30)}
    rows |= {"industry": ["media" if m else "pharma" for m in media], "outcome": ["won" if w else "lost" for w in won]}
    acts = {"activity_id": ids, "deal_id": ids, "kind": "meeting", "direction": "outbound", "hours": 2.0}
    at = START + pd.Timedelta(days=10)
    return Book.of(
        Manifest(fixed_at_creation=("industry",)),
        deals=pd.DataFrame(rows),
        activities=pd.DataFrame(acts | {"occurred_at": at, "recorded_at": at}),
    )


def model_of(book: Book) -> Model:
    return plain_model(plan=plan_features(book))


UNTIL = START + pd.Timedelta(days=40)


def test_the_hopeless_sign_comes_first_with_what_it_cost_and_then_the_fruitful_one():
    book = book_of()
    hopeless, fruitful = early_signs(book, model_of(book), UNTIL, EUROS)

    assert (hopeless.sentence, hopeless.won, hopeless.deals, hopeless.hours_lost) == ("industry: media", 10, 100, 180.0)
    assert (fruitful.sentence, fruitful.won, fruitful.deals) == ("industry: pharma", 90, 100)
    assert (hopeless.rate, hopeless.all) == (0.1, 0.5)


def test_what_came_after_the_first_week_is_no_sign():
    """The meeting of day 10 is not known on day 7, so nothing of it is told."""
    book = book_of()

    assert {sign.theme for sign in early_signs(book, model_of(book), UNTIL, EUROS)} == {"fit"}


@pytest.mark.parametrize(("deals", "until"), [(20, UNTIL), (200, START + pd.Timedelta(days=20))])
def test_too_few_settled_deals_tell_nothing(deals, until):
    book = book_of(deals)

    assert early_signs(book, model_of(book), until, EUROS) == []


def test_what_is_within_chance_is_no_sign():
    book = book_of()
    alike = book.with_tables(deals=book.deals.assign(outcome=["won", "lost", "lost", "won"] * 50))

    assert early_signs(alike, model_of(alike), UNTIL, EUROS) == []


def test_a_sign_says_whether_it_is_our_own_doing():
    """Calls go out, and emails come in: what tells of calls is our doing, what tells of emails is the buyer's."""
    book = book_of()
    both = [
        book.activities.assign(activity_id=book.activities["activity_id"] + kind, kind=kind, direction=direction)
        for kind, direction in (("call", "outbound"), ("email", "inbound"))
    ]
    plan = plan_features(Book.of(book.manifest, deals=book.deals, activities=pd.concat(both)))
    ours = {planned.column: _ours(planned, {"email"}) for planned in plan.features if planned.word}

    assert {"touches_by[inbound]", "touches_by[outbound]"} <= set(ours)
    for column, told in ours.items():
        assert told == ("call" in column or "outbound" in column), column
