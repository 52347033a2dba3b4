"""Lines for a log rather than for a reader: `walkaway --log json COMMAND`, for runs that nobody watches.

Each line on stderr is then one event: a step that began, a sentence that a reader would have seen, a warning, or the
error that ended the command. Standard logging does the work, so that what libraries log comes in the same form.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from io import StringIO
from typing import Any

__all__ = ["LogFormat", "log_error", "log_lines", "log_step", "log_text", "logs"]

LOG = logging.getLogger("walkaway")


class LogFormat(StrEnum):
    """How lines are written: for people, or as JSON for machines."""

    TEXT = "text"
    JSON = "json"


class JsonLines(logging.Formatter):
    """A record as one line of JSON: at (UTC), level, logger, event, and the fields it carries."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        line |= {"event": record.getMessage()} | getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """A record as one line for people: moment (UTC), level, event, and its fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields = "".join(f" {name}={value}" for name, value in getattr(record, "fields", {}).items())
        return f"{at} {record.levelname.lower()} {' '.join(record.getMessage().split())}{fields}"


def log_lines(form: LogFormat) -> None:
    """From now on write one line an event to stderr, warnings of Python included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    LOG.setLevel(logging.INFO)
    logging.captureWarnings(True)


def logs() -> bool:
    """Whether events are written as lines."""
    return LOG.level == logging.INFO and any(
        isinstance(handler.formatter, (JsonLines, TextLines)) for handler in logging.getLogger().handlers
    )


def log_step(name: str, done: int, total: int) -> None:
    """A step that begins, or goes on."""
    count = {"done": done, "total": total} if total > 1 else {}
    LOG.info(name, extra={"fields": {"kind": "step"} | count})


def log_text(renderable: Any) -> None:
    """What a reader would have seen, as plain text."""
    from rich.console import Console

    screen = StringIO()
    Console(file=screen, width=200, color_system=None, highlight=False).print(renderable)
    LOG.info(screen.getvalue().strip(), extra={"fields": {"kind": "message"}})


def log_error(sentence: str, exit_code: int, exception: BaseException | None = None) -> None:
    """What ended the command."""
    LOG.error(sentence, extra={"fields": {"kind": "end", "exit_code": exit_code}}, exc_info=exception)
