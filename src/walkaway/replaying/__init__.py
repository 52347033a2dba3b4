"""Replay: call past deals as they were known then, and count what walking away would have saved and cost.

Each model learns only from what was known when it was trained. It calls the open deals at each moment until the next
training. The calls are frozen, and the outcomes of the deals are joined at the end. Each stretch of calls has its own
file, so a replay that was killed goes on where it stopped and ends with the same bytes.
"""

from walkaway.replaying.ledger import FROZEN, SETTLED, first_drops, read_ledger
from walkaway.replaying.measures import INDICES, judged
from walkaway.replaying.period import Period, Stretch
from walkaway.replaying.rerun import replay
from walkaway.replaying.summary import Replayed

__all__ = [
    "FROZEN",
    "INDICES",
    "SETTLED",
    "Period",
    "Replayed",
    "Stretch",
    "first_drops",
    "judged",
    "read_ledger",
    "replay",
]
