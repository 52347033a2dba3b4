"""Draft mappings, guessed from headers and values. Comments mark the guesses for the user to correct."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from walkaway.book import TABLES, speaks_of_the_end
from walkaway.errors import DataError
from walkaway.importers.guesses import KNOWN, LOST, NOT_WON, WAITS, WON, Export, Guess, guess, plain
from walkaway.importers.outcome_mapping import OutcomePart
from walkaway.importers.outcome_reading import outcomes_of
from walkaway.importers.sheets import read_sheet
from walkaway.importers.table_mapping import LINE_NUMBER

__all__ = ["suggest"]

EFFORT = [
    "",
    "# No hours are recorded in these files: each open deal is taken to need the same. To assume other hours instead:",
    "# [effort]",
    "# hours_per_deal = 4.0 # or hours_per_open_week = 0.5",
]
FLAG_WORDS = {"false", "no", "0", "n", "f"}
LIKELY_SIDE = 0.5  # share of a column's values that a side table must know to be offered as a join


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(c):04X}" if ord(c) < 32 or ord(c) == 127 else c for c in re.sub(r'([\\"])', r"\\\1", text)
    )
    return f'"{escaped}"'


def _doubt_of_name(column: str) -> str:
    """What is doubtful about a column whose name speaks of the end; empty for others."""
    word = speaks_of_the_end(column)
    return f"UNSURE: the name speaks of the end ({word}); leave it out if it is filled in later" if word else ""


def _listed(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _doubts(won: list[str], lost: list[str], rest: list[str]) -> tuple[str, str, str]:
    """The comments on doubtful values for won, lost and open."""
    yes_or_no = any(value.lower() in FLAG_WORDS for value in lost)
    open_too = "# UNSURE: do open deals have this value too? Then name a column that tells open from lost"
    return (
        "" if won else "# UNSURE: no value for won was found",
        "# UNSURE: no value for lost was found" if not lost else open_too if yes_or_no else "",
        "# UNSURE: all other values; are they all open deals?" if rest else "",
    )


def _meanings(values: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """The values that mean won, lost, and neither."""
    no = [value for value in values if NOT_WON.search(value)]
    waiting = [value for value in values if WAITS.search(value) and value not in no]
    won = [value for value in values if WON.search(value) and value not in (*no, *waiting)]
    lost = [value for value in values if value in no or (LOST.search(value) and value not in (*won, *waiting))]
    return won, lost, [value for value in values if value not in (*won, *lost)]


def _value_lines(found: Guess, outcome: str) -> list[str]:
    """The values of a column of outcomes."""
    table = found.table
    values = table.values(outcome) + ([""] if table.filled(outcome) < 1 else [])
    won, lost, rest = _meanings(values)
    flags = {value.lower(): value for value in values}
    if not won and not lost and set(flags) & FLAG_WORDS:
        lost = [value for value in values if value.lower() in FLAG_WORDS]
        won, rest = [value for value in values if value and value not in lost], [value for value in values if not value]
    doubts = _doubts(won, lost, rest)
    if not won and not lost and len(rest) == 2:
        won, lost, rest = rest[:1], rest[1:], []
        doubts = ("# UNSURE: which of the two is won?", "", "")
    outcomes = {"won": won or ["won"], "lost": lost, "open": rest}
    pairs = zip(outcomes.items(), doubts, strict=True)
    lines = [f"{name} = {_listed(values)} {doubt}".rstrip() for (name, values), doubt in pairs]
    return [f"column = {_quoted(outcome)}", *lines]


def _outcome_lines(found: Guess) -> list[str]:
    head = ["", "[deals.outcome]"]
    won_on, lost_on = found.filled
    if found.flags:
        closed, won = map(_quoted, found.flags)
        won_and_lost = [f"won_if = {{ {won} = true }}", f"lost_if = {{ {closed} = true, {won} = false }}"]
        return [*head, *won_and_lost, f"open_if = {{ {closed} = false }}"]
    if won_on:
        unsure = "# UNSURE: deals where it is filled are taken as won"
        lines = [f"won_if_filled = {_quoted(won_on)} {unsure}"]
        if lost_on:
            return [*head, *lines, f"lost_if_filled = {_quoted(lost_on)} # UNSURE: and as lost where this one is"]
        return [
            *head,
            *lines,
            "lost = [] # UNSURE: no column says which deals are lost",
            *(
                []
                if found.undated
                else ["# lost_after_days = 90 # a deal still open after so many days counts as lost"]
            ),
        ]
    if found.outcome:
        return [*head, *_value_lines(found, found.outcome)]
    return [
        *head,
        'every = "open" # UNSURE: no column of outcomes was found. Without won and lost deals nothing is learned.',
    ]


def _column_lines(found: Guess) -> list[str]:
    """The columns of [deals], with comments on doubtful ones."""
    doubts = {
        "closed_at": " # left out for open deals, as only planned",
        "amount": " # assumed to be the final value at the close",
    }
    lines = []
    for name in KNOWN:
        column = found.columns.get(name)
        if column is None:
            lines += _absent(found, name)
            continue
        if name == "closed_at" and found.undated:
            lines.append(f"# {column} is not used, since a date of the close needs a date of the creation.")
            continue
        by_name = name in found.sure and plain(column) in KNOWN[name]
        doubt = doubts.get(name, "") if by_name else " # UNSURE: guessed from its name and values"
        if name == "deal_id" and found.repeats:
            doubt = f" # UNSURE: {found.repeats:,} rows repeat an id; all but the first of a deal are quarantined"
        lines.append(f"{name} = {_quoted(column)}{doubt}")
    return lines


def _absent(found: Guess, name: str) -> list[str]:
    """The lines for a column that was not found."""
    if name == "deal_id":
        return [f"deal_id = {_quoted(LINE_NUMBER)} # UNSURE: no column has a value of its own in each row"]
    if name == "amount":
        return ["# UNSURE: no amount was found. Each won deal will count as 1."]
    if name == "closed_at" and any(found.filled):
        return ["# The date of the column that is filled, below, is the close."]
    return []


def _rest(found: Guess) -> tuple[list[str], list[str]]:
    """The unmapped columns: text columns, and number columns."""
    rest = [column for column in found.table.columns if column not in found.used]
    if found.undated:
        rest = [column for column in rest if not found.table.is_dates(column)]  # a date is no category
    numeric = [column for column in rest if found.table.is_numbers(column)]
    return [column for column in rest if column not in numeric], numeric


def _named(columns: list[str]) -> dict[str, str]:
    """Names for further columns of the file that do not clash with columns of the book."""
    names = {re.sub(r"\W+", "_", column.lower()).strip("_") or "column": column for column in columns}
    return {f"{name}_told" if name in TABLES["deals"].names else name: column for name, column in names.items()}


def _rest_lines(found: Guess) -> list[str]:
    """The line fixed_at_creation: empty for the user to fill in, or all columns if there are no dates."""
    texts, numeric = _rest(found)
    if found.undated:
        fixed = [*(["amount"] if "amount" in found.columns else []), *_named(texts), *_named(numeric)]
        return [f"fixed_at_creation = {_listed(fixed)} # UNSURE: leave out what is filled in later"]
    lines = [
        "# List the columns that never change after a deal is created. Leave out columns that are filled in or",
        "# corrected at the close: they would leak the outcome.",
        "fixed_at_creation = []",
    ]
    named = [(_quoted(column), _doubt_of_name(column)) for column in (*texts, *numeric)]
    lines += [f"# {column}: {doubt}" for column, doubt in named if doubt]
    lines += [f"# Not mapped, text, candidates for [deals.attributes]: {_listed(texts)}"] if texts else []
    return [*lines, f"# Not mapped, numbers, candidates for [deals.measures]: {_listed(numeric)}"] if numeric else lines


def _attribute_lines(found: Guess) -> list[str]:
    """Attributes and measures, drafted only without dates, where they are the only features."""
    lines: list[str] = []
    for part, columns in zip(("attributes", "measures"), _rest(found), strict=True):
        if found.undated and columns:
            lines += ["", f"[deals.{part}] # UNSURE: leave out columns that are filled in once the outcome is known"]
            doubts = {column: _doubt_of_name(column) for column in columns}
            named = _named(columns).items()
            lines += [f"{name} = {_quoted(column)} # {doubts[column]}".removesuffix(" # ") for name, column in named]
    return lines


def _missing_lines(found: Guess) -> list[str]:
    """What is missing for a book with dates."""
    if not found.undated:
        return []
    no_close = "closed_at" not in found.columns and not any(found.filled)
    missing = [] if "created_at" in found.columns else ["created_at (when a deal was created)"]
    missing += ["closed_at (when it was won or lost)"] if no_close else []
    dates = "no column of dates was found" if len(missing) == 2 else f"no {missing[0]} was found"
    return [
        f"timeless = true # UNSURE: {dates}. Without dates a model can only predict wins.",
        f"# Missing for a book with dates: {' and '.join(missing)}.",
        "# If a column holds it, name it under [deals] and leave timeless out.",
        *(
            [f"# {found.no_close} is no such column: it is empty in all won or in all lost deals."]
            if found.no_close
            else []
        ),
    ]


def _pattern(names: Sequence[str], others: Sequence[str]) -> str:
    """A pattern that fits these file names and none of the others; the first name alone if there is none."""
    if len(names) == 1:
        return names[0]
    alike = zip(*(name.lower() for name in names), strict=False)
    start = next((place for place, letters in enumerate(alike) if len(set(letters)) > 1), min(map(len, names)))
    pattern = f"{names[0][:start]}*"
    return names[0] if any(fnmatchcase(name.lower(), pattern.lower()) for name in others) else pattern


def _side_key(found: Guess, side: Guess) -> tuple[str, str] | None:
    """The key of a side table and the column of the deals that holds its values, if there is one."""
    for key in side.table.columns:
        shared = key in found.table.columns and key != found.columns.get("deal_id")
        if not shared or not side.table.is_key(key) or side.table.is_dates(key):
            continue
        values, known = found.table.values(key), set(side.table.values(key))
        if values and sum(value in known for value in values) >= LIKELY_SIDE * len(values):
            return key, key
    return None


def _side_lines(export: Export, side: Guess) -> list[str]:
    """What a further file may be for: the history or the activities of the deals, or a side table to join."""
    file, deals = side.table.sheet.file, export.deals
    if column := export.pointer(side, deals):
        return _event_lines(side, column, deals.table.sheet.file)
    if column := export.other_key(side):
        of_deals = f"which {deals.table.sheet.file} has once a deal: set deal_id = {_quoted(column)} above."
        return ["", f"# {file} has {column}, {of_deals}", *_event_lines(side, column, deals.table.sheet.file)[2:]]
    if found := _side_key(deals, side):
        key, on = found
        others = ", ".join(f"{_quoted(c)} = {_quoted(c)}" for c in side.table.columns if c != key)
        table = ["[[join]]", f"file = {_quoted(file)}", f"key = {_quoted(key)}", f"on = {_quoted(on)}"]
        table.append(f"columns = {{ {others} }}")
        return ["", f"# {file} looks like a side table. To join it to the deals:", *(f"# {line}" for line in table)]
    return ["", f"# {file}: no shared key with {deals.table.sheet.file} was found, so it is not used."]


def _event_lines(side: Guess, column: str, deals: str) -> list[str]:
    """A commented-out part for a file with several rows a deal."""
    file, table = side.table.sheet.file, side.table
    head = ["", f"# {file} names the deals of {deals} in its column {column}."]
    dates = [side.columns[name] for name in ("created_at", "closed_at") if name in side.columns]
    if not dates:
        return [*head, "# It has no dates, so it is not used."]
    stage = next((c for c in table.named(("stagename", "stage", "dealstage", "tostage", "newvalue"))), None)
    named = [f"file = {_quoted(file)}", f"deal_id = {_quoted(column)}"]
    if stage:
        table_lines = ["[[changes]]", *named, f"recorded_at = {_quoted(dates[0])}", 'every_field = "stage"']
        table_lines.append(f"new_value = {_quoted(stage)}")
        return [*head, "# To use it as the history of stages:", *(f"# {line}" for line in table_lines)]
    kind = next((c for c in table.named(("type", "kind", "activitytype", "tasksubtype", "eventtype"))), None)
    kinds = f"kind = {_quoted(kind)}" if kind else 'every_kind = "activity"'
    table_lines = ["[[activities]]", *named, f"occurred_at = {_quoted(dates[0])}", kinds]
    return [*head, "# To use it as activities:", *(f"# {line}" for line in table_lines)]


def _outcome_part(found: Guess) -> OutcomePart:
    text = "\n".join(_outcome_lines(found))
    return OutcomePart.model_validate(tomllib.loads(text)["deals"]["outcome"])


def _usable(found: Guess) -> tuple[dict[str, int], dict[str, int]]:
    """Deals by outcome as drafted, and those of them that have the dates that a book with dates needs."""
    cells, part = found.table.sheet.cells, _outcome_part(found)
    if found.repeats:
        cells = cells[~cells[found.columns["deal_id"]].duplicated()]
    says = outcomes_of(cells, part)
    masks = {"won": says.won, "lost": says.lost, "open": says.open}
    dated = pd.Series(True, index=cells.index)
    if created := found.columns.get("created_at"):
        dated &= cells[created].notna()
    closed = found.columns.get("closed_at")
    has_close = cells[closed].notna() if closed else pd.Series(any(found.filled), index=cells.index)
    counts = {name: int((mask & ~says.contradicts).sum()) for name, mask in masks.items()}
    usable = {name: int((mask & dated & (has_close | (name == "open"))).sum()) for name, mask in masks.items()}
    return counts, usable


def _with_dates_that_serve(found: Guess) -> Guess:
    """The guess without closed_at where it is empty in all won, or in all lost deals: it tells another date."""
    if found.undated:
        return found
    counts, usable = _usable(found)
    serves = all(usable[name] for name in ("won", "lost") if counts[name])
    if serves or "closed_at" not in found.columns:
        return found
    kept = {name: c for name, c in found.columns.items() if name != "closed_at"}
    return replace(found, columns=kept, no_close=found.columns["closed_at"])


def _counts_line(found: Guess) -> str:
    """What the draft makes of the file."""
    counts, usable = _usable(found)
    told = ", ".join(f"{n:,} {name}" for name, n in (counts if found.undated else usable).items())
    without = 0 if found.undated else sum(counts.values()) - sum(usable.values())
    lacking = f"; {without:,} deals lack a date and are quarantined" if without else ""
    return f"# With this draft {found.table.sheet.file} holds {told} deals{lacking}."


def suggest(files: Sequence[Path]) -> str:
    """A draft mapping of these files, as valid TOML. Lines marked UNSURE need checking.

    Raises:
        DataError: no file was given, or a file cannot be read.
    """
    if not files:
        raise DataError("--suggest: at least one file is required, found none. Name a file.")
    export = Export(tuple(guess(read_sheet(path)) for path in files))
    deals = _with_dates_that_serve(export.deals)
    alike = [g for g in export.guesses if g is export.deals or g.table.columns == deals.table.columns]
    others = [g for g in export.guesses if g not in alike]
    pattern = _pattern([g.table.sheet.file for g in alike], [g.table.sheet.file for g in others])
    head = [
        "# A draft. Check each line, first those marked UNSURE; then run walkaway import table --mapping THIS FILE...",
        _counts_line(deals),
        'source = "table"',
        'currency = "" # such as "EUR"',
        'timezone = "UTC" # for dates and times without an offset',
        *_missing_lines(deals),
        "",
        "[deals]",
        f"file = {_quoted(pattern)}",
    ]
    parts = (
        head,
        _column_lines(deals),
        _rest_lines(deals),
        _attribute_lines(deals),
        _outcome_lines(deals),
        [line for side in others for line in _side_lines(export, side)],
        [] if deals.undated else EFFORT,
    )
    return "\n".join(line for part in parts for line in part) + "\n"
