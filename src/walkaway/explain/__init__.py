"""Why: SHAP values of the heads, carried into the index as factors, told as sentences. The only importer of shap."""

from walkaway.explain.attribution import Attribution, attribute, explanation
from walkaway.explain.counterfactuals import FlipCondition
from walkaway.explain.deals import explain
from walkaway.explain.early_signs import EarlySign, early_signs
from walkaway.explain.portfolio import Portfolio, portfolio, portfolio_of
from walkaway.explain.reasons import Reason, Reasons, base_rate, reasons_table
from walkaway.explain.remember import remember
from walkaway.explain.sentences import Factor, factors_of
from walkaway.explain.similar import Example, SimilarDeals, Similarity
from walkaway.explain.story import DealStory, tell

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
