"""What the audit cannot look at, and names that speak of the end: no accusations, but questions to the user.

A column declared fixed at creation may hold what was counted or filled in at the end, such as the days that a deal
took. In a flat export without dates nothing in its values need show that.
"""

from __future__ import annotations

from walkaway.audit.separation import LEAST_TO_SUSPECT
from walkaway.audit.sources import Deals, Source
from walkaway.book import speaks_of_the_end

__all__ = ["NO_DATES", "NO_HISTORY", "cannot_look", "word_of_the_end"]

NO_DATES = "the book has no dates"
NO_HISTORY = "no history of them is recorded"


def word_of_the_end(source: Source) -> str:
    """The word by which a column's name speaks of the end of a deal; empty if it does not, or is not used."""
    return speaks_of_the_end(source.name.removeprefix("deals.")) if source.fixed and source.used else ""


def cannot_look(source: Source, deals: Deals) -> str:
    """Why it cannot be told when a column was filled in; empty if it can.

    Whether too few deals have ended is asked first after the dates, since then its values tell nothing either.
    """
    if not (source.fixed and source.used):
        return ""
    if deals.undated:
        return NO_DATES
    won, lost = (int((deals.judged == outcome).sum()) for outcome in (1.0, 0.0))
    if min(won, lost) < LEAST_TO_SUSPECT:
        counts = f"{deals.fmt.whole(won)} won and {deals.fmt.whole(lost)} lost"
        return f"of the deals that had time to end only {counts} are known, and {LEAST_TO_SUSPECT} of each are needed"
    return "" if source.history else NO_HISTORY
