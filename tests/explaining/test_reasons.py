from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from tests.books import plain_model, rows_of

from walkaway.asof.history import History
from walkaway.explaining import Attribution, Factor, Reason, Reasons, attribute, base_rate, factors_of, reasons_table
from walkaway.explaining.attribution import TERMS
from walkaway.explaining.sentences import say
from walkaway.features import REGISTRY, FeaturePlan, PlannedFeature
from walkaway.formatting import LocaleFormat
from walkaway.models.enough import LEAST_DEALS_A_RATE
from walkaway.models.model import read_rows

pytest_plugins = ("tests.books",)

NONE = float("nan")
EUROS = LocaleFormat("en_GB", "EUR")
TWO = FeaturePlan(features=(PlannedFeature(feature="age_days"), PlannedFeature(feature="days_since_touch")))


@pytest.fixture(scope="module")
def told(trained, book):
    """Rows of the trained model, their attribution and up to eight reasons of each."""
    rows = read_rows(History(book), trained.calls[["deal_id", "as_of"]], trained.model.plan)
    attribution = attribute(trained.model, rows)
    return rows, attribution, reasons_table(Reasons(trained.model, rows, attribution, EUROS), 8)


def attribution_of(terms, agreed=None, explained=True, groups=((0,), (1,), (2,), (3,), (4,))) -> Attribution:
    """One row's terms of the two features of TWO and of size, margin and floor; each told alone, if not said."""
    terms = np.log(np.array([terms], dtype=float))
    agreed = np.ones((1, len(groups)), dtype=bool) if agreed is None else np.array([agreed])
    return Attribution((*TWO.columns, *TERMS), 100.0, terms, np.array([explained]), groups, agreed)


def rows_of_two():
    rows = rows_of([5000.0], [0.4])
    return type(rows)(rows.snapshots, np.array([[12.0, NONE]], dtype=np.float32), rows.terms)


def reasons(terms, most=5, **others) -> list:
    """[sentence, factor] of each reason told."""
    table = reasons_table(Reasons(plain_model(plan=TWO), rows_of_two(), attribution_of(terms, **others), EUROS), most)
    row = table.iloc[0]
    pairs = [(row[f"reason_{k}"], round(row[f"factor_{k}"], 9)) for k in range(1, most + 1)]
    return [(text, factor) for text, factor in pairs if isinstance(text, str)]


def test_the_strongest_factor_comes_first_whether_it_lifts_or_lowers():
    assert reasons([0.5, 1.5, 3.0, 0.9, 1.0]) == [
        ("deal size of EUR 5,000", 3.0),
        ("open for 12 days", 0.5),
        ("no activity yet", 1.5),
        ("margin rate of 40%", 0.9),
    ]


def test_a_factor_on_which_the_bag_disagrees_is_not_told():
    assert reasons([0.1, 1.5, 1.0, 1.0, 1.0], agreed=[False, True, True, True, True]) == [("no activity yet", 1.5)]


def test_no_more_reasons_are_told_than_asked_for():
    assert reasons([0.5, 1.5, 3.0, 0.9, 1.0], most=2) == [("deal size of EUR 5,000", 3.0), ("open for 12 days", 0.5)]


@pytest.mark.parametrize(("factor", "count"), [(1.019, 0), (1.021, 1), (0.981, 0), (0.979, 1)])
def test_a_factor_within_two_percent_of_one_is_no_reason(factor, count):
    assert len(reasons([factor, 1.0, 1.0, 1.0, 1.0])) == count


def test_the_floor_under_hours_is_arithmetic_and_never_a_reason():
    assert reasons([1.0, 1.0, 1.0, 1.0, 9.0]) == []


def test_deals_sold_at_a_loss_are_told_their_worth_by_one_prediction(trained, book, predictions):
    rows = read_rows(History(book), trained.calls[["deal_id", "as_of"]], trained.model.plan)
    reasons = Reasons(trained.model, rows, attribute(trained.model, rows), EUROS)
    losses = np.flatnonzero(~reasons.attribution.explained)
    predictions.clear()  # SHAP values are predictions of another kind
    told = [reasons.of(row, 3)[0].sentence for row in losses]

    assert len(losses) > 3
    assert all(sentence.startswith("sold at a loss, worth -EUR") for sentence in told)
    assert list(predictions.values()) == [1] * len(trained.model.heads.worth.bag.boosters)


def test_a_deal_sold_at_a_loss_has_one_plain_reason_and_no_factor():
    rows, attribution = rows_of([5000.0], [-0.4]), attribution_of([9.0] * 5, explained=False)
    rows = type(rows)(rows.snapshots, np.zeros((1, 2), np.float32), rows.terms)
    table = reasons_table(Reasons(plain_model(plan=TWO), rows, attribution, EUROS), 3)

    assert table.filter(like="reason").iloc[0].fillna("").tolist() == [
        "sold at a loss, worth -EUR 2,000 even if won: amount of EUR 5,000, margin of -40%",
        "",
        "",
    ]
    assert table.filter(like="factor").isna().all(axis=None)


def test_more_reasons_asked_for_than_there_are_terms_are_left_empty():
    assert len(reasons([0.5, 1.5, 3.0, 0.9, 1.0], most=8)) == 4


def test_columns_alternate_reason_factor_and_base_rate():
    table = reasons_table(Reasons(plain_model(plan=TWO), rows_of_two(), attribution_of([0.5] * 5), EUROS), 2)

    assert table.columns.tolist() == ["reason_1", "factor_1", "base_rate_1", "reason_2", "factor_2", "base_rate_2"]


def test_a_missing_amount_says_what_it_is_taken_as_and_a_missing_margin_that_there_is_none():
    model, rows = plain_model(), rows_of([NONE])
    size, margin, floor = factors_of(model, rows, attribute(model, rows), 0, EUROS)[1:]

    assert size == Factor("price and profit", "deal size", 1.0, "no amount recorded yet, assumed to be EUR 1,000")
    assert margin == Factor("price and profit", "margin rate", 1.0, "no margin recorded, so the whole amount counts")
    assert floor.sentence == "minimum time that any deal takes"


def test_factors_stand_in_the_order_of_the_columns_and_none_is_left_out(told, trained):
    rows, attribution, _ = told
    row = int(np.argmax(attribution.explained))
    found = factors_of(trained.model, rows, attribution, row, EUROS)

    assert [factor.feature for factor in found] == list(attribution.columns)
    assert [factor.factor for factor in found] == np.exp(attribution.terms[row]).tolist()
    told_together = {at: group for group in range(len(attribution.groups)) for at in attribution.groups[group]}
    features = len(trained.model.plan.features)
    assert [f.agreed for f in found[:features]] == [attribution.agreed[row, told_together[i]] for i in range(features)]


def test_a_row_that_is_not_explained_has_no_factors(told, trained):
    rows, attribution, _ = told
    row = int(np.argmin(attribution.explained))

    assert attribution.explained[row] == np.False_
    assert factors_of(trained.model, rows, attribution, row, EUROS) == []


def test_no_sentence_holds_a_name_of_a_feature_a_bracket_or_an_underscore(told, trained):
    rows, attribution, table = told
    sentences = set(table.filter(like="reason").melt()["value"].dropna())
    for row in range(0, len(rows.X), 25):
        sentences |= {factor.sentence for factor in factors_of(trained.model, rows, attribution, row, EUROS)}
    names = [name for name in REGISTRY if "_" in name]

    assert len(sentences) > 100
    assert [s for s in sentences if any(mark in s for mark in "[]{}_")] == []
    assert [s for s in sentences for name in names if name in s] == []
    assert [s for s in sentences if "nan" in s.split() or "None" in s or s != s.strip() or not s] == []


def test_reasons_of_every_row_are_sorted_agreed_and_more_than_two_percent(told):
    _, attribution, table = told
    strength, terms = np.abs(np.log(table.filter(like="factor").to_numpy())), attribution.group_terms()[:, :-1]
    for row in range(len(table)):
        told_here = strength[row][~np.isnan(strength[row])].tolist()
        agreed = terms[row][attribution.agreed[row][:-1]]
        agreed = np.abs(agreed[np.abs(np.expm1(agreed)) >= 0.02])
        expected = sorted(agreed.tolist(), reverse=True)[:8] if attribution.explained[row] else []
        assert told_here == pytest.approx(expected, rel=1e-12)
        assert all(a >= b for a, b in pairwise(told_here))


def test_a_group_has_one_factor_and_names_its_two_strongest_features():
    groups = ((0, 1), (2,), (3,), (4,))

    assert reasons([0.5, 0.7, 1.0, 1.0, 1.0], groups=groups) == [("open for 12 days, no activity yet", 0.35)]


def test_features_of_a_group_with_little_or_opposite_effect_are_not_named():
    groups = ((0, 1), (2,), (3,), (4,))

    assert reasons([0.5, 0.9, 1.0, 1.0, 1.0], groups=groups) == [("open for 12 days", 0.45)]
    assert reasons([0.5, 1.6, 1.0, 1.0, 1.0], groups=groups) == [("open for 12 days", 0.8)]


def test_base_rates_are_those_of_settled_deals_at_the_value_told(told, trained):
    """Every sentence of a number of days or a count comes with how many deals were once in its cell."""
    rows, attribution, table = told
    reasons = Reasons(trained.model, rows, attribution, EUROS)
    rates = trained.model.past_deals.rates
    for row in np.flatnonzero(attribution.explained)[::20]:
        for place, reason in enumerate(reasons.of(int(row), 3), start=1):
            column = trained.model.plan.columns.index(reason.features[0]) if reason.deals else None
            if column is None:
                assert pd.isna(table[f"base_rate_{place}"].iloc[row])
                continue
            stage = rows.terms["stage_name"].iloc[[row]]
            [deals], [won], _ = rates.of(reason.features[0], rows.X[[row], column], stage)
            assert (reason.deals, reason.won) == (deals, won)
            assert deals >= LEAST_DEALS_A_RATE
            assert table[f"base_rate_{place}"].iloc[row].startswith(f"{won} of {deals} such deals were won")


def test_a_price_is_told_with_what_an_hour_on_such_deals_earned():
    price = Reason("price and profit", ("amount",), 0.5, "amount of EUR 900", 212, 9, 31.4)

    assert base_rate(price, EUROS) == "9 of 212 such deals were won; they earned EUR 31 an hour"


def test_a_factor_is_written_as_its_sentence_and_a_times_sign():
    assert str(Factor("timing", "age_days", 0.4849, "open for 41 days")) == "open for 41 days: ×0.48"


@pytest.mark.parametrize(
    ("planned", "value", "text"),
    [
        (PlannedFeature(feature="days_since_touch"), NONE, "no activity yet"),
        (PlannedFeature(feature="days_since_stage", word="offer"), NONE, "has not reached offer"),
        (PlannedFeature(feature="stage", categories=("new", "offer")), 1.0, "at stage offer"),
        (PlannedFeature(feature="stage", categories=("new", "offer")), NONE, "no stage recorded yet"),
        (PlannedFeature(feature="step_count", word="call / done"), 2.0, "phone call: twice so far"),
        (PlannedFeature(feature="step_count", word="call / done"), 0.0, "phone call: not yet"),
        (PlannedFeature(feature="touches_by", word="inbound"), 0.0, "no activity from the buyer yet"),
        (PlannedFeature(feature="waiting", word="call"), 1.0, "phone call is planned"),
        (PlannedFeature(feature="waiting", word="call"), 0.0, "no phone call is planned"),
        (PlannedFeature(feature="last_step", categories=("call / planned",)), 0.0, "last step: phone call, planned"),
        (PlannedFeature(feature="stage", categories=("call",)), 0.0, "at stage call"),
        (PlannedFeature(feature="touches_in", word="30"), 4.0, "activities in the last 30 days: 4"),
    ],
)
def test_a_feature_says_its_sentence_or_what_is_absent(planned, value, text):
    assert say(planned, value, EUROS) == text
