"""The leak audit: what of a book knows how its deals end before it can, and is left out of training for it.

The gate (`history`) keeps a model from what was recorded after as_of. It cannot know what was recorded wrongly: a
column declared fixed at creation that is filled at the close, an event dated back. That shows in the data, and is
looked for here, once for each column, kind, role and field a book records, then for each feature made of the rest.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import History
from walkaway.audit.rules import RULES, at_close, at_first_look
from walkaway.audit.separation import Separation, separation
from walkaway.audit.sources import Deals, Looks, Source, sources_of
from walkaway.book import Book
from walkaway.config import AuditSettings, FeatureSettings
from walkaway.errors import UsageError
from walkaway.features import FeaturePlan, PlannedFeature, build_features, plan_features

__all__ = ["Audit", "audit_book"]

EARLIER = 4  # looks before the last
TOO_GOOD_FEATURE = 0.97  # AUC of a feature alone at the last look: the best honest ones seen stay at 0.90
TOO_GOOD_AT_FIRST = 0.90
COLUMNS = ["source", "verdict", "rules", "filled", "filled_open", "separation", "at_close", "evidence"]
ALL = FeatureSettings()


@dataclass(frozen=True)
class Audit:
    """What was found.

    sources: indexed by name as `Book.without` takes it: verdict (ok, left out, allowed, not used), rules (codes),
        evidence (sentences), filled and filled_open (share of settled and of open deals that have it), separation (AUC
        at the first look), at_close (share of the settled deals that have it in which it was last recorded within a day
        of the close or later).
    features: indexed by column, of what is not left out: verdict, separation_first, separation_last and
        separation_earlier (AUC alone, at the first look, the last, and four looks before), evidence.
    left_out: the names of sources that training must not read.
    denied: feature columns that training must not use.
    """

    sources: pd.DataFrame
    features: pd.DataFrame
    left_out: tuple[str, ...]
    denied: tuple[str, ...]

    @property
    def suspects(self) -> pd.DataFrame:
        """Sources and features that a rule spoke of, allowed ones included: verdict, rules, evidence."""
        both = pd.concat([self.sources, self.features])[["verdict", "rules", "evidence"]]
        return both[both["rules"] != ""]

    def told(self) -> list[dict[str, str]]:
        """The suspects as plain JSON values: name, verdict, rules and evidence of each."""
        rows = self.suspects.rename_axis("name").reset_index()
        return [{str(name): str(value) for name, value in row.items()} for row in rows.to_dict("records")]


def _share(mask: npt.NDArray[np.bool_], of: npt.NDArray[np.bool_]) -> float:
    return float(mask[of].mean()) if of.any() else float("nan")


def _row(source: Source, deals: Deals, audit_settings: AuditSettings) -> dict[str, object]:
    told = np.ones(len(deals.won), dtype=bool) if source.looked is None else source.looked
    settled, still_open = told & ~np.isnan(deals.won), told & np.isnan(deals.won)
    there = source.seen if source.seen is not None else ~np.isnan(source.value)
    said = {code: rule(source, deals) for code, rule in RULES.items()} if source.used else {}
    found = {code: sentence for code, sentence in said.items() if sentence}
    verdict = "ok" if source.used else "not used"
    if found:
        verdict = "allowed" if source.name in audit_settings.allowed else "left out"
    row: dict[str, object] = {"source": source.name, "verdict": verdict, "rules": " ".join(found)}
    row |= {"filled": _share(there, settled), "filled_open": _share(there, still_open)}
    row |= {"separation": at_first_look(source, deals).auc, "at_close": at_close(source, deals)}
    return row | {"evidence": "; ".join(found.values())}


def _separations(deals: Deals, looks: pd.DataFrame, plan: FeaturePlan) -> list[Separation]:
    """How well each feature alone separates won from lost at these looks."""
    X = build_features(deals.history.at(looks), plan).to_numpy(dtype=np.float64)
    won = deals.won[deals.code(looks["deal_id"])]
    return [separation(X[:, i], won, categorical=i in plan.categorical) for i in range(X.shape[1])]


def _allowed(planned: PlannedFeature, names: tuple[str, ...]) -> bool:
    """Whether a feature is allowed by its own name, or reads what is allowed by name."""
    told = [name.partition(".")[2] for name in names if not name.startswith("features.")]
    read = {part for name in told for part in (name, name.partition("=")[2]) if part}
    words = {planned.declared.family, planned.word, (planned.word or "").split(" / ")[0]}
    return f"features.{planned.column}" in names or not read.isdisjoint(words)


def _features(deals: Deals, looks: Looks, plan: FeaturePlan, audit_settings: AuditSettings) -> pd.DataFrame:
    first, last = looks.first(), looks.before_last(0)
    at = {"first": first, "last": last, "earlier": looks.before_last(EARLIER)}
    found = {name: _separations(deals, rows, plan) for name, rows in at.items()}
    table = pd.DataFrame(
        {f"separation_{name}": [one.auc for one in each] for name, each in found.items()},
        index=pd.Index(plan.columns, name="feature"),
    )
    late = np.array([one.low >= TOO_GOOD_FEATURE for one in found["last"]], dtype=bool)
    early = np.array([one.low >= TOO_GOOD_AT_FIRST for one in found["first"]], dtype=bool)
    allowed = np.array([_allowed(planned, audit_settings.allowed) for planned in plan.features], dtype=bool)
    spoken = late | early
    said = "alone tells won from lost too well for anything known before the close"
    return table.assign(
        verdict=np.select([spoken & allowed, spoken], ["allowed", "left out"], "ok"),
        rules=np.where(spoken, "L13", ""),
        evidence=np.where(spoken, said, ""),
    )


def _refuse_unknown(audit_settings: AuditSettings, names: list[str]) -> None:
    for name in audit_settings.allowed:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else "`walkaway audit` lists them."
            raise UsageError(f"train.audit.allowed: the book records nothing called {name}. {hint}")


def audit_book(
    book: Book, at: pd.DatetimeIndex | None, audit_settings: AuditSettings, choice: FeatureSettings = ALL
) -> Audit:
    """Audit all that a book records of its deals.

    Args:
        book: as known by the moment of training.
        at: moments at which deals are looked at; None for a book without dates.
        audit_settings: what is allowed in spite of the audit.
        choice: which features the team wants.

    Raises:
        UsageError: what is allowed by name does not exist.
        DataError: nothing is left to learn from.

    >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05"]})
    >>> audit_book(Book.of(deals=deals), pd.DatetimeIndex(["2026-01-06"], tz="UTC"), AuditSettings()).left_out
    ()
    """
    history = History(book)
    deals = Deals(history, plan_features(book, choice))
    looks = Looks.of(book, at) if at is not None else None
    if looks is not None and looks.snapshots.empty:
        looks = None  # no deal was ever open at a look: nothing is known of any but its columns
    rows = [_row(source, deals, audit_settings) for source in sources_of(deals, looks)]
    sources = pd.DataFrame(rows, columns=COLUMNS).set_index("source")
    left_out = tuple(sources.index[sources["verdict"] == "left out"])
    if looks is None:
        features, columns = pd.DataFrame(columns=["verdict", "rules", "evidence"]), list[str]()
    else:
        rest = plan_features(book.without(left_out), choice, left_out)
        features = _features(Deals(history.without(left_out), rest), looks, rest, audit_settings)
        columns = rest.columns
    _refuse_unknown(audit_settings, [*sources.index, *(f"features.{name}" for name in columns)])
    return Audit(sources, features, left_out, tuple(features.index[features["verdict"] == "left out"]))
