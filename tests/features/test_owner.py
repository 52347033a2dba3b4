import pytest

from walkaway.asof.history import History
from walkaway.config import FeatureSettings
from walkaway.errors import UsageError
from walkaway.features import build_features, plan_features

DEALS = "deal_id | created_at | owner_id\n" + "\n".join(
    f"d{i:02d} | 2026-01-01 | {['ann', 'bob'][i % 2]}" for i in range(48)
)
KNOWN = FeatureSettings(owner_identity=True)


@pytest.fixture
def book(make_book):
    return make_book(deals=DEALS, fixed=("owner_id",))


def test_the_owner_is_used_only_if_switched_on(book):
    assert [name for name in plan_features(book).columns if "owner" in name] == ["owner_open_deals"]
    assert "owner" in plan_features(book, KNOWN).columns


def test_an_owner_is_a_code_into_the_frozen_names(book, snapshots):
    plan = plan_features(book, KNOWN)
    frame = build_features(History(book).at(snapshots("d00 2026-01-02", "d01 2026-01-02")), plan)

    assert frame["owner"].tolist() == [0.0, 1.0]
    assert next(planned for planned in plan.features if planned.feature == "owner").categories == ("ann", "bob")


def test_a_switched_on_owner_can_still_be_denied(book):
    assert "owner" not in plan_features(book, FeatureSettings(owner_identity=True, denied=("owner",))).columns


def test_to_allow_the_owner_without_the_switch_is_refused(book):
    with pytest.raises(UsageError, match=r"train\.features\.owner_identity is off"):
        plan_features(book, FeatureSettings(allowed=("owner", "timing")))


def test_an_owner_that_may_change_is_never_a_feature(make_book):
    assert "owner" not in plan_features(make_book(deals=DEALS), KNOWN).columns
