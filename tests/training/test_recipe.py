import pandas as pd
import pytest
from tests.books import TINY, UNTIL, day

from walkaway.asof.history import History
from walkaway.asof.snapshots import open_snapshots
from walkaway.models.base_rates import PastDeals
from walkaway.models.model import make_calls, read_rows
from walkaway.models.reference_profile import ReferenceProfile
from walkaway.training.recipe import fit_and_backtest, judged_of
from walkaway.training.train import train_to_call

pytest_plugins = ("tests.books",)


@pytest.fixture(scope="module")
def rows(book, trained):
    return read_rows(History(book), open_snapshots(book, pd.DatetimeIndex([day(215)])), trained.model.plan)


def test_a_recipe_fitted_to_judge_says_what_the_trained_model_says(book, trained, rows):
    fitted = fit_and_backtest(book, UNTIL, TINY)
    mine, theirs = (make_calls(model, rows, 70.0).table for model in (fitted.model(), trained.model))
    said = ["win_probability", "value_if_won", "remaining_hours", "value_per_hour", "no_decision_if_lost"]

    pd.testing.assert_frame_equal(mine[said], theirs[said], check_exact=True)
    pd.testing.assert_frame_equal(fitted.backtest.calls, trained.calls, check_exact=True)
    assert fitted.signal is trained.model.signal is True


def test_a_model_trained_to_call_makes_the_calls_of_the_trained_model_and_picks_its_bars(book, trained, rows):
    model = train_to_call(book, UNTIL, TINY)
    mine, theirs = (make_calls(one, rows, 70.0) for one in (model, trained.model))

    pd.testing.assert_frame_equal(mine.table, theirs.table, check_exact=True)
    assert mine.walk_away_above.tolist() == theirs.walk_away_above.tolist()
    unmeasured = trained.model.facts.model_copy(update={"beaten_by": ()})  # baselines are measured by `train` alone
    assert (model.curve, model.facts, model.wait_table) == (
        trained.model.curve,
        unmeasured,
        trained.model.wait_table,
    )
    assert (model.past_deals, model.reference) == (PastDeals(), ReferenceProfile())


@pytest.mark.parametrize(
    ("settled", "won", "left"),
    [([True, True, False], [1.0, 0.0, 0.5], 2), ([True, True, False], [1.0, 1.0, 0.0], 0), ([False] * 3, [1.0] * 3, 0)],
)
def test_only_settled_calls_of_both_kinds_judge(settled, won, left):
    assert len(judged_of(pd.DataFrame({"settled": settled, "won": won}))) == left


def test_without_calls_nothing_is_judged():
    assert judged_of(pd.DataFrame()).empty
