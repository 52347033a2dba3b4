"""The nightly batch: call every open deal, show what changed since the last run, and record the run.

One folder has all the output: calls.csv (or .parquet), changes.csv, advice.csv with each deal's first walk_away or
nurture, and runs.jsonl with one line per run. Exit codes for a scheduler: 0 ok, 2 usage, 3 bad or stale data, 5 locked,
6 an open deal got no call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from walkaway.asof import known
from walkaway.book import Book, read_book
from walkaway.config import ScoreSettings, Settings
from walkaway.economics import DROPPED
from walkaway.errors import DataError, IncompleteError, WalkawayError
from walkaway.files import append_line, checksum, exclusive, read_lines, read_text_frame, write_frame
from walkaway.formatting import LocaleFormat
from walkaway.models import Model, gain_of_bar_by_hand, load_champion
from walkaway.scoring.advice import more_advice, read_advice
from walkaway.scoring.score import score, summary, with_replay_curve

__all__ = ["CHANGES", "KINDS", "Batch", "changes", "deals_without_call", "fresh_as_of", "run_batch"]

RUNS, CHANGES, ADVICE = "runs.jsonl", "changes.csv", "advice.csv"
KINDS = ("newly_below_bar", "back_above_bar", "newly_open", "closed", "gone", "not_called")
COMPARED = ["verdict", "expected_value", "value_per_hour", "bar"]
_COLUMNS = ["deal_id", "change", *(f"{name}{when}" for name in COMPARED for when in ("_before", "")), "outcome"]


@dataclass(frozen=True)
class Batch:
    """A run that wrote its output: the calls, the changes (None if nothing could be compared), and its record.

    `notes` are sentences for the reader; `problem` is set if an open deal got no call.
    """

    calls: pd.DataFrame
    changes: pd.DataFrame | None
    record: dict[str, Any]
    model: Model
    out: Path
    notes: tuple[str, ...]
    problem: IncompleteError | None


def fresh_as_of(book: Book, now: pd.Timestamp, max_age_days: float, name: str) -> pd.Timestamp:
    """The moment of the newest record by `now`. Deals are called at that moment.

    Raises:
        DataError: it is more than `max_age_days` before `now`, or nothing was recorded by `now`.

    >>> book = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]}))
    >>> fresh_as_of(book, pd.Timestamp("2026-01-09", tz="UTC"), 3, "data/book")
    Traceback (most recent call last):
    ...
    walkaway.errors.DataError: data/book: its newest record is of 2026-01-05 09:00 UTC, 3.6 days before
    2026-01-09 00:00 UTC; batch.max_age_days allows 3. Export and import again, allow more days, or replay a past moment
    with --now.
    """
    known_by_now = known(book, now) if book.last_recorded_at() > now else book
    if known_by_now.deals.empty:
        raise DataError(f"{name}: no deal had been created by {now:%Y-%m-%d %H:%M} UTC. Use a later --now.")
    newest = known_by_now.last_recorded_at()
    age = (now - newest) / pd.Timedelta(days=1)
    if age > max_age_days:
        raise DataError(
            f"{name}: its newest record is of {newest:%Y-%m-%d %H:%M} UTC, {age:,.1f} days before "
            f"{now:%Y-%m-%d %H:%M} UTC; batch.max_age_days allows {max_age_days:g}. "
            "Export and import again, allow more days, or replay a past moment with --now."
        )
    return newest


def _check_dated(book: Book, name: str) -> None:
    if book.manifest.timeless:
        raise DataError(
            f"{name}: has no dates, so batch cannot check how old it is or what changed. Import an export with "
            "dates, or use walkaway score."
        )


def _open(book: Book, as_of: pd.Timestamp, name: str) -> pd.Series:
    """Deals open at a moment, found independently of scoring, whose output is checked against them."""
    deals = book.deals
    open_deals = deals["deal_id"][(deals["created_at"] <= as_of) & ~(deals["closed_at"] <= as_of)]
    if open_deals.empty:
        raise DataError(f"{name}: no deal is open at {as_of:%Y-%m-%d %H:%M} UTC. Check the export.")
    return open_deals


def deals_without_call(calls: pd.DataFrame, open_deals: pd.Series) -> list[str]:
    """Open deals without a call, or with a call that lacks a verdict or the value that its bar is compared with.

    >>> calls = pd.DataFrame({"deal_id": ["a", "b"], "verdict": "pursue", "expected_value": 2.0, "bar_unit": "hour"})
    >>> deals_without_call(calls.assign(value_per_hour=[1.0, None]), pd.Series(["a", "b", "c"]))
    ['b', 'c']
    """
    compared = calls["value_per_hour"].where(calls["bar_unit"] == "hour", calls["expected_value"])
    complete = calls[calls["verdict"].notna() & compared.notna()]
    return sorted(set(open_deals) - set(complete["deal_id"]))


def changes(previous: pd.DataFrame, current: pd.DataFrame, book: Book) -> pd.DataFrame:
    """What changed from the calls of one run to those of the next.

    Args:
        previous: calls of one moment: deal_id, as_of, verdict, expected_value, value_per_hour, bar.
        current: the same, of a later moment or the same one.
        book: says which deals were closed by the later moment, and how.

    Returns:
        One row per changed deal, by kind and deal_id: deal_id, change, the verdict, expected_value, value_per_hour and
        bar before and now, outcome (of closed deals), and the columns of NAMES that the book records. Kinds:
        newly_below_bar (dropped now, kept before), back_above_bar, newly_open, closed (also deals that were opened
        since), gone (no longer in the book), not_called (open, but without a call). walk_away and nurture count as
        below the bar, unsure counts as kept.
    """
    since, as_of = previous["as_of"].max(), current["as_of"].max()
    sides = previous[["deal_id", *COMPARED]].merge(
        current[["deal_id", *COMPARED]], on="deal_id", how="outer", suffixes=("_before", "")
    )
    deals = book.deals[["deal_id", "closed_at", "outcome"]]
    closed_since = deals["deal_id"][(deals["closed_at"] > since) & (deals["closed_at"] <= as_of)]
    sides = sides.merge(closed_since, on="deal_id", how="outer").merge(deals, on="deal_id", how="left")
    change = _kind(sides, sides["deal_id"].isin(deals["deal_id"]), sides["closed_at"] <= as_of)
    table = sides.assign(change=change, outcome=sides["outcome"].where(change == "closed"))
    table = table[table["change"] != ""]
    rank = table["change"].map(KINDS.index)
    table = table.iloc[np.lexsort((table["deal_id"], rank))][_COLUMNS].reset_index(drop=True)
    return table.join(book.names_of(table["deal_id"]))


def _kind(sides: pd.DataFrame, in_book: pd.Series, closed: pd.Series) -> np.ndarray:
    called_before, called = sides["verdict_before"].notna(), sides["verdict"].notna()
    below_before, below = (sides[column].isin(DROPPED) for column in ("verdict_before", "verdict"))
    cases = {
        "closed": ~called & closed,
        "gone": ~called & ~in_book,
        "not_called": ~called,
        "newly_open": ~called_before,
        "newly_below_bar": below & ~below_before,
        "back_above_bar": ~below & below_before,
    }
    return np.select(list(cases.values()), list(cases), default="")


def _last_calls(out: Path, name: str) -> tuple[pd.DataFrame | None, str]:
    """The calls of the last run that wrote some; if there are none to compare with, None and the reason."""
    wrote = [run for run in read_lines(out / RUNS) if run.get("calls")]
    last: dict[str, Any] = wrote[-1] if wrote else {}
    path = out / str(last.get("calls", name))
    if not path.is_file():
        return None, f"No calls of an earlier run in {out}, so there is nothing to compare with."
    if last and checksum(path) != last.get("calls_sha256"):
        return None, f"{path} was changed after the last run wrote it, so nothing was compared."
    try:
        return _as_calls(read_text_frame(path)), ""
    except (ValueError, KeyError, OSError) as error:
        return None, f"{path} cannot be read as calls ({type(error).__name__}), so nothing was compared."


def _as_calls(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that `changes` needs, typed; of the newest moment only."""
    numbers = {column: frame[column].replace("", "nan").astype("float64") for column in COMPARED if column != "verdict"}
    as_of = pd.to_datetime(frame["as_of"], utc=True, format="ISO8601")
    verdict = frame["verdict"].where(frame["verdict"] != "")
    typed = frame[["deal_id", "model_version", "bar_unit"]].assign(as_of=as_of, verdict=verdict, **numbers)
    newest = typed[as_of == as_of.max()]
    if newest.empty or not newest["deal_id"].is_unique:
        raise ValueError("calls need one row per deal")
    return newest


def _compared(
    previous: pd.DataFrame, calls: pd.DataFrame, book: Book, fmt: LocaleFormat
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """The changes, and notes: since when, and whether bar or model changed too."""
    before, now = previous.iloc[0], calls.iloc[0]
    if before["as_of"] > now["as_of"]:
        later = fmt.moment(before["as_of"])
        return None, (f"The last run called deals at a later moment, {later} UTC, so nothing was compared.",)
    notes = []
    if before["bar_unit"] != now["bar_unit"]:
        notes.append(f"The bar is now {fmt.rate(now['bar'])}. The earlier one was of another kind.")
    elif before["bar"] != now["bar"]:
        notes.append(f"The bar changed from {fmt.worth(before['bar'])} to {fmt.rate(now['bar'])}.")
    if before["model_version"] != now["model_version"]:
        notes.append(f"The model changed from {before['model_version']} to {now['model_version']}.")
    return changes(previous, calls, book), (f"Since {fmt.moment(before['as_of'])} UTC:", *notes)


def _unusable(book: Book, fmt: LocaleFormat) -> tuple[str, ...]:
    """A sentence if deals of the export could not be used, so that no deal is missing without notice."""
    if not book.unusable_deals:
        return ()
    deals = fmt.whole(book.unusable_deals)
    return (f"{deals} deals of the export could not be used. The book's quarantine.parquet says why.",)


def _refused(model: Model, dial: ScoreSettings, fmt: LocaleFormat) -> tuple[str, ...]:
    """A sentence if the guarantee was asked for and no bar meets it."""
    refusal = model.curve.refusal(dial.forgo, fmt) if dial.guarantee else ""
    return (refusal,) if refusal else ()


def _other_hours(model: Model, book: Book) -> tuple[str, ...]:
    """A sentence if the model was trained with other assumed hours than the book has now."""
    facts = model.facts
    same = facts.effort == book.effort and facts.assumed_hours == book.manifest.assumed_hours
    if facts.assumed_hours_share is None or same:
        return ()
    return ("The assumed hours have changed since this model was trained. Train again.",)


@contextmanager
def _recorded(out: Path, now: pd.Timestamp) -> Iterator[dict[str, Any]]:
    """A record that is filled during the run, and written however the run ends."""
    of_book = ("ended_at", "as_of", "book", "model_version", "open_deals", "unusable_deals")
    later = (*of_book, "bar", "bar_unit", "verdicts", "caveats", "changes")
    record: dict[str, Any] = {"started_at": _clock(), "now": now.isoformat(), **dict.fromkeys(later)}
    record |= {"calls": None, "calls_sha256": None, "exit_status": 0, "error": None}
    try:
        yield record
    except Exception as error:
        expected = isinstance(error, WalkawayError)
        sentence = str(error) if expected else f"unexpected {type(error).__name__}: {error}"
        record |= {"ended_at": _clock(), "exit_status": getattr(error, "exit_code", 1), "error": sentence}
        with suppress(OSError):  # a full disk must not hide the first error
            append_line(out / RUNS, record)
        raise
    record["ended_at"] = _clock()
    append_line(out / RUNS, record)


def _clock() -> str:
    now: str = pd.Timestamp.now("UTC").isoformat(timespec="seconds")
    return now


def run_batch(book: Path, models: Path, out: Path, settings: Settings, now: pd.Timestamp) -> Batch:
    """Call every deal open at the book's newest record, and compare with the last run.

    Args:
        book: folder of the book.
        models: folder with the champion.
        out: folder of the output; only one run can use it at a time.
        settings: of the project.
        now: the moment of the run (UTC); later records are ignored.

    Returns:
        What was written. The same book, model and settings give the same bytes of calls.

    Raises:
        LockedError: another batch uses `out`. Only that other run leaves a record.
        DataError: the book or the model cannot be used, the book is too old, or no deal is open.
    """
    with exclusive(out), _recorded(out, now) as record:
        read = read_book(book, settings.lost_after_days).assuming(settings.hours, settings.effort)
        record["book"] = read.manifest.fingerprint
        _check_dated(read, str(book))
        as_of = fresh_as_of(read, now, settings.batch.max_age_days, str(book))
        record["as_of"] = as_of.isoformat()
        open_deals = _open(read, as_of, str(book))
        model, dial = with_replay_curve(load_champion(models), settings.score.replay), settings.score
        at = pd.DatetimeIndex([as_of])
        calls = score(read, model, at, dial, settings.report.locale)
        return _written(read, model, calls, open_deals, out, settings, record)


def _written(
    book: Book,
    model: Model,
    calls: pd.DataFrame,
    open_deals: pd.Series,
    out: Path,
    settings: Settings,
    record: dict[str, Any],
) -> Batch:
    """Compare with the last run, write, and fill the record."""
    name = f"calls.{settings.batch.format}"
    fmt = model.facts.wording(settings.report.locale)
    advice = more_advice(_advice(out / ADVICE), calls, settings.score.keep_share)
    previous, note = _last_calls(out, name)
    changed, notes = (None, (note,)) if previous is None else _compared(previous, calls, book, fmt)
    notes += (*_unusable(book, fmt), *_other_hours(model, book), *_refused(model, settings.score, fmt))
    by_hand = gain_of_bar_by_hand(model, settings.score.bar, fmt)
    notes += (by_hand,) if by_hand else ()
    write_frame(pd.DataFrame(columns=_COLUMNS) if changed is None else changed, str(out / CHANGES))
    write_frame(calls, str(out / name))
    write_frame(advice, str(out / ADVICE))
    problem = _incomplete(deals_without_call(calls, open_deals), len(open_deals), fmt)
    numbers = summary(calls)
    record |= {key: numbers[key] for key in ("model_version", "bar", "bar_unit", "verdicts", "caveats")}
    record |= {"open_deals": len(open_deals), "unusable_deals": book.unusable_deals}
    record |= {"calls": name, "calls_sha256": checksum(out / name)}
    if changed is not None:
        record["changes"] = {str(kind): int(n) for kind, n in changed["change"].value_counts(sort=False).items()}
    if problem:
        record |= {"exit_status": problem.exit_code, "error": str(problem)}
    return Batch(calls, changed, record, model, out / name, notes, problem)


def _advice(path: Path) -> pd.DataFrame | None:
    """The advice of earlier runs. It must never be lost, so a file that cannot be read stops the run."""
    return read_advice(path) if path.is_file() else None


def _incomplete(missing: list[str], open_deals: int, fmt: LocaleFormat) -> IncompleteError | None:
    if not missing:
        return None
    named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
    return IncompleteError(
        f"{fmt.whole(len(missing))} of {fmt.whole(open_deals)} open deals got no call: {named}. All other calls are "
        "written. `walkaway explain DEAL` shows what is known about a deal."
    )
