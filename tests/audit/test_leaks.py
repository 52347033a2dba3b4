import numpy as np
import pandas as pd
import pytest
from tests.books import TINY, UNTIL

from walkaway.asof.history import History, known
from walkaway.audit import audit_book
from walkaway.book.schema import MOMENT, Book
from walkaway.config import AuditSettings, TrainSettings
from walkaway.errors import DataError, UsageError
from walkaway.models.model import read_rows
from walkaway.sample import Durations, FlatShape, make_flat_sample
from walkaway.training.fitting import audit_as_of
from walkaway.training.train import train
from walkaway.training.undated import train_undated

pytest_plugins = ("tests.books",)


def with_column(book: Book, name: str, values) -> Book:
    fixed = (*book.manifest.fixed_at_creation, name)
    manifest = book.manifest.model_copy(update={"fixed_at_creation": fixed})
    return book.with_tables(deals=book.deals.assign(**{name: values}), manifest=manifest)


@pytest.fixture(scope="module")
def leaky(book):
    """With a reason that is written at the close."""
    reason = book.deals["loss_reason"].fillna(book.deals["outcome"].map({"won": "signed"}))
    return with_column(book, "close_reason", reason)


@pytest.fixture(scope="module")
def leaky_training(leaky):
    return train(leaky, UNTIL, TINY)


def allowing(*names: str):
    return TINY.model_copy(update={"audit": AuditSettings(allowed=names)})


def test_a_clean_book_is_accused_of_nothing(book):
    found = audit_as_of(book, UNTIL, TINY)

    assert found.suspects.empty
    assert (found.left_out, found.denied) == ((), ())


def test_every_column_kind_role_and_field_is_listed_with_its_verdict(book):
    found = audit_as_of(book, UNTIL, TINY).sources

    assert found["verdict"].to_dict() == {
        "deals.owner_id": "ok",
        "deals.loss_reason": "not used",
        "deals.amount": "not used",
        "changes.amount": "ok",
        "changes.margin": "ok",
        "changes.stage": "ok",
        "changes.stage=new": "ok",
        "changes.stage=offer": "ok",
        "activities.call": "ok",
        "activities.email": "ok",
        "activities.meeting": "ok",
    }


def test_every_feature_is_listed_with_what_it_separates_alone_and_lagged(book, trained):
    found = audit_as_of(book, UNTIL, TINY).features

    assert set(trained.model.plan.columns) <= set(found.index)
    assert found.loc["touches_by[inbound]", "separation_last"] > found.loc["touches_by[inbound]", "separation_first"]


def test_a_suspect_is_left_out_of_the_features(leaky_training):
    assert leaky_training.audit.left_out == ("deals.close_reason",)
    assert leaky_training.model.plan.left_out == ("deals.close_reason",)
    assert "attribute[close_reason]" not in leaky_training.model.plan.columns


def test_a_suspect_left_out_trains_the_model_of_the_book_without_it(leaky_training, trained):
    """Same boosters to the byte as those of the clean book."""
    assert leaky_training.model.heads.win.bag.texts() == trained.model.heads.win.bag.texts()
    pd.testing.assert_frame_equal(leaky_training.tables["win"], trained.tables["win"])


def test_the_model_says_what_was_left_out_and_why(leaky_training):
    [told] = leaky_training.model.facts.left_out

    assert (told["name"], told["verdict"]) == ("deals.close_reason", "left out")
    assert told["evidence"].startswith("alone predicts the outcome with AUC 1.00")


def test_a_suspect_allowed_by_name_stays_in(leaky):
    found = train(leaky, UNTIL, allowing("deals.close_reason"))

    assert found.audit.sources.loc["deals.close_reason", "verdict"] == "allowed"
    assert "attribute[close_reason]" in found.model.plan.columns
    assert found.tables["win"].loc["win_probability", "auc"] > 0.94


def test_allowing_what_does_not_exist_is_refused(leaky):
    with pytest.raises(UsageError, match=r"named deals\.close_reasons\. Did you mean deals\.close_reason\?"):
        audit_as_of(leaky, UNTIL, allowing("deals.close_reasons"))


def test_what_is_recorded_after_until_is_not_looked_at(leaky):
    whole, cut = (audit_as_of(one, UNTIL, TINY) for one in (leaky, known(leaky, UNTIL)))

    pd.testing.assert_frame_equal(whole.sources.drop("deals.amount"), cut.sources.drop("deals.amount"))
    pd.testing.assert_frame_equal(whole.features, cut.features)


def with_work_before_winning(book: Book, kind: str, times: int) -> Book:
    """Each won deal gets so many of these, dated eight days before its close."""
    won = book.deals[book.deals["outcome"] == "won"]
    won = won.loc[won.index.repeat(times)]
    at = (won["closed_at"] - pd.Timedelta(days=8)).to_numpy()
    names = [f"b{i}" for i in range(len(won))]
    rows = pd.DataFrame({"activity_id": names, "deal_id": won["deal_id"].to_numpy(), "kind": kind})
    rows = rows.assign(occurred_at=at, recorded_at=at, hours=2.0)
    return Book.of(book.manifest, **{**book.tables(), "activities": pd.concat([book.activities, rows])})


@pytest.fixture(scope="module")
def back_dated(book):
    return with_work_before_winning(book, "onboarding", 1)


def test_an_event_left_out_is_in_no_feature_of_training_or_scoring(book, back_dated):
    found = train(back_dated, UNTIL, TINY)
    asked = found.calls[["deal_id", "as_of"]]
    plan = found.model.plan

    assert found.audit.left_out == ("activities.onboarding",)
    with_it, without = (read_rows(History(one), asked, plan).X for one in (back_dated, book))
    np.testing.assert_array_equal(with_it, without)


def test_hours_of_an_event_left_out_still_count_as_hours(book, back_dated):
    """It tells the end, and it took time all the same."""
    with_it, without = (train(one, UNTIL, TINY).calls["remaining_hours_truth"].sum() for one in (back_dated, book))

    assert with_it > without + 50


def test_a_feature_that_separates_too_well_before_the_close_is_denied(book):
    """Calls are honest, and forty of them dated back to before each win are not: no single kind or column tells."""
    found = audit_as_of(with_work_before_winning(book, "call", 40), UNTIL, TINY)

    assert found.left_out == ()
    assert "touches" in found.denied
    assert found.features.loc["touches", ["verdict", "rules"]].tolist() == ["left out", "L13"]
    assert found.features.loc["age_days", "verdict"] == "ok"


def test_a_denied_feature_is_in_no_model_unless_allowed(book):
    doubtful = with_work_before_winning(book, "call", 40)
    without, with_it = (train(doubtful, UNTIL, one).model.plan.columns for one in (TINY, allowing("features.touches")))

    assert "touches" not in without
    assert "touches" in with_it


@pytest.fixture(scope="module")
def undated(leaky):
    manifest = leaky.manifest.model_copy(update={"timeless": True})
    empty = {name: table.iloc[:0] for name, table in leaky.tables().items() if name not in ("deals", "accounts")}
    no_moment = pd.Series(pd.NaT, index=leaky.deals.index, dtype=MOMENT)
    deals = leaky.deals.assign(created_at=no_moment, closed_at=no_moment)
    return leaky.with_tables(deals=deals, manifest=manifest, **empty)


def test_without_dates_columns_are_audited_all_the_same(undated):
    found = audit_book(undated, None, AuditSettings())

    assert found.left_out == ("deals.close_reason",)
    assert found.features.empty


def test_a_book_with_nothing_left_says_what_the_audit_left_out(undated):
    with pytest.raises(DataError, match=r"The leak audit left out deals\.close_reason\.$"):
        train_undated(undated, TINY)


SLOW = FlatShape(days=500, won=Durations(12.0), lost=Durations(20.0, after=100.0))
SLOW_UNTIL = pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=SLOW.days)


@pytest.mark.parametrize("seed", range(4))
def test_where_losses_come_late_nothing_is_accused(seed):
    found = audit_as_of(make_flat_sample(1_500, seed, SLOW).book, SLOW_UNTIL, TrainSettings())

    assert found.suspects.empty
    assert found.features.loc["age_days", "separation_last"] > 0.97  # wins are quick here


def test_a_new_campaign_that_has_only_wins_so_far_is_not_accused():
    book = make_flat_sample(1_500, 5, SLOW).book
    new = book.deals["created_at"] > SLOW_UNTIL - pd.Timedelta(days=90)
    marked = book.deals.assign(campaign=book.deals["campaign"].mask(new, "campaign new"))
    settled = marked[new & marked["outcome"].notna()]
    found = audit_as_of(book.with_tables(deals=marked), SLOW_UNTIL, TrainSettings())

    assert len(settled) > 30
    assert (settled["outcome"] == "won").all()
    assert found.left_out == ()


def test_a_field_filled_at_the_close_is_found_where_losses_come_late():
    book = make_flat_sample(1_500, 5, SLOW).book
    signed = book.deals.assign(signed_by=book.deals["outcome"].map({"won": "the buyer"}))
    fixed = (*book.manifest.fixed_at_creation, "signed_by")
    manifest = book.manifest.model_copy(update={"fixed_at_creation": fixed})
    found = audit_as_of(book.with_tables(deals=signed, manifest=manifest), SLOW_UNTIL, TrainSettings())

    assert found.left_out == ("deals.signed_by",)


def flat(deals=400, **columns):
    """A flat sample book, with more columns declared fixed at creation."""
    book = make_flat_sample(deals, 4).book
    for name, values in columns.items():
        book = with_column(book, name, values(book) if callable(values) else values)
    return book


def without_dates(book: Book) -> Book:
    manifest = book.manifest.model_copy(update={"timeless": True})
    deals = book.deals.assign(created_at=pd.NaT, closed_at=pd.NaT)
    return Book.of(manifest, deals=deals[deals["outcome"].notna()].reset_index(drop=True))


ATTRIBUTES = ["deals.amount", "deals.segment", "deals.campaign", "deals.region", "deals.employees", "deals.visits"]


def test_without_dates_no_column_can_be_told_and_each_is_named():
    found = audit_book(without_dates(flat()), None, AuditSettings())

    assert found.cannot_tell == {"the book has no dates": ATTRIBUTES}
    assert set(found.sources.loc[ATTRIBUTES, "verdict"]) == {"cannot tell"}


def test_columns_without_a_history_are_named_and_those_with_one_are_not():
    book = flat()
    rows = book.deals[["deal_id"]].assign(field="region", recorded_at=book.deals["created_at"], new_value="west")
    found = audit_as_of(book.with_tables(changes=rows), book.last_recorded_at(), TINY)

    without = [name for name in ATTRIBUTES if name != "deals.region"]
    assert found.cannot_tell == {"no history of them is recorded": without}
    assert set(found.sources.loc[ATTRIBUTES, "verdict"]) == {"ok"}


def test_where_few_deals_had_time_to_end_nothing_can_be_told():
    book = flat(30)
    [[why, names]] = audit_as_of(book, book.last_recorded_at(), TINY).cannot_tell.items()

    assert why.startswith("of the deals that had time to end only ")
    assert why.endswith(" lost are known, and 20 of each are needed")
    assert names == ATTRIBUTES


def test_a_name_that_speaks_of_the_end_is_flagged_and_still_used():
    days = np.random.default_rng(0).integers(1, 90, 400).astype(float)
    found = audit_book(without_dates(flat(total_days=days[:400])), None, AuditSettings())

    assert found.to_decide == {"deals.total_days": "total days"}
    assert found.left_out == ()


def test_a_name_that_the_user_allows_is_flagged_no_more():
    days = np.random.default_rng(0).integers(1, 90, 400).astype(float)
    book = without_dates(flat(total_days=days))

    assert audit_book(book, None, AuditSettings(allowed=("deals.total_days",))).to_decide == {}


def test_what_a_rule_leaves_out_is_not_for_the_user_to_decide():
    book = without_dates(flat(result=lambda book: book.deals["outcome"]))
    found = audit_book(book, None, AuditSettings())

    assert found.left_out == ("deals.result",)
    assert found.to_decide == {}
    assert "deals.result" not in found.cannot_tell["the book has no dates"]


def test_columns_that_no_feature_reads_are_neither_flagged_nor_doubted(book):
    found = audit_as_of(book, UNTIL, TINY)

    assert "deals.loss_reason" in found.sources.index
    assert (found.to_decide, found.cannot_tell) == ({}, {"no history of them is recorded": ["deals.owner_id"]})
