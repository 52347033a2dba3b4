"""The answer where no deal is to be stopped: whether that means that all are worth keeping."""

from __future__ import annotations

from walkaway.report.html.content import Content

__all__ = ["kept_sentence"]

HOPELESS = 0.10  # mean chance to win of the open deals, below which nobody is told to keep them all


def _to_be_won(content: Content) -> str:
    """How many of the open deals are expected to be won."""
    expected, wording = float(content.calls["win_probability"].sum()), content.wording
    are = "is" if round(expected) == 1 else "are"
    return f"About {wording.whole(expected)} of them {are} expected to be won"


def kept_sentence(content: Content) -> str:
    """The answer in one or two sentences where no deal is below the bar, or where no bar can be set."""
    open_deals = content.wording.number(content.answer.open_deals)
    if content.no_bar:
        no_bar = f"No bar can be set for {open_deals} open deals, {content.no_bar}"
        return f"{no_bar}. {_to_be_won(content)}. This does not mean that all are worth keeping."
    none = f"None of {open_deals} open deals is below the bar"
    if content.calls["win_probability"].mean() < HOPELESS:
        return f"{none}. {_to_be_won(content)}."
    return f"{none}: keep them all."
