"""Why: SHAP values of the heads, carried into the index as factors, told as sentences. The only importer of shap."""

from walkaway.explaining.attribution import Attribution, attribute, explanation
from walkaway.explaining.counterfactuals import FlipCondition
from walkaway.explaining.deals import explain
from walkaway.explaining.early_signs import EarlySign, early_signs
from walkaway.explaining.portfolio import Portfolio, portfolio, portfolio_of
from walkaway.explaining.reasons import Reason, Reasons, base_rate, reasons_table
from walkaway.explaining.remember import remember
from walkaway.explaining.sentences import Factor, factors_of
from walkaway.explaining.similar import Example, SimilarDeals, Similarity
from walkaway.explaining.story import DealStory, tell

__all__ = [
    "Attribution",
    "DealStory",
    "EarlySign",
    "Example",
    "Factor",
    "FlipCondition",
    "Portfolio",
    "Reason",
    "Reasons",
    "SimilarDeals",
    "Similarity",
    "attribute",
    "base_rate",
    "early_signs",
    "explain",
    "explanation",
    "factors_of",
    "portfolio",
    "portfolio_of",
    "reasons_table",
    "remember",
    "tell",
]
