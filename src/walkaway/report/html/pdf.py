"""The page as PDF, by WeasyPrint (the extra `pdf`). Nothing is fetched but what the page carries in itself."""

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
    """Whether a PDF can be made here."""
    try:
        with redirect_stdout(io.StringIO()):  # without its system libraries it prints a page of advice, and raises
            import weasyprint  # noqa: F401
    except (ImportError, OSError):  # without its system libraries it raises an OSError
        return False
    return True


def only_itself() -> Any:
    """A fetcher that reads what the page carries in itself (data: URIs), and denies all else."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=("data",), allow_redirects=False)


@contextmanager
def _fixed_time() -> Iterator[None]:
    """Fonts are written as of 1970, or as of the moment that the environment names, and never as of now.

    Without libharfbuzz-subset WeasyPrint subsets fonts by fontTools, which writes the time into each, and can be told
    another only by the environment. The lock keeps one thread from taking the other's moment for the environment's own.
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
    """Write a page as PDF; the same page gives the same bytes on the same machine.

    Raises:
        UsageError: WeasyPrint or a system library it needs is absent; names the command that installs it.
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
