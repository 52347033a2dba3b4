"""Measures of a settled ledger: skill, hours saved and value lost, accuracy, and the result of following the verdicts.

Deals still open at the end of the book count as not won, with the hours worked so far. Calls of the last days are not
measured (method, section 7).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import mature_age_days
from walkaway.asof.labels import no_decision
from walkaway.economics import DROPPED, Curve, equal_wins
from walkaway.evaluation import (
    HAD_TIME,
    SHARES,
    Cohort,
    DealDraws,
    by_slice,
    cohort_of,
    interval,
    skills,
    win_metrics,
)
from walkaway.evaluation import judged as ended_in_time
from walkaway.replaying.ledger import first_drops

__all__ = ["INDICES", "drops_by_verdict", "judged", "measure", "settled_curve", "with_cohort"]

FloatArray = npt.NDArray[np.float64]
INDICES = {
    "value_per_hour": "value_per_hour",
    "expected_value": "expected_value",
    "win_probability": "win_probability",
    "amount": "amount",
    "days_since_event": "last event, newest first",
    "age": "youngest first",
    "random": "random",
}
SEED = 0


def judged(ledger: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """The calls up to a moment, with the columns that `evaluation` needs: outcomes, and the indices that rank deals.

    Returns:
        The ledger's rows with won (0 for open deals), settled, worth_truth, remaining_hours_truth, and one column per
        index of INDICES. A deal won without an amount counts as a typical win.
    """
    calls = ledger[ledger["as_of"] <= until].reset_index(drop=True)
    won = calls["outcome"] == "won"
    firsts = calls[won].drop_duplicates("deal_id")["realised_value"]
    typical = float(firsts[firsts > 0].median()) if (firsts > 0).any() else 1.0
    deal, codes = np.unique(calls["deal_id"], return_inverse=True)
    chance = np.random.default_rng(SEED).random(len(deal))
    return calls.assign(
        won=won.astype(float),
        settled=calls["outcome"].notna(),
        worth_truth=calls["realised_value"].fillna(typical).where(won, 0.0),
        remaining_hours_truth=calls["realised_remaining_hours"],
        amount=calls["amount"].fillna(0.0),
        days_since_event=-calls["days_since_event"],
        age=-calls["age_days"],
        random=chance[codes],
    )


def with_cohort(calls: pd.DataFrame, deals: pd.DataFrame, until: pd.Timestamp) -> tuple[pd.DataFrame, Cohort | None]:
    """The calls, each marked whether it was made early enough for its deal to end, and the cohort of those that were.

    Args:
        calls: of `judged`.
        deals: of the book.
        until: the moment up to which endings are known.
    """
    cohort = cohort_of(calls, [(share, mature_age_days(deals, until, share)) for share in SHARES], until)
    return calls.assign(**{HAD_TIME: calls["as_of"] <= cohort.made_by if cohort else False}), cohort


def settled_curve(calls: pd.DataFrame, after_period: pd.Series, weeks: float) -> Curve:
    """For each bar, the hours saved and the value lost if the verdicts at that bar had been followed.

    Args:
        calls: of `judged`.
        after_period: hours booked after the period, one per call. They are not part of the hours per week.
        weeks: length of the period.
    """
    hours, worth = calls["remaining_hours_truth"].to_numpy(), calls["worth_truth"].to_numpy()
    deal, above = pd.factorize(calls["deal_id"])[0], calls["walk_away_above"].to_numpy()
    booked = hours - after_period.to_numpy()
    curve = Curve.settled(deal, above, hours, worth, booked, weeks, estimated=not calls["settled"].all())
    return replace(curve, wins=equal_wins(worth[~calls["deal_id"].duplicated().to_numpy()]))


def _share(drawn: DealDraws, part: FloatArray, whole: FloatArray, name: str) -> dict[str, float]:
    """part / whole in total, with its 90% interval over deals."""
    total = float(whole.sum())
    low, high = interval(drawn.sums(part) / np.maximum(drawn.sums(whole), 1e-12))
    return {name: float(part.sum()) / total if total else float("nan"), f"{name}_low": low, f"{name}_high": high}


def _followed(calls: pd.DataFrame, draws: int) -> dict[str, float]:
    """What dropping each deal for good at its first walk_away or nurture would have saved and lost."""
    dropped = calls["verdict"].isin(DROPPED)
    first = ~calls["deal_id"].duplicated()
    drop = first_drops(calls)
    hours, value = calls["remaining_hours_truth"].to_numpy(), calls["worth_truth"].clip(lower=0).to_numpy()
    drawn = DealDraws.of(calls["deal_id"].to_numpy(), draws)
    at_first, at_drop = first.to_numpy(dtype=float), drop.to_numpy(dtype=float)
    measures = _share(drawn, at_drop, at_first, "deals_dropped")
    measures |= _share(drawn, hours * at_drop, hours * at_first, "hours_saved")
    measures |= _share(drawn, value * at_drop, value * at_first, "value_forgone")
    saved, lost = float((hours * at_drop).sum()), float((value * at_drop).sum())
    kept_hours, kept_value = float((hours * at_first).sum()) - saved, float((value * at_first).sum()) - lost
    measures |= {"hours": float((hours * at_first).sum()), "value": float((value * at_first).sum())}
    measures["value_per_hour_kept"] = kept_value / kept_hours if kept_hours else float("nan")
    measures["value_per_hour_dropped"] = lost / saved if saved else float("nan")
    return measures | _turned_back(calls, dropped)


def drops_by_verdict(calls: pd.DataFrame, reasons: tuple[str, ...]) -> pd.DataFrame:
    """How dropped deals ended, one row per verdict that dropped them first. Open deals are left out.

    Returns:
        deals; won (share); no_decision (share of deals lost for a known reason); hours_saved; value_forgone.
    """
    first = calls[first_drops(calls) & calls["settled"]]
    undecided = no_decision(first["ending"], reasons)
    rows = first.assign(undecided=undecided, value=first["worth_truth"].clip(lower=0)).groupby("verdict")
    return pd.DataFrame(
        {
            "deals": rows.size(),
            "won": rows["won"].mean(),
            "no_decision": rows["undecided"].mean(),
            "hours_saved": rows["remaining_hours_truth"].sum(),
            "value_forgone": rows["value"].sum(),
        }
    )


def _turned_back(calls: pd.DataFrame, dropped: pd.Series) -> dict[str, float]:
    """The share of dropped deals that a later call put above the bar again."""
    after = dropped.groupby(calls["deal_id"]).cumsum() > 0
    back = (after & ~dropped).groupby(calls["deal_id"]).any()
    ever = dropped.groupby(calls["deal_id"]).any()
    return {"turned_back": float(back[ever].mean()) if ever.any() else float("nan")}


def _hours(calls: pd.DataFrame, draws: int) -> dict[str, float]:
    predicted, booked = (calls[name].to_numpy() for name in ("remaining_hours", "remaining_hours_truth"))
    drawn = DealDraws.of(calls["deal_id"].to_numpy(), draws)
    ratio = _share(drawn, predicted, booked, "predicted_over_booked")
    return ratio | {"error": float(np.abs(predicted - booked).mean()), "booked": float(booked.mean())}


def measure(calls: pd.DataFrame, draws: int, no_decision_reasons: tuple[str, ...] = ("no_decision",)) -> dict[str, Any]:
    """The measures of section 7; intervals are 90%, over deals.

    Args:
        calls: of `judged`, with both won and other deals.
        draws: of the bootstrap.
        no_decision_reasons: loss reasons which mean that nobody decided.

    Returns:
        indices: a table, one row per index (`evaluation.skills`). win: AUC, Brier and log loss, of the model and of the
        base rate; open deals count as not won. win_in_time: the same of the calls whose deal had time to end and did
        (`with_cohort`); absent without such calls. age: calibration by age of the deal (`evaluation.by_slice`). hours:
        predicted over booked, mean error per call. followed: shares of deals dropped, of hours saved and of value lost
        (value_forgone); value per hour on deals kept and on deals dropped; turned_back. drops: a table, one row per
        verdict (`drops_by_verdict`). verdicts: shares of calls.
    """
    table = by_slice(calls.assign(won_completed=calls["won"]).drop(columns="stage"), draws)
    in_time = calls[ended_in_time(calls)] if HAD_TIME in calls else calls.iloc[:0]
    compared = ["win_probability", "base_rate"]
    return {
        "indices": skills(calls, list(INDICES), draws),
        "win": win_metrics(calls, compared, draws),
        **({"win_in_time": win_metrics(in_time, compared, draws)} if len(in_time) else {}),
        "age": table.drop(columns="fails"),
        "hours": _hours(calls, draws),
        "followed": _followed(calls, draws),
        "drops": drops_by_verdict(calls, no_decision_reasons),
        "verdicts": calls["verdict"].value_counts(normalize=True).to_dict(),
    }
