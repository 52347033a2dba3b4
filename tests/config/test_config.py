import datetime as dt
import os
import sys
from subprocess import run

import pytest
from pydantic import ValidationError

from walkaway.config import (
    BatchSettings,
    BoosterSettings,
    CheckSettings,
    HeadSettings,
    Levels,
    MoneySettings,
    ScoreSettings,
    Settings,
    TrainSettings,
    masked,
    rate_on,
    read_settings,
)
from walkaway.errors import DataError, UsageError


@pytest.fixture
def given(monkeypatch, tmp_path):
    """Settings read in an empty folder, from the text of walkaway.toml, if any, and these variables alone."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.upper().startswith("WALKAWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def read(toml=None, file=None, **variables):
        if toml is not None:
            (tmp_path / "walkaway.toml").write_text(toml, encoding="utf-8")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return read_settings(file)

    return read


def refused(read, text, *arguments, **variables):
    with pytest.raises(UsageError, match=text) as caught:
        read(*arguments, **variables)
    assert "\n" not in str(caught.value)


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
        (CheckSettings, {"psi": {"watch": 0.3, "act": 0.2}}, "psi\n.*watch must not lie above act, found 0.3 and 0.2"),
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


def test_making_settings_reads_neither_file_nor_environment(given):
    given("[train]\nfolds = 2", WALKAWAY_SCORE__FORGO="0.3")

    assert (Settings().train.folds, Settings().score.forgo) == (4, 0.1)


def test_importing_the_package_and_its_settings_loads_no_heavy_library():
    code = "import sys, walkaway.config, walkaway.cli; print([m for m in HEAVY if m in sys.modules])"
    heavy = "HEAVY = ('mlflow', 'lightgbm', 'shap', 'sklearn', 'pandas', 'matplotlib')"
    done = run([sys.executable, "-c", f"{heavy}\n{code}"], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_the_thresholds_of_psi_are_the_customary_ones():
    assert (CheckSettings().psi.watch, CheckSettings().psi.act) == (0.10, 0.25)


# Where settings come from


def test_without_file_and_variables_all_is_default(given):
    found = given()

    assert (found.settings, found.origins) == (Settings(), {})


def test_the_file_of_the_working_directory_is_read(given):
    found = given("[train]\ncadence_days = 1\n[hours]\nCall = 0.5")

    assert (found.settings.train.cadence_days, found.settings.hours) == (1.0, {"Call": 0.5})
    assert found.origins == {"train.cadence_days": "file walkaway.toml", "hours.Call": "file walkaway.toml"}


def test_a_variable_wins_over_the_file_setting_by_setting(given):
    found = given("[train]\ncadence_days = 1\nfolds = 2", WALKAWAY_TRAIN__CADENCE_DAYS="7")

    assert (found.settings.train.cadence_days, found.settings.train.folds) == (7.0, 2)
    assert found.origins["train.cadence_days"] == "environment WALKAWAY_TRAIN__CADENCE_DAYS"
    assert found.origins["train.folds"] == "file walkaway.toml"


def test_walkaway_config_names_another_file(given, tmp_path):
    (tmp_path / "b.toml").write_text("[train]\nfolds = 3")

    assert given("[train]\nfolds = 2", WALKAWAY_CONFIG="b.toml").settings.train.folds == 3


def test_a_file_named_by_the_caller_comes_before_walkaway_config(given, tmp_path):
    (tmp_path / "b.toml").write_text("[train]\nfolds = 3")

    assert given(file=tmp_path / "b.toml", WALKAWAY_CONFIG="none.toml").settings.train.folds == 3


def test_a_bar_of_the_file_gives_way_to_a_share_to_forgo_of_the_environment(given):
    found = given("[score]\nbar = 2500\nreasons = 2", WALKAWAY_SCORE__FORGO="0.2").settings.score

    assert found == ScoreSettings(forgo=0.2, bar=None, reasons=2)


def test_one_setting_of_a_head_leaves_its_others_as_that_head_has_them(given):
    assert given("[train.heads.win]\ntrees = 9").settings.train.heads.win == BoosterSettings(
        trees=9, leaves=4, least_rows_in_leaf=120, feature_share=0.8
    )


def test_one_threshold_leaves_the_other_as_it_is(given):
    assert given("[check.age]\nact = 0.9").settings.check.age == Levels(watch=0.25, act=0.9)


def test_lists_in_variables_are_json(given):
    found = given(WALKAWAY_TRAIN__FEATURES__DENIED='["stage"]')

    assert found.settings.train.features.denied == ("stage",)


def test_a_file_with_a_byte_order_mark_is_read(given):
    assert given("\ufeff[train]\nfolds = 2").settings.train.folds == 2


def test_the_variables_that_are_no_settings_are_passed_over(given):
    assert given(WALKAWAY_DEBUG="1", WALKAWAY_CONFIG="").settings == Settings()


# The tracking server


@pytest.mark.parametrize(
    ("toml", "variables", "uri", "origin"),
    [
        (None, {"MLFLOW_TRACKING_URI": "m"}, "m", "environment MLFLOW_TRACKING_URI"),
        ("tracking_uri = 'f'", {"MLFLOW_TRACKING_URI": "m"}, "f", "file walkaway.toml"),
        ("tracking_uri = 'f'", {"WALKAWAY_TRACKING_URI": "w"}, "w", "environment WALKAWAY_TRACKING_URI"),
        (None, {"WALKAWAY_TRACKING_URI": "w", "MLFLOW_TRACKING_URI": "m"}, "w", "environment WALKAWAY_TRACKING_URI"),
        (None, {"WALKAWAY_TRACKING_URI": ""}, None, None),
    ],
)
def test_the_tracking_server_is_walkaways_variable_then_the_file_then_mlflows(given, toml, variables, uri, origin):
    found = given(toml, **variables)

    assert (found.settings.tracking_uri, found.origins.get("tracking_uri")) == (uri, origin)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://ann:s3cret@mlflow.example.com/a", "https://***@mlflow.example.com/a"),
        ("https://t0ken@mlflow.example.com", "https://***@mlflow.example.com"),
        ("postgresql://db/x?user=ann&password=s3cret&ssl=1", "postgresql://db/x?user=ann&password=***&ssl=1"),
        ("postgresql://ann:p@ss/w@db/x", "postgresql://***@db/x"),
        ("sqlite:////srv/mlflow.db", "sqlite:////srv/mlflow.db"),
    ],
)
def test_secrets_in_an_address_are_masked(text, shown):
    assert masked(text) == shown


def test_every_setting_has_a_row_with_its_value_and_origin(given):
    rows = {name: (value, origin) for name, value, origin in given("tracking_uri = 'https://a:b@c'").rows()}

    assert rows["tracking_uri"] == ("https://***@c", "file walkaway.toml")
    assert rows["score.forgo"] == (0.1, "default")
    assert rows["hours"] == ({}, "default")


# What is refused, in one sentence


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        ("[train]\nfold = 3", r"^file walkaway\.toml: there is no setting train\.fold\. Did you mean train\.folds\?$"),
        ("[trai]\nfolds = 3", r"there is no setting trai\. Did you mean train\?$"),
        ("cadence_days = 3", r"there is no setting cadence_days\. Did you mean train\.cadence_days\?$"),
        ("zzz = 3", r"there is no setting zzz\. `walkaway config show` lists all there are\.$"),
        (
            "[train]\nfolds = 0",
            r"train\.folds must be greater than or equal to 1, found 0\. Correct it, or",
        ),
        ("[train]\nfolds = 'x'", r"train\.folds must be a valid integer, .*, found 'x'\."),
        ("train = 3", r"train must be a table, found 3\."),
        ("[train.features]\ndenied = 'a'", r"train\.features\.denied must be a list, found 'a'\."),
        ("[money]\ncurrency = 'eur'", r"money\.currency must be three capital letters, as in EUR, found 'eur'\."),
        ("[[money.rates]]\ncurrency = 'USD'\nrate = 1", r"money\.rates\.0\.from is required and absent\. Add it\."),
        ("tracking_uri = ['https://a:b@c']", r"tracking_uri must be a valid string, found a secret\."),
        ("[train", r"^walkaway\.toml: must be TOML in UTF-8; .*\. Correct the file\.$"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place_rule_value_and_remedy(given, toml, text):
    refused(given, text, toml)


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("WALKAWAY_SCORE__FORG", "0.2", r"^WALKAWAY_SCORE__FORG: there is no setting.* mean WALKAWAY_SCORE__FORGO\?$"),
        ("WALKAWAY_CADENCE_DAYS", "1", r"Did you mean WALKAWAY_TRAIN__CADENCE_DAYS\?$"),
        ("WALKAWAY_SCORE__BAR__X", "1", r"there is no setting score\.bar\.x\."),
        (
            "WALKAWAY_SCORE__FORGO",
            "2",
            r"^WALKAWAY_SCORE__FORGO: score\.forgo must be less than or equal to 1, found '2'",
        ),
        ("WALKAWAY_SCORE", "x", r"^WALKAWAY_SCORE: lists and tables must be JSON"),
        ("WALKAWAY_SCORE", "5", r"^WALKAWAY_SCORE: score must be a table, found 5\."),
        (
            "WALKAWAY_TRAIN__FEATURES__DENIED",
            "stage",
            r"^WALKAWAY_TRAIN__FEATURES__DENIED: lists and tables must be JSON",
        ),
        ("WALKAWAY_CONFIG", "none.toml", r"^WALKAWAY_CONFIG=none\.toml: cannot be read \(No such file"),
    ],
)
def test_a_mistake_in_a_variable_is_told_by_the_variables_name(given, variable, value, text):
    refused(given, text, **{variable: value})


def test_only_the_variable_that_is_no_json_is_named_among_those_of_its_section(given):
    others = {"WALKAWAY_TRAIN__FOLDS": "three", "WALKAWAY_TRAIN__FEATURES__ALLOWED": '["stage"]'}

    refused(given, r"^WALKAWAY_TRAIN__FEATURES__DENIED: lists", WALKAWAY_TRAIN__FEATURES__DENIED="[", **others)


def test_a_named_file_that_is_absent_is_refused(given, tmp_path):
    refused(given, r"^--config .*none\.toml: cannot be read \(No such file", file=tmp_path / "none.toml")


# Money


RATES = [
    {"currency": "USD", "from": "2026-01-01", "rate": 0.9},
    {"currency": "USD", "from": "2026-03-01", "rate": 0.8},
    {"currency": "GBP", "from": "2026-01-01", "rate": 1.2},
]


@pytest.mark.parametrize(
    ("currency", "day", "rate"),
    [("USD", (2026, 1, 1), 0.9), ("USD", (2026, 2, 28), 0.9), ("USD", (2026, 3, 1), 0.8), ("EUR", (1999, 1, 1), 1.0)],
)
def test_the_rate_in_force_is_the_newest_dated_that_day_or_before(currency, day, rate):
    assert rate_on(MoneySettings(currency="EUR", rates=RATES), currency, dt.date(*day)) == rate


@pytest.mark.parametrize(("currency", "day"), [("USD", "2025-12-31"), ("CHF", "2026-05-01")])
def test_no_rate_is_an_error_that_names_currency_and_date(currency, day):
    money = MoneySettings(currency="EUR", rates=RATES)

    with pytest.raises(DataError, match=rf"no rate from {currency} to EUR is known on {day}\. Add one dated that day"):
        rate_on(money, currency, dt.date.fromisoformat(day))


def test_two_rates_of_one_currency_and_day_are_refused():
    with pytest.raises(ValidationError, match="must name one rate a currency and day, and USD 2026-01-01 has two"):
        MoneySettings(rates=[RATES[0], RATES[0] | {"rate": 0.7}])


def test_a_rate_of_the_reporting_currency_itself_is_refused():
    with pytest.raises(ValidationError, match="must be into EUR, and one is of EUR itself"):
        MoneySettings(currency="EUR", rates=[*RATES, RATES[0] | {"currency": "EUR"}])


# Options over settings


def test_an_option_for_one_dial_sets_the_other_back():
    settings = ScoreSettings(bar=2500.0, reasons=1)

    assert settings.overruled_by(forgo=0.2, bar=None) == ScoreSettings(forgo=0.2, bar=None, reasons=1)


def test_options_that_were_not_given_change_nothing():
    settings = ScoreSettings(bar=2500.0)

    assert settings.overruled_by(forgo=None, bar=None, reasons=None) == settings


def test_reasons_alone_leave_the_dials():
    assert ScoreSettings(bar=2500.0).overruled_by(reasons=2) == ScoreSettings(bar=2500.0, reasons=2)
