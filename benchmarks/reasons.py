"""Are reasons stable, and do they matter for the call? Stability between refits and a deletion test, beside plain SHAP.

A model is trained on what was known at a moment; the deals open then are explained.

- Stability: the heads are refitted with other seeds, and on other deals (a random four fifths of them). Measured is the
  overlap of the three strongest reasons of a deal (Jaccard: shared over all named), averaged over deals and pairs of
  fits. Compared with the three strongest features by SHAP values of one booster of the win head, which is the usual
  explanation; and with two steps in between: that booster with our groups, and our groups without asking whether the
  ensemble's members agree.
- Deletion: the features of the three strongest reasons are replaced by those of random other open deals, twenty times.
  Measured is how much ln(value_per_hour) changes, and how many verdicts turn from keep to drop or back, averaged over
  draws; for our reasons, for three random groups, for the strongest groups by SHAP of the win head, and for the three
  strongest features by plain SHAP of one booster.
- Themes: the mean size of each theme's term. On a sample book also how far the truth changes if a part of a deal's
  state is replaced by that of another open deal.

    python benchmarks/reasons.py --book BOOK --until 2011-12-01T06:00
    python benchmarks/reasons.py --sample 6000
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof.history import History, known
from walkaway.asof.snapshots import open_snapshots
from walkaway.book.io import read_book
from walkaway.book.schema import Book
from walkaway.config import TrainSettings
from walkaway.economics import DROPPED
from walkaway.explaining import Attribution, Reasons, attribute
from walkaway.explaining.attribution import _shap
from walkaway.formatting import LocaleFormat
from walkaway.models.model import Model, Rows, make_calls, read_rows
from walkaway.sample import FIRST_DAY, WEEKS, make_sample
from walkaway.sample.chain import CUT, Calendar, backward, parts, state_of
from walkaway.sample.life import live
from walkaway.sample.market import draw_market
from walkaway.training.fitting import fit_as_of
from walkaway.training.train import train

FloatArray = npt.NDArray[np.float64]
Chosen = list[tuple[int, ...]]  # of each deal, what is named: positions of groups or of columns
TOP, REFITS, DRAWS, KEPT = 3, 3, 20, 0.8
WEEK = pd.Timedelta(days=7)
TRUE_PARTS = {
    "price and profit": ("amount", "cut", "margin"),
    "fit": ("stage", "class"),
    "engagement": ("quiet",),
    "decision makers": ("decider",),
    "timing": ("pushed",),
}
WAYS = (
    "our reasons",
    "our groups, the bag not asked",
    "SHAP of one win booster, in our groups",
    "SHAP of one win booster",
)


def strongest(terms: FloatArray, most: int = TOP) -> Chosen:
    """Positions of the largest terms of each row, whatever their sign."""
    return [tuple(row) for row in np.argsort(-np.abs(terms), axis=1, kind="stable")[:, :most].tolist()]


def in_groups(terms: FloatArray, attribution: Attribution) -> FloatArray:
    """SHAP values of features, summed over our groups."""
    wide = np.zeros((len(terms), len(attribution.columns)))
    wide[:, : terms.shape[1]] = terms
    return np.stack([wide[:, list(group)].sum(axis=1) for group in attribution.groups], axis=1)


def published(model: Model, rows: Rows) -> tuple[Chosen, Attribution]:
    """Our reasons: the groups of the three strongest of each deal on which the bag agrees."""
    attribution = attribute(model, rows)
    reasons = Reasons(model, rows, attribution, LocaleFormat())
    place = {attribution.columns[at]: number for number, group in enumerate(attribution.groups) for at in group}
    told = [tuple(place[one.features[0]] for one in reasons.of(row, TOP) if one.features) for row in range(len(rows.X))]
    return told, attribution


def named(model: Model, rows: Rows) -> dict[str, Chosen]:
    """What each way of explaining names of each deal."""
    ours, attribution = published(model, rows)
    one = _shap(model.heads.win.bag, rows.X)[0][0] if model.heads.win.bag else np.zeros(rows.X.shape)
    unasked, grouped = strongest(attribution.group_terms()[:, :-1]), strongest(in_groups(one, attribution))
    return dict(zip(WAYS, (ours, unasked, grouped, strongest(one)), strict=True))


def jaccard(one: Chosen, other: Chosen) -> float:
    """Shared over all named, averaged over deals for which either names anything.

    >>> jaccard([(1, 2), ()], [(2, 3), ()])
    0.3333333333333333
    """
    pairs = [(set(a), set(b)) for a, b in zip(one, other, strict=True) if a or b]
    return float(np.mean([len(a & b) / len(a | b) for a, b in pairs]))


def refits(
    book: Book, until: pd.Timestamp, settings: TrainSettings, model: Model, other_deals: bool
) -> Iterator[Model]:
    """The same recipe again, with other seeds, and on other deals if asked; groups and calibration stay."""
    for number in range(REFITS):
        heads = settings.heads.model_copy(update={"seed": 1000 * (number + 1)})
        part = book
        if other_deals:
            kept = np.random.default_rng(number).random(len(book.deals)) < KEPT
            part = book.with_tables(deals=book.deals[kept])
            ids = set(part.deals["deal_id"])
            events = {
                n: t[t["deal_id"].isin(ids)]
                for n, t in book.tables().items()
                if n in ("changes", "activities", "contacts")
            }
            part = part.with_tables(**events)
        fitted = fit_as_of(History(part), until, settings.model_copy(update={"heads": heads}), model.plan.left_out)
        win = fitted.heads.win.calibrated(model.heads.win.calibration)
        yield replace(model, plan=fitted.plan, heads=replace(fitted.heads, win=win))


def stability(
    book: Book, until: pd.Timestamp, settings: TrainSettings, model: Model, snapshots: pd.DataFrame
) -> pd.DataFrame:
    """Jaccard of what refits name, by way of explaining and by what the refits differ in."""
    out: dict[str, dict[str, float]] = {}
    for what, other_deals in (("other seeds", False), ("other deals", True)):
        told: list[dict[str, list[tuple[str, ...]]]] = []
        for one in refits(book, until, settings, model, other_deals):
            rows = read_rows(History(book), snapshots, one.plan)
            groups = tuple(tuple(c for c in group if c in one.plan.columns) for group in model.past_deals.groups)
            groups = tuple(group for group in groups if group)
            missing = set(one.plan.columns) - {c for group in groups for c in group}
            past_deals = replace(model.past_deals, groups=(*groups, *((c,) for c in sorted(missing))))
            one = replace(one, past_deals=past_deals)
            attribution = attribute(one, rows)
            names = [min(attribution.columns[at] for at in group) for group in attribution.groups]
            by_column = list(attribution.columns)
            words = {way: by_column if way.endswith("booster") else names for way in WAYS}
            chosen = named(one, rows).items()
            told.append({way: [tuple(words[way][at] for at in deal) for deal in deals] for way, deals in chosen})
        for way in told[0]:
            out.setdefault(way, {})[what] = np.mean([jaccard(a[way], b[way]) for a, b in combinations(told, 2)])
    return pd.DataFrame(out).T


def replaced(rows: Rows, chosen: list[tuple[int, ...]], columns: tuple[str, ...], rng: np.random.Generator) -> Rows:
    """The rows with the chosen columns of each taken from another row at random."""
    donors = rng.permutation(len(rows.X))
    X, terms = rows.X.copy(), rows.terms.copy()
    width = X.shape[1]
    mask = np.zeros((len(X), len(columns)), dtype=bool)
    for row, at in enumerate(chosen):
        mask[row, list(at)] = True
    X = np.where(mask[:, :width], X[donors], X)
    money = {"amount": mask[:, width] | (mask[:, columns.index("amount")] if "amount" in columns else False)}
    money["margin"] = mask[:, width + 1]
    for name, moved in money.items():
        values = terms[name].to_numpy().copy()
        terms[name] = np.where(moved, values[donors], values)
    return Rows(rows.snapshots, X.astype(np.float32), terms)


def deletion(model: Model, rows: Rows, bar: float) -> pd.DataFrame:
    """By how much the index moves and verdicts turn when what is named is taken from other deals."""
    ours, attribution = published(model, rows)
    rng = np.random.default_rng(0)
    win = _shap(model.heads.win.bag, rows.X)[0]
    groups, floor = attribution.groups, len(attribution.groups) - 1
    columns_of = lambda chosen: [tuple(c for g in deal for c in groups[g]) for deal in chosen]  # noqa: E731
    ways: dict[str, Chosen] = {
        "our reasons": columns_of(ours),
        "SHAP of the win head, in our groups": columns_of(strongest(in_groups(win.mean(axis=0), attribution))),
        "SHAP of one win booster": strongest(win[0]),
        "three groups at random": columns_of([tuple(rng.choice(floor, TOP, replace=False)) for _ in ours]),
    }
    before = make_calls(model, rows, bar).table
    explained = attribution.explained
    out = {}
    for way, chosen in ways.items():
        moved, turned = [], []
        for _ in range(DRAWS):
            after = make_calls(model, replaced(rows, chosen, attribution.columns, rng), bar).table
            both = explained & (after["value_per_hour"] > 0).to_numpy()
            moved.append(np.abs(np.log(after["value_per_hour"][both] / before["value_per_hour"][both])).mean())
            turned.append((after["verdict"].isin(DROPPED) != before["verdict"].isin(DROPPED))[explained].mean())
        out[way] = {"ln(value per hour) moves by": np.mean(moved), "verdicts turned": np.mean(turned)}
        out[way]["columns replaced"] = np.mean([len(deal) for deal in chosen])
    return pd.DataFrame(out).T


def themes(model: Model, attribution: Attribution) -> pd.Series:
    """The mean size of each theme's term over the deals."""
    of = [
        *(planned.declared.theme for planned in model.plan.features),
        "price and profit",
        "price and profit",
        "effort",
    ]
    terms = pd.DataFrame(attribution.terms[attribution.explained]).T.groupby(of).sum().T
    return terms.abs().mean().sort_values(ascending=False)


def true_themes(deals: int, seed: int, at: pd.Timestamp) -> pd.Series:
    """By how much ln of the true value per hour moves when a theme's parts are those of another open deal.

    Args:
        deals: of the sample book.
        seed: of the sample book.
        at: a Monday on which deals are open.
    """
    rng, calendar = np.random.default_rng(seed), Calendar(WEEKS)
    market = draw_market(rng, deals, WEEKS)
    rows = live(market, calendar, rng, FIRST_DAY).snapshots.frame()
    rows = rows[rows["week"] == (at - FIRST_DAY) // WEEK]
    truth, deal = backward(calendar), rows["deal"].to_numpy()
    stage, quiet, decider, pushed, cut = (part[rows["state"]] for part in parts())
    amount = np.where(np.isnan(rows["amount"]), market.typical[deal], rows["amount"]) / CUT**cut
    told = {"stage": stage, "quiet": quiet, "decider": decider, "pushed": pushed, "cut": cut, "amount": amount}
    told |= {"class": market.class_[deal], "margin": market.deals["margin"].to_numpy()[deal]}

    def index(of: dict[str, npt.NDArray]) -> FloatArray:
        state = state_of(*(of[name] for name in ("stage", "quiet", "decider", "pushed", "cut")))
        place = rows["week"].to_numpy(), of["class"], state
        worth = of["amount"] * truth.share_if_won[place] * of["margin"]
        return truth.win_probability[place] * worth / (truth.remaining_hours[place] + TrainSettings().floor_hours)

    def moves(names: tuple[str, ...]) -> float:
        gaps = []
        for _ in range(DRAWS):
            donors = rng.permutation(len(deal))
            other = index(told | {name: told[name][donors] for name in names})
            both = (other > 0) & (now > 0)
            gaps.append(np.abs(np.log(other[both] / now[both])).mean())
        return float(np.mean(gaps))

    now = index(told)
    return pd.Series({theme: moves(names) for theme, names in TRUE_PARTS.items()}).sort_values(ascending=False)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--book", type=Path)
    parser.add_argument("--until", help="UTC moment; default: the newest record")
    parser.add_argument("--sample", type=int, help="deals of a sample book, instead of --book")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    if asked.sample:
        book, until = make_sample(asked.sample, asked.seed).book, FIRST_DAY + (WEEKS - 52) * WEEK
    else:
        book = read_book(asked.book)
        until = pd.Timestamp(asked.until, tz="UTC") if asked.until else book.last_recorded_at()
    settings = TrainSettings()
    book = known(book, until)
    model = train(book, until, settings).model
    snapshots = open_snapshots(book, pd.DatetimeIndex([until]))
    rows = read_rows(History(book), snapshots, model.plan)
    attribution = attribute(model, rows)
    said = make_calls(model, rows, 0.0).table["value_per_hour"].to_numpy()
    product = attribution.typical * attribution.factors().prod(axis=1)
    off = np.abs(product / said - 1)[attribution.explained].max()
    print(f"{len(rows.X):,} open deals at {until:%Y-%m-%d}; typical x all factors is off by {off:.1e} at most\n")
    bar = model.curve.bar_for_forgo(0.10)
    print(stability(book, until, settings, model, snapshots).round(3).to_string(), "\n")
    print(deletion(model, rows, bar).round(3).to_string(), "\n")
    print(themes(model, attribution).round(3).to_string())
    if asked.sample:
        print("\nthe truth moves by\n" + true_themes(asked.sample, asked.seed, until).round(3).to_string())


if __name__ == "__main__":
    main()
