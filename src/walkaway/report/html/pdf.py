"""The page as PDF, by WeasyPrint (the extra `pdf`). Nothing is loaded except what the page itself contains."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from threading import Lock
from typing import Any

from walkaway.errors import UsageError
from walkaway.files import write_bytes

__all__ = ["INSTALL", "have_weasyprint", "only_itself", "write_pdf"]

INSTALL = "pip install 'walkaway[pdf]'"
EPOCH = "SOURCE_DATE_EPOCH"  # reproducible-builds.org: seconds since 1970 that stand for the time of writing
_EPOCH_LOCK = Lock()


def have_weasyprint() -> bool:
    """Whether WeasyPrint and its system libraries are installed."""
    try:
        with redirect_stdout(io.StringIO()):  # without its system libraries it prints advice before it raises
            import weasyprint  # noqa: F401
    except (ImportError, OSError):  # without its system libraries it raises an OSError
        return False
    return True


def only_itself() -> Any:
    """A URL fetcher that allows data: URIs, which the page itself contains, and denies everything else."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=("data",), allow_redirects=False)


@contextmanager
def _fixed_time() -> Iterator[None]:
    """Set a fixed time for the fonts in the PDF (1970, or the time the environment gives), so that it is reproducible.

    Without libharfbuzz-subset, WeasyPrint subsets fonts with fontTools, which writes the current time into each font.
    Only an environment variable can change that time. The lock prevents one thread from mistaking another's temporary
    value for one set by the user.
    """
    with _EPOCH_LOCK:
        if EPOCH in os.environ:
            yield
            return
        os.environ[EPOCH] = "0"
        try:
            yield
        finally:
            del os.environ[EPOCH]


def write_pdf(html: str, path: Path) -> None:
    """Write a page as PDF. The same page gives the same bytes on the same machine.

    Raises:
        UsageError: WeasyPrint or a system library it needs is missing; the message gives the command to install it.
    """
    try:
        with redirect_stdout(io.StringIO()):
            from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise UsageError(
            f"{path.name} needs WeasyPrint, which is not installed here ({type(error).__name__}). Install it with "
            f"{INSTALL}, or leave the PDF out with --format html."
        ) from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    buffer = io.BytesIO()
    page = HTML(string=html, base_url="about:blank", url_fetcher=only_itself())
    with _fixed_time():
        page.write_pdf(buffer, pdf_identifier=b"walkaway")
    write_bytes(path, buffer.getvalue())
