"""Where a model fails: calibration and gain by slice (age, stage, segment), and the failing slices by name.

An open deal counts with the win probability that the final model gives it; leaving open deals out would favour slices
whose deals end quickly. Each slice has its own 90% interval over deals, but a slice only fails by a simultaneous 95%
interval over all slices (from the largest bootstrapped deviation of any slice). Otherwise about five of fifty slices
would fail by chance alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.evaluation.metrics import LEAST_DEALS_TO_JUDGE, DealDraws, interval, log_loss_rows
from walkaway.formatting import LocaleFormat

__all__ = ["AGE_EDGES", "SEGMENT", "by_ending", "by_slice", "failures", "slices_of"]

FloatArray = npt.NDArray[np.float64]
AGE_EDGES = (0.0, 1.0, 3.0, 7.0, 14.0, 30.0, 90.0, 180.0, np.inf)
SIMULTANEOUS_LEVEL = 0.95
SEGMENT = "segment "  # prefix of the columns of calls that hold a deal's attributes, such as its product
LEAST_ERROR = 0.05  # a probability that is off by less is no failure, however certain the difference
MOST_VALUES = 12  # slices per segment: its most frequent values


def _ages(age_days: pd.Series) -> pd.Series:
    bands = pd.cut(age_days, AGE_EDGES, right=False)
    names = [
        f"{b.left:g} to {b.right:g} days" if np.isfinite(b.right) else f"{b.left:g} days and more"
        for b in bands.cat.categories
    ]
    return bands.cat.rename_categories(names)


def slices_of(calls: pd.DataFrame) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    """(dimension, value, mask of calls) for all calls, each age band, each stage, and each frequent segment value.

    >>> [(d, v) for d, v, _ in slices_of(pd.DataFrame({"age_days": [2.0], "stage": ["offer"]}))]
    [('all', 'all'), ('age', '1 to 3 days'), ('stage', 'offer')]
    """
    yield "all", "all", np.ones(len(calls), dtype=bool)
    ages = _ages(calls["age_days"])
    yield from (("age", str(age), (ages == age).to_numpy()) for age in ages.cat.categories if (ages == age).any())
    for column in [name for name in calls if name == "stage" or name.startswith(SEGMENT)]:
        for value in calls[column].value_counts().index[:MOST_VALUES]:
            yield column.removeprefix(SEGMENT), str(value), (calls[column] == value).to_numpy()


def by_slice(calls: pd.DataFrame, draws: int) -> pd.DataFrame:
    """Calibration and gain over the base rate in each slice of LEAST_DEALS_TO_JUDGE deals or more.

    Args:
        calls: deal_id, age_days, win_probability, base_rate, won_completed (shares for open deals), and optionally
            stage and columns named SEGMENT + name.
        draws: of the bootstrap.

    Returns:
        Indexed by dimension and value: calls, deals, won and predicted (shares), off (predicted - won) with off_low,
        off_high; brier and brier_base; gain (in log loss over the base rate) with gain_low, gain_high; fails: what is
        wrong with the slice, empty if nothing.
    """
    drawn = DealDraws.of(calls["deal_id"].to_numpy(), draws)
    names = ("won_completed", "win_probability", "base_rate")
    won, predicted, base = (calls[name].to_numpy(dtype=float) for name in names)
    gain = log_loss_rows(won, base) - log_loss_rows(won, predicted)
    rows, off_draws, gain_draws = {}, [], []
    for dimension, value, mask in slices_of(calls):
        deals = int(np.count_nonzero(np.bincount(drawn.codes[mask])))
        if deals < LEAST_DEALS_TO_JUDGE and dimension != "all":
            continue
        size = np.maximum(drawn.sums(mask.astype(float)), 1e-9)
        off_draws.append(drawn.sums((predicted - won) * mask) / size)
        gain_draws.append(drawn.sums(gain * mask) / size)
        row = {"calls": int(mask.sum()), "deals": deals, "won": won[mask].mean()}
        row |= {"predicted": predicted[mask].mean()}
        row |= {"off": (predicted - won)[mask].mean()} | _interval_columns("off", off_draws[-1])
        row |= {"brier": ((predicted - won) ** 2)[mask].mean(), "brier_base": ((base - won) ** 2)[mask].mean()}
        rows[dimension, value] = row | {"gain": gain[mask].mean()} | _interval_columns("gain", gain_draws[-1])
    table = pd.DataFrame(rows).T.rename_axis(["dimension", "value"])
    return table.assign(fails=_fails(table, np.array(off_draws), np.array(gain_draws)))


def _interval_columns(name: str, draws: FloatArray) -> dict[str, float]:
    return dict(zip((f"{name}_low", f"{name}_high"), interval(draws), strict=True))


def _standardised(values: FloatArray, draws: FloatArray) -> tuple[FloatArray, float]:
    """Each value in units of its standard error, and the 95% quantile over draws of the largest such deviation."""
    errors = np.maximum(draws.std(axis=1), 1e-12)
    largest = np.abs((draws - values[:, None]) / errors[:, None]).max(axis=0)
    return values / errors, float(np.quantile(largest, SIMULTANEOUS_LEVEL))


def _fails(table: pd.DataFrame, off_draws: FloatArray, gain_draws: FloatArray) -> list[str]:
    off, gain = (table[name].to_numpy(dtype=float) for name in ("off", "gain"))
    off_size, off_limit = _standardised(off, off_draws)
    gain_size, gain_limit = _standardised(gain, gain_draws)
    texts = []
    for position in range(len(table)):
        wrong = []
        if abs(off_size[position]) > off_limit and abs(off[position]) >= LEAST_ERROR:
            wrong.append("too high" if off[position] > 0 else "too low")
        if gain_size[position] < -gain_limit:
            wrong.append("worse than the base rate")
        texts.append(", ".join(wrong))
    return texts


def failures(table: pd.DataFrame, fmt: LocaleFormat) -> list[str]:
    """One sentence per failing slice, the largest slice first.

    Args:
        table: of `by_slice`.
        fmt: writes the numbers.
    """
    failing = table[table["fails"] != ""].sort_values("calls", ascending=False, kind="stable")
    return [
        f"{value if dimension == 'all' else f'{dimension} {value}'}: {row['fails']} "
        f"({fmt.percent(row['predicted'])} predicted, {fmt.percent(row['won'])} won; {fmt.whole(row['deals'])} deals)"
        for (dimension, value), row in failing.iterrows()
    ]


def by_ending(calls: pd.DataFrame) -> pd.DataFrame:
    """Settled calls by how the deal ended: calls, deals, mean prediction, Brier score, predicted over booked hours."""
    squared = (calls["win_probability"] - calls["won"]) ** 2
    grouped = calls.assign(brier=squared).groupby("ending", observed=True)
    table = grouped.agg(
        calls=("won", "size"),
        deals=("deal_id", "nunique"),
        predicted=("win_probability", "mean"),
        brier=("brier", "mean"),
    )
    hours = grouped[["remaining_hours", "remaining_hours_truth"]].sum()
    return table.assign(hours_ratio=hours["remaining_hours"] / hours["remaining_hours_truth"].replace(0.0, np.nan))
