from io import StringIO

import pandas as pd
from rich.console import Console

from walkaway.formatting import LocaleFormat
from walkaway.report.terminal.batch_tables import show_changes

FMT = LocaleFormat()


def words(renderable) -> list[str]:
    out = StringIO()
    Console(file=out, width=80, highlight=False).print(renderable)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def changed(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["deal_id", "change", "outcome"])


def test_changes_are_counted_and_named_by_kind_with_outcomes():
    frame = changed(("a", "closed", "won"), ("b", "closed", "lost"), ("c", "newly_below_bar", None))

    assert words(show_changes(frame, FMT)) == [
        "change deals which",
        "newly below the bar 1 c",
        "closed 2 a won, b lost",
    ]


def test_of_many_deals_the_first_six_are_named():
    frame = changed(*((f"d{i}", "newly_open", None) for i in range(7)))

    assert words(show_changes(frame, FMT))[1] == "newly open 7 d0, d1, d2, d3, d4, d5, ..."


def test_a_deal_whose_name_looks_like_markup_is_told_as_it_is():
    assert words(show_changes(changed(("[red]d", "gone", None)), FMT))[1] == "no longer in the book 1 [red]d"


def test_no_change_is_said():
    assert words(show_changes(changed(), FMT)) == ["Nothing changed."]
