"""Import of XES event logs as books, one trace at a time to limit memory.

A trace is a deal. An event becomes exactly one row: a change of a tracked field, or an activity. Events that the
mapping does not name, and rows that break a rule, are quarantined. Rows in = rows used + rows quarantined.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import pandas as pd
from lxml import etree

from walkaway.book import COLUMNS, SOURCE_ROW, Book, Manifest, admit
from walkaway.config import AS_IT_IS, MoneySettings
from walkaway.errors import DataError, UsageError
from walkaway.importers.currencies import in_one_currency
from walkaway.importers.imported import Imported
from walkaway.importers.importer import Export, mapping_required
from walkaway.importers.mapping import mapping_for
from walkaway.importers.xes_mapping import ActivityMapping, FieldMapping, WorkMapping, XesMapping

__all__ = ["Imported", "import_xes", "read_traces"]

Attributes = dict[str, str]
INSTANT = pd.Timedelta(microseconds=1)
UNNAMED = ("is not named by the mapping", "add it to the mapping if it matters")
GZIP_MAGIC = b"\x1f\x8b"
DATE_LENGTH = len("2026-01-31")


@dataclass(frozen=True)
class _TimedEvent:
    """An event with a name and a moment. `number` is its position in the case, from 1."""

    moment: pd.Timestamp
    name: str
    attributes: Attributes
    row: str
    number: int


@dataclass
class _Rows:
    """Rows gathered while the log is read."""

    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, table: str, row: str, deal_id: str, why: _RefusedError) -> None:
        values = (table, row, deal_id, why.column, why.value or "nothing", why.rule, why.remedy)
        self.quarantine.append(dict(zip(COLUMNS, values, strict=True)))


class _RefusedError(Exception):
    """A row cannot be used, with column, value found, rule and remedy."""

    def __init__(self, column: str, value: str | None, rule: str, remedy: str) -> None:
        super().__init__(rule)
        self.column, self.value, self.rule, self.remedy = column, value, rule, remedy


def _open(path: Path) -> IO[bytes]:
    if not path.is_file():
        raise DataError(f"{path}: must be a file, found none. Name an XES log (.xes or .xes.gz).")
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP_MAGIC
    return gzip.open(path) if zipped else path.open("rb")  # type: ignore[return-value]


def _is_event(element: etree._Element) -> bool:
    """Whether the element is an event, not an attribute, a comment or an entity."""
    return isinstance(element.tag, str) and etree.QName(element).localname == "event"


def _attributes(element: etree._Element) -> Attributes:
    pairs = ((a.get("key"), a.get("value")) for a in element.iterchildren("*"))
    return {key: value for key, value in pairs if key is not None and value is not None}


def read_traces(
    path: Path, advance: Callable[[int], None] = lambda read: None
) -> Iterator[tuple[Attributes, list[Attributes]]]:
    """The attributes of each trace and of its events, in file order.

    Args:
        path: an XES log, plain or gzipped.
        advance: called every 500 traces and at the end with the number of traces read.

    Raises:
        DataError: the file is missing, empty, not XML or incomplete.
    """
    read = 0
    try:
        with _open(path) as file:
            for _, trace in etree.iterparse(file, tag="{*}trace", resolve_entities=False, no_network=True):
                events = [_attributes(element) for element in trace if _is_event(element)]
                yield _attributes(trace), events
                trace.clear()
                while trace.getprevious() is not None:  # the parser keeps emptied siblings alive
                    del trace.getparent()[0]
                read += 1
                if read % 500 == 0:
                    advance(read)
    except (etree.XMLSyntaxError, EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"{path}: must be a complete XES log, found: {error} (after {read} traces). "
            "Export or download the file again. Nothing was written."
        ) from error
    advance(read)


def _moment(text: str | None, column: str, timezone: str | None) -> pd.Timestamp:
    """The text as a moment in UTC. Without an offset, the mapping's `timezone` is required.

    A date without a time is the end of that day.
    """
    try:
        moment = pd.Timestamp(datetime.fromisoformat(text or ""))
    except ValueError as error:
        raise _RefusedError(column, text, "is not a moment in ISO 8601", "correct it at the source") from error
    if len(text or "") <= DATE_LENGTH:
        moment += pd.Timedelta(days=1) - INSTANT
    if moment.tzinfo is None:
        if timezone is None:
            raise _RefusedError(column, text, "has no time zone", "set `timezone` in the mapping")
        moment = moment.tz_localize(timezone, nonexistent="shift_forward", ambiguous=False)
    return moment.tz_convert("UTC").as_unit("us")


def _number(text: str | None, column: str) -> float | None:
    if not text:
        return None
    try:
        return float(text.replace("_", "?"))  # float() accepts 1_000; in a log it is an error
    except ValueError as error:
        raise _RefusedError(column, text, "is not a number", "correct it at the source") from error


def _timed(mapping: XesMapping, event: Attributes, row: str, number: int) -> _TimedEvent:
    name = event.get(mapping.event.name)
    if not name:
        raise _RefusedError(mapping.event.name, None, "is required", "name the event at the source")
    moment = _moment(event.get(mapping.event.moment), mapping.event.moment, mapping.timezone)
    return _TimedEvent(moment, name, event, row, number)


def _close(mapping: XesMapping, events: list[_TimedEvent]) -> dict[str, Any]:
    """closed_at, outcome and loss_reason of the first closing event; empty for an open deal."""
    closing = {name: part for part in mapping.outcome for name in part.events}
    for event in events:
        if part := closing.get(event.name):
            return {"closed_at": event.moment, "outcome": part.outcome, "loss_reason": part.loss_reason}
    return {}


def _created_at(mapping: XesMapping, case: Attributes, events: list[_TimedEvent]) -> pd.Timestamp:
    """The creation date of the case if mapped and present, else the moment of its first event."""
    column = mapping.case.created_at
    if column is not None and column in case:
        return _moment(case[column], column, mapping.timezone)
    if not events:
        rule = "is missing, and the case has no event"
        raise _RefusedError(column or "created_at", None, rule, "add a creation date to the case")
    return events[0].moment


def _deal(mapping: XesMapping, row: str, case: Attributes, events: list[_TimedEvent]) -> dict[str, Any]:
    part = mapping.case
    named = {name: getattr(part, name) for name in ("account_id", "owner_id", "team", "pipeline")} | part.attributes
    return {
        "deal_id": case[part.deal_id],
        "created_at": _created_at(mapping, case, events),
        "amount": _number(case.get(part.amount or ""), part.amount or "amount"),
        "currency": mapping.currency or None,
        **{name: case.get(key) for name, key in named.items() if key is not None},
        **_close(mapping, events),
        SOURCE_ROW: row,
    }


def _in_order(events: list[_TimedEvent]) -> list[pd.Timestamp]:
    """The moments of the events. Equal ones are set a microsecond apart to keep the order of the log."""
    out: list[pd.Timestamp] = []
    for event in events:
        out.append(max(event.moment, out[-1] + INSTANT) if out else event.moment)
    return out


class _Work:
    """Pairs the steps of one case's work items into hours."""

    def __init__(self) -> None:
        self._begun: dict[str, pd.Timestamp] = {}

    def step(self, part: WorkMapping, name: str, status: str, moment: pd.Timestamp) -> dict[str, Any]:
        """The step as an activity. Planned and begun steps have no hours, a done step has those since its begin."""
        began, hours = None, 0.0 if status != "done" else part.unpaired_hours
        if status == "begun":
            self._begun[name] = moment
        elif status == "done":
            began = self._begun.pop(name, None)
            if began is not None:
                hours = min((moment - began).total_seconds() / 3600, part.clip_hours)
        return {
            "kind": part.kinds.get(name, name),
            "status": status,
            "direction": part.directions.get(name, part.direction),
            "occurred_at": moment if began is None else began,
            "hours": hours,
        }


def _meaning(mapping: XesMapping, event: _TimedEvent, work: _Work) -> tuple[str, dict[str, Any]]:
    """The table of an event, and its values there."""
    match mapping.meaning_of(event.name):
        case FieldMapping(field=name, strip=strip):
            return "changes", {"field": name, "new_value": event.name.removeprefix(strip)}
        case ActivityMapping(kind=kind, direction=direction, hours=hours):
            values = {"kind": kind, "status": "done", "direction": direction, "hours": hours}
            return "activities", values | {"occurred_at": event.moment}
        case WorkMapping() as part:
            transition = _transition(mapping, event, part)
            if status := part.status_of(transition):
                return "activities", work.step(part, event.name, status, event.moment)
            where = mapping.event.transition or mapping.event.name
            raise _RefusedError(where, transition, *UNNAMED)
    raise _RefusedError(mapping.event.name, event.name, *UNNAMED)


def _transition(mapping: XesMapping, event: _TimedEvent, part: WorkMapping) -> str:
    """The lifecycle transition of an event. A log without transitions records only ends."""
    return event.attributes.get(mapping.event.transition or "", part.done)


def _event_rows(rows: _Rows, mapping: XesMapping, deal_id: str, events: list[_TimedEvent]) -> None:
    """Sort each event of a case into changes, activities or quarantine."""
    work, last = _Work(), dict[str, str]()
    for event, recorded_at in zip(events, _in_order(events), strict=True):
        shared = {"deal_id": deal_id, "recorded_at": recorded_at, SOURCE_ROW: event.row}
        try:
            table, values = _meaning(mapping, event, work)
        except _RefusedError as refusal:
            rows.refuse("events", event.row, deal_id, refusal)
            continue
        if table == "changes":
            rows.changes.append(shared | values | {"old_value": last.get(values["field"])})
            last[values["field"]] = values["new_value"]
        else:
            owner = event.attributes.get(mapping.event.owner) if mapping.event.owner else None
            activity_id = f"{deal_id}/{event.number}"
            rows.activities.append(shared | values | {"activity_id": activity_id, "owner_id": owner})


def _readable(rows: _Rows, mapping: XesMapping, deal_id: str, events: list[Attributes]) -> list[_TimedEvent]:
    """The events with a readable name and moment, by moment; the others are quarantined."""
    timed = []
    for number, event in enumerate(events, start=1):
        row = f"case {deal_id}, event {number}"
        try:
            timed.append(_timed(mapping, event, row, number))
        except _RefusedError as refusal:
            rows.refuse("events", row, deal_id, refusal)
    return sorted(timed, key=lambda event: event.moment)


def _check_id(rows: _Rows, mapping: XesMapping, case: Attributes) -> None:
    deal_id = case.get(mapping.case.deal_id)
    if not deal_id:
        raise _RefusedError(mapping.case.deal_id, None, "is required", "give each case an id")
    if deal_id in rows.deals:
        raise _RefusedError(mapping.case.deal_id, deal_id, "repeats a key", "keep one case per id")


def _add_case(rows: _Rows, mapping: XesMapping, number: int, case: Attributes, events: list[Attributes]) -> None:
    """Add a trace as a deal with its events, or quarantine all of it."""
    row, deal_id = f"trace {number}", case.get(mapping.case.deal_id, "")
    already = len(rows.quarantine)
    try:
        _check_id(rows, mapping, case)
        timed = _readable(rows, mapping, deal_id, events)
        rows.deals[deal_id] = _deal(mapping, row, case, timed)
    except _RefusedError as refusal:
        del rows.quarantine[already:]  # all events are refused below, each once
        rows.refuse("deals", row, deal_id, refusal)
        orphan = _RefusedError(mapping.event.name, None, "belongs to no admitted deal", "correct its case")
        for k, event in enumerate(events, start=1):
            orphan.value = event.get(mapping.event.name)
            rows.refuse("events", f"{row}, event {k}", deal_id, orphan)
        return
    _event_rows(rows, mapping, deal_id, timed)


def _gather(path: Path, mapping: XesMapping, advance: Callable[[int], None]) -> tuple[_Rows, int]:
    rows, rows_in = _Rows(), 0
    for number, (case, events) in enumerate(read_traces(path, advance), start=1):
        rows_in += 1 + len(events)
        _add_case(rows, mapping, number, case, events)
    if rows_in == 0:
        raise DataError(f"{path}: must be an XES log with traces, found none. Name another file. Nothing was written.")
    return rows, rows_in


def import_xes(
    path: Path,
    mapping: XesMapping,
    now: pd.Timestamp,
    mapping_name: str = "",
    advance: Callable[[int], None] = lambda read: None,
    money: MoneySettings = AS_IT_IS,
) -> Imported:
    """Read an XES log as a book.

    Args:
        path: the log, plain or gzipped.
        mapping: the meaning of its cases and events.
        now: the moment of the import (UTC); rows recorded later are quarantined.
        mapping_name: the name of the mapping in the manifest.
        advance: called every 500 traces and at the end with the number of traces read.
        money: the reporting currency, and dated rates into it.

    Returns:
        The book with its quarantine. Rows in = rows used + rows quarantined.

    Raises:
        DataError: the file is missing, empty, incomplete or not XML; or no case can be used as a deal.
        BookError: no deal can be used.
    """
    rows, rows_in = _gather(path, mapping, advance)
    fixed = tuple(dict.fromkeys((*mapping.case.fixed_at_creation, *mapping.case.attributes)))
    manifest = Manifest(
        source=f"xes {path.name}", mapping=mapping_name, currency=mapping.currency, fixed_at_creation=fixed
    )
    found = {"deals": [*rows.deals.values()], "changes": rows.changes, "activities": rows.activities}
    gathered = {name: pd.DataFrame(records) for name, records in found.items() if records}
    if "deals" not in gathered:
        first = rows.quarantine[0]
        raise DataError(
            f"{path}: no case can be used as a deal. The first: {first['row']}, {first['column']} {first['rule']} "
            f"(found {first['value']}). Correct the mapping or the log. Nothing was written."
        )
    converted, without_rate, notes = in_one_currency(Book.of(manifest, **gathered), money, mapping.timezone)
    book, refused = admit(converted, now)
    early = pd.DataFrame(rows.quarantine, columns=COLUMNS, dtype="str")
    quarantine = pd.concat([early, without_rate, refused], ignore_index=True)
    counted = book.manifest.model_copy(
        update={
            "rows_in": {"traces and events": rows_in},
            "rows_used": {name: len(table) for name, table in book.tables().items()},
            "rows_quarantined": {name: int(n) for name, n in quarantine["table"].value_counts(sort=False).items()},
        }
    )
    return Imported(book.with_tables(manifest=counted), quarantine, rows_in, notes=tuple(notes))


class XesImporter:
    """The `Importer` of XES event logs."""

    name = "xes"
    purpose = "Import an XES event log as a book."
    paths = "An XES event log, .xes or .xes.gz."

    def read(self, export: Export) -> Imported:
        """Import the log as a book; see `import_xes`.

        Raises:
            UsageError: not exactly one log, or no mapping.
        """
        if len(export.paths) != 1:
            raise UsageError(f"walkaway import xes: must have one log, found {len(export.paths)}. Name one.")
        name = mapping_required(export.mapping)
        mapping = mapping_for(XesMapping, name)
        advance = export.advance
        return import_xes(
            export.paths[0], mapping, export.now, name, lambda read: advance("reading cases", read), export.money
        )

    def suggest(self, paths: Sequence[Path]) -> str:
        """Drafts are not available for event logs.

        Raises:
            UsageError: always.
        """
        raise UsageError("--suggest works only for tables. See docs/bring-your-own.md to write a mapping for a log.")


IMPORTER = XesImporter()
