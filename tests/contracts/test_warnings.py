"""A RuntimeWarning is a fault: it means that a number is not what its formula says. Tests fail on it."""

import numpy as np
import pytest


@pytest.mark.parametrize(
    "fault",
    [
        lambda: np.array([]).mean(),
        lambda: np.nanmean(np.array([np.nan])),
        lambda: np.array([1.0]) / np.array([0.0]),
        lambda: np.log(np.array([-1.0])),
    ],
    ids=["mean of nothing", "mean of missing values", "divided by zero", "logarithm below zero"],
)
def test_what_numpy_warns_of_is_an_error(fault):
    with pytest.raises(RuntimeWarning):
        fault()
