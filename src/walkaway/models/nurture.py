"""What deals below the bar may wait for: signs from the buyer, by days of silence and stage.

A sign is an inbound activity; silence is the time since the last one. A deal that is not worth an hour of work now may
still be won if a sign comes. Settled deals that were silent for as long in the same stage show which sign came, how
often, how many of these deals were won, and by when the sign had come. Deals that somebody worked on before the sign
are left out, because they do not show what waiting alone does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import DAY, NO_MOMENT, microseconds
from walkaway.asof.labels import events_of
from walkaway.book import Book, effort_seconds
from walkaway.formatting import LocaleFormat, plain_activity
from walkaway.models.enough import LEAST_CAME, LEAST_DEALS_A_RATE, LEAST_SHARE_CAME

__all__ = [
    "ANY_STAGE",
    "LEAST_LEFT",
    "STEPS",
    "Wait",
    "WaitTable",
    "awaited",
    "learn_waits",
    "silences_of",
    "stages_of",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
STEPS = (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 21.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 270.0, 365.0)  # days
ANY_STAGE = ""
MOST_CAME_BY = 0.75  # a wait expires when this share of the signs that came had come
LEAST_LEFT = DAY  # a sign that comes later than this before the close is part of the close


def awaited(sign: str) -> str:
    """The sign in words.

    Args:
        sign: a kind of inbound activity.

    >>> awaited("call"), awaited("offer_sent")
    ('phone call from the buyer', 'offer sent from the buyer')
    """
    return f"{plain_activity(sign)} from the buyer"


@dataclass(frozen=True)
class Wait:
    """The sign that deals of a stage may wait for after some days of silence; `sign` is empty where there is none.

    Args:
        stage: of the deal; empty for deals of any stage, used where a stage has too few deals of its own.
        days: the least days of silence.
        sign: the kind of inbound activity.
        deals: settled deals that were ever silent for so long, and that nobody worked on until a sign or the end.
        heard: in how many of them the sign came.
        won_heard: how many of those were won.
        won: how many of all were won.
        expires_days: the days of silence by which three quarters of these signs had come.
    """

    stage: str
    days: float
    sign: str = ""
    deals: int = 0
    heard: int = 0
    won_heard: int = 0
    won: int = 0
    expires_days: float = 0.0

    @property
    def came(self) -> float:
        """The share of the deals in which the sign came; NaN where nothing is worth waiting for."""
        return self.heard / self.deals if self.sign else float("nan")

    @property
    def odds_ratio(self) -> float:
        """The odds of winning with the sign, over the odds of winning without it.

        One win and one loss are added on each side, so that neither is 0.
        """
        heard = (self.won_heard + 1) / (self.heard - self.won_heard + 1)
        won, lost = self.won - self.won_heard, self.deals - self.heard - (self.won - self.won_heard)
        return heard / ((won + 1) / (lost + 1))

    def past(self, fmt: LocaleFormat) -> str:
        """How past deals that waited for the sign ended, in words.

        >>> print(Wait("", 0.0, "call", 1040, 40, 30, 32, 6.0).past(LocaleFormat("de_DE")))
        of 1.040 deals that were silent as long and that nobody worked on, it came in 40; 30 of these were won, and 2
        of the others
        """
        return self._past(fmt.whole)

    def _past(self, write: Callable[[float], str]) -> str:
        deals, heard, won_heard = write(self.deals), write(self.heard), write(self.won_heard)
        return (
            f"of {deals} deals that were silent as long and that nobody worked on, it came in {heard}; {won_heard} of "
            f"these were won, and {write(self.won - self.won_heard)} of the others"
        )

    def sentence(self, fmt: LocaleFormat) -> str:
        """The sign, and how past deals that waited for it ended."""
        return f"{awaited(self.sign)}: {self.past(fmt)}"

    def __str__(self) -> str:
        # Not by LocaleFormat: babel unpickles its locale data, and a model served by MLflow must not unpickle anything.
        return f"{awaited(self.sign)}: {self._past('{:,}'.format)}"


@dataclass(frozen=True)
class WaitTable:
    """The wait for each stage and step of silence; empty where a book records no signs from buyers."""

    waits: tuple[Wait, ...] = ()

    def place(self, silent_days: FloatArray, stage: pd.Series) -> IntArray:
        """The position of each deal's wait among `waits`; -1 where there is none, or the silence is unknown.

        >>> waits = (Wait("", 0.0, "call", 40, 20, 9, 10, 6.0), Wait("", 7.0), Wait("offer", 0.0))
        >>> WaitTable(waits).place(np.array([2.0, 6.5, 8.0, 2.0]), pd.Series(["lead", "lead", "lead", "offer"]))
        array([ 0, -1, -1, -1])
        """
        if not self.waits:
            return np.full(len(silent_days), -1, dtype=np.int64)
        at = {(wait.stage, wait.days): number for number, wait in enumerate(self.waits)}
        days = np.array(sorted({wait.days for wait in self.waits}))
        known = np.nan_to_num(silent_days, nan=-1.0)
        step = np.searchsorted(days, known, side="right") - 1
        keys = zip(stage.fillna(ANY_STAGE), days[step], strict=True)
        found = np.array([at.get(key, at.get((ANY_STAGE, key[1]), -1)) for key in keys], dtype=np.int64)
        expires = np.array([*(wait.expires_days if wait.sign else -1.0 for wait in self.waits), -1.0])
        return np.where((step >= 0) & (known < expires[found]), found, -1)

    def lift(self, win_probability: FloatArray, place: IntArray) -> FloatArray:
        """The factor by which the sign would raise each win probability; 1 without a sign.

        A win probability covers both cases: the sign comes, or it does not. It is split into the two such that the
        share of each case and the ratio of their odds are those of past deals, and their weighted mean is the
        probability again (Plackett, "A class of bivariate distributions", 1965). So a sign that comes often raises it
        little.

        >>> wait = Wait("", 0.0, "call", 40, 20, 9, 10, 6.0)
        >>> (0.25 * WaitTable((wait,)).lift(np.array([0.25]), np.array([0]))).round(2).tolist()
        [0.42]
        """
        ratio = np.array([*(wait.odds_ratio for wait in self.waits), 1.0])[place]
        came = np.array([*(wait.came if wait.sign else 0.0 for wait in self.waits), 0.0])[place]
        more = ratio - 1.0
        linear = 1.0 + more * (came - win_probability)
        root = np.sqrt(linear**2 + 4.0 * (1.0 - came) * more * win_probability)
        lowered = 2.0 / (linear + root)  # the factor by which the absence of the sign would lower each
        return ratio * lowered / (1.0 + more * lowered * win_probability)

    def sentences(self, place: IntArray) -> npt.NDArray[np.object_]:
        """What each deal waits for, in words; None where nothing."""
        return np.array([*(str(wait) for wait in self.waits), None], dtype=object)[place]

    def sign(self, place: IntArray) -> npt.NDArray[np.object_]:
        """The kind of activity that each deal waits for; None where nothing."""
        return np.array([*(wait.sign for wait in self.waits), None], dtype=object)[place]

    def left_days(self, silent_days: FloatArray, place: IntArray) -> FloatArray:
        """Days until each wait expires; NaN where there is nothing to wait for."""
        return np.array([*(wait.expires_days for wait in self.waits), np.nan])[place] - silent_days


def silences_of(deals: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Every stretch of settled deals without a sign: deal, begin, end (microseconds), the sign that ended it or ""."""
    created, closed = microseconds(deals["created_at"]), microseconds(deals["closed_at"])
    inbound = events_of(book, deals, "activities", direction="inbound")
    deal, at = inbound["deal"].to_numpy(), inbound["at"].to_numpy()
    in_time = (at >= created[deal]) & (at <= closed[deal] - LEAST_LEFT)
    every = np.arange(len(deals))
    signs = pd.DataFrame(
        {"deal": deal[in_time], "at": at[in_time], "sign": inbound["kind"].to_numpy(dtype=object)[in_time]}
    )
    begins = pd.DataFrame({"deal": every, "at": created, "sign": ""})
    ends = pd.DataFrame({"deal": every, "at": closed, "sign": ""})
    rows = pd.concat([begins, signs, ends], keys=[0, 1, 2], names=["order"]).reset_index("order")
    rows = rows.sort_values(["deal", "at", "order", "sign"], kind="stable").reset_index(drop=True)
    before = rows.groupby("deal")["at"].shift()
    silences = rows.assign(begin=before).dropna(subset="begin").astype({"begin": np.int64})
    return silences.rename(columns={"at": "end"})[["deal", "begin", "end", "sign"]]


def stages_of(deals: pd.DataFrame, book: Book) -> pd.DataFrame:
    """When each deal entered each stage: deal, at, stage; sorted by at."""
    moved = events_of(book, deals, "changes", field="stage").rename(columns={"new_value": "stage"})
    return moved[["deal", "at", "stage"]].sort_values("at", kind="stable")


def _work(deals: pd.DataFrame, book: Book) -> pd.DataFrame:
    """When hours were booked on each deal: deal, at, worked_at; sorted by at."""
    rows = events_of(book, deals, "activities")
    worked = (effort_seconds(rows, book.manifest.assumed_hours) > 0) & (rows["direction"] != "inbound").to_numpy()
    return rows.loc[worked, ["deal", "at"]].assign(worked_at=lambda found: found["at"]).sort_values("at")


def _unworked(silences: pd.DataFrame, days: float, stages: pd.DataFrame, work: pd.DataFrame) -> pd.DataFrame:
    """Each deal's first silence of at least `days`, with its stage then; without silences in which someone worked."""
    reached = silences.assign(at=silences["begin"] + np.int64(days * DAY))
    reached = reached[reached["end"] > reached["at"]].drop_duplicates("deal").sort_values("at", kind="stable")
    reached = pd.merge_asof(reached, stages, on="at", by="deal")
    reached = pd.merge_asof(reached, work, on="at", by="deal", direction="forward", allow_exact_matches=False)
    worked_first = reached["worked_at"].fillna(NO_MOMENT).astype(np.int64)
    return reached[(worked_first == NO_MOMENT) | (worked_first >= reached["end"])]


def _wait(stage: str, days: float, silent: pd.DataFrame) -> Wait:
    """The sign after which most deals were won, if one is frequent enough; `silent` has one row per deal."""
    heard = silent[silent["sign"] != ""]
    by_sign = heard.groupby("sign").agg(heard=("won", "size"), won=("won", "sum"))
    worth = by_sign[(by_sign["heard"] >= LEAST_CAME) & (by_sign["heard"] >= LEAST_SHARE_CAME * len(silent))]
    if worth.empty or not worth["won"].max():
        return Wait(stage, days)
    best = worth.sort_values("won", ascending=False, kind="stable").index[0]
    lasted = (heard["end"] - heard["begin"])[heard["sign"] == best] / DAY
    counts = (len(silent), int(worth.loc[best, "heard"]), int(worth.loc[best, "won"]), int(silent["won"].sum()))
    return Wait(stage, days, str(best), *counts, float(lasted.quantile(MOST_CAME_BY)))


def learn_waits(book: Book) -> WaitTable:
    """The waits that the settled deals of a book show; deals still open are not used.

    Args:
        book: as known at the moment of training.

    Returns:
        A wait for each stage and step of silence that enough deals reached; none where no activity is inbound.
    """
    deals = book.deals[book.deals["outcome"].notna() & book.deals["created_at"].notna()].reset_index(drop=True)
    silences = silences_of(deals, book)
    if not (silences["sign"] != "").any():
        return WaitTable()
    stages, work = stages_of(deals, book), _work(deals, book)
    won = (deals["outcome"] == "won").to_numpy()
    waits = []
    for days in STEPS:
        silent = _unworked(silences, days, stages, work).assign(won=lambda rows: won[rows["deal"]])
        groups = [(ANY_STAGE, silent), *((str(stage), part) for stage, part in silent.groupby("stage"))]
        waits += [_wait(stage, days, part) for stage, part in groups if len(part) >= LEAST_DEALS_A_RATE]
    return WaitTable(tuple(waits))
