"""walkaway: what is an hour spent on this deal from now on worth, and is that more than it earns elsewhere?

The public names are loaded when they are first used, so that importing walkaway is fast.

>>> import walkaway
>>> len(walkaway.make_sample(deals=60, seed=1).book.deals)
60
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from walkaway.book import Book, read_book, write_book
    from walkaway.config import Settings, read_settings
    from walkaway.explaining import explain, portfolio
    from walkaway.importers import import_table, import_xes, load_mapping
    from walkaway.models import Model, load_champion
    from walkaway.monitoring import check
    from walkaway.replaying import Period, replay
    from walkaway.report.html import write_report
    from walkaway.sample import make_sample
    from walkaway.scoring import score
    from walkaway.training import retrain, train

__version__ = "0.2.0"
__all__ = [
    "Book",
    "Model",
    "Period",
    "Settings",
    "check",
    "explain",
    "import_table",
    "import_xes",
    "load_champion",
    "load_mapping",
    "make_sample",
    "portfolio",
    "read_book",
    "read_settings",
    "replay",
    "retrain",
    "score",
    "train",
    "write_book",
    "write_report",
]

_ROOMS = {
    "book": ("Book", "read_book", "write_book"),
    "config": ("Settings", "read_settings"),
    "explaining": ("explain", "portfolio"),
    "importers": ("import_table", "import_xes", "load_mapping"),
    "models": ("Model", "load_champion"),
    "monitoring": ("check",),
    "replaying": ("Period", "replay"),
    "report.html": ("write_report",),
    "sample": ("make_sample",),
    "scoring": ("score",),
    "training": ("retrain", "train"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, from the room that defines it."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'walkaway' has no attribute {name!r}")
    return getattr(import_module(f"walkaway.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOM_OF])
