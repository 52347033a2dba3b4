"""Metrics of out-of-time calls, with intervals over deals: overall, by slice, and beside baselines and older models."""

from walkaway.evaluation.age_alone import YOUNGEST, AgeChance, age_rule, age_suffices, chance_by_age
from walkaway.evaluation.baselines import FitBaseline, always_share_won, fit_logistic, fit_naive_bayes, rate_by_category
from walkaway.evaluation.beaten import beaten_by
from walkaway.evaluation.cohort import HAD_TIME, SHARES, Cohort, cohort_of, judged
from walkaway.evaluation.metrics import (
    LEAST_DEALS_TO_JUDGE,
    LEVEL,
    DealDraws,
    brier_parts,
    deal_weights,
    has_signal,
    interval,
    log_loss_rows,
    win_metrics,
)
from walkaway.evaluation.paired import OTHER, paired_gains
from walkaway.evaluation.ranking import PRICES, skills
from walkaway.evaluation.slices import SEGMENT, by_ending, by_slice, failures
from walkaway.evaluation.staleness import staleness
from walkaway.evaluation.totals import hours_metrics, worth_metrics

__all__ = [
    "HAD_TIME",
    "LEAST_DEALS_TO_JUDGE",
    "LEVEL",
    "OTHER",
    "PRICES",
    "SEGMENT",
    "SHARES",
    "YOUNGEST",
    "AgeChance",
    "Cohort",
    "DealDraws",
    "FitBaseline",
    "age_rule",
    "age_suffices",
    "always_share_won",
    "beaten_by",
    "brier_parts",
    "by_ending",
    "by_slice",
    "chance_by_age",
    "cohort_of",
    "deal_weights",
    "failures",
    "fit_logistic",
    "fit_naive_bayes",
    "has_signal",
    "hours_metrics",
    "interval",
    "judged",
    "log_loss_rows",
    "paired_gains",
    "rate_by_category",
    "skills",
    "staleness",
    "win_metrics",
    "worth_metrics",
]
