from dataclasses import replace
from pathlib import Path

import pytest
from tests.books import CURVE
from tests.screens import broken_numbers, shown, too_long, words

from walkaway.economics import Curve
from walkaway.formatting import LocaleFormat
from walkaway.models import Facts
from walkaway.report.terminal.training_tables import cohort_sentence, show_training
from walkaway.training.promotion import Comparison, Promotion
from walkaway.training.run import Retrained

pytest_plugins = ("tests.books",)

EUR = LocaleFormat("en_GB", "EUR")


@pytest.fixture(scope="module")
def done(trained):
    gained = Comparison(
        "20250101-ffffffffffff", "bundle", "2025-01-02", 900, 120, 80, 0.01, -0.002, 0.022, 0.1, 0.02, 0.2
    )
    decision = Promotion(False, "not better than 20250101-ffffffffffff at 90% confidence", (gained,))
    return Retrained(trained, Path("models/20250804-0123456789ab"), "3", "20250101-ffffffffffff", decision)


@pytest.fixture(scope="module")
def screens(done, trained):
    blind = replace(trained, model=replace(trained.model, signal=False), tables={})
    return {
        "training": show_training(done, EUR),
        "training without signal": show_training(replace(done, trained=blind), EUR),
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

    assert "171 deals known until 4 Aug 2025, 00:00 UTC: 61 won, 77 lost, 33 open." in text
    assert (
        "1,375 events, 30 features, 897 snapshots (14% of them from deals that are still open). 11% of the hours are "
        "assumed, not recorded." in text
    )
    assert (
        "Measured on 213 of 573 out-of-time calls: those made by 31 May 2025, early enough for 95% of deals to end, "
        "which takes 65 days. All 63 deals called by then have ended." in text
    )
    assert "Of all 573 out-of-time calls; an open deal counts with what the model expects of it." in text


@pytest.mark.parametrize(
    ("still_open", "said"), [(2, "2 of the 7 deals called by then are"), (1, "1 of the 7 deals called by then is")]
)
def test_deals_that_are_still_open_are_counted_where_it_says_what_was_measured(still_open, said):
    cohort = {"share": 0.9, "days": 141.0, "made_by": "2025-05-31T04:00:00+00:00", "calls": 9, "deals": 7}
    facts = Facts(cohort=cohort | {"still_open": still_open}, out_of_time_calls=20, out_of_time_settled=15)

    assert cohort_sentence(facts, EUR) == (
        "Measured on 9 of 20 out-of-time calls: those made by 31 May 2025, early enough for 90% of deals to end, which "
        f"takes 141 days. {said} still open and left out."
    )


def test_a_book_too_young_to_judge_gets_a_sentence_and_no_table_of_wins(done):
    tables = {name: done.trained.tables[name] for name in ("hours", "skill")}
    facts = done.trained.model.facts.model_copy(update={"cohort": None, "mature_days": 141.4})
    model = replace(done.trained.model, facts=facts)
    text = words(shown(show_training(replace(done, trained=replace(done.trained, tables=tables, model=model)), EUR)))

    assert (
        "AUC and Brier score cannot be told yet. Deals of this book need up to 141 days to end, and too few won and "
        "lost deals were called that long before its last day. Of 573 out-of-time calls 446 are on deals that have "
        "ended, mostly those that end quickly; figures of these alone would mislead." in text
    )
    assert "Win probability, tested on later deals" not in text
    assert "Walk-away skill" in text


def test_the_training_screen_names_the_model_in_use(done):
    text = words(shown(show_training(done, EUR)))
    other = words(shown(show_training(replace(done, champion=done.folder.name), EUR)))

    assert "Model 20250804-0123456789ab, version 3 in MLflow: saved, not in use." in text
    assert text.endswith("saved, not in use. In use is 20250101-ffffffffffff")
    assert other.endswith("Model 20250804-0123456789ab, version 3 in MLflow: in use (champion)")


def test_the_training_screen_says_that_a_training_without_mlflow_is_not_logged(done):
    text = words(shown(show_training(replace(done, registered=None), EUR)))

    assert "Model 20250804-0123456789ab, no version in MLflow: saved, not in use." in text
    assert text.endswith("To log it: pip install 'walkaway[mlflow]'.")


def test_each_baseline_stands_beside_the_model(screens, trained):
    lines = shown(screens["training"]).splitlines()
    auc = trained.tables["win"]["auc"]
    for label, name in (
        ("this model", "win_probability"),
        ("logistic regression", "logistic"),
        ("naive Bayes, as in Odoo", "naive_bayes"),
        ("win rate of the stage", "stage_rate"),
        ("base rate", "base_rate"),
    ):
        assert [line for line in lines if line.startswith(label) and f"{auc[name]:.3f}" in line] != []


def test_without_signal_the_screen_says_so(screens):
    text = words(shown(screens["training without signal"]))

    assert (
        "No signal: on later deals the model is no better than the base rate, which is used instead. Every verdict is "
        "unsure." in text
    )
    assert "No bar can be set, because the model cannot tell which deals will be won." in text
    assert "No signal" not in shown(screens["training"])
    assert "No bar can be set" not in shown(screens["training"])


def test_without_a_curve_a_bar_by_hand_is_proposed(done):
    model = replace(done.trained.model, curve=Curve((), (), (), ()))
    text = words(shown(show_training(replace(done, trained=replace(done.trained, model=model)), EUR)))

    assert "No curve: too few settled deals to test a bar on. Set a bar by hand with --bar." in text


def test_the_gates_decision_is_shown_with_its_figures(done):
    said = words(shown(show_training(done, EUR)))

    assert "with 20250101-ffffffffffff, by bundle: 80 settled deals from 2 Jan 2025" in said
    assert "log loss gain +0.0100 (-0.0020 to +0.0220); skill gain +0.100 (+0.020 to +0.200)" in said
    assert "Not promoted: not better than 20250101-ffffffffffff at 90% confidence." in said


def test_a_curve_is_shown_at_five_shares_and_called_an_estimate(done):
    model = replace(done.trained.model, curve=CURVE)
    text = shown(show_training(replace(done, trained=replace(done.trained, model=model)), EUR))
    [_, below] = text.split("Hours saved and value lost by a bar")
    rows = [line.split() for line in below.splitlines() if " EUR " in line]

    assert "Hours saved and value lost by a bar (an estimate)" in text
    assert rows == [["0.0%", "EUR", "10", "10%", "9"]] * 3 + [["10.0%", "EUR", "20", "50%", "5"]] * 2


def pooled(done, signal: bool, **shares) -> str:
    facts = done.trained.model.facts.model_copy(update={"pooled_win": 0.7, "pooled_hours": 0.9} | shares)
    model = replace(done.trained.model, signal=signal, facts=facts)
    return words(shown(show_training(replace(done, trained=replace(done.trained, model=model)), EUR)))


def test_few_deals_are_told_by_how_much_the_heads_pool(done):
    assert "few deals, so 70% of the win head and 90% of the hours head come from a regularised linear model" in pooled(
        done, True
    )
    assert "few deals, so 90% of the hours head comes from a regularised linear model" in pooled(done, False)
    assert "few deals" not in pooled(done, True, pooled_win=0.09, pooled_hours=0.0)


BEATEN = (
    {"measure": "log loss", "by": "plain_lightgbm", "gain": -0.0123, "low": -0.02, "high": -0.004},
    {"measure": "walk-away skill", "by": "younger", "gain": -0.25, "low": -0.3, "high": -0.2},
)
CHOSEN = {
    "win": {"entry": "medium", "trees": 150, "leaves": 8, "linear_share": 0.0, "losses": {"usual": 0.6, "medium": 0.58}}
    | {"margin": 0.02, "error": 0.005, "deals": 1_267, "trees_grown": 1_100},
    "hours": {"entry": "usual", "trees": 75, "leaves": 4, "linear_share": 0.0, "losses": {"usual": 0.6, "medium": 0.7}}
    | {"margin": 0.0, "error": 0.0, "deals": 80, "trees_grown": 900},
    "worth": {"entry": "usual", "trees": 75, "leaves": 4, "linear_share": 0.0, "losses": {}},
}


def with_facts(done, **facts):
    model = replace(done.trained.model, facts=done.trained.model.facts.model_copy(update=facts))
    return replace(done, trained=replace(done.trained, model=model))


def test_a_model_that_is_beaten_says_so_first(done):
    text = words(shown(show_training(with_facts(done, beaten_by=BEATEN), EUR)))

    assert text.startswith(
        "Plain LightGBM predicts better than this model on later deals: its log loss is lower by 0.0123 (90%: 0.0040 "
        "to 0.0200). Youngest first ranks deals better than this model on later deals: its walk-away skill is higher "
        "by 0.250 (90%: 0.200 to 0.300)."
    )


def test_the_chosen_shapes_are_shown_with_margin_and_cost(done):
    text = words(shown(show_training(with_facts(done, capacity=CHOSEN), EUR)))

    assert (
        "Win head: medium, 150 trees of 8 leaves. On 1,267 held-out deals its loss is lower than that of the usual "
        "shape by 0.0200 (standard error 0.0050). The choice grew 1,100 trees." in text
    )
    assert "Hours head: usual, 75 trees of 4 leaves. On 80 held-out deals the usual shape was best." in text
    assert "Value head" not in text


@pytest.mark.parametrize(
    ("share", "says"),
    [(1.0, "a linear model, learned by"), (0.5, "outcomes mixed with 50% of a linear model, learned by")],
)
def test_a_linear_model_is_called_one(done, share, says):
    linear = {"win": CHOSEN["win"] | {"entry": "linear", "linear_share": share}}

    assert f"Win head: linear, {says} 150 trees of 8 leaves." in words(
        shown(show_training(with_facts(done, capacity=linear), EUR))
    )
