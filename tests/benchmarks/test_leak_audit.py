import numpy as np
import pytest
from tests.scripts import script

from walkaway.sample import make_sample

with script("benchmarks/leak_audit.py") as leaks:
    KINDS = list(leaks.PLANTS)


@pytest.fixture(scope="module")
def sample():
    return make_sample(800, seed=3).book


def planted(book, kind: str, strength: int):
    return leaks.PLANTS[kind][1 + strength](leaks.Deals(book, np.random.default_rng(0)))


def test_twelve_kinds_are_planted():
    assert len(KINDS) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_and_nothing_else_is_accused(sample, kind):
    suspects = leaks.audit_now(planted(sample, kind, 0)).suspects.index

    assert len(suspects) >= 1
    assert all(leaks.PLANTS[kind][0] in name for name in suspects)


def test_the_clean_book_is_accused_of_nothing(sample):
    assert leaks.audit_now(sample).suspects.empty


def test_a_leak_that_a_book_cannot_hold_is_said_to_be_so(sample):
    changes = sample.changes[sample.changes["field"] != "amount"]

    assert planted(sample.with_tables(changes=changes), "amount overwritten at the close", 1) is None
    assert leaks._said(None, "deals.amount") == "cannot be planted"


def test_bpic2012_is_accused_of_nothing(bpic2012):
    assert leaks.audit_now(bpic2012.book).suspects.empty


def test_a_column_planted_in_bpic2012_is_found(bpic2012):
    found = leaks.audit_now(planted(bpic2012.book, "post-sale field", 1))

    assert found.left_out == ("deals.steward",)


@pytest.fixture(scope="module")
def late():
    return leaks.slow_losses(1_500, seed=3)


def test_slow_losses_and_a_new_campaign_are_accused_of_nothing(late):
    new = late.deals[late.deals["campaign"] == "spring"]["outcome"]

    assert (new == "won").sum() > 10
    assert not (new == "lost").any()
    assert new.isna().sum() > 30
    assert leaks.audit_now(late).suspects.empty


def test_a_leak_among_slow_losses_is_found(late):
    planted = leaks._planted(late, "close reason", leaks.PLANTS["close reason"][1], 0)

    assert leaks._said(planted, "deals.close_reason") == "L1 L3 L5"


def test_what_a_flat_book_does_not_record_cannot_be_planted(late):
    kind = "days in stage computed at the end"

    assert leaks._planted(late, kind, leaks.PLANTS[kind][1], 0) is None


def test_without_dates_columns_of_the_end_are_left_out_or_to_decide_by_their_names(late):
    table = leaks.end_of_cycle({"late": late})

    assert table["late, as shipped"].str.split(":").str[0].isin(["left out", "to decide"]).all()
    assert table.loc["Total Days Identified Through Closing", "late, as shipped"].startswith("left out: L1")
    assert table.loc["Ratio Days Validated To Total Days", "late, as shipped"] == "to decide: total days"
    assert table.loc["Ratio Days Validated To Total Days", "late, named figure"] == "cannot tell"
