"""A seeded synthetic CRM with known truth: a book, and the exact expectations for each open deal on every Monday."""

from walkaway.sample.synthetic import FIRST_DAY, WEEKS, Sample, describe, make_sample

__all__ = ["FIRST_DAY", "WEEKS", "Sample", "describe", "make_sample"]
