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
