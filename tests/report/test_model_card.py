from dataclasses import replace

import pandas as pd
import pytest

from walkaway.audit import Audit
from walkaway.formatting import LocaleFormat
from walkaway.report.model_card import model_card
from walkaway.training.promotion import Promotion, promoted_without_comparison

pytest_plugins = ("tests.books",)

EUR = LocaleFormat("en_GB", "EUR")
VERSION = "20250804-0123456789ab"


LOST = ("log_loss_lost", "log_loss_lost_low", "log_loss_lost_high", "skill_lost", "skill_lost_low", "skill_lost_high")
STALE = pd.DataFrame({"days_older": [30.0], "calls": [9], "deals": [5]} | dict.fromkeys(LOST, 0.01), index=[1])


@pytest.fixture(scope="module")
def card(trained):
    judged = replace(trained, tables=trained.tables | {"staleness": STALE})
    return model_card(judged, VERSION, promoted_without_comparison("the first model"), EUR)


def test_what_retraining_less_often_costs_is_told(card):
    assert "| 30 days | 0.0100 (0.0100 to 0.0100) | 0.010 (0.010 to 0.010) |" in card


def test_every_section_is_there_in_order(card):
    titles = [line for line in card.splitlines() if line.startswith("#")]

    assert titles == [
        f"# Model card: walkaway {VERSION}",
        "## Intended use",
        "## What it must not be used for",
        "## What it learned from",
        "## Leak audit",
        "## Win probability, tested on later deals",
        "## Calibration",
        "## Ranking",
        "## Retraining less often",
        "## Hours and value",
        "## Where it fails",
        "## Promotion",
    ]


def test_it_says_that_a_person_decides_and_that_people_are_not_scored(card):
    assert "A\nperson decides" in card
    assert "It must not score people" in card


def test_the_figures_are_those_of_the_tables(card, trained):
    win = trained.tables["win"].loc["win_probability"]
    told = f"{win['log_loss']:.4f} ({win['log_loss_low']:.4f} to {win['log_loss_high']:.4f})"

    assert f"| this model | {win['auc']:.3f} | {told} |" in card
    hours = trained.tables["hours"].loc[("all", "all")]
    assert f"| remaining hours | {hours['ratio']:.2f} (" in card


def test_it_says_which_calls_were_measured_and_how_many(card):
    assert (
        "Measured on 213 of 573 out-of-time calls: those made by 31 May 2025, early enough for 95% of deals to end, "
        "which takes 65 days. All 63 deals called by then have ended." in card.replace("\n", " ")
    )


def test_a_book_too_young_to_judge_has_a_sentence_in_place_of_the_figures(trained):
    tables = {name: trained.tables[name] for name in ("hours", "skill")}
    facts = trained.model.facts.model_copy(update={"cohort": None, "mature_days": 141.4})
    young = replace(trained, model=replace(trained.model, facts=facts), tables=tables)
    card = model_card(young, VERSION, promoted_without_comparison("x"), EUR)

    assert "## Win probability, tested on later deals\n\nAUC and Brier score cannot be told yet." in card
    assert "| prediction by |" not in card


def test_the_data_window_and_the_assumed_hours_are_told(card, trained):
    facts = trained.model.facts

    assert f"{facts.deals:,} deals known until 4 Aug 2025, 00:00 UTC: {facts.won:,} won" in card
    hours = "call 0.25 h, email 0.1 h, meeting 1 h"
    assert f"{facts.assumed_hours_share:.0%} of the hours are assumed, not recorded ({hours})" in card


def test_a_model_of_few_deals_says_how_strongly_it_pools(card, trained):
    share = trained.model.facts.pooled_win

    assert share > 0.1
    assert f"- There are few deals, so {share:.0%} of the win head" in card


def test_what_was_left_out_is_told_with_its_evidence(trained):
    sources = pd.DataFrame(
        {
            "verdict": ["left out"],
            "rules": ["L1"],
            "evidence": ["alone tells the end"],
            "cannot_look": [""],
            "speaks_of_the_end": [""],
        },
        index=["deals.reason"],
    )
    audit = Audit(sources, sources.iloc[:0], ("deals.reason",), ())

    assert "- `deals.reason`: left out [L1] alone tells the end." in model_card(
        replace(trained, audit=audit), VERSION, promoted_without_comparison("x"), EUR
    )


def test_what_the_audit_cannot_tell_and_what_is_to_decide_stand_in_the_card(trained):
    sources = pd.DataFrame(
        {
            "verdict": "cannot tell",
            "rules": "",
            "evidence": "",
            "cannot_look": "the book has no dates",
            "speaks_of_the_end": ["total days", ""],
        },
        index=["deals.total_days", "deals.region"],
    )
    audit = Audit(sources, sources.iloc[:0], (), ())
    card = model_card(replace(trained, audit=audit), VERSION, promoted_without_comparison("x"), EUR).replace(
        "\n  ", " "
    )

    assert "None leaks the outcome, as far as it can be told." in card
    assert "- Cannot tell when these were filled in, since the book has no dates: total_days, region." in card
    assert "- To decide: the names of these speak of the end of a deal: total_days (total days). Leave out" in card


def test_a_failing_slice_is_named(trained):
    table = trained.tables["by_slice"].copy()
    table.loc[("all", "all"), "fails"] = "too high"
    card = model_card(
        replace(trained, tables=trained.tables | {"by_slice": table}), VERSION, promoted_without_comparison("x"), EUR
    )

    assert "- all: too high (" in card


def test_without_signal_it_says_so_first(trained):
    card = model_card(
        replace(trained, model=replace(trained.model, signal=False)), VERSION, promoted_without_comparison("x"), EUR
    )

    assert card.splitlines()[2].startswith("**No signal: ")


def test_a_book_without_slices_or_money_is_told_so(trained):
    facts = trained.model.facts.model_copy(update={"currency": ""})
    tables = {name: table for name, table in trained.tables.items() if name != "by_slice"}
    bare = replace(trained, model=replace(trained.model, facts=facts, undated=True), tables=tables)
    card = model_card(bare, VERSION, promoted_without_comparison("x"), EUR)

    assert "## Where it fails\n\nNot measured by slice." in card
    assert ", money in" not in card
    assert "than the base rate on other deals." in card


def test_a_model_that_is_not_promoted_says_so(trained):
    assert model_card(trained, VERSION, Promotion(False, "not better"), EUR).endswith(
        "## Promotion\n\nNot promoted: not better.\n"
    )


def test_what_beats_the_model_stands_first(trained):
    beaten = ({"measure": "log loss", "by": "logistic", "gain": -0.01, "low": -0.02, "high": -0.005},)
    model = replace(trained.model, facts=trained.model.facts.model_copy(update={"beaten_by": beaten}))
    text = model_card(replace(trained, model=model), VERSION, promoted_without_comparison("the first model"), EUR)

    assert text.splitlines()[2] == (
        "**Logistic regression predicts better than this model on later deals: its log loss is lower by 0.0100 (90%: "
        "0.0050 to 0.0200).**"
    )


def test_a_curve_of_young_folds_is_told_first(trained):
    facts = trained.model.facts.model_copy(update={"young_curve": True})
    young = replace(trained, model=replace(trained.model, facts=facts))
    told = model_card(young, VERSION, promoted_without_comparison("the first model"), EUR)

    assert told.splitlines()[2].startswith("**The history is too short to test a bar well")
