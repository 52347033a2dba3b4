"""Rules over every feature: none sees the future, and none depends on anything but what was known.

Random small books are drawn as rows of small numbers. Moments lie on a grid of half weeks, so that recordings at the
very as_of, several events of one instant and windows that begin at an event are common rather than rare.
"""

from functools import cache
from pathlib import Path
from string import Formatter
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import walkaway.features.plan as features_plan
from walkaway.asof.history import History, known
from walkaway.book.schema import MOMENT, TABLES, Book, Manifest, empty_table
from walkaway.config import FeatureSettings
from walkaway.features import REGISTRY, THEMES, FeaturePlan, PlannedFeature, build_features, plan_features
from walkaway.features.declare import Unit, feature

START = pd.Timestamp("2025-06-01", tz="UTC")
HALF_WEEK = 84 * 3_600_000_000  # microseconds
END = 6  # the last half week of a random book
FIXED = ("account_id", "owner_id", "product", "list_price")
OUTCOMES, ACCOUNTS, OWNERS = ("won", "lost"), ("acme", "bolt", None), ("ann", "bob", None)
KINDS, STATUSES = ("call", "mail", "fax"), ("planned", "begun", "done", None)
DIRECTIONS, ROLES = ("inbound", "outbound", "internal", None), ("buyer", "user", None)
PRODUCTS = ("press", None, "lathe")
HOURS, AMOUNTS = (None, 0.0, 0.1, 0.7), (None, 0.0, 100.0, 12_345.5)
VALUES = {
    "stage": ("new", "offer", "signed", None),
    "amount": ("100", "80.5", "0", "many", None),
    "expected_close_date": ("2025-07-01", "2025-08-01T12:00:00Z", "2025-08-01 12:00:00.5+02:00", "soon", None),
}
FIELDS = tuple(VALUES)
# Numbers of one row of each table: the deal it belongs to, its half week, and what it says.
PARTS = {"deals": 7, "changes": 5, "activities": 10, "contacts": 5}
MOMENT_OF = {"deals": "created_at", "changes": "recorded_at", "activities": "recorded_at", "contacts": "recorded_at"}


def _pick(values, number):
    return values[number % len(values)]


def _row(table: str, number: int, n: list[int], deals: int) -> dict:
    """One row of a table out of small numbers; moments as microseconds after START."""
    deal, moment = f"d{n[0] % deals}", n[1] * HALF_WEEK
    if table == "deals":
        closed = moment + n[2] * HALF_WEEK if n[2] else None
        outcome = _pick(OUTCOMES, n[3]) if closed else None
        row = {"deal_id": f"d{number}", "created_at": moment, "closed_at": closed, "outcome": outcome}
        return row | {
            "amount": _pick(AMOUNTS, n[4]),
            "account_id": _pick(ACCOUNTS, n[5]),
            "owner_id": _pick(OWNERS, n[6]),
            "product": _pick(PRODUCTS, n[4] + n[5]),
            "list_price": _pick(AMOUNTS, n[5] + n[6]),
        }
    row = {"deal_id": deal, "recorded_at": moment}
    if table == "changes":
        field = _pick(FIELDS, n[2])
        return row | {"field": field, "new_value": _pick(VALUES[field], n[3])}
    if table == "contacts":
        return row | {"contact_id": f"c{n[2]}", "role": _pick(ROLES, n[3])}
    row |= {"kind": _pick(KINDS, n[2]), "status": _pick(STATUSES, n[3]), "direction": _pick(DIRECTIONS, n[4])}
    row |= {"hours": _pick(HOURS, n[5]), "owner_id": _pick(OWNERS, n[6]), "contact_id": f"c{n[7]}"}
    return row | {"activity_id": f"a{number}", "occurred_at": n[8] * HALF_WEEK}


EMPTY = {name: empty_table(name) for name in TABLES}
EMPTY["deals"] = EMPTY["deals"].assign(product=pd.Series(dtype="str"), list_price=pd.Series(dtype="float64"))
DTYPES = {
    name: [(column, dtype, str(dtype) == MOMENT) for column, dtype in t.dtypes.items()] for name, t in EMPTY.items()
}


def _moments(values: list[int | None]) -> pd.DatetimeIndex:
    start = START.value // 1000
    whole = np.array([np.iinfo(np.int64).min if v is None else start + v for v in values], dtype=np.int64)
    return pd.DatetimeIndex(whole.view("datetime64[us]")).tz_localize("UTC")


def _frame(name: str, rows: list[dict]) -> pd.DataFrame:
    if not rows:
        return EMPTY[name]
    columns = {}
    for column, dtype, is_moment in DTYPES[name]:
        values = [row.get(column) for row in rows]
        columns[column] = _moments(values) if is_moment else pd.array(values, dtype=dtype)
    return pd.DataFrame(columns, copy=False)


def _book(rows: dict[str, list[dict]], fixed: tuple[str, ...]) -> Book:
    return Book(
        **{name: _frame(name, found) for name, found in rows.items()}, manifest=Manifest(fixed_at_creation=fixed)
    )


def _snapshots(rows: dict[str, list[dict]], as_of: int) -> pd.DataFrame:
    deals = [deal["deal_id"] for deal in rows["deals"] if deal["created_at"] <= as_of]
    return pd.DataFrame({"deal_id": pd.Series(deals, dtype="str"), "as_of": START + pd.Timedelta(microseconds=as_of)})


def _features(book: Book, snapshots: pd.DataFrame, plan: FeaturePlan) -> pd.DataFrame:
    return build_features(History(book).at(snapshots), plan)


def _unlike(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """The columns whose bits differ."""
    assert one.columns.equals(other.columns)
    if one.to_numpy().tobytes() == other.to_numpy().tobytes():
        return []
    return [name for name in one if one[name].to_numpy().tobytes() != other[name].to_numpy().tobytes()]


@st.composite
def books(draw):
    """Rows of a small book, what is fixed at creation, and an as_of at which at least one deal exists."""
    small, sizes = st.integers(0, END), {"deals": (1, 3), "changes": (5, 9), "activities": (3, 8), "contacts": (0, 4)}
    drawn = {}
    for name, (least, most) in sizes.items():
        row = st.lists(small, min_size=PARTS[name], max_size=PARTS[name])
        drawn[name] = draw(st.lists(row, min_size=least, max_size=most))
    deals = len(drawn["deals"])
    rows = {name: [_row(name, i, n, deals) for i, n in enumerate(found)] for name, found in drawn.items()}
    first = min(deal["created_at"] for deal in rows["deals"])
    as_of = draw(st.integers(first // HALF_WEEK, END)) * HALF_WEEK
    return rows, FIXED + draw(st.sampled_from([(), ("amount",)])), as_of


def _seen(rows: dict[str, list[dict]], fixed: tuple[str, ...], as_of: int) -> dict[str, list[dict]]:
    """The rows without anything recorded later, decided here once more and independently of `history.known`."""
    deals = []
    for deal in (deal for deal in rows["deals"] if deal["created_at"] <= as_of):
        still_open = deal["closed_at"] is None or deal["closed_at"] > as_of
        late = {"closed_at": None, "outcome": None} | ({} if "amount" in fixed else {"amount": None})
        deals.append(deal | (late if still_open else {}))
    there = {deal["deal_id"] for deal in deals}
    others = {
        name: [row for row in found if row["recorded_at"] <= as_of and row["deal_id"] in there]
        for name, found in rows.items()
        if name != "deals"
    }
    return {"deals": deals} | others


def _altered(rows: dict[str, list[dict]], fixed: tuple[str, ...], as_of: int, seed: int) -> dict[str, list[dict]]:
    """The rows with all that was recorded later replaced by other later rows, more of them, in any order."""
    rng = np.random.default_rng(seed)

    def later() -> int:
        return as_of + 1 if rng.random() < 0.3 else as_of + int(rng.integers(1, 9)) * HALF_WEEK

    def others(name: str, count: int, deals: int) -> list[dict]:
        numbers = rng.integers(0, END + 1, (count, PARTS[name])).tolist()
        return [_row(name, 1000 + i, n, deals) | {MOMENT_OF[name]: later()} for i, n in enumerate(numbers)]

    seen = _seen(rows, fixed, as_of)
    deals = []
    for deal in seen["deals"]:
        closes = {"closed_at": later(), "outcome": _pick(OUTCOMES, int(rng.integers(2)))} if rng.random() < 0.7 else {}
        amount = {} if "amount" in fixed else {"amount": _pick(AMOUNTS, int(rng.integers(4)))}
        deals.append(deal | (closes | amount if deal["closed_at"] is None else {}))
    deals += [deal | {"closed_at": None, "outcome": None} for deal in others("deals", int(rng.integers(0, 3)), 1)]
    more = {}
    for name in ("changes", "activities", "contacts"):
        added = [row | {"deal_id": deals[int(rng.integers(len(deals)))]["deal_id"]} for row in others(name, 3, 1)]
        more[name] = [(seen[name] + added)[i] for i in rng.permutation(len(seen[name]) + len(added))]
    return {"deals": [deals[i] for i in rng.permutation(len(deals))]} | more


@cache
def whole_plan() -> FeaturePlan:
    """Every registered feature over every word but `fax`, planned on a book that records everything over two years."""
    many = {"deals": range(40), "changes": range(40), "activities": range(80), "contacts": range(9)}
    rng = np.random.default_rng(0)
    rows = {
        name: [_row(name, i, [i, *rng.integers(0, 60, PARTS[name] - 1).tolist()], 40) for i in number]
        for name, number in many.items()
    }
    rows["activities"] = [row for row in rows["activities"] if row["kind"] != "fax"]
    rows["deals"][0] |= {"created_at": 0, "closed_at": 210 * HALF_WEEK, "outcome": "won"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features_plan, "LEAST_DEALS_A_WORD", 1)
        patch.setattr(features_plan, "LEAST_SHARE_A_WORD", 0.0)
        return plan_features(_book(rows, (*FIXED, "amount")), FeatureSettings(owner_identity=True))


def _leaks(rows, fixed, as_of, plan, other: dict[str, list[dict]]) -> list[str]:
    """The columns that change when the rows become other ones, which differ only in what was recorded after as_of."""
    snapshots = _snapshots(rows, as_of)
    return _unlike(_features(_book(rows, fixed), snapshots, plan), _features(_book(other, fixed), snapshots, plan))


def test_the_plan_of_these_tests_covers_every_registered_feature():
    assert {planned.feature for planned in whole_plan().features} == set(REGISTRY)


@given(books(), st.booleans(), st.integers(0, 2**16))
def test_no_feature_changes_when_what_was_recorded_later_is_deleted_or_altered(drawn, delete, seed):
    other = _seen(*drawn) if delete else _altered(*drawn, seed)

    assert _leaks(*drawn, whole_plan(), other) == []


# One deal, asked about at half week 4, with a recording before, at and after it, and a close after it.
FOUR = 4 * HALF_WEEK
KNOWN_CASE = {
    "deals": [_row("deals", 0, [0, 1, 8, 0, 2, 0, 0], 2), _row("deals", 1, [0, 1, 1, 0, 2, 0, 0], 2)],
    "changes": [_row("changes", i, [0, when, 0, i, 0], 2) for i, when in enumerate((2, 4, 5))],
    "activities": [
        _row("activities", i, [i % 2, when, 0, 2, 0, 2, 0, 0, when, 0], 2) for i, when in enumerate((2, 3, 4, 5, 6))
    ],
    "contacts": [],
}

DELETED = _seen(KNOWN_CASE, FIXED, FOUR)
ALTERED = [_altered(KNOWN_CASE, FIXED, FOUR, seed) for seed in range(9)]


def reads_the_close(view):
    """Whether the deal will be won."""
    return view._history.deals["outcome"].eq("won").to_numpy()[view.deal]


def reads_one_event_too_many(view):
    """Events up to the next one."""
    events = view.activities
    return np.minimum(events.end + 1, events.log.first_of(events.partition + 1)) - events.start


def reads_the_tail(view):
    """Events from as_of on."""
    events = view.activities
    return events.log.first_of(events.partition + 1) - events.end


def reads_how_many_there_will_be(view):
    """Share of all events that were recorded by as_of."""
    return view.changes.count() / max(len(view.changes.log), 1)


def reads_the_last_amount(view):
    """The amount on today's row."""
    return view._history.deals["amount"].to_numpy()[view.deal]


LEAKS = [reads_the_close, reads_one_event_too_many, reads_the_tail, reads_how_many_there_will_be, reads_the_last_amount]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_feature_that_reads_the_future_is_caught(leak):
    feature(unit="count", theme="need", sentence="{value}")(leak)
    try:
        plan = FeaturePlan(features=(PlannedFeature(feature="age_days"), PlannedFeature(feature=leak.__name__)))

        assert _leaks(KNOWN_CASE, FIXED, FOUR, plan, DELETED) == [leak.__name__]
        assert {name for other in ALTERED for name in _leaks(KNOWN_CASE, FIXED, FOUR, plan, other)} == {leak.__name__}
    finally:
        del REGISTRY[leak.__name__]


def test_the_case_that_catches_leaks_has_no_other():
    assert [
        name for other in (DELETED, *ALTERED) for name in _leaks(KNOWN_CASE, FIXED, FOUR, whole_plan(), other)
    ] == []


@given(books(), st.integers(0, 2**16))
@settings(max_examples=max(settings.default.max_examples // 5, 100))
def test_the_row_order_of_every_table_is_irrelevant_to_the_bit(drawn, seed):
    rows, fixed, as_of = drawn
    book, snapshots, rng = _book(rows, fixed), _snapshots(rows, as_of), np.random.default_rng(seed)
    shuffled = {name: t.iloc[rng.permutation(len(t))] for name, t in book.tables().items()}

    assert (
        _unlike(
            _features(book, snapshots, whole_plan()), _features(book.with_tables(**shuffled), snapshots, whole_plan())
        )
        == []
    )


@given(books())
@settings(max_examples=max(settings.default.max_examples // 10, 50))
def test_the_book_as_it_was_known_gives_the_bits_of_the_whole_book(drawn):
    rows, fixed, as_of = drawn
    book, snapshots = _book(rows, fixed), _snapshots(rows, as_of)
    then = known(book, START + pd.Timedelta(microseconds=as_of))

    assert _unlike(_features(book, snapshots, whole_plan()), _features(then, snapshots, whole_plan())) == []


@given(books())
@settings(max_examples=max(settings.default.max_examples // 10, 50))
def test_a_snapshot_asked_alone_has_the_bits_it_has_among_others(drawn):
    rows, fixed, as_of = drawn
    history = History(_book(rows, fixed))
    asked = pd.concat([_snapshots(rows, as_of), _snapshots(rows, (END + 3) * HALF_WEEK)], ignore_index=True)
    together = build_features(history.at(asked), whole_plan())

    for one in (0, len(asked) - 1):
        alone = build_features(history.at(asked.iloc[[one]]), whole_plan())
        assert _unlike(alone, together.iloc[[one]]) == []


def test_asking_leaves_the_frames_it_was_given_alone():
    book, snapshots = _book(KNOWN_CASE, FIXED), _snapshots(KNOWN_CASE, FOUR)
    before = {name: table.copy() for name, table in book.tables().items()}
    asked = snapshots.copy()
    _features(book, snapshots, whole_plan())

    pd.testing.assert_frame_equal(snapshots, asked)
    for name in TABLES:
        pd.testing.assert_frame_equal(book.tables()[name], before[name])


def test_every_column_is_float32_and_named_by_the_plan():
    found = _features(_book(KNOWN_CASE, FIXED), _snapshots(KNOWN_CASE, FOUR), whole_plan())

    assert (found.columns.tolist(), {str(dtype) for dtype in found.dtypes}) == (whole_plan().columns, {"float32"})
    assert len(set(whole_plan().columns)) == len(whole_plan().columns)


def test_a_plan_read_back_from_json_is_the_plan():
    assert FeaturePlan.model_validate_json(whole_plan().model_dump_json()) == whole_plan()


def test_the_categorical_columns_of_a_plan_are_attributes_the_owner_the_stage_and_the_last_step():
    categorical = [whole_plan().columns[i] for i in whole_plan().categorical]

    assert categorical == ["last_step", "attribute[product]", "owner", "stage"]


def test_a_word_that_too_few_deals_use_gets_no_feature():
    columns = plan_features(_book(KNOWN_CASE, FIXED)).columns

    assert [name for name in columns if "[" in name and not name.startswith(("touches_in", "measure"))] == []
    assert "step_count[fax / done]" not in whole_plan().columns


def test_a_feature_cannot_be_declared_twice():
    def age_days(view):
        return view.age_days

    with pytest.raises(ValueError, match=r"feature age_days is declared twice, in timing and "):
        feature(unit="days", theme="timing", sentence="{value}")(age_days)


@pytest.mark.parametrize(("unit", "vocabulary"), [("category", None), ("count", "stage")])
def test_a_feature_names_where_its_values_come_from_if_and_only_if_it_is_a_category(unit, vocabulary):
    def temper(view):
        return view.age_days

    with pytest.raises(ValueError, match=f"feature temper must name `categories_from` .*, found {vocabulary}"):
        feature(unit=unit, theme="timing", sentence="{value}", categories_from=vocabulary)(temper)
    assert "temper" not in REGISTRY


def test_every_file_that_declares_a_feature_is_a_family_that_is_planned():
    declaring = {
        path.stem for path in Path(features_plan.__file__).parent.glob("*.py") if "\n@feature(" in path.read_text()
    }

    assert declaring == {family.__name__.rsplit(".", 1)[-1] for family in features_plan.FAMILIES}


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=REGISTRY)
def test_every_feature_declares_a_unit_a_theme_and_a_sentence_in_its_family(declared):
    assert (declared.unit in get_args(Unit), declared.theme in THEMES) == (True, True)
    assert declared.family in {family.__name__.rsplit(".", 1)[-1] for family in features_plan.FAMILIES}
    assert declared.compute.__doc__.strip().endswith(".")


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=REGISTRY)
def test_every_sentence_uses_value_and_of_only_and_says_of_where_it_is_repeated(declared):
    used = {name for _, name, _, _ in Formatter().parse(declared.sentence) if name is not None}
    absent = {name for _, name, _, _ in Formatter().parse(declared.absent) if name is not None}

    assert declared.sentence.format(value="3 days", of="call") != declared.sentence
    assert used <= {"value", "of"}
    assert absent <= {"value", "of"}
    assert ("of" in used) == (declared.per is not None)


def test_a_word_gets_a_feature_from_two_deals_in_a_thousand_on_and_from_twenty_deals_on():
    def words(deals: int, using: int) -> list[str]:
        ids = [f"d{i:05}" for i in range(deals)]
        moment = ["2026-01-02T00:00Z"] * using
        changes = {"deal_id": ids[:using], "field": "stage", "recorded_at": moment, "new_value": "pilot"}
        book = Book.of(
            deals=pd.DataFrame({"deal_id": ids, "created_at": "2026-01-01T00:00Z"}), changes=pd.DataFrame(changes)
        )
        return [planned.word for planned in plan_features(book).features if planned.word]

    assert "pilot" in words(5_000, 20)
    assert "pilot" not in words(5_000, 19)
    assert "pilot" in words(11_000, 22)
    assert "pilot" not in words(11_000, 21)
