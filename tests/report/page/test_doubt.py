import numpy as np
import pandas as pd
import pytest
from tests.books import UNTIL, trained_until_day_210

from walkaway.calls import call_open
from walkaway.economics import DROPPED
from walkaway.explain import Similarity, attribute
from walkaway.report.page.doubt import CLOSE, check_first

pytest_plugins = ("tests.reports",)


@pytest.fixture(scope="module")
def calls(hostile, model, settings):
    return call_open(hostile, model, pd.DatetimeIndex([UNTIL]), settings.score)


def test_close_calls_and_those_whose_like_earned_more_than_the_bar_are_checked_first(calls, model):
    attribution, table = attribute(model, calls.rows), calls.table
    checked = check_first(model, calls, attribution)
    alike = [near.value_per_hour if near else np.nan for near in Similarity.of(model).to(attribution)]
    doubtful = (table["value_per_hour"] >= CLOSE * table["bar"]) | (pd.Series(alike) > table["bar"])

    assert checked.tolist() == (doubtful & table["verdict"].isin(DROPPED)).tolist()
    assert 0 < checked.sum() < table["verdict"].isin(DROPPED).sum()


def test_a_model_that_remembers_no_deals_has_close_calls_checked(calls):
    from dataclasses import replace

    model = replace(trained_until_day_210().model, background=None)
    checked = check_first(model, calls, attribute(model, calls.rows))
    close = calls.table["value_per_hour"] >= CLOSE * calls.table["bar"]

    assert checked.tolist() == (close & calls.table["verdict"].isin(DROPPED)).tolist()
