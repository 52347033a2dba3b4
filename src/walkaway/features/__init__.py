"""Features: each is declared once and computed by one function, which training and scoring share."""

from walkaway.features.build import build_features
from walkaway.features.choice import refuse_unknown
from walkaway.features.declare import REGISTRY, THEMES, Feature
from walkaway.features.plan import FeaturePlan, PlannedFeature, known_words, plan_features
from walkaway.features.unknown import Unknown, unknown_words

__all__ = [
    "REGISTRY",
    "THEMES",
    "Feature",
    "FeaturePlan",
    "PlannedFeature",
    "Unknown",
    "build_features",
    "known_words",
    "plan_features",
    "refuse_unknown",
    "unknown_words",
]
