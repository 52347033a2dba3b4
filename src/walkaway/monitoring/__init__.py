"""Monitoring: do today's deals still look like those the model in use was trained on?"""

from walkaway.monitoring.drift import Check, check
from walkaway.monitoring.finding import LEVELS, NAMES, Finding, Level
from walkaway.monitoring.outcomes import gap_to_expected

__all__ = ["LEVELS", "NAMES", "Check", "Finding", "Level", "check", "gap_to_expected"]
