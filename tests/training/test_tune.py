import sys

import pandas as pd
import pytest
from tests.books import END_DAY, TINY, book_with_signal, day

from walkaway.asof.history import known
from walkaway.cli.options import budget_of
from walkaway.config import BoosterSettings
from walkaway.errors import DataError, UsageError
from walkaway.training.tune import PATIENCE, TRIED, Budget, Tuned, _boundaries, tune

pytest_plugins = ("tests.books",)

NOW = day(END_DAY)


@pytest.fixture(scope="module")
def tuned(book):
    return tune(book, NOW, TINY, Budget(trials=4))


@pytest.fixture(scope="module")
def since(book):
    return _boundaries(known(book, NOW), NOW, 7.0)[-1]


def test_the_first_trial_is_the_settings_given(tuned):
    """Each drawn into the range that is tried: twelve trees become a hundred."""
    first = tuned.trials.loc[0]

    assert (first["trees"], first["leaves"], first["least_rows_in_leaf"]) == (100, 6, 20)
    assert (first["learning_rate"], first["l2"]) == (0.15, TINY.heads.win.l2)


def test_each_trial_says_what_it_tried_and_how_it_fared(tuned):
    assert tuned.trials.index.tolist() == [0, 1, 2, 3]
    assert set(tuned.trials["state"]) <= {"complete", "pruned"}
    assert {*TRIED, "decay", "log_loss"} <= set(tuned.trials.columns)
    assert tuned.trials["log_loss"].dropna().between(0.1, 2).all()


def test_the_same_trials_are_tried_again(book, tuned):
    pd.testing.assert_frame_equal(tune(book, NOW, TINY, Budget(trials=4)).trials, tuned.trials)


def test_no_trial_sees_what_the_best_one_is_judged_on(book, tuned, since):
    """All that closes in the last stretch ends the other way: the trials are the same, and the judgement is not."""
    other = book.deals["outcome"].map({"won": "lost", "lost": "won"})
    late = book.deals["closed_at"] > since
    turned = book.with_tables(deals=book.deals.assign(outcome=book.deals["outcome"].where(~late, other)))
    again = tune(turned, NOW, TINY, Budget(trials=4))

    assert late.sum() > 30
    pd.testing.assert_frame_equal(again.trials, tuned.trials)
    assert again.unseen["log_loss_gain"] != tuned.unseen["log_loss_gain"]


def test_the_judgement_counts_the_deals_that_settled_after_the_last_boundary(book, tuned, since):
    assert pd.Timestamp(tuned.unseen["since"]) == since
    assert 0 < tuned.unseen["settled_deals"] <= int((book.deals["closed_at"] > since).sum())
    assert tuned.unseen["log_loss_gain_low"] <= tuned.unseen["log_loss_gain"] <= tuned.unseen["log_loss_gain_high"]


def test_settings_that_can_hardly_learn_are_replaced(book):
    """A head of one stump, beside any trial."""
    poor = BoosterSettings(trees=1, leaves=2, learning_rate=0.001, least_rows_in_leaf=200)
    given = TINY.model_copy(update={"heads": TINY.heads.model_copy(update={"win": poor})})
    found = tune(book, NOW, given, Budget(trials=3))

    assert found.used
    assert found.unseen["log_loss_gain"] > 0
    assert found.settings.heads.win.trees >= 100
    assert found.settings.heads.members == TINY.heads.members
    assert found.settings.heads.hours == TINY.heads.hours


def test_what_is_no_better_on_unseen_deals_is_not_used():
    """Without signal whatever is tried gains nothing but luck; where luck is against it, the given settings stay."""
    found = [tune(book_with_signal(signal=False, seed=s), NOW, TINY, Budget(trials=2)) for s in (0, 1, 2)]

    assert [one.used for one in found] == [one.unseen["log_loss_gain"] > 0 for one in found]
    assert all(one.settings == TINY for one in found if not one.used)


def test_time_is_a_budget_too(book):
    assert len(tune(book, NOW, TINY, Budget(seconds=0.01)).trials) == 1


def test_progress_is_told(book):
    told = []
    tune(book, NOW, TINY, Budget(trials=2), lambda *step: told.append(step))

    assert told == [("tuning", 0, 2), ("tuning", 1, 2), ("tuning", 2, 2), ("judging what was tuned", 0, 1)]


def test_a_study_that_finds_nothing_better_stops(book, monkeypatch):
    monkeypatch.setattr("walkaway.training.tune._Fold.loss", lambda fold, settings: 0.5)

    assert len(tune(book, NOW, TINY, Budget(trials=500)).trials) == PATIENCE + 1


def test_a_book_too_young_is_refused_with_the_moment(book):
    with pytest.raises(DataError, match=r"^--tune needs won and lost deals that settled before 2025-0\d-\d\d"):
        tune(book, day(40), TINY, Budget(trials=2))


def test_without_optuna_the_command_to_install_it_is_named(book, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(UsageError, match=r"pip install 'walkaway\[tune\]'"):
        tune(book, NOW, TINY, Budget(trials=2))


def test_the_outcome_is_plain_json(tuned):
    told = tuned.as_json()

    assert sum(told["trials"].values()) == 4
    assert told["best"].keys() == {*TRIED, "decay"}
    assert all(isinstance(value, (int, float)) for value in told["best"].values())
    complete = tuned.trials[tuned.trials["state"] == "complete"]
    assert told["best"]["trees"] == complete.loc[complete["log_loss"].idxmin(), "trees"]


def test_a_pruned_trial_is_never_the_best(tuned):
    """What it reports is the loss of its first folds only."""
    pruned = tuned.trials.assign(state=["pruned", *tuned.trials["state"].iloc[1:]], log_loss=[0.0, 0.9, 0.8, 0.9])
    pruned["state"] = ["pruned", "complete", "complete", "complete"]

    assert Tuned(tuned.settings, pruned, {}, True).values()["trees"] == tuned.trials["trees"].loc[2]


def test_the_settings_used_are_as_precise_as_those_printed(book):
    poor = BoosterSettings(trees=1, leaves=2, learning_rate=0.001, least_rows_in_leaf=200)
    given = TINY.model_copy(update={"heads": TINY.heads.model_copy(update={"win": poor})})
    found = tune(book, NOW, given, Budget(trials=3))
    win = found.settings.heads.win

    assert {name: float(f"{value:.4g}") for name, value in found.values().items() if name in ("l2", "row_share")} == {
        "l2": win.l2,
        "row_share": win.row_share,
    }


def test_what_is_no_number_is_null_in_json(tuned):
    told = Tuned(tuned.settings, tuned.trials, {"skill_gain": float("nan")}, False).as_json()

    assert told["unseen"] == {"skill_gain": None}


@pytest.mark.parametrize(
    ("text", "seconds", "trials"), [("40", None, 40), ("90s", 90.0, None), ("10m", 600.0, None), ("1.5h", 5400.0, None)]
)
def test_a_budget_is_a_number_of_trials_or_a_time(text, seconds, trials):
    assert budget_of(text) == Budget(seconds, trials)


@pytest.mark.parametrize("text", ["", "0", "-3", "4.5", "m", "0s", "infs", "10 minutes"])
def test_another_budget_is_refused(text):
    with pytest.raises(UsageError, match=r"must be a number of trials such as 40, or a time such as 90s, 10m or 2h"):
        budget_of(text)


def test_no_budget_is_none():
    assert budget_of(None) is None
