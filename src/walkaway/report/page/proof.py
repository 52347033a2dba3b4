"""What a replay settled, as the report shows it: promised beside realised, exits, good calls, calibration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from walkaway.replay import read_ledger
from walkaway.report.figures import calibration_frame
from walkaway.report.page.legs import LEGS, typical_legs, weakest_leg

__all__ = ["Proof", "read_proof"]

QUARTER = pd.Timedelta(days=91)
SHARES = ("hours_saved", "value_forgone")
INTERVALS = tuple(f"{name}_{end}" for name in SHARES for end in ("low", "high"))
RATES = ("turned_back", "value_per_hour_kept", "value_per_hour_dropped")


@dataclass(frozen=True)
class Proof:
    """What a replay settled: by the verdict that dropped deals, promised beside realised, exits, calibration.

    ledger: every call, settled. drops: verdict, deals, won, hours_saved, value_forgone. followed: realised and
    expected shares, 90% intervals of the realised, and what an hour earned. exits: of the last quarter, by stage and by
    what the deals lacked (`legs`). good_calls: deals let go that were lost, and the hours that were worked on them all
    the same.
    """

    ledger: pd.DataFrame
    drops: pd.DataFrame
    followed: Mapping[str, float]
    exits: pd.DataFrame
    good_calls: Mapping[str, float]
    calibration: pd.DataFrame
    notes: tuple[str, ...]
    begin: str
    end: str


def read_proof(folder: Path) -> Proof:
    """What the replay in that folder settled.

    Raises:
        UsageError: no finished replay lies there.
    """
    ledger, summary = read_ledger(folder), json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    exits = pd.read_csv(folder / "exits.csv", dtype={"deal_id": "str"}, parse_dates=["as_of"])
    measures: dict[str, Any] = summary["measures"]
    followed, expected = measures.get("followed", {}), summary.get("expected") or {}
    judged = ledger[ledger["outcome"].isin(["won", "lost"])]
    lost = exits[(exits["outcome"] == "lost") & exits["for_good"].astype(bool)]
    recent = lost[lost["as_of"] > lost["as_of"].max() - QUARTER] if len(lost) else lost
    asked = ["deal_id", "as_of", *LEGS]
    legs = recent.merge(ledger[asked], on=["deal_id", "as_of"], how="left") if len(recent) else recent.assign(leg="")
    legs = legs.assign(leg=weakest_leg(legs, typical_legs(ledger))) if len(recent) else legs
    by_stage = legs.groupby(["stage", "leg"])["hours_after"].agg(["size", "sum"]).sort_values("sum", ascending=False)
    return Proof(
        ledger=ledger,
        drops=pd.DataFrame(measures.get("drops", [])),
        followed={name: _number(followed.get(name)) for name in (*SHARES, *INTERVALS, *RATES)}
        | {f"expected_{name}": _number(expected.get(name)) for name in SHARES},
        exits=by_stage.rename(columns={"size": "deals", "sum": "hours_after"}).reset_index(),
        good_calls={"deals": float(len(lost)), "hours": float(lost["hours_after"].sum())},
        calibration=calibration_frame(judged.assign(won=(judged["outcome"] == "won").astype(float))),
        notes=tuple(summary["notes"]),
        begin=str(ledger["as_of"].min().date()),
        end=str(ledger["as_of"].max().date()),
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
