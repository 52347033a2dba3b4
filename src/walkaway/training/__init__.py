"""Training: heads fitted as of a moment, judged out of time, compared with the model in use, logged."""

from walkaway.training.backtest import Step, no_step
from walkaway.training.fitting import audit_as_of
from walkaway.training.mlflow_log import NOT_LOGGED
from walkaway.training.promotion import Promotion
from walkaway.training.run import Retrained, retrain, roll_back
from walkaway.training.train import Trained, train, train_to_call

__all__ = [
    "NOT_LOGGED",
    "Promotion",
    "Retrained",
    "Step",
    "Trained",
    "audit_as_of",
    "no_step",
    "retrain",
    "roll_back",
    "train",
    "train_to_call",
]
