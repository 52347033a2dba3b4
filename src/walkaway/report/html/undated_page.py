"""The page of a book without dates: who wins, what speaks for it, and what cannot be said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from walkaway.book import NAMES, Book, shown_deal
from walkaway.config import Settings
from walkaway.explaining import (
    DealStory,
    EarlySign,
    Reasons,
    attribute,
    deal_stories,
    reasons_table,
    signs_without_dates,
)
from walkaway.formatting import LocaleFormat
from walkaway.models import Caveat, Model, call_undated, caveats_of
from walkaway.report.deal_card import steps_of
from walkaway.report.html.annotated_calls import REASONS
from walkaway.report.html.digest import plain
from walkaway.report.html.sections import reasons_told
from walkaway.report.model_card import intended
from walkaway.report.terminal.training_tables import beaten_sentences

__all__ = ["UndatedContent", "answer_sentence", "gather_undated", "undated_digest", "undated_shown"]

GROUPS = 5  # of open deals, by what they are expected to bring
CARDS, CARDS_IN_PRINT, STEPS = 100, 10, 5
ROWS, ROWS_IN_PRINT = 50, 20
CANNOT_ACT = "Can you act on this today? No. Use this list to choose which deals to look at first."
NOT_SAID = (
    "When a deal will be won or lost, and whether it has been open for too long: no dates are recorded.",
    "What an hour on a deal is worth: no work is recorded.",
    "Which deals to stop: a bar can only be tested on past deals whose history is known.",
    "Whether a column was filled in after the outcome. Such a column would look like skill; check the columns below.",
)


@dataclass(frozen=True)
class UndatedContent:
    """The content of the page.

    calls: every open deal, most valuable first, with its reasons and names. signs: what separated won from lost deals.
    stories: of the first deals. columns: what the model reads. tested: how well it did on deals it had not seen.
    """

    wording: LocaleFormat
    calls: pd.DataFrame
    signs: tuple[EarlySign, ...]
    stories: tuple[DealStory, ...]
    columns: tuple[str, ...]
    caveats: tuple[Caveat, ...]
    beaten: tuple[str, ...]
    tested: str
    won: int
    closed: int
    source: str
    fingerprint: str
    version: str

    @property
    def groups(self) -> pd.DataFrame:
        """Open deals in groups of equal size, best first: deals, lowest and highest chance, expected, share of all."""
        place = np.arange(len(self.calls)) * min(GROUPS, len(self.calls)) // len(self.calls)
        grouped = self.calls.groupby(place)
        table = grouped.agg(
            deals=("deal_id", "size"),
            low=("win_probability", "min"),
            high=("win_probability", "max"),
            wins=("win_probability", "sum"),
            expected=("expected_value", "sum"),
        )
        return table.assign(share=table["expected"] / self.calls["expected_value"].sum())


def gather_undated(book: Book, model: Model, settings: Settings) -> UndatedContent:
    """The content of the page.

    Args:
        book: one without dates.
        model: the champion, trained on such a book.
        settings: the settings of the project.

    Raises:
        UsageError: no deal is open.
        DataError: the book does not fit the model.
    """
    calls, locale = call_undated(book, model), settings.report.locale
    calls = calls.take(np.lexsort((calls.table["deal_id"], -calls.table["expected_value"])).tolist())
    wording, ids = model.facts.wording(locale), calls.table["deal_id"]
    reasons = reasons_table(Reasons(model, calls.rows, attribute(model, calls.rows), wording), REASONS)
    names = book.names_of(ids).reindex(columns=list(NAMES)).astype("str").fillna("")
    owners = book.deals.set_index("deal_id")["owner_id"].reindex(ids).fillna("").to_numpy()
    shown = calls.table[["deal_id", "win_probability", "value_if_won", "expected_value"]]
    first = calls.take(range(min(CARDS, len(ids))))
    facts = model.facts
    return UndatedContent(
        wording=wording,
        calls=pd.concat([shown.assign(owner_id=owners), reasons, names], axis=1),
        signs=tuple(signs_without_dates(book, model, wording)),
        stories=tuple(deal_stories(model, first, 1.0, book, locale)),
        columns=tuple(planned.column for planned in model.plan.features),
        caveats=caveats_of(model, wording),
        beaten=tuple(beaten_sentences(facts, wording)),
        tested=_tested(model, wording),
        won=facts.won,
        closed=facts.won + facts.lost,
        source=book.manifest.source,
        fingerprint=book.manifest.fingerprint,
        version=model.version,
    )


def _tested(model: Model, wording: LocaleFormat) -> str:
    """How well the model did on deals that it had not seen."""
    found = model.facts.tested
    if not found:
        return "How well the model predicts is in its model card."
    auc, deals = wording.percent(found["auc"]), wording.whole(found["deals"])
    loss, base = (wording.number(found[name], 3) for name in ("log_loss", "base_log_loss"))
    return (
        f"Tested on {deals} {model.tested_on} deals that it had not seen: of a won and a lost deal, it gave the won "
        f"one the higher chance in {auc} of cases (50% is guessing). Its log loss was {loss}; with the share of deals "
        f"won as the chance of each it is {base}."
    )


def answer_sentence(content: UndatedContent) -> str:
    """The answer in one sentence."""
    wording, calls, best = content.wording, content.calls, content.groups.iloc[0]
    wins = f"{wording.number(float(calls['win_probability'].sum()), 1)} wins"
    bring = wins if wording.counts_wins else f"{wording.money(float(calls['expected_value'].sum()))} ({wins})"
    first, share = wording.whole(best["deals"]), wording.percent(best["share"])
    return (
        f"{wording.whole(len(calls))} open deals are expected to bring {bring}; the first {first} of them bring "
        f"{share} of it."
    )


def undated_digest(content: UndatedContent) -> str:
    """A few lines for mail and chat: what to know first, the answer, the first deals and the strongest signs."""
    wording = content.wording
    lines = [line for caveat in content.caveats for line in (f"**{caveat.sentence}**", "")]
    lines += [line for sentence in content.beaten for line in (f"**{sentence}**", "")]
    lines += [f"**{answer_sentence(content)}**", "", CANNOT_ACT, ""]
    for story in content.stories[:5]:
        shown = f"{wording.worth(story.value_per_hour)} {'to win' if wording.by_chance else 'expected'}"
        lines.append(f"- {plain(shown_deal(story.deal_id, story.name), 80)}: {shown}")
    lines += [f"- {plain(sentence, 200)}" for sentence in _sign_sentences(content)[:4]]
    return "\n".join([*lines, "", "A person decides; people are not scored."]) + "\n"


def _sign_sentences(content: UndatedContent) -> list[str]:
    wording = content.wording
    return [
        f"{sign.sentence}: {wording.whole(sign.won)} of {wording.whole(sign.deals)} were won "
        f"({wording.percent(sign.rate)}; all deals: {wording.percent(sign.all)})"
        for sign in content.signs
    ]


def undated_shown(content: UndatedContent, for_print: bool) -> dict[str, object]:
    """Everything that the template shows; in print, shorter lists and only the first cards, all open."""
    wording, rows = content.wording, ROWS_IN_PRINT if for_print else ROWS
    stories = content.stories[: CARDS_IN_PRINT if for_print else CARDS]
    cards = {story.deal_id: f"card-{number}" for number, story in enumerate(stories)}
    calls = content.calls.to_dict("records")
    return {
        "by_hour": wording.by_hour,
        "by_chance": wording.by_chance,
        "counts_wins": wording.counts_wins,
        "ranked_by": wording.ranked_by,
        "records_work": False,
        "records_signs": False,
        "caveats": content.caveats,
        "beaten": content.beaten,
        "board": answer_sentence(content),
        "groups": content.groups.to_dict("records"),
        "hopeless": [sign for sign in content.signs if sign.rate < sign.all],
        "fruitful": [sign for sign in content.signs if sign.rate >= sign.all],
        "share_won": content.won / content.closed,
        "closed": content.closed,
        "calls": calls[:rows],
        "last": calls[rows:][-rows:],
        "of_all": len(calls),
        "tested": content.tested,
        "not_said": NOT_SAID,
        "columns": content.columns,
        "purposes": [intended(wording).replace("`", "")],
        "source": content.source,
        "fingerprint": content.fingerprint,
        "version": content.version,
        "owner": bool((content.calls["owner_id"] != "").any()),
        "cards": cards,
        "stories": [(story, cards[story.deal_id], steps_of(story, STEPS).to_dict("records")) for story in stories],
        "open_cards": for_print,
        "against": lambda call: [told for told, _ in reasons_told(call, wording)],
    }
