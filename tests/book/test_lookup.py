import pandas as pd
import pytest

from walkaway.book import deal_places
from walkaway.errors import UsageError

KNOWN = pd.Index(["d1", "d2", "d10"])


def test_deals_are_found_in_the_order_they_are_asked_for():
    assert deal_places(KNOWN, pd.Series(["d10", "d1", "d10"], index=[7, 8, 9])).tolist() == [2, 0, 2]
    assert deal_places(KNOWN, pd.Series([], dtype="str")).tolist() == []


def test_the_first_unknown_deal_is_named_with_the_ids_near_to_it():
    with pytest.raises(UsageError, match=r"^deal d11 is not in the book\. Did you mean d1, d10\?$"):
        deal_places(KNOWN, pd.Series(["d2", "d11", "x"]))


def test_a_deal_near_to_none_names_none():
    with pytest.raises(UsageError, match=r"^deal 4711 is not in the book\.$"):
        deal_places(KNOWN, pd.Series(["4711"]))


def test_an_id_that_is_missing_is_refused():
    with pytest.raises(UsageError, match=r"^deal_id is required, found an empty one\. Fill it in\.$"):
        deal_places(KNOWN, pd.Series(["d1", None]))
