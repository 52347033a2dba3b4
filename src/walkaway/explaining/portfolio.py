"""The pipeline as a whole: which themes cost hours and money, and whether some groups of deals are dropped more often.

Small groups differ by chance. Each group's rate is therefore shrunk towards the overall rate, and the more so the less
the groups of its dimension truly differ (empirical Bayes: beta-binomial for drops, normal for calibration; Efron and
Morris, JASA 70, 1975).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import beta, norm

from walkaway.asof import recorded_by
from walkaway.book import SECONDS_PER_HOUR, Book, effort_seconds
from walkaway.config import ScoreSettings
from walkaway.economics import DROPPED
from walkaway.evaluation import LEVEL
from walkaway.explaining.attribution import MARGIN, SIZE, Attribution, attribute
from walkaway.features import THEMES
from walkaway.files import plain
from walkaway.models import Caveat, Model, call_open, caveats_of

__all__ = ["Portfolio", "portfolio", "portfolio_of", "shrunk_gaps", "shrunk_shares"]

FloatArray = npt.NDArray[np.float64]
DEFAULT = ScoreSettings()
MONTH = pd.Timedelta(days=30)
GROUPS = ("team", "pipeline")  # besides these, deals are grouped by each attribute fixed at creation
OWNER = "owner_id"
SOLD_AT_A_LOSS = "sold at a loss"
MOST_GROUPS = 30  # the largest of each dimension; smaller groups say little and could identify single deals
LEAST_DEALS_A_GROUP = 5  # a smaller group could identify single deals


@dataclass(frozen=True)
class Portfolio:
    """The open pipeline at a moment.

    bar: money per hour. themes: dropped deals by the theme that weighs most against each: deals, hours (still
    expected), worked (hours booked in the last 30 days), expected_value, cost (how much more those hours would earn at
    the bar: bar x hours - expected value). drops: by dimension and group: deals, dropped (share), shrunk, low, high
    (90% interval), differs (whether the overall share is outside the interval). calibration: by dimension and group,
    of settled deals: deals, predicted, won, gap, shrunk, low, high, differs; empty without settled calls. caveats: what
    must be known before anyone acts on it. Hours that are not known, and work that is not recorded, have no column.
    """

    as_of: pd.Timestamp
    bar: float
    open_deals: int
    themes: pd.DataFrame
    drops: pd.DataFrame
    calibration: pd.DataFrame
    caveats: tuple[Caveat, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The portfolio as plain JSON values."""
        tables = {"themes": self.themes, "drops": self.drops, "calibration": self.calibration}
        fields: dict[str, object] = plain(
            {"as_of": self.as_of, "bar": self.bar, "open_deals": self.open_deals} | tables
        )
        return fields | {"caveats": [caveat._asdict() for caveat in self.caveats]}


def shrunk_shares(counts: FloatArray, deals: FloatArray) -> pd.DataFrame:
    """Shares of groups, shrunk towards the overall share, with 90% intervals.

    Args:
        counts: how many deals of each group were, for example, dropped.
        deals: how many deals each group has; above 0.

    Returns:
        shrunk, low, high; one row per group.

    >>> shrunk_shares(np.array([1.0, 30.0, 9.0]), np.array([2.0, 100.0, 30.0])).round(2).to_numpy().tolist()
    [[0.3, 0.3, 0.31], [0.3, 0.3, 0.31], [0.3, 0.3, 0.31]]
    """
    share = counts.sum() / deals.sum()
    spread = share * (1 - share)
    if not spread:
        return pd.DataFrame({"shrunk": share, "low": share, "high": share}, index=range(len(counts)))
    seen = float((deals * (counts / deals - share) ** 2).sum())
    expected, room = (len(deals) - 1) * spread, deals.sum() - (deals**2).sum() / deals.sum()
    between = max((seen - expected) / room, 0.0) if room > 0 else 0.0  # variance of true shares (method of moments)
    strength = min(spread / between - 1, 1e4) if between > 0 else 1e4
    strength = max(strength, 1.0)
    won, lost = counts + strength * share, deals - counts + strength * (1 - share)
    tail = (1 - LEVEL) / 2
    ends = {"low": beta.ppf(tail, won, lost), "high": beta.ppf(1 - tail, won, lost)}
    return pd.DataFrame({"shrunk": won / (won + lost), **ends})


def shrunk_gaps(gap: FloatArray, error: FloatArray, overall: float) -> pd.DataFrame:
    """Mean gaps of groups, shrunk towards the overall gap, with 90% intervals.

    Args:
        gap: predicted minus won, averaged over each group's deals.
        error: standard error of each gap.
        overall: the gap over all deals.

    Returns:
        shrunk, low, high; one row per group.

    >>> shrunk_gaps(np.array([0.2, -0.2]), np.array([0.5, 0.5]), 0.0)["shrunk"].tolist()
    [0.0, 0.0]
    """
    weight = 1 / error**2
    seen, room = float((weight * (gap - overall) ** 2).sum()), weight.sum() - (weight**2).sum() / weight.sum()
    between = max((seen - (len(gap) - 1)) / room, 0.0) if room > 0 else 0.0  # DerSimonian and Laird, 1986
    share = between / (between + error**2)
    shrunk, reach = overall + share * (gap - overall), norm.ppf((1 + LEVEL) / 2) * np.sqrt(share) * error
    return pd.DataFrame({"shrunk": shrunk, "low": shrunk - reach, "high": shrunk + reach})


def _theme_terms(model: Model, attribution: Attribution) -> pd.DataFrame:
    """Terms of ln(value per hour) by theme, (deals, themes)."""
    theme_of = {planned.column: planned.declared.theme for planned in model.plan.features}
    theme_of |= {SIZE: "price and profit", MARGIN: "price and profit"}
    themes = np.array([theme_of.get(column, "") for column in attribution.columns])
    return pd.DataFrame({theme: attribution.terms[:, themes == theme].sum(axis=1) for theme in THEMES})


def _worked(book: Book, deal_ids: pd.Series, as_of: pd.Timestamp) -> FloatArray:
    """Hours booked on each deal in the 30 days before a moment."""
    rows = recorded_by(book, "activities", as_of, since=as_of - MONTH)
    hours = pd.Series(effort_seconds(rows, book.manifest.assumed_hours) / SECONDS_PER_HOUR, index=rows["deal_id"])
    worked: FloatArray = hours.groupby(level=0).sum().reindex(deal_ids).fillna(0.0).to_numpy()
    return worked


def _themes(book: Book, model: Model, table: pd.DataFrame, attribution: Attribution, bar: float) -> pd.DataFrame:
    weakest = _theme_terms(model, attribution).idxmin(axis=1).to_numpy(dtype=object)
    theme = np.where(attribution.explained, weakest, SOLD_AT_A_LOSS)
    hours, expected = table["remaining_hours"], table["expected_value"]
    worked = _worked(book, table["deal_id"], table["as_of"].iloc[0])
    deals = pd.DataFrame(
        {"theme": theme, "deals": 1, "hours": hours, "worked": worked, "expected_value": expected}
    ).assign(cost=bar * hours - expected)
    unknown = [] if model.facts.unit == "hour" else ["hours"]
    deals = deals.drop(columns=unknown if book.records_work else [*unknown, "worked"])
    dropped = deals[table["verdict"].isin(DROPPED).to_numpy()]
    return dropped.groupby("theme").sum().sort_values("cost", ascending=False)


def _dimensions(book: Book, deal_ids: pd.Series, owners: bool) -> Iterator[tuple[str, pd.Series]]:
    """(dimension, group of each deal) for each dimension; groups of few deals are left out."""
    deals = book.deals.set_index("deal_id").reindex(deal_ids)
    names = [*dict.fromkeys((*GROUPS, *book.attributes("text"))), *((OWNER,) if owners else ())]
    for name in names:
        groups = deals[name] if name in deals else pd.Series(dtype="str")
        counts = groups.value_counts()
        common = counts[counts >= LEAST_DEALS_A_GROUP].index[:MOST_GROUPS]
        if len(common) > 1:
            yield name, groups.where(groups.isin(common)).reset_index(drop=True)


def _drops(book: Book, table: pd.DataFrame, owners: bool) -> pd.DataFrame:
    dropped = table["verdict"].isin(DROPPED).astype(float)
    parts = []
    for name, groups in _dimensions(book, table["deal_id"], owners):
        counted = dropped.groupby(groups).agg(["size", "sum"])
        shrunk = shrunk_shares(counted["sum"].to_numpy(), counted["size"].to_numpy(dtype=float))
        all_share = counted["sum"].sum() / counted["size"].sum()
        row = {"dimension": name, "group": counted.index, "deals": counted["size"].to_numpy()}
        part = pd.DataFrame(row | {"dropped": (counted["sum"] / counted["size"]).to_numpy()}).join(shrunk)
        parts.append(part.assign(differs=(part["low"] > all_share) | (part["high"] < all_share)))
    return _stacked(parts, ["deals", "dropped", "shrunk", "low", "high", "differs"])


def _calibration(book: Book, settled: pd.DataFrame | None, owners: bool) -> pd.DataFrame:
    """Calibration by group, from settled calls (win_probability, outcome), averaged per deal first."""
    columns = ["deals", "predicted", "won", "gap", "shrunk", "low", "high", "differs"]
    ended = settled[settled["outcome"].isin(["won", "lost"])] if settled is not None else pd.DataFrame()
    if not len(ended):
        return _stacked([], columns)
    by_deal = ended.assign(won=(ended["outcome"] == "won").astype(float)).groupby("deal_id")
    deals = by_deal[["win_probability", "won"]].mean().reset_index()
    gap = deals["win_probability"] - deals["won"]
    parts = []
    for name, groups in _dimensions(book, deals["deal_id"], owners):
        by = gap.groupby(groups)
        means, error = by.mean(), np.maximum(by.std(ddof=1) / np.sqrt(by.size()), 1e-6)
        overall = float(gap[groups.notna()].mean())
        row = {"dimension": name, "group": means.index, "deals": by.size().to_numpy()}
        row |= {"predicted": deals["win_probability"].groupby(groups).mean().to_numpy()}
        row |= {"won": deals["won"].groupby(groups).mean().to_numpy(), "gap": means.to_numpy()}
        part = pd.DataFrame(row).join(shrunk_gaps(means.to_numpy(), error.to_numpy(), overall))
        parts.append(part.assign(differs=(part["low"] > overall) | (part["high"] < overall)))
    return _stacked(parts, columns)


def _stacked(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    empty = pd.DataFrame(columns=["dimension", "group", *columns])
    return (pd.concat(parts, ignore_index=True) if parts else empty).set_index(["dimension", "group"])


def portfolio(
    book: Book,
    model: Model,
    as_of: pd.Timestamp,
    score_settings: ScoreSettings = DEFAULT,
    settled: pd.DataFrame | None = None,
    owners: bool = False,
    locale: str = "en_GB",
) -> Portfolio:
    """An overview of the open pipeline at a moment.

    Args:
        book: any book with dates.
        model: usually the champion.
        as_of: UTC moment.
        score_settings: the settings that determine the bar.
        settled: the ledger of a replay (deal_id, win_probability, outcome): calls made before their deals ended.
        owners: whether to group by owner too. For fairness audits only, never to report on people.
        locale: of the reader.

    Raises:
        UsageError: no deal is open at that moment, or nothing was recorded by then.
        DataError: the book has no dates, or does not fit the model.
    """
    calls = call_open(book, model, pd.DatetimeIndex([as_of]), score_settings)
    return portfolio_of(book, model, calls.table, attribute(model, calls.rows), settled, owners, locale)


def portfolio_of(
    book: Book,
    model: Model,
    table: pd.DataFrame,
    attribution: Attribution,
    settled: pd.DataFrame | None = None,
    owners: bool = False,
    locale: str = "en_GB",
) -> Portfolio:
    """The overview from existing calls: `table` has one row or more of one moment; `attribution` belongs to them."""
    bar = float(table["bar"].iloc[0])
    return Portfolio(
        as_of=table["as_of"].iloc[0],
        bar=bar,
        open_deals=len(table),
        themes=_themes(book, model, table, attribution, bar),
        drops=_drops(book, table, owners),
        calibration=_calibration(book, settled, owners),
        caveats=caveats_of(model, model.facts.wording(locale)),
    )
