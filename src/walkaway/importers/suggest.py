"""Draft mappings, guessed from headers and values. Comments mark the guesses for the user to correct."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from walkaway.book import TABLES
from walkaway.errors import DataError, MappingError
from walkaway.importers.cells import UnclearDatesError, as_texts, date_format_of, decimal_mark_of, moments, numbers
from walkaway.importers.sheets import Sheet, read_sheet

__all__ = ["suggest"]

# Column names in CRMs, without spaces, underscores, case and HubSpot's "property_". The first match is used.
_NAMES: dict[str, tuple[str, ...]] = {
    "deal_id": ("opportunityid", "dealid", "hsobjectid", "recordid", "id", "dealname", "name"),
    "created_at": ("createddate", "createdate", "hscreatedate", "createdat", "addtime", "creationdate", "engagedate"),
    "closed_at": ("closedate", "closeddate", "closedat", "closetime", "dateclosed"),
    "amount": ("amount", "closevalue", "dealvalue", "value", "hsclosedamount", "dealamount"),
    "loss_reason": ("lossreason", "lostreason", "closedlostreason"),
    "account_id": ("accountid", "companyid", "orgid", "account", "associatedcompany", "company", "customer", "client"),
    "owner_id": ("ownerid", "hubspotownerid", "dealowner", "opportunityowner", "owner", "salesagent", "seller"),
    "team": ("hubspotteamid", "teamid", "team", "regionaloffice"),
    "pipeline": ("dealpipelineid", "pipelineid", "pipeline", "recordtypeid"),
}
_OUTCOMES = (
    "dealstage",
    "stagename",
    "dealpipelinestageid",
    "status",
    "stage",
    "outcome",
    "iswon",
    "hsisclosedwon",
    "state",
)
_WON = re.compile(r"\b(?:closed ?won|won|win|signed|success(?:ful)?|true|yes)\b", re.IGNORECASE)
_LOST = re.compile(r"\b(?:closed ?lost|lost|loss|declined|rejected|cancell?ed|abandoned|false|no)\b", re.IGNORECASE)
_CHANGING = ("probability", "forecastcategory", "lastactivitydate", "lastmodifieddate", "nextstep", "stage")
EFFORT = ["", "# Assumed hours, used if no activities are mapped.", "[effort]", "hours_per_open_week = 1.0"]
UNDATED = [
    "timeless = true # UNSURE: no column of dates was found. Without dates a model can only predict wins.",
    "# If there are dates, name created_at and closed_at under [deals] and leave timeless out. Without deal_id, the",
    "# line number is the id of a deal.",
]
FEW = 5  # a column with at most this many distinct values does not hold accounts
MANY = 40  # a column with more distinct values does not hold outcomes


@dataclass(frozen=True)
class _Guess:
    """The guess for the file of deals, by column."""

    sheet: Sheet
    columns: dict[str, str]
    outcome: str | None

    @property
    def undated(self) -> bool:
        """Whether no column of dates was found."""
        return not {"created_at", "closed_at"} & set(self.columns)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("property_"))


def _by_name(columns: Sequence[str], names: Iterable[str]) -> str | None:
    plain = {_plain(column): column for column in reversed(columns)}
    return next((plain[name] for name in names if name in plain), None)


def _are_dates(cells: pd.Series) -> bool:
    """Whether at least 90% of the filled cells are dates, even if the order of day and month is ambiguous."""
    try:
        dates = moments(cells, date_format_of(cells), "UTC")
    except UnclearDatesError:
        return True
    except MappingError:
        return False
    return bool(cells.notna().any() and dates.notna().sum() >= 0.9 * cells.notna().sum())


def _are_numbers(cells: pd.Series) -> bool:
    try:
        amounts = numbers(cells, decimal_mark_of(cells))
    except MappingError:
        return True  # numbers with mixed or ambiguous decimal marks
    return bool(amounts.notna().any() and amounts.notna().sum() >= 0.9 * cells.notna().sum())


def _is_key(cells: pd.Series) -> bool:
    return bool(cells.notna().all() and as_texts(cells).is_unique)


_HOLDS: dict[str, Callable[[pd.Series], bool]] = {
    "deal_id": _is_key,
    "created_at": _are_dates,
    "closed_at": _are_dates,
    "amount": _are_numbers,
    "account_id": lambda cells: bool(cells.nunique() > FEW or 0 < cells.nunique() == cells.count()),
}


def _column(sheet: Sheet, name: str) -> str | None:
    """The column for a name: the first with a known name and fitting values."""
    columns = list(sheet.cells.columns)
    holds = _HOLDS.get(name, lambda cells: bool(cells.notna().any()))
    called = (_by_name(columns, [known]) for known in _NAMES[name])
    return next((column for column in called if column and holds(sheet.cells[column])), None)


def _by_values(sheet: Sheet, columns: dict[str, str], outcome: str | None) -> dict[str, str]:
    """Add columns guessed by values alone: the first unique one as key, and dates, the fullest first."""
    cells, out = sheet.cells, dict(columns)
    free = [column for column in cells if column not in (*out.values(), outcome)]
    if "deal_id" not in out:
        keys = [column for column in free if _is_key(cells[column]) and not _are_dates(cells[column])]
        out |= {"deal_id": keys[0]} if keys else {}
    dates = [c for c in free if c not in out.values() and _plain(c) not in _CHANGING and _are_dates(cells[c])]
    missing = [name for name in ("created_at", "closed_at") if name not in out]
    full_first = sorted(dates, key=lambda column: -cells[column].notna().sum())
    return out | dict(zip(missing, full_first, strict=False))


def _outcome(sheet: Sheet) -> str | None:
    """The column of outcomes: first by values that mean won and lost, then by name, then by having two values."""
    texts = {column: as_texts(sheet.cells[column]).dropna().unique() for column in sheet.cells}
    few = [column for column, values in texts.items() if 2 <= len(values) <= MANY]
    speaking = [c for c in few if any(map(_WON.search, texts[c])) and any(map(_LOST.search, texts[c]))]
    named = [column for column in (_by_name(speaking, [name]) for name in _OUTCOMES) if column]
    plainly = [c for c in speaking if any(re.search("won|win|lost", v, re.IGNORECASE) for v in texts[c])]
    called = _by_name(few, _OUTCOMES)
    two = [column for column in few if len(texts[column]) == 2 and not _is_key(sheet.cells[column])]
    return next(iter([*named, *plainly, *([called] if called else []), *two]), None)


def _guess(sheet: Sheet) -> _Guess:
    outcome = _outcome(sheet)
    called = {name: column for name in _NAMES if (column := _column(sheet, name))}
    return _Guess(sheet, _by_values(sheet, called, outcome), outcome)


def _score(guess: _Guess) -> tuple[bool, int, int]:
    names = ("deal_id", "created_at", "closed_at", "amount")
    return guess.outcome is not None, sum(name in guess.columns for name in names), len(guess.sheet.cells)


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(c):04X}" if ord(c) < 32 or ord(c) == 127 else c for c in re.sub(r'([\\"])', r"\\\1", text)
    )
    return f'"{escaped}"'


def _listed(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _doubts(won: list[str], lost: list[str], rest: list[str]) -> tuple[str, str, str]:
    """The comments on doubtful values for won, lost and open."""
    yes_or_no = any(value.lower() in ("false", "no") for value in lost)
    open_too = "# UNSURE: do open deals have this value too? Then name a column that tells open from lost"
    return (
        "" if won else "# UNSURE: no value for won was found",
        "# UNSURE: no value for lost was found" if not lost else open_too if yes_or_no else "",
        "# UNSURE: all other values; are they all open deals?" if rest else "",
    )


def _outcome_lines(guess: _Guess) -> list[str]:
    if guess.outcome is None:
        lines = ['column = "?" # UNSURE: no column of outcomes was found', 'won = ["won"]', 'lost = ["lost"]']
        return ["", "[deals.outcome]", *lines]
    cells = as_texts(guess.sheet.cells[guess.outcome])
    values = [str(value) for value in cells.dropna().unique()] + ([""] if cells.isna().any() else [])
    won = [value for value in values if _WON.search(value)]
    lost = [value for value in values if value not in won and _LOST.search(value)]
    rest = [value for value in values if value not in (*won, *lost)]
    doubts = _doubts(won, lost, rest)
    if not won and not lost and len(rest) == 2:
        won, lost, rest = rest[:1], rest[1:], []
        doubts = ("# UNSURE: which of the two is won?", "", "")
    outcomes = {"won": won or ["won"], "lost": lost or ["lost"], "open": rest}
    pairs = zip(outcomes.items(), doubts, strict=True)
    lines = [f"{name} = {_listed(values)} {doubt}".rstrip() for (name, values), doubt in pairs]
    return ["", "[deals.outcome]", f"column = {_quoted(guess.outcome)}", *lines]


def _column_lines(guess: _Guess) -> list[str]:
    """The columns of [deals], with comments on doubtful ones."""
    absent = (
        {}
        if guess.undated
        else {
            "deal_id": "# UNSURE: no deal_id was found, since no column is unique. It is required.",
            "created_at": "# UNSURE: no created_at was found. It is required.",
            "closed_at": "# UNSURE: no closed_at was found. It is required for closed deals.",
            "amount": "# UNSURE: no amount was found. Each won deal will count as 1.",
        }
    )
    doubts = {
        "closed_at": " # left out for open deals, as only planned",
        "amount": " # assumed to be the final value at the close",
    }
    lines = []
    for name in _NAMES:
        column = guess.columns.get(name)
        if column is None:
            lines += [absent[name]] if name in absent else []
            continue
        called = _plain(column) in _NAMES[name]
        doubt = doubts.get(name, "") if called else " # UNSURE: guessed from values alone"
        lines.append(f"{name} = {_quoted(column)}{doubt}")
    return lines


def _rest(guess: _Guess) -> tuple[list[str], list[str]]:
    """The unmapped columns: text columns, and number columns."""
    used = {*guess.columns.values(), guess.outcome}
    rest = [str(column) for column in guess.sheet.cells if column not in used]
    numeric = [column for column in rest if _are_numbers(guess.sheet.cells[column])]
    return [column for column in rest if column not in numeric], numeric


def _named(columns: list[str]) -> dict[str, str]:
    """Names for further columns of the file that do not clash with columns of the book."""
    names = {re.sub(r"\W+", "_", column.lower()).strip("_") or "column": column for column in columns}
    return {f"{name}_told" if name in TABLES["deals"].names else name: column for name, column in names.items()}


def _rest_lines(guess: _Guess) -> list[str]:
    """The line fixed_at_creation: empty for the user to fill in, or all columns if there are no dates."""
    texts, numeric = _rest(guess)
    if guess.undated:
        return [f"fixed_at_creation = {_listed([*_named(texts), *_named(numeric)])} # UNSURE: as [deals.attributes]"]
    lines = [
        "# List the columns that never change after a deal is created. Leave out columns that are filled in or",
        "# corrected at the close: they would leak the outcome.",
        "fixed_at_creation = []",
    ]
    lines += [f"# Not mapped, text, candidates for [deals.attributes]: {_listed(texts)}"] if texts else []
    return [*lines, f"# Not mapped, numbers, candidates for [deals.measures]: {_listed(numeric)}"] if numeric else lines


def _attribute_lines(guess: _Guess) -> list[str]:
    """Attributes and measures, drafted only without dates, where they are the only features."""
    lines: list[str] = []
    for part, columns in zip(("attributes", "measures"), _rest(guess), strict=True):
        if guess.undated and columns:
            lines += ["", f"[deals.{part}] # UNSURE: leave out columns that are filled in once the outcome is known"]
            lines += [f"{name} = {_quoted(column)}" for name, column in _named(columns).items()]
    return lines


def _side_lines(guess: _Guess, sheet: Sheet) -> list[str]:
    """A commented-out [[join]] of a side table, if it shares a key with the deals."""
    shared = [c for c in sheet.cells if c in guess.sheet.cells and _is_key(sheet.cells[c])]
    if not shared:
        return ["", f"# {sheet.file}: no shared key with {guess.sheet.file} was found, so it is not used."]
    key = _quoted(str(shared[0]))
    others = ", ".join(f"{_quoted(str(c))} = {_quoted(str(c))}" for c in sheet.cells if c != shared[0])
    table = ["[[join]]", f"file = {_quoted(sheet.file)}", f"key = {key}", f"on = {key}", f"columns = {{ {others} }}"]
    return ["", f"# {sheet.file} looks like a side table. To join it to the deals:", *(f"# {line}" for line in table)]


def suggest(files: Sequence[Path]) -> str:
    """A draft mapping of these files, as valid TOML. Lines marked UNSURE need checking.

    Raises:
        DataError: no file was given, or a file cannot be read.
    """
    if not files:
        raise DataError("--suggest: at least one file is required, found none. Name a file.")
    guesses = [_guess(read_sheet(path)) for path in files]
    deals = max(guesses, key=_score)
    head = [
        "# A draft. Check each line, first those marked UNSURE; then run walkaway import table --mapping THIS FILE...",
        'source = "table"',
        'currency = "" # such as "EUR"',
        'timezone = "UTC" # for dates and times without an offset',
        *(UNDATED if deals.undated else []),
        "",
        "[deals]",
        f"file = {_quoted(deals.sheet.file)}",
    ]
    sides = [line for g in guesses if g is not deals for line in _side_lines(deals, g.sheet)]
    effort = [] if deals.undated else EFFORT
    parts = (
        head,
        _column_lines(deals),
        _rest_lines(deals),
        _attribute_lines(deals),
        _outcome_lines(deals),
        sides,
        effort,
    )
    return "\n".join(line for part in parts for line in part) + "\n"
