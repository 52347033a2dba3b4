import pytest
from pydantic import ValidationError

from walkaway.config import (
    BatchSettings,
    BoosterSettings,
    CheckSettings,
    HeadSettings,
    ScoreSettings,
    Settings,
    TrainSettings,
)

# Defaults and ranges


def test_the_default_dial_forgoes_a_tenth():
    assert ScoreSettings() == ScoreSettings(forgo=0.10, bar=None, reasons=5)


def test_each_head_has_a_bag_of_five():
    assert HeadSettings().members == 5


def test_a_book_may_be_three_days_old():
    assert BatchSettings().max_age_days == 3


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        (BoosterSettings, {"trees": 0}, "trees\n.*greater than or equal to 1"),
        (BoosterSettings, {"feature_share": 0.0}, "feature_share\n.*greater than 0"),
        (BoosterSettings, {"row_share": 1.1}, "row_share\n.*less than or equal to 1"),
        (HeadSettings, {"members": 0}, "members\n.*greater than or equal to 1"),
        (HeadSettings, {"decay": 1.5}, "decay\n.*less than or equal to 1"),
        (TrainSettings, {"cadence_days": 0}, "cadence_days\n.*greater than 0"),
        (TrainSettings, {"floor_hours": 0}, "floor_hours\n.*greater than 0"),
        (TrainSettings, {"bootstrap": 19}, "bootstrap\n.*greater than or equal to 20"),
        (ScoreSettings, {"forgo": 1.01}, "forgo\n.*less than or equal to 1"),
        (ScoreSettings, {"bar": -1}, "bar\n.*greater than or equal to 0"),
        (BatchSettings, {"max_age_days": 0}, "max_age_days\n.*greater than 0"),
        (CheckSettings, {"chance": 0}, "chance\n.*greater than 0"),
        (
            CheckSettings,
            {"psi": {"watch": 0.3, "act": 0.2}},
            "psi\n.*watch must not be above act, found watch 0.3 and act 0.2",
        ),
        (BatchSettings, {"format": "xlsx"}, "format\n.*'csv' or 'parquet'"),
        (Settings, {"hours": {"call": -0.5}}, "hours.call\n.*greater than or equal to 0"),
        (Settings, {"colour": "red"}, "colour\n.*Extra inputs are not permitted"),
    ],
)
def test_a_setting_out_of_its_range_or_unknown_is_refused_by_name(kind, values, text):
    with pytest.raises(ValidationError, match=text):
        kind(**values)


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(ValidationError, match="Instance is frozen"):
        Settings().tracking_uri = "x"


def test_settings_read_back_from_json_are_the_settings():
    before = Settings(train=TrainSettings(cadence_days=0.5, heads=HeadSettings(seed=7)), tracking_uri="sqlite:///a")

    assert Settings.model_validate_json(before.model_dump_json()) == before


def test_the_thresholds_of_psi_are_the_customary_ones():
    assert (CheckSettings().psi.watch, CheckSettings().psi.act) == (0.10, 0.25)


# Options over settings


def test_an_option_for_one_dial_sets_the_other_back():
    settings = ScoreSettings(bar=2500.0, reasons=1)

    assert settings.overruled_by(forgo=0.2, bar=None) == ScoreSettings(forgo=0.2, bar=None, reasons=1)


def test_options_that_were_not_given_change_nothing():
    settings = ScoreSettings(bar=2500.0)

    assert settings.overruled_by(forgo=None, bar=None, reasons=None) == settings


def test_reasons_alone_leave_the_dials():
    assert ScoreSettings(bar=2500.0).overruled_by(reasons=2) == ScoreSettings(bar=2500.0, reasons=2)
