"""How good the recipe is on many books, beside plain LightGBM, a logistic regression and a random forest.

Every method is fitted in the same folds, on the same features of the same deals, and predicts the same later snapshots
(books without dates: other deals, none with the same attributes). A change of the recipe is judged by this table, never
by one window of one log.

Books: the shared data that is there (bpic2012, maven, salvirt, xeducation, helixcore), and sample books whose truth is
known. On sample books the expected log loss and Brier score given the true win probability are measured, over all
calls; elsewhere those of settled deals, among the calls that had time to end (`evaluation.cohort`).

`gain` is the log loss of a method minus ours, paired, with its 90% interval over deals: above 0, ours is better. A
method beats ours if the whole interval is below 0.

    python benchmarks/books.py --books bpic2012 salvirt --out books.csv

The exit status is 1 if some method beats ours on some book, or if ours is not the best on the sum.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from walkaway.book import Book, Manifest
from walkaway.config import TrainSettings, read_settings
from walkaway.errors import DataError
from walkaway.evaluation import DealDraws, brier_parts, interval
from walkaway.evaluation import judged as settled_in_time
from walkaway.importers import load_mapping
from walkaway.importers.table import import_table
from walkaway.importers.xes import import_xes
from walkaway.sample import Durations, FlatShape, make_flat_sample, make_sample
from walkaway.training.backtest import BASELINES
from walkaway.training.recipe import fit_and_backtest
from walkaway.training.undated import train_undated

FloatArray = npt.NDArray[np.float64]
DATA = Path(__file__).parents[2] / "shared" / "data"
NOW = pd.Timestamp("2027-01-01", tz="UTC")  # of imports; later than every record of the shared data
OURS = "win_probability"
RIVALS = ("plain_lightgbm", "logistic", "random_forest")
SEED, TREES, LEAST_ROWS_IN_LEAF, DRAWS = 11, 300, 5, 400


@dataclass(frozen=True)
class Asked:
    """A book to be judged on. truth: deal_id, as_of and the true win_probability, if it is known."""

    book: Book
    truth: pd.DataFrame | None = None


def _flat(deals: int, shape: FlatShape, *, seed: int = SEED, dated: bool = True) -> Asked:
    sample = make_flat_sample(deals, seed, shape)
    if dated:
        return Asked(sample.book, sample.truth)
    manifest = sample.book.manifest.model_copy(update={"timeless": True})
    undated = sample.book.deals.assign(created_at=pd.NaT, closed_at=pd.NaT)
    return Asked(Book.of(manifest, deals=undated[undated["outcome"].notna()].reset_index(drop=True)))


def _sample(deals: int) -> Asked:
    sample = make_sample(deals, SEED)
    return Asked(sample.book, sample.truth)


def _imported(folder: str, mapping: str) -> Asked:
    files = sorted((DATA / folder).glob("*.csv"))
    return Asked(import_table(files, load_mapping(mapping), NOW, mapping).book)


def _bpic2012() -> Asked:
    log = DATA / "bpic2012" / "bpic2012_to_2012-01-15.xes.gz"
    return Asked(import_xes(log, load_mapping("bpic2012"), NOW, "bpic2012").book)


def _utc(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts, utc=True)


def _helixcore() -> Asked:
    """Deals with attributes of their lead; minutes of activities and seconds of calls, both keyed by lead."""
    folder = DATA / "helixcore"
    leads = pd.read_csv(folder / "leads.csv")[["lead_id", "channel", "company_size_band", "buyer_role"]]
    deals = pd.read_csv(folder / "deals.csv").merge(leads, on="lead_id", how="left").drop_duplicates("deal_id")
    deals = deals[_utc(deals["close_at"]).fillna(NOW) >= _utc(deals["deal_created_at"])].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "deal_id": deals["deal_id"],
            "created_at": _utc(deals["deal_created_at"]),
            "closed_at": _utc(deals["close_at"]),
            "outcome": deals["status"].map({"Closed Won": "won", "Closed Lost": "lost"}),
            "amount": deals["list_price_mrr_usd"],
            "owner_id": deals["owner_rep_id"],
            "country": deals["country"],
            "segment": deals["segment"],
            "channel": deals["channel"],
            "size_band": deals["company_size_band"],
            "buyer_role": deals["buyer_role"],
        }
    )
    key, parts = deals[["deal_id", "lead_id"]], []
    for file, number, at, kind, length, seconds in (
        ("sales_activities.csv", "activity_id", "activity_at", "activity_type", "duration_minutes", 60),
        ("call_logs.csv", "call_id", "call_at_utc", None, "duration_seconds", 1),
    ):
        rows = pd.read_csv(folder / file).merge(key, on="lead_id").drop_duplicates(number)
        moment = _utc(rows[at])
        parts.append(
            pd.DataFrame(
                {
                    "activity_id": rows[number],
                    "deal_id": rows["deal_id"],
                    "kind": rows[kind] if kind else "dial",
                    "direction": "outbound",
                    "occurred_at": moment,
                    "recorded_at": moment,
                    "hours": rows[length] * seconds / 3600,
                }
            )
        )
    fixed = ("amount", "country", "segment", "channel", "size_band", "buyer_role")
    manifest = Manifest(source="helixcore", currency="USD", fixed_at_creation=fixed)
    return Asked(Book.of(manifest, deals=table, activities=pd.concat(parts, ignore_index=True)))


LATE = FlatShape(
    days=60, win_rate=0.3, won=Durations(12), lost=Durations(8, late_share=0.6, late_after=30), calls_a_day=0.5
)
BOOKS: dict[str, Callable[[], Asked]] = {
    "bpic2012": _bpic2012,
    "maven": lambda: _imported("maven_crm", "maven_crm"),
    "salvirt": lambda: _imported("salvirt_b2b", "salvirt_b2b"),
    "xeducation": lambda: _imported("xeducation_leads", "xeducation_leads"),
    "helixcore": _helixcore,
    "sample 300": lambda: _sample(300),
    "sample 2,000": lambda: _sample(2_000),
    "flat 150": lambda: _flat(150, FlatShape()),
    "flat 1,500": lambda: _flat(1_500, FlatShape()),
    "flat interactions": lambda: _flat(4_000, FlatShape(interaction=1.5)),
    "flat words": lambda: _flat(4_000, FlatShape(words=300, effect=1.5)),
    "flat 2% won": lambda: _flat(6_000, FlatShape(win_rate=0.02)),
    "flat 60% won": lambda: _flat(1_500, FlatShape(win_rate=0.6, interaction=0.8)),
    "flat calls": lambda: _flat(2_000, FlatShape(interaction=0.8, calls_a_day=0.3)),
    "flat slow losses": lambda: _flat(3_000, FlatShape(won=Durations(12), lost=Durations(20, after=100))),
    "flat late cancellations": lambda: _flat(2_500, LATE),
    "undated 1,500": lambda: _flat(1_500, FlatShape(interaction=0.8), dated=False),
    "undated 8,000": lambda: _flat(8_000, FlatShape(interaction=1.2, words=100), dated=False),
}
SHARED = ("bpic2012", "maven", "salvirt", "xeducation", "helixcore")


def fit_random_forest(
    X: npt.NDArray[np.float32], won: FloatArray, categorical: list[int]
) -> Callable[[npt.NDArray[np.float32]], FloatArray]:
    """A random forest on the same features; category codes as numbers."""
    forest = RandomForestClassifier(TREES, min_samples_leaf=LEAST_ROWS_IN_LEAF, n_jobs=2, random_state=0).fit(X, won)
    return lambda rows: forest.predict_proba(rows)[:, 1]


METHODS = dict(BASELINES) | {"random_forest": fit_random_forest}


def out_of_time(asked: Asked, settings: TrainSettings) -> tuple[pd.DataFrame, bool]:
    """The calls of all methods, and whether the recipe finds signal: deal_id, p (the outcome, or its true chance)."""
    book = asked.book
    if book.manifest.timeless:
        trained = train_undated(book, settings, baselines=METHODS)
        calls, signal = trained.calls, trained.model.signal
        return calls.assign(deal_id=calls["alike"], p=calls["won"]), signal
    until = book.last_recorded_at() if asked.truth is None else asked.truth["as_of"].max()
    fitted = fit_and_backtest(book, until, settings, baselines=METHODS)
    calls = fitted.backtest.calls
    if asked.truth is None:
        had_time = calls[settled_in_time(calls)]
        settled = had_time if len(had_time) else calls[calls["settled"].astype(bool)]
        return settled.assign(p=settled["won"].astype(np.float64)), fitted.signal
    truth = asked.truth.rename(columns={OURS: "p"})[["deal_id", "as_of", "p"]]
    return calls.merge(truth, on=["deal_id", "as_of"], how="inner"), fitted.signal


def expected_loss(p: FloatArray, q: FloatArray) -> FloatArray:
    """The log loss that a prediction q is expected to have where the chance is p, a row each."""
    q = np.clip(q, 1e-6, 1 - 1e-6)
    return -(p * np.log(q) + (1 - p) * np.log1p(-q))


def expected_auc(p: FloatArray, q: FloatArray) -> float:
    """The AUC of q where each row is won with chance p."""
    weight = np.r_[p, 1 - p]
    some = weight > 0
    return float(roc_auc_score(np.repeat([1, 0], len(p))[some], np.tile(q, 2)[some], sample_weight=weight[some]))


def judged(calls: pd.DataFrame, methods: tuple[str, ...]) -> pd.DataFrame:
    """One row a method: auc, log_loss, brier, miscalibration, and its paired gain with interval (see the module)."""
    p, drawn = calls["p"].to_numpy(), DealDraws.of(calls["deal_id"].to_numpy(), DRAWS)
    mine = expected_loss(p, calls[OURS].to_numpy())
    out = {}
    for method in methods:
        q = calls[method].to_numpy()
        loss = expected_loss(p, q)
        low, high = interval(drawn.means(loss - mine))
        out[method] = {
            "auc": expected_auc(p, q),
            "log_loss": loss.mean(),
            "brier": (p * (1 - q) ** 2 + (1 - p) * q**2).mean(),
            "miscalibration": brier_parts(p, q)[0],
            "gain": (loss - mine).mean(),
            "gain_low": low,
            "gain_high": high,
        }
    return pd.DataFrame(out).T.rename_axis("method")


def run(name: str, settings: TrainSettings) -> pd.DataFrame:
    """The table of one book."""
    asked = BOOKS[name]()
    begun = time.perf_counter()
    try:
        calls, signal = out_of_time(asked, settings)
    except DataError as error:
        print(f"{name}: {error}")
        return pd.DataFrame()
    seconds = time.perf_counter() - begun
    table = judged(calls, (OURS, *RIVALS, "base_rate")).reset_index()
    table.insert(0, "book", name)
    return table.assign(deals=calls["deal_id"].nunique(), calls=len(calls), signal=signal, seconds=round(seconds, 1))


def beaten(table: pd.DataFrame) -> list[str]:
    """The methods that beat ours, as sentences; the last is about the sum over books."""
    rivals = table[table["method"].isin(RIVALS)]
    out = [
        f"{row.book}: {row.method} loses less, by {-row.gain:.4f} ({-row.gain_high:.4f} to {-row.gain_low:.4f})"
        for row in rivals[rivals["gain_high"] < 0].itertuples()
    ]
    best = rivals.groupby("book")["gain"].min().sum()
    sums = rivals.groupby("method")["gain"].sum()
    out += [f"on the sum: {method} loses less, by {-gain:.4f}" for method, gain in sums.items() if gain < 0]
    print(f"sum of gains over each book's best rival: {best:+.4f}; over each rival: {sums.round(4).to_dict()}")
    return out


def markdown(table: pd.DataFrame) -> str:
    """The table as Markdown, one row a book: ours, and by how much each rival loses more."""
    lines = [
        ["book", "deals", "signal", "AUC", "Brier", "log loss", *(f"gain over {rival}" for rival in RIVALS), "seconds"]
    ]
    lines.append(["---"] * len(lines[0]))
    for book, rows in table.groupby("book", sort=False):
        by = rows.set_index("method")
        own = by.loc[OURS]
        gains = [
            f"{row.gain:+.4f} ({row.gain_low:+.4f} to {row.gain_high:+.4f})"
            for row in by.loc[list(RIVALS)].itertuples()
        ]
        measures = [f"{own['auc']:.3f}", f"{own['brier']:.4f}", f"{own['log_loss']:.4f}"]
        lines.append(
            [
                str(book),
                f"{own['deals']:,}",
                "yes" if own["signal"] else "no",
                *measures,
                *gains,
                f"{own['seconds']:.0f}",
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Run from the command line; 1 if a rival beats ours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--books", nargs="+", choices=sorted(BOOKS), default=list(BOOKS), metavar="BOOK")
    parser.add_argument("--out", type=Path, help="a CSV for the table")
    arguments = parser.parse_args()
    settings, tables = read_settings().settings.train, []
    for name in arguments.books:
        if name in SHARED and not DATA.exists():
            print(f"{name}: the shared data is not there; left out")
            continue
        tables.append(run(name, settings))
        print(tables[-1].round(4).to_string(index=False), flush=True)
    table = pd.concat(tables, ignore_index=True)
    if arguments.out:
        table.to_csv(arguments.out, index=False)
    print(markdown(table))
    sentences = beaten(table)
    print("\n".join(sentences) or "No method beats ours.")
    return int(bool(sentences))


if __name__ == "__main__":
    sys.exit(main())
