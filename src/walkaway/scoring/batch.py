"""The nightly batch: call every open deal, say what changed since the last run, and leave a record of the run.

One folder holds it all: calls.csv (or .parquet), changes.csv, advice.csv with each deal's first walk_away or nurture,
and runs.jsonl with one line a run. A scheduler reads the exit code: 0 ok, 2 usage, 3 bad or stale data, 5 locked, 6 an
open deal got no call.
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
from walkaway.models import Model, load_champion
from walkaway.scoring.advice import more_advice, read_advice
from walkaway.scoring.score import score, summary, with_replay_curve

__all__ = ["CHANGES", "KINDS", "Batch", "changes", "deals_without_call", "fresh_as_of", "run_batch"]

RUNS, CHANGES, ADVICE = "runs.jsonl", "changes.csv", "advice.csv"
KINDS = ("newly_below_bar", "back_above_bar", "newly_open", "closed", "gone", "not_called")
COMPARED = ["verdict", "value_per_hour", "bar"]
_COLUMNS = ["deal_id", "change", *(f"{name}{when}" for name in COMPARED for when in ("_before", "")), "outcome"]


@dataclass(frozen=True)
class Batch:
    """A run that wrote its output: the calls, what changed (None where nothing could be compared), and its record.

    `notes` are sentences on the comparison; `problem` is set where an open deal got no call.
    """

    calls: pd.DataFrame
    changes: pd.DataFrame | None
    record: dict[str, Any]
    model: Model
    out: Path
    notes: tuple[str, ...]
    problem: IncompleteError | None


def fresh_as_of(book: Book, now: pd.Timestamp, max_age_days: float, name: str) -> pd.Timestamp:
    """The newest record by now, at which deals are called.

    Raises:
        DataError: it is older than `max_age_days`, or nothing was known by now.

    >>> book = Book.of(deals=pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]}))
    >>> fresh_as_of(book, pd.Timestamp("2026-01-09", tz="UTC"), 3, "data/book")
    Traceback (most recent call last):
    ...
    walkaway.errors.DataError: data/book: its newest record is of 2026-01-05 09:00 UTC, 3.6 days before
    2026-01-09 00:00 UTC; batch.max_age_days allows 3. Export and import again, allow more days, or replay a past moment
    with --now.
    """
    then = known(book, now) if book.last_recorded_at() > now else book
    if then.deals.empty:
        raise DataError(f"{name}: no deal had been created by {now:%Y-%m-%d %H:%M} UTC. Use a later --now.")
    newest = then.last_recorded_at()
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
            f"{name}: has no dates, so nothing tells whether it is fresh, or what changed. Import an export with "
            "dates; walkaway score calls this one as it is."
        )


def _open(book: Book, as_of: pd.Timestamp, name: str) -> pd.Series:
    """Deals open at a moment, found without what scoring uses: this is what its output is checked against."""
    deals = book.deals
    found = deals["deal_id"][(deals["created_at"] <= as_of) & ~(deals["closed_at"] <= as_of)]
    if found.empty:
        raise DataError(f"{name}: no deal is open at {as_of:%Y-%m-%d %H:%M} UTC: nothing to call. Check the export.")
    return found


def deals_without_call(calls: pd.DataFrame, open_deals: pd.Series) -> list[str]:
    """Open deals that have no row among the calls, or one without a verdict or a number.

    >>> calls = pd.DataFrame({"deal_id": ["a", "b"], "verdict": "pursue", "value_per_hour": [1.0, None]})
    >>> deals_without_call(calls, pd.Series(["a", "b", "c"]))
    ['b', 'c']
    """
    whole = calls.dropna(subset=["verdict", "value_per_hour"])
    return sorted(set(open_deals) - set(whole["deal_id"]))


def changes(previous: pd.DataFrame, current: pd.DataFrame, book: Book) -> pd.DataFrame:
    """What changed from one run's calls to the next.

    Args:
        previous: calls of one moment: deal_id, as_of, verdict, value_per_hour, bar.
        current: likewise, of a later moment or the same one.
        book: says which deals were closed by the later moment, and how.

    Returns:
        One row a changed deal, by kind and deal_id: deal_id, change, the verdict, value_per_hour and bar of before and
        now, outcome (of closed deals). Kinds: newly_below_bar (dropped now, kept before), back_above_bar, newly_open,
        closed (those opened since as well), gone (no longer in the book), not_called (open, and yet without a call).
        A deal whose verdict is walk_away or nurture counts as below the bar, an unsure one as kept.
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
    return table.iloc[np.lexsort((table["deal_id"], rank))][_COLUMNS].reset_index(drop=True)


def _kind(sides: pd.DataFrame, in_book: pd.Series, closed: pd.Series) -> np.ndarray:
    was, called = sides["verdict_before"].notna(), sides["verdict"].notna()
    below_before, below = (sides[column].isin(DROPPED) for column in ("verdict_before", "verdict"))
    cases = {
        "closed": ~called & closed,
        "gone": ~called & ~in_book,
        "not_called": ~called,
        "newly_open": ~was,
        "newly_below_bar": below & ~below_before,
        "back_above_bar": ~below & below_before,
    }
    return np.select(list(cases.values()), list(cases), default="")


def _last_calls(out: Path, name: str) -> tuple[pd.DataFrame | None, str]:
    """The calls of the last run that wrote any, or None and a sentence that says why not."""
    wrote = [run for run in read_lines(out / RUNS) if run.get("calls")]
    last: dict[str, Any] = wrote[-1] if wrote else {}
    path = out / str(last.get("calls", name))
    if not path.is_file():
        return None, f"No calls of an earlier run in {out}: nothing to compare with."
    if last and checksum(path) != last.get("calls_sha256"):
        return None, f"{path} is not what the last run wrote (its bytes differ): nothing compared."
    try:
        return _as_calls(read_text_frame(path)), ""
    except (ValueError, KeyError, OSError) as error:
        return None, f"{path} cannot be read as calls ({type(error).__name__}): nothing compared."


def _as_calls(frame: pd.DataFrame) -> pd.DataFrame:
    """What `changes` asks of calls that were read back, typed; of the newest moment only."""
    numbers = {column: frame[column].replace("", "nan").astype("float64") for column in ("value_per_hour", "bar")}
    as_of = pd.to_datetime(frame["as_of"], utc=True, format="ISO8601")
    verdict = frame["verdict"].where(frame["verdict"] != "")
    typed = frame[["deal_id", "model_version"]].assign(as_of=as_of, verdict=verdict, **numbers)
    newest = typed[as_of == as_of.max()]
    if newest.empty or not newest["deal_id"].is_unique:
        raise ValueError("calls need one row a deal")
    return newest


def _compared(previous: pd.DataFrame, calls: pd.DataFrame, book: Book) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """The changes, and what besides the deals changed between the runs."""
    before, now = previous.iloc[0], calls.iloc[0]
    if before["as_of"] > now["as_of"]:
        return None, (
            f"The last run called at {before['as_of']:%Y-%m-%d %H:%M} UTC, a later moment: nothing compared.",
        )
    notes = []
    if before["bar"] != now["bar"]:
        notes.append(f"The bar itself went from {before['bar']:,.0f} to {now['bar']:,.0f} per hour.")
    if before["model_version"] != now["model_version"]:
        notes.append(f"The model changed from {before['model_version']} to {now['model_version']}.")
    return changes(previous, calls, book), (f"Since {before['as_of']:%Y-%m-%d %H:%M} UTC:", *notes)


def _unusable(book: Book) -> tuple[str, ...]:
    """A sentence where deals of the export are in no call: nothing vanishes unsaid."""
    if not book.unusable_deals:
        return ()
    return (f"{book.unusable_deals:,} deals of the export could not be used: the book's quarantine.parquet says why.",)


def _refused(model: Model, dial: ScoreSettings) -> tuple[str, ...]:
    """A sentence where the guarantee was asked for and no bar can be promised."""
    told = model.curve.refusal(dial.forgo) if dial.guarantee else ""
    return (told,) if told else ()


def _other_hours(model: Model, book: Book) -> tuple[str, ...]:
    """A sentence where the model learned from other assumed hours than the book has now."""
    if model.facts.assumed_hours_share is None or model.facts.assumed_hours == book.manifest.assumed_hours:
        return ()
    return ("The hours assumed of activities are not those this model was trained with: train again.",)


@contextmanager
def _recorded(out: Path, now: pd.Timestamp) -> Iterator[dict[str, Any]]:
    """A record that is filled as the run goes, and kept however the run ends."""
    later = ("ended_at", "as_of", "book", "model_version", "bar", "open_deals", "unusable_deals", "verdicts", "changes")
    record: dict[str, Any] = {"started_at": _clock(), "now": now.isoformat(), **dict.fromkeys(later)}
    record |= {"calls": None, "calls_sha256": None, "exit_status": 0, "error": None}
    try:
        yield record
    except Exception as error:
        foreseen = isinstance(error, WalkawayError)
        said = str(error) if foreseen else f"unexpected {type(error).__name__}: {error}"
        record |= {"ended_at": _clock(), "exit_status": getattr(error, "exit_code", 1), "error": said}
        with suppress(OSError):  # a full disk must not hide what went wrong
            append_line(out / RUNS, record)
        raise
    record["ended_at"] = _clock()
    append_line(out / RUNS, record)


def _clock() -> str:
    return pd.Timestamp.now("UTC").isoformat(timespec="seconds")


def run_batch(book: Path, models: Path, out: Path, settings: Settings, now: pd.Timestamp) -> Batch:
    """Call every deal open at the book's newest record, and say what changed since the last run.

    Args:
        book: folder of the book.
        models: folder with the champion.
        out: folder of the output, which one run holds at a time.
        settings: of the project.
        now: the moment it runs at (UTC); nothing recorded later is looked at.

    Returns:
        What was written. The same book, model and settings give the same bytes of calls.

    Raises:
        LockedError: another batch holds `out`; that run alone leaves a record.
        DataError: the book or the model cannot be used, is stale, or holds no open deal.
    """
    with exclusive(out), _recorded(out, now) as record:
        read = read_book(book).with_hours(settings.hours)
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
    advice = more_advice(_advice(out / ADVICE), calls, settings.score.keep_share)
    previous, note = _last_calls(out, name)
    changed, notes = (None, (note,)) if previous is None else _compared(previous, calls, book)
    notes += (*_unusable(book), *_other_hours(model, book), *_refused(model, settings.score))
    write_frame(pd.DataFrame(columns=_COLUMNS) if changed is None else changed, str(out / CHANGES))
    write_frame(calls, str(out / name))
    write_frame(advice, str(out / ADVICE))
    problem = _incomplete(deals_without_call(calls, open_deals), len(open_deals))
    told = summary(calls)
    record |= {key: told[key] for key in ("model_version", "bar", "verdicts")}
    record |= {"open_deals": len(open_deals), "unusable_deals": book.unusable_deals}
    record |= {"calls": name, "calls_sha256": checksum(out / name)}
    if changed is not None:
        record["changes"] = {str(kind): int(n) for kind, n in changed["change"].value_counts(sort=False).items()}
    if problem:
        record |= {"exit_status": problem.exit_code, "error": str(problem)}
    return Batch(calls, changed, record, model, out / name, notes, problem)


def _advice(path: Path) -> pd.DataFrame | None:
    """What earlier runs advised; it is kept for good, so a file that cannot be read stops the run."""
    return read_advice(path) if path.is_file() else None


def _incomplete(missing: list[str], open_deals: int) -> IncompleteError | None:
    if not missing:
        return None
    named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
    return IncompleteError(
        f"{len(missing):,} of {open_deals:,} open deals got no call: {named}. The others are written. "
        "`walkaway explain DEAL` tells what is known of one."
    )
