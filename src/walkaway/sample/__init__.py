"""Seeded synthetic books with known truth: the exact expectations for each open deal at many moments."""

from walkaway.sample.flat import Durations, FlatShape, make_flat_sample
from walkaway.sample.synthetic import FIRST_DAY, WEEKS, Sample, describe, make_sample

__all__ = [
    "FIRST_DAY",
    "WEEKS",
    "Durations",
    "FlatShape",
    "Sample",
    "describe",
    "make_flat_sample",
    "make_sample",
]
