"""How long a buyer may be silent: what came of past deals that had no sign of the buyer for so many days.

A sign is an inbound activity. A deal may be worth no hour now and still not be lost: the sign worth waiting for, how
often it came to deals as silent and in the same stage before anybody worked on them again, what came of them, and by
when it had come, all from settled deals. Where work came first, nothing is known of waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import DAY, NO_MOMENT, microseconds
from walkaway.asof.labels import events_of
from walkaway.book import Book, effort_seconds
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
MOST_CAME_BY = 0.75  # of the signs that came, so many had come by the day a wait expires
LEAST_LEFT = DAY  # a sign less than this before the close is the close itself


def awaited(sign: str) -> str:
    """What is waited for, in words: a kind of activity that comes from the buyer."""
    return f"{sign} from the buyer"


@dataclass(frozen=True)
class Wait:
    """What deals of a stage may wait for that have been silent for so long; `sign` is empty where nothing is worth it.

    Args:
        stage: of the deal; empty for deals of any stage, which stand in where a stage has too few of its own.
        days: from which silence on.
        sign: the kind of inbound activity.
        deals: settled deals that were once so silent while open, and not worked on until a sign or the end.
        heard: how many of them the sign came to.
        won_heard: how many of those were won.
        won: how many of all were won.
        expires_days: the length of silence by which three of four such signs had come.
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
        """The share of the deals that the sign came to; NaN where nothing is worth waiting for."""
        return self.heard / self.deals if self.sign else float("nan")

    @property
    def odds_ratio(self) -> float:
        """By which factor the odds of winning were higher for those who heard of the buyer again than for the others.

        One more win and one more loss are counted on each side, so that none is without.
        """
        heard = (self.won_heard + 1) / (self.heard - self.won_heard + 1)
        won, lost = self.won - self.won_heard, self.deals - self.heard - (self.won - self.won_heard)
        return heard / ((won + 1) / (lost + 1))

    @property
    def past(self) -> str:
        """What came of past deals that waited for it, in words."""
        return (
            f"of {self.deals:,} deals as silent as this that nobody worked on, it came to "
            f"{self.heard:,}, of which {self.won_heard:,} were won; of the others {self.won - self.won_heard:,} were"
        )

    def __str__(self) -> str:
        return f"{awaited(self.sign)}: {self.past}"


@dataclass(frozen=True)
class WaitTable:
    """The waits of each stage and step of silence; empty where a book records no sign of a buyer."""

    waits: tuple[Wait, ...] = ()

    def place(self, silent_days: FloatArray, stage: pd.Series) -> IntArray:
        """Which wait is that of each deal; -1 where nothing is worth waiting for, or the silence is unknown.

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
        """The factor by which the sign would lift each win probability; 1 without one.

        A chance to win holds both those who will hear of the buyer and those who will not. It is taken apart so that
        the share of both and the ratio of their odds are those of past deals, and both together make the chance again
        (Plackett, "A class of bivariate distributions", 1965): so no sign that comes often can lift a chance far.

        >>> wait = Wait("", 0.0, "call", 40, 20, 9, 10, 6.0)
        >>> (0.25 * WaitTable((wait,)).lift(np.array([0.25]), np.array([0]))).round(2).tolist()
        [0.42]
        """
        ratio = np.array([*(wait.odds_ratio for wait in self.waits), 1.0])[place]
        came = np.array([*(wait.came if wait.sign else 0.0 for wait in self.waits), 0.0])[place]
        more = ratio - 1.0
        linear = 1.0 + more * (came - win_probability)
        root = np.sqrt(linear**2 + 4.0 * (1.0 - came) * more * win_probability)
        lowered = 2.0 / (linear + root)  # the factor by which its absence would lower each
        return ratio * lowered / (1.0 + more * lowered * win_probability)

    def told(self, place: IntArray) -> npt.NDArray[np.object_]:
        """What each waits for, in words; None without anything."""
        return np.array([*(str(wait) for wait in self.waits), None], dtype=object)[place]

    def sign(self, place: IntArray) -> npt.NDArray[np.object_]:
        """The kind of activity that each waits for; None without anything."""
        return np.array([*(wait.sign for wait in self.waits), None], dtype=object)[place]

    def left_days(self, silent_days: FloatArray, place: IntArray) -> FloatArray:
        """Days until the wait expires; NaN without anything to wait for."""
        return np.array([*(wait.expires_days for wait in self.waits), np.nan])[place] - silent_days


def silences_of(deals: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Every stretch without a sign of settled deals: deal, begin, end (microseconds), the sign that ended it or ""."""
    created, closed = microseconds(deals["created_at"]), microseconds(deals["closed_at"])
    inbound = events_of(book, deals, "activities", direction="inbound")
    deal, at = inbound["deal"].to_numpy(), inbound["at"].to_numpy()
    there = (at >= created[deal]) & (at <= closed[deal] - LEAST_LEFT)
    every = np.arange(len(deals))
    signs = pd.DataFrame({"deal": deal[there], "at": at[there], "sign": inbound["kind"].to_numpy(dtype=object)[there]})
    begins = pd.DataFrame({"deal": every, "at": created, "sign": ""})
    ends = pd.DataFrame({"deal": every, "at": closed, "sign": ""})
    rows = pd.concat([begins, signs, ends], keys=[0, 1, 2], names=["order"]).reset_index("order")
    rows = rows.sort_values(["deal", "at", "order", "sign"], kind="stable").reset_index(drop=True)
    before = rows.groupby("deal")["at"].shift()
    silences = rows.assign(begin=before).dropna(subset="begin").astype({"begin": np.int64})
    return silences.rename(columns={"at": "end"})[["deal", "begin", "end", "sign"]]


def stages_of(deals: pd.DataFrame, book: Book) -> pd.DataFrame:
    """When each deal came to each stage: deal, at, stage; sorted by at."""
    moved = events_of(book, deals, "changes", field="stage").rename(columns={"new_value": "stage"})
    return moved[["deal", "at", "stage"]].sort_values("at", kind="stable")


def _work(deals: pd.DataFrame, book: Book) -> pd.DataFrame:
    """When hours were booked on each deal: deal, at, worked_at; sorted by at."""
    rows = events_of(book, deals, "activities")
    worked = (effort_seconds(rows, book.manifest.assumed_hours) > 0) & (rows["direction"] != "inbound").to_numpy()
    return rows.loc[worked, ["deal", "at"]].assign(worked_at=lambda found: found["at"]).sort_values("at")


def _unworked(silences: pd.DataFrame, days: float, stages: pd.DataFrame, work: pd.DataFrame) -> pd.DataFrame:
    """The first silence of each deal that lasted so long, with its stage then; those that work ended are left out."""
    reached = silences.assign(at=silences["begin"] + np.int64(days * DAY))
    reached = reached[reached["end"] > reached["at"]].drop_duplicates("deal").sort_values("at", kind="stable")
    reached = pd.merge_asof(reached, stages, on="at", by="deal")
    reached = pd.merge_asof(reached, work, on="at", by="deal", direction="forward", allow_exact_matches=False)
    worked_first = reached["worked_at"].fillna(NO_MOMENT).astype(np.int64)
    return reached[(worked_first == NO_MOMENT) | (worked_first >= reached["end"])]


def _wait(stage: str, days: float, silent: pd.DataFrame) -> Wait:
    """The sign that came to most deals won later, if any is worth waiting for; `silent` has one row a deal."""
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
    """What the settled deals of a book teach about silence; what is still open teaches nothing.

    Args:
        book: as known at the moment of training.

    Returns:
        A wait for each stage and step of silence that enough deals came to; none where no activity is inbound.
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
