from io import StringIO

import pytest
from rich.console import Console
from tests.conftest import at

from walkaway.formatting import LocaleFormat
from walkaway.monitoring import Check
from walkaway.monitoring.finding import Finding, cannot_tell
from walkaway.report.terminal.drift_tables import show_check

LONG = (
    "attribute[a-very-long-name-of-an-attribute-as-some-systems-have-them-and-longer-still-than-a-line] (x 1%, now 9%)"
)
FINDINGS = (
    Finding("D1", "act", f"1 of 9 columns of open deals look otherwise than in training: {LONG}."),
    Finding(
        "D5", "watch", "Of 90 deals 30.0 were expected to be won.", {}, "Of the 60 settled alone 20.0 were expected."
    ),
    cannot_tell("D4", "too few."),
    Finding("D7", "ok", "The model is young."),
)


def shown(*findings: Finding, dated: bool = True) -> str:
    moments = (at("2026-01-01"), at("2026-02-01")) if dated else (None, None)
    out = StringIO()
    Console(file=out, width=80, highlight=False).print(
        show_check(Check(findings, "v1", 1234, *moments), LocaleFormat())
    )
    return out.getvalue()


def test_the_summary_says_the_worst_and_counts_the_levels():
    assert " ".join(shown(*FINDINGS).split()).startswith(
        "The data has changed since training. Train again, and find out what changed. 1,234 open deals at 1 Feb 2026, "
        "00:00 UTC, model v1 (trained on data until 1 Jan 2026): 1 act, 1 watch, 1 cannot tell, 1 ok."
    )


def test_findings_stand_in_their_order_with_level_and_name():
    lines = [line.split() for line in shown(*FINDINGS).splitlines()]
    starts = [line[:3] for line in lines if any(word in ("D1", "D4", "D5", "D7") for word in line[:3])]

    assert starts == [["act", "D1", "columns"], ["watch", "D5", "wins"], ["cannot", "tell", "D4"], ["ok", "D7", "age"]]


def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut():
    text = shown(*FINDINGS)

    assert max(len(line) for line in text.splitlines()) <= 80
    assert "".join(LONG.split()) in "".join(text.split())
    assert "Ofthe60settledalone20.0wereexpected." in "".join(text.split())


def test_without_dates_no_moment_is_told():
    assert shown(FINDINGS[3], dated=False).startswith(
        "The data looks as it did in training. 1,234 open deals, model v1: 1 ok."
    )


@pytest.mark.parametrize(
    ("findings", "said"),
    [(FINDINGS[1:], "Something has changed since training."), (FINDINGS[2:3], "There is not enough data to tell")],
)
def test_the_summary_is_of_the_worst_finding(findings, said):
    assert shown(*findings).startswith(said)


def test_an_old_model_alone_is_no_change_of_the_data():
    old = Finding("D7", "act", "The model is old.")

    assert "The data looks as it did in training, but the model is old. Train again." in " ".join(
        shown(old, FINDINGS[2]).split()
    )


def test_words_that_look_like_markup_are_told_as_they_are():
    assert "[red]x" in shown(Finding("D2", "watch", "stage '[red]x'"))
