import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.books import CURVE, START, UNTIL, book_with_signal, day, plain_model

from walkaway.asof.history import History, known
from walkaway.asof.snapshots import open_snapshots
from walkaway.config import ScoreSettings
from walkaway.economics import Curve
from walkaway.errors import UsageError
from walkaway.explaining import Reasons, attribute, explain, reasons_table
from walkaway.files import write_json
from walkaway.formatting import LocaleFormat
from walkaway.models import Wait
from walkaway.models.model import make_calls, read_rows
from walkaway.scoring.score import score, with_replay_curve

pytest_plugins = ("tests.books",)

TENTH = ScoreSettings(forgo=0.1, reasons=0)

DEALS = """deal_id | created_at | closed_at | outcome | amount
    big | 2026-01-01 | - | - | 900
    twin b | 2026-01-02 | - | - | 500
    twin a | 2026-01-02 | - | - | 500
    gone | 2026-01-01 | 2026-01-04 | lost | 700
    young | 2026-01-06 | - | - | 800"""
WORK = """activity_id | deal_id | kind | occurred_at | recorded_at | hours
    a1 | big | call | 2026-01-02 | 2026-01-02 | 0.75
    a2 | big | call | 2026-01-03 | 2026-01-03 | -
    a3 | big | call | 2026-01-06 | 2026-01-06 | -"""


@pytest.fixture
def small(make_book):
    return make_book(deals=DEALS, activities=WORK, fixed=("amount",))


@pytest.fixture(scope="module")
def scored(champion):
    return score(book_with_signal(), champion, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1))


def one(text: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([pd.Timestamp(text, tz="UTC")])


def test_the_most_valuable_hour_comes_first_and_ties_go_by_the_deals_name(small):
    table = score(small, plain_model(), one("2026-01-05"), TENTH)

    assert table["deal_id"].tolist() == ["big", "twin a", "twin b"]
    assert table["value_per_hour"].round(9).tolist() == [180.0, 100.0, 100.0]


def test_moments_come_in_their_order_each_with_the_deals_then_open(small):
    at = pd.date_range("2026-01-03", "2026-01-06", freq="3D", tz="UTC")
    table = score(small, plain_model(), at, TENTH)

    assert [f"{row.as_of.day} {row.deal_id}" for row in table.itertuples()] == [
        "3 big",
        "3 gone",
        "3 twin a",
        "3 twin b",
        "6 big",
        "6 young",
        "6 twin a",
        "6 twin b",
    ]


def test_the_columns_stand_in_this_order(small):
    model = plain_model()
    call = ["deal_id", "as_of", "win_probability", "value_if_won", "amount_imputed", "remaining_hours"]
    call += ["expected_value", "value_per_hour", "no_decision_if_lost", "bar", "verdict"]
    call += ["wait_for", "wait_sign", "wait_until", "bar_unit", "kept_to_learn"]
    source = ["model_version", "assumed_hours_share", "caveats"]

    assert score(small, model, one("2026-01-05"), TENTH).columns.tolist() == call + source
    two = ["reason_1", "factor_1", "base_rate_1", "reason_2", "factor_2", "base_rate_2"]
    assert (
        score(small, model, one("2026-01-05"), ScoreSettings(forgo=0.1, reasons=2)).columns.tolist()
        == call + two + source
    )


def test_more_reasons_than_there_are_factors_are_left_empty(small):
    """One feature and three terms, and yet five reasons by default."""
    table = score(small, plain_model(), one("2026-01-05"), ScoreSettings(forgo=0.1, reasons=5))

    assert table["reason_5"].isna().tolist() == [True, True, True]


def test_the_bar_is_the_highest_that_forgoes_no_more_than_asked(small):
    bars = [
        score(small, plain_model(), one("2026-01-05"), ScoreSettings(forgo=f, reasons=0))["bar"].unique()
        for f in (0.0, 0.1, 0.5)
    ]

    assert np.concatenate(bars).tolist() == [10.0, 20.0, 30.0]


def test_a_bar_by_hand_comes_before_the_curve(small):
    table = score(small, plain_model(), one("2026-01-05"), ScoreSettings(forgo=0.1, bar=150.0, reasons=0))

    assert table[["bar", "verdict"]].values.tolist() == [
        [150.0, "pursue"],
        [150.0, "walk_away"],
        [150.0, "walk_away"],
    ]


def test_a_bar_of_zero_by_hand_is_a_bar(small):
    assert (
        score(small, plain_model(), one("2026-01-05"), ScoreSettings(forgo=1.0, bar=0.0, reasons=0))["bar"].tolist()
        == [0.0] * 3
    )


def test_without_a_curve_the_bar_is_zero_and_nothing_gainful_is_dropped(small):
    table = score(
        small, plain_model(curve=Curve((), (), (), ())), one("2026-01-05"), ScoreSettings(forgo=1.0, reasons=0)
    )

    assert table[["bar", "verdict"]].values.tolist() == [[0.0, "pursue"]] * 3


def test_every_row_names_the_model_and_the_share_of_hours_assumed_by_then(small):
    table = score(small, plain_model(version="v7"), one("2026-01-05"), TENTH)

    assert table[["model_version", "assumed_hours_share"]].values.tolist() == [["v7", 0.25]] * 3


def test_the_share_of_hours_assumed_is_that_of_each_rows_own_moment(small):
    at = one("2026-01-02").append(one("2026-01-05")).append(one("2026-01-07"))
    table = score(small, plain_model(), at, TENTH)

    assert table.groupby("as_of")["assumed_hours_share"].first().tolist() == [0.0, 0.25, 0.4]


def test_a_moment_asked_among_others_gets_the_rows_it_gets_alone(champion, book):
    at = pd.DatetimeIndex([UNTIL - pd.Timedelta(days=7), UNTIL])
    together = score(book, champion, at, ScoreSettings(forgo=0.1))
    alone = score(book, champion, at[:1], ScoreSettings(forgo=0.1))
    first = together[together["as_of"] == at[0]].reset_index(drop=True)

    pd.testing.assert_frame_equal(first, alone, check_exact=True)


def test_a_moment_before_the_first_deal_is_refused(small):
    text = (
        r"as_of 2025-12-31T23:00:00Z lies before the book's first deal \(2026-01-01T00:00:00Z\): nothing was known then"
    )

    with pytest.raises(UsageError, match=text):
        score(small, plain_model(), one("2025-12-31T23:00"), ScoreSettings(forgo=0.1))


def test_the_moment_of_the_first_deal_itself_is_not_too_early(small):
    assert score(small, plain_model(), one("2026-01-01"), TENTH)["deal_id"].tolist() == [
        "big",
        "gone",
    ]


def test_a_moment_more_than_a_year_after_the_newest_record_is_refused(small):
    text = (
        r"as_of 2027-01-08 lies more than a year after the book's newest record \(2026-01-06\)\. Import a newer export"
    )

    with pytest.raises(UsageError, match=text):
        score(small, plain_model(), one("2027-01-08"), ScoreSettings(forgo=0.1))


def test_a_moment_without_any_open_deal_is_refused(make_book):
    deals = "deal_id | created_at | closed_at | outcome\nd1 | 2026-01-01 | 2026-01-04 | won"
    text = r"no deal is open at 2026-01-05T00:00Z, so there is nothing to score\. Use another moment\."

    with pytest.raises(UsageError, match=text):
        score(make_book(deals=deals), plain_model(), one("2026-01-05"), ScoreSettings(forgo=0.1))


def test_every_open_deal_is_called_once(scored, book):
    expected = open_snapshots(book, pd.DatetimeIndex([UNTIL]))["deal_id"].tolist()

    assert sorted(scored["deal_id"]) == expected


def test_later_records_change_no_row(scored, champion, book):
    then = score(known(book, UNTIL), champion, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1))

    pd.testing.assert_frame_equal(then, scored, check_exact=True)


def test_the_row_order_of_the_book_is_irrelevant(scored, champion, book):
    rng = np.random.default_rng(1)
    shuffled = book.with_tables(**{name: t.iloc[rng.permutation(len(t))] for name, t in book.tables().items()})

    pd.testing.assert_frame_equal(
        score(shuffled, champion, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1)), scored, check_exact=True
    )


def test_scoring_leaves_the_book_alone(champion):
    book = book_with_signal()
    before = {name: table.copy() for name, table in book.tables().items()}
    score(book, champion, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1, reasons=1))

    for name, table in book.tables().items():
        pd.testing.assert_frame_equal(table, before[name])


def test_reasons_do_not_depend_on_how_many_rows_are_explained_at_a_time(scored, champion, book, monkeypatch):
    monkeypatch.setattr(sys.modules["walkaway.scoring.score"], "CHUNK", 7)
    again = score(book, champion, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1))

    pd.testing.assert_frame_equal(again, scored, check_exact=True)


def test_reasons_of_a_scored_row_are_those_of_its_attribution(scored, champion, book):
    rows = read_rows(History(book), scored[["deal_id", "as_of"]], champion.plan)
    told = reasons_table(Reasons(champion, rows, attribute(champion, rows), LocaleFormat("en_GB", "EUR")), 5)

    pd.testing.assert_frame_equal(scored[told.columns.tolist()], told, check_exact=True)


def test_what_a_deal_waits_for_is_written_by_the_locale_of_the_reader(champion, book, monkeypatch):
    monkeypatch.setattr(Wait, "sentence", lambda wait, fmt: fmt.locale)
    table = score(book, champion, pd.DatetimeIndex([UNTIL]), ScoreSettings(bar=1e9, reasons=0), "de_DE")
    nurtured = table["verdict"] == "nurture"

    assert set(table.loc[nurtured, "wait_for"]) == {"de_DE"}
    assert table.loc[~nurtured, "wait_for"].isna().all()


def test_numbers_do_not_depend_on_the_reasons_asked_for(scored, champion, book):
    bare = score(book, champion, pd.DatetimeIndex([UNTIL]), TENTH)

    pd.testing.assert_frame_equal(bare, scored[bare.columns.tolist()], check_exact=True)


def test_stories_are_told_in_the_order_asked_for_with_the_numbers_of_the_score(scored, champion, book):
    asked = scored["deal_id"].iloc[[5, 0, 9]].tolist()
    stories = explain(book, champion, asked, UNTIL, ScoreSettings(forgo=0.1))
    columns = [
        "win_probability",
        "value_if_won",
        "remaining_hours",
        "expected_value",
        "value_per_hour",
        "bar",
        "verdict",
    ]
    by_deal = scored.set_index("deal_id")

    assert [story.deal_id for story in stories] == asked
    for story in stories:
        assert [getattr(story, name) for name in columns] == by_deal.loc[story.deal_id, columns].tolist()


def test_a_story_carries_the_share_of_hours_assumed_in_the_book_by_then(small):
    [story] = explain(small, plain_model(), ["big"], one("2026-01-05")[0], ScoreSettings(forgo=0.1))

    assert story.assumed_hours_share == 0.25


def test_a_story_takes_a_bar_by_hand(small):
    [by_hand] = explain(small, plain_model(), ["big"], one("2026-01-05")[0], ScoreSettings(forgo=0.1, bar=200.0))
    [by_curve] = explain(small, plain_model(), ["big"], one("2026-01-05")[0], ScoreSettings(forgo=0.1))

    assert (by_hand.bar, by_hand.verdict) == (200.0, "walk_away")
    assert (by_curve.bar, by_curve.verdict) == (CURVE.bars[1], "pursue")


def test_an_unknown_deal_is_refused_and_near_ones_are_named(small):
    with pytest.raises(UsageError, match=r"deal twin c is not in the book\. Did you mean twin b, twin a\?"):
        explain(small, plain_model(), ["twin c"], one("2026-01-05")[0], ScoreSettings(forgo=0.1))


def test_an_unknown_deal_like_no_other_gets_no_suggestion(small):
    with pytest.raises(UsageError, match=r"deal 4711 is not in the book\.$"):
        explain(small, plain_model(), ["4711"], one("2026-01-05")[0], ScoreSettings(forgo=0.1))


@pytest.mark.parametrize("moment", ["2026-01-04", "2026-01-05"])
def test_a_deal_closed_by_then_is_refused_with_its_outcome(small, moment):
    text = r"deal gone was closed \(lost\) on 2026-01-04, so there is nothing to explain\. Use an earlier --as-of\."

    with pytest.raises(UsageError, match=text):
        explain(small, plain_model(), ["big", "gone"], one(moment)[0], ScoreSettings(forgo=0.1))


def test_a_deal_not_created_by_then_is_refused(small):
    text = r"deal young was created on 2026-01-06, after 2026-01-05\. Use a later --as-of\."

    with pytest.raises(UsageError, match=text):
        explain(small, plain_model(), ["young"], one("2026-01-05")[0], ScoreSettings(forgo=0.1))


def test_a_deal_is_open_a_moment_before_its_close_and_at_its_creation(small):
    moment = one("2026-01-04")[0] - pd.Timedelta(microseconds=1)
    [story] = explain(small, plain_model(), ["gone"], moment, ScoreSettings(forgo=0.1))
    [other] = explain(small, plain_model(), ["young"], one("2026-01-06")[0], ScoreSettings(forgo=0.1))

    assert (round(story.value_if_won, 9), round(other.value_if_won, 9)) == (700.0, 800.0)


def test_a_story_more_than_a_year_after_the_newest_record_is_refused(small):
    with pytest.raises(UsageError, match=r"as_of 2030-01-01 lies more than a year after the book's newest record"):
        explain(small, plain_model(), ["big"], one("2030-01-01")[0], ScoreSettings(forgo=0.1))


def test_a_score_at_a_moment_is_what_calls_say_of_its_snapshots(scored, champion, book):
    rows = read_rows(History(book), open_snapshots(book, pd.DatetimeIndex([UNTIL])), champion.plan)
    table = make_calls(champion, rows, champion.curve.bar_for_forgo(0.1)).table
    ordered = table.sort_values("value_per_hour", ascending=False).reset_index(drop=True)

    pd.testing.assert_frame_equal(scored[table.columns.tolist()], ordered, check_exact=True)


def test_the_first_day_has_a_bar_and_reasons_too(champion, book):
    early = score(book, champion, pd.DatetimeIndex([day(3)]), ScoreSettings(forgo=0.1))

    assert early["as_of"].unique().tolist() == [START + pd.Timedelta(days=3)]
    assert early["reason_1"].notna().all()


SETTLED = Curve((5.0, 50.0, 500.0), (9.0, 5.0, 2.0), (0.2, 0.6, 0.9), (0.0, 0.05, 0.5), estimated=False)


def replay_of(folder: Path, currency: str = "EUR", curve: Curve = SETTLED) -> Path:
    """A replay's folder, as far as scoring reads it."""
    write_json(folder / "summary.json", {"currency": currency, "curve": asdict(curve)})
    return folder


def test_a_replay_replaces_the_curve_and_leaves_the_guarantees(tmp_path):
    model = plain_model(curve=replace(CURVE, guaranteed=((0.2, 7.0),)))
    found = with_replay_curve(model, replay_of(tmp_path)).curve

    assert found == replace(SETTLED, guaranteed=((0.2, 7.0),))
    assert (model.curve.bar_of(forgo=0.1), found.bar_of(forgo=0.1)) == (20.0, 50.0)
    assert with_replay_curve(model, None) is model


def test_a_folder_that_is_no_replay_or_in_other_money_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not the summary of a replay"):
        with_replay_curve(plain_model(), tmp_path)
    with pytest.raises(UsageError, match="is in USD, but the model is in EUR"):
        with_replay_curve(plain_model(), replay_of(tmp_path, currency="USD"))
    with pytest.raises(UsageError, match="has no curve: nothing could be measured"):
        with_replay_curve(plain_model(), replay_of(tmp_path, curve=Curve((), (), (), ())))
    (tmp_path / "summary.json").write_text('{"currency": "EUR", "curve": {"bars": [1]}}')
    with pytest.raises(UsageError, match="is not the summary of a replay"):
        with_replay_curve(plain_model(), tmp_path)
