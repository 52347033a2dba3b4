"""The page as PDF, by WeasyPrint (the extra `pdf`). Nothing is fetched but what the page carries in itself."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

from walkaway.errors import UsageError
from walkaway.files import write_bytes

__all__ = ["INSTALL", "have_weasyprint", "only_itself", "write_pdf"]

INSTALL = "pip install 'walkaway[pdf]'"


def have_weasyprint() -> bool:
    """Whether a PDF can be made here."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):  # without its system libraries it raises an OSError
        return False
    return True


def only_itself() -> Any:
    """A fetcher that reads what the page carries in itself (data: URIs), and denies all else."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=("data",), allow_redirects=False)


def write_pdf(html: str, path: Path) -> None:
    """Write a page as PDF.

    Raises:
        UsageError: WeasyPrint or a system library it needs is absent; names the command that installs it.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise UsageError(
            f"{path.name} needs WeasyPrint, which is not installed here ({type(error).__name__}). Install it with "
            f"{INSTALL}, or leave the PDF out with --format html."
        ) from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    buffer = io.BytesIO()
    HTML(string=html, base_url="about:blank", url_fetcher=only_itself()).write_pdf(buffer, pdf_identifier=b"walkaway")
    write_bytes(path, buffer.getvalue())
