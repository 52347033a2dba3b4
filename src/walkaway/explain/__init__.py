"""Why: SHAP values of the heads, carried into the index as factors, told as sentences. The only importer of shap."""

from walkaway.explain.attribution import Attribution, attribute
from walkaway.explain.reasons import Factor, factors_of, reasons_table
from walkaway.explain.story import DealStory, tell

__all__ = ["Attribution", "DealStory", "Factor", "attribute", "factors_of", "reasons_table", "tell"]
