"""Every table writes its numbers and dates by the locale it is given.

The same table is shown in two locales that swap comma and point. A number that ignores the locale looks the same in
both, and so gives itself away.
"""

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pandas as pd
import pytest
from tests.books import CURVE, UNTIL
from tests.replaying.test_measures import BY_HAND, DAY
from tests.report.terminal.test_audit_tables import FOUND
from tests.report.terminal.test_portfolio_tables import found as portfolio
from tests.report.terminal.test_score_tables import called  # noqa: F401 - a fixture
from tests.screens import shown

from walkaway.book.schema import Book, Manifest
from walkaway.formatting import LocaleFormat
from walkaway.importers.imported import FileFound, Imported
from walkaway.monitoring import Check
from walkaway.monitoring.finding import Finding
from walkaway.replaying import Replayed
from walkaway.replaying.measures import judged, measure
from walkaway.report import terminal
from walkaway.report.model_card import model_card
from walkaway.scoring import Batch
from walkaway.training.promotion import Comparison, Promotion
from walkaway.training.run import Retrained

pytest_plugins = ("tests.books",)

ENGLISH, GERMAN = LocaleFormat("en_GB", "EUR"), LocaleFormat("de_DE", "EUR")
DATES = re.compile(r"\d{1,2} [A-Z][a-z]{2,3} \d{4}|\d{2}\.\d{2}\.\d{4}")
NUMBERS = re.compile(r"\d+(?:[.,]\d+)+")
SWAPPED = str.maketrans(",.", ".,")
AS_TYPED = {"show_settings"}  # values as they are typed into a settings file


def numbers(renderable) -> list[str]:
    """The numbers with a comma or a point that a wide screen shows, dates left out."""
    return NUMBERS.findall(DATES.sub("", shown(renderable, 300)))


def imported() -> Imported:
    deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05T09:00Z"]})
    refused = pd.DataFrame({"table": ["deals"] * 1500, "column": "amount", "rule": "is missing"})
    files = (FileFound("deals.csv", "deals", 2500, "utf-8", ","),)
    return Imported(Book.of(Manifest(rows_used={"deals": 1000}), deals=deals), refused, 2500, files)


def replayed() -> Replayed:
    calls = judged(BY_HAND, DAY + pd.Timedelta(days=9))
    stop_point = {"dimension": "all", "value": "all", "lost_deals": 1500, "won_deals": 1, "hours_after": 2500.0}
    summary = {
        "period": {"from": "2026-01-01T00:00:00+00:00", "to": "2026-02-01T00:00:00+00:00", "every_days": 7.5},
        "calls": 12345,
        "models": ["m"],
        "judged_calls": 1234,
        "deals": 1000,
        "unsettled_share": 0.125,
        "notes": [],
        "expected": {"hours_saved": 0.123, "value_forgone": 0.045},
        "score": {"forgo": 0.1, "guarantee": True},
        "records_work": True,
        "stop_points": [stop_point | {"value_forgone": 12345.0}],
    }
    return Replayed(BY_HAND, calls, measure(calls, 20), CURVE, {}, pd.DataFrame(), summary)


def retrained(trained, undated: bool = False) -> Retrained:
    table, facts = trained.tables["by_slice"].copy(), trained.model.facts
    table.loc[("all", "all"), "fails"] = "too high"
    losses = {f"{name}{end}": [0.01] for name in ("log_loss_lost", "skill_lost") for end in ("", "_low", "_high")}
    stale = pd.DataFrame({"days_older": [1500.0], "calls": [1234]} | losses)
    win = trained.tables["win"]
    tables = trained.tables | {"by_slice": table, "staleness": stale, "win_distinct": win}
    facts = facts.model_copy(update={"dropped_on_advice": 1234, "distinct": 1500, "deals": 1234})
    model = replace(trained.model, curve=CURVE, undated=undated, facts=facts)
    gains = (0.01, -0.002, 0.022, 0.1, 0.02, 0.2)
    decision = Promotion(False, "no better", (Comparison("m1", "bundle", "2025-01-02", 900, 120, 8000, *gains),))
    return Retrained(replace(trained, model=model, tables=tables), Path("models/m2"), "3", "m1", decision)


@pytest.fixture(scope="module")
def screens(called, trained):  # noqa: F811 - the fixture
    """What shows each table, by the name of its function."""
    model = replace(trained.model, curve=CURVE)
    reasons = ["reason_1", "factor_1", "base_rate_1"]  # written by score, in its own locale
    wide = called.drop(columns=reasons).assign(value_per_hour=12345.6)
    changed = pd.DataFrame({"deal_id": [f"d{n}" for n in range(1500)], "change": "newly_open", "outcome": None})
    batch = Batch(wide, changed, {}, model, Path("out/calls.csv"), (), None)
    check = Check((Finding("D7", "ok", "young"),), "v1", 1234, UNTIL, UNTIL)
    names = ("won", "lost", "open", "activities", "changes", "contacts", "snapshots_with_truth")
    sample = dict.fromkeys(names, 1234) | {"source": "sample", "last_recorded_at": "2026-01-05T00:00:00+00:00"}
    return {
        "show_audit": (FOUND,),
        "show_suspects": (replace(FOUND, sources=pd.concat([FOUND.sources] * 500)),),
        "show_changes": (changed,),
        "show_batch": (batch,),
        "show_check": (check,),
        "show_import": (imported(), "data/book"),
        "show_sample": (sample, "data/book"),
        "show_portfolio": (replace(portfolio(), bar=1234.0), True),
        "show_replay": (replayed(), Path("out")),
        "show_score": (wide, model, "calls.csv"),
        "show_undated_score": (pd.concat([wide] * 50), replace(model, undated=True), "calls.csv"),
        "show_training": (retrained(trained),),
    }


def show(name: str, arguments: tuple, fmt: LocaleFormat):
    module = next(module for module in modules() if hasattr(module, name) and name in module.__all__)
    if name == "show_portfolio":
        return module.show_portfolio(arguments[0], fmt, arguments[1])
    return getattr(module, name)(*arguments, fmt)


def modules() -> list:
    return [import_module(f"{terminal.__name__}.{module.name}") for module in iter_modules(terminal.__path__)]


def test_every_table_of_the_terminal_is_looked_at(screens):
    every = {name for module in modules() for name in module.__all__ if name.startswith("show_")}

    assert every - AS_TYPED == set(screens)


def test_every_table_writes_its_numbers_by_locale(screens):
    for name, arguments in screens.items():
        english, german = (numbers(show(name, arguments, fmt)) for fmt in (ENGLISH, GERMAN))

        assert english, name
        assert [number.translate(SWAPPED) for number in english] == german, name


def test_a_training_without_dates_writes_its_numbers_by_locale(trained):
    done = retrained(trained, undated=True)
    english, german = (numbers(show("show_training", (done,), fmt)) for fmt in (ENGLISH, GERMAN))

    assert [number.translate(SWAPPED) for number in english] == german


def test_the_model_card_writes_its_numbers_by_locale(trained):
    done = retrained(trained)
    cards = [model_card(done.trained, "m2", done.decision, fmt) for fmt in (ENGLISH, GERMAN)]
    english, german = (NUMBERS.findall(DATES.sub("", card)) for card in cards)

    assert len(english) > 20
    assert [number.translate(SWAPPED) for number in english] == german
