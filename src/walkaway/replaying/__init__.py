"""Replay: the past, call by call. What walking away would have freed and cost is then counted, not modelled.

Models are trained on what was known at the moment of training, call the deals open at each moment until the next one,
and the calls are frozen. What became of the deals is joined at the end. Each stretch of calls lies in a file of its
own, so that a replay that was killed goes on where it was, and ends with the same bytes.
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
