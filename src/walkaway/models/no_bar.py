"""Why no bar can be set: then a deal that is not called below one is not thereby worth keeping."""

from __future__ import annotations

from walkaway.models.caveats import has_few_wins
from walkaway.models.model import Model

__all__ = ["no_bar"]


def no_bar(model: Model, bar: float, by_hand: bool) -> str:
    """The reason why no bar can be set, as the end of a sentence; empty where one is.

    Args:
        model: that makes the calls.
        bar: in force, money per hour.
        by_hand: whether a person set it.
    """
    if not model.signal:
        return "because the model cannot tell which of them will be won"
    if by_hand:
        return ""
    if not model.curve.bars:
        return "because too few deals have been settled to test one"
    if has_few_wins(model):
        return "because nearly all past value comes from a few deals"
    return "because each one tested loses more value than is accepted" if bar <= 0 else ""
