"""Explanations: SHAP values of the heads as factors of value per hour, and as sentences. The only importer of shap."""

from walkaway.explaining.attribution import Attribution, attribute, explanation
from walkaway.explaining.counterfactuals import Counterfactual
from walkaway.explaining.deals import explain
from walkaway.explaining.early_signs import EarlySign, early_signs, signs_without_dates
from walkaway.explaining.portfolio import Portfolio, portfolio, portfolio_of
from walkaway.explaining.reasons import Reason, Reasons, base_rate, reasons_table
from walkaway.explaining.sentences import Factor, factors_of
from walkaway.explaining.similar import Example, SimilarDeals, Similarity
from walkaway.explaining.story import DealStory, deal_stories
from walkaway.explaining.training_base_rates import with_base_rates, with_past_deals

__all__ = [
    "Attribution",
    "Counterfactual",
    "DealStory",
    "EarlySign",
    "Example",
    "Factor",
    "Portfolio",
    "Reason",
    "Reasons",
    "SimilarDeals",
    "Similarity",
    "attribute",
    "base_rate",
    "deal_stories",
    "early_signs",
    "explain",
    "explanation",
    "factors_of",
    "portfolio",
    "portfolio_of",
    "reasons_table",
    "signs_without_dates",
    "with_base_rates",
    "with_past_deals",
]
