from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.books import UNTIL, trained_until_day_210

from walkaway.economics import DROPPED
from walkaway.explaining import Similarity, attribute
from walkaway.models.base_rates import PastDeals
from walkaway.models.model import call_open
from walkaway.report.html.check_first import CLOSE, alike_earned, check_first

pytest_plugins = ("tests.reports",)


@pytest.fixture(scope="module")
def calls(hostile, model, settings):
    return call_open(hostile, model, pd.DatetimeIndex([UNTIL]), settings.score)


def test_each_deal_to_stop_has_the_value_per_hour_of_deals_like_it(calls, model):
    attribution = attribute(model, calls.rows)
    near = Similarity.of(model).to(attribution)
    dropped = calls.table["verdict"].isin(DROPPED)
    alike = pd.Series([one.value_per_hour if one else np.nan for one in near])

    pd.testing.assert_series_equal(
        pd.Series(alike_earned(model, calls.table, attribution)), alike.where(dropped), rtol=1e-9
    )
    assert alike[dropped].notna().any()


def test_a_model_without_settled_deals_finds_no_similar_deals(calls):
    model = replace(trained_until_day_210().model, past_deals=PastDeals())

    assert np.isnan(alike_earned(model, calls.table, attribute(model, calls.rows))).all()


@pytest.mark.parametrize(
    ("verdict", "worth", "alike", "checked"),
    [
        ("walk_away", CLOSE * 100.0, np.nan, True),
        ("nurture", CLOSE * 100.0 - 1.0, 101.0, True),
        ("walk_away", CLOSE * 100.0 - 1.0, 100.0, False),
        ("walk_away", 1.0, np.nan, False),
        ("pursue", 101.0, 101.0, False),
        ("unsure", 99.0, 101.0, False),
    ],
)
def test_close_calls_and_those_whose_like_earned_more_than_the_bar_are_checked_first(verdict, worth, alike, checked):
    call = {"verdict": [verdict], "value_per_hour": worth, "bar": 100.0, "alike_value_per_hour": alike}

    assert check_first(pd.DataFrame(call)).tolist() == [checked]
