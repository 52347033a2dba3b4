"""What a bar set by hand would have gained on past deals, said beside it."""

from __future__ import annotations

from walkaway.economics import Curve, Gain
from walkaway.formatting import LocaleFormat
from walkaway.models.model import Model

__all__ = ["bar_by_hand", "gain_of_bar_by_hand"]


def _saved(gain: Gain, fmt: LocaleFormat) -> str:
    return f"{fmt.whole(gain.hours)} hours saved" if fmt.by_hour else f"work on {fmt.effort(gain.hours)} saved"


def bar_by_hand(curve: Curve, bar: float | None, fmt: LocaleFormat) -> str:
    """What a bar set by hand would have gained: the saved hours at that price, less the won value lost.

    Args:
        curve: of past deals, of a model or a replay.
        bar: money per hour (per deal, where each is taken to need the same); None where no bar is set by hand.
        fmt: writes the numbers, in the currency and the unit of effort of the curve.

    Returns:
        A sentence, with a warning where the bar would have lost more than it saved; empty without a bar set by hand.

    >>> past = Curve((0.0, 2.0), (9.0, 5.0), (0.0, 0.5), (0.0, 0.1), hours=100.0, value=900.0)
    >>> bar_by_hand(past, 2.0, LocaleFormat("en", "EUR")).replace(chr(160), " ")
    'Set by hand: on past deals, a bar of EUR 2 an hour would have gained EUR 10, if an hour earns that much elsewhere
    (50 hours saved, worth EUR 100, less EUR 90 of won value lost).'
    """
    if bar is None:
        return ""
    rate, gain = fmt.rate(bar), curve.gain_at(bar)
    if gain is None:
        return f"Set by hand: what a bar of {rate} would have gained on past deals is not known."
    lost = f"{fmt.money(gain.lost)} {'lost' if fmt.counts_wins else 'of won value lost'}"
    earns = "if an hour earns that much elsewhere" if fmt.by_hour else "if another deal brings that much"
    parts = f"{earns} ({_saved(gain, fmt)}, worth {fmt.money(gain.worth)}, less {lost})"
    if gain.total < 0:
        return (
            f"Warning: on past deals, a bar of {rate}, set by hand, would have cost {fmt.money(-gain.total)} more than "
            f"it gained, even {parts}. Take a lower bar, or let --forgo choose one."
        )
    return f"Set by hand: on past deals, a bar of {rate} would have gained {fmt.money(gain.total)}, {parts}."


def gain_of_bar_by_hand(model: Model, bar: float | None, fmt: LocaleFormat) -> str:
    """`bar_by_hand` by a model's own curve; empty for a model without signal, of which no bar drops anything."""
    return bar_by_hand(model.curve, bar, fmt) if model.signal else ""
