"""The card of one deal: the verdict, its numbers, why, what would change that, and what became of deals like it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from walkaway.economics import DROPPED
from walkaway.explaining import DealStory, Example, SimilarDeals, base_rate
from walkaway.formatting import Wording
from walkaway.models import awaited
from walkaway.report.terminal.plain_table import plain_table

__all__ = ["LOOK_TWICE", "VERDICT_STYLE", "show_story", "steps_of"]

VERDICT_STYLE = {"pursue": "green", "walk_away": "red", "nurture": "yellow", "unsure": "cyan"}
AT_ITS_STAGE = "deals at its stage"
ON_CARD = 5  # reasons: what can be read in ten seconds
ALMOST_ALL = 0.95  # of the deals at its stage
ONE_MINUTE = 1 / 60
NO_HISTORY = "Nothing is recorded of it but its creation: it is called as any deal of which so little is known."
LOOK_TWICE = "That is above the bar: look twice before you let it go."
NO_FLIP = "Nothing that came to deals like this would lift it over the bar."
ASSOCIATION = "Seen in past deals; not a promise that bringing it about has the same effect."


def steps_of(story: DealStory, most: int) -> pd.DataFrame:
    """From the typical value per hour to the deal's, a reason a step.

    Returns:
        sentence, factor, value_per_hour (money per hour, after that step), base_rate ("" where none is told); the first
        row is the typical deal, the last all other factors together, and its value is the deal's.
    """
    told = story.reasons[:most]
    factors = [1.0, *(reason.factor for reason in told)]
    values = story.typical_value_per_hour * np.cumprod(factors)
    rest = story.value_per_hour / values[-1] if values[-1] else 1.0
    others = len(story.factors) - sum(len(reason.features) for reason in told)
    some = [reason.deals < ALMOST_ALL * story.typical.deals for reason in told]  # else it says nothing that is not said
    rates = [base_rate(reason, story.wording) if part else "" for reason, part in zip(told, some, strict=True)]
    return pd.DataFrame(
        {
            "sentence": [story.typical.sentence, *(r.sentence for r in told), f"{others} other factors together"],
            "factor": [*factors, rest],
            "value_per_hour": [*values, story.value_per_hour],
            "base_rate": [base_rate(story.typical, story.wording, AT_ITS_STAGE), *rates, ""],
        }
    )


def _why(story: DealStory) -> Table:
    table = plain_table("why", "factor", "per hour")
    steps = steps_of(story, ON_CARD)
    for place, step in enumerate(steps.to_dict("records")):
        reason = 0 < place < len(steps) - 1
        said = Text(step["sentence"], style="" if reason else "dim")
        if step["base_rate"]:
            said.append(f"\n  {step['base_rate']}", style="dim")
        style = ("green" if step["factor"] > 1 else "red") if reason else "dim"
        factor = Text(f"×{story.wording.number(step['factor'], 2)}" if place else "", style=style)
        table.add_row(said, factor, Text(story.wording.money(step["value_per_hour"]), style="" if reason else "dim"))
    return table


def _flips(story: DealStory) -> Iterator[Text]:
    if story.verdict in DROPPED:
        yield Text("Would change our mind", style="bold")
        if not story.counterfactuals:
            yield Text(NO_FLIP)
            yield Text("")
    if not story.counterfactuals:
        return
    for one in story.counterfactuals:
        until = "" if one.until is None else f" (by {story.wording.date(one.until)})"
        worth = story.wording.money(one.value_per_hour)
        yield Text(f"• {one}{until}. An hour would then be worth {worth}.")
    yield Text(ASSOCIATION, style="dim")
    yield Text("")


def _example(one: Example, wording: Wording) -> str:
    end = f"won {wording.money(one.worth)}" if one.won else "lost"
    worked = f"after {wording.hours(one.remaining_hours)}" if one.remaining_hours >= ONE_MINUTE else "with no more work"
    return f"{one.deal_id} {end} {worked}"


def _similar(similar: SimilarDeals, story: DealStory) -> Iterator[Text]:
    yield Text("Deals like this one", style="bold")
    wording = story.wording
    half = f"half took {wording.hours(similar.median_hours)} or less from then on"
    earned = f"an hour on them earned {wording.money(similar.value_per_hour)}"
    twice = f" {LOOK_TWICE}" if story.look_twice else ""
    yield Text(f"{similar.won} of {similar.deals} were won; {half}; {earned}.{twice}")
    yield Text("Nearest: " + "; ".join(_example(one, wording) for one in similar.examples) + ".", style="dim")
    yield Text("")


def _numbers(story: DealStory) -> Text:
    told = story.wording
    imputed = " (no amount recorded yet, the typical one stands in)" if story.amount_imputed else ""
    return Text(
        f"{told.percent(story.win_probability)} to win × {told.money(story.value_if_won)}{imputed} = "
        f"{told.money(story.expected_value)} expected, for {told.hours(story.remaining_hours)} still to spend."
        f"{_floor(story)}"
    )


def _floor(story: DealStory) -> str:
    """That the floor is counted as well, without which the numbers above it do not give the value per hour."""
    if not story.floor_hours:
        return ""
    return f" {story.wording.hours(story.floor_hours)} more count for each deal, as the least it takes."


def show_story(story: DealStory) -> RenderableType:
    """A card, readable at 80 columns."""
    told = story.wording
    head = Text.assemble(
        (story.verdict.replace("_", " ").upper(), f"bold {VERDICT_STYLE[story.verdict]}"),
        f"  an hour on it is worth {told.money(story.value_per_hour)}; the bar is {told.money(story.bar)}",
    )
    body: list[RenderableType] = [head]
    if story.wait:
        until = "" if story.wait_until is None else f", until {told.date(story.wait_until)} at the latest"
        sign, past = awaited(story.wait.sign), story.wait.past
        body.append(Text(f"No hours, but wait for {sign}{until}: {past}.", style="yellow"))
    body += [_numbers(story), *([Text(NO_HISTORY, style="yellow")] if story.events == 0 else []), Text("")]
    if story.factors:
        body += [_why(story), Text(""), *_flips(story)]
    else:
        body += [*(Text(f"{reason.sentence[:1].upper()}{reason.sentence[1:]}.") for reason in story.reasons), Text("")]
    if story.similar_deals:
        body += _similar(story.similar_deals, story)
    body.append(
        Text(f"model {story.model_version}, hours assumed: {told.percent(story.assumed_hours_share)}", style="dim")
    )
    title = f"Deal {story.deal_id} at {told.moment(story.as_of)} UTC"
    return Panel(Group(*body), title=title, title_align="left", expand=False, padding=(1, 2))
