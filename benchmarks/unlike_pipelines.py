"""Two pipelines in one book, alike or not: what the win head gains where it may part by them.

The second of two unlike pipelines is another market: the industries that fit are those that do not in the first, buyers
reply more and sign less. Each size and seed: heads are fitted as of the end of the third year, with and without
`train.heads.part_by`, and call the Mondays of the fourth year of another book of the same two markets. The loss is the
expected one under the true probabilities, before calibration.

    python benchmarks/unlike_pipelines.py --sizes 200 1000 --seeds 3
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from unittest import mock

import pandas as pd

from walkaway import sample as sampling
from walkaway.asof.history import History, known
from walkaway.book.schema import Book
from walkaway.config import TrainSettings
from walkaway.evaluation import log_loss_rows
from walkaway.models.model import read_rows
from walkaway.sample import FIRST_DAY, Sample, make_sample, market
from walkaway.sample.chain import Calendar
from walkaway.training.fitting import fit_as_of

WEEK = pd.Timedelta(days=7)
UNTIL = FIRST_DAY + 156 * WEEK
KNOWN_SHARE = 0.707  # of a sample book's deals, those created by then
TEST_DEALS, TEST_SEED = 2_800, 9_000  # of each pipeline
IDS = ("deal_id", "account_id", "owner_id", "activity_id")


class OtherCalendar(Calendar):
    """A market whose buyers reply more and sign less."""

    def win(self, week: int) -> float:
        """Shift of winning."""
        return super().win(week) - 0.5

    def reply(self, week: int) -> float:
        """Shift of replying."""
        return super().reply(week) + 0.5


def other_market(deals: int, seed: int) -> Sample:
    """A sample book of another market."""
    industries = dict(zip(market.INDUSTRIES, reversed(market.INDUSTRIES.values()), strict=True))
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(market, "INDUSTRIES", industries))
        stack.enter_context(mock.patch.object(sampling, "Calendar", OtherCalendar))
        return make_sample(deals, seed)


def _named(frame: pd.DataFrame, pipeline: str) -> pd.DataFrame:
    frame = frame.assign(**{name: f"{pipeline} " + frame[name] for name in IDS if name in frame})
    return frame.assign(pipeline=pipeline) if "pipeline" in frame else frame


def two_pipelines(deals: int, seed: int, unlike: bool) -> Sample:
    """One book with so many deals of either pipeline, which share neither accounts nor owners."""
    second = other_market if unlike else make_sample
    samples = {"new business": make_sample(deals, seed), "renewal": second(deals, seed + 500)}
    parts = {name: one.book.tables() for name, one in samples.items()}
    tables = {
        table: pd.concat([_named(part[table], name) for name, part in parts.items()], ignore_index=True)
        for table in parts["renewal"]
    }
    truth = pd.concat([_named(one.truth, name) for name, one in samples.items()], ignore_index=True)
    book = Book.of(samples["new business"].book.manifest, **tables)
    return Sample(book, truth.sort_values(["deal_id", "as_of"], kind="stable").reset_index(drop=True))


def _loss(history: History, truth: pd.DataFrame, known_book: Book, settings: TrainSettings) -> tuple[float, str]:
    """Expected loss of a win head as of the end of the third year, and what it parts by."""
    fitted = fit_as_of(History(known_book), UNTIL, settings)
    said = fitted.heads.win.probability(read_rows(history, truth[["deal_id", "as_of"]], fitted.plan).X)
    return float(log_loss_rows(truth["win_probability"].to_numpy(), said).mean()), fitted.parted_by or ""


def table_of(sizes: list[int], seeds: int, unlike: bool, test_deals: int = TEST_DEALS) -> pd.DataFrame:
    """One row a size and seed: expected loss of one model for both pipelines, and of one that may part by them."""
    others = two_pipelines(test_deals, TEST_SEED, unlike)
    truth = others.truth[others.truth["as_of"] > UNTIL].reset_index(drop=True)
    history, p, rows = History(others.book), truth["win_probability"].to_numpy(), []
    may_part = TrainSettings()
    one_model = may_part.model_copy(update={"heads": may_part.heads.model_copy(update={"part_by": ()})})
    for deals in sizes:
        for seed in range(1, seeds + 1):
            book = known(two_pipelines(round(deals / KNOWN_SHARE), seed, unlike).book, UNTIL)
            alone, _ = _loss(history, truth, book, one_model)
            parted, by = _loss(history, truth, book, may_part)
            row = {"pipelines": "unlike" if unlike else "alike", "deals each": deals, "seed": seed, "one model": alone}
            rows.append(row | {"may part": parted, "gain": alone - parted, "parts by": by})
            print(rows[-1], flush=True)
    return pd.DataFrame(rows).assign(truth=float(log_loss_rows(p, p).mean()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 200, 500, 1000])
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    both = [table_of(asked.sizes, asked.seeds, unlike) for unlike in (True, False)]
    print(pd.concat(both).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
