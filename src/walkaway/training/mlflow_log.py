"""MLflow: one run per training, the model in the registry, an alias on the champion. The only importer of mlflow.

MLflow is an optional extra. Without it, training is not logged; scoring never needs it. Pickle is switched off, and the
registered model is the bundle itself, read by `_load_pyfunc`.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import redirect_stderr
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
from filelock import FileLock

from walkaway.errors import BundleError, UsageError
from walkaway.files import replaced_file
from walkaway.models import TERMS, Model, Rows, load_bundle, make_calls

__all__ = [
    "ALIAS",
    "EXPERIMENT",
    "INSTALL",
    "MODEL_NAME",
    "NOT_LOGGED",
    "can_log",
    "default_uri",
    "log_training",
    "mirror_champion",
]

INSTALL = "pip install 'walkaway[mlflow]'"
NOT_LOGGED = f"MLflow is not installed: this training is not logged. To log it: {INSTALL}."

EXPERIMENT = "walkaway"
MODEL_NAME = "walkaway"
ALIAS = "champion"
DATABASE = "mlflow.db"
MLMODEL = "MLmodel"
DEFAULT_FORGO = 0.10
_NOT_ALLOWED = re.compile(r"[^\w.\-/:]")  # in the name of a metric


def default_uri(models: Path) -> str:
    """The tracking URI if none is set: a SQLite file beside the bundles."""
    return f"sqlite:///{models.resolve() / DATABASE}"


def can_log(uri: str | None) -> bool:
    """Whether MLflow is installed. It may be missing only if no tracking URI is set.

    Raises:
        UsageError: a tracking URI is set, and MLflow is not installed.
    """
    if find_spec("mlflow") is not None:
        return True
    if uri is not None:
        raise UsageError(
            f"tracking_uri is set, and MLflow is not installed: {INSTALL}. Or remove tracking_uri from the settings, "
            "and WALKAWAY_TRACKING_URI and MLFLOW_TRACKING_URI from the environment, to train without logging."
        )
    return False


def _mlflow(uri: str, models: Path) -> Any:
    """The mlflow module, connected to the URI, without pickle; a lock lets only one run create the database."""
    os.environ.update(MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
    logging.getLogger("alembic").setLevel(logging.ERROR)
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    models.mkdir(parents=True, exist_ok=True)
    with FileLock(models / ".mlflow.lock"):
        if uri == default_uri(models):
            _create_database(models / DATABASE, mlflow.MlflowClient)
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        client = mlflow.MlflowClient()
        if client.get_experiment_by_name(EXPERIMENT) is None:
            location = (models.resolve() / "mlruns").as_uri() if uri.startswith("sqlite") else None
            client.create_experiment(EXPERIMENT, artifact_location=location)
        mlflow.set_experiment(EXPERIMENT)
    return mlflow


def _create_database(path: Path, client: Any) -> None:
    """Create the database atomically, because MLflow cannot use one whose creation was interrupted."""
    if not path.exists():
        with replaced_file(path.resolve()) as fresh:
            client(f"sqlite:///{fresh}").search_experiments()


def _close_killed(client: Any, models: Path) -> None:
    """Close the runs that a killed training left open, and remove the incomplete models they logged."""
    experiments = [client.get_experiment_by_name(EXPERIMENT).experiment_id]
    ours = {run.info.run_id: run for run in client.search_runs(experiments) if "bundle" in run.data.tags}
    for run in ours.values():
        if run.info.status == "RUNNING":
            client.set_terminated(run.info.run_id, "KILLED")
            shutil.rmtree(models / "mlruns" / run.info.run_id, ignore_errors=True)
    for logged in client.search_logged_models(experiments):
        if logged.status == "PENDING" and logged.source_run_id in ours:
            client.finalize_logged_model(logged.model_id, "FAILED")
            shutil.rmtree(models / "mlruns" / "models" / logged.model_id, ignore_errors=True)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted names."""
    out: dict[str, Any] = {}
    for name, value in values.items():
        out |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return out


def _metrics(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Every finite number of the metric tables, named table.row.column; of slices only those of all deals and by age.

    Other slices are in the tables that are logged as files, so that a run does not show a thousand metrics.
    """
    out: dict[str, float] = {}
    for name, table in tables.items():
        for row, values in table.select_dtypes("number").iterrows():
            parts = row if isinstance(row, tuple) else (row,)
            if len(parts) == 1 or parts[0] in ("all", "age"):
                label = _NOT_ALLOWED.sub("_", ".".join(map(str, parts)))
                out |= {f"{name}.{label}.{column}": float(value) for column, value in values.items() if pd.notna(value)}
    return out


def log_training(
    model: Model,
    folder: Path,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Any],
    *,
    models: Path,
    uri: str | None,
    texts: Mapping[str, str] = MappingProxyType({}),
    tags: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Log one training: settings, the data's fingerprint, metrics, tables, figures, and the registered bundle.

    In the default store, which is protected by the lock of `models`, runs left open by a killed training are closed
    first.

    Args:
        model: the trained model.
        folder: its bundle.
        tables: metric tables by name.
        figures: matplotlib figures by file name.
        models: the folder of the default SQLite store.
        uri: any tracking URI; None for the default.
        texts: further files by name, such as the leak audit.
        tags: further tags of the run.

    Returns:
        The registered model's version number.
    """
    mlflow = _mlflow(uri or default_uri(models), models)
    if uri in (None, default_uri(models)):
        _close_killed(mlflow.MlflowClient(), models)
    facts = model.facts.as_json()
    settings = facts.pop("settings", {})
    with mlflow.start_run(run_name=folder.name, tags={"bundle": folder.name}):
        mlflow.log_params(_flat(settings))
        mlflow.log_params({name: value for name, value in facts.items() if not isinstance(value, (dict, list))})
        mlflow.set_tags({"book": model.facts.book, "signal": str(model.signal)} | dict(tags))
        mlflow.log_metrics(_metrics(tables))
        for name, table in tables.items():
            mlflow.log_text(table.to_csv(), f"tables/{name}.csv")
        for name, text in texts.items():
            mlflow.log_text(text, name)
        for name, figure in figures.items():
            mlflow.log_figure(figure, f"figures/{name}")
        with redirect_stderr(StringIO()):  # MLflow prints each new version there, bypassing its loggers
            info = mlflow.pyfunc.log_model(
                name="model",
                loader_module="walkaway.training.mlflow_log",
                data_path=str(folder),
                registered_model_name=MODEL_NAME,
                signature=_signature(model),
                pip_requirements=[],
            )
    return str(info.registered_model_version)


def mirror_champion(version: str, *, models: Path, uri: str | None) -> str | None:
    """Point the registry's champion alias at that bundle. The alias follows the pointer under MODELS, which decides.

    Returns:
        The registered version number of the bundle. None if the bundle is not registered in this store or MLflow is not
        installed; the alias is then unchanged.

    Raises:
        UsageError: a tracking URI is set, and MLflow is not installed.
    """
    if not can_log(uri):
        return None
    client = _mlflow(uri or default_uri(models), models).MlflowClient()
    registered = client.search_model_versions(f"name = '{MODEL_NAME}'")
    of_bundle = [entry for entry in registered if client.get_run(entry.run_id).data.tags.get("bundle") == version]
    if not of_bundle:
        return None
    number = str(max(int(entry.version) for entry in of_bundle))
    client.set_registered_model_alias(MODEL_NAME, ALIAS, number)
    return number


def _signature(model: Model) -> Any:
    """The bar as a parameter of serving. No input schema, because its errors would print rows of data into logs."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ParamSchema, ParamSpec

    return ModelSignature(params=ParamSchema([ParamSpec("bar", "double", model.curve.bar_for_forgo(DEFAULT_FORGO))]))


class _Served:
    """A bundle as MLflow serves it: a frame of feature columns and TERMS in, calls out."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Calls of these rows at the 10% point of the model's curve, or at params["bar"]."""
        blank = pd.Series(float("nan"), index=frame.index)
        terms = pd.DataFrame({name: frame.get(name, blank).to_numpy() for name in TERMS})
        rows = Rows(pd.DataFrame(index=range(len(frame))), frame[self.model.plan.columns].to_numpy("float32"), terms)
        bar = (params or {}).get("bar", self.model.curve.bar_for_forgo(DEFAULT_FORGO))
        return make_calls(self.model, rows, float(bar)).table


def _check_mlmodel(path: Path, model: Model) -> None:
    """Check MLflow's description of the model, which has no checksum: its signature must follow from the bundle."""
    from mlflow.models import Model as Described

    if path.is_file() and Described.load(str(path)).signature != _signature(model):
        raise BundleError(
            f"{path}: its signature does not match the bundle beside it. Train again to register the model."
        )


def _load_pyfunc(path: str) -> _Served:
    """Called by MLflow to read a registered bundle, which is in the folder `data` beside MLflow's description."""
    model = load_bundle(Path(path))
    _check_mlmodel(Path(path).parents[1] / MLMODEL, model)
    return _Served(model)
