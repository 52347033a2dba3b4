"""Shared by the commands: options, moments, progress and printing. Data goes to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from walkaway.cli.log import log_step, log_text, logs
from walkaway.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from walkaway.book import Book
    from walkaway.config import Settings
    from walkaway.formatting import LocaleFormat
    from walkaway.models import Model

__all__ = [
    "BOOK",
    "MODELS",
    "NO_DIAL",
    "AsJson",
    "AsOf",
    "BookOption",
    "Dial",
    "ModelsOption",
    "Quiet",
    "Reasons",
    "book_and_model",
    "days_of",
    "formatter_of",
    "moment_of",
    "newest_or",
    "print_json",
    "progress",
    "settings_in_force",
    "span_of",
    "takes_dial",
    "tell",
    "training_moment",
]

BookOption = Annotated[Path, typer.Option("--book", help="Folder of the book.")]
ModelsOption = Annotated[Path, typer.Option("--models", help="Folder of the models.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors and the requested data.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]
Forgo = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, help="Share of won value you accept to lose, 0 to 1 \\[setting: score.forgo]."),
]
Bar = Annotated[
    float | None, typer.Option(min=0.0, help="Bar in money per hour, in place of --forgo \\[setting: score.bar].")
]
Capacity = Annotated[
    float | None, typer.Option(help="Hours the team has per week, in place of --forgo \\[setting: score.capacity].")
]
Guarantee = Annotated[
    bool,
    typer.Option("--guarantee", help="Keep the loss within --forgo at 90% confidence \\[setting: score.guarantee]."),
]
Reasons = Annotated[
    int | None, typer.Option(min=0, max=20, help="Most reasons per call; 0 is fastest \\[setting: score.reasons].")
]
AsOf = Annotated[str | None, typer.Option(help="As of this moment (UTC); default: the newest record in the book.")]
BOOK, MODELS = Path("data/book"), Path("models")
DAYS_OF_UNIT = {"h": 1 / 24, "d": 1.0, "w": 7.0}


def moment_of(text: str | None, option: str) -> pd.Timestamp | None:
    """The text as a moment in UTC. A date means its midnight; without an offset, UTC is assumed."""
    import pandas as pd

    if text is None:
        return None
    try:
        moment = pd.Timestamp(text)
    except ValueError:
        moment = pd.NaT
    if pd.isna(moment):
        raise UsageError(f"{option} {text}: must be a moment in ISO 8601, such as 2026-01-31 or 2026-01-31T06:00.")
    return (moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")).as_unit("us")


def newest_or(text: str | None, option: str, book: Book) -> pd.Timestamp:
    """The moment of an option; by default, that of the newest record in a book with dates."""
    return moment_of(text, option) or book.last_recorded_at()


def moment_to_explain(book: Book, as_of: str | None, dial: Dial) -> pd.Timestamp | None:
    """The moment of --as-of, or of the newest record; None for a book without dates.

    Raises:
        UsageError: the book has no dates, and an option that needs them was given.
    """
    if not book.manifest.timeless:
        return newest_or(as_of, "--as-of", book)
    refuse_with_dates({"as-of": as_of, **dial.given()})
    return None


def refuse_with_dates(given: Mapping[str, object]) -> None:
    """Refuse options, by name, that need a book with dates and hours.

    Raises:
        UsageError: one of them was given.
    """
    for option, value in given.items():
        if value is not None:
            raise UsageError(
                f"--{option} {value}: needs a book with dates and hours, and this book has no dates. Leave --{option} "
                "out."
            )


def training_moment(until: str | None, book: Book) -> pd.Timestamp | None:
    """The last moment that training may use: --until, else the newest record; None for a book without dates.

    Raises:
        UsageError: --until was given for a book without dates.
    """
    if not book.manifest.timeless:
        return newest_or(until, "--until", book)
    if until is not None:
        raise UsageError(f"--until {until}: needs a book with dates, and this book has none. Leave --until out.")
    return None


def span_of(start: str | None, end: str | None) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The moments of --from and --to, in order."""
    first, last = moment_of(start, "--from"), moment_of(end, "--to")
    if first is None or last is None or first > last:
        raise UsageError(f"--from {start} lies after --to {end}. Swap them.")
    return first, last


def book_and_model(book: Path, models: Path, settings: Settings, replay: Path | None = None) -> tuple[Book, Model]:
    """The book with the hours of the settings, and the model in use with the curve of a replay, if one is set."""
    from walkaway.book import read_book
    from walkaway.models import load_champion
    from walkaway.scoring import with_replay_curve

    model = with_replay_curve(load_champion(models), replay or settings.score.replay)
    return read_book(book, settings.lost_after_days).assuming(settings.hours, settings.effort), model


def settings_in_force(context: typer.Context) -> Settings:
    """The settings in force, with the file of --config if given."""
    from walkaway.config import read_settings

    return read_settings(context.obj).settings


def formatter_of(settings: Settings) -> LocaleFormat:
    """What writes numbers and dates in the locale of the settings, where no money is told."""
    from walkaway.formatting import LocaleFormat

    return LocaleFormat(settings.report.locale)


@dataclass(frozen=True)
class Dial:
    """The options that set the bar: one of forgo, bar and capacity; None if not on the command line."""

    forgo: float | None = None
    bar: float | None = None
    capacity: float | None = None
    guarantee: bool = False

    def given(self) -> dict[str, float]:
        """The dials on the command line, by name."""
        return {name: value for name in DIALS if (value := getattr(self, name)) is not None}

    def over(self, settings: Settings, reasons: int | None = None) -> Settings:
        """The settings, with the dial and the number of reasons of the command line in place of their own.

        Raises:
            UsageError: more than one dial, a dial that is not a number, a capacity of 0 or less, or a guarantee with a
                dial other than forgo.
        """
        given = self.given()
        _check_dials(given, self.guarantee)
        if self.guarantee and "forgo" not in given:
            given["forgo"] = settings.score.forgo
        score = settings.score.overruled_by(reasons=reasons, guarantee=self.guarantee or None, **given)
        return settings.model_copy(update={"score": score})


DIALS = ("forgo", "bar", "capacity")
NO_DIAL = Dial()
DIAL_OPTIONS: dict[str, tuple[Any, Any]] = {  # parameter: its annotation, and its default
    "forgo": (Forgo, None),
    "bar": (Bar, None),
    "capacity": (Capacity, None),
    "guarantee": (Guarantee, False),
}


def _check_dials(given: dict[str, float], guarantee: bool) -> None:
    for name, value in given.items():
        if not value < float("inf"):
            raise UsageError(f"--{name} {value:g}: must be a finite number. Correct it.")
    if len(given) > 1:
        options = " and ".join(f"--{name} {value:g}" for name, value in given.items())
        raise UsageError(f"{options}: only one option may set the bar. Give one of them.")
    if given.get("capacity", 1.0) <= 0:
        raise UsageError(f"--capacity {given['capacity']:g}: must be above 0 hours per week. Correct it.")
    if guarantee and set(given) - {"forgo"}:
        raise UsageError("--guarantee works only with --forgo. Leave out --guarantee, or --bar and --capacity.")


def takes_dial(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's parameter `dial` by the options --forgo, --bar, --capacity and --guarantee."""

    @wraps(command)
    def with_options(**given: Any) -> None:
        command(dial=Dial(**{name: given.pop(name) for name in DIAL_OPTIONS}), **given)

    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in DIAL_OPTIONS.items()
    ]
    hints = get_type_hints(command, include_extras=True)
    shown: list[Parameter] = []
    for parameter in signature(command).parameters.values():
        own = parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        shown += options if parameter.name == "dial" else [own]
    with_options.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return with_options


def days_of(text: str, option: str = "--every") -> float:
    """The days in a length of time such as 1d, 7d or 12h.

    >>> days_of("12h")
    0.5
    """
    number, unit = text[:-1], text[-1:]
    try:
        days = float(number) * DAYS_OF_UNIT[unit]
    except (ValueError, KeyError):
        days = 0.0
    if not 0 < days < float("inf"):
        raise UsageError(f"{option} {text}: must be a length of time above 0, such as 1d, 7d or 12h.")
    return days


def tell(renderable: Any, quiet: bool) -> None:
    """Print a message for people to stderr, or as a log line. Brackets in a plain string are kept."""
    if quiet:
        return
    if logs():
        log_text(renderable)
    else:
        from rich.console import Console

        Console(stderr=True, highlight=False).print(renderable, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """Print as JSON to stdout; missing values and numbers that are not finite become null."""
    from walkaway.files import plain

    sys.stdout.write(json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n")


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr, or a log line per step; neither without a terminal and without --log."""
    if logs():
        yield log_step
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    task_columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"))
    columns = (*task_columns, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(
        *columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty(), transient=True
    ) as bar:
        task = bar.add_task("starting", total=None, count="")

        def step(name: str, done: int, total: int) -> None:
            count = f"{done:,} of {total:,}" if total > 1 else f"{done:,}" if total == 0 else ""
            bar.update(task, description=name, completed=done, total=total if total > 1 else None, count=count)

        yield step
