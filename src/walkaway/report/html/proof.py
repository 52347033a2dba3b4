"""The results of a replay for the report: expected and actual shares, exits, right calls, calibration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from walkaway.monitoring import gap_to_expected
from walkaway.replaying import first_drops, judged, read_ledger
from walkaway.report.figures import calibration_frame
from walkaway.report.html.check_first import close_to_bar
from walkaway.report.html.main_reason import LEGS, typical_deal, weakest_leg

__all__ = ["Proof", "read_proof"]

QUARTER = pd.Timedelta(days=91)
DRAWS = 200
SHARES = ("hours_saved", "value_forgone")
INTERVALS = tuple(f"{name}_{end}" for name in SHARES for end in ("low", "high"))
RATES = ("turned_back", "value_per_hour_kept")


@dataclass(frozen=True)
class Proof:
    """The results of a replay.

    ledger: every call with its outcome. drops: by the verdict that dropped deals: verdict, deals, won, hours_saved,
    value_forgone. followed: actual and expected shares, 90% intervals of the actual ones, and the value per hour of
    deals kept. earned: results of four groups of dropped deals (close to the bar, see `check_first`; not close; less
    than a day old; older): name, deals, hours, value_per_hour. bar: mean bar, money per hour. chances and hours: wins
    and hours expected at the first call of each settled deal, and the actual ones (`gap_to_expected`). exits: lost
    deals of the last quarter (from exits_since) by stage and main reason. good_calls: number of dropped deals that were
    lost, and the hours worked on them afterwards. judged: number of calls old enough to judge. ended: how many of those
    are on deals won or lost since.
    """

    ledger: pd.DataFrame
    drops: pd.DataFrame
    followed: Mapping[str, float]
    earned: pd.DataFrame
    bar: float
    chances: Mapping[str, float]
    hours: Mapping[str, float]
    exits: pd.DataFrame
    exits_since: pd.Timestamp
    good_calls: Mapping[str, float]
    calibration: pd.DataFrame
    judged: int
    ended: int
    notes: tuple[str, ...]
    begin: str
    end: str


def read_proof(folder: Path) -> Proof:
    """The results of the replay in that folder.

    Raises:
        UsageError: the folder holds no finished replay.
    """
    ledger, summary = read_ledger(folder), json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    if summary.get("unit") == "deal":  # in the ledger each deal then counts 1 hour
        ledger = ledger.assign(remaining_hours=float("nan"))
    exits = pd.read_csv(folder / "stop_points.csv", dtype={"deal_id": "str"}, parse_dates=["as_of"])
    measures: dict[str, Any] = summary["measures"]
    followed, expected = measures.get("followed", {}), summary.get("expected") or {}
    calls = judged(ledger, pd.Timestamp(summary["judged_until"]))
    ended = calls[calls["outcome"].isin(["won", "lost"])]
    first = ended.drop_duplicates("deal_id")
    lost = exits[(exits["outcome"] == "lost") & exits["for_good"].astype(bool)]
    recent = lost[lost["as_of"] >= ledger["as_of"].max() - QUARTER]
    columns = ["deal_id", "as_of", *LEGS]
    legs = recent.merge(ledger[columns], on=["deal_id", "as_of"], how="left") if len(recent) else recent.assign(leg="")
    legs = legs.assign(leg=weakest_leg(legs, typical_deal(ledger))) if len(recent) else legs
    by_stage = legs.groupby(["stage", "leg"])["hours_after"].agg(["size", "sum"])
    by_stage = by_stage.sort_values(["sum", "size"], ascending=False)
    return Proof(
        ledger=ledger,
        drops=pd.DataFrame(measures.get("drops", [])),
        followed={name: _number(followed.get(name)) for name in (*SHARES, *INTERVALS, *RATES)}
        | {f"expected_{name}": _number(expected.get(name)) for name in SHARES},
        earned=_earned(calls),
        bar=float(ledger["bar"].mean()),
        chances=_gap(first["win_probability"], (first["outcome"] == "won").astype(float)),
        hours=_gap(first["remaining_hours"], first["realised_remaining_hours"]),
        judged=len(calls),
        ended=len(ended),
        exits=by_stage.rename(columns={"size": "deals", "sum": "hours_after"}).reset_index(),
        exits_since=max(ledger["as_of"].min(), ledger["as_of"].max() - QUARTER),
        good_calls={"deals": float(len(lost)), "hours": float(lost["hours_after"].sum())},
        calibration=calibration_frame(ended),
        notes=tuple(summary["notes"]),
        begin=str(ledger["as_of"].min().date()),
        end=str(ledger["as_of"].max().date()),
    )


def _earned(calls: pd.DataFrame) -> pd.DataFrame:
    """Results of settled dropped deals: name (clear, close, day_old, older), deals, hours, value_per_hour."""
    drops = calls[first_drops(calls) & calls["settled"]]
    close, young = close_to_bar(drops), drops["age_days"] < 1
    rows = []
    for name, in_group in (("clear", ~close), ("close", close), ("day_old", young), ("older", ~young)):
        group = drops[in_group]
        hours, value = float(group["remaining_hours_truth"].sum()), float(group["worth_truth"].clip(lower=0).sum())
        rate = value / hours if hours else float("nan")
        rows.append({"name": name, "deals": len(group), "hours": hours, "value_per_hour": rate})
    return pd.DataFrame(rows)


def _gap(expected: pd.Series, came: pd.Series) -> Mapping[str, float]:
    """The gap between expected and actual; empty if nothing was expected."""
    return gap_to_expected(expected.to_numpy(dtype=float), came.to_numpy(dtype=float), DRAWS) if expected.sum() else {}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
