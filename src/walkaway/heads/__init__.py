"""The heads (models) for win probability, value if won and remaining hours. Only this package imports lightgbm."""

from walkaway.heads.bag import Bag, fit_bag
from walkaway.heads.calibration import Calibration, fit_calibration, fit_scale
from walkaway.heads.capacity import Capacity, choose_capacity
from walkaway.heads.examples import Examples, Holdout
from walkaway.heads.heads import Estimates, Heads, TrainingRows, fit_heads, pooling
from walkaway.heads.hours import HoursHead
from walkaway.heads.no_decision import NoDecisionHead
from walkaway.heads.plain import fit_plain_lightgbm
from walkaway.heads.win import WinHead, fit_win
from walkaway.heads.worth import WorthHead, fit_worth

__all__ = [
    "Bag",
    "Calibration",
    "Capacity",
    "Estimates",
    "Examples",
    "Heads",
    "Holdout",
    "HoursHead",
    "NoDecisionHead",
    "TrainingRows",
    "WinHead",
    "WorthHead",
    "choose_capacity",
    "fit_bag",
    "fit_calibration",
    "fit_heads",
    "fit_plain_lightgbm",
    "fit_scale",
    "fit_win",
    "fit_worth",
    "pooling",
]
