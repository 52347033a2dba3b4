import numpy as np
import pandas as pd
import pytest

from walkaway.asof import History
from walkaway.book import Book, Manifest
from walkaway.explaining.sentences import say
from walkaway.features import build_features, plan_features
from walkaway.formatting import LocaleFormat

COMMON = ["a"] * 1_000 + ["b"] * 20 + ["c"] * 4
RARE = ["d"] * 3 + ["e"]


def book_of(segments) -> Book:
    rows = {"deal_id": [f"d{i}" for i in range(len(segments))], "created_at": "2026-01-01T00:00Z", "segment": segments}
    return Book.of(Manifest(fixed_at_creation=("segment",)), deals=pd.DataFrame(rows))


@pytest.fixture
def planned():
    plan = plan_features(book_of([*COMMON, *RARE, None]))
    return plan, next(feature for feature in plan.features if feature.column == "attribute[segment]")


def codes_of(plan, segments):
    book = book_of(segments)
    at = pd.DataFrame({"deal_id": book.deals["deal_id"], "as_of": pd.Timestamp("2026-01-02", tz="UTC")})
    return build_features(History(book).at(at), plan)["attribute[segment]"].tolist()


def test_rare_values_share_a_category(planned):
    assert planned[1].categories == ("a", "b", "c", "another value")


def test_a_rare_value_and_one_never_seen_are_pooled_and_a_missing_one_is_not(planned):
    found = codes_of(planned[0], ["a", "b", "d", "new", None])

    np.testing.assert_array_equal(found, [0, 1, 3, 3, np.nan])


def test_a_pooled_value_is_told_as_one(planned):
    assert say(planned[1], 3.0, LocaleFormat()) == "segment: another value"
    assert say(planned[1], float("nan"), LocaleFormat()) == "segment unknown"


def test_a_small_book_pools_what_fewer_than_twenty_deals_have():
    plan = plan_features(book_of(["a"] * 500 + ["b"] * 20 + ["c"] * 19))

    assert next(f.categories for f in plan.features if f.column == "attribute[segment]") == ("a", "b", "another value")


def test_an_attribute_without_two_common_values_is_not_used():
    plan = plan_features(book_of(["a"] * 1_100 + ["b"] * 19))

    assert "attribute[segment]" not in plan.columns
