"""Deals dropped on advice: marked, a few kept, and what they teach."""

import numpy as np
import pandas as pd
import pytest
from tests.books import TINY, UNTIL, book_with_signal, day

from walkaway.asof.history import History, known
from walkaway.book.schema import Book
from walkaway.errors import UsageError
from walkaway.files import write_frame
from walkaway.scoring.advice import (
    ADVICE,
    chance_weights,
    kept_to_learn,
    more_advice,
    read_advice,
    settle_advice,
    with_advice,
)
from walkaway.training.fitting import prepare_as_of
from walkaway.training.train import train


def advice_of(*rows: tuple[str, float, float, bool]) -> pd.DataFrame:
    """Advice as (deal, day, share kept, kept)."""
    told = [
        {"deal_id": name, "advised_at": day(at), "keep_share": share, "kept": kept, "verdict": "walk_away"}
        | {"value_per_hour": 1.0, "bar": 2.0, "model_version": "v1"}
        for name, at, share, kept in rows
    ]
    return pd.DataFrame(told)[ADVICE]


def book_of(**deals: tuple[str | None, float | None, list[float]]) -> Book:
    """Deals begun on day 0 as (outcome, day of the close, days on which an hour was worked)."""
    rows, work = [], []
    for name, (outcome, closed, days) in deals.items():
        end = {} if outcome is None else {"outcome": outcome, "closed_at": day(closed), "loss_reason": None}
        rows.append({"deal_id": name, "created_at": day(0)} | end)
        work += [
            {"activity_id": f"{name}{n}", "deal_id": name, "kind": "visit", "hours": 1.0}
            | {"occurred_at": day(at), "recorded_at": day(at)}
            for n, at in enumerate(days)
        ]
    return Book.of(deals=pd.DataFrame(rows), activities=pd.DataFrame(work))


MARKED = with_advice(
    book_of(
        obeyed=("lost", 31.0, [5.0, 25.0]),  # the last work was under way
        refused=("lost", 60.0, [5.0, 50.0]),
        won=("won", 40.0, [5.0]),
        kept=("lost", 60.0, [5.0]),
        before=("lost", 15.0, [5.0]),
        never=("lost", 60.0, [5.0]),
        waiting=(None, None, [5.0]),
    ),
    advice_of(
        *((name, 20.0, 0.1, name == "kept") for name in ("obeyed", "refused", "won", "kept", "before", "waiting")),
        ("of another book", 20.0, 0.1, False),
    ),
).deals.set_index("deal_id")


def test_advice_is_settled_by_what_was_worked_and_won_after_it():
    book = book_of(
        obeyed=("lost", 31.0, [5.0, 20.5]),  # half a day after the advice: under way
        refused=("lost", 60.0, [5.0, 50.0]),
        won=("won", 40.0, [5.0, 39.0]),
        waiting=(None, None, [5.0]),
        later=("lost", 90.0, [5.0, 80.0]),
    )
    told = book.with_tables(deals=book.deals.assign(amount=900.0, margin=[None, None, 0.5, None, None]))
    names = ("obeyed", "refused", "won", "waiting", "later", "of another book")
    [row] = settle_advice(advice_of(*((name, 20.0, 0.0, False) for name in names)), told, day(70)).to_dict("records")

    assert row == {"verdict": "walk_away", "since": day(20), "deals": 5, "followed": 3, "open": 2} | {
        "lost": 2,
        "won": 1,
        "hours_lost": 2.0,
        "value_won": 450.0,
    }


def test_advice_of_later_is_not_settled():
    assert settle_advice(advice_of(("a", 20.0, 0.0, False)), book_of(a=("lost", 31.0, [5.0])), day(19)).empty


def test_a_deal_nobody_worked_on_after_the_advice_has_no_outcome():
    obeyed = MARKED.loc["obeyed"]

    assert pd.isna(obeyed["outcome"])
    assert obeyed["closed_at"] == day(20.0)
    assert MARKED.loc["waiting", "closed_at"] == day(20.0)


def test_a_deal_that_was_worked_won_kept_or_never_advised_keeps_its_outcome():
    told = MARKED.loc[["refused", "won", "kept", "before", "never"]]

    assert told["outcome"].tolist() == ["lost", "won", "lost", "lost", "lost"]
    assert told["closed_at"].tolist() == [day(60.0), day(40.0), day(60.0), day(15.0), day(60.0)]


def test_those_kept_by_chance_stand_for_all_that_were_advised_like_them():
    weight = chance_weights(MARKED.reset_index(), pd.Series(["kept", "refused", "before", "never"]), day(90))

    assert weight.tolist() == [10.0, 0.0, 1.0, 1.0]
    assert chance_weights(MARKED.reset_index(), pd.Series(["kept"]), day(19)).tolist() == [1.0]  # not advised by then


def test_where_none_is_kept_each_stands_for_itself():
    deals = with_advice(book_of(a=("lost", 31.0, [5.0])), advice_of(("a", 20.0, 0.0, False))).deals

    assert chance_weights(deals, deals["deal_id"], day(90)).tolist() == [1.0]


def test_a_share_is_kept_and_always_the_same_deals():
    names = pd.Series([f"d{n}" for n in range(4000)])
    fifth, tenth = kept_to_learn(names, 0.2), kept_to_learn(names, 0.1)

    assert fifth.mean() == pytest.approx(0.2, abs=0.02)
    assert (fifth | ~tenth).all()
    assert not kept_to_learn(names, 0.0).any()


def test_only_the_first_advice_of_a_deal_counts():
    def calls(at: float, **verdicts: str) -> pd.DataFrame:
        rows = {"deal_id": list(verdicts), "verdict": list(verdicts.values()), "as_of": day(at)}
        return pd.DataFrame(rows | {"value_per_hour": 1.0, "bar": 2.0, "model_version": "v1"})

    first = more_advice(None, calls(1, a="walk_away", b="pursue", c="unsure"), 0.0)
    both = more_advice(first, calls(2, a="walk_away", b="nurture", c="unsure"), 0.0)

    assert both[["deal_id", "advised_at"]].to_numpy().tolist() == [["a", day(1)], ["b", day(2)]]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_advice_reads_back_as_it_was_written(tmp_path, suffix):
    advice = advice_of(("NA", 20.0, 0.1, True), ("b", 21.5, 0.0, False))
    write_frame(advice, str(tmp_path / f"advice.{suffix}"))

    read = read_advice(tmp_path / f"advice.{suffix}")
    for name in ("deal_id", "advised_at", "keep_share", "kept"):
        assert read[name].tolist() == advice[name].tolist()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deal_id,verdict\na,walk_away\n", "column advised_at is missing"),
        (f"{','.join(ADVICE)}\na,yesterday,walk_away,1,2,v1,0.1,True\n", "cannot be read as advice"),
        (f"{','.join(ADVICE)}\na,2026-01-05,walk_away,1,2,v1,much,True\n", "cannot be read as advice"),
        (f"{','.join(ADVICE)}\n" + "a,2026-01-05,walk_away,1,2,v1,0.1,True\n" * 2, "deal a appears twice"),
    ],
)
def test_other_files_are_refused_with_what_to_give(tmp_path, text, said):
    path = tmp_path / "advice.csv"
    path.write_text(text)

    with pytest.raises(UsageError, match=said):
        read_advice(path)
    with pytest.raises(UsageError, match="No such file"):
        read_advice(tmp_path / "absent.csv")


def obeyed(book: Book, share: float) -> tuple[Book, pd.DataFrame]:
    """Half of the deals of a book that had been lost were advised on day 60 and dropped then, but for those kept."""
    lost = book.deals[(book.deals["outcome"] == "lost") & (book.deals["closed_at"] > day(61))]
    lost = lost[lost["created_at"] < day(60)]
    kept = np.arange(len(lost)) % 4 == 0
    advice = advice_of(*((name, 60.0, share, bool(k)) for name, k in zip(lost["deal_id"], kept, strict=True)))
    dropped = set(advice.loc[~advice["kept"], "deal_id"])
    gone = book.deals["deal_id"].isin(dropped)
    late = book.activities["deal_id"].isin(dropped) & (book.activities["recorded_at"] > day(60))
    deals = book.deals.assign(closed_at=book.deals["closed_at"].mask(gone, day(62)))
    return book.with_tables(deals=deals, activities=book.activities[~late]), advice


def test_dropped_deals_are_trained_on_as_open_ones_until_the_advice():
    book, advice = obeyed(known(book_with_signal(), UNTIL), 0.0)
    dropped = advice.loc[~advice["kept"], "deal_id"]
    plain = prepare_as_of(History(book), UNTIL, TINY)
    marked = prepare_as_of(History(with_advice(book, advice)), UNTIL, TINY)

    mine = marked.snapshots["deal_id"].isin(dropped).to_numpy()
    assert mine.any()
    assert (marked.snapshots["as_of"][mine] <= day(60)).all()
    assert not marked.rows.labels["settled"][mine].any()
    assert plain.rows.labels["settled"][plain.snapshots["deal_id"].isin(dropped).to_numpy()].all()


def test_kept_deals_weigh_more_and_the_others_nothing():
    book, advice = obeyed(known(book_with_signal(), UNTIL), 0.25)
    marked = prepare_as_of(History(with_advice(book, advice)), UNTIL, TINY)
    plain = prepare_as_of(History(book), UNTIL, TINY)
    both = marked.snapshots.assign(weight=marked.rows.weight).merge(
        plain.snapshots.assign(plain=plain.rows.weight), on=["deal_id", "as_of"], validate="one_to_one"
    )
    ratio = (both["weight"] / both["plain"]).groupby(both["deal_id"]).first().round(9)

    assert ratio[advice.loc[advice["kept"], "deal_id"]].unique().tolist() == [4.0]
    assert ratio[ratio.index.isin(advice.loc[~advice["kept"], "deal_id"])].unique().tolist() == [0.0]
    assert ratio[~ratio.index.isin(advice["deal_id"])].unique().tolist() == [1.0]

    alike = prepare_as_of(History(with_advice(book, advice)), UNTIL, TINY.model_copy(update={"weigh_kept": False}))
    assert alike.rows.weight[: len(both)].min() > 0.0


def test_deals_dropped_on_advice_are_not_counted_as_losses():
    book, advice = obeyed(known(book_with_signal(), UNTIL), 0.0)
    taken, marked = train(book, UNTIL, TINY), train(with_advice(book, advice), UNTIL, TINY)

    assert marked.model.facts.dropped_on_advice == int((~advice["kept"]).sum())
    assert taken.model.facts.dropped_on_advice == 0
    assert marked.model.facts.base_rate > taken.model.facts.base_rate
    assert np.isfinite(marked.model.curve.hours_saved).all()
