from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from walkaway.audit import Audit
from walkaway.formatting import LocaleFormat
from walkaway.report.terminal.audit_tables import show_audit, show_suspects


def shown(renderable) -> str:
    out = StringIO()
    Console(file=out, width=80, highlight=False).print(renderable)
    return out.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


SOURCES = pd.DataFrame(
    {
        "verdict": ["ok", "left out", "not used"],
        "rules": ["", "L1 L5", ""],
        "filled": [1.0, 1.0, 0.7],
        "filled_open": [1.0, 0.0, 0.0],
        "separation": [0.52, 1.0, float("nan")],
        "at_close": [float("nan"), float("nan"), 0.25],
        "evidence": ["", "alone tells won from lost; open deals differ", ""],
    },
    index=pd.Index(["deals.product", "deals.close_reason", "changes.note"], name="source"),
)
FEATURES = pd.DataFrame(
    {
        "separation_first": [0.5, 0.6],
        "separation_last": [0.7, 0.99],
        "separation_earlier": [0.6, 0.98],
        "verdict": ["ok", "left out"],
        "rules": ["", "L13"],
        "evidence": ["", "too well"],
    },
    index=pd.Index(["age_days", "touches_by[inbound]"], name="feature"),
)
FMT = LocaleFormat()
FOUND = Audit(SOURCES, FEATURES, ("deals.close_reason",), ("touches_by[inbound]",))
CLEAN = Audit(SOURCES.iloc[[0]], FEATURES.iloc[[0]], (), ())


def test_a_clean_audit_is_one_sentence():
    checked = "checked 1 columns, fields, kinds and roles, and 1 features"

    assert words(shown(show_suspects(CLEAN, FMT))) == f"Leak audit: {checked}. None leaks the outcome."


def test_each_suspect_is_told_with_verdict_rules_and_evidence():
    said = words(shown(show_suspects(FOUND, FMT)))

    assert "left out: deals.close_reason [L1 L5] alone tells won from lost; open deals differ" in said
    assert "left out: touches_by[inbound] [L13] too well" in said


def test_how_to_keep_a_suspect_is_said():
    assert "train.audit.allowed = ['deals.close_reason']" in words(shown(show_suspects(FOUND, FMT)))


@pytest.mark.parametrize(
    "line",
    [
        "deals.product ok 100% 100% 0.52",
        "deals.close_reason left out 100% 0% 1.00",
        "changes.note not used 70% 0% 25%",
        "touches_by[inbound] left out 0.60 0.98 0.99",
        "age_days ok 0.50 0.60 0.70",
    ],
)
def test_the_tables_show_shares_and_areas(line):
    assert line in words(shown(show_audit(FOUND, FMT)))


def test_no_line_is_wider_than_80():
    assert max(map(len, shown(show_audit(FOUND, FMT)).splitlines())) <= 80
