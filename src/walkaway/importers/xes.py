"""XES event logs to books: streamed trace by trace, so that memory does not grow with the file's nesting.

A trace is a deal. An event becomes exactly one row: a change of a tracked field, or an activity. Events that the
mapping does not name, and rows that break a rule, are quarantined: rows in = rows used + rows quarantined.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pandas as pd
from lxml import etree

from walkaway.errors import DataError
from walkaway.importers.mapping import ActivityMapping, FieldMapping, WorkMapping, XesMapping
from walkaway.quarantine import COLUMNS, admit
from walkaway.schema import SOURCE_ROW, Book, Manifest

__all__ = ["Imported", "import_xes", "read_traces"]

Attributes = dict[str, str]
INSTANT = pd.Timedelta(microseconds=1)


@dataclass(frozen=True)
class Imported:
    """A book, the rows that could not be used, and how many rows the source had in all."""

    book: Book
    quarantine: pd.DataFrame
    rows_in: int

    @property
    def rows_used(self) -> int:
        """Rows of the source that stand in the book."""
        return sum(self.book.manifest.rows_used.values())


@dataclass
class _Rows:
    """Rows gathered while the log streams by."""

    deals: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, table: str, row: str, deal_id: str, column: str, value: str, rule: str, remedy: str) -> None:
        values = (table, row, deal_id, column, value, rule, remedy)
        self.quarantine.append(dict(zip(COLUMNS, values, strict=True)))


def _open(path: Path) -> IO[bytes]:
    if not path.is_file():
        raise DataError(f"{path}: no such file. Name an XES log (.xes or .xes.gz).")
    zipped = path.open("rb").read(2) == b"\x1f\x8b"
    return gzip.open(path) if zipped else path.open("rb")  # type: ignore[return-value]


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _attributes(element: etree._Element) -> Attributes:
    return {a.get("key"): a.get("value") for a in element if a.get("key") is not None and a.get("value") is not None}


def read_traces(path: Path, advance: Callable[[int], None] = lambda read: None) -> Iterator[tuple[Attributes, list[Attributes]]]:
    """Each trace's own attributes and those of its events, in file order.

    Args:
        path: an XES log, plain or gzipped.
        advance: called now and then with the number of traces read, for a progress bar.

    Raises:
        DataError: the file is absent, empty, not XML, or ends before the log does.
    """
    read = 0
    try:
        with _open(path) as file:
            for _, trace in etree.iterparse(file, tag="{*}trace", resolve_entities=False, no_network=True):
                events = [_attributes(element) for element in trace if _local(element) == "event"]
                yield _attributes(trace), events
                trace.clear()
                while trace.getprevious() is not None:  # the parser keeps emptied siblings alive
                    del trace.getparent()[0]
                read += 1
                if read % 500 == 0:
                    advance(read)
    except (etree.XMLSyntaxError, EOFError, gzip.BadGzipFile, OSError) as error:
        raise DataError(
            f"{path}: not a whole XES log: {error} (after {read} traces). "
            "The file is empty, cut short or damaged: fetch it again. Nothing was written."
        ) from error
    advance(read)


class _Moments:
    """Reads moments, each with its own offset; a moment without one needs the mapping's `timezone`."""

    def __init__(self, timezone: str | None) -> None:
        self._timezone = timezone

    def __call__(self, text: str | None) -> pd.Timestamp:
        moment = pd.Timestamp(text) if text else pd.NaT
        if pd.isna(moment):
            raise ValueError("is not a moment in ISO 8601")
        if moment.tzinfo is None:
            if self._timezone is None:
                raise ValueError("has no time zone, and the mapping sets no `timezone`")
            moment = moment.tz_localize(self._timezone)
        return moment.tz_convert("UTC").as_unit("us")


def _timed_events(
    rows: _Rows, mapping: XesMapping, deal_id: str, events: list[Attributes], moments: _Moments
) -> list[tuple[pd.Timestamp, str, Attributes]]:
    """The events with readable name and moment, in order of time; the others are quarantined."""
    timed = []
    for number, event in enumerate(events):
        row = f"case {deal_id}, event {number + 1}"
        if not event.get(mapping.event.name):
            rows.refuse("events", row, deal_id, mapping.event.name, "nothing", "is required", "name the event at the source")
            continue
        text = event.get(mapping.event.moment)
        try:
            timed.append((moments(text), row, event))
        except ValueError as error:
            rule = str(error) if "has no" in str(error) or "is not" in str(error) else "is not a moment in ISO 8601"
            rows.refuse("events", row, deal_id, mapping.event.moment, text or "nothing", rule, "correct the moment")
    return sorted(timed, key=lambda entry: entry[0])


def _close(mapping: XesMapping, timed: list[tuple[pd.Timestamp, str, Attributes]]) -> dict[str, Any]:
    """closed_at, outcome and loss_reason by the first closing event, or nothing for an open deal."""
    closing = {name: part for part in mapping.outcome for name in part.events}
    for moment, _, event in timed:
        if part := closing.get(event[mapping.event.name]):
            return {"closed_at": moment, "outcome": part.outcome, "loss_reason": part.loss_reason}
    return {}


def _deal_row(
    rows: _Rows, mapping: XesMapping, number: int, case: Attributes, moments: _Moments, first: pd.Timestamp | None
) -> dict[str, Any] | None:
    """The deal of a trace; None, with a quarantine entry, where it has no id or no readable created_at or amount."""
    part, row = mapping.case, f"trace {number + 1}"
    deal_id = case.get(part.deal_id)
    if not deal_id:
        rows.refuse("deals", row, "", part.deal_id, "nothing", "is required", "give each case an id")
        return None
    deal: dict[str, Any] = {"deal_id": deal_id, "currency": mapping.currency or None, SOURCE_ROW: row}
    for name in ("account_id", "owner_id", "team", "pipeline"):
        if key := getattr(part, name):
            deal[name] = case.get(key)
    deal |= {name: case.get(key) for name, key in part.attributes.items()}
    column, text = part.created_at or "created_at", case.get(part.created_at or "")
    try:
        deal["created_at"] = first if part.created_at is None or (text is None and first is not None) else moments(text)
        if deal["created_at"] is None:
            raise ValueError("is missing, and the case has no event")
        column, text = part.amount or "amount", case.get(part.amount or "")
        deal["amount"] = float(text) if text else None
    except ValueError as error:
        rule = "is not a number" if column == part.amount else str(error)
        rows.refuse("deals", row, deal_id, column, text or "nothing", rule, "correct it at the source")
        return None
    return deal


def _in_order(moments: list[pd.Timestamp]) -> list[pd.Timestamp]:
    """The same moments, those of one instant set a microsecond apart, so that their order in the file is kept."""
    out: list[pd.Timestamp] = []
    for moment in moments:
        out.append(max(moment, out[-1] + INSTANT) if out else moment)
    return out


class _Work:
    """Pairs the steps of one case's work items into hours."""

    def __init__(self, part: WorkMapping) -> None:
        self._part, self._begun = part, dict[str, pd.Timestamp]()

    def step(self, name: str, status: str, moment: pd.Timestamp) -> dict[str, Any]:
        """The activity that this step is: a planned or begun one takes no hours, a done one those since its begin."""
        part, began, hours = self._part, None, 0.0
        if status == "begun":
            self._begun[name] = moment
        elif status == "done":
            began = self._begun.pop(name, None)
            hours = min((moment - began).total_seconds() / 3600, part.clip_hours) if began else part.unpaired_hours
        kind, direction = part.kinds.get(name, name), part.directions.get(name, part.direction)
        return {"kind": kind, "status": status, "direction": direction, "occurred_at": began or moment, "hours": hours}


def _event_rows(
    rows: _Rows, mapping: XesMapping, deal_id: str, timed: list[tuple[pd.Timestamp, str, Attributes]]
) -> None:
    """Sort each event of a case into changes, activities or quarantine."""
    work = _Work(mapping.work) if mapping.work else None
    last: dict[str, str | None] = {}
    in_order = _in_order([moment for moment, _, _ in timed])
    for (moment, row, event), recorded_at in zip(timed, in_order, strict=True):
        name = event[mapping.event.name]
        shared = {"deal_id": deal_id, "recorded_at": recorded_at, SOURCE_ROW: row}
        match mapping.meaning_of(name):
            case FieldMapping(field=field_name, strip=strip):
                value = name.removeprefix(strip)
                rows.changes.append(
                    shared | {"field": field_name, "old_value": last.get(field_name), "new_value": value}
                )
                last[field_name] = value
            case ActivityMapping(kind=kind, direction=direction, hours=hours):
                activity = {"kind": kind, "status": "done", "direction": direction, "occurred_at": moment, "hours": hours}
                rows.activities.append(_activity(mapping, shared | activity, event))
            case WorkMapping() as part if status := part.status_of(event.get(mapping.event.transition or "", part.done)):
                assert work is not None  # noqa: S101  (the match found mapping.work)
                rows.activities.append(_activity(mapping, shared | work.step(name, status, moment), event))
            case _:
                rule = "is not named by the mapping"
                rows.refuse("events", row, deal_id, mapping.event.name, name, rule, "add it to the mapping, if it matters")


def _activity(mapping: XesMapping, row: dict[str, Any], event: Attributes) -> dict[str, Any]:
    owner = event.get(mapping.event.owner) if mapping.event.owner else None
    return row | {"activity_id": row[SOURCE_ROW].removeprefix("case ").replace(", event ", "/"), "owner_id": owner}


def _gather(path: Path, mapping: XesMapping, advance: Callable[[int], None]) -> tuple[_Rows, int]:
    rows, moments, rows_in = _Rows(), _Moments(mapping.timezone), 0
    seen: set[str] = set()
    for number, (case, events) in enumerate(read_traces(path, advance)):
        rows_in += 1 + len(events)
        deal_id = case.get(mapping.case.deal_id, "")
        if deal_id in seen:
            rows.refuse("deals", f"trace {number + 1}", deal_id, mapping.case.deal_id, deal_id, "repeats a key", "keep one")
            _refuse_events(rows, deal_id, events, f"trace {number + 1}", "belongs to a repeated case")
            continue
        timed = _timed_events(rows, mapping, deal_id, events, moments)
        deal = _deal_row(rows, mapping, number, case, moments, timed[0][0] if timed else None)
        if deal is None:
            for _, row, event in timed:
                name = event[mapping.event.name]
                rows.refuse("events", row, deal_id, mapping.event.name, name, "belongs to no admitted deal", "correct the case")
            continue
        seen.add(deal_id)
        rows.deals.append(deal | _close(mapping, timed))
        _event_rows(rows, mapping, deal_id, timed)
    if rows_in == 0:
        raise DataError(f"{path}: the log has no trace. Is it an XES log, and the right one? Nothing was written.")
    return rows, rows_in


def _refuse_events(rows: _Rows, deal_id: str, events: list[Attributes], where: str, rule: str) -> None:
    for number, event in enumerate(events):
        name = event.get("concept:name", "nothing")
        rows.refuse("events", f"{where}, event {number + 1}", deal_id, "event", name, rule, "keep one case an id")


def import_xes(
    path: Path,
    mapping: XesMapping,
    now: pd.Timestamp,
    mapping_name: str = "",
    advance: Callable[[int], None] = lambda read: None,
) -> Imported:
    """Read an XES log as a book.

    Args:
        path: the log, plain or gzipped.
        mapping: what its cases and events mean.
        now: the moment of the import (UTC); rows recorded later are quarantined.
        mapping_name: what the manifest calls the mapping.
        advance: called now and then with the number of traces read.

    Returns:
        The book with its quarantine; rows in = rows used + rows quarantined.

    Raises:
        DataError: the file is absent, empty, cut short or not XML.
        BookError: no deal can be used.
    """
    rows, rows_in = _gather(path, mapping, advance)
    fixed = tuple(dict.fromkeys((*mapping.case.fixed_at_creation, *mapping.case.attributes)))
    manifest = Manifest(source=f"xes {path.name}", mapping=mapping_name, currency=mapping.currency, fixed_at_creation=fixed)
    gathered = {name: pd.DataFrame(found) for name in ("deals", "changes", "activities") if (found := getattr(rows, name))}
    if "deals" not in gathered:
        first = rows.quarantine[0]
        raise DataError(
            f"{path}: no case can be used as a deal. The first: {first['row']}, {first['column']} {first['rule']} "
            f"(found {first['value']}). Correct the mapping or the log. Nothing was written."
        )
    book, refused = admit(Book.of(manifest, **gathered), now)
    quarantine = pd.concat([pd.DataFrame(rows.quarantine, columns=COLUMNS, dtype="str"), refused], ignore_index=True)
    counted = manifest.model_copy(
        update={
            "rows_in": {"traces and events": rows_in},
            "rows_used": {name: len(table) for name, table in book.tables().items()},
            "rows_quarantined": {name: int(n) for name, n in quarantine["table"].value_counts(sort=False).items()},
        }
    )
    return Imported(book.with_tables(manifest=counted), quarantine, rows_in)
