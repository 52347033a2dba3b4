import json
import sys

import pytest
from tests.books import UNTIL
from tests.cli.conftest import assert_refused

from walkaway.errors import UsageError
from walkaway.files import exclusive
from walkaway.models.registry import champion_version

pytest_plugins = ("tests.books",)


def test_audit_prints_what_it_looked_at_on_stderr(walkaway, saved_book, tiny):
    code, out, err = walkaway("audit", "--book", saved_book, "--until", UNTIL.isoformat())

    assert (code, out) == (0, "")
    assert "Leak audit: checked 11 columns, fields, kinds and roles" in " ".join(err.split())


def test_audit_as_json_lists_sources_and_features(walkaway, saved_book, tiny):
    code, out, _ = walkaway("audit", "--book", saved_book, "--json")
    said = json.loads(out)

    assert (code, said["left_out"], said["denied"]) == (0, [], [])
    assert said["sources"][0]["source"] == "deals.owner_id"
    assert "separation_last" in said["features"][0]


def test_audit_writes_its_evidence_by_the_locale_of_the_settings(walkaway, saved_book, monkeypatch):
    from walkaway import training

    locales, audit_as_of = [], training.audit_as_of

    def audited(book, until, train_settings, locale="en_GB"):
        locales.append(locale)
        return audit_as_of(book, until, train_settings, locale)

    monkeypatch.setattr(training, "audit_as_of", audited)
    monkeypatch.setenv("WALKAWAY_REPORT__LOCALE", "de_DE")

    assert walkaway("audit", "--book", saved_book, "--json")[0] == 0
    assert locales == ["de_DE"]


def test_a_held_lock_exits_with_5(walkaway, here, models):
    with exclusive(models):
        ended = walkaway("train", *here)

    assert_refused(ended, 5, "models is in use by another run", "Wait for it to end.")


@pytest.mark.usefixtures("tiny")
def test_train_prints_json_on_stdout_only(walkaway, saved_book, fresh_models):
    where = ["--book", saved_book, "--models", fresh_models]
    code, out, err = walkaway("train", *where, "--until", "2025-08-04", "--json")
    read = json.loads(out)

    assert (code, err) == (0, "")
    assert read["version"] == read["champion"] == champion_version(fresh_models)
    assert read["registered"] == "1"
    assert (read["signal"], read["summary"]["deals"]) == (True, 171)
    assert [row["prediction"] for row in read["metrics"]["win"]] == [
        "win_probability",
        "plain_lightgbm",
        "logistic",
        "naive_bayes",
        "stage_rate",
        "base_rate",
    ]


@pytest.mark.usefixtures("tiny")
def test_a_second_train_that_is_not_promoted_exits_4_until_promoted_and_rollback_returns_to_the_first(
    walkaway, saved_book, fresh_models
):
    where = ["--book", saved_book, "--models", fresh_models]
    assert walkaway("train", *where, "--until", "2025-06-01", "--quiet") == (0, "", "")
    first = champion_version(fresh_models)

    code, out, err = walkaway("train", *where, "--until", "2025-07-01")
    assert (code, out, champion_version(fresh_models)) == (4, "", first)
    said = " ".join(err.split())
    assert "Not promoted: too few deals have closed since 2025-06-01 to tell whether it is better." in said
    assert said.endswith(f"Still in use: {first}. Add --promote to use the new model anyway.")

    code, out, err = walkaway("train", *where, "--until", "2025-07-01", "--promote")
    assert (code, out) == (0, "")
    second = champion_version(fresh_models)
    assert second.startswith("20250701-")
    assert "in use (champion)" in " ".join(err.split())

    code, out, err = walkaway("rollback", "--models", fresh_models)
    assert (code, out, champion_version(fresh_models)) == (0, "", first)
    assert err.split() == f"In use now: {first} (was {second}).".split()
    code, _, err = walkaway("rollback", "--models", fresh_models)
    assert (code, "has no earlier model to return to" in err) == (2, True)


def test_hours_that_were_set_are_those_training_assumes(walkaway, here, monkeypatch):
    seen = []

    def stop(book, *more, **others):
        seen.append(book.manifest.assumed_hours)
        raise UsageError("seen enough")

    monkeypatch.setattr("walkaway.training.retrain", stop)
    monkeypatch.setenv("WALKAWAY_HOURS", '{"call": 0.5}')
    code, _, err = walkaway("train", *here)

    assert (code, err) == (2, "walkaway: seen enough\n")
    assert seen == [{"email": 0.1, "call": 0.5, "meeting": 1.0}]


@pytest.mark.usefixtures("tiny")
def test_train_without_mlflow_says_that_it_is_not_logged_and_goes_on(walkaway, saved_book, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    where = ["--book", saved_book, "--models", tmp_path / "models"]
    code, out, err = walkaway("train", *where, "--until", "2025-08-04")
    said = " ".join(err.split())

    assert (code, out) == (0, "")
    assert f"Model {champion_version(tmp_path / 'models')}, no version in MLflow: in use (champion)" in said
    assert said.endswith(
        "MLflow is not installed: this training is not logged. To log it: pip install 'walkaway[mlflow]'."
    )


def test_train_without_mlflow_is_refused_where_a_tracking_server_is_named(walkaway, saved_book, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setenv("WALKAWAY_TRACKING_URI", "https://ann:s3cret@mlflow.example.com")
    code, out, err = walkaway("train", "--book", saved_book, "--models", tmp_path / "models")

    assert (code, out) == (2, "")
    assert "MLflow is not installed: pip install 'walkaway[mlflow]'." in " ".join(err.split())
    assert "s3cret" not in err
