"""Simulates the sample's deals week by week: events are drawn from the chain and recorded as in a CRM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.sample.chain import ASLEEP, CUT, HOURS, LOSS_REASONS, STAGES, Calendar, Week, parts, state_of, week_of
from walkaway.sample.market import Market

__all__ = ["Lived", "live"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
HOUR = 3_600_000_000
WEEK = 168 * HOUR
LOGGED = 0.6  # share of activities with hours logged
ROLES = ("user", "technical buyer", "finance")
DECISION_MAKER = "decision maker"
PUSH_DAYS = 30
FIRST_CLOSE_DAYS = 60


@dataclass
class _Columns:
    """Rows of one table, collected week by week."""

    parts: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)

    def add(self, **columns: npt.ArrayLike) -> None:
        """Add rows with these columns; a single value applies to each row of `deal`."""
        count = len(np.asarray(columns["deal"]))
        self.parts.append({name: np.broadcast_to(np.asarray(values), count) for name, values in columns.items()})

    def frame(self) -> pd.DataFrame:
        names = self.parts[0] if self.parts else {}
        return pd.DataFrame({name: np.concatenate([part[name] for part in self.parts]) for name in names})


@dataclass
class Lived:
    """What happened: rows with `deal` (its number) and `at` (microseconds after the book's first moment).

    changes: field, value (text). activities: kind, inbound, hours. contacts: role, number. snapshots: week, state,
    amount (as recorded, NaN before). closes: outcome, loss_reason.
    """

    changes: _Columns = field(default_factory=_Columns)
    activities: _Columns = field(default_factory=_Columns)
    contacts: _Columns = field(default_factory=_Columns)
    snapshots: _Columns = field(default_factory=_Columns)
    closes: _Columns = field(default_factory=_Columns)


@dataclass
class _Standing:
    """The current state of each deal: the parts of its state, whether it is open, and what is recorded of it."""

    stage: IntArray
    quiet: IntArray
    decider: IntArray
    pushed: IntArray
    cut: IntArray
    is_open: BoolArray
    amount_known: BoolArray
    close_day: IntArray
    people: IntArray

    @classmethod
    def new(cls, market: Market) -> _Standing:
        def zeros() -> IntArray:
            return np.zeros(len(market), dtype=np.int64)

        return cls(
            stage=zeros(),
            quiet=zeros(),
            decider=zeros(),
            pushed=zeros(),
            cut=zeros(),
            is_open=zeros().astype(bool),
            amount_known=market.known_early.copy(),
            close_day=market.created // (24 * HOUR) + FIRST_CLOSE_DAYS,
            people=zeros() + 1,
        )

    def state(self, at: IntArray) -> IntArray:
        return state_of(self.stage[at], self.quiet[at], self.decider[at], self.pushed[at], self.cut[at])


class _Life:
    """One simulation: the market, the random generator, the current state of the deals, and the rows recorded."""

    def __init__(self, market: Market, rng: np.random.Generator, first_day: pd.Timestamp) -> None:
        self.market, self.rng, self.first_day = market, rng, first_day
        self.standing, self.lived = _Standing.new(market), Lived()
        self.amount = market.amount.copy()

    def begin(self, week: int) -> None:
        """Open the deals created in the week before, and record what is known of them at creation."""
        market, now = self.market, self.standing
        fresh = np.flatnonzero(market.first_week == week)
        now.is_open[fresh] = True
        at = market.created[fresh]
        self._write(fresh, at, "stage", np.full(len(fresh), STAGES[0]))
        self._write(fresh, at, "expected_close_date", self._day(now.close_day[fresh]))
        early = fresh[market.known_early[fresh]]
        self._write(early, market.created[early], "amount", self._money(early))
        self.lived.contacts.add(deal=fresh, at=at, role=np.array(ROLES)[fresh % len(ROLES)], number=0)
        self.lived.activities.add(deal=fresh, at=at, kind="email", inbound=True, hours=np.nan)

    def week(self, number: int, chances: Week) -> None:
        """Simulate one week of all open deals, from its Monday on."""
        deal = np.flatnonzero(self.standing.is_open)
        if not len(deal):
            return
        now, class_ = self.standing, self.market.class_[deal]
        state = now.state(deal)
        recorded = np.where(now.amount_known[deal], self.amount[deal], np.nan)
        self.lived.snapshots.add(deal=deal, week=number, state=state, amount=recorded)
        start = number * WEEK
        drawn = {
            name: self.rng.random(len(deal)) < getattr(chances, name)[class_, state]
            for name in ("replies", "sleeps", "advances", "regresses", "decides", "pushes", "cuts")
        }
        self._work(deal, class_, state, drawn["replies"], chances, start)
        goes_on = ~self._close(deal, class_, state, chances, start)
        self._move(deal[goes_on], {name: hit[goes_on] for name, hit in drawn.items()}, start)

    def _work(
        self, deal: IntArray, class_: IntArray, state: IntArray, replies: BoolArray, chances: Week, start: int
    ) -> None:
        """The week's activities: at least one e-mail to the buyer while anyone works on the deal."""
        awake = parts()[1][state] != ASLEEP
        for kind, rate in chances.rates.items():
            count = self.rng.poisson(rate[class_, state]) + (awake if kind == "email" else 0)
            done = np.repeat(deal, count)
            at, hours = start + self._working_time(len(done)), self._hours(kind, done)
            self.lived.activities.add(deal=done, at=at, kind=kind, inbound=False, hours=hours)
        answers = np.repeat(deal, replies * (1 + self.rng.poisson(0.4, len(deal)) * awake))
        self.lived.activities.add(
            deal=answers, at=start + self._working_time(len(answers)), kind="email", inbound=True, hours=np.nan
        )

    def _close(self, deal: IntArray, class_: IntArray, state: IntArray, chances: Week, start: int) -> BoolArray:
        """Close some deals on Friday evening; returns which."""
        ends = np.column_stack([chances.won[class_, state], chances.lost[class_, state]])
        kind = (self.rng.random(len(deal))[:, None] >= np.cumsum(ends, axis=1)).sum(axis=1)
        closed: BoolArray = kind < ends.shape[1]
        reasons = np.array(["", *LOSS_REASONS, ""], dtype=object)
        at = start + (4 * 24 + 17) * HOUR + (self.rng.random(int(closed.sum())) * HOUR).astype(np.int64)
        self.lived.closes.add(deal=deal[closed], at=at, won=kind[closed] == 0, loss_reason=reasons[kind[closed]])
        self.standing.is_open[deal[closed]] = False
        return closed

    def _move(self, deal: IntArray, drawn: dict[str, BoolArray], start: int) -> None:
        """Update the state of the deals that stay open, and record its changes."""
        now, friday = self.standing, start + (4 * 24 + 16) * HOUR
        at = friday + (self.rng.random(len(deal)) * HOUR).astype(np.int64)
        stage, quiet = now.stage[deal], now.quiet[deal]
        later = np.where(quiet == ASLEEP, ASLEEP, np.where(drawn["sleeps"], ASLEEP, np.minimum(quiet + 1, 3)))
        now.quiet[deal] = np.where(drawn["replies"], 0, later)
        back = drawn["regresses"] & ~drawn["advances"]
        now.stage[deal] = np.clip(stage + drawn["advances"] - back, 0, len(STAGES) - 1)
        moved = now.stage[deal] != stage
        self._write(deal[moved], at[moved], "stage", np.array(STAGES)[now.stage[deal[moved]]])
        self._reveal(deal, at)
        self._meet(deal, drawn["decides"], at)
        pushes = drawn["pushes"]
        now.pushed[deal] = np.minimum(now.pushed[deal] + pushes, 2)
        now.close_day[deal] += PUSH_DAYS * pushes
        self._write(deal[pushes], at[pushes], "expected_close_date", self._day(now.close_day[deal[pushes]]))
        cuts = drawn["cuts"]
        now.cut[deal] += cuts
        self.amount[deal[cuts]] *= CUT
        self._write(deal[cuts], at[cuts], "amount", self._money(deal[cuts]))

    def _reveal(self, deal: IntArray, at: IntArray) -> None:
        """The amount is recorded once a deal is qualified."""
        fresh = (self.standing.stage[deal] > 0) & ~self.standing.amount_known[deal]
        self.standing.amount_known[deal[fresh]] = True
        self._write(deal[fresh], at[fresh], "amount", self._money(deal[fresh]))

    def _meet(self, deal: IntArray, decides: BoolArray, at: IntArray) -> None:
        """Add contacts: the decision maker where drawn, others occasionally."""
        now = self.standing
        now.decider[deal] = now.decider[deal] | decides
        others = (self.rng.random(len(deal)) < 0.05) & (now.quiet[deal] < 2)
        for who, role in ((decides, None), (others & ~decides, ROLES)):
            joined = deal[who]
            roles = DECISION_MAKER if role is None else np.array(role)[now.people[joined] % len(role)]
            self.lived.contacts.add(deal=joined, at=at[who], role=roles, number=now.people[joined].copy())
            now.people[joined] += 1

    def _working_time(self, count: int) -> IntArray:
        """Moments of a week between Monday 8:00 and Friday 16:00, in working hours."""
        hours = self.rng.integers(0, 5, count) * 24 + 8 + self.rng.random(count) * 8
        return (hours * HOUR).astype(np.int64)

    def _hours(self, kind: str, deal: IntArray) -> npt.NDArray[np.float64]:
        logged = self.rng.random(len(deal)) < LOGGED
        return np.where(logged, self.rng.gamma(4.0, HOURS[kind] / 4.0, len(deal)), np.nan)

    def _write(self, deal: IntArray, at: IntArray, name: str, value: npt.NDArray[np.str_]) -> None:
        self.lived.changes.add(deal=deal, at=at, field=name, value=value.astype(object))

    def _money(self, deal: IntArray) -> npt.NDArray[np.str_]:
        return np.char.mod("%.2f", self.amount[deal])

    def _day(self, day: IntArray) -> npt.NDArray[np.str_]:
        return (np.datetime64(self.first_day.date()) + day).astype(str)


def live(market: Market, calendar: Calendar, rng: np.random.Generator, first_day: pd.Timestamp) -> Lived:
    """Simulate all deals from the first week to the last; those still open then stay open.

    The snapshots of the calendar's last Monday are written, and nothing after it happens.
    """
    life = _Life(market, rng, first_day)
    for number in range(calendar.weeks):
        life.begin(number)
        life.week(number, week_of(calendar, number))
    life.begin(calendar.weeks)
    deal = np.flatnonzero(life.standing.is_open)
    amount = np.where(life.standing.amount_known[deal], life.amount[deal], np.nan)
    life.lived.snapshots.add(deal=deal, week=calendar.weeks, state=life.standing.state(deal), amount=amount)
    return life.lived
