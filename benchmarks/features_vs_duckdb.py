"""How fast walkaway turns a book into features, beside DuckDB computing the same columns from the same book.

Measured, in one process and one run, on one seeded synthetic book held in memory:

- walkaway: `History(book)`, including the sorting, then `build_features` at weekly snapshots of all open deals.
- DuckDB: SQL over its own tables, up to a table of finished float32 columns, with the same number of threads. Loading
  the tables (words as enums, moments without zone) is reported separately and not counted against DuckDB, nor is
  reading the result.

Both must give equal values on all rows before any ratio is printed: days, minutes and ratios within float32 rounding,
all others exactly. Features of the plan that are not in `EXPRESSIONS` are left out on both sides and listed.
In the synthetic book no two rows of a deal have the same moment, so the SQL needs no tie breaks (walkaway sorts by them
nevertheless).

    python benchmarks/features_vs_duckdb.py --events 6000000 --snapshots 2400000 --threads 2

The exit status is 1 if walkaway is not `--least-ratio` times as fast by the wall clock; values that differ raise.
Processor seconds (of all threads) are printed as well, for machines that are shared with other work.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from walkaway.asof.history import DAY, History
from walkaway.asof.snapshots import moments, open_snapshots
from walkaway.book.schema import MOMENT, Book
from walkaway.features import FeaturePlan, PlannedFeature, build_features, plan_features

IntArray = npt.NDArray[np.int64]

# ---------------------------------------------------------------------------------------------------------------- book

START = pd.Timestamp("2022-01-03T06:00Z")
WEEKS = 156
SNAPSHOTS_A_DEAL = 11.6  # what lifetimes of 12 weeks give on the weekly grid, those cut off by the end included
CHANGES_SHARE = 0.12  # of all events; the others are activities
STAGES = ("contract", "lead", "negotiation", "on hold", "proposal", "qualified")
DIRECTIONS = ("inbound", "internal", "outbound")
STEPS = {  # kind, status: share of the activities
    ("call", "done"): 0.18,
    ("demo", "done"): 0.03,
    ("email", "done"): 0.30,
    ("letter", "done"): 0.05,
    ("meeting", "done"): 0.08,
    ("task", "begun"): 0.05,
    ("task", "done"): 0.08,
    ("task", "planned"): 0.06,
    ("visit", "done"): 0.03,
    ("work", "begun"): 0.04,
    ("work", "done"): 0.06,
    ("work", "planned"): 0.04,
}
PEOPLE = 400


@dataclass(frozen=True)
class _Lives:
    """When each synthetic deal begins, ends and is recorded no more (its end or that of the data), microseconds."""

    created: IntArray
    closed: IntArray
    until: IntArray

    @classmethod
    def draw(cls, rng: np.random.Generator, deals: int) -> _Lives:
        start = int(START.timestamp() * 1_000_000)
        end = start + WEEKS * 7 * DAY
        created = start + (rng.random(deals) * (end - start)).astype(np.int64)
        closed = created + (rng.gamma(1.5, 8 * 7, deals) * DAY).astype(np.int64) + DAY
        return cls(created, closed, np.minimum(closed, end))


def _utc(microseconds: IntArray) -> pd.Series:
    return pd.Series(microseconds.view("M8[us]")).dt.tz_localize("UTC").astype(MOMENT)


def _text(words: tuple[str, ...], codes: IntArray) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(codes, list(words))).astype("str")


def _names(letter: str, count: int) -> pd.Series:
    return pd.Series(np.char.add(letter, np.char.zfill(np.arange(count).astype(str), 8))).astype("str")


def _events(rng: np.random.Generator, lives: _Lives, count: int) -> tuple[IntArray, IntArray]:
    """Deals and distinct moments of about `count` events, in the order of recording; long deals get more of them."""
    lengths = np.cumsum(lives.until - lives.created)
    deal = np.searchsorted(lengths, rng.random(count) * lengths[-1])
    moment = lives.created[deal] + (rng.random(count) * (lives.until - lives.created)[deal]).astype(np.int64)
    order = np.lexsort((moment, deal))
    deal, moment = deal[order], moment[order]
    fresh = np.r_[True, (np.diff(deal) != 0) | (np.diff(moment) != 0)]
    deal, moment = deal[fresh], moment[fresh]
    order = np.argsort(moment, kind="stable")
    return deal[order], moment[order]


def _deals(rng: np.random.Generator, lives: _Lives) -> pd.DataFrame:
    count = len(lives.created)
    is_open = lives.closed > lives.until
    outcome = _text(("lost", "won"), (rng.random(count) < 0.3).astype(np.int64))
    return pd.DataFrame(
        {
            "deal_id": _names("d", count),
            "created_at": _utc(lives.created),
            "closed_at": _utc(lives.closed).mask(is_open),
            "outcome": outcome.mask(is_open),
        }
    )


def _activities(rng: np.random.Generator, lives: _Lives, names: npt.NDArray, count: int) -> pd.DataFrame:
    deal, moment = _events(rng, lives, count)
    count = len(deal)
    kinds, statuses = (tuple(sorted(set(words))) for words in zip(*STEPS, strict=True))
    step = rng.choice(len(STEPS), count, p=np.array(list(STEPS.values())))
    kind = np.array([kinds.index(kind) for kind, _ in STEPS])[step]
    status = np.array([statuses.index(status) for _, status in STEPS])[step]
    logged = (status == statuses.index("done")) & (rng.random(count) < 0.6)
    person = np.where(rng.random(count) < 0.8, deal % PEOPLE, rng.integers(0, PEOPLE, count))
    return pd.DataFrame(
        {
            "activity_id": _names("a", count),
            "deal_id": names[deal],
            "kind": _text(kinds, kind),
            "status": _text(statuses, status),
            "direction": _text(DIRECTIONS, rng.integers(0, len(DIRECTIONS), count)),
            "occurred_at": _utc(moment - rng.integers(0, DAY // 4, count)),
            "recorded_at": _utc(moment),
            "hours": np.where(logged, rng.integers(1, 181, count) / 60, np.nan),
            "owner_id": _text(tuple(f"p{number:03d}" for number in range(PEOPLE)), person),
        }
    )


def _changes(rng: np.random.Generator, lives: _Lives, names: npt.NDArray, count: int) -> pd.DataFrame:
    deal, moment = _events(rng, lives, count)
    stage = _text(STAGES, rng.integers(0, len(STAGES), len(deal)))
    return pd.DataFrame(
        {"deal_id": names[deal], "field": "stage", "recorded_at": _utc(moment), "new_value": stage},
    )


def synthetic_book(events: int, snapshots: int, seed: int = 7) -> tuple[Book, pd.DataFrame]:
    """A book of about that many events, and its weekly snapshots of open deals, about that many."""
    rng = np.random.default_rng(seed)
    lives = _Lives.draw(rng, max(int(snapshots / SNAPSHOTS_A_DEAL), 2))
    deals = _deals(rng, lives)
    names = deals["deal_id"].to_numpy()
    changes = int(events * CHANGES_SHARE)
    book = Book.of(
        deals=deals,
        activities=_activities(rng, lives, names, events - changes),
        changes=_changes(rng, lives, names, changes),
    )
    return book, open_snapshots(book, moments(START, START + pd.Timedelta(weeks=WEEKS), 7))


# ----------------------------------------------------------------------------------------------------------- competitor


@dataclass
class Lists:
    """SQL over one log: per deal the sorted moments (and values) of each selection, cut per snapshot at its as_of.

    The methods give expressions over the cut, and remember which lists the query needs for them.
    """

    name: str
    rows: str  # a query giving deal_id, t and what selections and values are about
    selections: dict[str, int] = field(default_factory=dict)
    valued: dict[tuple[int, str], str] = field(default_factory=dict)
    earlier: dict[tuple[int, str], str] = field(default_factory=dict)

    def _selection(self, where: str) -> int:
        return self.selections.setdefault(where, len(self.selections))

    def count(self, where: str = "true") -> str:
        """How many rows of the selection are known."""
        return f"{self.name}_n{self._selection(where)}"

    def count_in(self, where: str, days: str) -> str:
        """How many of them were recorded in that many days before as_of."""
        key = (self._selection(where), days)
        self.earlier[key] = f"{self.name}_n{key[0]}_before_{days}"
        return f"({self.count(where)} - {self.earlier[key]})"

    def moment(self, where: str = "true") -> str:
        """When the newest was recorded."""
        return f"{self.name}_t{self._selection(where)}[{self.count(where)}]"

    def _values(self, value: str, where: str) -> str:
        key = (self._selection(where), value)
        self.valued[key] = f"{self.name}_{value}{key[0]}"
        return self.valued[key]

    def last(self, value: str, where: str = "true") -> str:
        """The value of the newest."""
        return f"{self._values(value, where)}[{self.count(where)}]"

    def longest(self, value: str, where: str) -> str:
        """The largest value."""
        return f"list_max({self._values(value, where)}[:{self.count(where)}])"

    def built(self) -> str:
        """Query: the lists of each deal."""
        lists = [f"list_sort(list(t) FILTER ({where})) AS {self.name}_t{i}" for where, i in self.selections.items()]
        where = {i: where for where, i in self.selections.items()}
        # Values take their order from the row's rank in its deal, packed above them: list(... ORDER BY t) is slower.
        unpacked = "lambda x: x & 1048575"
        lists += [
            f"list_transform(list_sort(list((rank << 20) + {value}) FILTER ({where[i]})), {unpacked}) AS {name}"
            for (i, value), name in self.valued.items()
        ]
        ranked = f"SELECT *, row_number() OVER (PARTITION BY deal_id ORDER BY t) AS rank FROM ({self.rows})"
        return f"SELECT deal_id, {', '.join(lists)} FROM ({ranked if self.valued else self.rows}) GROUP BY deal_id"

    def cuts(self) -> list[str]:
        """Expressions for how many of each list were known at as_of."""

        def known(i: int, until: str, name: str) -> str:
            return f"coalesce(len(list_filter({self.name}_t{i}, lambda x: x <= {until})), 0) AS {name}"

        cuts = [known(i, "as_of", f"{self.name}_n{i}") for i in self.selections.values()]
        return cuts + [known(i, f"as_of - INTERVAL {d} DAY", name) for (i, d), name in self.earlier.items()]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def _code(words: list[str], condition: Callable[[str], str]) -> str:
    """Position of the word whose condition holds; none for other words."""
    return (
        "CASE "
        + " ".join(f"WHEN {condition(word)} THEN {i}" for i, word in enumerate(words))
        + " ELSE NULL END::BIGINT"
        if words
        else "NULL::BIGINT"
    )


def _step_is(step: str) -> str:
    kind, status = step.split(" / ")
    return f"kind = {_quoted(kind)} AND status = {_quoted(status)}"


class Columns:
    """The SQL expression of each planned column."""

    def __init__(self, book: Book, plan: FeaturePlan) -> None:
        categories = {planned.feature: list(planned.categories) for planned in plan.features}
        steps = _code(categories["last_step"], _step_is)
        stages = _code(categories["stage"], lambda word: f"new_value = {_quoted(word)}")
        assumed = " ".join(f"WHEN {_quoted(kind)} THEN {h}" for kind, h in book.manifest.assumed_hours.items())
        hours = f"coalesce(hours, CASE WHEN status = 'done' THEN CASE kind {assumed} END END, 0)"
        self.acts = Lists(
            "act",
            f"SELECT deal_id, recorded_at AS t, kind, status, direction, {steps} AS step, "
            f"round_even({hours} * 3600, 0)::BIGINT AS seconds FROM activities",
        )
        self.moves = Lists(
            "move",
            f"SELECT deal_id, recorded_at AS t, new_value, {stages} AS stage FROM changes WHERE field = 'stage'",
        )
        first = "SELECT deal_id, min(recorded_at) AS t FROM {table} WHERE {where} GROUP BY deal_id, {word}"
        named = "owner_id IS NOT NULL"
        staged = "field = 'stage' AND new_value IS NOT NULL"
        self.owners = Lists("own", first.format(table="activities", where=named, word="owner_id"))
        self.stages = Lists("stg", first.format(table="changes", where=staged, word="new_value"))

    @property
    def logs(self) -> list[Lists]:
        """The logs that some column asked for."""
        return [log for log in (self.acts, self.moves, self.owners, self.stages) if log.selections]

    def expression(self, planned: PlannedFeature) -> str:
        """The expression of one column."""
        build = EXPRESSIONS[planned.feature]
        return build(self) if planned.word is None else build(self, planned.word)


AGE = "((epoch_us(as_of) - epoch_us(created_at)) / 86400e6)"
DONE = "status = 'done'"


def _days_since(moment: str) -> str:
    return f"(epoch_us(as_of) - epoch_us({moment})) / 86400e6"


def _kind(kind: str, status: str = "done") -> str:
    return f"kind = {_quoted(kind)} AND status = {_quoted(status)}"


def _direction(word: str) -> str:
    return f"direction = {_quoted(word)} AND {DONE}"


def _tempo(c: Columns) -> str:
    usual = f"({c.acts.count(DONE)} / greatest({AGE}, 1.0) * least(greatest({AGE}, 1.0), 7.0))"
    return f"CASE WHEN {usual} > 0 THEN {c.acts.count_in(DONE, '7')} / {usual} END"


def _newer(moment: str, others: str) -> str:
    return f"CASE WHEN {moment} IS NULL THEN 0 WHEN {others} IS NULL THEN 1 ELSE ({moment} > {others})::INTEGER END"


def _waiting(c: Columns, word: str) -> str:
    planned, begun, done = (c.acts.moment(_kind(word, status)) for status in ("planned", "begun", "done"))
    return _newer(planned, f"greatest({begun}, {done})")


def _in_hand(c: Columns, word: str) -> str:
    begun, planned, done = (c.acts.moment(_kind(word, status)) for status in ("begun", "planned", "done"))
    return _newer(begun, f"greatest({planned}, {done})")


def _days_to_end(c: Columns, period: str) -> str:
    end = f"(date_trunc('{period}', as_of) + INTERVAL 1 {period} - INTERVAL 1 MICROSECOND)"
    return f"floor((epoch_us({end}) - epoch_us(as_of)) / 86400e6)"


EXPRESSIONS: dict[str, Callable[..., str]] = {
    "touches": lambda c: c.acts.count(DONE),
    "touches_in": lambda c, word: c.acts.count_in(DONE, word),
    "days_since_touch": lambda c: _days_since(c.acts.moment(DONE)),
    "touches_by": lambda c, word: c.acts.count(_direction(word)),
    "days_since_touch_by": lambda c, word: _days_since(c.acts.moment(_direction(word))),
    "tempo": _tempo,
    "last_step": lambda c: c.acts.last("step"),
    "step_count": lambda c, word: c.acts.count(_step_is(word)),
    "days_since_step": lambda c, word: _days_since(c.acts.moment(_step_is(word))),
    "last_minutes": lambda c, word: c.acts.last("seconds", _kind(word)) + " / 60",
    "longest_minutes": lambda c, word: c.acts.longest("seconds", _kind(word)) + " / 60",
    "people": lambda c: c.owners.count(),
    "stage": lambda c: c.moves.last("stage"),
    "days_in_stage": lambda c: _days_since(c.moves.moment()),
    "stage_moves": lambda c: c.moves.count(),
    "stage_regressions": lambda c: f"{c.moves.count()} - {c.stages.count()}",
    "days_since_stage": lambda c, word: _days_since(c.moves.moment(f"new_value = {_quoted(word)}")),
    "age_days": lambda c: AGE,
    "weekday_created": lambda c: "isodow(created_at) - 1",
    "hour_created": lambda c: "hour(created_at)",
    "weekday": lambda c: "isodow(as_of) - 1",
    "days_to_month_end": lambda c: _days_to_end(c, "month"),
    "days_to_quarter_end": lambda c: _days_to_end(c, "quarter"),
    "days_to_year_end": lambda c: _days_to_end(c, "year"),
    "waiting": _waiting,
    "in_hand": _in_hand,
}


def competitor_plan(plan: FeaturePlan) -> tuple[FeaturePlan, list[str]]:
    """The part of the plan that SQL computes too, and the columns left out of both sides."""
    kept = tuple(planned for planned in plan.features if planned.feature in EXPRESSIONS)
    return FeaturePlan(features=kept), [p.column for p in plan.features if p.feature not in EXPRESSIONS]


def load_duckdb(book: Book, snapshots: pd.DataFrame, threads: int) -> duckdb.DuckDBPyConnection:
    """DuckDB with the book and the snapshots in its own tables: words as enums, moments in UTC without zone."""
    connection = duckdb.connect(config={"threads": threads, "memory_limit": "7GB", "preserve_insertion_order": False})
    connection.execute("SET TimeZone = 'UTC'")
    frames = {**book.tables(), "snapshots": snapshots.assign(row=np.arange(len(snapshots)))}
    for name in ("deals", "activities", "changes", "snapshots"):
        connection.register(f"{name}_frame", frames[name])
    for table, column in (
        ("activities", "kind"),
        ("activities", "status"),
        ("activities", "direction"),
        ("activities", "owner_id"),
        ("changes", "new_value"),
    ):
        words = f"SELECT DISTINCT {column} FROM {table}_frame WHERE {column} IS NOT NULL ORDER BY 1"
        connection.execute(f"CREATE TYPE {column}_words AS ENUM ({words})")
    for table, columns in {
        "deals": "deal_id, created_at::TIMESTAMP AS created_at",
        "activities": "deal_id, kind::kind_words AS kind, status::status_words AS status, "
        "direction::direction_words AS direction, owner_id::owner_id_words AS owner_id, hours, "
        "recorded_at::TIMESTAMP AS recorded_at",
        "changes": "deal_id, field, recorded_at::TIMESTAMP AS recorded_at, new_value::new_value_words AS new_value",
        "snapshots": "row, deal_id, as_of::TIMESTAMP AS as_of",
    }.items():
        connection.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM {table}_frame")
        connection.unregister(f"{table}_frame")
    return connection


def duckdb_features(connection: duckdb.DuckDBPyConnection, book: Book, plan: FeaturePlan) -> None:
    """Compute the planned columns into the table `features`, with `row`, the place of the snapshot.

    The way kept is the fastest of those tried at a tenth of the full size, by processor seconds on two threads (the
    first two computed all columns; the others only the counts, moments and last values that the columns are made of):

        2.0  per deal a sorted list of moments for each selection, cut at as_of by list_filter (this one)
        3.0  aggregates per interval between snapshots (ASOF join), then running windows over the snapshots; the
             7, 30 and 90 days by a range join (2.3 for the states alone, with integer codes for the deals)
        2.1  the same aggregates, joined to all later snapshots and aggregated again
        3.2  range join of snapshots and all known events, FILTER aggregates
        3.5  window functions over the union of events and snapshots, RANGE frames for 7, 30 and 90 days
        4.8  running windows over the events, one ASOF join, and one more for each of 7, 30 and 90 days
        9.8  row numbers per selection, one ASOF join for each

    Lists built from sorted rows without sorting them anew were faster still, and wrong: two threads may swap them.
    """
    columns = Columns(book, plan)
    finished = [f'({columns.expression(planned)})::FLOAT AS "{planned.column}"' for planned in plan.features]
    for log in columns.logs:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {log.name} AS {log.built()}")
    cuts = ", ".join(cut for log in columns.logs for cut in log.cuts())
    joins = " ".join(f"LEFT JOIN {log.name} USING (deal_id)" for log in columns.logs)
    known = f"SELECT *, {cuts} FROM snapshots JOIN deals USING (deal_id) {joins}"
    connection.execute(f"CREATE OR REPLACE TABLE features AS SELECT row, {', '.join(finished)} FROM ({known})")


# ---------------------------------------------------------------------------------------------------------- comparison

ROUNDED = ("days", "minutes", "ratio")  # units whose values may differ by float32 rounding; all others are the same


def _fetched(connection: duckdb.DuckDBPyConnection, columns: list[str]) -> Iterator[tuple[str, npt.NDArray]]:
    """The computed columns in the order of the snapshots, a few at a time."""
    for begin in range(0, len(columns), 12):
        part = columns[begin : begin + 12]
        found = connection.execute(
            f"SELECT row, {', '.join(chr(34) + c + chr(34) for c in part)} FROM features"
        ).fetchnumpy()
        order = np.argsort(found["row"])
        for column in part:
            yield column, np.ma.filled(np.ma.asarray(found[column]), np.nan)[order]


def differences(ours: pd.DataFrame, connection: duckdb.DuckDBPyConnection, plan: FeaturePlan) -> list[str]:
    """What differs between walkaway's frame and DuckDB's table: empty where all values of all rows are equal."""
    rows = connection.execute("SELECT count(*), count(DISTINCT row) FROM features").fetchone()
    if rows != (len(ours), len(ours)):
        return [f"DuckDB has {rows} rows (all, distinct), walkaway {len(ours)}"]
    units = {planned.column: planned.declared.unit for planned in plan.features}
    out = []
    for column, theirs in _fetched(connection, plan.columns):
        mine = ours[column].to_numpy()
        close = np.isclose(mine, theirs, rtol=2e-7, atol=0, equal_nan=True) if units[column] in ROUNDED else None
        same = close if close is not None else (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
        if not same.all():
            at = int(np.argmin(same))
            out.append(
                f"{column}: {int((~same).sum())} rows differ; row {at}: walkaway {mine[at]}, DuckDB {theirs[at]}"
            )
    return out


@dataclass(frozen=True)
class Result:
    """What one run measured, in seconds (wall clock, and processor time by the same names), and what was compared."""

    seconds: dict[str, float]
    processor: dict[str, float]
    rows: int
    columns: int
    left_out: list[str]
    differences: list[str]

    @property
    def ratio(self) -> float:
        """How many times as long DuckDB takes."""
        return self.seconds["DuckDB"] / self.seconds["walkaway"]


@dataclass
class _Clock:
    """Wall clock and processor seconds (all threads) of named parts of a run, each of its best round."""

    seconds: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        took = time.perf_counter() - wall, time.process_time() - processor
        if took[0] < self.seconds.get(name, math.inf):
            self.seconds[name], self.processor[name] = took


def run(book: Book, snapshots: pd.DataFrame, threads: int, rounds: int = 1) -> Result:
    """Compute the same columns both ways, turn by turn; the best round of each counts. Compare them."""
    pa.set_cpu_count(threads)
    plan, left_out = competitor_plan(plan_features(book))
    clock = _Clock()
    with clock.part("loading"):
        connection = load_duckdb(book, snapshots, threads)
    for _ in range(rounds):
        frame = None
        with clock.part("walkaway"):
            frame = build_features(History(book).at(snapshots), plan, threads)
        with clock.part("DuckDB"):
            duckdb_features(connection, book, plan)
    different = differences(frame, connection, plan)
    connection.close()
    return Result(clock.seconds, clock.processor, len(frame), len(plan.columns), left_out, different)


def _print(result: Result, events: int, threads: int) -> None:
    notes = {
        "walkaway": "sorting counted",
        "DuckDB": f"loading, not counted: {result.seconds['loading']:.2f} s",
    }
    print(f"{events:,} events, {threads} threads")
    print(f"{'':<10} {'seconds':>8} {'processor':>10} {'rows':>10} {'columns':>8}")
    for name, note in notes.items():
        times = f"{result.seconds[name]:>8.2f} {result.processor[name]:>10.2f}"
        print(f"{name:<10} {times} {result.rows:>10,} {result.columns:>8}   {note}")
    print(f"{'ratio':<10} {result.ratio:>8.2f} {result.processor['DuckDB'] / result.processor['walkaway']:>10.2f}")
    print(f"left out of both: {', '.join(result.left_out) or 'nothing'}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"all values equal; peak memory {peak:.1f} GiB")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=6_000_000)
    parser.add_argument("--snapshots", type=int, default=2_400_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--least-ratio", type=float, default=3.0)
    given = parser.parse_args(arguments)
    book, snapshots = synthetic_book(given.events, given.snapshots)
    result = run(book, snapshots, given.threads, given.rounds)
    if result.differences:
        raise SystemExit("walkaway and DuckDB differ:\n" + "\n".join(result.differences))
    _print(result, len(book.activities) + len(book.changes), given.threads)
    return 0 if result.ratio >= given.least_ratio else 1


if __name__ == "__main__":
    sys.exit(main())
