import numpy as np
import pandas as pd
import pytest
from tests.books import START, plain_model, rows_of

from walkaway.asof.history import History
from walkaway.economics import value_per_hour
from walkaway.features import FeaturePlan, PlannedFeature, build_features
from walkaway.formatting import LocaleFormat
from walkaway.heads import WinHead
from walkaway.models.model import Rows, make_calls, read_rows
from walkaway.models.nurture import Wait, WaitTable

pytest_plugins = ("tests.books",)

CHANGES = """deal_id | field | recorded_at | new_value
    d1 | amount | 2026-01-03 | 900
    d1 | margin | 2026-01-03 | 0.5
    d1 | amount | 2026-01-07 | 100
    d1 | stage | 2026-01-02 | lead
    d1 | stage | 2026-01-04 | offer"""


def test_a_call_is_the_arithmetic_of_the_three_heads():
    calls = make_calls(plain_model(), rows_of([1000.0], [0.2]), bar=30.0)

    # half of 1000 x 0.2, over two hours and the floor of half an hour
    [call] = calls.table.to_dict("records")
    assert {name: None if pd.isna(x) else round(x, 9) if isinstance(x, float) else x for name, x in call.items()} == (
        {
            "deal_id": "d0",
            "as_of": START,
            "win_probability": 0.5,
            "value_if_won": 200.0,
            "amount_imputed": False,
            "remaining_hours": 2.0,
            "expected_value": 100.0,
            "value_per_hour": 40.0,
            "no_decision_if_lost": None,
            "bar": 30.0,
            "verdict": "pursue",
            "wait_for": None,
            "wait_sign": None,
            "wait_until": None,
        }
    )


def test_what_a_deal_waits_for_is_written_by_locale():
    waiting = WaitTable((Wait("", 10.0, "call", 1000, 400, 200, 300, 25.5), Wait("", 30.0)))
    rows = rows_of([1000.0, 1000.0])
    terms = rows.terms.assign(silent_days=[12.0, 40.0])
    calls = make_calls(plain_model(wait_table=waiting), Rows(rows.snapshots, rows.X, terms), 280.0)
    nurtured, dropped = calls.wait_sentences(LocaleFormat("de_DE"))

    assert nurtured.startswith("phone call from the buyer: of 1.000 deals that were silent as long")
    assert pd.isna(dropped)
    assert calls.table["wait_for"].iloc[0].startswith("phone call from the buyer: of 1,000 deals")


WAITING = WaitTable((Wait("", 0.0), Wait("", 10.0, "call", 100, 40, 20, 30, 25.5), Wait("", 30.0)))


def calls_after(*silent_days: float, bar: float, **model: object) -> pd.DataFrame:
    """Calls of deals worth 200 an hour whose buyers have been silent for so long."""
    rows = rows_of([1000.0] * len(silent_days))
    terms = rows.terms.assign(silent_days=silent_days)
    return make_calls(plain_model(wait_table=WAITING, **model), Rows(rows.snapshots, rows.X, terms), bar).table


def test_below_the_bar_a_deal_that_a_sign_would_lift_over_it_is_nurtured():
    # odds of 51/11 between with the sign (of 40%) and without: 0.5 is 0.718 and 0.355, and 200 an hour 287
    assert calls_after(12.0, bar=280.0)["verdict"].tolist() == ["nurture"]
    assert calls_after(12.0, bar=290.0)["verdict"].tolist() == ["walk_away"]
    assert calls_after(12.0, bar=190.0)["verdict"].tolist() == ["pursue"]


def test_a_nurtured_deal_says_what_to_wait_for_and_until_when():
    [nurtured, dropped, too_soon, unknown] = calls_after(12.0, 26.0, 3.0, np.nan, bar=270.0).to_dict("records")

    assert nurtured["wait_for"] == (
        "phone call from the buyer: of 100 deals that were silent as long and that nobody worked on, it came in 40; "
        "20 of these were won, and 10 of the others"
    )
    assert nurtured["wait_sign"] == "call"
    assert nurtured["wait_until"] == START + pd.Timedelta(days=14)  # 13.5 days are left, to the end of the day
    for call in (dropped, too_soon, unknown):
        assert (call["verdict"], call["wait_until"]) == ("walk_away", pd.NaT)
        assert pd.isna(call["wait_for"]) and pd.isna(call["wait_sign"])


def test_without_signal_nothing_is_nurtured():
    assert calls_after(12.0, bar=270.0, signal=False)["verdict"].tolist() == ["unsure"]


@pytest.mark.parametrize(("bar", "verdict"), [(199.0, "pursue"), (200.5, "walk_away")])
def test_the_bar_decides_between_pursue_and_walk_away(bar, verdict):
    assert make_calls(plain_model(), rows_of([1000.0]), bar).table["verdict"].tolist() == [verdict]


def test_a_deal_sold_at_a_loss_is_walked_away_from_even_with_a_bar_of_zero_and_without_signal():
    rows = rows_of([1000.0, 0.0, 1000.0], [-0.1, 0.5, 0.5])

    assert make_calls(plain_model(), rows, 0.0).table["verdict"].tolist() == ["walk_away", "walk_away", "pursue"]
    assert make_calls(plain_model(signal=False), rows, 0.0).table["verdict"].tolist() == [
        "walk_away",
        "walk_away",
        "unsure",
    ]


def test_without_signal_every_gainful_deal_is_unsure():
    calls = make_calls(plain_model(signal=False), rows_of([1.0, 1e9]), bar=100.0)

    assert calls.table["verdict"].tolist() == ["unsure", "unsure"]


def test_a_bag_that_disagrees_about_the_bar_is_unsure(trained):
    rows = rows_of([1000.0] * 30)
    X = np.random.default_rng(0).normal(size=(30, len(trained.model.plan.columns))).astype(np.float32) * 10
    each = trained.model.heads.estimate_by_member(X, rows.terms)
    index = value_per_hour(each.win_probability * each.value_if_won, each.remaining_hours, 0.1)
    bar = float(index[:, 0].mean())  # between what the two members say of the first row
    table = make_calls(trained.model, Rows(rows.snapshots, X, rows.terms), bar).table

    below = (index < bar).mean(axis=0)
    assert table["verdict"].tolist() == [{0.0: "pursue", 0.5: "unsure", 1.0: "walk_away"}[share] for share in below]
    assert table["verdict"].iloc[0] == "unsure"


def test_each_booster_predicts_once_for_calls_and_what_they_say_is_what_the_heads_say(trained, predictions):
    heads, rows = trained.model.heads, rows_of([1000.0] * 30)
    X = np.random.default_rng(0).normal(size=(30, len(trained.model.plan.columns))).astype(np.float32)
    calls = make_calls(trained.model, Rows(rows.snapshots, X, rows.terms), 0.0)
    counts = predictions.copy()

    bags = (heads.win.bag, heads.worth.bag, heads.hours.bag, heads.no_decision and heads.no_decision.bag)
    assert counts == {(booster, X.tobytes()): 1 for bag in bags if bag for booster in bag.boosters}
    assert calls.table["win_probability"].tolist() == heads.win.probability(X).tolist()
    assert calls.table["value_if_won"].tolist() == heads.worth.value(X, rows.terms).tolist()
    assert calls.table["remaining_hours"].tolist() == heads.hours.hours(X).tolist()
    assert calls.log_odds.tolist() == heads.win.raw_by_member(X).mean(axis=0).tolist()


def test_calls_stand_in_the_order_of_the_snapshots_and_carry_their_rows():
    rows = rows_of([10.0, 30.0, 20.0])
    calls = make_calls(plain_model(), rows, 0.0)

    assert calls.table["value_if_won"].round(9).tolist() == [10.0, 30.0, 20.0]
    assert calls.rows is rows


def test_a_call_says_whether_the_typical_amount_stands_in_for_a_missing_one():
    table = make_calls(plain_model(), rows_of([5.0, float("nan"), 0.0]), 0.0).table

    assert table["amount_imputed"].tolist() == [False, True, False]
    assert table["value_if_won"].round(9).tolist() == [5.0, 1000.0, 0.0]


def test_making_calls_leaves_the_snapshots_alone():
    rows = rows_of([10.0])
    make_calls(plain_model(win=WinHead(0.1)), rows, 0.0)

    assert rows.snapshots.columns.tolist() == ["deal_id", "as_of"]


def test_rows_hold_the_terms_known_at_each_snapshot(make_book, snapshots):
    book = make_book(deals="deal_id | created_at | margin\nd1 | 2026-01-01 | 0.9", changes=CHANGES)
    asked = snapshots("d1 2026-01-02", "d1 2026-01-03", "d1 2026-01-08")
    rows = read_rows(History(book), asked, FeaturePlan(features=(PlannedFeature(feature="age_days"),)))

    assert rows.terms["stage_name"].tolist() == ["lead", "lead", "offer"]
    assert rows.terms.drop(columns="stage_name").fillna(-1.0).to_dict("list") == {
        "amount": [-1.0, 900.0, 100.0],
        "margin": [-1.0, 0.5, 0.5],
        "silent_days": [1.0, 2.0, 7.0],
        "assumed_hours": [1.0, 1.0, 1.0],
    }
    assert rows.X.tolist() == [[1.0], [2.0], [7.0]]


def test_rows_are_the_feature_frame_to_the_bit(trained, book):
    history, asked = History(book), trained.calls[["deal_id", "as_of"]].iloc[::17]
    rows = read_rows(history, asked, trained.model.plan)

    assert rows.X.tobytes() == build_features(history.at(asked), trained.model.plan).to_numpy().tobytes()
    assert rows.snapshots is asked


def test_calls_of_a_chunk_equal_calls_of_the_whole_to_the_bit(trained, book):
    asked = trained.calls[["deal_id", "as_of"]].reset_index(drop=True)
    whole = make_calls(trained.model, read_rows(History(book), asked, trained.model.plan), 50.0).table
    part = asked.iloc[100:140].reset_index(drop=True)
    alone = make_calls(trained.model, read_rows(History(book), part, trained.model.plan), 50.0).table

    pd.testing.assert_frame_equal(alone, whole.iloc[100:140].reset_index(drop=True), check_exact=True)
