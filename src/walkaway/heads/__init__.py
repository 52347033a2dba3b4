"""The heads (models) for win probability, value if won and remaining hours. Only this package imports lightgbm."""

from walkaway.heads.bag import Bag, fit_bag
from walkaway.heads.calibration import Calibration, fit_calibration, fit_scale
from walkaway.heads.examples import Examples
from walkaway.heads.heads import Estimates, Heads, TrainingRows, fit_heads, pooling
from walkaway.heads.hours import HoursHead
from walkaway.heads.no_decision import NoDecisionHead
from walkaway.heads.win import WinHead
from walkaway.heads.worth import WorthHead, fit_worth

__all__ = [
    "Bag",
    "Calibration",
    "Estimates",
    "Examples",
    "Heads",
    "HoursHead",
    "NoDecisionHead",
    "TrainingRows",
    "WinHead",
    "WorthHead",
    "fit_bag",
    "fit_calibration",
    "fit_heads",
    "fit_scale",
    "fit_worth",
    "pooling",
]
