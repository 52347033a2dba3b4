"""Log lines in place of terminal output: `walkaway --log json COMMAND`, for scheduled runs.

Each line on stderr is one event: the start of a step, a message for the user, a warning, or the error that ended the
command. Standard logging is used, so messages of libraries have the same form.
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
    """The form of log lines: text for people, JSON for machines."""

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
    """Write each event, Python's warnings included, as one line to stderr from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    LOG.setLevel(logging.INFO)
    logging.captureWarnings(True)


def logs() -> bool:
    """Whether log lines are in use."""
    return LOG.level == logging.INFO and any(
        isinstance(handler.formatter, (JsonLines, TextLines)) for handler in logging.getLogger().handlers
    )


def log_step(name: str, done: int, total: int) -> None:
    """Log the start or the progress of a step."""
    count = {"done": done, "total": total} if total > 1 else {}
    LOG.info(name, extra={"fields": {"kind": "step"} | count})


def log_text(renderable: Any) -> None:
    """Log what the terminal would have shown, as plain text."""
    from rich.console import Console

    screen = StringIO()
    Console(file=screen, width=200, color_system=None, highlight=False).print(renderable)
    LOG.info(screen.getvalue().strip(), extra={"fields": {"kind": "message"}})


def log_error(sentence: str, exit_code: int, exception: BaseException | None = None) -> None:
    """Log the error that ended the command."""
    LOG.error(sentence, extra={"fields": {"kind": "end", "exit_code": exit_code}}, exc_info=exception)
