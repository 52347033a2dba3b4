"""What a loss limit really loses on a young book whose losses come late, by which folds taught the curve.

Deals are won within weeks, and most losses come after 30 days, as in "flat late cancellations" of `books.py`, but the
attributes tell more, so that the model has signal. The book goes on after the model was trained on its first days:
every open deal is called each day for 30 days, and dropped for good at its first call below the bar. By the end of the
book these deals have ended, so the lost value is counted, not estimated.

    python benchmarks/young_curve.py --seeds 11 12 13 --days 60 90
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import pandas as pd

from walkaway.asof import History, known, moments, open_snapshots
from walkaway.asof.labels import label
from walkaway.book import Book
from walkaway.config import TrainSettings, read_settings
from walkaway.economics import Curve
from walkaway.models import Model, make_calls, read_rows
from walkaway.sample import Durations, FlatShape, make_flat_sample
from walkaway.training.recipe import fit_and_backtest
from walkaway.training.train import curve_looks, curve_of

DEALS_A_DAY, CALLED_DAYS, ENDED_DAYS = 2_500 / 60, 30, 140
FORGO = 0.10
LATE = FlatShape(
    effect=1.6, won=Durations(12), lost=Durations(8, late_share=0.6, late_after=30), calls_a_day=0.5
)  # its days are set for each run


def real_curve(book: Book, model: Model, until: pd.Timestamp) -> Curve:
    """What each bar really saves and loses: of a model's calls on each of the days after its training."""
    at = moments(until + pd.Timedelta(days=1), until + pd.Timedelta(days=CALLED_DAYS), 1.0)
    snapshots = open_snapshots(book, at).sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True)
    above = make_calls(model, read_rows(History(book), snapshots, model.plan), bar=0.0).walk_away_above
    ends = label(book, snapshots)
    hours, worth = ends["remaining_hours"].to_numpy(), ends["worth"].fillna(0.0).to_numpy()
    deal = pd.factorize(snapshots["deal_id"])[0]
    return Curve.settled(deal, above, hours, worth, hours, weeks=CALLED_DAYS / 7)


def of_seed(seed: int, days: int, settings: TrainSettings, deals_a_day: float = DEALS_A_DAY) -> list[dict[str, object]]:
    """One row for each way to teach the curve: what it expects at its bar, and what that bar really did."""
    shape = replace(LATE, days=days + ENDED_DAYS)
    book = make_flat_sample(round(shape.days * deals_a_day), seed, shape).book
    until = book.deals["created_at"].min().floor("D") + pd.Timedelta(days=days)
    fitted = fit_and_backtest(known(book, until), until, settings, looks=True, baselines={})
    looks = fitted.backtest.looks
    some, young = curve_looks(looks, fitted.history.book.deals, until)
    real, rows = real_curve(book, fitted.model(), until), []
    for taught_by, used in (("all folds", looks), ("experienced folds", some)):
        curve = curve_of(fitted, used)
        bar = curve.bar_for_forgo(FORGO)
        (_, saved, lost), (_, really_saved, really_lost) = curve.at(bar), real.at(bar)
        rows.append(
            {
                "days": days,
                "seed": seed,
                "taught by": taught_by,
                "folds": used["known_until"].nunique(),
                "no fold experienced": young,
                "signal": fitted.signal,
                "bar": bar,
                "saved, expected": saved,
                "saved": really_saved,
                "lost, expected": lost,
                "lost": really_lost,
            }
        )
    return rows


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[11, 12, 13])
    parser.add_argument("--days", nargs="+", type=int, default=[60])
    arguments = parser.parse_args()
    settings = read_settings().settings.train
    rows = [row for days in arguments.days for seed in arguments.seeds for row in of_seed(seed, days, settings)]
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    measures = ["saved, expected", "saved", "lost, expected", "lost"]
    print(table.groupby(["days", "taught by"])[measures].mean().round(3).to_string())


if __name__ == "__main__":
    main()
