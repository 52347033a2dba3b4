import numpy as np
import pandas as pd
import pytest
from tests.monitoring.conftest import SETTINGS

from walkaway.config import CheckSettings
from walkaway.formatting import LocaleFormat
from walkaway.monitoring.outcomes import age_finding, gap_to_expected, outcome_findings


def test_the_gap_counts_outcomes_and_what_is_still_expected():
    looks = pd.DataFrame(
        {
            "settled": [True, True, False],
            "won": [1.0, 0.0, np.nan],
            "win_then": [0.5, 0.5, 0.25],
            "win_now": [np.nan, np.nan, 0.5],
            "hours_then": [2.0, 2.0, 4.0],
            "hours_booked": [3.0, 1.0, 2.0],
            "hours_now": [np.nan, np.nan, 6.0],
        }
    )
    wins, hours = outcome_findings(looks, True, {}, CheckSettings(least_deals=2), LocaleFormat())

    assert (wins.figures["expected"], wins.figures["came"], wins.figures["gap"]) == (1.25, 1.5, pytest.approx(0.2))
    assert (hours.figures["expected"], hours.figures["came"]) == (8.0, 12.0)
    assert (wins.figures["settled_only"]["expected"], wins.figures["settled_only"]["came"]) == (1.0, 1.0)
    assert wins.sentence.startswith(
        "Of 3 deals, 1.2 wins were expected; 1 came so far and 0.5 more are expected: 20% more"
    )


def test_findings_write_their_numbers_by_locale():
    looks = pd.DataFrame({"settled": [True] * 3000, "won": 1.0, "win_then": 0.5, "win_now": np.nan})
    looks = looks.assign(hours_then=2.0, hours_booked=1.0, hours_now=np.nan)
    wins, hours = outcome_findings(looks, True, {}, SETTINGS, LocaleFormat("de_DE"))
    age = age_finding(1500.0, 2000.0, 7.0, 1234, SETTINGS, LocaleFormat("de_DE"))

    assert wins.found.startswith("Of 3.000 deals, 1.500,0 wins were expected; 3.000 came so far and 0,0 more")
    assert wins.note.startswith("Among the 3.000 settled deals alone, 1.500,0 wins were expected and 3.000 came.")
    assert hours.found.startswith("6.000 hours were expected; 3.000 are booked and 0 more are expected: 50 % fewer")
    assert age.found.startswith("The model was trained 1.500 days ago on 2.000 days of history; 1.234 deals")


def test_the_level_is_decided_on_the_nearer_end_of_the_interval():
    rng = np.random.default_rng(0)
    few, many = rng.random(20) < 0.35, rng.random(2000) < 0.35

    assert gap_to_expected(np.full(20, 0.5), few.astype(float), 200)["surely"] < 0.05
    surely = gap_to_expected(np.full(2000, 0.5), many.astype(float), 200)
    assert surely["surely"] == -surely["high"] > 0.2


def test_quick_deals_that_are_mostly_lost_are_not_a_gap():
    """Deals that will be lost close at once, those that will be won stay open, and the model knows it by then."""
    then, won = np.full(100, 0.4), np.r_[np.zeros(60), np.full(40, np.nan)]
    looks = pd.DataFrame({"settled": ~np.isnan(won), "won": won, "win_then": then, "win_now": 1.0})
    looks = looks.assign(hours_then=1.0, hours_booked=1.0, hours_now=0.0)
    wins = outcome_findings(looks, True, {}, SETTINGS, LocaleFormat())[0]

    assert (wins.level, wins.figures["gap"]) == ("ok", pytest.approx(0.0))
    assert wins.figures["settled_only"]["gap"] == -1.0


@pytest.mark.parametrize(("age", "level"), [(24.9, "ok"), (25.1, "watch"), (50.1, "act")])
def test_the_level_of_age_depends_on_the_share_of_the_training_history(age, level):
    assert age_finding(age, 100.0, 7.0, 5, SETTINGS, LocaleFormat()).level == level


def test_an_old_model_is_to_be_trained_again_and_a_young_one_is_not():
    old, young = (age_finding(age, 100.0, 7.0, 5, SETTINGS, LocaleFormat()) for age in (26.0, 25.0))

    assert (old.level, old.remedy, old.found.endswith("settled since.")) == ("watch", "Retrain the model.", True)
    assert (young.level, young.remedy, young.found.endswith("It is recent enough.")) == ("ok", "", True)
