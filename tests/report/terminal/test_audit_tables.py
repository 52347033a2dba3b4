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
        "cannot_look": ["", "", ""],
        "speaks_of_the_end": ["", "", ""],
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


def doubtful(**columns) -> Audit:
    rows = SOURCES.iloc[[0] * len(columns["cannot_look"])].assign(**columns)
    return Audit(rows.set_axis([f"deals.c{i}" for i in range(len(rows))]), FEATURES.iloc[[0]], (), ())


def test_what_cannot_be_told_is_said_with_the_columns_concerned():
    found = doubtful(cannot_look=["the book has no dates", "", "the book has no dates"], speaks_of_the_end="")
    said = words(shown(show_suspects(found, FMT)))

    assert "None leaks the outcome, as far as it can be told." in said
    assert said.endswith("Cannot tell when these were filled in, since the book has no dates: c0, c2.")


def test_names_that_speak_of_the_end_are_for_the_user_to_decide():
    said = words(shown(show_suspects(doubtful(cannot_look=["", ""], speaks_of_the_end=["", "elapsed"]), FMT)))

    assert "To decide: the names of these speak of the end of a deal: c1 (elapsed). Leave out what is filled in" in said
    assert said.endswith("train.audit.allowed = ['deals.c1']")


def test_of_many_columns_the_first_are_named():
    said = words(shown(show_suspects(doubtful(cannot_look=["no history"] * 15, speaks_of_the_end=""), FMT)))

    assert said.endswith("c9, c10, c11 and 3 more.")
