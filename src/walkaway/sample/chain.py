"""A sample deal as an absorbing Markov chain, and its exact expectations by backward recursion.

The chain takes one step a week, from Monday to Monday. A deal's state is what the book records of it: stage, weeks
since the buyer last replied (or asleep: nobody works on it any more), whether a decision maker has joined, how often
the close date was pushed and the amount cut. What happens in a week depends on the state at its start, on the deal's
class (fit of the industry, size of the account) and on the calendar week. Given these, the parts of the state change
independently of each other, so the transition matrix is a product of small tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = [
    "ASLEEP",
    "CLASSES",
    "CUT",
    "EMAILS_A_REPLY",
    "HOURS",
    "SHAPE",
    "STAGES",
    "Calendar",
    "Truth",
    "Week",
    "backward",
    "class_of",
    "parts",
    "state_of",
    "week_of",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
STAGES = ("lead", "qualified", "proposal", "negotiation")
ASLEEP = 4  # value of the part "quiet", which is otherwise weeks without a reply: 0 to 3, where 3 is three or more
SHAPE = (len(STAGES), 5, 2, 3, 3)  # stage, quiet, decision maker, pushes (2 or more), cuts
FITS, SIZES = 3, 3
CLASSES = FITS * SIZES
CUT = 0.85  # each cut multiplies the amount by this
HOURS = {"email": 0.1, "call": 0.25, "meeting": 1.0, "task": 0.5}  # mean hours, also assumed where none were logged
EMAILS_A_REPLY = 1.4
YEAR = 52.18  # weeks
SETTLING_WEEKS = 800  # weeks after the calendar's last, when no more than one deal in ten billion is still open


def _logistic(x: FloatArray) -> FloatArray:
    return 1.0 / (1.0 + np.exp(-x))


def parts() -> tuple[IntArray, ...]:
    """Stage, quiet, decision maker, pushes and cuts of each state, in the order of the states.

    >>> [int(part[state_of(2, 1, 1, 0, 2)]) for part in parts()]
    [2, 1, 1, 0, 2]
    """
    return tuple(np.indices(SHAPE).reshape(len(SHAPE), -1))


def state_of(*values: npt.ArrayLike) -> IntArray:
    """The state with these parts, in the order of SHAPE."""
    return np.ravel_multi_index(tuple(np.asarray(v) for v in values), SHAPE)


def class_of(fit: npt.ArrayLike, size: npt.ArrayLike) -> IntArray:
    """The class of a fit (0 poor, 1 fair, 2 good) and an account size (0 small, 1 medium, 2 large)."""
    class_: IntArray = np.asarray(fit) * SIZES + np.asarray(size)
    return class_


@dataclass(frozen=True)
class Calendar:
    """How the calendar week shifts the log-odds of a win and of a reply; week 0 is the book's first.

    Args:
        weeks: number of weeks in the book; afterwards the drift stops and seasons go on.
        drifts: whether there are drift and seasons at all.
    """

    weeks: int
    drifts: bool = True

    def win(self, week: int) -> float:
        """Fewer wins every year, more before the year's end, fewest in August."""
        if not self.drifts:
            return 0.0
        season = 0.3 * np.cos(2 * np.pi * (week / YEAR - 0.93))
        return float(season - 0.12 * min(week, self.weeks) / YEAR)

    def reply(self, week: int) -> float:
        """Fewer replies every year."""
        return -0.04 * min(week, self.weeks) / YEAR if self.drifts else 0.0


@dataclass(frozen=True)
class Week:
    """Probabilities of one week's events, by class and state: arrays of shape (CLASSES, states).

    `won` and `lost` end the deal; the others are probabilities given that it stays open. `lost` has a third axis: one
    entry per reason in LOSS_REASONS. `rates` holds the mean number of outbound activities by kind, not counting the
    one e-mail that is always sent.
    """

    won: FloatArray
    lost: FloatArray
    replies: FloatArray
    sleeps: FloatArray
    advances: FloatArray
    regresses: FloatArray
    decides: FloatArray
    pushes: FloatArray
    cuts: FloatArray
    rates: dict[str, FloatArray]

    @property
    def goes_on(self) -> FloatArray:
        """The probability that the deal is still open at the end of the week."""
        still_open: FloatArray = 1.0 - self.won - self.lost.sum(axis=-1)
        return still_open

    @property
    def hours(self) -> FloatArray:
        """Expected hours of the week."""
        awake = parts()[1] != ASLEEP
        worked = sum(HOURS[kind] * rate for kind, rate in self.rates.items())
        hours: FloatArray = worked + awake * HOURS["email"] + self.replies * EMAILS_A_REPLY * HOURS["email"] * awake
        return hours


LOSS_REASONS = ("competitor", "declined", "dropped", "no_decision")


def week_of(calendar: Calendar, week: int) -> Week:
    """The probabilities of one calendar week."""
    stage, quiet, decider, pushed, cut = (part[None, :] for part in parts())
    fit, size = (np.repeat(np.arange(FITS), SIZES)[:, None] - 1.0, np.tile(np.arange(SIZES), FITS)[:, None] * 1.0)
    awake = quiet != ASLEEP
    weeks_quiet = np.minimum(quiet, 3)
    shape = np.broadcast_shapes(fit.shape, stage.shape)

    def chance(score: FloatArray, where: npt.NDArray[np.bool_] | bool = True) -> FloatArray:
        return np.broadcast_to(np.where(awake & where, _logistic(score), 0.0), shape)

    by_stage = np.array([-9.0, -5.2, -3.2, -1.4])[stage]
    won = chance(
        by_stage + 0.7 * fit + 0.7 * decider - 0.5 * pushed - 0.7 * weeks_quiet + calendar.win(week), stage > 0
    )
    gone = chance(np.array([-2.6, -3.0, -3.1, -2.9])[stage] - 0.4 * fit - 0.3 * decider + 0.3 * weeks_quiet)
    tired = np.broadcast_to(np.where(quiet == 3, 0.06, 0.0), shape)
    cleaned = np.broadcast_to(np.where(awake, 0.0, 0.03), shape)
    to_competitor = np.array([0.2, 0.4, 0.5, 0.6])[stage]
    silent = np.where(weeks_quiet >= 2, 0.6, 0.1)
    spoken = gone * (1 - silent)  # the buyer says no, rather than falling silent
    reasons = (spoken * to_competitor, spoken * (1 - to_competitor), tired, gone * silent + cleaned)
    lost = (1.0 - won)[..., None] * np.stack(reasons, axis=-1)
    replies = np.where(
        awake,
        chance(0.9 - 0.8 * weeks_quiet + 0.4 * decider + 0.3 * fit + calendar.reply(week)),
        0.008,  # even a sleeping deal may get a reply
    )
    fade = np.where(awake, np.array([1.0, 0.8, 0.5, 0.3])[weeks_quiet], 0.0)
    rates = {
        "email": 0.8 + 0 * size,
        "call": 0.5 + 0.3 * stage + 0 * size,
        "meeting": (0.1 + 0.2 * stage) * (1 + 0.5 * size),
        "task": np.array([0.1, 0.3, 1.5, 0.8])[stage] * (1 + size),
    }
    return Week(
        won=won,
        lost=lost,
        replies=np.broadcast_to(replies, shape),
        sleeps=np.broadcast_to(np.where(quiet == 3, 0.08, 0.0), shape),
        advances=chance(
            np.array([-0.9, -1.0, -1.1, 0.0])[stage] + 0.4 * decider + 0.4 * fit - 0.6 * weeks_quiet - 0.25 * size,
            stage < len(STAGES) - 1,
        ),
        regresses=np.broadcast_to(np.where(awake, np.array([0.0, 0.01, 0.03, 0.05])[stage], 0.0), shape),
        decides=chance(-2.6 + 0.5 * stage - 0.5 * weeks_quiet + 0 * size, decider == 0),
        pushes=np.broadcast_to(np.where(awake, 0.05 + 0.04 * (stage >= 2) + 0.03 * weeks_quiet, 0.0), shape),
        cuts=np.broadcast_to(np.where(awake & (stage >= 2) & (cut < 2), 0.05 + 0.05 * (quiet > 0), 0.0), shape),
        rates={kind: np.broadcast_to(fade * rate, shape) for kind, rate in rates.items()},
    )


def _moves(week: Week) -> tuple[FloatArray, FloatArray]:
    """Transition tables of a deal that stays open: to the next value of quiet, and to all other parts jointly."""
    _, quiet, decider, pushed, cut = parts()
    stage = parts()[0]
    stays_quiet = np.where(quiet == ASLEEP, ASLEEP, np.minimum(quiet + 1, 3))
    to_quiet = week.replies[..., None] * (np.arange(5) == 0)
    still = (1.0 - week.replies)[..., None]
    to_quiet = to_quiet + still * week.sleeps[..., None] * (np.arange(5) == ASLEEP)
    to_quiet = to_quiet + still * (1.0 - week.sleeps)[..., None] * (np.arange(5) == stays_quiet[:, None])

    def one_hot(position: IntArray, size: int) -> npt.NDArray[np.bool_]:
        hot: npt.NDArray[np.bool_] = np.arange(size) == position[:, None]
        return hot

    def step(chance: FloatArray, to: IntArray, stays: FloatArray, at: IntArray, size: int) -> FloatArray:
        return chance[..., None] * one_hot(to, size) + stays[..., None] * one_hot(at, size)

    back = week.regresses * (1 - week.advances)
    to_stage = step(week.advances, np.minimum(stage + 1, 3), 1 - week.advances - back, stage, 4)
    to_stage = to_stage + back[..., None] * (np.arange(4) == np.maximum(stage - 1, 0)[:, None])
    to_decider = step(week.decides, np.ones_like(decider), 1 - week.decides, decider, 2)
    to_pushed = step(week.pushes, np.minimum(pushed + 1, 2), 1 - week.pushes, pushed, 3)
    to_cut = step(week.cuts, np.minimum(cut + 1, 2), 1 - week.cuts, cut, 3)
    others = np.einsum("kxa,kxb,kxc,kxd->kxabcd", to_stage, to_decider, to_pushed, to_cut)
    return to_quiet, others.reshape(*week.won.shape, -1)


@dataclass(frozen=True)
class Truth:
    """Expectations at the start of each calendar week, by class and state: arrays of shape (weeks, CLASSES, states).

    `share_if_won` is the expected share of the first amount that is left at signing, given a win.
    """

    win_probability: FloatArray
    share_if_won: FloatArray
    remaining_hours: FloatArray


@lru_cache(maxsize=2)
def backward(calendar: Calendar) -> Truth:
    """The exact expectations at the start of each week, computed backward from SETTLING_WEEKS after the calendar."""
    quiet_last = np.moveaxis(np.arange(np.prod(SHAPE)).reshape(SHAPE), 1, -1).reshape(-1)  # axes: others, then quiet
    share = CUT ** parts()[-1]
    states = len(share)
    value = np.zeros((CLASSES, states, 3))
    out = np.zeros((calendar.weeks + 1, CLASSES, states, 3))
    others = None
    for number in range(calendar.weeks + SETTLING_WEEKS, -1, -1):
        week = week_of(calendar, number)
        to_quiet, moved = _moves(week)
        others = (
            moved if others is None else others
        )  # the same every week: only wins and replies depend on the calendar
        tables = value[:, quiet_last, :].reshape(CLASSES, -1, 5 * 3)
        ahead = np.einsum("kxqv,kxq->kxv", (others @ tables).reshape(CLASSES, states, 5, 3), to_quiet)
        now = np.stack([week.won, week.won * share, week.hours], axis=-1)
        value = now + week.goes_on[..., None] * ahead
        if number <= calendar.weeks:
            out[number] = value
    won, kept, hours = np.moveaxis(out, -1, 0)
    return Truth(won, np.divide(kept, won, out=np.ones_like(kept), where=won > 0), hours)
