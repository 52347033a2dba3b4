"""The leak audit: find fields that leak the outcome, and leave them out of training.

Features see nothing that was recorded after as_of (`asof.history`). But something may have been recorded wrongly, such
as a column declared fixed at creation that is filled at the close, or an event dated back. Such leaks show in the data.
Each column, kind of activity, role and field of a book is tested, then each feature computed from those that pass.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.asof import History
from walkaway.audit.doubts import NO_HISTORY, cannot_look, word_of_the_end
from walkaway.audit.rules import RULES, at_close, at_first_look
from walkaway.audit.separation import Separation, separation
from walkaway.audit.sources import Deals, Looks, Source, sources_of
from walkaway.book import Book
from walkaway.config import AuditSettings, FeatureSettings
from walkaway.errors import UsageError
from walkaway.features import FeaturePlan, PlannedFeature, build_features, plan_features
from walkaway.formatting import LocaleFormat

__all__ = ["Audit", "audit_book"]

EARLIER = 4  # snapshots before the last
TOO_GOOD_FEATURE = 0.97  # AUC of one feature at the last snapshot; genuine features tested so far reached at most 0.90
TOO_GOOD_AT_FIRST = 0.90  # the same at the first snapshot
COLUMNS = ["source", "verdict", "rules", "filled", "filled_open", "separation", "at_close", "evidence"]
COLUMNS += ["cannot_look", "speaks_of_the_end"]
ALL = FeatureSettings()


@dataclass(frozen=True)
class Audit:
    """The findings of a leak audit.

    sources: indexed by the name that `Book.without` takes: verdict (ok, left out, allowed, cannot tell, not used),
        rules (codes), evidence (sentences), filled and filled_open (share of settled and of open deals that have a
        value), separation (AUC at the first snapshot), at_close (of the settled deals that have a value, the share in
        which it was last recorded within a day of the close or later), cannot_look (why it cannot be told when it was
        filled in, or empty), speaks_of_the_end (the word of its name that does, or empty).
    features: indexed by column, for sources that are not left out: verdict, evidence, and AUC of the feature alone at
        the first snapshot (separation_first), at the last one, and four before that (separation_earlier).
    left_out: the names of sources that training must not read.
    denied: feature columns that training must not use.
    """

    sources: pd.DataFrame
    features: pd.DataFrame
    left_out: tuple[str, ...]
    denied: tuple[str, ...]

    @property
    def suspects(self) -> pd.DataFrame:
        """Sources and features that a rule flagged, allowed ones included: verdict, rules, evidence."""
        both = pd.concat([self.sources, self.features])[["verdict", "rules", "evidence"]]
        return both[both["rules"] != ""]

    @property
    def cannot_tell(self) -> dict[str, list[str]]:
        """Why it cannot be told when columns were filled in, and which columns."""
        found: dict[str, list[str]] = {}
        for name, why in self.sources["cannot_look"].items():
            if why:
                found.setdefault(str(why), []).append(str(name))
        return found

    @property
    def to_decide(self) -> dict[str, str]:
        """Columns whose name speaks of the end, which nothing else accuses, and the word that does."""
        word = self.sources["speaks_of_the_end"]
        return {str(name): str(found) for name, found in word[word != ""].items()}

    def suspect_rows(self) -> list[dict[str, str]]:
        """The suspects as plain JSON values: name, verdict, rules and evidence of each."""
        rows = self.suspects.rename_axis("name").reset_index()
        return [{str(name): str(value) for name, value in row.items()} for row in rows.to_dict("records")]


def _share(mask: npt.NDArray[np.bool_], of: npt.NDArray[np.bool_]) -> float:
    return float(mask[of].mean()) if of.any() else float("nan")


def _row(source: Source, deals: Deals, audit_settings: AuditSettings) -> dict[str, object]:
    looked = np.ones(len(deals.won), dtype=bool) if source.looked is None else source.looked
    settled, still_open = looked & ~np.isnan(deals.won), looked & np.isnan(deals.won)
    filled = source.seen if source.seen is not None else ~np.isnan(source.value)
    sentences = {code: rule(source, deals) for code, rule in RULES.items()} if source.used else {}
    evidence = {code: sentence for code, sentence in sentences.items() if sentence}
    allowed = source.name in audit_settings.allowed
    why = "" if evidence else cannot_look(source, deals)
    verdict = ("cannot tell" if why and why != NO_HISTORY else "ok") if source.used else "not used"
    if evidence:
        verdict = "allowed" if allowed else "left out"
    row: dict[str, object] = {"source": source.name, "verdict": verdict, "rules": " ".join(evidence)}
    row |= {"filled": _share(filled, settled), "filled_open": _share(filled, still_open)}
    row |= {"separation": at_first_look(source, deals).auc, "at_close": at_close(source, deals)}
    word = "" if evidence or allowed else word_of_the_end(source)
    return row | {"evidence": "; ".join(evidence.values()), "cannot_look": why, "speaks_of_the_end": word}


def _separations(deals: Deals, looks: pd.DataFrame, plan: FeaturePlan) -> list[Separation]:
    """How well each feature alone separates won from lost deals at these snapshots."""
    X = build_features(deals.history.at(looks), plan).to_numpy(dtype=np.float64)
    won = deals.judged[deals.code(looks["deal_id"])]
    return [separation(X[:, i], won, categorical=i in plan.categorical) for i in range(X.shape[1])]


def _allowed(planned: PlannedFeature, names: tuple[str, ...]) -> bool:
    """Whether a feature is allowed by its own name, or by the name of a source that it reads."""
    sources = [name.partition(".")[2] for name in names if not name.startswith("features.")]
    read = {part for name in sources for part in (name, name.partition("=")[2]) if part}
    words = {planned.declared.family, planned.word, (planned.word or "").split(" / ")[0]}
    return f"features.{planned.column}" in names or not read.isdisjoint(words)


def _features(deals: Deals, looks: Looks, plan: FeaturePlan, audit_settings: AuditSettings) -> pd.DataFrame:
    first, last = looks.first(), looks.before_last(0)
    at = {"first": first, "last": last, "earlier": looks.before_last(EARLIER)}
    separations = {name: _separations(deals, rows, plan) for name, rows in at.items()}
    table = pd.DataFrame(
        {f"separation_{name}": [found.auc for found in each] for name, each in separations.items()},
        index=pd.Index(plan.columns, name="feature"),
    )
    by_age = separation(deals.age_at(last), deals.judged[deals.code(last["deal_id"])]).auc
    too_good = np.nanmax([TOO_GOOD_FEATURE, by_age])  # what only grows with age is no better than age
    late = np.array([found.low >= too_good for found in separations["last"]], dtype=bool)
    early = np.array([found.low >= TOO_GOOD_AT_FIRST for found in separations["first"]], dtype=bool)
    calendar = np.array([planned.declared.calendar for planned in plan.features], dtype=bool)
    allowed = np.array([_allowed(planned, audit_settings.allowed) for planned in plan.features], dtype=bool)
    suspect = (late | early) & ~calendar
    sentence = "alone predicts the outcome too well for anything known before the close"
    return table.assign(
        verdict=np.select([suspect & allowed, suspect], ["allowed", "left out"], "ok"),
        rules=np.where(suspect, "L13", ""),
        evidence=np.where(suspect, sentence, ""),
    )


def _refuse_unknown(audit_settings: AuditSettings, names: list[str]) -> None:
    for name in audit_settings.allowed:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else "`walkaway audit` lists them."
            raise UsageError(f"train.audit.allowed: the book has no source named {name}. {hint}")


def audit_book(
    book: Book,
    at: pd.DatetimeIndex | None,
    audit_settings: AuditSettings,
    choice: FeatureSettings = ALL,
    locale: str = "en_GB",
) -> Audit:
    """Audit everything that a book records of its deals.

    Args:
        book: as known by the moment of training.
        at: moments of the snapshots; None for a book without dates.
        audit_settings: what is allowed although a rule flags it.
        choice: which features the team wants.
        locale: of the numbers in the evidence.

    Raises:
        UsageError: a name in train.audit.allowed does not exist.
        DataError: nothing is left to learn from.

    >>> deals = pd.DataFrame({"deal_id": ["d1"], "created_at": ["2026-01-05"]})
    >>> audit_book(Book.of(deals=deals), pd.DatetimeIndex(["2026-01-06"], tz="UTC"), AuditSettings()).left_out
    ()
    """
    history = History(book)
    fmt = LocaleFormat(locale)
    deals = Deals(history, plan_features(book, choice), fmt)
    looks = Looks.of(book, at) if at is not None else None
    if looks is not None and looks.snapshots.empty:
        looks = None  # no deal was open at any snapshot, so only columns can be audited
    rows = [_row(source, deals, audit_settings) for source in sources_of(deals, looks)]
    sources = pd.DataFrame(rows, columns=COLUMNS).set_index("source")
    left_out = tuple(sources.index[sources["verdict"] == "left out"])
    if looks is None:
        features, columns = pd.DataFrame(columns=["verdict", "rules", "evidence"]), list[str]()
    else:
        rest = plan_features(book.without(left_out), choice, left_out)
        features = _features(Deals(history.without(left_out), rest, fmt), looks, rest, audit_settings)
        columns = rest.columns
    _refuse_unknown(audit_settings, [*sources.index, *(f"features.{name}" for name in columns)])
    return Audit(sources, features, left_out, tuple(features.index[features["verdict"] == "left out"]))
