import io
import os
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from tests.books import UNTIL, plain_model, settings_of

from walkaway.asof.history import History
from walkaway.book.io import read_book
from walkaway.models.bundle import save_bundle
from walkaway.models.model import make_calls, read_rows
from walkaway.models.registry import load_champion
from walkaway.report.figures import training_figures
from walkaway.training.mlflow_log import default_uri, log_training, mirror_champion
from walkaway.training.run import retrain

pytest_plugins = ("tests.books",)


@pytest.fixture(scope="module")
def kept(migrated, saved_book, tmp_path_factory):
    """One real training, logged to the default store: its models folder, what it returned, and its run."""
    import mlflow

    models = tmp_path_factory.mktemp("tracked") / "models"
    models.mkdir()
    (models / "mlflow.db").write_bytes(migrated.read_bytes())
    done = retrain(read_book(saved_book), models, UNTIL, settings_of(), figures=training_figures)
    client = mlflow.MlflowClient(default_uri(models))
    [run] = client.search_runs([client.get_experiment_by_name("walkaway").experiment_id])
    return models, done, client, run


def artifact(kept, path: str) -> bytes:
    _, _, _, run = kept
    return (Path(run.info.artifact_uri.removeprefix("file://")) / path).read_bytes()


def test_the_default_store_is_a_database_beside_the_bundles(tmp_path):
    assert default_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_run_is_named_after_its_bundle_and_tagged_with_the_books_fingerprint(kept, saved_book):
    _, done, _, run = kept
    mine = {name: value for name, value in run.data.tags.items() if not name.startswith("mlflow.")}

    assert run.info.run_name == done.folder.name
    assert run.info.status == "FINISHED"
    assert mine == {
        "book": read_book(saved_book).manifest.fingerprint,
        "bundle": done.folder.name,
        "signal": "True",
        "promoted": "True",
        "decision": "the first model",
    }


def test_settings_and_facts_are_its_parameters(kept):
    _, done, _, run = kept
    params = run.data.params

    assert (params["heads.members"], params["heads.win.trees"], params["floor_hours"]) == ("2", "12", "0.1")
    assert (params["deals"], params["won"]) == (str(done.trained.model.facts.deals), str(done.trained.model.facts.won))
    assert params["known_until"] == "2025-08-04T00:00:00+00:00"


def test_every_finite_number_of_the_tables_is_a_metric(kept):
    _, done, _, run = kept
    tables, metrics = done.trained.tables, run.data.metrics

    assert metrics["win.win_probability.auc"] == tables["win"].loc["win_probability", "auc"]
    assert metrics["skill.value_per_hour.skill_up_to_0.2"] == tables["skill"].loc["value_per_hour", "skill_up_to_0.2"]
    assert metrics["by_slice.age.7_to_14_days.calls"] == tables["by_slice"].loc[("age", "7 to 14 days"), "calls"]
    shown = {name: table.select_dtypes("number") for name, table in tables.items()}
    for name in ("by_slice", "hours"):
        shown[name] = shown[name].loc[["all", "age"]]  # further slices stand in the files
    assert len(metrics) == sum(int(table.notna().sum().sum()) for table in shown.values())


def test_each_table_is_kept_as_csv_to_the_last_digit(kept):
    _, done, _, _ = kept
    for name, table in done.trained.tables.items():
        names = list(range(table.index.nlevels))
        read = pd.read_csv(io.BytesIO(artifact(kept, f"tables/{name}.csv")), index_col=names, keep_default_na=False)
        for column in table:
            same = list if column == "fails" else (lambda values: pd.to_numeric(values).tolist())
            np.testing.assert_array_equal(same(read[column]), list(table[column]))


@pytest.mark.parametrize("name", ["calibration.png", "curve.png"])
def test_each_figure_is_kept_as_a_picture(kept, name):
    picture = imread(io.BytesIO(artifact(kept, f"figures/{name}")))

    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 10  # colours: it is not blank


def test_the_registered_version_carries_the_champion_alias(kept):
    _, done, client, run = kept
    version = client.get_model_version_by_alias("walkaway", "champion")

    assert (str(version.version), version.run_id, done.registered) == ("1", run.info.run_id, "1")


def served_frame(model, rows) -> pd.DataFrame:
    return pd.DataFrame(rows.X, columns=model.plan.columns).assign(**rows.terms)


@pytest.fixture(scope="module")
def served(kept):
    import mlflow

    mlflow.set_tracking_uri(default_uri(kept[0]))
    mlflow.set_registry_uri(default_uri(kept[0]))
    return mlflow.pyfunc.load_model("models:/walkaway@champion")


@pytest.mark.parametrize("params", [{}, {"bar": 55.0}], ids=["default bar", "bar of 55"])
def test_the_champion_served_by_mlflow_predicts_what_calls_say(kept, served, book, params):
    model = load_champion(kept[0])
    rows = read_rows(History(book), kept[1].trained.calls[["deal_id", "as_of"]].iloc[::5], model.plan)
    bar = params.get("bar", model.curve.bar_for_forgo(0.10))
    said = make_calls(model, rows, bar).table.drop(columns=["deal_id", "as_of"]).reset_index(drop=True)
    found = served.predict(served_frame(model, rows), params or None)
    said = said.assign(wait_until=found["wait_until"])  # what is served has no moment to count from

    assert found["wait_until"].isna().all()
    pd.testing.assert_frame_equal(found, said, check_exact=True)


def test_served_rows_without_a_margin_column_have_none_known(kept, served, book):
    model = load_champion(kept[0])
    rows = read_rows(History(book), kept[1].trained.calls[["deal_id", "as_of"]].iloc[::5], model.plan)
    bare = served.predict(served_frame(model, rows).drop(columns="margin"))
    blank = rows.terms.assign(margin=float("nan"))

    assert rows.terms["margin"].notna().any()
    assert bare["value_if_won"].tolist() == model.heads.worth.value(rows.X, blank).tolist()


def test_no_pickle_is_written_and_none_may_be_read(kept):
    names = [path.name for path in kept[0].rglob("*") if path.is_file()]

    assert [name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle"))] == []
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert names.count("model.json") == 2  # the bundle, and its copy in the registry


def test_the_registered_bundle_is_the_bundle_byte_for_byte(kept):
    models, done, _, _ = kept
    [copy] = [path for path in (models / "mlruns").rglob(done.folder.name) if path.is_dir()]

    assert {p.name: p.read_bytes() for p in copy.iterdir()} == {p.name: p.read_bytes() for p in done.folder.iterdir()}


def test_any_sqlite_uri_can_be_set_and_the_default_store_is_left_alone(migrated, tmp_path):
    elsewhere = tmp_path / "other place"
    elsewhere.mkdir()
    (elsewhere / "runs.db").write_bytes(migrated.read_bytes())
    model, uri = plain_model(), f"sqlite:///{elsewhere}/runs.db"
    folder = save_bundle(model, tmp_path / "models")
    first = log_training(model, folder, {}, {}, models=tmp_path / "models", uri=uri)
    second = log_training(model, folder, {}, {}, models=tmp_path / "models", uri=uri)
    mirrored = mirror_champion(folder.name, models=tmp_path / "models", uri=uri)

    assert (first, second, mirrored) == ("1", "2", "2")
    assert mirror_champion("20990101-000000000000", models=tmp_path / "models", uri=uri) is None
    assert not (tmp_path / "models" / "mlflow.db").exists()
    with sqlite3.connect(elsewhere / "runs.db") as database:
        assert database.execute("select alias, version from registered_model_aliases").fetchall() == [("champion", 2)]
        assert database.execute("select count(*) from runs").fetchall() == [(2,)]


def test_metrics_that_are_no_number_are_left_out(fresh_models):
    import mlflow

    model, table = plain_model(), pd.DataFrame({"auc": [float("nan"), 0.5]}, index=["a b", "c"])
    log_training(model, save_bundle(model, fresh_models), {"win": table}, {}, models=fresh_models, uri=None)
    [run] = mlflow.search_runs(experiment_names=["walkaway"], output_format="list")

    assert run.data.metrics == {"win.c.auc": 0.5}
