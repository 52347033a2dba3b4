"""Scoring: every open deal called at a moment, the nightly batch, and what became of advice and decisions."""

from walkaway.scoring.advice import chance_weights, kept_to_learn, read_advice, settle_advice, with_advice
from walkaway.scoring.batch import CHANGES, KINDS, Batch, changes, run_batch
from walkaway.scoring.decisions import read_decisions, settle_decisions, standing
from walkaway.scoring.score import refined, score, summary

__all__ = [
    "CHANGES",
    "KINDS",
    "Batch",
    "chance_weights",
    "changes",
    "kept_to_learn",
    "read_advice",
    "read_decisions",
    "refined",
    "run_batch",
    "score",
    "settle_advice",
    "settle_decisions",
    "standing",
    "summary",
    "with_advice",
]
