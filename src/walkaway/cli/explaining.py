"""Commands that explain calls: explain for one deal, portfolio for the whole pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walkaway.cli.options import (
    BOOK,
    MODELS,
    NO_DIAL,
    AsJson,
    AsOf,
    BookOption,
    Dial,
    ModelsOption,
    book_and_model,
    moment_to_explain,
    newest_or,
    print_json,
    settings_in_force,
    takes_dial,
    tell,
)

if TYPE_CHECKING:
    import pandas as pd

Figure = Annotated[
    Path | None, typer.Option(help="Write a waterfall chart of its value per hour to this file (.png, .svg or .pdf).")
]


@takes_dial
def explain(
    context: typer.Context,
    deal_id: Annotated[str, typer.Argument(help="Id of the deal.")],
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    as_of: AsOf = None,
    waterfall: Figure = None,
    dial: Dial = NO_DIAL,
    as_json: AsJson = False,
) -> None:
    """Explain one deal: what an hour on it is worth, why, and what would change that."""
    from walkaway.explaining import explain as stories_of
    from walkaway.report.waterfall import check_figure, write_waterfall

    if waterfall:
        check_figure(waterfall)
    settings = dial.over(settings_in_force(context))
    read, model = book_and_model(book, models, settings)
    moment = moment_to_explain(read, as_of, dial)
    [story] = stories_of(read, model, [deal_id], moment, settings.score, settings.report.locale)
    if waterfall:
        write_waterfall(story, waterfall)
    if as_json:
        print_json(story.as_json())
    else:
        from rich.console import Console

        from walkaway.report.deal_card import show_story

        Console(highlight=False).print(show_story(story))
        if settings.score.guarantee and (refused := model.curve.refusal(settings.score.forgo, story.wording)):
            tell(refused, quiet=False)


@takes_dial
def portfolio(
    context: typer.Context,
    book: BookOption = BOOK,
    models: ModelsOption = MODELS,
    as_of: AsOf = None,
    replayed: Annotated[
        Path | None, typer.Option("--replay", help="Folder of a replay, to check calibration by group.")
    ] = None,
    owner_audit: Annotated[
        bool, typer.Option("--owner-audit", help="Group by owner too. For fairness audits, not to judge people.")
    ] = False,
    dial: Dial = NO_DIAL,
    as_json: AsJson = False,
) -> None:
    """Show the whole pipeline: the most costly themes, and groups of deals dropped more often than others."""
    from walkaway.explaining import portfolio as portfolio_of

    settings = dial.over(settings_in_force(context))
    read, model = book_and_model(book, models, settings)
    calls = _settled(replayed or settings.score.replay)
    moment, locale = newest_or(as_of, "--as-of", read), settings.report.locale
    found = portfolio_of(read, model, moment, settings.score, calls, owner_audit, locale)
    if as_json:
        print_json(found.as_json())
    else:
        from rich.console import Console

        from walkaway.report.terminal.portfolio_tables import show_portfolio

        shown = show_portfolio(found, model.facts.wording(settings.report.locale), calls is not None)
        Console(highlight=False).print(shown)


def _settled(folder: Path | None) -> pd.DataFrame | None:
    """The settled calls of a replay; None without a replay."""
    if folder is None:
        return None
    from walkaway.replaying import read_ledger

    return read_ledger(folder)
