import numpy as np
import pandas as pd
import pytest
from tests.books import plain_model, settings_of

from walkaway.book.io import read_book, write_book
from walkaway.book.schema import Book, Manifest
from walkaway.config import (
    AuditSettings,
    BoosterSettings,
    CheckSettings,
    FeatureSettings,
    HeadSettings,
    ScoreSettings,
    TrainSettings,
)
from walkaway.errors import BookError, DataError, UsageError
from walkaway.explaining import explain
from walkaway.features import plan_features
from walkaway.importers.mapping import load_mapping
from walkaway.importers.table import import_table
from walkaway.models.bundle import load_bundle, save_bundle
from walkaway.monitoring import check
from walkaway.scoring import score_undated, summary_undated
from walkaway.scoring.batch import run_batch
from walkaway.scoring.score import score
from walkaway.training.run import retrain
from walkaway.training.undated import _Settled, train_undated

FEW = BoosterSettings(trees=30, learning_rate=0.1, leaves=4, least_rows_in_leaf=5)
SETTINGS = TrainSettings(folds=3, bootstrap=50, heads=HeadSettings(members=2, threads=1, timeless=FEW))
FIXED = ("product", "budget", "amount")


def undated_book(deals=240, seed=0, signal=True, **columns) -> Book:
    """A book without dates: deals with a budget are won three times in four, others once."""
    rng = np.random.default_rng(seed)
    budget = rng.choice(["yes", "no"], deals)
    won = rng.random(deals) < np.where(budget == "yes", 0.75, 0.25) if signal else rng.random(deals) < 0.5
    rows = {
        "deal_id": [f"d{i:03d}" for i in range(deals)],
        "created_at": pd.NaT,
        "outcome": np.where(np.arange(deals) % 8 == 0, None, np.where(won, "won", "lost")),
        "product": rng.choice(["a", "b", "c"], deals),
        "budget": budget,
        "amount": 100.0,
    }
    manifest = Manifest(source="test", currency="EUR", timeless=True, fixed_at_creation=FIXED)
    return Book.of(manifest, deals=pd.DataFrame(rows | columns))


@pytest.fixture(scope="module")
def book():
    return undated_book()


@pytest.fixture(scope="module")
def trained(book):
    return train_undated(book, SETTINGS)


def test_a_model_without_dates_predicts_wins(trained):
    win = trained.tables["win"]

    assert trained.model.signal
    assert win.loc["win_probability", "auc"] > 0.65
    assert win.loc["win_probability", "log_loss_high"] < win.loc["base_rate", "log_loss"]


def test_deals_that_are_alike_stand_in_one_fold(trained):
    """Each combination is one group, so that all its deals were called by the one model that saw none of them."""
    per_group = trained.calls.groupby("alike")["raw"].nunique()

    assert trained.calls["alike"].nunique() == 6
    assert per_group.tolist() == [1] * 6
    assert len(trained.calls) == 210


def test_copies_count_once_where_they_are_told_apart_from_others(trained):
    pairs = trained.calls[["alike", "won"]].drop_duplicates()

    assert trained.model.facts.distinct == len(pairs) == 12
    assert set(trained.tables) == {"win", "win_distinct"}


def test_only_what_a_deal_is_counts_and_no_moment_is_asked_for(book):
    assert plan_features(book).columns == ["attribute[budget]", "attribute[product]"]


def test_value_per_hour_is_empty_and_every_verdict_unsure(book, trained):
    table = score_undated(book, trained.model, ScoreSettings(reasons=0))

    assert len(table) == 30
    assert set(table["verdict"]) == {"unsure"}
    assert table[["as_of", "remaining_hours", "value_per_hour", "bar"]].isna().all(axis=None)
    assert (table["value_if_won"] == 100.0).all()
    assert table["expected_value"].is_monotonic_decreasing
    assert table["win_probability"].between(0, 1, inclusive="neither").all()


def test_calls_in_plain_numbers(book, trained):
    told = summary_undated(score_undated(book, trained.model, ScoreSettings(reasons=0)))

    assert (told["open_deals"], told["verdicts"], told["timeless"]) == (30, {"unsure": 30}, True)


def test_a_check_without_dates_compares_open_deals_with_closed_ones_by_what_they_are(book, trained):
    open_deals = book.deals["outcome"].isna()
    renamed = book.deals.assign(product=book.deals["product"].mask(open_deals, "d"))
    calm = {f.code: f for f in check(book, trained.model, CheckSettings(), None).findings}
    changed = {f.code: f for f in check(book.with_tables(deals=renamed), trained.model, CheckSettings(), None).findings}

    assert [calm[code].level for code in sorted(calm)] == ["ok"] * 3 + ["cannot_tell"] * 4
    assert (
        calm["D5"].sentence
        == "Cannot tell: this book has no dates, so only the attributes of its deals can be compared."
    )
    assert (changed["D2"].level, changed["D3"].level) == ("act", "ok")  # a new value is pooled, it is not missing
    assert "attribute[product] 'd' (100% of open deals)" in changed["D2"].sentence


def test_a_check_without_dates_and_without_open_deals_cannot_tell(book, trained):
    closed = book.with_tables(deals=book.deals[book.deals["outcome"].notna()])

    assert check(closed, trained.model, CheckSettings(), None).level == "cannot_tell"


def test_a_model_without_dates_survives_the_disk(book, trained, tmp_path):
    read = load_bundle(save_bundle(trained.model, tmp_path))
    once, again = (
        score_undated(book, model, ScoreSettings(reasons=0)).drop(columns="model_version")
        for model in (trained.model, read)
    )

    assert read.undated
    pd.testing.assert_frame_equal(once, again, check_exact=True)


def test_the_same_book_gives_the_same_model(book, trained, tmp_path):
    shuffled = book.with_tables(deals=book.deals.sample(frac=1, random_state=1).reset_index(drop=True))
    names = {save_bundle(train_undated(b, SETTINGS).model, tmp_path).name for b in (book, shuffled)}

    assert names == {save_bundle(trained.model, tmp_path).name}


def test_without_signal_the_base_rate_is_published():
    book = undated_book(signal=False)
    trained = train_undated(book, SETTINGS)

    assert not trained.model.signal
    assert set(score_undated(book, trained.model, ScoreSettings(reasons=0))["win_probability"]) == {
        trained.model.facts.base_rate
    }


def test_too_few_of_either_are_refused():
    with pytest.raises(DataError, match=r"needs 20 won and 20 lost deals; found \d+ won and \d+ lost"):
        train_undated(undated_book(30), SETTINGS)


def test_deals_of_too_few_kinds_are_refused():
    """Two kinds, of which one always wins: a fold that holds one of them out has seen one outcome only."""
    kind = np.where(np.arange(240) % 2 == 0, "x", "y")
    book = undated_book(product=kind, budget="yes", outcome=np.where(kind == "x", "won", "lost"))
    allowed = AuditSettings(allowed=("deals.product",))
    for folds in (2, 3):
        with pytest.raises(DataError, match="have only 2 different combinations of attribute values"):
            train_undated(book, SETTINGS.model_copy(update={"folds": folds, "audit": allowed}))


def test_a_book_without_attributes_is_refused_with_the_remedy(book):
    bare = book.with_tables(deals=book.deals.drop(columns=["product", "budget"]))
    with pytest.raises(DataError, match=r"learned from by attributes only.*\[deals\.attributes\]"):
        train_undated(bare, SETTINGS)


def test_denied_attributes_are_left_out(book):
    settings = SETTINGS.model_copy(update={"features": FeatureSettings(denied=("attribute[budget]",))})

    assert train_undated(book, settings).model.plan.columns == ["attribute[product]"]


def test_a_book_all_of_whose_deals_are_closed_has_nothing_to_call(book, trained):
    closed = book.with_tables(deals=book.deals[book.deals["outcome"].notna()])
    with pytest.raises(UsageError, match="each has an outcome"):
        score_undated(closed, trained.model, ScoreSettings(reasons=0))


def test_books_and_models_with_and_without_dates_do_not_mix(book, trained):
    dated = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]}))
    at = pd.DatetimeIndex([pd.Timestamp("2026-01-06", tz="UTC")])
    with pytest.raises(DataError, match="this book has dates, and the model was trained on a book without dates"):
        score(dated, trained.model, at, ScoreSettings(forgo=0.1))
    with pytest.raises(DataError, match=r"has no dates, and the model was trained on a book with dates.*--promote"):
        score_undated(book, plain_model(), ScoreSettings(reasons=0))
    with pytest.raises(UsageError, match="no deal can be scored as of a moment"):
        explain(book, trained.model, ["d000"], at[0], ScoreSettings(forgo=0.1))
    with pytest.raises(BookError, match="needs a book with dates, and this book has none"):
        book.last_recorded_at()


def test_a_book_that_lacks_what_the_model_uses_is_refused_with_the_remedy(book, trained):
    fewer = book.with_tables(deals=book.deals.drop(columns="budget"))
    with pytest.raises(DataError, match=r"uses attribute\[budget\], and this book has no such column.*--promote"):
        score_undated(fewer, trained.model, ScoreSettings(reasons=0))
    numbers = book.with_tables(deals=book.deals.assign(budget=1.0))
    with pytest.raises(DataError, match="has it as numbers where the model expects text"):
        score_undated(numbers, trained.model, ScoreSettings(reasons=0))


def test_a_model_that_knows_owners_refuses_a_book_that_does_not_fix_them(book):
    owners = np.where(np.arange(240) % 2 == 0, "ann", "bob")
    fixed = book.manifest.model_copy(update={"fixed_at_creation": (*FIXED, "owner_id")})
    owned = book.with_tables(deals=book.deals.assign(owner_id=owners), manifest=fixed)
    known = SETTINGS.model_copy(update={"features": FeatureSettings(owner_identity=True)})
    model = train_undated(owned, known).model

    assert "owner" in model.plan.columns
    with pytest.raises(DataError, match="uses the owner of a deal, and this book does not declare owners fixed"):
        score_undated(book, model, ScoreSettings(reasons=0))


def test_a_book_in_other_money_is_refused(book, trained):
    dollars = book.with_tables(manifest=book.manifest.model_copy(update={"currency": "USD"}))
    with pytest.raises(
        DataError, match=r"amounts are in USD, and the model was trained on amounts in EUR.*money\.currency = 'EUR'"
    ):
        score_undated(dollars, trained.model, ScoreSettings(reasons=0))


def test_a_training_without_dates_is_kept(book, tmp_path):
    write_book(book, tmp_path / "book")
    read, settings = read_book(tmp_path / "book"), settings_of().model_copy(update={"train": SETTINGS})
    done = retrain(read, tmp_path / "models", None, settings)
    assert done.promoted
    more = settings.model_copy(update={"train": SETTINGS.model_copy(update={"floor_hours": 0.2})})
    again = retrain(read, tmp_path / "models", None, more)
    assert (again.promoted, again.decision.reason[:20]) == (False, "without dates nobody")
    assert done.trained.model.facts.book == read.manifest.fingerprint


def test_a_nightly_batch_needs_dates(book, trained, tmp_path):
    write_book(book, tmp_path / "book")
    with pytest.raises(DataError, match="has no dates, so batch cannot check how old it is"):
        run_batch(
            tmp_path / "book",
            tmp_path / "models",
            tmp_path / "out",
            settings_of(),
            pd.Timestamp("2026-01-01", tz="UTC"),
        )


def test_real_deals_without_dates_are_told_apart_on_rows_that_are_no_copies(shared):
    """With 448 deals the AUC of all methods moves by 0.01 with how folds fall; log loss tells them apart."""
    found = import_table(
        [shared("data/salvirt_b2b/Salvirt_B2B_ML_dataset.csv")],
        load_mapping("salvirt_b2b"),
        pd.Timestamp("2026-01-01", tz="UTC"),
    )
    trained = train_undated(found.book, TrainSettings(bootstrap=50))

    assert (found.rows_in, found.rows_used, len(found.quarantine)) == (448, 448, 0)
    assert "No dates" in found.notes[0]
    assert trained.model.signal
    assert trained.tables["win_distinct"].loc["win_probability", "auc"] >= 0.81
    assert (trained.tables["win_distinct"].loc[["plain_lightgbm", "logistic"], "gain_low"] > 0).all()
    assert "attribute[owner_id]" not in trained.model.plan.columns


@pytest.mark.parametrize("mapped_as", ["amount", "measure"])
def test_63_an_amount_fixed_at_creation_tells_who_wins(shared, mapped_as):
    folder = shared("cases/63-timeless-amount")
    named = load_mapping(str(folder / f"timeless_{mapped_as}.toml"))
    found = import_table([folder / "timeless_amount.csv"], named, pd.Timestamp("2026-01-01", tz="UTC"))
    trained = train_undated(found.book, TrainSettings(bootstrap=50))

    assert trained.tables["win"].loc["win_probability", "auc"] == pytest.approx(0.85, abs=0.03)
    assert any(column in trained.model.plan.columns for column in ("amount", "measure[cost]"))


def test_a_model_that_knows_amounts_refuses_a_book_that_does_not_fix_them(book):
    varied = book.with_tables(deals=book.deals.assign(amount=np.arange(240.0)))
    changing = book.manifest.model_copy(update={"fixed_at_creation": ("product", "budget")})
    model = train_undated(varied, SETTINGS).model

    with pytest.raises(DataError, match=r"does not declare amounts fixed\. Name amount under fixed_at_creation"):
        score_undated(Book.of(changing, deals=varied.deals), model, ScoreSettings(reasons=0))
    assert len(score_undated(varied, model, ScoreSettings(reasons=0))) == 30


def test_an_amount_that_may_have_changed_since_is_no_feature(book):
    changing = Book.of(book.manifest.model_copy(update={"fixed_at_creation": ("product", "budget")}), deals=book.deals)
    varied = changing.with_tables(deals=changing.deals.assign(amount=np.arange(240.0)))

    assert "amount" not in train_undated(varied, SETTINGS).model.plan.columns


def created_book(drift: bool) -> Book:
    """Deals created one a day; with drift, those with a budget are won in the first half only."""
    made = undated_book()
    days = pd.to_datetime("2025-01-01", utc=True) + pd.to_timedelta(np.arange(240), unit="D")
    deals = made.deals.assign(created_at=days.astype("datetime64[us, UTC]"))
    if drift:
        turned = deals["outcome"].map({"won": "lost", "lost": "won"})
        deals["outcome"] = deals["outcome"].where(np.arange(240) < 120, turned)
    return made.with_tables(deals=deals)


def test_where_creation_is_known_the_deals_tested_on_were_created_later():
    trained = train_undated(created_book(drift=False), SETTINGS)

    assert trained.model.facts.tested_by_creation
    assert trained.model.tested_on == "later"
    assert (trained.model.facts.won, trained.model.facts.lost) == (87, 123)
    assert len(trained.calls) < 210
    assert trained.calls["deal_id"].min() > "d05"  # of four parts the first is only learned from
    assert trained.tables["win"].loc["win_probability", "auc"] > 0.65


def test_what_was_true_of_earlier_deals_only_is_no_skill():
    in_order, mixed = created_book(drift=True), undated_book()
    mixed = mixed.with_tables(deals=in_order.deals.assign(created_at=pd.Series(pd.NaT, dtype="datetime64[us, UTC]")))
    tables = [train_undated(tested, SETTINGS).tables["win"] for tested in (in_order, mixed)]

    assert tables[0].loc["win_probability", "auc"] < 0.45
    assert tables[1].loc["win_probability", "auc"] > 0.45


def test_deals_created_at_one_moment_are_tested_like_those_without_a_date():
    made = undated_book()
    at_once = made.deals.assign(created_at=pd.Timestamp("2025-01-01", tz="UTC"))
    trained = train_undated(made.with_tables(deals=at_once), SETTINGS)

    assert not trained.model.facts.tested_by_creation
    assert len(trained.calls) == 210


def test_deals_without_a_date_are_learned_from_and_not_tested_on():
    made = created_book(drift=False)
    deals = made.deals.assign(created_at=made.deals["created_at"].where(np.arange(240) % 3 > 0))
    trained = train_undated(made.with_tables(deals=deals), SETTINGS)

    assert set(trained.calls["deal_id"]) <= set(deals.loc[deals["created_at"].notna(), "deal_id"])


def test_each_part_is_judged_on_deals_created_later_than_all_it_is_fitted_on():
    created_at = pd.Series(pd.to_datetime(["2025-01-03", None, "2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04"]))
    won = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    deals = _Settled(np.zeros((6, 1), dtype=np.float32), won, np.arange(6)).in_order(created_at, 2)

    assert [(fit.tolist(), judge.tolist()) for fit, judge in deals.parts(2, seed=0)] == [
        ([1, 2], [0, 3, 4]),
        ([0, 1, 2, 3, 4], [5]),
    ]
