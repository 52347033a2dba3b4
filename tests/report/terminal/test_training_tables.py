from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.books import CURVE, TINY
from tests.screens import broken_numbers, shown, too_long, words

from walkaway.economics import Curve
from walkaway.report.terminal.training_tables import show_training
from walkaway.training.promotion import Comparison, Promotion
from walkaway.training.run import Retrained
from walkaway.training.tune import TRIED, Tuned

pytest_plugins = ("tests.books",)


@pytest.fixture(scope="module")
def done(trained):
    gained = Comparison(
        "20250101-ffffffffffff", "bundle", "2025-01-02", 900, 120, 80, 0.01, -0.002, 0.022, 0.1, 0.02, 0.2
    )
    decision = Promotion(False, "not better than 20250101-ffffffffffff", (gained,))
    return Retrained(trained, Path("models/20250804-0123456789ab"), "3", "20250101-ffffffffffff", decision)


@pytest.fixture(scope="module")
def screens(done, trained):
    blind = replace(trained, model=replace(trained.model, signal=False), tables={})
    return {
        "training": show_training(done),
        "training without signal": show_training(replace(done, trained=blind)),
    }


@pytest.mark.parametrize("name", ["training", "training without signal"])
def test_no_line_is_longer_than_80_columns_and_nothing_is_cut(screens, name):
    text = shown(screens[name])

    assert too_long(text) == []
    assert "…" not in text
    assert len(text.splitlines()) > 2


def test_no_number_is_broken_over_two_lines_at_80_columns(screens):
    assert broken_numbers(screens["training"]) == set()


def test_a_screen_without_a_terminal_holds_no_escape_codes(screens):
    assert [name for name, screen in screens.items() if "\x1b" in shown(screen)] == []


def test_the_training_screen_says_what_went_in(screens):
    text = words(shown(screens["training"]))

    assert "171 deals known until 2025-08-04T00:00: 61 won, 77 lost, 33 open." in text
    assert (
        "1,375 events, 897 snapshots (14% of them of deals still open), 30 features. Share of hours assumed: 11%."
        in text
    )
    assert "573 out-of-time calls, 446 of them settled since" in text


def test_the_training_screen_names_the_model_in_use(done):
    text = words(shown(show_training(done)))
    other = words(shown(show_training(replace(done, champion=done.folder.name))))

    assert "Model 20250804-0123456789ab, version 3 in MLflow: kept" in text
    assert text.endswith("kept; in use is 20250101-ffffffffffff")
    assert other.endswith("Model 20250804-0123456789ab, version 3 in MLflow: in use (champion)")


def test_the_training_screen_says_that_a_training_without_mlflow_is_not_logged(done):
    text = words(shown(show_training(replace(done, registered=None))))

    assert "Model 20250804-0123456789ab, no version in MLflow: kept" in text
    assert text.endswith("To log it: pip install 'walkaway[mlflow]'.")


def test_each_baseline_stands_beside_the_model(screens, trained):
    lines = shown(screens["training"]).splitlines()
    auc = trained.tables["win"]["auc"]
    for label, name in (
        ("this model", "win_probability"),
        ("logistic regression", "logistic"),
        ("naive Bayes, as Odoo", "naive_bayes"),
        ("win rate of the stage", "stage_rate"),
        ("base rate", "base_rate"),
    ):
        assert [line for line in lines if line.startswith(label) and f"{auc[name]:.3f}" in line] != []


def test_without_signal_the_screen_says_so(screens):
    text = words(shown(screens["training without signal"]))

    assert (
        "No signal: out of time no better than the base rate. It is published instead; each verdict is unsure." in text
    )
    assert "No signal" not in shown(screens["training"])


def test_without_a_curve_a_bar_by_hand_is_proposed(done):
    model = replace(done.trained.model, curve=Curve((), (), (), ()))
    text = words(shown(show_training(replace(done, trained=replace(done.trained, model=model)))))

    assert "No curve: too few settled deals to try a bar on. Set one by hand with --bar." in text


def test_the_promotion_is_shown_with_its_figures(done):
    said = words(shown(show_training(done)))

    assert "beside 20250101-ffffffffffff by bundle, 80 deals settled, from 2025-01-02:" in said
    assert "log loss gain +0.0100 (90%: -0.0020 to +0.0220); skill gain +0.100 (90%: +0.020 to +0.200)" in said
    assert "Not promoted: saved, not in use. Reason: not better than 20250101-ffffffffffff." in said


TRIALS = pd.DataFrame(
    {"state": ["complete", "complete", "pruned"], "log_loss": [0.51, 0.5, None]}
    | {name: [1.0, 100.0, 3.0] for name in (*TRIED, "decay")}
)
GAINS = ("log_loss_gain", "log_loss_gain_low", "log_loss_gain_high", "skill_gain", "skill_gain_low", "skill_gain_high")
UNSEEN = {"since": "2025-06-01T00:00:00+00:00", "settled_deals": 70} | dict.fromkeys(GAINS, 0.01)


def test_what_tuning_gained_on_unseen_deals_is_shown_with_the_settings_to_keep(done):
    said = words(shown(show_training(replace(done, tuned=Tuned(TINY, TRIALS, UNSEEN, True)))))

    assert "Tuning: 3 trials (2 complete, 1 pruned)." in said
    assert "On 70 deals after 2025-06-01, which no trial saw, the best gains in log loss +0.0100" in said
    assert "train.heads = { decay = 100, win = { trees = 100, learning_rate = 100," in said


def test_tuning_that_gained_nothing_says_what_was_trained_with(done):
    said = words(shown(show_training(replace(done, tuned=Tuned(TINY, TRIALS, UNSEEN, False)))))

    assert "That is no gain, so the settings given were trained with." in said
    assert "walkaway.toml" not in said


def test_a_curve_is_shown_at_five_shares_and_called_an_estimate(done):
    model = replace(done.trained.model, curve=CURVE)
    text = shown(show_training(replace(done, trained=replace(done.trained, model=model))))
    [_, below] = text.split("What a bar frees")
    rows = [line.split() for line in below.splitlines() if " EUR " in line]

    assert "What a bar frees and forgoes (an estimate)" in text
    assert rows == [["0.0%", "EUR", "10", "10%", "9"]] * 3 + [["10.0%", "EUR", "20", "50%", "5"]] * 2


def pooled(done, signal: bool, **shares) -> str:
    facts = done.trained.model.facts.model_copy(update={"pooled_win": 0.7, "pooled_hours": 0.9} | shares)
    model = replace(done.trained.model, signal=signal, facts=facts)
    return words(shown(show_training(replace(done, trained=replace(done.trained, model=model)))))


def test_few_deals_are_told_by_how_much_the_heads_pool(done):
    assert "heads pool: 70% of what the win head learns and 90% of what the hours head learns is" in pooled(done, True)
    assert "heads pool: 90% of what the hours head learns is" in pooled(done, False)
    assert "heads pool" not in pooled(done, True, pooled_win=0.09, pooled_hours=0.0)
