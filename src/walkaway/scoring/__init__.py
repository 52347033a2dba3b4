"""Scoring: a verdict for every open deal, the nightly batch, and the results of advice and of decisions."""

from walkaway.scoring.advice import chance_weights, kept_to_learn, read_advice, settle_advice, with_advice
from walkaway.scoring.batch import CHANGES, KINDS, Batch, changes, run_batch
from walkaway.scoring.decisions import decisions_in_force, read_decisions, settle_decisions
from walkaway.scoring.score import score, summary, with_replay_curve, without_hours
from walkaway.scoring.without_dates import score_undated, summary_undated

__all__ = [
    "CHANGES",
    "KINDS",
    "Batch",
    "chance_weights",
    "changes",
    "decisions_in_force",
    "kept_to_learn",
    "read_advice",
    "read_decisions",
    "run_batch",
    "score",
    "score_undated",
    "settle_advice",
    "settle_decisions",
    "summary",
    "summary_undated",
    "with_advice",
    "with_replay_curve",
    "without_hours",
]
