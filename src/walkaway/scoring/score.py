"""Scoring: one row per open deal and moment, the most valuable hours first, or deals where no hours are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from walkaway.asof import known
from walkaway.book import Book
from walkaway.config import ScoreSettings
from walkaway.economics import DROPPED, Curve
from walkaway.errors import UsageError
from walkaway.explaining import Reasons, attribute, reasons_table
from walkaway.formatting import LocaleFormat
from walkaway.models import Calls, Model, Rows, call_open, caveats_of
from walkaway.scoring.advice import kept_to_learn

__all__ = ["caveats_said", "score", "summary", "with_replay_curve", "with_source", "without_hours"]

CHUNK = 20_000  # rows explained at a time, to limit the memory for the SHAP values of all members


def _explained(model: Model, calls: Calls, reasons: int, fmt: LocaleFormat) -> pd.DataFrame:
    """The reasons of every call, made one chunk at a time."""
    parts = [
        _chunk_reasons(model, calls.rows, slice(begin, begin + CHUNK), reasons, fmt)
        for begin in range(0, len(calls.table), CHUNK)
    ]
    return pd.concat(parts, ignore_index=True)


def _chunk_reasons(model: Model, rows: Rows, at: slice, reasons: int, fmt: LocaleFormat) -> pd.DataFrame:
    part = Rows(rows.snapshots.iloc[at], rows.X[at], rows.terms.iloc[at])
    return reasons_table(Reasons(model, part, attribute(model, part), fmt), reasons)


def with_replay_curve(model: Model, replay: Path | None) -> Model:
    """The model with the curve of a replay in place of its own, so that the bar is chosen on that curve.

    Args:
        model: any model.
        replay: folder of a finished replay; None leaves the model as it is. Guarantees stay those of the model.

    Raises:
        UsageError: the folder has no finished replay, or the replay has no curve or another currency.
    """
    if replay is None:
        return model
    path = replay / "summary.json"
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        curve, currency = Curve.from_json(results["curve"]), str(results["currency"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"score.replay: {path} is not the summary of a replay ({error!r}). Name the --out of a finished replay."
        ) from error
    learned = model.facts.currency
    if currency != learned:
        raise UsageError(f"score.replay: {path} is in {currency or 'no currency'}, but the model is in {learned}.")
    if not curve.bars:
        raise UsageError(f"score.replay: {path} has no curve: nothing could be measured. Replay a longer period.")
    return replace(model, curve=replace(curve, guaranteed=model.curve.guaranteed))


def score(
    book: Book, model: Model, at: pd.DatetimeIndex, score_settings: ScoreSettings, locale: str = "en_GB"
) -> pd.DataFrame:
    """Call every deal open at each moment.

    Args:
        book: any book.
        model: for example the champion.
        at: UTC moments.
        score_settings: the dial that chooses the bar on the model's curve, and the most reasons per call; without
            reasons, scoring is much faster.
        locale: of the numbers in reasons and in wait_for.

    Returns:
        One row per open deal and moment, by as_of, then highest value_per_hour first: the columns of `make_calls`, then
        bar_unit (hour, or deal where no hours are known: then remaining_hours and value_per_hour are empty, and the
        highest expected_value is first), kept_to_learn (below the bar, but to be worked on all the same:
        `walkaway.scoring.advice`), reason_1, factor_1, base_rate_1, ..., model_version, assumed_hours_share, caveats
        (codes of `walkaway.models.caveats_of`: what must be known before anyone acts on the calls), and the columns of
        `walkaway.book.NAMES` that the book records.

    Raises:
        UsageError: a moment is before the first deal, is more than a year after the newest record, or has no open deal;
            or the book has no dates.
        DataError: the book does not fit the model.
    """
    calls = call_open(book, model, at, score_settings)
    kept = calls.table["verdict"].isin(DROPPED) & kept_to_learn(calls.table["deal_id"], score_settings.keep_share)
    fmt = model.facts.wording(locale)
    table = calls.table.assign(bar_unit=fmt.unit, kept_to_learn=kept, wait_for=calls.wait_sentences(fmt))
    if score_settings.reasons:
        table = pd.concat([table, _explained(model, calls, score_settings.reasons, fmt)], axis=1)
    share = calls.table["as_of"].map({moment: _assumed_share(book, moment) for moment in at})
    order = np.lexsort((table["deal_id"], -table["value_per_hour"], table["as_of"]))
    return with_source(without_hours(table), book, model, share).iloc[order].reset_index(drop=True)


def with_source(table: pd.DataFrame, book: Book, model: Model, assumed_hours_share: pd.Series | float) -> pd.DataFrame:
    """Calls with what they rest on: model_version, assumed_hours_share, caveats (codes), and the names of deals."""
    codes = ";".join(caveat.code for caveat in caveats_of(model, LocaleFormat()))
    source = {"model_version": model.version, "assumed_hours_share": assumed_hours_share}
    table = table.assign(**source, caveats=pd.Series(codes, table.index, dtype="str"))
    return pd.concat([table, book.names_of(table["deal_id"])], axis=1)


def caveats_said(table: pd.DataFrame) -> list[str]:
    """The codes of the caveats that calls carry."""
    return [code for code in str(table["caveats"].iloc[0]).split(";") if code]


def without_hours(calls: pd.DataFrame) -> pd.DataFrame:
    """The calls with empty hours and value per hour where the bar is money per deal, since no hours are known.

    >>> without_hours(pd.DataFrame({"bar_unit": ["deal"], "remaining_hours": [1.0], "value_per_hour": [90.0]}))
      bar_unit  remaining_hours  value_per_hour
    0     deal              NaN             NaN
    """
    known_hours = calls["bar_unit"] == "hour"
    return calls.assign(**{name: calls[name].where(known_hours) for name in ("remaining_hours", "value_per_hour")})


def summary(table: pd.DataFrame) -> dict[str, object]:
    """The newest moment of scored calls in a few numbers: what walking away frees, and what it puts at risk.

    Deals that are kept to learn from free no hours. hours and hours_freed are None where no hours are known.
    """
    last = table[table["as_of"] == table["as_of"].max()]
    drop = last[last["verdict"].isin(DROPPED) & ~last["kept_to_learn"]]
    bar_unit = str(last["bar_unit"].iloc[0])
    hours, freed = (float(rows["remaining_hours"].sum()) if bar_unit == "hour" else None for rows in (last, drop))
    return {
        "calls": len(table),
        "as_of": last["as_of"].iloc[0].isoformat(),
        "open_deals": len(last),
        "bar": float(last["bar"].iloc[0]),
        "bar_unit": bar_unit,
        "verdicts": {str(verdict): int(n) for verdict, n in last["verdict"].value_counts().items()},
        "kept_to_learn": int(last["kept_to_learn"].sum()),
        "hours": hours,
        "hours_freed": freed,
        "dropped": len(drop),
        "value_at_risk": float(drop["expected_value"].clip(lower=0).sum()),
        "model_version": str(last["model_version"].iloc[0]),
        "caveats": caveats_said(last),
    }


def _assumed_share(book: Book, moment: pd.Timestamp) -> float:
    """The share of the hours booked by then that were assumed."""
    return known(book, moment).assumed_hours_share
