import sys
from subprocess import run

import pytest
from pydantic import ValidationError

from walkaway.config import BoosterSettings, HeadSettings, ScoreSettings, Settings, TrainSettings


@pytest.fixture
def environment(monkeypatch):
    for name in ("WALKAWAY_TRACKING_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_default_dial_forgoes_a_tenth():
    assert ScoreSettings() == ScoreSettings(forgo=0.10, bar=None, reasons=5)


def test_each_head_has_a_bag_of_five():
    assert HeadSettings().members == 5


def test_without_a_tracking_uri_in_the_environment_there_is_none(environment):
    assert Settings.from_environment() == Settings(tracking_uri=None)


def test_an_empty_tracking_uri_is_none(environment):
    environment.setenv("WALKAWAY_TRACKING_URI", "")

    assert Settings.from_environment().tracking_uri is None


def test_mlflows_own_variable_is_heeded(environment):
    environment.setenv("MLFLOW_TRACKING_URI", "sqlite:////srv/a.db")

    assert Settings.from_environment().tracking_uri == "sqlite:////srv/a.db"


def test_walkaways_variable_comes_before_mlflows(environment):
    environment.setenv("MLFLOW_TRACKING_URI", "sqlite:////srv/a.db")
    environment.setenv("WALKAWAY_TRACKING_URI", "sqlite:////srv/b.db")

    assert Settings.from_environment().tracking_uri == "sqlite:////srv/b.db"


def test_the_environment_changes_nothing_but_the_tracking_uri(environment):
    environment.setenv("WALKAWAY_TRACKING_URI", "sqlite:////srv/b.db")

    assert Settings.from_environment().model_copy(update={"tracking_uri": None}) == Settings()


@pytest.mark.parametrize(
    ("kind", "given", "text"),
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
        (Settings, {"colour": "red"}, "colour\n.*Extra inputs are not permitted"),
    ],
)
def test_a_setting_out_of_its_range_or_unknown_is_refused_by_name(kind, given, text):
    with pytest.raises(ValidationError, match=text):
        kind(**given)


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(ValidationError, match="Instance is frozen"):
        Settings().tracking_uri = "x"


def test_settings_read_back_from_json_are_the_settings():
    given = Settings(train=TrainSettings(cadence_days=0.5, heads=HeadSettings(seed=7)), tracking_uri="sqlite:///a")

    assert Settings.model_validate_json(given.model_dump_json()) == given


def test_importing_the_package_and_its_settings_loads_no_heavy_library():
    code = "import sys, walkaway.config, walkaway.cli; print([m for m in HEAVY if m in sys.modules])"
    heavy = "HEAVY = ('mlflow', 'lightgbm', 'shap', 'sklearn', 'pandas', 'matplotlib')"
    done = run([sys.executable, "-c", f"{heavy}\n{code}"], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
