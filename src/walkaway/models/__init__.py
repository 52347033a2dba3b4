"""A model: its calls, what it keeps of past deals, its files on disk, and which model is in use."""

from walkaway.models.bar_by_hand import bar_by_hand, gain_of_bar_by_hand
from walkaway.models.base_rates import BaseRates, PastDeals, PastOutcomes, Settled, groups_alike, learn_base_rates
from walkaway.models.bundle import VERSION, load_bundle, save_bundle
from walkaway.models.buyer_events import BuyerEvent, BuyerEventRate, learn_buyer_events, with_buyer_event
from walkaway.models.caveats import NO_SIGNAL, Caveat, caveats_of, may_be_acted_on
from walkaway.models.facts import Facts
from walkaway.models.model import (
    TERMS,
    Calls,
    Model,
    Rows,
    bar_of,
    call_open,
    call_undated,
    check_askable,
    check_fits,
    make_calls,
    read_rows,
    read_rows_without_dates,
)
from walkaway.models.no_bar import no_bar
from walkaway.models.nurture import Wait, awaited, learn_waits
from walkaway.models.reference_profile import (
    Comparison,
    Profile,
    ReferenceProfile,
    compare,
    learn_reference_profile,
    relative_errors,
)
from walkaway.models.registry import (
    champion_version,
    clear_unfinished,
    load_champion,
    load_champions,
    record_decision,
    rollback,
    save_card,
    set_champion,
)

__all__ = [
    "NO_SIGNAL",
    "TERMS",
    "VERSION",
    "BaseRates",
    "BuyerEvent",
    "BuyerEventRate",
    "Calls",
    "Caveat",
    "Comparison",
    "Facts",
    "Model",
    "PastDeals",
    "PastOutcomes",
    "Profile",
    "ReferenceProfile",
    "Rows",
    "Settled",
    "Wait",
    "awaited",
    "bar_by_hand",
    "bar_of",
    "call_open",
    "call_undated",
    "caveats_of",
    "champion_version",
    "check_askable",
    "check_fits",
    "clear_unfinished",
    "compare",
    "gain_of_bar_by_hand",
    "groups_alike",
    "learn_base_rates",
    "learn_buyer_events",
    "learn_reference_profile",
    "learn_waits",
    "load_bundle",
    "load_champion",
    "load_champions",
    "make_calls",
    "may_be_acted_on",
    "no_bar",
    "read_rows",
    "read_rows_without_dates",
    "record_decision",
    "relative_errors",
    "rollback",
    "save_bundle",
    "save_card",
    "set_champion",
    "with_buyer_event",
]
