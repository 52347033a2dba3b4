"""What a buyer may still do that others can see, and how often buyers of settled deals did so.

A move is an event the book would record: a sign of the buyer (an inbound activity), a person who joins on the buyer's
side, a new close date. Nothing that only the seller does is one, and nothing that nobody can change. What a move is
worth to a deal is asked of the model (`explain.flips`); here stands how often it came true, and by when.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import DAY, microseconds, with_recorded
from walkaway.asof.labels import events_of
from walkaway.book import Book
from walkaway.formatting import plain_step
from walkaway.models.enough import LEAST_CAME, LEAST_DEALS_A_RATE, LEAST_SHARE_CAME
from walkaway.models.nurture import ANY_STAGE, LEAST_LEFT, STEPS, silences_of, stages_of

__all__ = ["Move", "Moves", "Prospect", "learn_moves", "with_move"]

IntArray = npt.NDArray[np.int64]
SIGN, JOINS, DATE = "sign", "joins", "date"
CLOSE_DATE = "expected_close_date"
CAME_BY = 0.75  # of the moves that came, so many had come by the day the hope expires
DATE_AHEAD_DAYS = 30.0
WHAT_IF = "what-if"


@dataclass(frozen=True, order=True)
class Move:
    """One thing a buyer may do.

    kind: SIGN, JOINS or DATE. word: the kind of activity, or the role of who joins.
    """

    kind: str
    word: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "sign":
                return f"{plain_step(self.word)} from the buyer"
            case "joins":
                return f"a {plain_step(self.word)} joins on the buyer's side"
        return f"the buyer names a close date within {DATE_AHEAD_DAYS:.0f} days"


@dataclass(frozen=True)
class Prospect:
    """How often a move came to settled deals of a stage that had been silent for so long.

    stage: empty for deals of any stage, which stand in where a stage has too few of its own. days: from which silence
    on. deals: settled deals that were once so silent, and to which it had not come before if it can come but once.
    came: to how many of them it came later. won_came: how many of those were won. within_days: three of four had come
    by then.
    """

    move: Move
    stage: str
    days: float
    deals: int
    came: int
    won_came: int
    within_days: float


@dataclass(frozen=True)
class Moves:
    """The moves of a book, each with its prospects; empty where a book records nothing a buyer does."""

    prospects: tuple[Prospect, ...] = ()

    @property
    def moves(self) -> tuple[Move, ...]:
        """The moves that ever came often enough to hope for."""
        return tuple(sorted({prospect.move for prospect in self.prospects}))

    def prospect(self, move: Move, stage: str | None, silent_days: float) -> Prospect | None:
        """The prospect of a move for a deal; None where it is not worth hoping for, or nothing is known of it.

        >>> call = Move("sign", "call")
        >>> told = Moves((Prospect(call, "", 0.0, 90, 30, 10, 4.0), Prospect(call, "offer", 3.0, 40, 9, 3, 6.0)))
        >>> [told.prospect(call, stage, 5.0).deals for stage in ("offer", "lead", None)]
        [40, 90, 90]
        """
        reached = [p for p in self.prospects if p.move == move and p.days <= silent_days]
        for place in (stage, ANY_STAGE):
            there = [p for p in reached if p.stage == place]
            if there:
                return max(there, key=lambda p: p.days)
        return None


def _events(book: Book, deals: pd.DataFrame, move: Move) -> pd.DataFrame:
    """When a move came to each deal: deal, at, came_at; sorted by at."""
    match move.kind:
        case "sign":
            rows = events_of(book, deals, "activities", direction="inbound", kind=move.word)
        case "joins":
            rows = events_of(book, deals, "contacts", role=move.word)
        case _:
            rows = events_of(book, deals, "changes", field=CLOSE_DATE)
    closed = microseconds(deals["closed_at"])
    there = rows["at"].to_numpy() <= closed[rows["deal"]] - LEAST_LEFT
    return rows.loc[there, ["deal", "at"]].assign(came_at=lambda found: found["at"]).sort_values("at", kind="stable")


def _candidates(book: Book) -> list[Move]:
    """Moves that enough deals have seen."""
    inbound = book.activities[book.activities["direction"] == "inbound"]
    told = [
        (SIGN, inbound.groupby("kind")["deal_id"].nunique()),
        (JOINS, book.contacts.groupby("role")["deal_id"].nunique()),
    ]
    moves = [Move(kind, str(word)) for kind, deals in told for word, n in deals.items() if n >= LEAST_DEALS_A_RATE]
    dated = book.changes.loc[book.changes["field"] == CLOSE_DATE, "deal_id"].nunique() >= LEAST_DEALS_A_RATE
    return sorted([*moves, Move(DATE)] if dated else moves)


def _prospect(move: Move, stage: str, days: float, rows: pd.DataFrame) -> Prospect | None:
    came = rows[rows["came_at"].notna()]
    if len(rows) < LEAST_DEALS_A_RATE or len(came) < max(LEAST_CAME, LEAST_SHARE_CAME * len(rows)):
        return None
    within = float(((came["came_at"] - came["at"]) / DAY).quantile(CAME_BY))
    return Prospect(move, stage, days, len(rows), len(came), int(came["won"].sum()), within)


def learn_moves(book: Book) -> Moves:
    """What the settled deals of a book teach about what buyers may still do.

    Args:
        book: as known at the moment of training.
    """
    deals = book.deals[book.deals["outcome"].notna() & book.deals["created_at"].notna()].reset_index(drop=True)
    candidates = _candidates(book.with_tables(deals=deals)) if len(deals) else []
    if not candidates:
        return Moves()
    won, quiet, staged = (deals["outcome"] == "won").to_numpy(), silences_of(deals, book), stages_of(deals, book)
    events = {move: _events(book, deals, move) for move in candidates}
    found: list[Prospect | None] = []
    for days in STEPS:
        reached = quiet.assign(at=quiet["begin"] + np.int64(days * DAY))
        reached = reached[reached["end"] > reached["at"]].drop_duplicates("deal").sort_values("at", kind="stable")
        reached = pd.merge_asof(reached, staged, on="at", by="deal").assign(won=lambda rows: won[rows["deal"]])
        for move, rows in events.items():
            ahead = pd.merge_asof(reached, rows, on="at", by="deal", direction="forward", allow_exact_matches=False)
            if move.kind == JOINS:  # a role joins once: who has it need not hope for it
                had = rows.groupby("deal")["at"].min().reindex(ahead["deal"]).to_numpy()
                ahead = ahead[~(had <= ahead["at"].to_numpy())]
            groups = [(ANY_STAGE, ahead), *((str(stage), part) for stage, part in ahead.groupby("stage"))]
            found += [_prospect(move, stage, days, part) for stage, part in groups]
    return Moves(tuple(prospect for prospect in found if prospect is not None))


def with_move(book: Book, deal_ids: pd.Series, as_of: pd.Timestamp, moves: tuple[Move, ...]) -> Book:
    """The book as it would be had these moves come to these deals at a moment.

    Args:
        book: any book.
        deal_ids: of deals open then.
        as_of: UTC moment.
        moves: what happens, all of it.
    """
    for move in moves:
        rows = pd.DataFrame({"deal_id": deal_ids.to_numpy()})
        names = [f"{WHAT_IF} {move.kind} {move.word} {deal_id}" for deal_id in deal_ids]
        match move.kind:
            case "sign":
                told = {"activity_id": names, "kind": move.word, "direction": "inbound"}
                table = "activities"
            case "joins":
                told, table = {"contact_id": names, "role": move.word}, "contacts"
            case _:
                when = (as_of + pd.Timedelta(days=DATE_AHEAD_DAYS)).isoformat()
                told, table = {"field": CLOSE_DATE, "new_value": when}, "changes"
        book = with_recorded(book, table, rows.assign(**told), as_of)
    return book
