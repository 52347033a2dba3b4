from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.books import END_DAY, UNTIL, day

from walkaway.book.schema import Book
from walkaway.economics import DROPPED
from walkaway.errors import UsageError
from walkaway.models import Wait, awaited
from walkaway.report.html import gather, page
from walkaway.report.html.annotated_calls import CALLS
from walkaway.report.html.rollups import productivity

pytest_plugins = ("tests.reports",)


def test_what_is_freed_are_the_dropped_deals_that_no_person_decided_otherwise(content):
    calls, answer = content.calls, content.answer
    dropped = calls[calls["verdict"].isin(DROPPED) & (calls["decision"] == "")]

    assert (answer.open_deals, answer.let_go) == (len(calls), len(dropped))
    assert answer.hours_freed == pytest.approx(dropped["remaining_hours"].sum())
    assert answer.value_at_risk == pytest.approx(dropped["expected_value"].clip(lower=0).sum())
    assert answer.hours == pytest.approx(calls["remaining_hours"].sum())


def test_a_persons_decision_is_shown_beside_the_call_and_never_overwrites_it(content, hostile, model, settings):
    alone = gather(hostile, model, UNTIL, settings).calls.set_index("deal_id")
    shown = content.overrides.set_index("deal_id")

    assert set(shown.index) <= {"d150", "d151"}
    assert len(shown)
    assert shown["verdict"].to_dict() == alone.loc[shown.index, "verdict"].to_dict()
    assert not set(shown.index) & set(content.of(*CALLS, "pursue", "unsure")["deal_id"])


def test_deals_to_stop_are_split_by_call_and_by_main_reason(content):
    answer = content.answer

    for table in (answer.by_call, content.legs):
        assert table["deals"].sum() == answer.let_go
        assert table["hours"].sum() == pytest.approx(answer.hours_freed)
        assert table["expected_value"].sum() == pytest.approx(answer.value_at_risk)
    freed = content.of(*CALLS)
    counts = answer.by_call.set_index("call")["deals"].to_dict()
    assert counts == freed["call"].value_counts().to_dict()
    assert set(counts) == set(CALLS)
    assert answer.at_once == pytest.approx(content.of("walk_away")["remaining_hours"].sum())
    assert answer.unsure == (content.calls["verdict"] == "unsure").sum()
    assert answer.day_old == (freed["age_days"] < 1).sum()


def test_a_deal_to_nurture_says_how_often_its_sign_came(content, model):
    nurture = content.calls[content.calls["verdict"] == "nurture"]
    others = content.calls[content.calls["verdict"] != "nurture"]

    assert len(nurture)
    assert nurture["sign_came"].between(0.05, 1.0).all()
    wait = {str(wait): wait for wait in model.wait_table.waits}
    for deal in nurture.to_dict("records"):
        told = wait[deal["wait_for"]]
        assert deal["sign_came"] == told.heard / told.deals
    for sentence, sign in zip(nurture["wait_for"], nurture["sign"], strict=True):
        assert sentence.startswith(f"{awaited(sign)}: of ")
    assert (nurture["sign_came"] * nurture["chance_if_heard"] <= nurture["win_probability"]).all()
    assert others[["sign", "sign_came", "chance_if_heard"]].isna().all(axis=None)


def test_what_a_deal_waits_for_is_written_by_the_locale_of_the_report(hostile, model, settings, monkeypatch):
    monkeypatch.setattr(Wait, "sentence", lambda wait, fmt: fmt.locale)
    german = settings.model_copy(update={"report": settings.report.model_copy(update={"locale": "de_DE"})})
    calls = gather(hostile, model, UNTIL, german).calls

    assert set(calls.loc[calls["verdict"] == "nurture", "wait_for"]) == {"de_DE"}


def test_the_surest_deals_come_first_and_of_these_those_that_would_take_most_hours(content):
    freed = content.of(*CALLS)

    assert freed["call"].drop_duplicates().tolist() == list(CALLS)
    assert freed["call"].ne(freed["call"].shift()).sum() == len(CALLS)
    assert all(part["remaining_hours"].is_monotonic_decreasing for _, part in freed.groupby("call"))
    assert [story.deal_id for story in content.stories] == freed["deal_id"].tolist()


def test_a_deal_let_go_says_since_when_it_is_so_advised(content, hostile, model, settings):
    freed = content.of("walk_away")["deal_id"].iloc[0]
    kept = content.of("pursue")["deal_id"].iloc[0]
    advice = pd.DataFrame({"deal_id": [freed, kept], "advised_at": day(150), "verdict": "walk_away"})
    told = gather(hostile, model, UNTIL, settings, advice=advice)
    since = told.calls.set_index("deal_id")["advised_since"]

    assert since.dropna().to_dict() == {freed: day(150)}
    assert told.advised["deals"].tolist() == [2]
    assert content.calls["advised_since"].isna().all()
    assert "advised since" in page(told)
    assert "advised since" not in page(content)


def test_this_bar_stands_among_its_neighbours(content):
    here = content.neighbours[content.neighbours["here"]]

    assert here["bar"].tolist() == [600.0]
    assert content.neighbours["bar"].is_monotonic_increasing
    assert content.neighbours["value_forgone"].is_monotonic_increasing
    assert here["deals_let_go"].iloc[0] == content.answer.let_go > 0
    assert here["hours_freed"].iloc[0] == pytest.approx(content.answer.hours_freed)
    assert content.neighbours["deals_let_go"].is_monotonic_increasing


def test_groups_add_up_to_the_whole(content):
    for _, part in content.rollup.groupby("dimension"):
        assert part["deals"].sum() == content.answer.open_deals
        assert part["hours"].sum() == pytest.approx(content.answer.hours)


def test_value_per_hour_by_month_is_what_was_won_over_what_was_worked():
    deals = {
        "deal_id": ["a", "b"],
        "created_at": "2026-01-10T00:00Z",
        "closed_at": ["2026-02-20T00:00Z", "2026-03-02T00:00Z"],
    }
    acts = {"activity_id": ["1", "2", "3"], "deal_id": ["a", "a", "b"], "kind": "call", "hours": [2.0, 3.0, 1.0]}
    at = ["2026-02-01T00:00Z", "2026-02-02T00:00Z", "2026-03-01T00:00Z"]
    book = Book.of(
        deals=pd.DataFrame(deals | {"outcome": ["won", "lost"], "amount": [100.0, 900.0], "margin": [0.5, None]}),
        activities=pd.DataFrame(acts | {"occurred_at": at, "recorded_at": at}),
    )
    told = productivity(book, pd.Timestamp("2026-03-20", tz="UTC"))

    assert told.to_dict("records") == [{"month": "2026-02", "hours": 5.0, "won_value": 50.0, "value_per_hour": 10.0}]


def test_changes_are_since_the_last_report_and_none_without_one(content, hostile, model, settings):
    before = gather(hostile, model, UNTIL - pd.Timedelta(days=14), settings).calls
    later = gather(hostile, model, UNTIL, settings, previous=before)

    assert content.changes is None
    assert later.since == UNTIL - pd.Timedelta(days=14)
    assert set(later.changes["change"]) <= {"newly_below_bar", "back_above_bar", "newly_open", "closed"}
    gone = later.changes[later.changes["change"] == "closed"]
    assert set(gone["deal_id"]) == set(before["deal_id"]) - set(later.calls["deal_id"])


def test_signs_of_the_first_week_hold_counts_of_settled_deals(content, hostile):
    settled = hostile.deals[hostile.deals["closed_at"] <= UNTIL]
    for sign in content.signs:
        assert sign.won <= sign.deals <= len(settled)
        assert sign.rate == sign.won / sign.deals
        assert abs(sign.rate - sign.all) > 3 * np.sqrt(sign.all * (1 - sign.all) / sign.deals) - 1e-9


def test_where_no_deal_is_open_there_is_nothing_to_report(hostile, model, settings):
    closed = hostile.with_tables(deals=hostile.deals.assign(closed_at=hostile.deals["closed_at"].fillna(day(END_DAY))))
    with pytest.raises(UsageError, match="no deal is open at 2026-01-01T00:00Z, so there is nothing to score"):
        gather(closed, model, pd.Timestamp("2026-01-01", tz="UTC"), settings)


BEATEN = {"measure": "log loss", "by": "plain_lightgbm", "gain": -0.02, "low": -0.03, "high": -0.01}
SAID = (
    "Plain LightGBM predicts better than this model on later deals: its log loss is lower by 0.0200 "
    "(90%: 0.0100 to 0.0300)."
)


@pytest.mark.parametrize("for_print", [False, True])
def test_a_model_that_is_beaten_says_so_before_the_answer_on_the_page_and_in_print(hostile, model, settings, for_print):
    beaten = replace(model, facts=model.facts.model_copy(update={"beaten_by": (BEATEN,)}))
    shown = page(gather(hostile, beaten, UNTIL, settings), for_print)

    assert 0 < shown.index(SAID) < shown.index('class="answer"')


def test_a_model_that_nothing_beats_says_nothing_of_it(content):
    assert "than this model on later deals" not in page(replace(content, beaten=()))
