"""The command line: parse, call one function, print. Data goes to stdout, progress and errors to stderr.

Exit codes: 0 ok, 2 usage, 3 bad data, 4 new model not promoted, 5 locked, 6 something asked for is missing from the
output; 130 and 143 where Ctrl-C or SIGTERM ended it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from walkaway import __version__
from walkaway.cli.books import import_group, sample
from walkaway.cli.calling import batch, score
from walkaway.cli.checking import check
from walkaway.cli.configuring import configuration
from walkaway.cli.explaining import explain, portfolio
from walkaway.cli.log import LogFormat, log_error, log_lines, logs
from walkaway.cli.replaying import replay
from walkaway.cli.reporting import report
from walkaway.cli.training import audit, rollback, train
from walkaway.errors import WalkawayError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Rate open deals by the value of an hour spent on them, and say which to walk away from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(import_group, name="import")
app.add_typer(configuration, name="config")
for command in (sample, audit, train, rollback, score, batch, replay, explain, portfolio, report, check):
    app.command()(command)


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"walkaway {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Settings file; default: walkaway.toml in this folder, if it exists."),
    ] = None,
    log: Annotated[
        LogFormat | None,
        typer.Option("--log", help="Write log lines to stderr instead of tables: text or json."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Common to all commands."""
    context.obj = config
    if log is not None:
        log_lines(log)


class _Interrupted(BaseException):
    """A signal asked the command to end. Not KeyboardInterrupt: Typer ends that without printing our message."""


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into an exception, so that partly written files are removed."""

    def end(number: int, frame: object) -> None:
        raise _Interrupted(number)

    # A signal that the caller set to be ignored (nohup) stays ignored.
    handled = [sig for sig in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(sig) is not signal.SIG_IGN]
    before = {sig: signal.signal(sig, end) for sig in handled}
    try:
        yield
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)


def _end(sentence: str, exit_code: int, exception: BaseException | None = None) -> None:
    """Print why the command ended, and exit."""
    if logs():
        log_error(sentence, exit_code, exception)
    else:
        sys.stderr.write(f"walkaway: {sentence}\n")
    sys.exit(exit_code)


def main() -> None:
    """Entry point. Expected errors become one sentence and an exit code, never a traceback."""
    try:
        with _interruptible():
            app()
    except WalkawayError as error:
        _end(str(error), error.exit_code)
    except _Interrupted as interrupted:
        _end("interrupted; partly written files were removed", 128 + interrupted.args[0])
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("WALKAWAY_DEBUG"):
            raise
        logged = error if logs() else None  # the log gets the traceback, the terminal does not
        _end(f"unexpected {type(error).__name__}: {error}. Set WALKAWAY_DEBUG=1 to see the traceback.", 1, logged)
