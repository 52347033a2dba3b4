import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from tests.books import START, TINY, UNTIL, book_with_signal, day

from walkaway.asof import mature_age_days
from walkaway.asof.history import History, known
from walkaway.book import with_lost_after
from walkaway.book.schema import Book
from walkaway.config import TrainSettings
from walkaway.economics import Curve
from walkaway.errors import DataError, UsageError
from walkaway.formatting import LocaleFormat
from walkaway.heads import WinHead
from walkaway.heads.calibration import fit_scale
from walkaway.models import caveats_of, may_be_acted_on
from walkaway.models.bundle import save_bundle
from walkaway.models.facts import Facts
from walkaway.models.model import make_calls, read_rows
from walkaway.training.backtest import HOURS_PRIOR_DEALS, backtest
from walkaway.training.fitting import fit_as_of
from walkaway.training.recipe import fit_and_backtest
from walkaway.training.train import _equal_wins, curve_looks, curve_of, train, train_to_call

pytest_plugins = ("tests.books",)


def contents(model, folder) -> dict[str, bytes]:
    """Every byte of the bundle, by file name, and its version."""
    saved = save_bundle(model, folder)
    return {path.name: path.read_bytes() for path in saved.iterdir()} | {"version": saved.name.encode()}


@pytest.fixture(scope="module")
def own_bytes(trained, tmp_path_factory):
    return contents(trained.model, tmp_path_factory.mktemp("own"))


def altered_after(book: Book, until: pd.Timestamp) -> Book:
    """All that was recorded later replaced: other ends, other amounts, other events, more deals."""
    late_close = book.deals["closed_at"] > until
    deals = book.deals.assign(
        closed_at=book.deals["closed_at"].where(~late_close, until + pd.Timedelta(seconds=1)),
        outcome=book.deals["outcome"].where(~late_close, "lost"),
        amount=book.deals["amount"].where(~late_close, 1.0),
        loss_reason=book.deals["loss_reason"].where(~late_close, "declined"),
    )
    deals = deals[(deals["created_at"] <= until) | (np.arange(len(deals)) % 2 == 0)]
    changes = book.changes.assign(
        new_value=book.changes["new_value"].where(book.changes["recorded_at"] <= until, "999")
    )
    changes = changes[changes["deal_id"].isin(deals["deal_id"])]
    activities = book.activities[book.activities["deal_id"].isin(deals["deal_id"])]
    activities = activities.assign(
        hours=activities["hours"].where(activities["recorded_at"] <= until, 77.0),
        kind=activities["kind"].where(activities["recorded_at"] <= until, "fax"),
    )
    return book.with_tables(deals=deals, changes=changes, activities=activities)


def test_the_altered_book_differs_from_the_book_only_in_what_was_recorded_later(book):
    other = altered_after(book, UNTIL)

    assert not other.activities.equals(book.activities)
    for name, table in known(book, UNTIL).tables().items():
        pd.testing.assert_frame_equal(known(other, UNTIL).tables()[name], table)


def test_records_later_than_until_change_no_byte_of_the_model(book, own_bytes, tmp_path):
    assert contents(train(altered_after(book, UNTIL), UNTIL, TINY).model, tmp_path) == own_bytes


def test_the_same_book_and_settings_in_another_row_order_give_the_same_bytes(book, own_bytes, tmp_path):
    rng = np.random.default_rng(1)
    shuffled = book.with_tables(**{name: t.iloc[rng.permutation(len(t))] for name, t in book.tables().items()})

    assert contents(train(shuffled, UNTIL, TINY).model, tmp_path) == own_bytes


def test_training_leaves_the_book_alone(tmp_path):
    book = book_with_signal()
    before = {name: table.copy() for name, table in book.tables().items()}
    train(book, day(120), TINY)

    for name, table in book.tables().items():
        pd.testing.assert_frame_equal(table, before[name])


def test_another_seed_gives_another_model(book, own_bytes, tmp_path):
    other = TINY.model_copy(update={"heads": TINY.heads.model_copy(update={"seed": 9})})

    assert contents(train(book, UNTIL, other).model, tmp_path)["win-0.txt"] != own_bytes["win-0.txt"]


@pytest.mark.parametrize("step", [train, lambda book, until, settings: fit_as_of(History(book), until, settings)])
def test_a_moment_before_the_first_deal_is_refused(book, step):
    text = r"--until 2025-01-05T12:30Z lies before the first deal was created\. Use a later moment\."

    with pytest.raises(UsageError, match=text):
        step(book, pd.Timestamp("2025-01-05T12:30", tz="UTC"), TINY)


def test_a_book_with_one_kind_of_end_is_refused_with_the_counts(book):
    only_lost = book.deals[book.deals["outcome"] == "lost"]
    lost = len(only_lost)
    some = {name: t[t["deal_id"].isin(only_lost["deal_id"])] for name, t in book.tables().items() if "deal_id" in t}

    with pytest.raises(DataError, match=rf"training needs won and lost deals .*; found 0 won and {lost} lost\."):
        train(book.with_tables(**some), book.last_recorded_at(), TINY)


def lead_book(until: int = 420) -> Book:
    """Leads of which one in six is won, most of these within 60 days and some much later; losses are not recorded."""
    rng = np.random.default_rng(5)
    created = rng.integers(0, until, 360)
    won = rng.random(360) < 1 / 6
    closed = created + np.where(rng.random(360) < 0.6, rng.integers(2, 60, 360), rng.integers(80, 200, 360))
    ends = np.where(won & (closed <= until), closed, -1)
    closed_at = [START + pd.Timedelta(days=int(end)) if end >= 0 else None for end in ends]
    rows = {
        "deal_id": [f"d{i:03d}" for i in range(360)],
        "created_at": [START + pd.Timedelta(days=int(begun)) for begun in created],
        "closed_at": closed_at,
        "outcome": ["won" if end is not None else None for end in closed_at],
    }
    return Book.of(deals=pd.DataFrame(rows))


def test_a_book_without_losses_is_refused_with_the_remedy():
    book = lead_book()

    with pytest.raises(DataError, match=r"found \d+ won and 0 lost\. .* not recorded, set lost_after_days\."):
        train(book, book.last_recorded_at(), TINY)


def test_leads_that_count_as_lost_by_their_age_are_learned_from_and_told():
    book = with_lost_after(lead_book(), 70)
    trained = train(book, book.last_recorded_at(), TINY)
    facts, deals = trained.model.facts, book.deals

    assert (facts.lost_after_days, facts.lost) == (70, int((deals["outcome"] == "lost").sum()))
    assert facts.counted_lost == facts.lost
    assert "lost_after_days" in [caveat.code for caveat in caveats_of(trained.model, LocaleFormat())]
    assert trained.calls["age_days"].max() < 70  # no deal is open at a greater age, so none of these is a late win


def test_a_deal_that_was_never_open_at_a_snapshot_is_not_fitted_on(make_book, moment):
    deals = "deal_id | created_at | closed_at | outcome\nd1 | 2026-01-01 | 2026-01-29 | lost\n"
    book = make_book(deals=deals + "d2 | 2026-01-02 | 2026-01-03 | won")

    with pytest.raises(DataError, match=r"open at some snapshot; found 0 won and 1 lost\."):
        train(book, moment("2026-01-29"), TINY)


@cache
def noise():
    return train(book_with_signal(False, 1), UNTIL, TINY)


def test_a_book_with_signal_has_signal(trained):
    assert trained.model.signal is True


def test_a_book_without_signal_says_so():
    assert noise().model.signal is False


def test_without_signal_the_base_rate_is_published_and_no_booster():
    outcomes = noise().model.heads.win

    assert outcomes == WinHead(noise().model.facts.base_rate)
    assert outcomes.base_rate == pytest.approx(0.45, abs=0.1)


def test_without_signal_the_curve_is_that_of_the_base_rate():
    model = train(book_with_signal(signal=False), UNTIL, TINY).model

    assert model.heads.win.bag is None
    assert min(model.curve.bars) < max(model.curve.bars) < 20 * model.curve.bar_for_forgo(0.5) + 1e5


def test_without_signal_each_gainful_deal_is_unsure_at_any_bar():
    book, model = book_with_signal(False, 1), noise().model
    last = known(book, UNTIL).deals.query("outcome.isna()")["deal_id"].tolist()
    asked = pd.DataFrame({"deal_id": last, "as_of": pd.Series([UNTIL] * len(last)).dt.as_unit("us")})
    rows = read_rows(History(book), asked, model.plan)
    for bar in (0.0, 1e3, 1e9):
        table = make_calls(model, rows, bar).table
        assert set(table.loc[table["value_if_won"] > 0, "verdict"]) == {"unsure"}
        assert set(table["win_probability"].round(12)) == {round(model.heads.win.base_rate, 12)}


def test_no_call_is_made_by_a_fold_trained_at_or_after_its_moment(trained):
    calls = trained.calls

    assert (calls["known_until"] < calls["as_of"]).all()
    assert calls["known_until"].nunique() == 2


def test_each_fold_calls_the_snapshots_up_to_the_next_origin(trained):
    spans = trained.calls.groupby("known_until")["as_of"].agg(["min", "max"])
    week = pd.Timedelta(days=7)

    assert spans.index.tolist() == [UNTIL - 17 * week, UNTIL - 8 * week]  # 60% and 30% of 209 days, in whole weeks
    assert spans["min"].tolist() == [UNTIL - 16 * week, UNTIL - 7 * week]
    assert spans["max"].tolist() == [UNTIL - 8 * week, UNTIL]


def test_each_snapshot_after_the_first_origin_is_called_once(trained, book):
    final = fit_as_of(History(known(book, UNTIL)), UNTIL, TINY).snapshots
    later = final[final["as_of"] > trained.calls["known_until"].min()].reset_index(drop=True)

    pd.testing.assert_frame_equal(trained.calls[["deal_id", "as_of"]], later)


def test_a_folds_calls_are_those_of_a_model_trained_at_its_origin(trained, book):
    origin = trained.calls["known_until"].min()
    of_fold = trained.calls[trained.calls["known_until"] == origin].reset_index(drop=True)
    fold = fit_as_of(History(known(book, origin)), origin, TINY)
    rows = read_rows(History(book), of_fold[["deal_id", "as_of"]], fold.plan)
    table = make_calls(fold.model(TINY), rows, 0.0).table

    pd.testing.assert_frame_equal(of_fold[table.columns.tolist()], table, check_exact=True)


def test_the_truth_of_settled_calls_is_what_the_book_says(trained, book):
    settled = trained.calls[trained.calls["settled"].astype(bool)]
    ends = known(book, UNTIL).deals.set_index("deal_id")
    of = ends.loc[settled["deal_id"]]

    assert settled["won"].tolist() == (of["outcome"] == "won").astype(float).tolist()
    assert settled["won_completed"].tolist() == settled["won"].tolist()
    paid = (of["amount"] * of["margin"].fillna(1.0)).where(of["outcome"] == "won", 0.0)
    assert settled["worth_truth"].tolist() == paid.tolist()


def test_a_deal_still_open_counts_by_what_the_final_model_expects(trained):
    still_open = trained.calls[~trained.calls["settled"].astype(bool)]

    assert still_open["won"].isna().all()
    assert still_open.groupby("deal_id")[["won_completed", "worth_truth"]].nunique().to_numpy().max() == 1
    assert still_open["won_completed"].between(0, 1, inclusive="neither").all()


def test_the_summary_counts_what_was_known(trained, book):
    then = known(book, UNTIL)
    found = trained.model.facts
    outcome = then.deals["outcome"].value_counts()

    assert found.deals == found.won + found.lost + found.open == len(then.deals)
    assert (found.won, found.lost) == (outcome["won"], outcome["lost"])
    assert found.events == len(then.activities) + len(then.changes)
    assert found.features == len(trained.model.plan.columns)
    assert found.until == UNTIL


def test_the_facts_of_a_model_are_plain_json_and_name_its_settings(trained):
    facts = trained.model.facts

    assert Facts.model_validate(json.loads(json.dumps(facts.as_json(), allow_nan=False))) == facts
    assert TrainSettings.model_validate(facts.settings).model_dump(exclude={"heads": {"threads"}}) == TINY.model_dump(
        exclude={"heads": {"threads"}}
    )
    assert (facts.source, facts.currency) == ("books.py", "EUR")


def test_no_planned_column_is_the_same_on_all_training_rows(book):
    fitted = fit_as_of(History(book), UNTIL, TINY)

    assert [len(np.unique(column)) > 1 for column in fitted.rows.X.T] == [True] * len(fitted.plan.columns)
    assert fitted.rows.categorical == fitted.plan.categorical


def test_training_snapshots_step_back_from_until_at_the_cadence(book):
    moments = fit_as_of(History(book), UNTIL, TINY).snapshots["as_of"].drop_duplicates().sort_values()

    assert moments.iloc[-1] == UNTIL
    assert set(moments.diff().dropna()) == {pd.Timedelta(days=7)}
    assert START <= moments.iloc[0] < START + pd.Timedelta(days=14)


def test_the_calibration_of_the_model_comes_from_the_calls_of_the_folds(trained):
    calibration = trained.model.heads.win.calibration

    assert (calibration.slope, calibration.shift) != (1.0, 0.0)
    assert calibration.slope > 0


LOOKS_DEALS = pd.DataFrame({"created_at": [day(0), day(1), day(2), day(3)]}).assign(
    closed_at=lambda deals: deals["created_at"] + pd.Timedelta(days=30)
)


def test_only_looks_of_folds_that_saw_slow_endings_teach_the_curve():
    """These deals take 30 days, and the first fold knew 29."""
    looks = pd.DataFrame({"deal_id": ["d1", "d2", "d3"], "known_until": [day(29), day(30), day(45)]})
    found, young = curve_looks(looks, LOOKS_DEALS, day(60))

    assert (found["deal_id"].tolist(), young) == (["d2", "d3"], False)


def test_where_all_folds_are_young_all_looks_teach_the_curve_and_that_is_a_fact():
    looks = pd.DataFrame({"deal_id": ["d1", "d2"], "known_until": [day(20), day(29)]})
    found, young = curve_looks(looks, LOOKS_DEALS, day(60))

    assert (found["deal_id"].tolist(), young) == (["d1", "d2"], True)


def test_without_looks_there_is_no_curve_to_warn_of():
    assert curve_looks(pd.DataFrame(), LOOKS_DEALS, day(60))[1] is False


def test_the_curve_of_a_young_book_is_told_as_such():
    """After 70 days the folds knew 28 and 49 days, and the deals take up to 70."""
    model = train(book_with_signal(), day(70), TINY).model

    assert model.facts.young_curve is True
    assert len(model.curve.bars) > 1


def test_the_curve_of_a_book_with_one_experienced_fold_rests_on_that_fold_alone(book):
    """After 130 days the folds knew 52 and 91 days."""
    fitted = fit_and_backtest(book, day(130), TINY, looks=True, baselines={})
    looks = fitted.backtest.looks
    of_last = looks[looks["known_until"] == looks["known_until"].max()].reset_index(drop=True)
    model = train_to_call(book, day(130), TINY)

    assert looks["known_until"].nunique() == 2
    assert (model.curve, model.facts.young_curve) == (curve_of(fitted, of_last), False)
    assert model.curve != curve_of(fitted, looks)


def test_each_settled_win_is_evidence_once_and_what_open_deals_may_bring_is_none():
    looks = pd.DataFrame({"deal_id": ["d1", "d1", "d2", "d3", "d4"], "settled": [True, True, True, True, False]})

    assert _equal_wins(looks.assign(worth_truth=[5.0, 5.0, 5.0, 0.0, 99.0])) == 2.0


@pytest.mark.parametrize("suffices", [True, False])
def test_the_chance_by_age_is_kept_where_age_ranks_as_well_as_the_model(book, monkeypatch, suffices):
    monkeypatch.setitem(train.__globals__, "age_suffices", lambda tables: suffices)
    facts = train(book, UNTIL, TINY).model.facts
    deals = known(book, UNTIL).deals
    mature = deals[deals["created_at"] <= UNTIL - pd.Timedelta(days=mature_age_days(deals, UNTIL))]
    settled = mature["outcome"].notna()

    counts = (0, int(settled.sum()), int((mature["outcome"] == "won").sum()))
    assert facts.chance_by_age[:1] == ((counts,) if suffices else ())


def _scale(calls):
    names = ["uncalibrated_hours", "remaining_hours_truth", "known_until"]
    deals = calls["deal_id"].nunique()
    return fit_scale(*(calls[name].to_numpy() for name in names)) ** (deals / (deals + HOURS_PRIOR_DEALS))


def test_the_models_hours_are_scaled_by_what_the_folds_missed(trained, book):
    final = fit_as_of(History(known(book, UNTIL)), UNTIL, TINY)
    scale = _scale(trained.calls)

    assert scale != 1.0
    np.testing.assert_allclose(
        trained.model.heads.hours.hours(final.rows.X), final.heads.hours.hours(final.rows.X) * scale, rtol=1e-9
    )


def test_the_curve_rises_from_almost_nothing_to_all_that_the_calls_held(trained):
    curve = trained.model.curve

    assert (np.diff(curve.bars) > 0).all()
    assert (np.diff(curve.hours_saved) >= -1e-12).all()
    assert (np.diff(curve.value_forgone) >= -1e-12).all()
    at_a_loss = trained.calls[trained.calls["value_if_won"] <= 0]["remaining_hours_truth"].sum()
    assert 0.0 < curve.hours_saved[0] < at_a_loss / trained.calls["remaining_hours_truth"].sum() + 0.01
    assert curve.estimated is True


def test_the_curve_is_in_the_calibrated_value_per_hour_that_scoring_compares_with_it(trained):
    calls, model = trained.calls, trained.model
    probability = model.heads.win.calibration.probability(calls["raw"].to_numpy())
    hours = calls["remaining_hours"] * _scale(calls)
    index = probability * calls["value_if_won"] / (hours + model.floor_hours)

    agreed = (index * calls["walk_away_above"] / calls["value_per_hour"])[calls["value_if_won"] > 0]
    assert model.curve.bars[0] == 0.0  # no bar is set
    assert model.curve.bars[1] == pytest.approx(agreed.min(), rel=1e-12)
    assert model.curve.bars[-1] == pytest.approx(agreed.max(), rel=1e-12)


def test_who_looks_more_often_drops_more_at_the_same_bar(book):
    def curve_at(pace: float) -> Curve:
        return train(book, UNTIL, TINY.model_copy(update={"calls_every_days": pace})).model.curve

    weekly, twice_a_day = curve_at(7.0), curve_at(0.5)
    bar = weekly.bar_for_forgo(0.4)

    assert twice_a_day.at(bar)[1] > weekly.at(bar)[1]
    assert twice_a_day.at(bar)[2] > weekly.at(bar)[2]


def test_open_deals_count_in_looks_as_they_do_in_calls(book):
    history = History(known(book, UNTIL))
    final = fit_as_of(history, UNTIL, TINY)
    folds = backtest(history, final, TINY.model_copy(update={"calls_every_days": 3.5}))
    both = folds.looks.merge(folds.calls, on=["deal_id", "as_of"], suffixes=("", "_call"))
    still_open = ~both["settled"].astype(bool)

    assert 0 < still_open.sum() < len(both) == len(folds.calls)
    for name in ("worth_truth", "remaining_hours_truth", "hours_booked", "raw", "walk_away_above"):
        np.testing.assert_allclose(both[name].astype(float), both[f"{name}_call"].astype(float), rtol=1e-12)


def test_the_model_remembers_how_its_scores_looked_and_no_bar(trained):
    assert set(trained.model.reference.scores) == {"win_probability", "remaining_hours", "value_per_hour"}


def test_each_step_is_told_in_order(book):
    told = []
    train(book, day(120), TINY, lambda name, done, total: told.append((name, done, total)))

    folds, last = [("testing on later deals", n, 2) for n in (0, 1)], ("base rates of settled deals", 0, 1)
    assert told == [("leak audit", 0, 1), ("fitting on all data", 0, 1), *folds, ("measuring", 0, 1), last]


def test_a_book_too_young_for_folds_gives_a_model_that_is_sure_of_nothing():
    book = known(book_with_signal(), day(60))
    settings = TINY.model_copy(update={"folds": 1, "cadence_days": 45.0})
    found = train(book, day(60), settings)

    assert (found.model.signal, found.model.curve.bars, found.tables) == (False, (), {})


def test_a_book_without_any_amount_can_be_trained_on(book):
    bare = book.with_tables(
        deals=book.deals.assign(amount=np.nan), changes=book.changes[book.changes["field"] != "amount"]
    )
    found = train(bare, UNTIL, TINY)

    assert found.tables["skill"]["skill"]["expected_value"] > 0
    assert found.model.heads.worth.typical_amount == 1.0
    assert found.tables["win"]["auc"]["win_probability"] > 0.55


def test_a_book_without_any_activity_can_be_trained_on(book):
    found = train(Book.of(book.manifest, deals=book.deals, changes=book.changes), UNTIL, TINY)

    assert (found.model.facts.assumed_hours_share, found.model.facts.unit) == (1.0, "deal")
    assert found.calls["value_per_hour"].tolist() == found.calls["expected_value"].tolist()
    assert [caveat.code for caveat in caveats_of(found.model, LocaleFormat())][-1] == "hours_assumed"
    assert not may_be_acted_on(found.model)


def test_a_book_whose_snapshots_all_look_alike_gives_a_model_without_signal(make_book, moment):
    """Both deals were open at one and the same moment of the grid, and nothing tells them apart."""
    deals = "deal_id | created_at | closed_at | outcome | amount\nd1 | 2026-01-01T01:00 | 2026-01-10 | won | 5\n"
    book = make_book(deals=deals + "d2 | 2026-01-01T01:00 | 2026-01-11 | lost | 5")

    assert train(book, moment("2026-01-15"), TINY).model.signal is False


def test_one_moment_with_snapshots_is_enough_to_train_on(make_book, moment):
    deals = "deal_id | created_at | closed_at | outcome | amount\nd1 | 2026-01-01T01:00 | 2026-01-10 | won | 5\n"
    book = make_book(deals=deals + "d2 | 2026-01-02T01:00 | 2026-01-11 | lost | 5")

    assert train(book, moment("2026-01-15"), TINY).model.facts.snapshots == 2


def test_training_far_beyond_what_the_book_recorded_is_refused(book):
    with pytest.raises(UsageError, match=r"--until 2031-.* lies more than a year after the book's newest record"):
        train(book, pd.Timestamp("2031-01-01", tz="UTC"), TINY)


def test_no_booster_of_a_training_predicts_the_same_rows_twice(book, predictions):
    train(book, UNTIL, TINY.model_copy(update={"calls_every_days": 3.5}))

    assert len(predictions) > 40
    assert set(predictions.values()) == {1}


def test_deals_that_are_worth_nothing_are_walked_away_from_at_any_bar():
    book = book_with_signal(deals=120)
    changes = book.changes.assign(new_value=book.changes["new_value"].where(book.changes["field"] != "amount", "0"))
    worthless = book.with_tables(deals=book.deals.assign(amount=0.0), changes=changes)
    found = train(worthless, UNTIL, TINY)

    assert (found.calls["expected_value"] == 0).all()
    assert np.isinf(found.calls["walk_away_above"]).all()
