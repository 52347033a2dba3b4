import pytest

from walkaway.config import FeatureSettings, TrainSettings
from walkaway.errors import DataError, UsageError
from walkaway.features import plan_features
from walkaway.features.choice import refuse_unknown
from walkaway.training.train import train

DEALS = "deal_id | created_at | amount\n" + "\n".join(f"d{i} | 2026-01-01 | 500" for i in range(20))
CHANGES = "deal_id | field | recorded_at | new_value\n" + "\n".join(
    f"d{i} | stage | 2026-01-02 | offer" for i in range(20)
)


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(deals=DEALS, changes=CHANGES, fixed=("amount",))


def columns(book, **choice):
    return plan_features(book, FeatureSettings(**choice)).columns


@pytest.fixture(scope="module")
def everything(book):
    return plan_features(book).columns


def test_without_a_choice_all_is_planned(book, everything):
    assert columns(book) == everything
    assert {"age_days", "amount", "stage"} <= set(everything)


def test_a_denied_feature_stays_out(book, everything):
    assert columns(book, denied=("age_days",)) == [name for name in everything if name != "age_days"]


def test_a_denied_family_stays_out_whole(book):
    left = plan_features(book, FeatureSettings(denied=("stage",))).features

    assert {planned.declared.family for planned in left} == {"timing", "amount"}


def test_a_denied_column_leaves_its_feature_to_other_words(book, everything):
    [column, *_] = [name for name in everything if "[offer]" in name]

    assert columns(book, denied=(column,)) == [name for name in everything if name != column]


def test_only_what_is_allowed_is_planned(book):
    assert columns(book, allowed=("age_days",)) == ["age_days"]


def test_what_is_denied_stays_out_though_it_is_allowed(book):
    assert columns(book, allowed=("age_days", "stage"), denied=("stage",)) == ["age_days"]


@pytest.mark.parametrize("setting", ["allowed", "denied"])
def test_a_name_that_does_not_exist_is_refused_with_the_nearest(book, setting):
    text = rf"^train\.features\.{setting}: no feature, family or column is called age_day\. Did you mean age_days\?$"

    with pytest.raises(UsageError, match=text):
        columns(book, **{setting: ("age_day",)})


def test_a_column_of_a_word_unknown_as_yet_may_be_denied_in_a_plan(book, everything):
    [column, *_] = [name for name in everything if "[offer]" in name]

    assert columns(book, denied=(column.replace("offer", "never"),)) == everything


def test_a_column_that_the_whole_book_does_not_make_is_refused(everything):
    [column, *_] = [name for name in everything if "[offer]" in name]
    wrong = column.replace("offer", "offers")

    with pytest.raises(UsageError) as caught:
        refuse_unknown(FeatureSettings(denied=(wrong,)), everything)
    assert f"is called {wrong}. Did you mean " in str(caught.value)


def test_a_choice_that_leaves_nothing_is_refused(book):
    with pytest.raises(DataError, match=r"train\.features leaves no feature that this book can fill\. Allow more"):
        columns(book, allowed=("age_days",), denied=("timing",))


def test_training_refuses_a_column_that_its_book_does_not_make_before_it_begins(book, everything):
    [column, *_] = [name for name in everything if "[offer]" in name]
    settings = TrainSettings(features=FeatureSettings(denied=(column.replace("offer", "offers"),)))

    with pytest.raises(UsageError, match=r"train\.features\.denied: no feature"):
        train(book, book.last_recorded_at(), settings)
