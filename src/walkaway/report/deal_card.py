"""The card of one deal: the verdict, its numbers, the reasons, what would change it, and how similar deals ended."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from walkaway.book import shown_deal
from walkaway.economics import DROPPED
from walkaway.explaining import DealStory, Example, SimilarDeals, base_rate
from walkaway.formatting import LocaleFormat
from walkaway.models import awaited
from walkaway.report.terminal.plain_table import plain_table

__all__ = ["LOOK_TWICE", "VERDICT_STYLE", "at_moment", "show_story", "steps_of", "worth_of_it"]

VERDICT_STYLE = {"pursue": "green", "walk_away": "red", "nurture": "yellow", "unsure": "cyan"}
AT_ITS_STAGE = "deals at its stage"
MOST_REASONS = 5  # as many as a reader takes in at a glance
ALMOST_ALL = 0.95  # of the deals at its stage
ONE_MINUTE = 1 / 60
NO_HISTORY = "Only its creation is recorded, so it is scored like a new deal."
LOOK_TWICE = "That is above the bar, so check this deal before you drop it."
NO_FLIP = "Nothing that happened in past deals like this would lift it above the bar."
ASSOCIATION = "This was seen in past deals. Making it happen may not have the same effect."


def steps_of(story: DealStory, most: int) -> pd.DataFrame:
    """The steps from the value per hour (or expected value) of a typical deal to that of this one, a reason per step.

    Args:
        story: of the deal.
        most: reasons to show.

    Returns:
        sentence, factor, value_per_hour (money per hour, after that step), base_rate (how deals with that reason ended;
        "" if almost all deals at the stage have it). The first row is the typical deal. The last row combines all other
        factors, and its value is the deal's.
    """
    reasons = story.reasons[:most]
    factors = [1.0, *(reason.factor for reason in reasons)]
    values = story.typical_value_per_hour * np.cumprod(factors)
    rest = story.value_per_hour / values[-1] if values[-1] else 1.0
    others = len(story.factors) - sum(len(reason.features) for reason in reasons)
    # A reason that holds for almost all deals at the stage has their base rate, which the first row shows already.
    rates = [
        base_rate(reason, story.wording) if reason.deals < ALMOST_ALL * story.typical.deals else ""
        for reason in reasons
    ]
    rest_sentence = f"{story.wording.whole(others)} other factors together"
    of_typical = base_rate(story.typical, story.wording, AT_ITS_STAGE if story.stage else "deals")
    return pd.DataFrame(
        {
            "sentence": [story.typical.sentence, *(reason.sentence for reason in reasons), rest_sentence],
            "factor": [*factors, rest],
            "value_per_hour": [*values, story.value_per_hour],
            "base_rate": [of_typical, *rates, ""],
        }
    )


def _reasons_table(story: DealStory) -> Table:
    steps, fmt = steps_of(story, MOST_REASONS), story.wording
    table = plain_table("why", "factor", "per hour" if fmt.by_hour else "to win" if fmt.by_chance else "expected")
    for place, step in enumerate(steps.to_dict("records")):
        is_reason = 0 < place < len(steps) - 1
        sentence = Text(step["sentence"], style="" if is_reason else "dim")
        if step["base_rate"]:
            sentence.append(f"\n  {step['base_rate']}", style="dim")
        style = ("green" if step["factor"] > 1 else "red") if is_reason else "dim"
        factor = Text(f"×{fmt.number(step['factor'], 2)}" if place else "", style=style)
        value = Text(fmt.worth(step["value_per_hour"]), style="" if is_reason else "dim")
        table.add_row(sentence, factor, value)
    return table


def _flips(story: DealStory) -> Iterator[Text]:
    """What would lift a dropped deal above the bar."""
    if story.verdict in DROPPED and story.events is not None:  # else no event is known that could re-open a deal
        yield Text("What would re-open the deal", style="bold")
        if not story.counterfactuals:
            yield Text(NO_FLIP)
            yield Text("")
    if not story.counterfactuals:
        return
    for change in story.counterfactuals:
        until = "" if change.until is None else f" (by {story.wording.date(change.until)})"
        fmt = story.wording
        then = f"{'An hour' if fmt.by_hour else 'The deal'} would then be worth {fmt.money(change.value_per_hour)}"
        then = f"Its chance to win would then be {fmt.worth(change.value_per_hour)}" if fmt.by_chance else then
        yield Text(f"• {change.sentence(fmt)}{until}. {then}.")
    yield Text(ASSOCIATION, style="dim")
    yield Text("")


def _example(example: Example, fmt: LocaleFormat) -> str:
    deal = shown_deal(example.deal_id, example.name)
    worth = "" if fmt.counts_wins else f" {fmt.money(example.worth)}"
    end, hours = f"won{worth}" if example.won else "lost", example.remaining_hours
    if not fmt.by_hour:
        return f"{deal} {end}"
    return f"{deal} {end} {f'after {fmt.hours(hours)}' if hours >= ONE_MINUTE else 'with no more work'}"


def _similar_deals(similar: SimilarDeals, story: DealStory) -> Iterator[Text]:
    yield Text("Deals like this one", style="bold")
    fmt = story.wording
    twice = f" {LOOK_TWICE}" if story.look_twice else ""
    yield Text(
        f"{fmt.whole(similar.won)} of {fmt.whole(similar.deals)} were won. {_earned(similar, fmt)}{twice}".rstrip()
    )
    yield Text("Nearest: " + "; ".join(_example(example, fmt) for example in similar.examples) + ".", style="dim")
    yield Text("")


def _earned(similar: SimilarDeals, fmt: LocaleFormat) -> str:
    """What similar deals took and brought; where only wins are known, they are said already."""
    if fmt.by_chance:
        return ""
    if not fmt.by_hour:
        return f"They brought {fmt.money(similar.value_per_hour)} each on average."
    half = f"Half of them took {fmt.hours(similar.median_hours)} or less from then on."
    return f"{half} An hour on them earned {fmt.money(similar.value_per_hour)}."


def _numbers(story: DealStory) -> list[Text]:
    """What the deal is worth; nothing where the first line says it all."""
    fmt = story.wording
    if fmt.by_chance:
        return []
    if fmt.counts_wins:
        chance = f"{fmt.percent(story.win_probability)} to win"
    else:
        imputed = " (no amount recorded yet, so a typical one is used)" if story.amount_imputed else ""
        worth, expected = fmt.money(story.value_if_won), fmt.money(story.expected_value)
        chance = f"{fmt.percent(story.win_probability)} to win × {worth}{imputed} = {expected} expected"
    work = f", for {fmt.hours(story.remaining_hours)} of work still to come" if fmt.by_hour else ""
    return [Text(f"{chance}{work}.{_floor(story)}")]


def _floor(story: DealStory) -> str:
    """The floor under the hours; without it, the numbers on the card do not give the value per hour."""
    if not story.floor_hours:
        return ""
    return f" {story.wording.hours(story.floor_hours)} are added, the minimum for any deal."


def _wait(story: DealStory) -> list[Text]:
    """What a nurtured deal waits for."""
    if not story.wait:
        return []
    until = "" if story.wait_until is None else f", until {story.wording.date(story.wait_until)} at the latest"
    past = story.wait.past(story.wording)
    sentence = f"No work for now. Wait for this sign: {awaited(story.wait.sign)}{until}. {past[:1].upper()}{past[1:]}."
    return [Text(sentence, style="yellow")]


def _why(story: DealStory) -> list[RenderableType]:
    """The reasons, and what would change the verdict; a deal sold at a loss has one reason without factors."""
    if story.factors:
        return [_reasons_table(story), Text(""), *_flips(story)]
    return [*(Text(f"{reason.sentence[:1].upper()}{reason.sentence[1:]}.") for reason in story.reasons), Text("")]


def _names(story: DealStory) -> list[Text]:
    """Account, owner and link of the deal, as far as the book has them."""
    named = {"Account": story.account_name, "Owner": story.owner_name, "Record": story.url}
    text = "; ".join(f"{what}: {' '.join(name.split())}" for what, name in named.items() if name)
    return [Text(text, style="dim")] if text else []


def at_moment(story: DealStory) -> str:
    """The moment of a story, with a word before it; nothing in a book without dates."""
    return "" if story.as_of is None else f" at {story.wording.moment(story.as_of)} UTC"


def worth_of_it(fmt: LocaleFormat) -> str:
    """What is compared with the bar, as the beginning of a sentence."""
    return {"value per hour": "an hour on it is worth", "expected value": "it is expected to bring"}.get(
        fmt.ranked_by, "its chance to win is"
    )


def show_story(story: DealStory) -> RenderableType:
    """A card, readable at 80 columns."""
    fmt = story.wording
    bar = "" if story.bar is None else f"; the bar is {fmt.worth(story.bar)}"
    worth = f"{worth_of_it(fmt)} {fmt.worth(story.value_per_hour)}{bar}"
    head = Text.assemble(
        (story.verdict.replace("_", " ").upper(), f"bold {VERDICT_STYLE[story.verdict]}"),
        f"  {worth}",
    )
    first = [Text(caveat.sentence, style="bold yellow") for caveat in story.caveats]
    no_history = [Text(NO_HISTORY, style="yellow")] if story.events == 0 else []
    body: list[RenderableType] = [
        *first,
        *_names(story),
        head,
        *_wait(story),
        *_numbers(story),
        *no_history,
        Text(""),
        *_why(story),
    ]
    if story.similar_deals:
        body += _similar_deals(story.similar_deals, story)
    assumed = f"; {fmt.percent(story.assumed_hours_share)} of the hours are assumed" if fmt.by_hour else ""
    body.append(Text(f"Model {story.model_version}{assumed}.", style="dim"))
    title = Text(f"Deal {shown_deal(story.deal_id, story.name)}{at_moment(story)}")
    return Panel(Group(*body), title=title, title_align="left", expand=False, padding=(1, 2))
