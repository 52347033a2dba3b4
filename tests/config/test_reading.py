import sys
from subprocess import run

import pytest

from walkaway.config import BoosterSettings, Levels, ScoreSettings, Settings, masked


def test_making_settings_reads_neither_file_nor_environment(given):
    given("[train]\nfolds = 2", WALKAWAY_SCORE__FORGO="0.3")

    assert (Settings().train.folds, Settings().score.forgo) == (4, 0.1)


def test_importing_the_package_and_its_settings_loads_no_heavy_library():
    code = "import sys, walkaway.config, walkaway.cli; print([m for m in HEAVY if m in sys.modules])"
    heavy = "HEAVY = ('mlflow', 'lightgbm', 'shap', 'sklearn', 'pandas', 'matplotlib')"
    done = run([sys.executable, "-c", f"{heavy}\n{code}"], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


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


def test_a_menu_replaces_the_default_one_and_an_empty_one_turns_the_choice_off(given):
    assert given("[train.heads]\nmenu = {}").settings.train.heads.menu == {}
    assert set(given("[train.heads.menu.tiny]\nleaves = 2").settings.train.heads.menu) == {"tiny"}


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
