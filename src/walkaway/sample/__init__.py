"""A seeded synthetic CRM whose truth is known: a book, and what could be expected of each open deal every Monday."""

from walkaway.sample.synthetic import FIRST_DAY, WEEKS, Sample, describe, make_sample

__all__ = ["FIRST_DAY", "WEEKS", "Sample", "describe", "make_sample"]
