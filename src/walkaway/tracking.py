"""The former name of `walkaway.training.mlflow_log`, which models registered in MLflow by 0.1.0 are loaded by."""

from walkaway.training.mlflow_log import _load_pyfunc

__all__ = ["_load_pyfunc"]
