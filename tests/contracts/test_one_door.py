"""What was recorded when is asked of `walkaway.asof`: nothing above it reads the moments of a book's events itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import walkaway

SOURCE = Path(walkaway.__file__).parent
MOMENTS = re.compile(r"\b(recorded_at|occurred_at)\b")
EXEMPT = {
    "asof": "the gate itself, and the labels",
    "book": "declares the tables, and refuses rows that lie in the future",
    "importers": "fill the tables",
    "sample": "fills the tables",
}


def _docstrings(tree: ast.AST) -> set[int]:
    """The ids of the nodes that are docstrings: prose may name a column."""
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    first = (body[0] for body in bodies if body and isinstance(body[0], ast.Expr))
    return {id(expression.value) for expression in first}


def moments_read(source: str) -> Iterator[str]:
    """Where a source names a moment of an event: as a column, an attribute or an argument, or within a query."""
    tree = ast.parse(source)
    prose = _docstrings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in prose:
                names = MOMENTS.findall(text)
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                names = MOMENTS.findall(name)
            case _:
                names = []
        yield from (f"line {node.lineno}: {name}" for name in names)


MODULES = {
    str(path.relative_to(SOURCE)): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path.relative_to(SOURCE).parts[0] not in EXEMPT
}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_above_the_gate_reads_no_moment_of_an_event(module):
    assert list(moments_read(MODULES[module].read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("room", EXEMPT)
def test_an_exempt_room_exists_and_needs_its_exemption(room):
    sources = [path.read_text(encoding="utf-8") for path in (SOURCE / room).rglob("*.py")]

    assert any(list(moments_read(source)) for source in sources)


@pytest.mark.parametrize(
    "line",
    [
        'rows = book.activities[book.activities["recorded_at"] <= as_of]',
        "late = book.changes.recorded_at > as_of",
        'rows = book.changes.query("recorded_at > @as_of")',
        "rows = rows.assign(recorded_at=as_of)",
        'last = rows.groupby("deal_id")["occurred_at"].max()',
        'said = f"{rows} by recorded_at"',
    ],
)
def test_each_way_to_read_a_moment_is_seen(line):
    assert len(list(moments_read(line))) == 1


def test_prose_and_other_names_are_no_reading():
    source = '"""By recorded_at."""\ndef f(book):\n    """Not by recorded_at."""\n    return book.last_recorded_at()'

    assert list(moments_read(source)) == []
